"""Trainings of small models under the recorder.

Each gives one JSON object: what torch holds at the end and after each step, as the bytes of the elements in hex, taken
without the recorder's code.
"""

import contextlib
import copy
import json
import os
import warnings

import torch
from precision_lens_counter import UpdateCounter
from precision_lens_recorder import Recorder

torch.set_num_threads(1)


def dump(named):
    return {name: {"dtype": str(p.dtype)[6:], "shape": list(p.shape), "bits": bits(p)} for name, p in named.items()}


def bits(tensor):
    return bytes(tensor.detach().clone().reshape(-1).view(torch.uint8).tolist()).hex()


class Model(torch.nn.Module):
    """Tied, frozen, empty and 0-d parameters, and one that only every second input uses."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.embed = torch.nn.Embedding(40, 24)
        self.body = torch.nn.Sequential(torch.nn.Linear(24, 96), torch.nn.GELU(), torch.nn.Linear(96, 24))
        self.norm = torch.nn.LayerNorm(24)
        self.sometimes = torch.nn.Linear(24, 24, bias=False)
        self.head = torch.nn.Linear(24, 40, bias=False)
        self.head.weight = self.embed.weight
        self.scale = torch.nn.Parameter(torch.tensor(1.25))
        self.empty = torch.nn.Parameter(torch.zeros(0, 7))
        self.frozen = torch.nn.Parameter(torch.randn(4, 3), requires_grad=False)
        self.to(dtype)

    def forward(self, ids, step):
        x = self.embed(ids) + self.empty.sum()
        x = self.norm(x + self.body(x))
        if step % 2 == 0:
            x = x + self.sometimes(x)
        return self.head(x) * self.scale


def loss_of(model, step):
    ids = torch.randint(0, 40, (8, 12), generator=torch.Generator().manual_seed(step))
    logits = model(ids[:, :-1], step).float()
    return torch.nn.functional.cross_entropy(logits.reshape(-1, 40), ids[:, 1:].reshape(-1))


def optimizer_of(kind, model, lr, decay):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices}, {"params": others, "lr": lr / 4, "weight_decay": 0.0}]
    if kind == "lbfgs":
        return torch.optim.LBFGS([p for p in model.parameters() if p.numel() and p.requires_grad], lr=lr)
    return {
        "adamw": lambda: torch.optim.AdamW(groups, lr=lr, weight_decay=decay),
        "adamw-foreach": lambda: torch.optim.AdamW(groups, lr=lr, weight_decay=decay, foreach=True),
        "amsgrad": lambda: torch.optim.Adam(groups, lr=lr, amsgrad=True),
        "sgd": lambda: torch.optim.SGD(groups, lr=lr, momentum=0.9, nesterov=True, weight_decay=decay),
    }[kind]()


def train(folder, kind="adamw", lr=1e-3, decay=0.01, steps=6, window=None, dtype="float32", gradients=False,
          parameters=None, copies="cpu", schedule=True, clamp=None, seed=0, counting=None):
    """Steps of a language model on random text. `window`: the recorded steps. `clamp`: limits weights after each.

    `counting`: options of an UpdateCounter of the same steps, whose lines are given too.
    """
    torch.manual_seed(seed)
    model = Model(getattr(torch, dtype))
    if dtype != "float32":
        model.norm.float()  # A model of two dtypes, as mixed precision has them.
        plain, model.norm.forward = model.norm.forward, lambda x: plain(x.float()).to(x.dtype)
    named = dict(model.named_parameters())
    optimizer = optimizer_of(kind, model, lr, decay)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5) if schedule else None
    states = [dump(named)]
    first, last = window or (0, steps)
    counts = os.path.join(folder, "counts.jsonl")
    counter = contextlib.nullcontext() if counting is None else UpdateCounter(
        optimizer, counts, model.named_parameters(), steps=range(first, last), parameters=parameters, **counting)
    with counter, Recorder(optimizer, folder, model.named_parameters(), steps=range(first, last), gradients=gradients,
                           parameters=parameters, copies=copies, metadata={"run": kind}) as recorder:
        for step in range(steps):
            def closure():
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(model, step)
                loss.backward()
                return loss

            if kind == "lbfgs":
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()
            states.append(dump(named))
            if scheduler is not None:
                scheduler.step()
            if clamp is not None:
                with torch.no_grad():
                    for p in model.parameters():
                        p.clamp_(-clamp, clamp)
    as_bf16 = {name: p.detach().to(torch.bfloat16) for name, p in named.items()}
    return {"states": states, "end": dump(named), "bf16": dump(as_bf16), "recorded": recorder.recorded,
            "lines": None if counting is None else lines_of(counts)}


def lines_of(path):
    with open(path, encoding="ascii") as file:
        return [json.loads(line) for line in file]


def counter_tests(folder):
    """`counter_test.py`, in a process that has torch already."""
    import sys

    sys.argv = ["", folder]
    import counter_test

    return counter_test.failures_in(counter_test)


def hard(folder, steps=4, count=6000):
    """Any bits as weights and updates: NaN, infinities, both zeros, subnormal numbers, ties, sums that overflow."""
    generator = torch.Generator().manual_seed(5)

    def any_bits():
        return torch.randint(-2**31, 2**31, (count,), generator=generator).to(torch.int32).view(torch.float32)

    def one_of(*choices):
        which = torch.randint(0, len(choices), (count,), generator=generator)
        return torch.stack(choices).gather(0, which[None])[0]

    def power(low, high):
        return 2.0 ** torch.randint(low, high, (count,), generator=generator).double()

    zeros = torch.zeros(count)
    normal = torch.randn(count, generator=generator)
    rounded = normal.to(torch.bfloat16).float()
    weights = one_of(any_bits(), normal, rounded, normal.to(torch.float16).float(), (normal * power(-40, -10)).float(),
                     (normal * power(10, 20)).float(), zeros, -zeros)
    p = torch.nn.Parameter(weights)
    names = [("p", p)]

    class Adding:
        param_groups = [{"params": [p], "lr": 0.5}]

        def step(self):
            of = p.detach()
            p.data += one_of(any_bits(), zeros, -zeros, of * 2.0**-8, of * 2.0**-9, -of, (of * power(-26, -4)).float(),
                             (normal * power(-40, -10)).float(), of * 2.0**-11, of * 2.0**-12)

    optimizer, lines = Adding(), []
    with Recorder(optimizer, folder, names, steps=steps), UpdateCounter(
            optimizer, lines.append, names, steps=steps, formats=("bf16", "fp16")):
        for _ in range(steps):
            optimizer.step()
    return {"lines": lines}


def one(folder, kind="sgd", dtype="bfloat16", steps=10, lr=2.0**-7, momentum=0.875, betas=(0.5, 0.75), decay=0.0,
        root=None):
    """One matrix under given gradients: for steps that torch's releases compute alike, bit for bit.

    root: "off" gives torch a square root that is one ulp off in a fifth of the elements, as that of 2.13 in fp32 is on some
        machines. `wrong_roots` lists the elements whose root of v torch did not round correctly.
    """
    torch.manual_seed(0)
    if root == "off":
        torch.Tensor.sqrt = off(torch.Tensor.sqrt)
    p = torch.nn.Parameter((torch.randn(61, 83) * 0.02).to(getattr(torch, dtype)))
    optimizer = (torch.optim.SGD([p], lr=lr, momentum=momentum, weight_decay=decay) if kind == "sgd"
                 else torch.optim.AdamW([p], lr=lr, betas=betas, weight_decay=decay, foreach=False))
    with Recorder(optimizer, folder, [("p", p)], steps=steps, gradients=True):
        gradients = []
        for _ in range(steps):
            p.grad = torch.randn(61, 83).to(p.dtype)
            gradients.append(bits(p.grad))
            optimizer.step()
    v = optimizer.state[p].get("exp_avg_sq") if dtype == "float32" else None
    # Rounded twice, and yet right: fp64 has more than twice the bits of fp32, and two more.
    wrong = [] if v is None else (v.sqrt() != v.double().sqrt().float()).reshape(-1).nonzero().reshape(-1).tolist()
    return {"end": dump({"p": p}), "gradients": gradients, "wrong_roots": wrong}


def off(sqrt):
    def root(tensor):
        right = sqrt(tensor)
        if tensor.dtype != torch.float32 or tensor.dim() == 0:
            return right
        is_off = torch.arange(tensor.numel()).reshape(tensor.shape) % 5 == 0
        return torch.where(is_off, torch.nextafter(right, torch.full_like(right, 2.0)), right)

    return root


def full(folder, limit):
    """A file may not grow over `limit` bytes: the third step's does not fit."""
    import resource
    import signal

    torch.manual_seed(0)
    model = torch.nn.ModuleList([torch.nn.Linear(40, 40), torch.nn.Linear(60, 60)])
    plain = copy.deepcopy(model)

    def steps_of(model, optimizer, before):
        for step in range(4):
            before(step)
            for i, p in enumerate(model.parameters()):
                p.grad = torch.full_like(p, 0.1 * (step + i + 1))
            optimizer.step()
        return dump(dict(model.named_parameters()))

    def fill(step):
        if step == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    expected = steps_of(plain, torch.optim.AdamW(plain.parameters()), lambda _: None)
    optimizer = torch.optim.AdamW(model.parameters())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Recorder(optimizer, folder, model.named_parameters(), steps=4) as recorder:
            end = steps_of(model, optimizer, fill)
    return {"end": end, "expected": expected, "recorded": recorder.recorded,
            "warnings": [str(w.message) for w in caught]}


