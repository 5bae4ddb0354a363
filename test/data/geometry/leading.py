"""Makes leading.json: angles, drift and energy of leading directions by numpy's SVD, of matrices that the tests make again, number by
number (test/geometry/leading.test.ts).

Run: python3 test/data/geometry/leading.py > test/data/geometry/leading.json
"""

import json

import numpy as np

# Name, rows, columns, k, whether columns stand out, the size of the change, and the share of the weights that change.
CASES = [
    ["noise", 300, 400, 37, False, 2**-7, 1],
    ["noise, a sparse change", 400, 300, 37, False, 2**-4, 0.01],
    ["columns that stand out", 300, 400, 37, True, 2**-7, 1],
    ["noise, full size", 1100, 1500, 64, False, 2**-7, 1],
    ["columns that stand out, full size, a sparse change", 1100, 1500, 64, True, 2**-4, 0.01],
]


def uniform(seed, count):
    """mulberry32, as test/geometry/support.ts has it."""
    low = np.uint64(2**32 - 1)
    state = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)) & low
    t = ((state ^ (state >> np.uint64(15))) * (state | np.uint64(1))) & low
    t = t ^ ((t + (((t ^ (t >> np.uint64(7))) * (t | np.uint64(61))) & low)) & low)
    return (t ^ (t >> np.uint64(14))).astype(np.float64) / 2**32


def pair(rows, columns, stands_out, size, share):
    numbers = [uniform(seed, rows * columns).reshape(rows, columns) for seed in (1, 2, 3)]
    column = np.arange(columns)
    scale = 1 + np.where(stands_out & (column < 64), np.floor(192 / (1 + column)) / 8, 0)
    base = ((numbers[0] - 0.5) * scale).astype(np.float32).astype(np.float64)
    change = np.where(numbers[2] < share, size * (numbers[1] - 0.5), 0)
    return base, (base + change).astype(np.float32).astype(np.float64)


def degrees(before, after):
    outside = after - before @ (before.T @ after)
    return np.degrees(np.arcsin(np.minimum(1, np.linalg.svd(outside, compute_uv=False))))


def figures(rows, columns, k, stands_out, size, share):
    base, tuned = pair(rows, columns, stands_out, size, share)
    (u, s, vt), (u1, s1, vt1) = (np.linalg.svd(x, full_matrices=False) for x in (base, tuned))
    left, right = degrees(u[:, :k], u1[:, :k]), degrees(vt[:k].T, vt1[:k].T)
    change = tuned - base
    inside = u[:, :16].T @ change @ vt[:16].T
    return {
        "drift": np.linalg.norm(s1[:k] - s[:k]) / np.linalg.norm(s[:k]),
        "angleLeftMedian": np.quantile(left, 0.5),
        "angleLeft90": np.quantile(left, 0.9),
        "angleRightMedian": np.quantile(right, 0.5),
        "angleRight90": np.quantile(right, 0.9),
        "energy16": np.sum(inside**2) / np.sum(change**2),
    }


cases = [
    dict(zip(["name", "rows", "columns", "k", "standsOut", "size", "share"], case), figures=figures(*case[1:]))
    for case in CASES
]
print(json.dumps(cases, indent=1))
