"""What the recorder does inside Python. `recorder_test.py FOLDER` prints one JSON object: test -> null or its failure."""

import ast
import contextlib
import copy
import inspect
import io
import json
import os
import pickle
import sys
import tempfile
import traceback
import unittest
import warnings
from types import SimpleNamespace
from unittest import mock

import precision_lens_recorder
import torch
from precision_lens_recorder import Recorder, _flat, _is_recorded_elsewhere, _update_between

INFINITY = float("inf")


def fp32(*numbers):
    return torch.tensor(numbers, dtype=torch.float32)


def same_bits(a, b):
    return torch.equal(a.detach().view(torch.int32), b.detach().view(torch.int32))


def random_fp32(count, exponents, generator):
    """Any significand and sign, exponents as given."""
    fraction = torch.randint(0, 2**23, (count,), generator=generator) + 2**23
    exponent = torch.randint(*exponents, (count,), generator=generator)
    sign = torch.randint(0, 2, (count,), generator=generator) * 2 - 1
    return (sign * fraction * 2.0 ** (exponent.double() - 23)).float()


def numbers_around(centre, steps):
    """The fp32 numbers up to `steps` above and below."""
    around, up, down = [centre], centre, centre
    for _ in range(steps):
        up = torch.nextafter(up, torch.full_like(up, INFINITY))
        down = torch.nextafter(down, torch.full_like(down, -INFINITY))
        around += [up, down]
    return around


