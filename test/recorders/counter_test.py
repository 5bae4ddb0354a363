"""What the counter does inside Python. `counter_test.py FOLDER` prints what failed; `train.py` runs it for the suite."""

import ast
import contextlib
import copy
import json
import os
import re
import signal
import sys
import tempfile
import time
import warnings
from types import SimpleNamespace
from unittest import mock

import precision_lens_counter
import precision_lens_recorder
import torch
from precision_lens_counter import CLASSES, UpdateCounter, _classes
from recorder_test import Case, failures_in, fp32, in_a_process_of_its_own, same_bits

INFINITY, NAN = float("inf"), float("nan")


class CounterCase(Case):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "counts.jsonl")

    def counter(self, to=None, **options):
        options.setdefault("named_parameters", self.model.named_parameters())
        return UpdateCounter(options.pop("optimizer", self.optimizer), self.path if to is None else to, **options)

    def lines(self, path=None):
        with open(path or self.path, encoding="ascii") as file:
            return [json.loads(line) for line in file]

    def counted(self, start, *later, **options):
        """The lines of one parameter that a step after the other puts on other numbers."""
        p, lines, later = torch.nn.Parameter(fp32(*start)), [], iter(later)

        class Moving:
            param_groups = [{"params": [p], "lr": 1.0}]

            def step(self):
                p.data = fp32(*next(later))

        optimizer = Moving()
        with self.counter(lines.append, optimizer=optimizer, named_parameters=[("p", p)], **options):
            with contextlib.suppress(StopIteration):
                while True:
                    optimizer.step()
        return lines


class Classes(CounterCase):
    def counts(self, *args):
        return dict(zip(CLASSES, _classes(*args).tolist()))

    def test_one_of_each_by_hand(self):
        # bf16 has 8 bits: above 1 its gap is 2^-7. The updates: none twice, a quarter of a gap, the tie, a gap.
        start, gap = 1.0, 2.0**-7
        lines = self.counted([start] * 5, [start, start, start + gap / 4, start + gap / 2, start + gap])
        told = {case["scheme"]: [case[name] for name in CLASSES] for case in lines[0]["cases"]}
        self.assertEqual(told, {"in-place": [2, 2, 0, 1, 0], "master": [2, 0, 2, 1, 0]})
        self.assertEqual([lines[0]["cases"][1][key] for key in ("realSparsity", "apparentSparsity", "hiddenShare")],
                         [2 / 5, 4 / 5, 2 / 3])

    def test_a_master_gathers_what_in_place_loses(self):
        lines = self.counted([1.0], *([1 + step * 2.0**-9] for step in range(1, 5)))
        classes = [[next(name for name in CLASSES if case[name]) for case in line["cases"]] for line in lines]
        # The third quarter of the gap is over the half; the fourth is the next number itself, where bf16 is already.
        self.assertEqual(classes, [["lost", "kept"], ["lost", "kept"], ["lost", "moved"], ["lost", "kept"]])

    def test_plus_and_minus_zero_are_one_number(self):
        self.assertEqual(self.counts(fp32(-0.0), fp32(0.0), fp32(-0.0)),
                         {"none": 1, "lost": 0, "kept": 0, "moved": 0, "nonfinite": 0})
        # A negative weight that underflows, and is stored as -0 before and +0 after.
        self.assertEqual(self.counts(fp32(1e-44), fp32(-0.0), fp32(0.0))["lost"], 1)
        self.assertEqual(self.counts(fp32(1e-44), fp32(0.0), fp32(0.0), fp32(-0.0), fp32(0.0))["lost"], 1)

    def test_what_is_not_finite_is_counted_apart(self):
        for strange in (INFINITY, -INFINITY, NAN):
            for at in range(4):  # The update, the weight before it and after it, the carrier after it.
                numbers = [fp32(strange if i == at else 0.0) for i in range(4)]
                counts = self.counts(*numbers[:3], fp32(0.0), numbers[3])
                self.assertEqual(counts["nonfinite"], 1, (strange, at))
                self.assertEqual(sum(counts.values()), 1)

    def test_sums_that_overflow_are_of_finite_numbers(self):
        most = fp32(*[3e38] * 4)
        self.assertEqual(self.counts(fp32(0, 1, 0, 1), most, most, most, most),
                         {"none": 2, "lost": 2, "kept": 0, "moved": 0, "nonfinite": 0})

    def test_fp16_overflows_where_its_master_does_not(self):
        lines = self.counted([65504.0] * 2, [65520.0, 65519.0], formats=["fp16", "bf16"], schemes="master")
        self.assertEqual([(case["format"], case["nonfinite"], case["kept"]) for case in lines[0]["cases"]],
                         [("fp16", 1, 1), ("bf16", 0, 2)])

    def test_shares_of_nothing_are_null(self):
        for case in self.counted([NAN, INFINITY], [NAN, INFINITY])[0]["cases"]:
            self.assertEqual(case["nonfinite"], 2)
            self.assertEqual([case[key] for key in ("realSparsity", "apparentSparsity", "hiddenShare")], [None] * 3)


