"""Runs your optimizer and your casts on a few hundred hard numbers, and writes what they made of them.

    python precision_lens_doctor.py torch.optim.AdamW fused=True --device cuda --out doctor.json
    precision-lens vectors --verify doctor.json    # which recipe that is, or where it parts from the nearest

or, for an optimizer that takes more than a line to make:

    from precision_lens_doctor import examine

    examine("doctor.json", lambda parameters: MyAdamW(parameters, lr=0.03, weight_decay=0.5))

Copy this file into your project. It needs Python 3.8 and torch 1.13, or newer, and nothing else; `examine_optax` takes an
optimizer of optax instead, and needs JAX.
"""

import argparse
import ast
import importlib
import json
import os
import random
import struct

__all__ = ["examine", "examine_optax"]

SCHEMA = "precision-lens-framework/1"

# So large that every line of a sequence shows: in bf16 no weight is changed by a decay below 2^-9, nor v by .999.
LOUD = {"lr": 0.03, "betas": (0.9, 0.95), "eps": 1e-6, "weight_decay": 0.5}

# Eight blocks of 32 elements and 29 that vector instructions leave over.
ELEMENTS = 285
STEPS = 6


def examine(path, make, *, dtype="bfloat16", device="cpu", shape=(ELEMENTS,), steps=STEPS, casts=None):
    """Runs a torch optimizer, and casts from fp32, and writes `path`.

    make: gets a list with one parameter and returns the optimizer that steps it.
    dtype, device, shape: of the parameter; a matrix for an optimizer that needs one, such as (19, 15).
    casts: functions of an fp32 tensor by the format that they go to ("bf16", "fp16", "e4m3fn", "e5m2"); default torch's own.
    """
    import torch

    kind = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    if kind not in (torch.bfloat16, torch.float16, torch.float32):
        raise ValueError(f"dtype: expected bfloat16, float16 or float32, found {dtype}")
    count = _product(shape)
    weights, gradients = hard_numbers(count, steps)
    parameter = torch.nn.Parameter(torch.tensor(weights).reshape(shape).to(device, kind))
    optimizer = make([parameter])
    group = dict(optimizer.param_groups[0])
    about = _about("torch", str(torch.__version__), device, optimizer, _format_of(torch, kind), shape)
    about["settings"] = _settings(group)
    about["start"] = _codes(parameter.detach())
    for t, gradient in enumerate(gradients, 1):
        given = torch.tensor(gradient).reshape(shape).to(device, kind)
        # A copy of its own: some optimizers write into the gradient.
        parameter.grad = given.clone()
        optimizer.step()
        state = optimizer.state.get(parameter, {})
        states = {
            name: {"format": _format_of(torch, value.dtype), "codes": _codes(value.detach())}
            for name, value in state.items()
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape and _format_of(torch, value.dtype)
        }
        about["steps"].append({"t": t, "g": _codes(given), "p": _codes(parameter.detach()), "states": states})
    for format, cast in (_torch_casts(torch) if casts is None else casts).items():
        inputs = hard_casts(format)
        given = torch.tensor([x - (x >> 31 << 32) for x in inputs], dtype=torch.int32).view(torch.float32).to(device)
        result = cast(given).cpu()
        width = result.element_size()
        integers = result.view({1: torch.uint8, 2: torch.int16, 4: torch.int32}[width]).tolist()
        found = [x & (2 ** (8 * width) - 1) for x in integers]
        about["casts"].append({"from": "fp32", "to": format, "inputs": _hex(inputs, 8), "results": _hex(found, 2 * width)})
    _write(path, about)


def examine_optax(path, transformation, settings, *, dtype="bfloat16", shape=(ELEMENTS,), steps=STEPS):
    """Runs a transformation of optax as `examine` runs a torch optimizer; `settings` are lr, betas, eps, weight_decay as it has them."""
    import jax
    import jax.numpy as jnp

    kind = getattr(jnp, dtype)
    format = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}[dtype]
    weights, gradients = hard_numbers(_product(shape), steps)
    p = jnp.asarray(weights, jnp.float32).reshape(shape).astype(kind)
    state = transformation.init(p)
    about = _about("jax", jax.__version__, jax.default_backend(), transformation, format, shape)
    about["settings"] = _settings(settings)
    about["start"] = _codes(p)
    names = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
    for t, gradient in enumerate(gradients, 1):
        g = jnp.asarray(gradient, jnp.float32).reshape(shape).astype(kind)
        updates, state = transformation.update(g, state, p)
        p = (p + updates).astype(kind)  # As optax.apply_updates.
        states = {}
        for part in jax.tree_util.tree_leaves(state, is_leaf=lambda of: hasattr(of, "mu") or hasattr(of, "trace")):
            for field, name in (("mu", "exp_avg"), ("nu", "exp_avg_sq"), ("trace", "momentum_buffer")):
                if hasattr(part, field):
                    value = getattr(part, field)
                    states[name] = {"format": names[str(value.dtype)], "codes": _codes(value)}
        about["steps"].append({"t": t, "g": _codes(g), "p": _codes(p), "states": states})
    _write(path, about)