def header(path):
    with open(path, "rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))


def in_a_process_of_its_own(work):
    """What it gives, by way of JSON. A child has the peak of its own memory, from that of its start on."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(Exception):
            os.write(writes, json.dumps(work()).encode("ascii"))
        os._exit(0)
    os.close(writes)
    with open(reads, "rb") as file:
        told = file.read()
    os.waitpid(child, 0)
    return json.loads(told)


class Case(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.folder = tempfile.mkdtemp(dir=sys.argv[1])
        self.run = os.path.join(self.folder, "run")
        self.model = torch.nn.Linear(6, 4)
        self.optimizer = torch.optim.AdamW(self.model.parameters())

    def recorder(self, steps=2, **options):
        options.setdefault("named_parameters", self.model.named_parameters())
        return Recorder(options.pop("optimizer", self.optimizer), options.pop("folder", self.run), steps=steps, **options)

    def step(self, optimizer=None, gradient=0.5):
        for p in self.model.parameters():
            p.grad = torch.full_like(p, gradient)
        (optimizer or self.optimizer).step()

    def files(self, *path):
        return sorted(os.listdir(os.path.join(self.run, *path)))

    @contextlib.contextmanager
    def warned(self, pattern):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        self.assertEqual(len(caught), 1, [str(w.message) for w in caught])
        self.assertRegex(str(caught[0].message), pattern)


class Updates(Case):
    def test_an_update_that_was_added_is_always_found(self):
        generator = torch.Generator().manual_seed(1)
        before = random_fp32(2**20, (-40, 10), generator)
        after = before + random_fp32(2**20, (-40, 10), generator)
        update, reached, missed = _update_between(before, after)
        self.assertEqual(missed, 0)
        self.assertTrue(same_bits(reached, after))
        self.assertTrue(same_bits(before + update, after))

    def test_a_power_of_two_is_reached_where_the_rounded_difference_misses_it(self):
        # after - before lies in the middle between two fp32 numbers, and the even one leads below the power of two.
        before = -(torch.arange(0, 2**20, 2).double() * 2.0**-23 + 2.0**-24).float()
        for after in (torch.ones_like(before), -torch.ones_like(before)):
            before = -after * before.abs()
            self.assertTrue((before + (after - before) != after).all())
            update, reached, missed = _update_between(before, after)
            self.assertEqual(missed, 0)
            self.assertTrue(same_bits(before + update, after))

    def test_what_is_missed_no_fp32_number_reaches(self):
        generator = torch.Generator().manual_seed(3)
        before, after = (random_fp32(2**18, (-4, 3), generator) for _ in range(2))
        update, reached, missed = _update_between(before, after)
        differs = reached != after
        self.assertEqual(int(differs.sum()), missed)
        self.assertGreater(missed, 10_000)
        # 64 numbers on either side: farther ones only lead farther away.
        for other in numbers_around((after - before)[differs], 64):
            self.assertFalse((before[differs] + other == after[differs]).any())
        gap = (after - before).abs().double().log2().floor().exp2() * 2.0**-23
        self.assertTrue(((reached.double() - after.double()).abs() <= gap).all())

    def test_the_example_of_the_docstring(self):
        before, after = fp32(-(2.0**-22)), fp32(2 - 2.0**-23)
        self.assertEqual(_update_between(before, after)[2], 1)

    def test_every_pair_of_a_small_set_against_all_updates(self):
        # All sums of these are multiples of 2^-149 below 2^-120: every update that could lead there is tried.
        small = torch.arange(-40, 41, dtype=torch.int32)
        values = (small.double() * 2.0**-149).float()
        before, after = (t.reshape(-1) for t in torch.meshgrid(values, values, indexing="ij"))
        update, reached, missed = _update_between(before.contiguous(), after.contiguous())
        self.assertEqual(int((reached != after).sum()), 0)
        self.assertTrue(((update == 0) == (before == after)).all())

    def test_zero_only_where_nothing_changed(self):
        before = fp32(1.0, 1.0, 2.0**-149, 0.0)
        after = fp32(1.0, 1 + 2.0**-23, 0.0, 2.0**-149)
        update, _, missed = _update_between(before, after)
        self.assertEqual((update == 0).tolist(), [True, False, False, False])
        self.assertEqual(missed, 0)

    def test_the_sign_of_a_zero_that_stays_is_kept(self):
        zeros = fp32(-0.0, 0.0)
        update, reached, missed = _update_between(zeros, zeros.clone())
        self.assertTrue(same_bits(zeros + update, zeros))
        self.assertEqual(missed, 0)

    def test_a_new_minus_zero_is_counted_as_missed(self):
        self.assertEqual(_update_between(fp32(0.0, 1.0), fp32(-0.0, -0.0))[2], 2)

    def test_infinities_and_nan(self):
        nan = float("nan")
        before = fp32(INFINITY, 1.0, 1.0, nan, -INFINITY)
        after = fp32(INFINITY, INFINITY, nan, nan, 1.0)
        update, reached, missed = _update_between(before, after)
        self.assertEqual(update.tolist()[:2], [0.0, INFINITY])
        self.assertTrue(reached[2].isnan() and reached[3].isnan())
        self.assertEqual(missed, 1)  # Nothing finite follows an infinity.


class Wrapping(Case):
    def test_the_optimizer_stays_what_it_is(self):
        kind, signature = type(self.optimizer), inspect.signature(self.optimizer.step)
        with self.recorder():
            self.assertIs(type(self.optimizer), kind)
            self.assertEqual(inspect.signature(self.optimizer.step), signature)
            self.assertIs(self.optimizer.step.__self__, self.optimizer)
            self.step()

    def test_step_is_given_back_after_the_last_step(self):
        recorder = self.recorder(1)
        self.assertIn("step", vars(self.optimizer))
        self.step()
        self.assertNotIn("step", vars(self.optimizer))
        self.step()
        self.assertEqual(recorder.recorded, [0])

    def test_step_of_the_instance_is_given_back(self):
        scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 1)
        own = vars(self.optimizer).get("step")
        with self.recorder(1):
            self.step()
        self.assertIs(vars(self.optimizer).get("step"), own)
        scheduler.step()

    def test_a_scheduler_made_before_or_after_does_not_notice(self):
        for is_before in (True, False):
            with self.subTest(is_before), warnings.catch_warnings():
                warnings.simplefilter("error")
                optimizer = torch.optim.SGD(self.model.parameters(), lr=1.0)
                make = lambda: torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)  # noqa: E731
                scheduler = make() if is_before else None
                run = os.path.join(self.folder, str(is_before))
                with self.recorder(3, optimizer=optimizer, folder=run) as recorder:
                    scheduler = scheduler or make()
                    for _ in range(4):
                        self.step(optimizer)
                        scheduler.step()
                self.assertEqual(recorder.recorded, [0, 1, 2])
                self.assertEqual(optimizer.param_groups[0]["lr"], 0.5**4)

    def test_grad_scaler(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scaler = torch.cuda.amp.GradScaler(enabled=False)
        with self.recorder() as recorder:
            for _ in range(2):
                self.model.weight.grad = torch.ones_like(self.model.weight)
                scaler.step(self.optimizer)
                scaler.update()
        self.assertEqual(recorder.recorded, [0, 1])

    def test_training_is_the_same_bit_for_bit(self):
        plain = copy.deepcopy(self.model)
        optimizer = torch.optim.AdamW(plain.parameters())
        with self.recorder(gradients=True):
            for i in range(5):
                self.step(gradient=0.1 * i)
        for i in range(5):
            for p in plain.parameters():
                p.grad = torch.full_like(p, 0.1 * i)
            optimizer.step()
        for p, q in zip(self.model.parameters(), plain.parameters()):
            self.assertTrue(same_bits(p, q))

    def test_a_closure_is_called_once_and_its_loss_returned(self):
        calls = []

        def closure():
            calls.append(torch.is_grad_enabled())
            self.optimizer.zero_grad()
            loss = self.model(torch.ones(6)).sum()
            loss.backward()
            return loss

        for how in (lambda: self.optimizer.step(closure), lambda: self.optimizer.step(closure=closure)):
            run = os.path.join(self.folder, str(len(calls)))
            with self.recorder(1, folder=run, gradients=True) as recorder:
                self.assertIsInstance(how(), torch.Tensor)
            self.assertEqual(recorder.recorded, [0])
            self.assertEqual(len(header(os.path.join(run, "gradients", "step0000.safetensors"))), 3)
        self.assertEqual(calls, [True, True])

    def test_gradients_are_those_of_the_closure_not_the_ones_before(self):
        self.model.weight.grad = torch.full_like(self.model.weight, 7.0)

        def closure():
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.model(torch.full((6,), 2.0)).sum()
            loss.backward()
            return loss

        with self.recorder(1, gradients=True, parameters="weight"):
            self.optimizer.step(closure)
        with open(os.path.join(self.run, "gradients", "step0000.safetensors"), "rb") as file:
            self.assertEqual(torch.frombuffer(bytearray(file.read()[-96:]), dtype=torch.float32).tolist(), [2.0] * 24)

    def test_two_windows_of_one_training(self):
        late = os.path.join(self.folder, "late")
        first, second = self.recorder([0, 1]), self.recorder([3, 4], folder=late)
        for _ in range(5):
            self.step()
        self.assertEqual((first.recorded, second.recorded), ([0, 1], [3, 4]))
        self.assertEqual(sorted(os.listdir(os.path.join(late, "updates")))[0], "step0003.safetensors")

    def test_a_resumed_training_goes_on_counting(self):
        with self.recorder(2, next_step=1000) as recorder:
            self.step(), self.step()
        self.assertEqual(recorder.recorded, [1000, 1001])

    def test_optimizers_can_be_copied_and_saved_meanwhile(self):
        with self.recorder() as recorder:
            self.step()
            state = self.optimizer.state_dict()
            copied, pickled = copy.deepcopy(self.optimizer), pickle.loads(pickle.dumps(self.optimizer))
            self.optimizer.load_state_dict(state)
            for other in (copied, pickled):
                self.assertNotIn("step", vars(other))
            self.step()
        self.assertEqual(recorder.recorded, [0, 1])

    def test_an_optimizer_that_is_no_torch_optimizer(self):
        parameters = list(self.model.parameters())

        class Plain:
            param_groups = [{"params": parameters, "lr": torch.tensor(0.5)}]

            def step(self):
                with torch.no_grad():
                    for p in parameters:
                        p.sub_(p.grad)
                return "done"

        optimizer = Plain()
        with self.recorder(1, optimizer=optimizer):
            for p in parameters:
                p.grad = torch.ones_like(p)
            self.assertEqual(optimizer.step(), "done")
        of = header(os.path.join(self.run, "updates", "step0000.safetensors"))["__metadata__"]
        self.assertEqual(json.loads(of["groups"]), [{"lr": 0.5}])


class Ending(Case):
    def test_close_keeps_the_steps_until_then_and_the_end(self):
        with self.recorder(100) as recorder:
            self.step(), self.step()
        recorder.close()
        self.assertEqual(self.files("updates"), ["step0000.safetensors", "step0001.safetensors", "updates.safetensors.index.json"])
        self.assertIn("final.safetensors", self.files())

    def test_a_step_that_raises_is_not_recorded(self):
        recorder = self.recorder(3, gradients=True)
        self.step()

        def closure():
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.optimizer.step(closure)
        self.assertEqual(recorder.recorded, [0])
        self.step()
        self.assertEqual(self.files(), ["base.safetensors", "gradients", "updates"])
        self.assertEqual(self.files("updates"), ["step0000.safetensors", "updates.safetensors.index.json"])

    def test_a_recorder_that_no_step_reached_says_so(self):
        with self.warned("nothing was recorded in .*: optimizer.step"):
            self.recorder().close()

    def test_a_fused_sgd_that_trains_nothing_is_named(self):
        parameter = {dtype: torch.nn.Parameter(torch.ones(16, dtype=dtype)) for dtype in (torch.bfloat16, torch.float32)}

        def record(dtype, fused=True, optimizer=torch.optim.SGD):
            optimizer = optimizer([parameter[dtype]], lr=1.0)
            optimizer.param_groups[0]["fused"] = fused
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                recorder = self.recorder(optimizer=optimizer, folder=folder, named_parameters=None)
                optimizer.step()
                recorder.close()

        with mock.patch.object(torch, "__version__", "2.13.0+cpu"):
            with self.warned("SGD.fused=True. on the CPU has a bug .*pytorch#191763"):
                record(torch.bfloat16)
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            with mock.patch.object(torch, "__version__", "2.13.0+cpu"):
                record(torch.float32)
                record(torch.bfloat16, fused=False)
                record(torch.bfloat16, optimizer=torch.optim.Adagrad)
            with mock.patch.object(torch, "__version__", "2.14.0"):
                record(torch.bfloat16)

    def test_a_closure_evaluated_twice_ends_a_recording_of_gradients(self):
        optimizer = torch.optim.LBFGS(self.model.parameters(), max_iter=3)

        def closure():
            optimizer.zero_grad()
            loss = (self.model(torch.ones(6)) ** 2).sum()
            loss.backward()
            return loss

        with self.warned("more than once a step: record without gradients"):
            with self.recorder(optimizer=optimizer, gradients=True) as recorder:
                optimizer.step(closure)
                optimizer.step(closure)
        self.assertEqual(recorder.recorded, [])

    def test_scaled_gradients_end_a_recording_of_gradients(self):
        self.optimizer.grad_scale = torch.tensor(1024.0)
        with self.warned("still scaled"):
            with self.recorder(gradients=True) as recorder:
                try:
                    self.step()
                except AssertionError as error:  # torch 2.13 refuses them where 1.13 went on.
                    self.assertIn("Expected grad_scale and found_inf to be None", str(error))
        self.assertEqual(recorder.recorded, [])

    def test_scaled_gradients_that_torch_refuses_are_named_and_its_refusal_comes_through(self):
        class Refusing(torch.optim.AdamW):
            """As torch 2.13's AdamW, for torch of any release."""

            def step(self, closure=None):
                assert self.grad_scale is None, "Expected grad_scale and found_inf to be None"
                return super().step(closure)

        optimizer = Refusing(self.model.parameters())
        optimizer.grad_scale = torch.tensor(1024.0)
        before = copy.deepcopy(self.model)
        with self.warned("still scaled: call scaler.unscale_"):
            with self.recorder(optimizer=optimizer, gradients=True) as recorder:
                with self.assertRaisesRegex(AssertionError, "Expected grad_scale and found_inf to be None"):
                    self.step(optimizer)
        self.assertEqual(recorder.recorded, [])
        self.assertNotIn("step", vars(optimizer))
        for p, q in zip(self.model.parameters(), before.parameters()):
            self.assertTrue(same_bits(p, q))

    def test_a_parameter_that_changes_its_shape_ends_the_recording(self):
        with self.warned("the recording in .* ends at step 1: RuntimeError"):
            with self.recorder() as recorder:
                self.step()
                self.model.bias.data = torch.zeros(2)
                self.optimizer.state.clear()
                self.step()
        self.assertEqual(recorder.recorded, [0])


class Choosing(Case):
    def names(self, path="base.safetensors"):
        return [name for name in header(os.path.join(self.run, path)) if name != "__metadata__"]

    def test_patterns_a_pattern_or_a_function(self):
        for wanted in ("w*", ["nothing", "weight"], lambda name: name != "bias"):
            self.run = tempfile.mkdtemp(dir=self.folder)
            with self.recorder(1, parameters=wanted):
                self.step()
            self.assertEqual(self.names(), ["weight"])

    def test_tied_parameters_have_their_first_name_and_the_other_is_told(self):
        named = [("a", self.model.weight), ("b", self.model.weight), ("c", self.model.bias)]
        with self.recorder(1, named_parameters=named):
            self.step()
        self.assertEqual(self.names(), ["a", "c"])
        self.assertEqual(json.loads(header(os.path.join(self.run, "base.safetensors"))["__metadata__"]["tied"]), {"b": "a"})

    def test_names_from_wrappers_from_the_optimizer_or_from_the_place(self):
        named = [("_fsdp_wrapped_module._orig_mod.w", self.model.weight)]
        with self.recorder(1, named_parameters=named):
            self.step()
        self.assertEqual(self.names(), ["w", "group0.1"])
        self.optimizer.param_groups[0]["param_names"] = ["first", "second"]  # As torch 2.6 keeps them.
        self.run += "2"
        with self.recorder(1, named_parameters=None):
            self.step()
        self.assertEqual(self.names(), ["first", "second"])

    def test_groups_that_are_added_before_the_first_step_are_recorded(self):
        extra = torch.nn.Parameter(torch.ones(3))
        with self.recorder([1], named_parameters=[("extra", extra)]):
            self.step()
            self.optimizer.add_param_group({"params": [extra]})
            self.step()
        self.assertEqual(sorted(self.names()), ["extra", "group0.0", "group0.1"])

    def test_names_that_json_escapes(self):
        with self.recorder(1, named_parameters=[('ä "\\\n', self.model.weight), ("\U0001f600", self.model.bias)]):
            self.step()
        self.assertEqual(self.names("updates/step0000.safetensors"), ['step0000/ä "\\\n', "step0000/\U0001f600"])

    def test_sparse_gradients_and_views_out_of_order_are_written_row_by_row(self):
        embedding = torch.nn.Embedding(5, 3, sparse=True)
        turned = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3).t())
        optimizer = torch.optim.SGD([embedding.weight, turned], lr=0.5)
        named = [("embedding", embedding.weight), ("turned", turned)]
        with self.recorder(1, optimizer=optimizer, named_parameters=named, gradients=True):
            embedding(torch.tensor([1, 3, 3])).sum().backward()
            optimizer.step()
        def read(path, begin, end):
            with open(os.path.join(self.run, path), "rb") as file:
                data = file.read()
            start = 8 + int.from_bytes(data[:8], "little")
            return torch.frombuffer(bytearray(data[start + begin : start + end]), dtype=torch.float32).tolist()
        self.assertEqual(read("gradients/step0000.safetensors", 0, 60), [0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2, 0, 0, 0])
        self.assertEqual(read("base.safetensors", 60, 84), [0, 3, 1, 4, 2, 5])

    def test_a_shard_is_what_to_local_gives(self):
        class Shard(torch.nn.Parameter):
            def to_local(self):
                return self[2:]

        shard = Shard(torch.arange(6.0))
        self.assertEqual(_flat(shard).tolist(), [2, 3, 4, 5])
        optimizer = SimpleNamespace(param_groups=[{"params": [shard]}], step=lambda: shard.data.add_(1))
        with self.recorder(1, optimizer=optimizer, named_parameters=[("p", shard)]):
            optimizer.step()
        self.assertEqual(header(os.path.join(self.run, "updates", "step0000.safetensors"))["step0000/p"]["shape"], [4])

    def test_a_replicated_shard_is_recorded_by_the_first_rank_that_holds_it(self):
        def tensor(at, *replicated):
            placements = [SimpleNamespace(is_replicate=lambda is_it=is_it: is_it) for is_it in replicated]
            return SimpleNamespace(device_mesh=SimpleNamespace(get_coordinate=lambda: at), placements=placements)

        self.assertTrue(_is_recorded_elsewhere(tensor([1], True)))
        self.assertFalse(_is_recorded_elsewhere(tensor([0], True)))
        self.assertFalse(_is_recorded_elsewhere(tensor([3], False)))
        self.assertFalse(_is_recorded_elsewhere(tensor([0, 3], True, False)))  # HSDP: the first replica,
        self.assertTrue(_is_recorded_elsewhere(tensor([1, 0], True, False)))  # and the second.
        self.assertFalse(_is_recorded_elsewhere(self.model.weight))


