"""The kernel's side of a widget: it runs what the page asks for, and says in words what went wrong."""

import json
import re

import numpy as np
import pytest
import torch

from lewm_lite.labs.cloud_flow import CloudFlow
from lewm_lite.labs.feeds import Graph, feed
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.scripts import module_source
from lewm_lite.labs.widget import LabWidget, run_request, widget_view

SMALL = {"num_samples": 64, "num_directions": 3}


def question(lab, name, state=None, *, step=0, number=1):
    """What the page sends to have a graph run: a message, and little-endian float32 buffers."""
    graph = lab.graphs()[name]
    given = feed(graph, lab.controls, lab.values, lab.banks(), state or {}, step)
    inputs = [{"name": key, "dims": list(tensor.shape)} for key, tensor in given.items()]
    buffers = [memoryview(tensor.numpy().astype("<f4").tobytes()) for tensor in given.values()]
    return {"type": "run", "id": number, "graph": name, "inputs": inputs}, buffers


def unpack(content, buffers):
    assert content["type"] == "result"
    return {
        item["name"]: np.frombuffer(buffer, "<f4").reshape(item["dims"])
        for item, buffer in zip(content["outputs"], buffers, strict=True)
    }


def ask(lab, *given, **options):
    return run_request(lab.graphs(), *question(lab, *given, **options))


def conversation(widget, monkeypatch):
    """What the widget answers, one (content, buffers) for each."""
    said = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: said.append((content, buffers)))
    return said


# run_request


def test_start_and_step_run_on_the_buffers_as_torch_runs_them():
    lab = CloudFlow(dim=3, **SMALL)
    frames = lab.run(Phase(1))
    content, buffers = ask(lab, "start", number=7)
    assert content["id"] == 7
    start = unpack(content, buffers)
    np.testing.assert_array_equal(start["points"], frames[0].tensors["points"].numpy())
    out = unpack(*ask(lab, "step", {"points": torch.from_numpy(start["points"].copy())}))
    assert tuple(out) == lab.graphs()["step"].outputs
    np.testing.assert_array_equal(out["points"], frames[1].tensors["points"].numpy())
    assert {name: out[name].item() for name in frames[0].readings} == frames[0].readings


def test_answers_are_little_endian_float32_with_their_shapes():
    content, buffers = ask(CloudFlow(**SMALL), "step", {"points": torch.ones(64, 2)})
    assert content["outputs"][0] == {"name": "points", "dims": [64, 2]}
    assert content["outputs"][1] == {"name": "std", "dims": []}
    assert [len(buffer) for buffer in buffers] == [64 * 2 * 4, 4, 4, 4, 4]
    assert all(isinstance(buffer, bytes) for buffer in buffers)


def test_a_message_survives_the_way_through_json():
    content, _ = ask(CloudFlow(**SMALL), "start")
    assert json.loads(json.dumps(content)) == content


def test_the_buffers_given_are_not_written_to():
    lab = CloudFlow(**SMALL)
    message, buffers = question(lab, "step", {"points": torch.ones(64, 2)})
    before = [bytes(buffer) for buffer in buffers]
    run_request(lab.graphs(), message, buffers)
    assert [bytes(buffer) for buffer in buffers] == before


def test_the_reader_s_own_score_is_what_runs():
    lab = CloudFlow(score=lambda z, directions: (z - 1).square().sum(), **SMALL)
    out = unpack(*ask(lab, "step", {"points": torch.full((64, 2), 3.0)}))
    assert out["sigreg"].item() == 64 * 2 * 4


def one_over_nothing(z, directions):
    return 1 / 0


def not_a_scalar(z, directions):
    return z.sum(0)


def another_shape(z, directions):
    return (z @ directions.mT).sum()


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (one_over_nothing, "ZeroDivisionError: division by zero"),
        (not_a_scalar, "RuntimeError: .*scalar"),
        (another_shape, "RuntimeError: .*shape"),
        (lambda z: z.sum(), "TypeError: .*positional argument"),
        (lambda z, directions: 0.5, "RuntimeError: .*tensors"),
    ],
    ids=["divides by 0", "not a scalar", "wrong shapes", "wrong arguments", "not a tensor"],
)
def test_an_error_in_the_reader_s_score_comes_back_in_words(score, words):
    content, buffers = ask(CloudFlow(score=score, **SMALL), "step", {"points": torch.ones(64, 2)}, number=9)
    assert content["type"] == "error"
    assert content["id"] == 9
    assert re.match(words, content["reason"], flags=re.DOTALL), content["reason"]
    assert buffers == []


def test_after_an_error_the_next_question_is_answered():
    moods = iter([one_over_nothing, lambda z, directions: z.square().sum()])
    lab = CloudFlow(score=lambda z, directions: next(moods)(z, directions), **SMALL)
    kinds = [ask(lab, "step", {"points": torch.ones(64, 2)})[0]["type"] for _ in range(2)]
    assert kinds == ["error", "result"]


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ({"score": 0.5}, "TypeError: score must be a torch.Tensor, got float"),
        ({"score": np.ones(2)}, "TypeError: score must be a torch.Tensor, got ndarray"),
        ({}, "KeyError: 'score'"),
    ],
    ids=["a number", "an array", "nothing"],
)
def test_outputs_that_are_no_tensors_come_back_in_words(out, words):
    graphs = {"step": Graph(lambda: out, {}, ("score",))}
    content, buffers = run_request(graphs, {"graph": "step", "id": 3, "inputs": []}, [])
    assert content == {"type": "error", "id": 3, "reason": words}
    assert buffers == []


# The widget


def test_the_widget_answers_a_ping_with_a_pong(monkeypatch):
    widget = LabWidget(CloudFlow())
    said = conversation(widget, monkeypatch)
    widget._handle_custom_msg({"type": "ping", "id": 4}, [])
    assert said == [({"type": "pong", "id": 4}, None)]


def test_the_widget_answers_a_question_with_its_lab_s_own_functions(monkeypatch):
    lab = CloudFlow(score=lambda z, directions: z.sum() * 0 + 42, **SMALL)
    widget = LabWidget(lab)
    said = conversation(widget, monkeypatch)
    widget._handle_custom_msg(*question(lab, "step", {"points": torch.ones(64, 2)}, number=5))
    ((content, buffers),) = said
    assert content["id"] == 5
    assert unpack(content, buffers)["sigreg"] == 42


def test_the_widget_ignores_what_it_does_not_know(monkeypatch):
    widget = LabWidget(CloudFlow())
    said = conversation(widget, monkeypatch)
    widget._handle_custom_msg({"type": "gossip"}, [])
    assert said == []


def test_the_widget_holds_all_that_its_view_reads(root):
    lab = CloudFlow("one_fixed_direction", seed=2)
    widget = LabWidget(lab)
    folder = root / "assets/labs/cloud_flow"
    assert widget.manifest == json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert widget.scene == "one_fixed_direction"
    assert json.loads(widget.values_json) == lab.values
    assert widget.bank == (folder / "bank.safetensors").read_bytes()
    assert widget.recording == (folder / "one_fixed_direction.safetensors").read_bytes()
    assert widget._esm == module_source("cloud_flow")
    assert ".lewm" in widget._css


def test_only_the_widget_s_part_goes_into_the_bundle():
    assert set(widget_view(CloudFlow())) == {"application/vnd.jupyter.widget-view+json"}


def test_the_style_and_the_module_are_sent_to_the_page():
    assert {"_esm", "_css"} <= set(LabWidget(CloudFlow()).get_state())


def test_the_text_of_a_lab_holds_no_address():
    assert "0x" not in repr(CloudFlow(score=one_over_nothing))
