"""CPU seconds that the counter takes: `PYTHONPATH=recorders python bench/count_updates.py`. One thread, one parameter."""

import os

import torch
from precision_lens_counter import UpdateCounter

ELEMENTS, STEPS = 8_000_000, 5

torch.set_num_threads(1)
torch.manual_seed(0)
p = torch.nn.Parameter(torch.randn(ELEMENTS) * 0.02)
update = torch.randn(ELEMENTS) * 1e-6


class Adding:
    param_groups = [{"params": [p], "lr": 1e-6}]

    def step(self):
        p.data += update


def seconds_a_step():
    optimizer.step()  # The first one makes the copies.
    start = os.times()
    for _ in range(STEPS):
        optimizer.step()
    end = os.times()
    return (end.user + end.system - start.user - start.system) / STEPS


optimizer = Adding()
alone = seconds_a_step()
for schemes in (("in-place",), ("master",), ("in-place", "master")):
    with UpdateCounter(optimizer, lambda _: None, [("p", p)], schemes=schemes):
        rate = ELEMENTS / (seconds_a_step() - alone)
    print(f"bf16, {' and '.join(schemes)}: {rate / 1e6:.0f} million weights a second")
