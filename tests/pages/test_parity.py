"""Torch, ONNX Runtime in Python and the page take the same steps from the same stored inputs."""

import base64
import itertools
import json
import random

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from lewm_lite.files import asset_path
from lewm_lite.labs.controls import Button, Choice, Range, Toggle, settings
from lewm_lite.labs.feeds import State, feed, take
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.registry import LABS
from lewm_lite.labs.shipping import describe

AFTER_ONE_STEP = 1e-5  # relative, or absolute for what is small
# The tournament's step divides a test's evidence, a small difference of large numbers, by the square of its slope.
AFTER_ONE_STEP_OF = {"test_tournament": 5e-5}
AFTER_MANY = 0.01  # relative, for readings after 100 steps
# For these, absolute. The share of the batch that a test's push lies on, of 1, moves most while the push changes hands;
# from processor to processor float32 rounds otherwise, and after 100 steps the share has differed by 0.002.
AFTER_MANY_OF = {"test_tournament": ("_carried", 0.005)}
IN_THE_PAGE = 1e-4  # relative, for readings after one step; the page shows six digits

# Where two variances are nearly equal, rounding decides how the axes lie between their directions; what is seen along
# them is compared.
UNDETERMINED = {"collapse_arena": ("axes",), "lambda_bisection": ("axes", "begun_axes")}

# Sizes at both ends and between, none of them the size that a graph was traced with.
SIZES = {"num_directions": (1, 2, 64, 256), "num_samples": (64, 512, 1024)}
LEAST_TRIED = 12  # settings of a lab, also where few sizes are to be swept
RUNS = {
    # None with a λ under which the encoder collapses: of a spread near 0 nothing is left to compare.
    "lambda_bisection": (
        {},
        {"lambda": 0.01, "question": "largest", "seed": 5},
        {"lambda": 10.0, "question": "rank", "overlay": True, "seed": 7, "run": 2},
    ),
    "collapse_arena": (
        {},
        {"dim": 2, "batch_size": 32, "num_directions": 2, "lambda": 1.0, "ema": False, "seed": 5},
        {"dim": 64, "batch_size": 64, "num_directions": 256, "stop_gradient": False, "vicreg": False, "seed": 7},
    ),
    "cloud_flow": (
        {},
        {"dim": 3, "num_samples": 512, "start": "ring", "lambda": 0.5, "seed": 5, "fresh": False},
        {"dim": 2, "num_samples": 64, "num_directions": 1, "start": "clumps", "lambda": 1.0, "pull": False, "seed": 7},
        {"dim": 3, "num_samples": 192, "num_directions": 256, "start": "low_rank", "lambda": 0.02, "seed": 1},
    ),
    "dead_dimensions": (
        {},
        {"dim": 192, "dead": 10, "num_samples": 512, "false_alarms": 20, "seed": 5},
        {"dim": 2, "dead": 255, "num_samples": 32, "num_directions": 1, "seed": 7},
        {"dim": 256, "dead": 246, "dead_kind": "full_energy", "num_samples": 96, "num_directions": 256, "seed": 1},
    ),
    # None in which a penalty dies away: of a number near 0 nothing is left to compare.
    "fool_the_variance": (
        {"start": "clumps", "judge": "sigreg", "seed": 5},
        {"start": "line", "num_samples": 64, "seed": 7, "squeeze": 0.8},
        {"start": "heavy_tailed", "judge": "variance", "num_samples": 1024, "turn": 30, "gap": 0.5, "seed": 1},
        {"start": "axis_line", "judge": "nobody", "num_samples": 128, "turn": 100, "squeeze": 0.3},
    ),
    "forger": (
        {"num_directions": 2, "seed": 5},
        {"judge": "moments_4", "start": "line", "angle": 20, "seed": 7, "pull": 0.5},
        {"num_directions": 16, "dim": 3, "start": "ring", "seed": 1},
        {"judge": "variance", "fresh": True, "start": "bullseye", "dim": 3, "num_directions": 1, "seed": 2},
    ),
    "one_shadow": (
        {"seed": 5},
        {"start": "clumps", "angle": 45, "t": 0.8, "num_samples": 64, "seed": 7},
        {"start": "shifted", "angle": 290, "sweep": False, "num_samples": 1024, "seed": 1},
        {"start": "heavy_tailed", "angle": 359, "t": 3.0, "num_samples": 512},
    ),
    # None in which a test comes to no evidence at all: what is left of its push is then rounding.
    "test_tournament": (
        {"cloud": "far", "num_samples": 32, "num_directions": 4, "seed": 5},
        {"cloud": "ring", "against": "any", "num_samples": 32, "num_directions": 4, "seed": 7},
        {"cloud": "heavy_tailed", "num_samples": 32, "num_directions": 4, "seed": 1},
    ),
}