def kill(folder, times):
    """Ends trainings at random moments by SIGKILL; each records into a folder of its number."""
    import random
    import signal
    import time

    random.seed(1)
    for i in range(times):
        child = os.fork()
        if child == 0:
            train(os.path.join(folder, str(i)), steps=10**6, gradients=True, schedule=False, dtype="bfloat16")
            os._exit(0)
        # Some die before a step is recorded, some with a file that is not whole, the others in the steps after one of
        # the first ten.
        updates = os.path.join(folder, str(i), "updates")
        awaited = os.path.join(updates, f"step{random.randrange(10):04d}.safetensors")
        give_up = time.monotonic() + (random.uniform(0, 0.1) if i % 5 == 0 else 30)
        while not os.path.exists(awaited) and time.monotonic() < give_up:
            time.sleep(0.001)
        if i % 5 == 1:
            while not any(name.endswith(".tmp") for name in os.listdir(updates)):
                pass
        else:
            time.sleep(random.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return None


def ranks(folder, how):
    """One of several processes: trains with its shard of the optimizer, in step with the others through gloo."""
    import torch.distributed as dist

    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    dist.init_process_group("gloo", init_method=os.environ["STORE"], rank=rank, world_size=world)
    torch.manual_seed(0)
    model = Model()
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if how == "zero":
        from torch.distributed.optim import ZeroRedundancyOptimizer

        optimizer = ZeroRedundancyOptimizer(list(named.values()), torch.optim.Adam, lr=1e-3)
        inner, watched = optimizer.optim, named
    else:  # As FSDP does: each process holds a contiguous part of every flattened parameter.
        watched = {name: torch.nn.Parameter(part(p.detach(), rank, world).clone()) for name, p in named.items()}
        inner = optimizer = torch.optim.Adam(list(watched.values()), lr=1e-3)
        names = {f"_fsdp_wrapped_module.{name}": p for name, p in watched.items()}
    recorded = dict(named) if how == "zero" else names
    with Recorder(inner, folder, recorded.items(), steps=4, gradients=True):
        for step in range(4):
            model.zero_grad()
            loss_of(model, step * world + rank).backward()
            for p in named.values():
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
                dist.all_reduce(p.grad)
            if how == "shards":
                for name, p in named.items():
                    watched[name].grad = part(p.grad, rank, world).clone()
            optimizer.step()
            if how == "shards":
                for name, p in named.items():
                    whole = [torch.empty(part(p, r, world).numel()) for r in range(world)]
                    for r, piece in enumerate(whole):
                        piece.copy_(watched[name].detach()) if r == rank else None
                        dist.broadcast(piece, r)
                    p.data.copy_(torch.cat(whole).view_as(p))
    mine = {id(p) for group in inner.param_groups for p in group["params"]}
    return {"end": dump({name: p for name, p in watched.items() if id(p) in mine}), "whole": dump(named)}


def part(tensor, rank, world):
    return tensor.reshape(-1).tensor_split(world)[rank]
