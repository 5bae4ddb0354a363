"""
AdamW and Adam of torch 1.13.1 on bf16, and torchdistx's AnyPrecisionAdamW on it, on 285 elements by one thread of a CPU: eight
blocks of 32 and 29 left over. The last argument is the file anyprecision_optimizer.py of pytorch/torchdistx.

    python3 torch_1_13.py torch-1.13 anyprecision_optimizer.py
"""
import importlib.util
import sys
import types

import torch

from steps import draws, write

torch.set_num_threads(1)
# What the file imports to look for a GPU.
sys.modules.setdefault("torch.cuda.nccl", types.ModuleType("torch.cuda.nccl"))
sys.modules.setdefault("pkg_resources", types.SimpleNamespace(packaging=None))
spec = importlib.util.spec_from_file_location("anyprecision", sys.argv[2])
anyprecision = importlib.util.module_from_spec(spec)
spec.loader.exec_module(anyprecision)


class AnyPrecision(anyprecision.AnyPrecisionAdamW):
    def verify_bfloat_support(self):
        return True, True


states = {"m": "exp_avg", "v": "exp_avg_sq"}
bf16 = torch.bfloat16
pure = {"use_kahan_summation": True, "momentum_dtype": bf16, "variance_dtype": bf16}
for file, kind, recipe, lr, betas, eps, wd, options in (
    ("adamw-bf16-cpu-for-loop", torch.optim.AdamW, "torch-1.13-cpu", 0.01, (0.9, 0.95), 1e-6, 0.3, {"foreach": False}),
    ("adamw-bf16-cpu-foreach", torch.optim.AdamW, "torch-1.13-cpu", 1e-3, (0.9, 0.999), 1e-8, 0.0, {"foreach": True}),
    ("adam-bf16-cpu-for-loop", torch.optim.Adam, "torch-1.13-cpu", 0.01, (0.9, 0.95), 1e-6, 0.3, {"foreach": False}),
    ("adam-bf16-cpu-foreach", torch.optim.Adam, "torch-1.13-cpu", 1e-3, (0.8, 0.99), 1e-8, 0.7, {"foreach": True}),
    ("adamw-bf16-cpu-anyprecision-0", AnyPrecision, "anyprecision-torch-1.13-cpu", 0.01, (0.9, 0.95), 1e-6, 0.3, pure),
    ("adamw-bf16-cpu-anyprecision-1", AnyPrecision, "anyprecision-torch-1.13-cpu", 1e-4, (0.9, 0.999), 1e-8, 0.1, pure),
):
    draw = draws(8526, 285, 0.05)
    p = torch.nn.Parameter(draw())
    optimizer = kind([p], lr=lr, betas=betas, eps=eps, weight_decay=wd, **options)
    settings = {
        "recipe": recipe,
        "impl": "any",
        "lr": str(lr),
        "betas": str(list(betas)),
        "eps": str(eps),
        "weight_decay": str(wd),
    }
    kept = {**states, "k": "compensation"} if kind is AnyPrecision else states
    write(f"{sys.argv[1]}/{file}.safetensors", p, draw, optimizer, kept, settings)