def hard_numbers(count, steps):
    """Weights that a step of `LOUD` may move, and gradients of all sizes, turning, growing, shrinking and stopping."""
    draw = random.Random(191763)

    def number(low, high):
        return draw.choice((-1, 1)) * (1 + draw.getrandbits(23) / 2**23) * 2.0 ** draw.randint(low, high)

    weights = [0.0 if i % 61 == 7 else number(-2, 14) * LOUD["lr"] for i in range(count)]
    first = [number(-24, 4) for _ in range(count)]
    gradients = [[x * number(-2, 1) for x in first] for _ in range(steps)]
    for i in range(count):
        for t in range(steps):
            # None at all; one alone; numbers whose squares underflow.
            if i % 50 == 0 or (i % 50 == 1 and t > 0):
                gradients[t][i] = 0.0
            elif i % 50 == 2:
                gradients[t][i] = number(-80, -60)
    return weights, gradients


def hard_casts(format):
    """Codes of fp32 numbers at and beside the middles of numbers of a format, at its ends, and what is no number."""
    precision, smallest, largest = {"bf16": (8, -126, 127), "fp16": (11, -14, 15), "e4m3fn": (4, -6, 8),
                                    "e5m2": (3, -14, 15)}[format]
    drop = 24 - precision
    codes = [0, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff, 0x7f7fffff, 1, 0x007fffff, 0x00800000]
    for exponent in (smallest - precision - 1, smallest - precision, smallest - 2, smallest - 1, smallest, smallest + 1,
                     -1, 0, 1, largest - 1, largest, largest + 1):
        if not -126 <= exponent <= 127:
            continue
        for kept in {0, 1, 2 ** (precision - 1) - 2, 2 ** (precision - 1) - 1}:
            for beside in (-1, 0, 1):
                for half in (0, 1):
                    code = (exponent + 127 << 23) + (kept << drop) + (half << drop - 1) + beside
                    codes.append(min(max(code, 0), 0x7f7fffff))
    draw = random.Random(8526)
    codes += [(draw.randint(max(1, smallest + 126 - precision), min(254, largest + 127)) << 23) + draw.getrandbits(23)
              for _ in range(100)]
    return [code + sign for code in codes for sign in (0, 2**31)]


def _torch_casts(torch):
    known = {"bf16": "bfloat16", "fp16": "float16", "e4m3fn": "float8_e4m3fn", "e5m2": "float8_e5m2"}
    return {format: (lambda kind: lambda x: x.to(kind))(getattr(torch, name))
            for format, name in known.items() if hasattr(torch, name)}


def _about(framework, version, device, optimizer, format, shape):
    kind = type(optimizer)
    return {"schema": SCHEMA, "framework": framework, "version": version, "device": str(device),
            "optimizer": f"{kind.__module__}.{kind.__qualname__}", "format": format, "shape": list(shape),
            "settings": {}, "start": "", "steps": [], "casts": []}


def _settings(group):
    """What recipes know of, and the switches of the optimizer that say which of its sequences ran."""
    settings = {}
    for name, value in group.items():
        if name == "params" or name == "betas" and value is None:
            continue
        if hasattr(value, "item"):
            value = value.item()
        if isinstance(value, (bool, int, float, str, type(None))):
            settings[name] = value
        elif isinstance(value, (tuple, list)) and all(isinstance(of, (int, float)) for of in value):
            settings[name] = list(value)
    return settings


def _format_of(torch, kind):
    return {torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "fp32"}.get(kind)


def _codes(values):
    """The numbers of a tensor as codes of fp32, which holds them all."""
    if hasattr(values, "cpu"):
        values = values.cpu().float()
    return " ".join(struct.pack(">f", float(x)).hex() for x in values.reshape(-1).tolist())


def _hex(codes, digits):
    return " ".join(format(code, f"0{digits}x") for code in codes)


def _product(shape):
    product = 1
    for side in shape:
        product *= side
    return product


def _write(path, about):
    path = os.fspath(path)
    with open(path + ".tmp", "w") as file:
        json.dump(about, file)
    os.replace(path + ".tmp", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("optimizer", help="its class, such as torch.optim.AdamW")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="of its constructor, such as fused=True; "
                        "lr, betas, eps and weight_decay are large by default, so that every rounding shows")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float16", "float32"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shape", default=str(ELEMENTS), help="such as 19x15, for an optimizer of matrices")
    parser.add_argument("--out", required=True, help="the file to write, JSON")
    options = parser.parse_args()
    module, _, name = options.optimizer.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        parser.error(f"expected a class that can be imported, such as torch.optim.AdamW, found {options.optimizer}: {error}")
    given = {}
    for text in options.settings:
        key, equals, value = text.partition("=")
        if not equals:
            parser.error(f"expected name=value, found {text}")
        try:
            given[key] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            given[key] = value
    known = kind.__init__.__code__.co_varnames
    loud = {key: value for key, value in LOUD.items() if key in known}
    if "momentum" in known:
        loud["momentum"] = 0.9
    settings = {**loud, **given}
    shape = tuple(int(side) for side in options.shape.split("x"))
    examine(options.out, lambda parameters: kind(parameters, **settings), dtype=options.dtype, device=options.device, shape=shape)
    print(f"{options.out}: precision-lens vectors --verify {options.out} says which recipe it is")


if __name__ == "__main__":
    main()
