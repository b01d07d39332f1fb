"""Runs of one seed differ in λ alone, what is set down is what was trained, and the bracket is the library's."""

from __future__ import annotations

import json
import math
import random

import pytest
import torch
from safetensors.torch import load_file

from lewm_lite import asset_path, bisect_lambda
from lewm_lite.experiments.lambda_bisection import QUESTIONS
from lewm_lite.experiments.lambda_questions import search_edge
from lewm_lite.labs import LambdaBisection
from lewm_lite.labs import lambda_runs as runs_module
from lewm_lite.labs.arena import OPTIMISER, batch_of, config_of
from lewm_lite.labs.controls import Button, LogRange
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.lambda_bisection import ASKED, SEARCHES
from lewm_lite.labs.lambda_runs import CONFIG, READ, RUNS, brackets, kept_curve, kept_machines
from lewm_lite.training.joint_embedding import Objective, Training, side_by_side, training_step
from lewm_lite.training.lambda_search import LambdaRun, bracket_of

SHORT = 3  # steps of a run in these tests


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Runs of a few steps: what is tested is the account that is kept of them."""
    monkeypatch.setattr(runs_module, "STEPS", SHORT)


def searched(*weights, **given):
    """The frames of whole runs with these λ."""
    phases = [Phase(SHORT, {"lambda": weight}) for weight in weights]
    return LambdaBisection(**{"lambda": weights[0], **given}).run(*phases)


def set_down(frame):
    count = int(frame.tensors["progress"][2])
    return frame.tensors["set_down"][:count]


# ---------------------------------------------------------------- runs


def test_a_step_is_the_library_s_training_step_with_sigreg_alone_at_the_slider_s_weight():
    frames = LambdaBisection(seed=3, **{"lambda": 0.05}).run(Phase(2))
    lab = LambdaBisection(seed=3)
    banks = lab.banks()
    start = lab.run(Phase(0))[0].state
    training = Training.of(start["begun"].clone())
    for step in range(2):
        world = (banks[name] for name in ("table", "samples", "lines"))
        pairs, directions = batch_of(torch.tensor(float(step)), torch.tensor(3.0), *world, 16)
        training, _ = training_step(
            training, pairs.first, pairs.second, directions, side_by_side([Objective(sigreg=0.05)]),
            config=config_of(16), optimiser=OPTIMISER,
        )  # fmt: skip
    torch.testing.assert_close(frames[-1].state["parameters"], training.parameters, rtol=1e-4, atol=1e-6)


def test_every_run_begins_alike_and_the_same_lambda_gives_the_same_run():
    frames = searched(0.01, 1.0, 0.01)
    points = set_down(frames[-1])
    assert points[:, 0].tolist() == pytest.approx([-2, 0, -2])
    assert torch.equal(points[0, 3], points[2, 3]), "the readings but std go along axes, which need a moment to settle"
    assert not torch.allclose(points[0, 1:], points[1, 1:])
    for step in range(1, SHORT + 1):
        assert frames[step].readings["std"] == frames[step + 2 * SHORT].readings["std"]


def test_a_run_is_set_down_with_the_readings_of_its_end_and_then_the_lab_rests():
    frames = searched(0.01, 1.0)
    for place, step in enumerate((SHORT, 2 * SHORT)):
        frame = frames[step]
        assert frame.tensors["resting"].item() == 1
        assert set_down(frame)[place, 1:].tolist() == pytest.approx([frame.readings[name] for name in READ])
        assert frame.readings["runs_left"] == RUNS - place - 1
    assert [frame.tensors["resting"].item() for frame in frames[:SHORT]] == [0] * SHORT
    assert frames[SHORT - 1].readings["runs_left"] == RUNS


def test_a_moved_lambda_or_a_press_begins_the_run_anew_and_counts_for_nothing():
    moved = LambdaBisection(**{"lambda": 0.01}).run(Phase(2), Phase(SHORT + 1, {"lambda": 1.0}))
    assert [round(frame.tensors["progress"][0].item()) for frame in moved] == [0, 1, 2, 1, 2, 3, 1]
    assert set_down(moved[-1])[:, 0].tolist() == [0.0], "the λ that it was trained with, not the one it began with"
    pressed = LambdaBisection(**{"lambda": 0.01}).run(Phase(2), Phase(2, {"run": 1}))
    assert [round(frame.tensors["progress"][0].item()) for frame in pressed] == [0, 1, 2, 1, 2]
    assert pressed[-1].readings["runs_left"] == RUNS
    plain = LambdaBisection(**{"lambda": 0.01}).run(Phase(2))
    assert torch.equal(pressed[-1].state["parameters"], plain[-1].state["parameters"])


def test_a_lambda_moved_while_the_lab_rests_is_not_the_one_that_is_set_down():
    frames = LambdaBisection(**{"lambda": 0.01}).run(Phase(SHORT), Phase(1, {"lambda": 1.0}))
    assert frames[SHORT].values["lambda"] == 1.0
    assert set_down(frames[SHORT])[:, 0].tolist() == pytest.approx([-2])


def test_after_eight_runs_whoever_goes_on_begins_another_search():
    weights = [10 ** (-4 + 0.6 * place) for place in range(RUNS)]
    frames = searched(*weights, 0.5)
    end = RUNS * SHORT
    assert frames[end].readings["runs_left"] == 0
    assert set_down(frames[end])[:, 0].tolist() == pytest.approx([math.log10(weight) for weight in weights], abs=1e-5)
    assert frames[end + 1].readings["runs_left"] == RUNS
    assert set_down(frames[-1])[:, 0].tolist() == pytest.approx([math.log10(0.5)])


def test_presses_before_the_start_are_none_of_this_search():
    assert LambdaBisection(run=5).run(Phase(2))[-1].tensors["progress"][0] == 2


def test_another_seed_begins_otherwise():
    one, other = (LambdaBisection(seed=seed).run(Phase(0))[0].state["begun"] for seed in (0, 1))
    assert not torch.allclose(one, other)


def test_a_reader_s_own_score_is_what_the_encoder_meets():
    given = {"lambda": 10.0}
    ours = LambdaBisection(**given).run(Phase(2))[-1].state["parameters"]
    theirs = LambdaBisection(score=lambda embeddings, _: 0 * embeddings.sum(), **given).run(Phase(2))[-1]
    assert not torch.allclose(ours, theirs.state["parameters"])


# ---------------------------------------------------------------- the bracket


def one_hot(name):
    return torch.tensor([float(name == known) for known in QUESTIONS])


def points_of(rows):
    padded = [*rows, *[(0.0, 0.0, 0.0, 0.0)] * (RUNS - len(rows))]
    return torch.tensor(padded, dtype=torch.float64).float()


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_bracket_after_each_run_is_the_one_of_the_library_s_search(name):
    """Against bracket_of, on the side of the accepted runs that is asked for, with the axis's end as rejected."""
    question, random_ = QUESTIONS[name], random.Random(0)
    found = 0
    for _ in range(300):
        count = random_.randint(0, RUNS)
        rows = [(random_.uniform(-4, 1), random_.random(), random_.uniform(1, 14), 0.5) for _ in range(count)]
        accepted, ladder = brackets(points_of(rows), torch.tensor([float(count)]), one_hot(name))
        judged = [LambdaRun(10 ** row[0], row, row[1 + READ.index(question.reading)] >= question.level) for row in rows]
        assert accepted[:count].tolist() == [float(done.accepted) for done in judged]
        assert not accepted[count:].any()
        for after in range(1, RUNS + 1):
            known = judged[: min(after, count)]
            yes = [done.weight for done in known if done.accepted]
            if question.edge == "smallest":
                kept = [done for done in known if yes and done.weight <= max(yes)]
                ends = [LambdaRun(CONFIG.low / 1.0001, accepted=False)]
            else:
                kept = [done for done in known if yes and done.weight >= min(yes)]
                ends = [LambdaRun(CONFIG.high * 1.0001, accepted=False)]
            expected = bracket_of([*kept, *ends]) or (CONFIG.low, CONFIG.high)
            assert (10 ** ladder[after - 1]).tolist() == pytest.approx(expected, rel=1e-3), (rows, after)
            found += expected != (CONFIG.low, CONFIG.high)
    assert found > 900


