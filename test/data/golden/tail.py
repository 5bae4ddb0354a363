"""
SGD with momentum and decay on bf16 by torch's CPU kernels, on one thread: 61 elements (a block of 32 and 29 left over), and 15,
37, 70 and 1000, of which 15, 5, 6 and 8 are left over.

    python3 tail.py tail
"""
import sys

import torch

from steps import draws, write

torch.set_num_threads(1)
lr, wd = 0.01, 0.1
for elements in (61, 15, 37, 70, 1000):
    for impl, momentum in (("for-loop", 0.875), ("foreach", 0.9)):
        draw = draws(191763, elements)
        p = torch.nn.Parameter(draw())
        optimizer = torch.optim.SGD([p], lr=lr, momentum=momentum, weight_decay=wd, foreach=impl == "foreach")
        settings = {"impl": impl, "lr": str(lr), "momentum": str(momentum), "weight_decay": str(wd)}
        name = f"sgd-bf16-cpu-{impl}" + ("" if elements == 61 else f"-{elements}")
        write(f"{sys.argv[1]}/{name}.safetensors", p, draw, optimizer, {"m": "momentum_buffer"}, settings)