class Lines(CounterCase):
    def test_every_step_until_it_is_closed_with_its_rate(self):
        scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 1, 0.5)
        with self.counter() as counter:
            for _ in range(3):
                self.step(), scheduler.step()
        self.step()
        self.assertEqual([line["step"] for line in self.lines()], [0, 1, 2])
        self.assertEqual([line["lr"] for line in self.lines()], [[1e-3], [5e-4], [2.5e-4]])
        self.assertEqual(counter.recorded, [0, 1, 2])
        self.assertEqual([line["elements"] for line in self.lines()], [28] * 3)
        for case in (case for line in self.lines() for case in line["cases"]):
            self.assertEqual(sum(case[name] for name in CLASSES), 28)

    def test_a_window_of_a_resumed_training(self):
        with self.counter(steps=range(901, 903), next_step=900):
            for _ in range(4):
                self.step()
        self.assertEqual([line["step"] for line in self.lines()], [901, 902])
        self.assertNotIn("step", vars(self.optimizer))

    def test_lines_are_there_before_the_next_step(self):
        with self.counter():
            for step in range(3):
                self.step()
                self.assertEqual(len(self.lines()), step + 1)

    def test_apart_by_group_by_name_or_by_a_function(self):
        groups = [{"params": [self.model.weight]}, {"params": [self.model.bias], "lr": 0.5}]
        expected = {"group": {"0": 24, "1": 4}, "name": {"weight": 24, "bias": 4}, len: {"6": 24, "4": 4},
                    (lambda name: "all"): {"all": 28}}
        for by, elements in expected.items():
            lines = []
            with self.counter(lines.append, optimizer=torch.optim.AdamW(groups), by=by) as counter:
                self.step(counter._optimizer)
            for case in lines[0]["cases"]:
                self.assertEqual({key: sum(of[name] for name in CLASSES) for key, of in case["by"].items()}, elements)
                for name in CLASSES:
                    self.assertEqual(sum(of[name] for of in case["by"].values()), case[name])
            self.assertEqual(lines[0]["lr"], [1e-3, 0.5])

    def test_copies_anywhere_give_the_same_lines(self):
        states, told = [p.detach().clone() for p in self.model.parameters()], []
        for copies in ("cpu", "device", "disk"):
            path = os.path.join(self.folder, copies, "counts.jsonl")
            for p, state in zip(self.model.parameters(), states):
                p.data.copy_(state)
            optimizer = torch.optim.AdamW(self.model.parameters())
            with self.counter(path, optimizer=optimizer, copies=copies, formats=("bf16", "fp16")):
                self.step(optimizer), self.step(optimizer)
                self.assertEqual(os.listdir(os.path.dirname(path)), ["counts.jsonl"])
            told.append(self.lines(path))
        self.assertEqual(told[1:], told[:1] * 2)

    def test_parameters_that_are_not_fp32_are_named_not_counted(self):
        low, empty = torch.nn.Parameter(torch.ones(7, dtype=torch.bfloat16)), torch.nn.Parameter(torch.zeros(0, 3))
        lines = []
        optimizer = torch.optim.SGD([low, self.model.bias, empty], lr=0.5)
        with self.counter(lines.append, optimizer=optimizer):
            self.step(optimizer)
        self.assertEqual((lines[0]["elements"], lines[0]["notCounted"]), (4, {"bfloat16": 7}))

    def test_each_process_has_its_own_file(self):
        distributed = dict(is_available=lambda: True, is_initialized=lambda: True, get_rank=lambda: 3, get_world_size=lambda: 8)
        with mock.patch.multiple(torch.distributed, create=True, **distributed):
            with self.counter(by="name"):
                self.step()
        line, = self.lines(os.path.join(self.folder, "counts.rank00003.jsonl"))
        self.assertEqual((line["rank"], list(line["cases"][0]["by"])), (3, ["weight@rank00003", "bias@rank00003"]))

    def test_training_is_the_same_bit_for_bit(self):
        plain = copy.deepcopy(self.model)
        optimizer = torch.optim.AdamW(plain.parameters())
        with self.counter():
            for i in range(4):
                self.step(gradient=0.1 * i)
        for i in range(4):
            for p in plain.parameters():
                p.grad = torch.full_like(p, 0.1 * i)
            optimizer.step()
        for p, q in zip(self.model.parameters(), plain.parameters()):
            self.assertTrue(same_bits(p, q))