def test_before_any_yes_the_bracket_is_the_whole_axis():
    rows = [(-2.0, 0.1, 3.0, 0.5), (0.0, 0.2, 3.0, 0.5)]
    for name in QUESTIONS:
        _, ladder = brackets(points_of(rows), torch.tensor([2.0]), one_hot(name))
        assert ladder[-1].tolist() == [-4, 1]


def test_the_question_judges_the_same_runs_anew():
    """A collapsed cloud has an effective rank of 13: it is blind to scale."""
    rows = [(-4.0, 0.05, 13.0, 0.003), (-2.0, 0.87, 4.0, 0.7), (-1.0, 0.88, 8.0, 0.9)]
    judged = {name: brackets(points_of(rows), torch.tensor([3.0]), one_hot(name))[0][:3].tolist() for name in QUESTIONS}
    assert judged == {"smallest": [0, 1, 1], "largest": [0, 1, 1], "rank": [1, 0, 1]}


# ---------------------------------------------------------------- what is kept, and recorded


def test_the_machine_s_runs_are_the_kept_ones_and_its_bracket_is_the_kept_bracket():
    kept = json.loads(asset_path("results/lambda_bisection.json").read_text(encoding="utf-8"))["details"]["searches"][0]
    machines = kept_machines()
    assert machines.shape == (len(QUESTIONS), RUNS, 1 + len(READ))
    for place, name in enumerate(QUESTIONS):
        accepted, ladder = brackets(machines[place], torch.tensor([float(RUNS)]), one_hot(name))
        assert accepted.tolist() == [float(row["accepted"]) for row in kept[name]["runs"]]
        assert (10 ** ladder[-1]).tolist() == pytest.approx(kept[name]["bracket"], rel=1e-4)


