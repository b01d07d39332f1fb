"""Each input of a graph comes from where its source says, in Python and, word for word, in the page."""

import dataclasses
import json
import subprocess

import pytest
import torch

from lewm_lite.labs.feeds import ALWAYS, NO_HAND, Bank, Graph, Hand, OneHot, Setting, State, feed, take
from lewm_lite.labs.lab import Lab, Phase
from lewm_lite.labs.scripts import STATIC
from lewm_lite.labs.shipping import describe


def rows(count, width=2):
    """A bank whose row i is (i, i + 0.5, …), so that a row tells its place."""
    return torch.arange(count, dtype=torch.float32)[:, None] + torch.linspace(0, 0.5, width)


def fed(source, values, *, controls=(), banks=None, state=None, step=0):
    graph = Graph(lambda x: {}, {"x": source}, ())
    return feed(graph, controls, values, banks or {}, state or {}, step)["x"]


def places(tensor):
    return tensor[:, 0].int().tolist()


def test_rows_are_taken_in_order_from_the_offset():
    assert torch.equal(take(rows(10), 3, 4), rows(10)[4:7])


def test_rows_start_over_at_the_end_of_the_bank():
    assert places(take(rows(5), 4, 3)) == [3, 4, 0, 1]
    assert places(take(rows(5), 2, 13)) == [3, 4]
    assert places(take(rows(3), 7, 1)) == [1, 2, 0, 1, 2, 0, 1]


def test_rows_taken_are_a_copy():
    bank = rows(4)
    take(bank, 4, 0).zero_()
    assert torch.equal(bank, rows(4))


def test_state_is_the_tensor_of_the_same_name():
    points = torch.ones(3, 2)
    assert fed(State(), {}, state={"x": points, "y": torch.zeros(1)}) is points


@pytest.mark.parametrize(("value", "number"), [(0.25, 0.25), (7, 7.0), (True, 1.0), (False, 0.0)])
def test_a_setting_is_a_scalar_number(value, number):
    given = fed(Setting("knob"), {"knob": value})
    assert given.shape == ()
    assert given.dtype == torch.float32
    assert given.item() == number


def test_a_menu_becomes_a_one_at_the_place_of_its_choice(drift):
    given = [fed(OneHot("place"), {"place": place}, controls=drift.controls) for place in ("near", "far")]
    assert [one.tolist() for one in given] == [[1.0, 0.0], [0.0, 1.0]]


def test_a_hand_is_where_it_was_and_how_it_moved_and_at_rest_all_zeros():
    graph = Graph(lambda x: {}, {"x": Hand()}, ())
    resting, moving = (feed(graph, (), {}, {}, {}, 0, *hand)["x"] for hand in ((), ((1, -2.5, 0.25, 0),)))
    assert resting.tolist() == list(NO_HAND) == [0, 0, 0, 0]
    assert moving.tolist() == [1, -2.5, 0.25, 0]
    assert resting.dtype == moving.dtype == torch.float32


def test_a_run_in_python_has_no_hand_on_the_picture(drift, monkeypatch):
    graphs, felt = drift().graphs(), []

    def step(hand, **inputs):
        felt.append(hand)
        return graphs["step"].function(**inputs)

    touched = dataclasses.replace(graphs["step"], function=step, inputs={**graphs["step"].inputs, "hand": Hand()})
    monkeypatch.setattr(drift, "graphs", lambda self: {**graphs, "step": touched})
    drift().run(Phase(2))
    assert torch.equal(torch.stack(felt), torch.zeros(3, 4))


def test_a_bank_without_a_count_is_given_whole():
    assert torch.equal(fed(Bank("all"), {}, banks={"all": rows(6)}), rows(6))


def test_a_bank_gives_as_many_rows_as_the_control_says():
    assert places(fed(Bank("b", rows="count"), {"count": 3}, banks={"b": rows(6)})) == [0, 1, 2]


def test_the_name_of_a_bank_follows_a_control():
    banks = {"noise_2": rows(4), "noise_3": 10 + rows(4)}
    assert places(fed(Bank("noise_{dim}"), {"dim": 3}, banks=banks)) == [10, 11, 12, 13]


@pytest.mark.parametrize(("seed", "expected"), [(0, [0, 1]), (1, [5, 6]), (2, [10, 11]), (4, [8, 9])])
def test_each_seed_starts_at_its_own_place(seed, expected):
    source = Bank("b", rows="count", seed_stride=5)
    assert places(fed(source, {"count": 2, "seed": seed}, banks={"b": rows(12)})) == expected


@pytest.mark.parametrize("step", [0, 1, 5])
def test_a_bank_that_does_not_advance_gives_the_same_rows_at_every_step(step):
    assert places(fed(Bank("b", rows="count"), {"count": 2}, banks={"b": rows(12)}, step=step)) == [0, 1]


