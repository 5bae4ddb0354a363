"""
The direction of Muon, five steps of Newton and Schulz, by torch 1.13.1 on one thread of a CPU, whose products of matrices of
bf16 add up in fp32 from some size on. The quintic is the published one. Later releases, and CUDA, do not round a Python
number to bf16 before they multiply with it: `scaled` does as they do.

    python3 muon.py muon/direction.safetensors
"""
import json
import struct
import sys

import torch

torch.set_num_threads(1)
a, b, c = 3.4445, -4.7750, 2.0315


def scaled(by, x):
    return (by * x.float()).bfloat16()


def direction(given):
    x = given.T if given.shape[0] > given.shape[1] else given
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = scaled(a, x) + (scaled(b, gram) + scaled(c, gram) @ gram) @ x
    return x.T if given.shape[0] > given.shape[1] else x


random = torch.Generator().manual_seed(8526)
header, data = {"__metadata__": {"torch": torch.__version__, "device": "cpu"}}, b""
for i, (rows, columns) in enumerate(((24, 40), (40, 24), (48, 48))):
    given = (torch.randn(rows, columns, generator=random) * 0.01).bfloat16()
    for name, tensor in ((f"n.{i}", given), (f"o.{i}", direction(given))):
        raw = tensor.contiguous().view(torch.int16).numpy().tobytes()
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
