"""Updates of bf16 weights in place by torch on a GPU, with what became of each counted: bench/gpu.ts runs it.

Usage: gpu_torch.py ELEMENTS [DEVICE, default cuda]
"""

import sys
import time

import torch

elements = int(sys.argv[1])
device = sys.argv[2] if len(sys.argv) > 2 else "cuda"
if device == "cuda" and not torch.cuda.is_available():
    sys.exit(1)


def step(w, u, now):
    after = (w.float() + u).bfloat16()
    moved = after != w
    zero = u == 0
    counts = torch.stack([(moved & ~zero).sum(), zero.sum(), (~torch.isfinite(after)).sum()])
    e = after.float() - w.float()
    return after, now + u, counts, u.double().square().sum(), e.double().square().sum(), (e.double() * u).sum()


def rate(of):
    w = (0.02 * torch.randn(elements, device=device)).bfloat16()
    u = 1e-6 * torch.randn(elements, device=device)
    now = w.float()
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    best = float("inf")
    for _ in range(4):
        wait()
        began = time.perf_counter()
        for _ in range(5):
            w, now, *_rest = of(w, u, now)
        wait()
        best = min(best, (time.perf_counter() - began) / 5)
    return elements / best / 1e6


name = torch.cuda.get_device_name() if device == "cuda" else device
words = f"torch {torch.__version__} on {name}, updates given, no histogram, no end: eager {rate(step):.0f}"
try:
    words += f", torch.compile {rate(torch.compile(step)):.0f}"
except Exception as error:
    words += f", torch.compile failed ({type(error).__name__})"
print(words + " million weight-steps a second")
