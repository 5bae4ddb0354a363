"""Records what a PyTorch optimizer does to its parameters, as a run that precision-lens replays.

    from precision_lens_recorder import Recorder

    with Recorder(optimizer, "run", model.named_parameters(), steps=8):
        train()  # as ever: the first eight calls of optimizer.step() are recorded

Copy this file into your project. It needs Python 3.8 and torch 1.13, or newer, and nothing else. The README beside it
tells what it writes, and how to place it in FSDP, DeepSpeed, Megatron, verl, TRL and torchtune.
"""

import contextlib
import ctypes
import fnmatch
import functools
import json
import math
import os
import sys
import types
import warnings

import torch

__all__ = ["Recorder", "outcome"]

# Elements worked on at a time: beside the held copies, memory is about ten vectors of this length.
CHUNK = 1 << 20

NAMES = "float64:F64 float32:F32 bfloat16:BF16 float16:F16 float8_e4m3fn:F8_E4M3 float8_e5m2:F8_E5M2"
DTYPES = {getattr(torch, a): b for a, b in (pair.split(":") for pair in NAMES.split()) if hasattr(torch, a)}

# The moments by what they are called in the file, and in the states of optimizers.
MOMENTS = {"m": ("exp_avg", "momentum_buffer"), "v": ("exp_avg_sq",)}

# What FSDP, activation checkpointing and torch.compile put into the names of parameters.
WRAPPERS = ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod.")


