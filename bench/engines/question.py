"""The classes of one in-place bf16 step in numpy and torch, where they are installed. Prints JSON.

Usage: question.py ELEMENTS REPEATS PIECE; PIECE holds 2^20 bf16 codes, then 2^20 fp32 updates.
"""
import json
import sys
import time

elements, repeats, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
piece = 1 << 20
found = {}


def best(run):
    seconds, moved = 1e9, 0
    for _ in range(repeats):
        began = time.perf_counter()
        moved = run()
        seconds = min(seconds, time.perf_counter() - began)
    return {"seconds": seconds, "moved": int(moved)}


try:
    import numpy as np

    codes = np.resize(np.fromfile(path, "<u2", piece), elements)
    updates = np.resize(np.fromfile(path, "<f4", piece, offset=2 * piece), elements)

    def with_numpy():
        moved = 0
        for i in range(0, elements, 1 << 16):
            w, u = codes[i : i + (1 << 16)], updates[i : i + (1 << 16)]
            before = (w.astype("<u4") << 16).view("<f4")
            bits = (before + u).view("<u4")
            after = ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view("<f4")
            finite = np.isfinite(after)
            none = np.count_nonzero(finite & (u == 0))
            some = np.count_nonzero(finite & (u != 0) & (after != before))
            moved += some
            none + len(w) - none - some - np.count_nonzero(~finite)
        return moved

    found[f"numpy {np.__version__}"] = best(with_numpy)
    try:
        import torch

        w = torch.from_numpy(codes.view("<i2")).view(torch.bfloat16)
        u = torch.from_numpy(updates)

        def with_torch():
            after = (w.float() + u).to(torch.bfloat16)
            finite = torch.isfinite(after)
            zero = u == 0
            changed = after != w
            (finite & zero).sum(), (~finite).sum(), (finite & ~zero & ~changed).sum()
            return (finite & ~zero & changed).sum().item()

        found[f"torch {torch.__version__}"] = best(with_torch)
    except ImportError:
        pass
except ImportError:
    pass
print(json.dumps(found))
