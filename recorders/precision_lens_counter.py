"""Counts what low precision makes of each update of a PyTorch optimizer, while it trains, and writes the counts alone.

    from precision_lens_counter import UpdateCounter

    with UpdateCounter(optimizer, "counts.jsonl", model.named_parameters()):
        train()  # as ever: every call of optimizer.step() adds one line

Copy this file and `precision_lens_recorder.py`, on which it stands, into your project. The lines have the counts that
`precision-lens run` has of a whole recording of the same steps. The README beside it tells what is in a line.
"""

import functools
import json
import math
import operator
import os
import sys

import torch
from precision_lens_recorder import Recorder, _copies, _flat

__all__ = ["UpdateCounter"]

FORMATS = {"bf16": torch.bfloat16, "fp16": torch.float16}
SCHEMES = ("in-place", "master")
CLASSES = ("none", "lost", "kept", "moved", "nonfinite")


class UpdateCounter(Recorder):
    """Wraps `optimizer.step` as `Recorder` does. After every step it gives one line of counts, and writes no tensors.

    What goes wrong while counting ends it with a warning, never the training; the lines until then stay, also when the
    process is killed.

    optimizer, named_parameters, parameters, next_step: as for `Recorder`. What is counted are parameters in fp32.
    to: the path of a file that is not there yet, with several processes in torch.distributed one for each
        (`counts.rankNNNNN.jsonl`); or a function that is called with each line as a dict.
    formats: as which the weights are thought to be stored, of "bf16" and "fp16".
    schemes: how they take updates, of "in-place" and "master".
    steps: how many, or their numbers, one after the other; None: all until `close()`.
    by: also count apart by "group" (of the optimizer), by "name", or by what a function of the name gives.
    copies: where the copies are held: of fp32 parameters one in fp32, and one in each format for "in-place". "cpu",
        "device", or "disk" (beside the file).

    Raises ValueError if nothing can be counted, FileExistsError if the file is there.
    """

    def __init__(self, optimizer, to, named_parameters=None, *, formats=("bf16",), schemes=SCHEMES, steps=None,
                 parameters=None, by=None, copies="cpu", next_step=0):
        self._formats = _expected("formats", formats, FORMATS)
        self._schemes = _expected("schemes", schemes, SCHEMES)
        if not (by in (None, "group", "name") or callable(by)):
            raise ValueError(f'by: expected "group", "name" or a function of the name, found {by!r}')
        if callable(to) and copies == "disk":
            raise ValueError('copies: "disk" is beside the file of counts, and a function has none')
        self._to, self._by, self._file, self._stored = to, by, None, {}
        steps = range(next_step, sys.maxsize) if steps is None else steps
        super().__init__(optimizer, to, named_parameters, steps=steps, parameters=parameters, copies=copies,
                         next_step=next_step)

    def close(self):
        """Ends the counting and gives the optimizer its step back. May be repeated."""
        if self._is_over:
            return
        if not self.recorded:
            self._warn_of_nothing()
        self._end()

    def _end(self):
        super()._end()
        self._stored = {}
        if self._file is not None:
            self._file.close()

    def _place(self, to):
        if callable(to):
            return getattr(to, "__qualname__", repr(to))
        root, extension = os.path.splitext(os.fspath(to))
        return root + (f".rank{self._rank:05d}" if self._ranks > 1 else "") + extension

    def _expect_free(self):
        if not callable(self._to) and os.path.exists(self.folder):
            raise FileExistsError(f"{self.folder} is there already")

    def _choose(self):
        chosen = super()._choose()
        fp32 = {name: p for name, p in chosen.items() if p.dtype == torch.float32}
        if not fp32 and self._ranks == 1:
            raise ValueError("parameters: expected some in fp32, found none: what an optimizer wanted to add to others is "
                             "not known. Wrap the optimizer that holds the fp32 master, or record gradients (Recorder)")
        self._others = {}
        for p in (p for p in chosen.values() if p.dtype != torch.float32):
            dtype = str(p.dtype).split(".")[-1]
            self._others[dtype] = self._others.get(dtype, 0) + _flat(p).numel()
        return fp32

    def _start(self, number):
        vectors = {name: _flat(p) for name, p in self._chosen.items()}

        def copied(kind, dtype):
            copies = _copies(list(vectors.values()), self._copies, f"{self.folder}.{kind}.tmp", dtype)
            for copy, vector in zip(copies, vectors.values()):
                copy.copy_(vector)
            return dict(zip(vectors, copies))

        self._held = copied("fp32", torch.float32)
        if "in-place" in self._schemes:
            self._stored = {name: copied(name, FORMATS[name]) for name in self._formats}

    def _after(self, number):
        self._missed = 0
        cases = [(of, scheme) for of in self._formats for scheme in self._schemes]
        group_of = {name: str(g) for g, names in enumerate(self._names_by_group) for name in names}
        tallies = [{} for _ in cases]
        for name in self._chosen:
            key = group_of[name] if self._by == "group" else str(self._by(name)) if callable(self._by) else name
            for tally, counts in zip(tallies, self._counts_of(name, cases)):
                tally[key] = [a + b for a, b in zip(tally.get(key, [0] * 5), counts)]
        line = {
            "schema": "precision-lens-counts/1",
            "step": number,
            "lr": [_number(group.get("lr")) for group in self._optimizer.param_groups],
            "rank": self._rank,
            "elements": sum(held.numel() for held in self._held.values()),
            "notCounted": self._others,
            "unreachable": self._missed,
            "changedOutside": self._outside,
            "cases": [{"format": of, "scheme": scheme, **_told([sum(of) for of in zip([0] * 5, *tally.values())]),
                       **({"by": {key: _told(counts) for key, counts in tally.items()}} if self._by else {})}
                      for (of, scheme), tally in zip(cases, tallies)],
        }
        self._give(line)
        self.recorded.append(number)

    def _counts_of(self, name, cases):
        """How many updates of a parameter are in each class, for each case."""
        sums, start = torch.zeros(len(cases), 5, dtype=torch.int64, device=self._held[name].device), 0
        for before, update, reached in self._updates_of(name):
            end = start + update.numel()
            for case, (of, scheme) in enumerate(cases):
                if scheme == "master":
                    was, now = (master.to(FORMATS[of]).float() for master in (before, reached))
                    sums[case] += _classes(update, was, now, before, reached)
                else:
                    stored = self._stored[of][name][start:end]
                    was = stored.float()
                    stored.copy_(was + update)
                    sums[case] += _classes(update, was, stored.float())
            start = end
        return sums.tolist()

    def _give(self, line):
        if callable(self._to):
            self._to(line)
            return
        if self._file is None:
            self._expect_free()
            os.makedirs(os.path.dirname(self.folder) or ".", exist_ok=True)
            self._file = open(self.folder, "xb", buffering=0)
        # One call of the system for each line, with no buffer before it: what is killed leaves whole lines.
        data = json.dumps(line, allow_nan=False).encode("ascii") + b"\n"
        written = self._file.write(data)
        if written != len(data):
            self._file.truncate(self._file.tell() - written)
            raise OSError("the disk is full")


