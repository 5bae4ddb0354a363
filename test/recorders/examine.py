"""Writes what precision_lens_doctor.py makes of torch's optimizers and of planted wrong ones, into a folder."""
import sys

import torch

import precision_lens_doctor
from precision_lens_doctor import examine

torch.set_num_threads(1)


def loud(kind, **options):
    return lambda parameters: kind(parameters, lr=0.03, weight_decay=0.5, **options)


class ByHand(torch.optim.Optimizer):
    """AdamW in the operations of torch 1.13, with something wrong."""

    def __init__(self, parameters, wrong):
        super().__init__(parameters, {"lr": 0.03, "betas": (0.9, 0.95), "eps": 1e-6, "weight_decay": 0.5})
        self.wrong = wrong

    @torch.no_grad()
    def step(self):
        (group,) = self.param_groups
        lr, (b1, b2), eps, decay = group["lr"], group["betas"], group["eps"], group["weight_decay"]
        for p in group["params"]:
            state = self.state[p]
            if not state:
                state.update(step=0, exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
            state["step"] += 1
            t, m, v, g = state["step"], state["exp_avg"], state["exp_avg_sq"], p.grad
            p.mul_(1 - lr * decay)
            m.mul_(b1).add_(g, alpha=1 - b1)
            if self.wrong == "v truncated":
                exact = v.float() * b2 + (1 - b2) * g.float() ** 2
                v.copy_((exact.view(torch.int32) & -65536).view(torch.float32))
            else:
                v.mul_(b2).addcmul_(g, g, value=1 - b2)
            root = 1 if self.wrong == "no correction of v" else (1 - b2**t) ** 0.5
            d = (v.sqrt() / root).add_(eps)
            p.addcdiv_(m, d, value=-lr / (1 - b1**t))


def away(x):
    """bf16 by adding half: ties away from zero, and NaN rounded like a number."""
    return (x.view(torch.int32) + 0x8000 >> 16).to(torch.int16).view(torch.bfloat16)


folder = sys.argv[1]
adam = {"betas": (0.9, 0.95), "eps": 1e-6}
examine(f"{folder}/adamw.json", loud(torch.optim.AdamW, **adam))
examine(f"{folder}/adam.json", loud(torch.optim.Adam, foreach=True, **adam))
examine(f"{folder}/sgd.json", loud(torch.optim.SGD, momentum=0.9))
examine(f"{folder}/adagrad.json", loud(torch.optim.Adagrad))
examine(f"{folder}/v-truncated.json", lambda of: ByHand(of, "v truncated"), casts={"bf16": away})
examine(f"{folder}/uncorrected.json", lambda of: ByHand(of, "no correction of v"), casts={})
examine(f"{folder}/right.json", lambda of: ByHand(of, None), casts={})

# From the command line: the settings by name, and a class that there is not.
sys.argv = ["doctor", "torch.optim.AdamW", "foreach=True", "--shape", "19x15", "--out", f"{folder}/by-command.json"]
precision_lens_doctor.main()
sys.argv = ["doctor", "torch.optim.AdamV", "--out", "x"]
sys.stderr = sys.stdout
try:
    precision_lens_doctor.main()
except SystemExit as error:
    print(error.code)