class Readme(CounterCase):
    def test_its_examples_run_and_send_every_share(self):
        path = os.path.join(os.path.dirname(precision_lens_counter.__file__), "README.md")
        with open(path, encoding="utf-8") as file:
            section = file.read().split("\n## Counts alone, while you train\n")[1].split("\n## ")[0]
        examples = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        self.assertEqual(len(examples), 3)
        sent = []
        board = SimpleNamespace(add_scalar=lambda tag, value, step: sent.append((tag, value, step)))
        modules = {"torch.utils.tensorboard": SimpleNamespace(SummaryWriter=lambda: board), "wandb": SimpleNamespace(
            log=lambda values, commit: sent.extend((tag, value, 0) for tag, value in values.items()))}
        expected = [(f"bf16/{scheme}/{key}", 0) for scheme in ("in-place", "master")
                    for key in ("realSparsity", "apparentSparsity", "hiddenShare")]
        for example, tags in zip(examples, ([], expected, expected)):
            sent.clear()
            here = os.getcwd()
            os.chdir(tempfile.mkdtemp(dir=self.folder))
            try:
                with mock.patch.dict(sys.modules, modules):
                    exec(example, {"model": self.model, "optimizer": self.optimizer, "train": self.step})
                self.assertEqual(os.listdir("."), [] if tags else ["counts.jsonl"])
            finally:
                os.chdir(here)
            self.assertEqual([(tag, step) for tag, _, step in sent], tags)


class Ends(CounterCase):
    def test_a_killed_process_leaves_whole_lines(self):
        for name in "abc":
            path = os.path.join(self.folder, f"{name}.jsonl")
            child = os.fork()
            if not child:
                with self.counter(path):
                    while True:
                        self.step()
            while not os.path.exists(path) or os.path.getsize(path) < 5000:
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            steps = [line["step"] for line in self.lines(path)]
            self.assertGreater(len(steps), 3)
            self.assertEqual(steps, list(range(len(steps))))

    def test_what_goes_wrong_ends_the_counting_with_a_warning_not_the_training(self):
        def broken(line):
            if line["step"] == 1:
                raise ValueError("no room for it")

        with self.warned("the recording in .*broken ends at step 1: ValueError.'no room for it'"):
            with self.counter(broken) as counter:
                before = self.model.weight.detach().clone()
                self.step(), self.step(), self.step()
        self.assertEqual(counter.recorded, [0])
        self.assertFalse(torch.equal(before, self.model.weight))

    def test_a_full_disk_ends_it_and_leaves_the_lines_until_then(self):
        def counted():
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                with self.counter() as counter:
                    self.step(), self.step()
                    size = os.path.getsize(self.path)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, size + 10))
                    self.step(), self.step()
            return [counter.recorded, [str(w.message) for w in caught]]

        recorded, told = in_a_process_of_its_own(counted)
        self.assertEqual((recorded, len(told)), ([0, 1], 1))
        self.assertRegex(told[0], "counts.jsonl ends at step 2: OSError")
        self.assertEqual([line["step"] for line in self.lines()], [0, 1])

    def test_a_counter_that_no_step_reached_says_so_and_leaves_no_file(self):
        with self.warned("nothing was recorded in .*counts.jsonl: optimizer.step"):
            self.counter().close()
        self.assertFalse(os.path.exists(self.path))

    def test_weights_that_change_between_steps_are_told(self):
        with self.warned("3 weights changed outside of optimizer.step.. before step 1"):
            with self.counter():
                self.step()
                self.model.bias.data[:3] += 1
                self.step()
        self.assertEqual([line["changedOutside"] for line in self.lines()], [0, 3])


