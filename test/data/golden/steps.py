"""Ten steps of an optimizer on one tensor of bf16, as a golden vector: p.0, then g.t, p.t and the states after each step."""
import json
import struct

import torch

header_of = {torch.bfloat16: ("BF16", torch.int16), torch.float32: ("F32", torch.int32)}


def draws(seed, elements, scale=0.1):
    random = torch.Generator().manual_seed(seed)
    return lambda: (torch.randn(elements, generator=random) * scale).bfloat16()


def write(path, p, draw, optimizer, states, settings):
    tensors = {"p.0": p.detach().clone()}
    for t in range(1, 11):
        p.grad = draw()
        tensors[f"g.{t}"] = p.grad.clone()
        optimizer.step()
        tensors[f"p.{t}"] = p.detach().clone()
        for name, key in states.items():
            tensors[f"{name}.{t}"] = optimizer.state[p][key].clone()
    header = {"__metadata__": {"torch": "1.13.1", "device": "cpu", **settings}}
    data = b""
    for name, tensor in tensors.items():
        dtype, integers = header_of[tensor.dtype]
        raw = tensor.contiguous().view(integers).numpy().tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
