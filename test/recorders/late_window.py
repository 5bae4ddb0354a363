"""Late windows of trainings whose moments are recorded: what torch holds at their end.

Given gradients, and settings at which the releases of torch compute alike: a beta of 1/2 makes of both forms of the moving
average one rounding.
"""

import json
import os
import sys
import warnings

import torch
from precision_lens_recorder import Recorder

torch.set_num_threads(1)


def bits(tensor):
    return bytes(tensor.detach().clone().reshape(-1).view(torch.uint8).tolist()).hex()


def optimizer_of(kind, parameters):
    w, norm, late = parameters
    groups = [{"params": [w, late]}, {"params": [norm], "lr": 2.0**-9, "weight_decay": 0.0}]
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=2.0**-7, momentum=0.875, weight_decay=2.0**-4)
    return torch.optim.AdamW(groups, lr=2.0**-10, betas=(0.5, 0.5), weight_decay=2.0**-3, foreach=False)


def window(folder, kind, dtype, first, last):
    """Steps first to last - 1 are recorded. The third tensor has gradients from step 2 on, so that it took fewer steps."""
    torch.manual_seed(0)
    shapes = {"w": (61, 83), "norm": (97,), "late": (40, 16)}
    named = {name: torch.nn.Parameter((torch.randn(shape) * 0.02).to(dtype)) for name, shape in shapes.items()}
    optimizer = optimizer_of(kind, named.values())
    # A warm-up: each step has another learning rate.
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 2.0 ** min(0, (step - 26) // 2))
    with Recorder(optimizer, folder, named.items(), steps=range(first, last), gradients=True) as recorder:
        for step in range(last):
            for name, p in named.items():
                p.grad = None if name == "late" and step < 2 else torch.randn(p.shape).to(dtype)
            optimizer.step()
            schedule.step()
    assert recorder.recorded == list(range(first, last)), recorder.recorded
    return {name: bits(p) for name, p in named.items()}


def without_moments(folder, moments):
    """Two steps of an optimizer that has other states: what warnings and files come of the second."""
    p = torch.nn.Parameter(torch.ones(5))
    optimizer = torch.optim.Adadelta([p])
    p.grad = torch.ones(5)
    optimizer.step()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Recorder(optimizer, folder, [("p", p)], steps=1, gradients=True, moments=moments):
            optimizer.step()
    return {"warnings": [str(w.message) for w in caught],
            "moments": os.path.exists(os.path.join(folder, "moments.safetensors"))}


if __name__ == "__main__":
    root = sys.argv[1]
    ends = {}
    for kind in ("sgd", "adamw"):
        for dtype in (torch.bfloat16, torch.float32):
            run = f"{kind}-{str(dtype)[6:]}"
            ends[run] = window(os.path.join(root, run), kind, dtype, 24, 28)
    others = {str(moments): without_moments(os.path.join(root, f"other-{moments}"), moments) for moments in (None, True)}
    print(json.dumps({"ends": ends, "others": others}))