def _classes(update, before, after, carrier=None, carrier_after=None):
    """How many of each of CLASSES, in their order, from the stored numbers in fp32 and those of the carrier.

    Numbers are compared, as run does: +0 = -0, and what is not finite before or after is counted apart.
    """
    updated, stayed = update != 0, before == after
    watched = [update, before, after] + ([] if carrier is None else [carrier_after])
    strange = torch.zeros((), dtype=torch.int64, device=update.device)
    # A sum is finite only where all its terms are, and ten times as fast as to look at each.
    if not sum(numbers.sum() for numbers in watched).isfinite():
        finite = functools.reduce(operator.and_, (numbers.isfinite() for numbers in watched))
        updated &= finite
        strange = (~finite).sum()
    stayed &= updated
    u, s = updated.sum(), stayed.sum()
    k = strange.new_zeros(()) if carrier is None else (stayed & (carrier != carrier_after)).sum()
    return torch.stack([update.numel() - strange - u, s - k, k, u - s, strange])


def _told(counts):
    """Counts by their names, and the shares that precision-lens makes of them; None for a share of nothing."""
    none, lost, kept, moved, _ = counts
    n = none + lost + kept + moved
    return {
        **dict(zip(CLASSES, counts)),
        "realSparsity": none / n if n else None,
        "apparentSparsity": (none + lost + kept) / n if n else None,
        "hiddenShare": (lost + kept) / (n - none) if n > none else None,
    }


def _number(rate):
    """A learning rate, which may be a tensor, and which JSON may have no number for."""
    rate = rate.item() if isinstance(rate, torch.Tensor) else rate
    return rate if isinstance(rate, (int, float)) and math.isfinite(rate) else None


def _expected(what, names, known):
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ValueError(f"{what}: expected some of {', '.join(known)}, each once, found {names!r}")
    return names
