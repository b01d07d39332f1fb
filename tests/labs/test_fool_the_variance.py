"""The judges push as the library's losses slope, the hand moves what is near, and clouds fool whom they should."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors import safe_open

from lewm_lite import (
    covariance_penalty,
    effective_rank,
    feature_std,
    random_directions,
    seeded,
    sigreg,
    variance_hinge,
    vicreg_terms,
)
from lewm_lite.embeddings.clouds import SHAPES, cloud_noise
from lewm_lite.embeddings.reshape import part, squeeze, turn
from lewm_lite.labs import FoolTheVariance
from lewm_lite.labs.controls import Choice, Range
from lewm_lite.labs.feeds import feed
from lewm_lite.labs.fool_the_variance import (
    BANK_DIRECTIONS,
    HELD_OUT,
    PUSHERS,
    RATE,
    SEEDS,
    SIGREG_PACE,
    START_SHAPES,
    fool_start,
    fool_step,
)
from lewm_lite.labs.lab import Frame, Phase
from lewm_lite.labs.verdicts import compass, content_levels

SEEDS_TRIED = range(3)
SMALL = {"num_samples": 256, "num_directions": 16}  # the recorded scenes have 512 and 64
JUDGES = ("variance", "covariance", "sigreg")


def gaussian(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def one_hot(name, names):
    return torch.tensor([float(name == known) for known in names], dtype=torch.float64)


def step(points, *, judge="nobody", hand=(0, 0, 0, 0), num_directions=7, levels=(0.05, 0.01, 3), **options):
    directions = random_directions(2, num_directions, generator=seeded(100)).mT.double()
    return fool_step(
        points,
        directions,
        compass(HELD_OUT).double(),
        torch.tensor(levels, dtype=torch.float64),
        one_hot(judge, PUSHERS),
        torch.tensor(hand, dtype=torch.float64),
        **options,
    )


def content(frame):
    """Who is content at a moment: variance, covariance, SIGReg."""
    scores = torch.tensor([frame.readings[name] for name in JUDGES])
    return (scores <= frame.tensors["levels"]).tolist()


@pytest.fixture(scope="module")
def recorded(root):
    """Each scene as it was recorded for the page: its moments by their steps."""
    return {scene.name: read_recording(root, scene.name) for scene in FoolTheVariance.scenes}


def read_recording(root, scene):
    with safe_open(root / f"assets/labs/fool_the_variance/{scene}.safetensors", framework="pt") as file:
        about = json.loads(file.metadata()["about"])
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, a file is no dictionary
    return {
        int(step): Frame(
            int(step),
            about["values"][at],
            {name: kept[f"tensors.{name}"][at] * scale for name, scale in about["scales"].items()},
            {name.removeprefix("readings."): float(kept[name][at]) for name in kept if name.startswith("readings.")},
        )
        for at, step in enumerate(kept["steps"])
    }


def moved(first, last):
    """How far each point has gone between two moments."""
    return (last.tensors["points"] - first.tensors["points"]).norm(dim=1)


# One step


OBJECTIVES = {
    "nobody": lambda points: 0 * points.sum(),
    "variance": variance_hinge,
    "vicreg": lambda points: variance_hinge(points) + 2 / 25 * covariance_penalty(points),
    "sigreg": lambda points: (
        SIGREG_PACE * sigreg(points, random_directions(2, 7, generator=seeded(100)).double()) / len(points)
    ),
}


@pytest.mark.parametrize("judge", PUSHERS)
def test_a_step_goes_down_the_slope_of_the_judge_that_pushes(slope, judge):
    points = 0.6 * gaussian(9, 2) @ torch.tensor([[1.0, 0.7], [0.0, 1.0]], dtype=torch.float64) + 0.2
    push = points - step(points, judge=judge)["points"]
    expected = RATE * len(points) * 2 * slope(OBJECTIVES[judge], points)
    torch.testing.assert_close(push, expected, rtol=1e-6, atol=1e-9)
    assert (push.abs().max() == 0) == (judge == "nobody")


def test_vicreg_pushes_as_its_published_loss_with_both_views_the_same(slope):
    points = 0.6 * gaussian(9, 2)
    published = slope(lambda cloud: vicreg_terms(cloud, cloud).weighted(), points)
    push = points - step(points, judge="vicreg")["points"]
    torch.testing.assert_close(push, RATE * len(points) * 2 * published / 25, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("num_samples", [64, 1024])
def test_a_feature_short_of_variance_gains_the_rate_in_std_and_stops_within_one_rate_of_1(num_samples):
    points = gaussian(num_samples, 2)
    points = (points - points.mean(0)) / points.std(0) * torch.tensor([0.5, 1.2])
    after = step(points, judge="variance")["points"]
    gain = RATE * num_samples / (num_samples - 1)
    assert after.std(0).tolist() == pytest.approx([0.5 + gain, 1.2], abs=1e-4)
    for _ in range(30):
        points = step(points, judge="variance")["points"]
    assert 1 - 1e-4 <= points.std(0)[0] <= 1 + gain
    assert torch.equal(step(points, judge="variance")["points"], points)


def test_a_step_s_readings_are_those_of_the_points_it_was_given():
    points = gaussian(80, 2) * torch.tensor([1.1, 0.4], dtype=torch.float64) + 1
    out = step(points, judge="sigreg")
    held_out = compass(HELD_OUT).double()
    assert out["std"].item() == pytest.approx(feature_std(points).mean().item())
    assert out["effective_rank"].item() == pytest.approx(effective_rank(points))
    assert out["variance"].item() == pytest.approx(variance_hinge(points).item())
    assert out["covariance"].item() == pytest.approx(covariance_penalty(points).item())
    assert out["sigreg"].item() == pytest.approx(sigreg(points, held_out.mT).item())
    expected = torch.stack([sigreg(points, row[:, None]) for row in held_out]) / 80
    torch.testing.assert_close(out["seen"], expected)


@pytest.mark.parametrize(
    ("levels", "count"), [((9, 9, 999), 3), ((9, 9, 0), 2), ((0, 9, 0), 1), ((9, 0, 0), 1), ((0, 0, 0), 0)], ids=str
)
def test_a_judge_is_content_up_to_its_level(levels, count):
    points = gaussian(80, 2) @ torch.tensor([[0.5, 0.2], [0.0, 0.5]], dtype=torch.float64)
    assert step(points, levels=levels)["content"] == count


# The hand


@pytest.mark.parametrize("judge", PUSHERS)
def test_while_the_hand_moves_it_alone_moves_the_points_and_only_those_near(judge):
    points = 0.5 * gaussian(300, 2)
    shift = step(points, judge=judge, hand=(0.4, 0.3, 0.2, -0.1))["points"] - points
    far = (points - torch.tensor([0.4, 0.3])).norm(dim=1)
    assert shift[far < 0.2].norm(dim=1).min() > 0.9 * 0.05**0.5
    assert shift[far > 2].norm(dim=1).max() < 1e-3
    assert (shift[:, 0] >= 0).all() and (shift[:, 1] <= 0).all()
    torch.testing.assert_close(shift[:, 0], -2 * shift[:, 1])


@pytest.mark.parametrize("move", [(0.3, 0.0), (0.0, -0.3), (0.2, -0.2)], ids=str)
def test_the_judge_waits_for_a_hand_whichever_way_it_moves(move):
    points = 0.5 * gaussian(50, 2)
    alone, pushed = (step(points, judge=judge, hand=(0, 0, *move))["points"] for judge in ("nobody", "sigreg"))
    assert torch.equal(alone, pushed)


def test_a_hand_that_rests_on_the_picture_is_no_hand():
    points = 0.5 * gaussian(50, 2)
    resting, away = (step(points, judge="sigreg", hand=hand)["points"] for hand in ((1, 1, 0, 0), (0, 0, 0, 0)))
    assert torch.equal(resting, away)


# The start


@pytest.mark.parametrize("name", START_SHAPES)
def test_a_start_is_the_library_s_cloud_of_that_name_unless_it_is_reshaped(name):
    noise = cloud_noise(30, 2, generator=seeded(0))
    shape = one_hot(name, START_SHAPES).float()
    plain = fool_start(noise, shape, torch.tensor(0.0), torch.tensor(1.0), torch.tensor(0.0))["points"]
    assert torch.equal(plain, SHAPES[name](noise))
    reshaped = fool_start(noise, shape, torch.tensor(0.5), torch.tensor(0.3), torch.tensor(40.0))["points"]
    parted = part(SHAPES[name](noise), noise[:, -1:], torch.tensor(0.5))
    torch.testing.assert_close(reshaped, turn(squeeze(parted, torch.tensor(0.3)), torch.tensor(40.0)))


def test_the_menus_are_in_the_order_of_the_graph_and_every_shape_of_the_library_is_offered():
    menus = {
        control.name: tuple(v for v, _ in control.options)
        for control in FoolTheVariance.controls
        if isinstance(control, Choice)
    }
    assert menus["start"] == tuple(START_SHAPES)
    assert menus["judge"] == PUSHERS
    assert set(START_SHAPES) == set(SHAPES)


# What tools and tests rely on


def test_there_are_at_most_eight_controls_with_names_and_ranges_that_others_rely_on():
    assert len(FoolTheVariance.controls) <= 8
    ranges = {c.name: (c.low, c.high, c.default) for c in FoolTheVariance.controls if isinstance(c, Range)}
    assert ranges == {
        "gap": (0, 1, 0),
        "squeeze": (0.02, 1, 1),
        "turn": (0, 180, 0),
        "num_directions": (1, 256, 64),
        "seed": (0, 7, 0),
    }


def test_a_change_of_what_the_start_is_made_from_restarts_and_no_other_does():
    restarting = {control.name for control in FoolTheVariance.controls if control.restarts}
    assert restarting == {"start", "gap", "squeeze", "turn", "num_samples", "seed"}


def test_the_readings_are_what_a_step_puts_out_and_the_picture_gets_what_it_draws():
    outputs = FoolTheVariance().graphs()["step"].outputs
    names = [reading.name for reading in FoolTheVariance.readings]
    assert names == ["std", "effective_rank", "variance", "covariance", "sigreg", "content"]
    assert outputs == ("points", *names, "seen")
    assert set(step(gaussian(9, 2))) == set(outputs)
    frame = FoolTheVariance(num_samples=64).run(Phase(0))[0]
    shapes = {name: tuple(tensor.shape) for name, tensor in frame.tensors.items()}
    assert shapes == {"points": (64, 2), "held_out": (HELD_OUT, 2), "levels": (3,), "seen": (HELD_OUT,)}


def test_the_banks_are_the_same_each_time_and_every_seed_has_rows_of_its_own():
    banks, again = FoolTheVariance.banks(), FoolTheVariance.banks()
    assert all(torch.equal(bank, again[name]) for name, bank in banks.items())
    assert len(banks["noise"]) == 1024 * SEEDS and len(banks["directions"]) == BANK_DIRECTIONS
    assert torch.equal(banks["held_out"], compass(HELD_OUT))
    assert torch.equal(banks["levels_256"], content_levels(256))
    for name in ("directions", "held_out"):
        torch.testing.assert_close(banks[name].norm(dim=1), torch.ones(len(banks[name])))
        assert banks[name].is_contiguous()
    assert not (banks["directions"][:, None] == banks["held_out"]).all(-1).any()


def test_each_step_is_pushed_along_other_directions():
    graph, lab = FoolTheVariance().graphs()["step"], FoolTheVariance(num_directions=4, seed=1)
    given = [feed(graph, lab.controls, lab.values, lab.banks(), {"points": None}, at)["directions"] for at in (0, 1)]
    first = BANK_DIRECTIONS // SEEDS
    assert torch.equal(torch.cat(given), lab.banks()["directions"][first : first + 8])


@pytest.mark.parametrize("control", [c for c in FoolTheVariance.controls if isinstance(c, Range)], ids=lambda c: c.name)
def test_every_slider_runs_at_both_its_ends(control):
    for value in (control.low, control.high):
        frames = FoolTheVariance(**{"num_samples": 64, "judge": "sigreg", control.name: value}).run(Phase(2))
        assert all(np.isfinite(list(frame.readings.values())).all() for frame in frames)


def test_unknown_scenes_controls_and_values_are_refused():
    with pytest.raises(ValueError, match=r"scene must be one of \['white_clumps', 'line', 'clumps'\]"):
        FoolTheVariance("arena")
    with pytest.raises(ValueError, match="no control named pusher: this lab has start, gap"):
        FoolTheVariance(pusher="sigreg")
    with pytest.raises(ValueError, match="squeeze must be a number from 0.02 to 1, got 0"):
        FoolTheVariance(squeeze=0)
    with pytest.raises(ValueError, match=r"num_samples must be one of \[64, 128, 256, 512, 1024\], got 300"):
        FoolTheVariance(num_samples=300)


# Runs: what the book claims


@pytest.mark.parametrize("seed", SEEDS_TRIED)
def test_white_clumps_stay_under_vicreg_and_are_brought_together_by_sigreg(seed):
    lab = FoolTheVariance("white_clumps", seed=seed, **SMALL)
    at = {frame.step: frame for frame in lab.run(Phase(40), Phase(120, {"judge": "sigreg"}), every=40)}
    first, stayed, together = at[0], at[40], at[160]
    assert moved(first, stayed).mean() < 0.15
    assert content(first) == content(stayed) == [True, True, False]
    assert stayed.readings["sigreg"] > 1.5 * stayed.tensors["levels"][2]
    assert content(together) == [True, True, True]
    assert moved(stayed, together).mean() > 0.3


@pytest.mark.parametrize("seed", SEEDS_TRIED)
def test_a_line_fools_the_variance_which_stands_still_once_content(seed):
    frames = FoolTheVariance("line", seed=seed).run(Phase(20), every=10)
    assert content(frames[-1]) == [True, False, False]
    assert torch.equal(frames[1].tensors["points"], frames[2].tensors["points"])
    assert frames[-1].readings["effective_rank"] < 1.01


def test_the_recorded_line_does_not_move_at_all(recorded):
    at = recorded["line"]
    assert torch.equal(at[0].tensors["points"], at[96].tensors["points"])
    assert content(at[0]) == content(at[96]) == [True, False, False]


def test_in_the_recorded_white_clumps_vicreg_is_content_and_then_all_are(recorded):
    at = recorded["white_clumps"]
    assert {step: (at[step].values["judge"], content(at[step])) for step in (0, 88, 256)} == {
        0: ("vicreg", [True, True, False]),
        88: ("vicreg", [True, True, False]),
        256: ("sigreg", [True, True, True]),
    }
    assert moved(at[0], at[88]).max() < 0.1, "the clumps stay"


def test_in_the_recorded_clumps_one_judge_after_the_other_is_content(recorded):
    at = recorded["clumps"]
    assert {step: (at[step].values["judge"], content(at[step])) for step in (0, 56, 312, 560)} == {
        0: ("variance", [True, False, False]),
        56: ("variance", [True, False, False]),
        312: ("vicreg", [True, True, False]),
        560: ("sigreg", [True, True, True]),
    }


@pytest.mark.parametrize("seed", SEEDS_TRIED)
def test_clumps_on_the_diagonal_fool_the_variance_then_vicreg_and_not_sigreg(seed):
    phases = (Phase(10), Phase(230, {"judge": "vicreg"}), Phase(120, {"judge": "sigreg"}))
    at = {frame.step: frame for frame in FoolTheVariance("clumps", seed=seed, **SMALL).run(*phases, every=10)}
    assert content(at[10]) == [True, False, False]
    assert content(at[240]) == [True, True, False]
    assert content(at[360]) == [True, True, True]
    assert at[10].readings["effective_rank"] < 1.2 < 1.99 < at[240].readings["effective_rank"]


@pytest.mark.parametrize("scene", ["white_clumps", "clumps"])
def test_the_gap_that_a_caption_speaks_of_is_there(scene, recorded):
    last = max(recorded[scene].values(), key=lambda frame: frame.step)
    worst = last.tensors["held_out"][last.tensors["seen"].argmax()]
    shadow = last.tensors["points"] @ worst
    middle = (shadow.abs() < 0.1).float().mean()
    assert middle < 0.5 * 0.0797, "of N(0, 1), 8 % lie within 0.1 of 0"


def test_by_the_sliders_alone_an_ideal_cloud_comes_to_fool_one_judge_after_the_other():
    def told(**given):
        return content(FoolTheVariance(start="isotropic", judge="nobody", **given).run(Phase(0))[0])

    assert told() == [True, True, True]
    assert told(squeeze=0.1) == [False, True, False]
    assert told(squeeze=0.1, turn=45) == [True, False, False]
    assert told(gap=0.98) == [True, True, False]


@pytest.mark.parametrize("num_directions", [1, 64])
def test_a_cloud_under_sigreg_comes_to_rest_also_at_four_times_the_pace(num_directions, monkeypatch):
    monkeypatch.setattr("lewm_lite.labs.fool_the_variance.SIGREG_PACE", 4 * SIGREG_PACE)
    last = FoolTheVariance(judge="sigreg", num_samples=128, num_directions=num_directions).run(Phase(100))[-1]
    assert last.readings["sigreg"] < 1


def test_a_point_is_spread_by_every_judge_and_stays_where_nobody_pushes():
    ends = {judge: FoolTheVariance(start="point", judge=judge, **SMALL).run(Phase(60))[-1] for judge in PUSHERS}
    assert {judge: end.readings["std"] > 0.9 for judge, end in ends.items()} == {
        "nobody": False,
        "variance": True,
        "vicreg": True,
        "sigreg": True,
    }


# The reader's own judge


def test_a_reader_s_judge_pushes_in_sigreg_s_place_and_the_verdicts_stay_the_library_s():
    given = {"num_samples": 64, "num_directions": 4, "start": "ring", "judge": "sigreg"}
    own = FoolTheVariance(score=lambda points, _: len(points) * (points - 2).square().mean(), **given)
    last = own.run(Phase(120), every=1000)[-1]
    torch.testing.assert_close(last.tensors["points"], torch.full((64, 2), 2.0), atol=0.1, rtol=0)
    assert last.readings["sigreg"] > 20
    assert content(last) == [False, True, False]


def test_a_reader_s_judge_is_given_samples_by_dim_and_dim_by_directions():
    seen = []

    def score(embeddings, directions):
        seen.append((tuple(embeddings.shape), tuple(directions.shape)))
        return sigreg(embeddings, directions)

    FoolTheVariance(score=score, num_samples=64, num_directions=5).run(Phase(1))
    assert seen == [((64, 2), (2, 5))] * 2


def test_a_reader_s_judge_does_nothing_while_another_pushes():
    given = {"num_samples": 64, "judge": "variance", "start": "point"}
    library, own = (
        FoolTheVariance(score=score, **given).run(Phase(3))[-1].tensors["points"]
        for score in (sigreg, lambda points, _: points.sum())
    )
    assert torch.equal(library, own)


# What is committed


def test_the_committed_graphs_compute_what_the_library_computes_with_and_without_a_hand(root):
    folder = root / "assets/labs/fool_the_variance"
    lab = FoolTheVariance(start="ring", judge="sigreg", num_samples=128, num_directions=5, seed=3, squeeze=0.5, turn=30)
    graphs, banks, state = lab.graphs(), lab.banks(), {}
    for name, hand in (("start", (0, 0, 0, 0)), ("step", (0, 0, 0, 0)), ("step", (1, 0.2, -0.3, 0.1))):
        given = feed(graphs[name], lab.controls, lab.values, banks, state, 7, hand)
        expected = graphs[name].function(**given)
        session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        found = session.run(None, {key: tensor.numpy() for key, tensor in given.items()})
        for answer, output in zip(found, graphs[name].outputs, strict=True):
            np.testing.assert_allclose(answer, expected[output].numpy(), rtol=2e-4, atol=1e-6, err_msg=output)
        state = {"points": expected["points"]}


@pytest.mark.parametrize("scene", [scene.name for scene in FoolTheVariance.scenes])
def test_the_committed_recordings_begin_as_the_library_runs_now(scene, recorded):
    for frame in FoolTheVariance(scene).run(Phase(24), every=8):
        assert recorded[scene][frame.step].readings == pytest.approx(frame.readings, rel=1e-3, abs=1e-6)


def test_the_pictures_words_tell_the_verdicts(root):
    manifest = json.loads((root / "assets/labs/fool_the_variance/manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenes"]["white_clumps"]["last"]["words"].endswith("judges content: 3 of 3.")
    assert manifest["scenes"]["line"]["last"]["words"].endswith("judges content: 1 of 3.")
