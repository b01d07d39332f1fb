"""What a lab ships with is complete, says how it was made, and is what the library computes now."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import load

from lewm_lite.labs import shipping
from lewm_lite.labs.cloud_flow import CloudFlow
from lewm_lite.labs.export import prepared
from lewm_lite.labs.feeds import Graph, Setting, State, feed
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.registry import LABS
from lewm_lite.labs.shipping import describe, ship

# torch's exporter calls a function that torch itself has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")

SHIPPED = pytest.mark.parametrize("lab", LABS.values(), ids=LABS)


def answers(path, given):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {name: tensor.numpy() for name, tensor in given.items()})


def assert_hashes_hold(folder, manifest):
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name != "manifest.json"}
    assert found == manifest["made"]["sha256"]


def read_manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


# Shipping a small lab


@pytest.fixture(scope="module")
def shipped(drift, tmp_path_factory):
    said = []
    folder = ship(drift, tmp_path_factory.mktemp("labs"), progress=said.append)
    return folder, said


def test_a_lab_ships_with_graphs_banks_recordings_stills_and_a_manifest(shipped):
    folder, _ = shipped
    assert folder.name == "drift"
    assert {path.name for path in folder.iterdir()} == {
        "bank.safetensors",
        "start.onnx",
        "step_1.onnx",
        "step_2.onnx",
        *(f"{scene}.{kind}" for scene in ("settle", "arrive") for kind in ("safetensors", "svg", "png")),
        "manifest.json",
    }


def test_the_manifest_s_hashes_are_those_of_the_files(shipped):
    folder, _ = shipped
    assert_hashes_hold(folder, read_manifest(folder))


def test_the_manifest_says_by_which_command_and_versions_it_was_made(shipped):
    made = read_manifest(shipped[0])["made"]
    assert made["command"] == "python -m lewm_lite export drift"
    assert {"python", "torch", "numpy", "onnx", "onnxscript", "onnxruntime"} <= set(made["versions"])


def test_the_manifest_describes_the_lab_and_each_scene_s_last_moment(shipped, drift):
    manifest = read_manifest(shipped[0])
    scenes, _ = manifest.pop("scenes"), manifest.pop("made")
    assert manifest == json.loads(json.dumps(describe(drift)))
    assert list(scenes) == ["settle", "arrive"]
    last = drift("arrive").run()[-1]
    assert scenes["arrive"]["caption"] == "points come from afar"
    assert scenes["arrive"]["values"] == drift("arrive").values
    assert scenes["arrive"]["last"]["step"] == 5
    assert scenes["arrive"]["last"]["readings"]["spread"] == pytest.approx(last.readings["spread"])
    assert scenes["arrive"]["last"]["words"] == f"Step 5: spread {last.readings['spread']:.2f}."


def test_shipped_graphs_agree_with_torch_in_every_variant(shipped, drift):
    for dim in (1, 2):
        values = {**drift().values, "dim": dim, "num_samples": 31, "num_kicks": 4, "seed": 1}
        state = {"points": torch.ones(31, dim)}
        given = feed(drift().graphs()["step"], drift.controls, values, drift.banks(), state, 3)
        expected = drift().graphs()["step"].function(**given)
        for found, wanted in zip(answers(shipped[0] / f"step_{dim}.onnx", given), expected.values(), strict=True):
            np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-5)


def test_the_shipped_bank_is_the_lab_s(shipped, drift):
    bank = load((shipped[0] / "bank.safetensors").read_bytes())
    assert set(bank) == set(drift.banks())
    for name, tensor in drift.banks().items():
        assert np.array_equal(bank[name], tensor.numpy())


def test_progress_is_told_in_words(shipped):
    assert shipped[1] == [
        "banks of noise and directions",
        "graph start",
        "graph step_1",
        "graph step_2",
        "recording settle",
        "recording arrive",
    ]


# Failing half-way


def break_the_export(monkeypatch, drift):
    def fail(*_, **__):
        raise RuntimeError("no exporter today")

    monkeypatch.setattr(shipping, "export_graph", fail)


def break_the_last_still(monkeypatch, drift):
    monkeypatch.setattr(shipping, "export_graph", lambda *_, **__: b"graph")
    draw = drift.draw_still

    def fail(frames, scene):
        if scene.name == "arrive":
            raise RuntimeError("no ink left")
        return draw(frames, scene)

    monkeypatch.setattr(drift, "draw_still", fail)


@pytest.mark.parametrize("break_it", [break_the_export, break_the_last_still])
def test_nothing_is_written_when_something_fails_half_way(break_it, monkeypatch, drift, tmp_path):
    (tmp_path / "drift").mkdir()
    (tmp_path / "drift/manifest.json").write_text("the old one", encoding="utf-8")
    break_it(monkeypatch, drift)
    with pytest.raises(RuntimeError, match="no exporter today|no ink left"):
        ship(drift, tmp_path)
    assert [path.name for path in (tmp_path / "drift").iterdir()] == ["manifest.json"]
    assert (tmp_path / "drift/manifest.json").read_text(encoding="utf-8") == "the old one"


def test_a_variant_must_be_a_menu(drift, monkeypatch, tmp_path):
    broken = Graph(lambda rate: {"points": rate}, {"rate": Setting("rate")}, ("points",), variants="rate")
    monkeypatch.setattr(drift, "graphs", lambda self: {"start": broken})
    with pytest.raises(ValueError, match="variants must name a menu, 'rate' is a range"):
        ship(drift, tmp_path)


# The examples that graphs are traced with

STILL = SimpleNamespace(svg=lambda: "", png=lambda: b"")


def examples(monkeypatch, drift, tmp_path):
    """The example inputs of every graph, without the export."""
    seen = []

    def record(function, example, **_):
        seen.append({name: tuple(tensor.shape) for name, tensor in example.items()})
        return b"graph"

    monkeypatch.setattr(shipping, "export_graph", record)
    monkeypatch.setattr(drift, "scenes", drift.scenes[:1])
    monkeypatch.setattr(drift, "draw_still", lambda frames, scene: STILL)
    ship(drift, tmp_path)
    return seen


def test_free_sizes_are_distinct_primes_so_that_none_is_taken_for_another(drift, monkeypatch, tmp_path):
    assert examples(monkeypatch, drift, tmp_path) == [
        {"noise": (97, 2), "place": (2,)},
        {"points": (97, 1), "kicks": (11, 1), "rate": ()},
        {"points": (97, 2), "kicks": (11, 2), "rate": ()},
    ]


def test_inputs_that_share_a_free_size_share_its_example_however_many_they_are(drift, monkeypatch, tmp_path):
    names = [f"z{i}" for i in range(9)]
    start = drift().graphs()["start"]

    def begin(**given):
        return dict.fromkeys(names, start.function(**given)["points"])

    graphs = {
        "start": Graph(begin, start.inputs, tuple(names), start.dynamic),
        "step": Graph(
            lambda **state: {**state, "points": state["z0"], "spread": state["z0"].mean()},
            {name: State() for name in names},
            (*names, "points", "spread"),
            {name: {0: "samples"} for name in names},
        ),
    }
    monkeypatch.setattr(drift, "graphs", lambda self: graphs)
    monkeypatch.setattr(drift, "recorded", {"points": None})
    assert examples(monkeypatch, drift, tmp_path)[1] == dict.fromkeys(names, (97, 2))


def test_a_step_that_puts_out_exactly_what_the_start_does_still_gets_a_state(drift, monkeypatch, tmp_path):
    graphs = drift().graphs()
    silent = Graph(lambda points: {"points": points / 2}, {"points": State()}, ("points",), {"points": {0: "samples"}})
    monkeypatch.setattr(drift, "graphs", lambda self: {"start": graphs["start"], "step": silent})
    monkeypatch.setattr(drift, "readings", ())
    monkeypatch.setattr(drift, "recorded", {"points": None})
    assert examples(monkeypatch, drift, tmp_path)[1] == {"points": (97, 2)}


# What is committed


@SHIPPED
def test_committed_files_are_those_of_the_manifest(lab, root):
    folder = root / "assets/labs" / lab.name
    assert_hashes_hold(folder, read_manifest(folder))


@SHIPPED
def test_the_committed_manifest_describes_the_lab_as_it_is(lab, root):
    manifest = read_manifest(root / "assets/labs" / lab.name)
    assert {key: manifest[key] for key in describe(lab)} == json.loads(json.dumps(describe(lab)))
    assert set(manifest) == {*describe(lab), "scenes", "made"}
    for scene in lab.scenes:
        assert manifest["scenes"][scene.name]["caption"] == scene.caption
        assert manifest["scenes"][scene.name]["values"] == lab(scene.name).values
    assert list(manifest["scenes"]) == [scene.name for scene in lab.scenes]


@SHIPPED
def test_the_committed_graphs_are_shipped_as_the_runtime_would_rewrite_them(lab, root):
    """The page loads them as they are: what is left for the runtime to do there would be left undone."""
    graphs = list((root / "assets/labs" / lab.name).glob("*.onnx"))
    assert graphs
    for path in graphs:
        assert prepared(path.read_bytes()) == path.read_bytes(), path.name


@SHIPPED
def test_the_committed_bank_is_what_the_lab_draws(lab, root):
    """But for the last digits of float32, which processors with other instructions round otherwise."""
    bank = load((root / "assets/labs" / lab.name / "bank.safetensors").read_bytes())
    made = lab.banks()
    assert made.keys() == bank.keys()
    for name, tensor in made.items():
        np.testing.assert_allclose(bank[name], tensor.numpy(), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("start", ["point", "ring"])
@pytest.mark.parametrize("dim", [2, 3])
def test_the_committed_cloud_flow_graphs_compute_what_the_library_computes(dim, start, root):
    folder = root / "assets/labs/cloud_flow"
    lab = CloudFlow(dim=dim, start=start, num_samples=128, num_directions=5, seed=3)
    graphs, banks, state = lab.graphs(), lab.banks(), {}
    for name, step in (("start", 0), ("step", 0), ("step", 7)):
        given = feed(graphs[name], lab.controls, lab.values, banks, state, step)
        expected = graphs[name].function(**given)
        for found, output in zip(answers(folder / f"{name}_{dim}.onnx", given), graphs[name].outputs, strict=True):
            np.testing.assert_allclose(found, expected[output].numpy(), rtol=2e-4, atol=1e-6, err_msg=output)
        state = {"points": expected["points"]}


@pytest.mark.parametrize("scene", [scene.name for scene in CloudFlow.scenes])
def test_the_committed_recordings_begin_as_the_library_runs_now(scene, root):
    recording = load((root / f"assets/labs/cloud_flow/{scene}.safetensors").read_bytes())
    every = CloudFlow.frame_every
    frames = CloudFlow(scene).run(Phase(3 * every), every=every)
    assert recording["steps"][:4].tolist() == [frame.step for frame in frames]
    for name in frames[0].readings:
        expected = [frame.readings[name] for frame in frames]
        np.testing.assert_allclose(recording[f"readings.{name}"][:4], expected, rtol=1e-3)
