"""fp32 numbers to codes in numpy, ml_dtypes and torch, those that are installed. Reads fp32 numbers from stdin; prints CPU
seconds, best of REPEATS, and a checksum of the codes for each. Usage: encode.py REPEATS"""
import sys
import time

import numpy as np

repeats = int(sys.argv[1])
x = np.frombuffer(sys.stdin.buffer.read(), "<f4").copy()
np.seterr(all="ignore")


def timed(name, cast, codes):
    best = 1e9
    for _ in range(repeats):
        began = time.process_time()
        result = cast()
        best = min(best, time.process_time() - began)
    print(name, f"{best:.9f}", int(codes(result).astype(np.uint64).sum()))


timed("fp16 numpy", lambda: x.astype(np.float16), lambda of: of.view(np.uint16))
try:
    import ml_dtypes

    for name, dtype in (("bf16", ml_dtypes.bfloat16), ("e5m2", ml_dtypes.float8_e5m2), ("e4m3fn", ml_dtypes.float8_e4m3fn)):
        timed(f"{name} ml_dtypes", lambda: x.astype(dtype), lambda of: of.view(f"u{of.itemsize}"))
except ImportError:
    pass
try:
    import torch

    torch.set_num_threads(1)
    given = torch.from_numpy(x)
    names = {"bf16": "bfloat16", "fp16": "float16", "e5m2": "float8_e5m2"}
    for name, dtype in ((name, getattr(torch, dtype, None)) for name, dtype in names.items()):
        if dtype is not None:
            integer = torch.int16 if name.endswith("16") else torch.uint8
            unsigned = np.uint16 if name.endswith("16") else np.uint8
            timed(f"{name} torch", lambda: given.to(dtype), lambda of: of.view(integer).numpy().view(unsigned))
except ImportError:
    pass