class Recorder:
    """Wraps `optimizer.step` until the last of `steps` or `close()`, and writes what happens into `folder`.

    The optimizer stays the object it is: schedulers, GradScaler and isinstance see no difference. What goes wrong
    while recording (a full disk, say) ends the recording with a warning, never the training; the steps recorded until
    then stay readable, also when the process is killed.

    optimizer: anything with `step()` and `param_groups`; in mixed precision the one that holds the fp32 weights.
    folder: must not hold a recording. With several processes in torch.distributed each has its own `rankNNNNN` in it.
    named_parameters: (name, parameter) pairs, as of `model.named_parameters()`. Parameters that it lacks have the
        names that the optimizer knows, or `group<i>.<j>`.
    steps: how many, from the next one on; or their numbers, one after the other, for a replay needs every step.
        `next_step` is the number of the next one: set it when a training is resumed.
    parameters: which ones of the optimizer's, as patterns ("*.q_proj.weight") or a function of the name; None: all.
    gradients: also write the gradients that the steps used.
    moments: also write the optimizer's moments before the first step, without which gradients from the midst of a training
        cannot be replayed; None: where gradients are written and the optimizer's state has moments. An empty state has none.
    copies: where one copy of the chosen fp32 parameters is held meanwhile: "cpu", "device" (beside each parameter), or
        "disk" (mapped into memory, from a file in the folder).
    metadata: what else the files should tell, as strings by name.

    Raises ValueError if this makes no recording, FileExistsError if the folder holds one.
    """

    def __init__(self, optimizer, folder, named_parameters=None, *, steps, parameters=None, gradients=False,
                 moments=None, copies="cpu", next_step=0, metadata=None):
        if sys.byteorder != "little":
            raise ValueError("safetensors is little-endian, this machine is not")
        if copies not in ("cpu", "device", "disk"):
            raise ValueError(f'copies: expected "cpu", "device" or "disk", found {copies!r}')
        self._optimizer, self._named = optimizer, list(named_parameters or ())
        self._numbers, self._next = _one_after_the_other(steps, next_step), next_step
        self._gradients, self._moments, self._copies = gradients, moments, copies
        wanted = [parameters] if isinstance(parameters, str) else parameters
        self._wants = wanted if callable(wanted) or wanted is None else functools.partial(_matches, list(wanted))

        several = torch.distributed.is_available() and torch.distributed.is_initialized()
        self._rank = torch.distributed.get_rank() if several else 0
        self._ranks = torch.distributed.get_world_size() if several else 1
        self.folder = self._place(folder)
        self._expect_free()
        self._about = {
            "recorder": "precision-lens 1",
            "torch": str(torch.__version__),
            "optimizer": f"{type(optimizer).__module__}.{type(optimizer).__qualname__}",
            "rank": f"{self._rank} of {self._ranks}",
            **{str(key): str(value) for key, value in (metadata or {}).items()},
        }
        self._chosen = self._choose()
        if any(map(functools.partial(_is_never_stored, optimizer), optimizer.param_groups)):
            warnings.warn("precision-lens: torch.optim.SGD(fused=True) on the CPU has a bug up to torch 2.13 "
                          "(pytorch#191763): it does not store bf16 and fp16 parameters, so that this training changes "
                          "almost nothing. Use fused=False", RuntimeWarning, stacklevel=2)
        self._shards = {"updates": {}, "gradients": {}}
        self._held, self._missed, self._outside, self._has_warned = {}, 0, 0, False
        self._gradient_names, self._is_over = None, False
        self.recorded = []  # The numbers of the steps that are in the folder.
        self._wrap()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the recording: writes final.safetensors and gives the optimizer its step back. May be repeated."""
        if self._is_over:
            return
        if self.recorded:
            with self._guarded("the final weights"):
                self._write_weights("final", self._chosen, after=self.recorded[-1])
        else:
            self._warn_of_nothing()
        self._end()

    def _warn_of_nothing(self):
        warnings.warn(f"precision-lens: nothing was recorded in {self.folder}: optimizer.step() was not called "
                      "through the recorder", RuntimeWarning, stacklevel=3)

    # The wrapped step

    def _wrap(self):
        optimizer, inner, had_own = self._optimizer, self._optimizer.step, "step" in vars(self._optimizer)

        # A bound method with the signature and the marks of the old one: torch's schedulers and GradScaler look.
        @functools.wraps(getattr(inner, "__func__", inner))
        def step(_, *args, **kwargs):
            return self._step(inner, args, kwargs)

        outer = optimizer.step = types.MethodType(step, optimizer)

        def unwrap():
            if vars(optimizer).get("step") is not outer:
                return  # Wrapped again by someone else, for whom it goes on passing calls through.
            if had_own:
                optimizer.step = inner
            else:
                del optimizer.step

        self._unwrap = unwrap

    def _step(self, inner, args, kwargs):
        number, self._next = self._next, self._next + 1
        if self._is_over or number not in self._numbers:
            return inner(*args, **kwargs)
        with self._guarded(f"step {number}"):
            self._before(number)
        closure = args[0] if args else kwargs.get("closure")
        if closure is not None:  # The gradients are those that it computes.
            args = (self._observed(closure, number), *args[1:])
            kwargs = {key: value for key, value in kwargs.items() if key != "closure"}
        elif not self._is_over:
            with self._guarded(f"step {number}"):
                self._take_gradients(number)
        try:
            result = inner(*args, **kwargs)
        except BaseException:
            self._end()  # Some parameters may have moved: neither a step nor an end.
            raise
        if not self._is_over:
            with self._guarded(f"step {number}"):
                self._after(number)
            if number == self._numbers[-1]:
                self.close()
        return result

    def _observed(self, closure, number):
        @functools.wraps(closure)
        def observed():
            loss = closure()
            if not self._is_over:
                with self._guarded(f"step {number}"):
                    self._take_gradients(number)
            return loss

        return observed

    @contextlib.contextmanager
    def _guarded(self, what):
        try:
            with torch.no_grad():
                yield
        except Exception as error:  # A recording must not stop a training.
            self._end()
            warnings.warn(f"precision-lens: the recording in {self.folder} ends at {what}: {error!r}", RuntimeWarning)

    def _end(self):
        self._is_over, self._held = True, {}
        self._unwrap()

    # What is recorded

    def _choose(self):
        """The chosen parameters by name, the widest dtype first, so that all data in the files is aligned."""
        names, tied, chosen, groups = {}, {}, {}, []
        for name, parameter in self._named:
            name = functools.reduce(lambda text, part: text.replace(part, ""), WRAPPERS, name)
            if names.setdefault(id(parameter), name) != name:
                tied[name] = names[id(parameter)]
        for g, group in enumerate(self._optimizer.param_groups):
            known = group.get("param_names") or [f"group{g}.{i}" for i in range(len(group["params"]))]
            groups.append([])
            for parameter, by_default in zip(group["params"], known):
                name = names.get(id(parameter), by_default)
                if (self._wants is not None and not self._wants(name)) or _is_recorded_elsewhere(parameter):
                    continue
                if parameter.dtype not in DTYPES:
                    raise ValueError(f"{name} is {parameter.dtype}, which is not recorded: leave it out (parameters=)")
                # The shards of a parameter are different tensors, as the results of all ranks are added up.
                name += f"@rank{self._rank:05d}" if self._ranks > 1 else ""
                if chosen.setdefault(name, parameter) is not parameter:
                    raise ValueError(f"two parameters have the name {name}")
                groups[g].append(name)
        if not chosen and self._ranks == 1:
            raise ValueError("parameters: expected some of the optimizer's, found none")
        self._names_by_group = groups
        self._about.update(tied=json.dumps(tied), parameters_by_group=json.dumps(groups))
        return dict(sorted(chosen.items(), key=lambda item: -item[1].element_size()))

    def _before(self, number):
        """At the first step, keeps a copy of the fp32 weights; later, finds what moved since."""
        self._gradient_names = None
        if self.recorded:
            self._look_outside(number)
            return
        self._expect_free()
        self._chosen = self._choose()  # Groups may have been added since.
        self._start(number)

    def _look_outside(self, number):
        differing = 0
        for name, held in self._held.items():
            pairs = zip(held.split(CHUNK), _flat(self._chosen[name]).split(CHUNK))
            differing += sum(int(_differ(was, now.to(was.device)).sum()) for was, now in pairs)
        self._outside = max(0, differing - self._missed)
        if self._outside and not self._has_warned:
            self._has_warned = True
            warnings.warn(f"precision-lens: {self._outside} weights changed outside of optimizer.step() before "
                          f"step {number}: the recorded updates have such changes too", RuntimeWarning)

    def _start(self, number):
        """Writes the weights, and if wanted the moments, before the first step."""
        state = getattr(self._optimizer, "state", {})
        is_fresh = not any(state.get(parameter) for parameter in self._chosen.values())
        self._about["optimizer_state_at_start"] = "empty" if is_fresh else "not empty"
        fp32 = {name: _flat(p) for name, p in self._chosen.items() if p.dtype == torch.float32}
        held = _copies(list(fp32.values()), self._copies, os.path.join(self.folder, "held.tmp"))
        self._held = dict(zip(fp32, held))
        if not is_fresh and (self._gradients if self._moments is None else self._moments):
            self._write_moments(number)
        self._write_weights("base", self._chosen, before=number)

    def _take_gradients(self, number):
        if not self._gradients:
            return
        if self._gradient_names is not None:
            raise ValueError("this optimizer evaluates its closure more than once a step: record without gradients")
        if getattr(self._optimizer, "grad_scale", None) is not None:
            raise ValueError("the gradients are still scaled: call scaler.unscale_(optimizer) before scaler.step()")
        # A parameter without a gradient has none in the file: it is not one of zeros.
        there = {name: p.grad for name, p in self._chosen.items() if p.grad is not None}
        there = dict(sorted(there.items(), key=lambda item: -item[1].element_size()))
        with self._step_file("gradients", number, there, {}) as (names, write):
            for gradient in there.values():
                write(_flat(gradient))
        self._gradient_names = names

    def _after(self, number):
        if self._gradient_names:
            self._publish("gradients", number, self._gradient_names)
        others = {name: p for name, p in self._chosen.items() if name not in self._held}
        if others:
            self._write_weights(f"after/{_step_name(number)}", others, after=number)
        if self._held:
            metadata, self._missed = {}, 0
            fp32 = {name: self._chosen[name] for name in self._held}
            with self._step_file("updates", number, fp32, metadata) as (names, write):
                for name in fp32:
                    for _, update, _ in self._updates_of(name):
                        write(update)
                counts = {"unreachable": self._missed, "changed_outside": self._outside}
                metadata[_step_name(number)] = json.dumps(counts)
            self._publish("updates", number, names)
        self.recorded.append(number)

    def _updates_of(self, name):
        """Chunk by chunk, the weights as they were held, their update, and what it leads to, which then is held."""
        for before, after in zip(self._held[name].split(CHUNK), _flat(self._chosen[name]).split(CHUNK)):
            update, reached, missed = _update_between(before, after.to(before.device))
            self._missed += missed
            yield before, update, reached
            before.copy_(reached)

    # Files

    def _place(self, folder):
        return os.path.join(folder, f"rank{self._rank:05d}") if self._ranks > 1 else os.fspath(folder)

    def _expect_free(self):
        if os.path.exists(os.path.join(self.folder, "base.safetensors")):
            raise FileExistsError(f"{self.folder} holds a recording")

    def _write_weights(self, name, parameters, **at):
        metadata = {**self._settings(), **{when: _step_name(number) for when, number in at.items()}}
        with _safetensors(os.path.join(self.folder, f"{name}.safetensors"), parameters, metadata) as write:
            for of, parameter in parameters.items():
                flat = _flat(parameter)
                write(flat)
                if "before" in at and of in self._held:
                    self._held[of].copy_(flat)

    def _write_moments(self, number):
        states = {name: self._optimizer.state.get(parameter, {}) for name, parameter in self._chosen.items()}
        kinds = {kind: key for kind, keys in MOMENTS.items() for key in keys if any(key in s for s in states.values())}
        if not kinds and self._moments is None:
            return  # An optimizer of another kind.
        if not kinds or any(state and not set(kinds.values()) <= state.keys() for state in states.values()):
            known = ", ".join(key for keys in MOMENTS.values() for key in keys)
            raise ValueError(f"moments: expected some of {known} in the optimizer's state of every parameter")
        taken = {name: _steps_taken(state, number) for name, state in states.items()}
        most = max(taken.values())
        metadata = {**self._settings(), "before": _step_name(number), "t": str(most),
                    **{f"t/{name}": str(t) for name, t in taken.items() if t != most}}
        # A state that is empty or None (SGD without momentum, parameters that had no gradient yet) is one of zeros.
        moments = {f"{kind}/{name}": torch.zeros_like(self._chosen[name]) if state.get(key) is None else state[key]
                   for name, state in states.items() for kind, key in kinds.items()}
        moments = dict(sorted(moments.items(), key=lambda item: -item[1].element_size()))
        with _safetensors(os.path.join(self.folder, "moments.safetensors"), moments, metadata) as write:
            for moment in moments.values():
                write(_flat(moment))

    @contextlib.contextmanager
    def _step_file(self, series, number, tensors, metadata):
        named = {f"{_step_name(number)}/{name}": tensor for name, tensor in tensors.items()}
        metadata.update(self._settings())
        path = os.path.join(self.folder, series, f"{_step_name(number)}.safetensors")
        with _safetensors(path, named, metadata) as write:
            yield list(named), write

    def _publish(self, series, number, names):
        """Takes a step into the index of its series: only then is it recorded."""
        self._shards[series].update(dict.fromkeys(names, f"{_step_name(number)}.safetensors"))
        path = os.path.join(self.folder, series, f"{series}.safetensors.index.json")
        with open(path + ".tmp", "w", encoding="ascii") as file:
            json.dump({"metadata": {}, "weight_map": self._shards[series]}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".tmp", path)

    def _settings(self):
        groups = [{key: value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value
                   for key, value in group.items() if key not in ("params", "param_names")}
                  for group in self._optimizer.param_groups]
        return {**self._about, "groups": json.dumps(groups, default=repr)}


def outcome(folder, task, *, run, base=None, held_out=()):
    """Writes outcome.json into the folder of a recording: what the run achieved, for `precision-lens compare`.

    run, base: what the trained model and its base achieve on the task, each a dict with any of
        `prompts`, `samplesPerPrompt` and `correct` (right answers of each prompt, from which pass@k comes, with an interval);
        `passAt` ({"1": .85, ...}); `klForward` and `klReverse`, to the base, in nats.
    held_out: the same of tasks that were not trained, as (name, base, run).

    Raises ValueError for keys that are not known, for counts that are not whole numbers from 0 to samplesPerPrompt or not one
    for each of the prompts, and for rates that are not from 0 to 1.
    """
    keys = ("prompts", "samplesPerPrompt", "correct", "passAt", "klForward", "klReverse")

    def checked(where, told):
        if told is None:
            return None
        stray = [key for key in told if key not in keys]
        if stray:
            raise ValueError(f"{where}: expected keys of {', '.join(keys)}, found {stray[0]!r}")
        told = dict(told)
        if "correct" in told:
            counts, most = list(told["correct"]), told.get("samplesPerPrompt")
            if most is None or not counts or any(count != int(count) or not 0 <= count <= most for count in counts):
                raise ValueError(f"{where}: expected correct as counts from 0 to samplesPerPrompt")
            if told.get("prompts", len(counts)) != len(counts):
                raise ValueError(f"{where}: expected {told['prompts']} counts in correct, as prompts says, found {len(counts)}")
            told.update(correct=[int(count) for count in counts], prompts=len(counts))
        if "passAt" in told:
            told["passAt"] = {str(k): float(rate) for k, rate in told["passAt"].items()}
            wrong = [f"{k}: {rate}" for k, rate in told["passAt"].items() if not 0 <= rate <= 1]
            if wrong:
                raise ValueError(f"{where}: expected passAt as rates from 0 to 1, found {wrong[0]}")
        return told

    whole = {"task": str(task), "base": checked("base", base), "run": checked("run", run),
             "heldOut": [{"name": str(name), "base": checked(name, before), "run": checked(name, after)}
                         for name, before, after in held_out]}
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "outcome.json")
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(whole, file, allow_nan=False)
    os.replace(path + ".tmp", path)


def _update_between(before, after):
    """The fp32 update u with fl(before + u) = after, bit for bit; zero where nothing changed.

    Such a u need not exist: a step of two roundings (decay, then add) or with a product that is not rounded (fma) goes
    from -2^-22 to 2 - 2^-23, say, between which u would need 25 bits. The reals that `before` + . takes to `after` are
    an interval around after - before. So if any fp32 number lies in it, one of the two next to after - before does: the
    rounded difference, or (for powers of two) a neighbour of it. If none does, the rounded difference is taken, which
    misses `after` by no more than the gap of fp32 around after - before.

    Both are contiguous fp32 vectors. Returns u, fl(before + u), and how many elements are missed.
    """
    update = after - before
    update[~_differ(before, after)] = 0  # Also inf - inf.
    reached = before + update
    wrong = _differ(reached, after)
    if not wrong.any():
        return update, reached, 0
    b, a, best = before[wrong], after[wrong], update[wrong]
    infinity = torch.full_like(best, math.inf)
    # -0 is the one number that adding +0 changes.
    for u in (torch.nextafter(best, infinity), torch.nextafter(best, -infinity), torch.full_like(best, -0.0)):
        best = torch.where(_differ(b + u, a), best, u)
    update[wrong], reached[wrong] = best, b + best
    return update, reached, int(_differ(b + best, a).sum())


def _differ(a, b):
    """Where the bits of two fp32 vectors differ; a NaN is like any other."""
    return (a.view(torch.int32) != b.view(torch.int32)) & ~(a.isnan() & b.isnan())


def _steps_taken(state, number):
    """Steps that a parameter's state has seen; optimizers that do not count them are taken to have seen all."""
    if all(state.get(key) is None for keys in MOMENTS.values() for key in keys):
        return 0
    step = state.get("step")
    return max(1, number) if step is None else int(step.item() if isinstance(step, torch.Tensor) else step)