def runs_of(lab_name):
    assert lab_name in RUNS, f"say in RUNS which settings of {lab_name} are to be compared"
    return RUNS[lab_name]


def assert_alike(readings, expected, lab_name, values):
    """Two sets of readings after many steps, which two runtimes took."""
    ending, limit = AFTER_MANY_OF.get(lab_name, (None, 0))
    loose = {name for name in expected if ending and name.endswith(ending)}
    for name, value in expected.items():
        limits = {"abs": limit} if name in loose else {"rel": AFTER_MANY}
        assert readings[name] == pytest.approx(value, **limits), (name, values)
    assert readings.keys() == expected.keys() and len(loose) < len(expected)


def grid(lab):
    """Settings of a lab: every variant of its graphs at every size, the other controls anywhere in their ranges."""
    variants = {graph.variants for graph in lab().graphs().values() if graph.variants}
    swept, others = [], {}
    for control in lab.controls:
        match control:
            case Choice():
                values = [value for value, _ in control.options]
            case Toggle():
                values = [True, False]
            case Range():
                values = [control.low, control.next_to(control.low), control.default, control.high]
            case Button():
                values = [0, 3]
        if control.name in variants or control.name in SIZES:
            sizes = SIZES.get(control.name, values)
            highest = control.high if isinstance(control, Range) else max(values)
            sizes = sorted({min(size, highest) for size in sizes})
            swept.append([(control.name, value) for value in sizes])
        else:
            others[control.name] = values
    picked = random.Random(0)
    sizes = list(itertools.product(*swept))
    for chosen in sizes * -(-LEAST_TRIED // len(sizes)):
        yield settings(lab.controls, dict(chosen) | {name: picked.choice(values) for name, values in others.items()})


class Shipped:
    """A lab as it was shipped: its banks and its graphs, run by ONNX Runtime."""

    def __init__(self, lab_name):
        self.lab = LABS[lab_name]
        self.banks = load_file(asset_path(f"labs/{lab_name}/bank.safetensors"))
        self.graphs = self.lab().graphs()
        self.sessions = {}

    def session(self, file):
        if file not in self.sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # as in the page
            path = str(asset_path(f"labs/{self.lab.name}/{file}.onnx"))
            self.sessions[file] = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return self.sessions[file]

    def feeds(self, name, values, state, step):
        return feed(self.graphs[name], self.lab.controls, values, self.banks, state, step)

    def onnx(self, name, values, state, step):
        graph = self.graphs[name]
        file = name if graph.variants is None else f"{name}_{values[graph.variants]}"
        inputs = {key: tensor.numpy() for key, tensor in self.feeds(name, values, state, step).items()}
        outputs = self.session(file).run(None, inputs)
        return dict(zip(graph.outputs, map(torch.as_tensor, outputs), strict=True))

    def torch(self, name, values, state, step):
        with torch.no_grad():
            outputs = self.graphs[name].function(**self.feeds(name, values, state, step))
        return dict(outputs)

    def readings(self, values, steps):
        """What the readings are after so many steps of ONNX Runtime."""
        state = self.onnx("start", values, {}, 0)
        for step in range(steps):
            outputs = self.onnx("step", values, state, step)
            state = {name: outputs[name] for name in state}
        outputs = self.onnx("step", values, state, steps)
        return {reading.name: float(outputs[reading.name]) for reading in self.lab.readings}


@pytest.fixture(scope="module")
def shipped():
    """Each lab as shipped, made once."""
    made = {}

    def shipping(lab_name):
        if lab_name not in made:
            made[lab_name] = Shipped(lab_name)
        return made[lab_name]

    return shipping


@pytest.fixture(scope="module")
def torch_runs():
    """For a lab and each of its RUNS, the frames of a hundred steps in torch, computed once for both comparisons."""
    made = {}

    def running(lab_name):
        if lab_name not in made:
            lab = LABS[lab_name]
            every = [settings(lab.controls, given) for given in runs_of(lab_name)]
            made[lab_name] = [(values, lab(**values).run(Phase(100))) for values in every]
        return made[lab_name]

    return running


# ---------------------------------------------------------------- torch and ONNX Runtime


def test_the_shipped_manifest_says_what_the_library_says(lab_name):
    manifest = json.loads(asset_path(f"labs/{lab_name}/manifest.json").read_text(encoding="utf-8"))
    described = json.loads(json.dumps(describe(LABS[lab_name])))
    assert {name: manifest[name] for name in described} == described
    assert list(manifest["scenes"]) == [scene.name for scene in LABS[lab_name].scenes]


def test_one_step_is_the_same_in_torch_and_onnxruntime(shipped, lab_name):
    """Every graph and variant: the start, the step from it, and one more from where that leads, late in a run."""
    kept = shipped(lab_name)
    tried = list(grid(kept.lab))
    assert len(tried) >= LEAST_TRIED
    for values in tried:
        state = {}
        for name, step in (("start", 0), ("step", 0), ("step", 777)):
            ours, theirs = (run(name, values, state, step) for run in (kept.torch, kept.onnx))
            for key, expected in ours.items():
                if key in UNDETERMINED.get(lab_name, ()):
                    continue
                # A small score is N times a square of small differences of numbers near 1, which float32 rounds.
                limits = dict.fromkeys(("rtol", "atol"), AFTER_ONE_STEP_OF.get(lab_name, AFTER_ONE_STEP))
                same = torch.allclose(theirs[key].reshape(expected.shape), expected, **limits)
                assert same, (key, values, step, expected, theirs[key])
            state = {key: ours[key] for key in kept.graphs["start"].outputs}


def test_a_hundred_steps_read_the_same_in_torch_and_onnxruntime(shipped, lab_name, torch_runs):
    kept = shipped(lab_name)
    for values, frames in torch_runs(lab_name):
        assert_alike(kept.readings(values, 100), frames[100].readings, lab_name, values)


# ---------------------------------------------------------------- the page


def in_the_address(lab, given):
    """Settings as a link holds them."""
    values = settings(lab.controls, given)
    said = {name: int(value) if isinstance(value, bool) else value for name, value in values.items()}
    return "&".join(f"{lab.name}.{name}={value}" for name, value in said.items())


def test_the_page_reads_as_torch_does(open_lab, lab_name, torch_runs):
    """Each run in the page of the one before, as a reader who follows one link after the other."""
    page = None
    for values, frames in torch_runs(lab_name):
        address = in_the_address(LABS[lab_name], values)
        if page is None:
            page = open_lab(lab_name, address=address, reduced_motion="reduce").restart()
        else:
            page.page.evaluate("address => void (location.hash = address)", address)
            page.wait("step === 0")
        assert page.readings() == pytest.approx(frames[0].readings, rel=IN_THE_PAGE)
        page.steps(1)
        assert page.step == 1
        assert page.readings() == pytest.approx(frames[1].readings, rel=IN_THE_PAGE)
        page.steps(99)
        assert page.step == 100
        assert_alike(page.readings(), frames[100].readings, lab_name, values)


def test_a_setting_moved_between_two_steps_acts_on_the_next_as_in_torch(open_lab):
    """λ to 0 after ten steps, by keyboard: the eleventh step is already taken without SIGReg."""
    given = {"start": "ring", "num_samples": 128, "num_directions": 8}
    lab = LABS["cloud_flow"]
    page = open_lab("cloud_flow", address=in_the_address(lab, given), reduced_motion="reduce").restart()
    page.steps(10)
    page.press("lambda", "Home")
    page.press("num_directions", "End")
    page.steps(3)
    frames = lab(**given).run(Phase(10), Phase(3, {"lambda": 0.0, "num_directions": 256}))
    assert page.readings() == pytest.approx(frames[13].readings, rel=IN_THE_PAGE)


def test_the_page_feeds_its_graphs_as_the_library_does(open_page, lab_name, shipped):
    """The rule that picks rows of the banks is written twice, in feeds.py and data.mjs; also round a bank's end."""
    kept = shipped(lab_name)
    manifest = json.loads(asset_path(f"labs/{lab_name}/manifest.json").read_text(encoding="utf-8"))
    state = {"state": torch.arange(6.0).reshape(3, 2)}
    settled = list(grid(kept.lab))
    cases = [
        (name, {**values, "seed": seed}, step)
        for name, values, seed, step in zip(
            itertools.cycle(kept.graphs),
            random.Random(0).sample(settled, min(14, len(settled))),
            itertools.cycle((0, 1, 7)),
            itertools.cycle((0, 1, 63, 1000, 99_999)),
        )
    ]
    page = open_page("genindex.html")
    answers = page.evaluate(
        """async ([lab, manifest, cases]) => {
            const { feedGraph, readSafetensors } = await import("/_static/lewm/data.mjs");
            const buffer = await (await fetch(`/_static/lewm/assets/${lab}/bank.safetensors`)).arrayBuffer();
            const banks = readSafetensors(buffer).tensors;
            const held = { data: Float32Array.of(0, 1, 2, 3, 4, 5), dims: [3, 2] };
            const state = new Proxy({}, { get: () => held });
            const packed = (floats) => {
                const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
                let text = "";
                for (let i = 0; i < bytes.length; i += 8192)
                    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
                return btoa(text);
            };
            return cases.map(([name, values, step]) =>
                Object.entries(feedGraph(manifest.graphs[name], manifest, values, banks, state, step)).map(
                    ([key, { data, dims }]) => [key, packed(Float32Array.from(data)), dims],
                ),
            );
        }""",
        [lab_name, manifest, cases],
    )
    wrapped = 0
    for (name, values, step), answer in zip(cases, answers, strict=True):
        graph = kept.graphs[name]
        held = dict.fromkeys((key for key, source in graph.inputs.items() if isinstance(source, State)), state["state"])
        ours = feed(graph, kept.lab.controls, values, kept.banks, held, step)
        assert [key for key, _, _ in answer] == list(ours)
        for key, data, dims in answer:
            assert dims == list(ours[key].shape)
            theirs = torch.frombuffer(bytearray(base64.b64decode(data)), dtype=torch.float32)
            assert torch.equal(theirs.reshape(dims), ours[key]), (name, values, step, key)
        wrapped += step > 1000
    assert wrapped


def test_rows_are_taken_round_the_end_alike(open_page):
    bank = torch.arange(10.0).reshape(5, 2)
    cases = [(1, 0), (5, 0), (3, 4), (13, 7), (2, 1_000_003)]
    page = open_page("genindex.html")
    answers = page.evaluate(
        """async (cases) => {
            const { takeRows } = await import("/_static/lewm/data.mjs");
            const bank = { data: Float32Array.from({ length: 10 }, (_, i) => i), dims: [5, 2] };
            const taken = cases.map(([rows, offset]) => takeRows(bank, rows, offset));
            return taken.map(({ data, dims }) => [[...data], dims]);
        }""",
        cases,
    )
    for (rows, offset), (data, dims) in zip(cases, answers, strict=True):
        ours = take(bank, rows, offset)
        assert dims == list(ours.shape) and data == ours.flatten().tolist()