class Refusals(Case):
    def refused(self, error, pattern, **options):
        with self.assertRaisesRegex(error, pattern):
            self.recorder(**options)
        self.assertNotIn("step", vars(self.optimizer))

    def test_steps_with_gaps_none_or_past(self):
        for steps in ([0, 2], [2, 1], [], 0, -1, [1, 1]):
            self.refused(ValueError, "steps: expected one after the other, from 0 on", steps=steps)
        self.refused(ValueError, "from 5 on or later", steps=[3, 4, 5], next_step=5)
        self.refused(ValueError, "steps: expected a whole number, or the numbers of steps, found 2.5", steps=2.5)

    def test_a_folder_that_holds_a_recording(self):
        with self.recorder(1):
            self.step()
        self.refused(FileExistsError, "holds a recording")

    def test_two_recorders_in_one_folder_do_not_mix(self):
        other = torch.optim.SGD(self.model.parameters(), lr=1.0)
        first, second = self.recorder(1), self.recorder(1, optimizer=other)
        self.step()
        with self.warned("FileExistsError"):
            self.step(other)
        self.assertEqual((first.recorded, second.recorded), ([0], []))

    def test_nothing_chosen(self):
        self.refused(ValueError, "expected some of the optimizer's, found none", parameters="nothing*")

    def test_names_that_are_not_unique(self):
        named = [("a", self.model.weight), ("a", self.model.bias)]
        self.refused(ValueError, "two parameters have the name a", named_parameters=named)

    def test_dtypes_that_are_not_recorded(self):
        p = torch.nn.Parameter(torch.zeros(2, dtype=torch.complex64))
        optimizer = torch.optim.SGD([p], lr=1.0)
        self.refused(ValueError, r"c is torch.complex64, .*leave it out", optimizer=optimizer, named_parameters=[("c", p)])

    def test_copies_elsewhere(self):
        self.refused(ValueError, 'copies: expected "cpu", "device" or "disk"', copies="gpu")