def _local(tensor):
    """What this rank holds of a tensor: of a DTensor its shard."""
    return (tensor.to_local() if hasattr(tensor, "to_local") else tensor).detach()


def _flat(tensor):
    """The elements that this rank holds, row by row, as a vector on their device."""
    local = _local(tensor)
    return (local.to_dense() if local.is_sparse else local).reshape(-1)


def _is_recorded_elsewhere(parameter):
    """Whether this is a DTensor that is replicated along a dimension of its mesh where another rank comes first."""
    mesh = getattr(parameter, "device_mesh", None)
    at = mesh.get_coordinate() if mesh is not None else None
    return at is not None and any(i > 0 and of.is_replicate() for i, of in zip(at, parameter.placements))


def _is_never_stored(optimizer, group):
    """Whether torch's fused SGD forgets this group's parameters, but for a few elements after the last whole vector."""
    if not (isinstance(optimizer, torch.optim.SGD) and group.get("fused")):
        return False
    release = tuple(map(int, str(torch.__version__).split(".")[:2]))
    return release <= (2, 13) and any(
        p.device.type == "cpu" and p.dtype in (torch.bfloat16, torch.float16) for p in group["params"])


def _matches(patterns, name):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _step_name(number):
    return f"step{number:04d}"


def _one_after_the_other(steps, next_step):
    if not isinstance(steps, int) and not hasattr(steps, "__iter__"):
        raise ValueError(f"steps: expected a whole number, or the numbers of steps, found {steps!r}")
    numbers = range(next_step, next_step + steps) if isinstance(steps, int) else steps
    numbers = numbers if isinstance(numbers, range) else list(numbers)
    if numbers:
        expected = range(max(numbers[0], next_step), numbers[-1] + 1)
        if numbers == (expected if isinstance(numbers, range) else list(expected)):
            return expected
    raise ValueError(f"steps: expected one after the other, from {next_step} on or later, found {steps!r}")