@pytest.mark.parametrize(("step", "expected"), [(0, [5, 6]), (1, [7, 8]), (3, [11, 0]), (6, [5, 6])])
def test_fresh_rows_follow_the_last_step_s_and_go_round(step, expected):
    source = Bank("b", rows="count", seed_stride=5, advance="fresh")
    values = {"count": 2, "seed": 1, "fresh": True}
    assert places(fed(source, values, banks={"b": rows(12)}, step=step)) == expected
    assert places(fed(source, {**values, "fresh": False}, banks={"b": rows(12)}, step=step)) == [5, 6]


def test_a_bank_that_always_advances_asks_no_check_box():
    source = Bank("b", rows="count", advance=ALWAYS)
    given = [places(fed(source, {"count": 2}, banks={"b": rows(5)}, step=step)) for step in (0, 1, 2)]
    assert given == [[0, 1], [2, 3], [4, 0]]


def test_inputs_come_in_the_order_of_the_graph(drift):
    graph = drift().graphs()["step"]
    given = feed(graph, drift.controls, drift().values, drift.banks(), {"points": torch.zeros(100, 2)}, 0)
    assert list(given) == ["points", "kicks", "rate"]
    assert [tuple(tensor.shape) for tensor in given.values()] == [(100, 2), (12, 2), ()]


# The page's rule, run in Node, against Python's

IN_PAGE = """
import { feedGraph } from "CORE";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const revive = (tensors) => Object.fromEntries(
  Object.entries(tensors).map(([name, { data, dims }]) => [name, { data: Float32Array.from(data), dims }]));
const { manifest, cases } = JSON.parse(text);
const answers = cases.map(({ graph, values, banks, state, step, hand }) => {
  const feeds = feedGraph(manifest.graphs[graph], manifest, values, revive(banks), revive(state), step, hand);
  return Object.entries(feeds).map(([name, { data, dims }]) => [name, { data: [...data], dims }]);
});
process.stdout.write(JSON.stringify(answers));
"""


def sent(tensors):
    return {name: {"data": t.flatten().tolist(), "dims": list(t.shape)} for name, t in tensors.items()}


def fed_in_page(node, tmp_path, manifest, cases):
    """What the page's rule makes of each case, a list of names and tensors."""
    script = tmp_path / "feed.mjs"
    script.write_text(IN_PAGE.replace("CORE", (STATIC / "data.mjs").as_uri()), encoding="utf-8")
    question = json.dumps({"manifest": manifest, "cases": cases})
    answer = subprocess.run([node, script], input=question, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_the_page_feeds_a_graph_exactly_as_python_does(drift: type[Lab], node, tmp_path):
    state, banks = {"points": rows(5)}, drift.banks()
    changes = [
        ("start", {}, 0),
        ("start", {"place": "far", "dim": 1, "num_samples": 128, "seed": 3}, 0),
        ("step", {}, 0),
        ("step", {"rate": 0.35, "num_kicks": 7, "seed": 3}, 41),
        ("step", {"fresh": False, "dim": 1, "seed": 2}, 41),
    ]
    cases, expected = [], []
    for name, change, step in changes:
        values = {**drift().values, **change}
        cases.append({"graph": name, "values": values, "banks": sent(banks), "state": sent(state), "step": step})
        expected.append(sent(feed(drift().graphs()[name], drift.controls, values, banks, state, step)))
    for found, wanted in zip(fed_in_page(node, tmp_path, describe(drift), cases), expected, strict=True):
        assert [name for name, _ in found] == list(wanted)
        assert dict(found) == wanted


def test_the_page_feeds_a_hand_and_a_bank_that_always_advances_as_python_does(node, tmp_path):
    inputs = {"hand": Hand(), "kicks": Bank("b", rows="count", advance=ALWAYS)}
    graph, values, banks = Graph(lambda hand, kicks: {}, inputs, ()), {"count": 2}, {"b": rows(5)}
    told = {name: dataclasses.asdict(source) for name, source in inputs.items()}
    manifest = {"controls": [], "graphs": {"step": {"inputs": told}}}
    case = {"graph": "step", "values": values, "banks": sent(banks), "state": {}, "step": 2}
    moving = (1.5, -2, 0.125, 0)
    found = fed_in_page(node, tmp_path, manifest, [case, {**case, "hand": moving}])
    wanted = [sent(feed(graph, (), values, banks, {}, 2, *hand)) for hand in ((), (moving,))]
    assert [dict(answer) for answer in found] == wanted


def test_the_page_is_told_every_field_that_python_feeds_by(drift):
    told = describe(drift)["graphs"]["step"]["inputs"]
    assert told == {
        "points": {"source": "state"},
        "kicks": {
            "name": "kicks_{dim}",
            "rows": "num_kicks",
            "seed_stride": 16,
            "advance": "fresh",
            "source": "bank",
        },
        "rate": {"control": "rate", "source": "setting"},
    }