class Costs(Case):
    def test_memory_beside_the_copies_is_bounded(self):
        """Of 200 MB of parameters: how far the peak of a process grows while it records a quarter, then all of them."""
        import resource

        def grown():
            parameters = [torch.nn.Parameter(torch.ones(25, 5 * 10**5)) for _ in range(4)]
            for p in parameters:
                p.grad = torch.ones_like(p)
            optimizer = torch.optim.SGD(parameters, lr=0.5)
            optimizer.step()
            peaks = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]
            for which in ("group0.0", "*"):
                folder = os.path.join(self.folder, which)
                with Recorder(optimizer, folder, steps=1, copies="cpu", parameters=which):
                    optimizer.step()
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            return [(peak - peaks[0]) / 1024 for peak in peaks[1:]]

        quarter, whole = in_a_process_of_its_own(grown)
        # One copy, of 48 or of 191 MiB, and the same few vectors of 4 MiB.
        self.assertGreater(quarter, 47)
        self.assertLess(quarter, 47 + 64)
        self.assertGreater(whole, 190)
        self.assertLess(whole, 190 + 64)

    def test_imports_torch_and_the_standard_library_and_is_python_3_8(self):
        with open(precision_lens_recorder.__file__, encoding="utf-8") as file:
            tree = ast.parse(file.read(), feature_version=(3, 8))
        imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        names = {alias.name for node in imports for alias in node.names}
        self.assertEqual(names - {"torch"} - set(sys.stdlib_module_names), set())
        self.assertIn("torch", names)


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.told = {}

    def startTest(self, test):
        super().startTest(test)
        self.told[test.id().split(".", 1)[1]] = None

    def addError(self, test, error):
        self.told[test.id().split(".", 1)[1]] = "".join(traceback.format_exception(*error))

    addFailure = addError

    def addSubTest(self, test, _, error):
        if error is not None:
            self.addError(test, error)


def failures_in(module):
    """Runs the tests of a module: each with null or its failure."""
    torch.set_num_threads(1)
    result = Result()
    with contextlib.redirect_stderr(io.StringIO()):
        unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    return result.told


if __name__ == "__main__":
    print(json.dumps(failures_in(sys.modules["__main__"])))