def _copies(vectors, where, path, dtype=torch.float32):
    """Room for a copy of each vector in this dtype; on the disk in a file at `path`, which has no name for long."""
    if where != "disk":
        devices = [v.device if where == "device" else "cpu" for v in vectors]
        return [torch.empty_like(v, device=device, dtype=dtype) for v, device in zip(vectors, devices)]
    sizes, bytes_each = [v.numel() for v in vectors], torch.empty(0, dtype=dtype).element_size()
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        if hasattr(os, "posix_fallocate"):  # A full disk is an error here, and would be a SIGBUS later.
            os.posix_fallocate(file.fileno(), 0, bytes_each * (sum(sizes) + 1))
    mapped = torch.from_file(path, shared=True, size=sum(sizes) + 1, dtype=dtype)
    with contextlib.suppress(OSError):  # Gone with the process, where the system lets go of a name that is in use.
        os.unlink(path)
    return list(mapped.split([*sizes, 1]))[:-1]


@contextlib.contextmanager
def _safetensors(path, tensors, metadata):
    """Writes a safetensors file front to back, under a temporary name until it is whole.

    Yields a function that appends a vector; called for each of `tensors` (of which only name, dtype and shape are used)
    in turn. The header has room for 128 bytes that `metadata` gains meanwhile.
    """
    entries, end = {}, 0
    for name, tensor in tensors.items():
        local = _local(tensor)
        begin, end = end, end + local.numel() * local.element_size()
        entries[name] = {"dtype": DTYPES[local.dtype], "shape": list(local.shape), "data_offsets": [begin, end]}

    def header():
        return json.dumps({"__metadata__": metadata, **entries}).encode("ascii")

    def write(vector):
        for piece in vector.split(CHUNK):
            piece = piece.cpu().contiguous()
            if piece.numel():
                size = piece.numel() * piece.element_size()
                file.write((ctypes.c_char * size).from_address(piece.data_ptr()))

    room = (len(header()) + 128 + 7) // 8 * 8
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path + ".tmp", "wb") as file:
            file.seek(8 + room)
            yield write
            if file.tell() != 8 + room + end:
                raise RuntimeError(f"{path}: expected {end} bytes of data, found {file.tell() - 8 - room}")
            file.seek(0)
            file.write(room.to_bytes(8, "little") + header().ljust(room))
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".tmp", path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path + ".tmp")
        raise