class Refusals(CounterCase):
    def refused(self, error, pattern, to=None, **options):
        with self.assertRaisesRegex(error, pattern):
            self.counter(to, **options)
        self.assertNotIn("step", vars(self.optimizer))

    def test_names_that_are_not_known(self):
        self.refused(ValueError, r"formats: expected some of bf16, fp16, each once, found \('fp8',\)", formats="fp8")
        self.refused(ValueError, "formats: expected", formats=())
        self.refused(ValueError, "schemes: expected some of in-place, master", schemes=["master", "master"])
        self.refused(ValueError, 'by: expected "group", "name" or a function', by="layer")
        self.refused(ValueError, 'copies: expected "cpu", "device" or "disk"', copies="gpu")
        self.refused(ValueError, '"disk" is beside the file of counts', to=print, copies="disk")
        self.refused(ValueError, "steps: expected one after the other", steps=[0, 2])

    def test_a_file_that_is_there(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("mine")
        self.refused(FileExistsError, "counts.jsonl is there already")

    def test_nothing_in_fp32(self):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2, dtype=torch.bfloat16))], lr=1.0)
        self.refused(ValueError, "expected some in fp32, found none: .* fp32 master", optimizer=optimizer)


class Costs(CounterCase):
    def test_memory_beside_the_copies_is_bounded(self):
        """Of 40 MB of parameters: how far the peak of a process grows while it counts a quarter, then all of them."""
        import resource

        def grown():
            parameters = [torch.nn.Parameter(torch.ones(25, 10**5)) for _ in range(4)]
            for p in parameters:
                p.grad = torch.ones_like(p)
            optimizer = torch.optim.SGD(parameters, lr=0.5)
            optimizer.step()
            peaks = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]
            for which in ("group0.0", "*"):
                # Vectors of an eighth of the usual length, beside which these few parameters are many.
                with mock.patch.object(precision_lens_recorder, "CHUNK", 1 << 17):
                    with UpdateCounter(optimizer, lambda _: None, steps=1, parameters=which):
                        optimizer.step()
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            return [(peak - peaks[0]) / 1024 for peak in peaks[1:]]

        quarter, whole = in_a_process_of_its_own(grown)
        # Copies in fp32 and bf16, of 14.3 or of 57.2 MiB, and the same few vectors of half a MiB.
        self.assertGreater(quarter, 14)
        self.assertLess(quarter, 14 + 16)
        self.assertGreater(whole, 57)
        self.assertLess(whole, 57 + 16)

    def test_imports_torch_the_recorder_and_the_standard_library_and_is_python_3_8(self):
        with open(precision_lens_counter.__file__, encoding="utf-8") as file:
            tree = ast.parse(file.read(), feature_version=(3, 8))
        plain = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
        origins = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        self.assertEqual(plain - {"torch"} - set(sys.stdlib_module_names), set())
        self.assertEqual(origins, {"precision_lens_recorder"})


if __name__ == "__main__":
    for test, failure in failures_in(sys.modules["__main__"]).items():
        print(test, failure or "")