def test_the_curve_reaches_over_the_slider_and_holds_the_machine_s_ends():
    curve = kept_curve()
    assert curve[0, 0].item() == pytest.approx(math.log10(CONFIG.low))
    assert curve[-1, 0].item() == pytest.approx(math.log10(CONFIG.high))
    assert (curve[:, 1] <= curve[:, 2]).all() and (curve[:, 2] <= curve[:, 3]).all()
    for run in kept_machines()[0, :2]:
        row = curve[(curve[:, 0] - run[0]).abs().argmin()]
        assert row[1] - 0.02 <= run[1] <= row[3] + 0.02


def test_machine_and_curve_are_laid_over_on_request():
    plain, laid = (LambdaBisection(overlay=on).run(Phase(0))[0].tensors["laid"] for on in (False, True))
    assert not plain.any() and torch.equal(laid, kept_curve())


@pytest.mark.parametrize("scene", [scene.name for scene in LambdaBisection.scenes])
def test_the_recorded_search_takes_at_each_run_what_bisection_would(scene):
    """What the shipped recording read of each run, asked by the machine's rule, gives each λ and the last bracket."""
    recording = load_file(asset_path(f"labs/lambda_bisection/{scene}.safetensors"))
    ends = [recording["steps"].tolist().index(CONFIG.steps * (place + 1)) for place in range(RUNS)]
    read = {
        weight: {name: recording[f"readings.{name}"][end].item() for name in READ}
        for weight, end in zip(SEARCHES[scene], ends, strict=True)
    }

    def run(weight):
        near = min(read, key=lambda known: abs(math.log(known / weight)))
        assert near == pytest.approx(weight, rel=2e-3)
        return read[near]

    question = QUESTIONS[LambdaBisection(scene).values["question"]]
    search = search_edge(run, question, low=CONFIG.low, high=CONFIG.high, budget=RUNS)
    assert [done.weight for done in search.history] == pytest.approx(SEARCHES[scene], rel=2e-3)
    assert recording["readings.runs_left"][ends].tolist() == list(range(RUNS - 1, -1, -1))
    shown = [recording[f"readings.bracket_{end}"][-1].item() for end in ("low", "high")]
    assert shown == pytest.approx(search.bracket, rel=2e-3)


def test_a_clean_search_in_the_lab_is_bisect_lambda_s(monkeypatch):
    """The lab's bracket is where bisect_lambda's is, after the same answers."""
    edge = 0.02
    search = bisect_lambda(lambda w: w, lambda w: w > edge, low=CONFIG.low, high=CONFIG.high, budget=RUNS)
    rows = [(math.log10(done.weight), float(done.accepted), 8.0, 0.9) for done in search.history]
    _, ladder = brackets(points_of(rows), torch.tensor([float(RUNS)]), one_hot("smallest"))
    assert (10 ** ladder[-1]).tolist() == pytest.approx(search.bracket, rel=1e-4)


# ---------------------------------------------------------------- what tools rely on


def test_the_controls_have_the_names_and_ranges_that_others_rely_on():
    controls = {control.name: control for control in LambdaBisection.controls}
    assert list(controls) == ["lambda", "run", "question", "overlay", "seed"]
    assert isinstance(controls["lambda"], LogRange) and isinstance(controls["run"], Button)
    assert (controls["lambda"].low, controls["lambda"].high, controls["lambda"].default) == (1e-4, 10, 0.1)
    assert [name for name, control in controls.items() if control.restarts] == ["seed"]
    assert [value for value, _ in controls["question"].options] == list(QUESTIONS) == list(ASKED)
    for name, question in QUESTIONS.items():
        assert question.edge in ASKED[name] and f"{question.level:g}" in ASKED[name]


def test_the_readings_are_what_others_rely_on():
    names = [reading.name for reading in LambdaBisection.readings]
    assert names[:3] == ["runs_left", "probe_r2", "effective_rank"]


@pytest.mark.parametrize("given", [{"lambda": 0}, {"lambda": 11}, {"run": -1}, {"question": "best"}, {"overlay": 1}])
def test_settings_that_cannot_be_are_refused(given):
    with pytest.raises(ValueError, match="must be"):
        LambdaBisection(**given)
