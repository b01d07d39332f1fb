"""The flow is gradient descent on what it says, and clouds do under it what the book says they do."""

import pytest
import torch

from lewm_lite import effective_rank, feature_std, random_directions, seeded, sigreg
from lewm_lite.embeddings.clouds import SHAPES
from lewm_lite.labs import CloudFlow
from lewm_lite.labs.cloud_flow import HELD_OUT, RATE, START_SHAPES, flow_start, flow_step
from lewm_lite.labs.controls import Choice, Range, Toggle
from lewm_lite.labs.lab import Phase

WEIGHT = "lambda"  # a word that Python keeps for itself


def gaussian(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


def compass(dim, count, *, seed=100, dtype=torch.float64):
    """Unit rows, as a step takes them."""
    return random_directions(dim, count, generator=seeded(seed)).mT.contiguous().to(dtype)


def step(points, *, weight, pull=1.0, num_directions=7, **options):
    dim, dtype = points.shape[1], points.dtype
    return flow_step(
        points,
        compass(dim, num_directions, dtype=dtype),
        compass(dim, 16, seed=200, dtype=dtype),
        torch.tensor(weight, dtype=dtype),
        torch.tensor(pull, dtype=dtype),
        **options,
    )


def last_readings(lab, *phases):
    return lab.run(*phases, every=10_000)[-1].readings


# One step


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("pull", [0.0, 1.0])
@pytest.mark.parametrize("weight", [0.0, 0.1, 1.0])
def test_a_step_goes_down_the_slope_of_pull_plus_weighted_sigreg(slope, weight, pull, dim):
    points = 0.7 * gaussian(9, dim) + 0.2
    directions = compass(dim, 7)

    def objective(z):
        return pull * (z**2).sum() / z.numel() + weight * sigreg(z, directions.mT)

    num_samples = len(points)
    step_size = 0.5 * RATE * num_samples * dim / (1 + weight * num_samples)
    moved = points - step(points, weight=weight, pull=pull)["points"]
    torch.testing.assert_close(moved, step_size * slope(objective, points), rtol=1e-6, atol=1e-9)


def test_a_step_s_readings_are_those_of_the_points_it_was_given():
    points = gaussian(50, 3) * torch.tensor([1.0, 0.5, 0.1], dtype=torch.float64) + 1
    out = step(points, weight=0.1)
    assert out["std"].item() == pytest.approx(feature_std(points).mean().item())
    assert out["effective_rank"].item() == pytest.approx(effective_rank(points))
    assert out["sigreg"].item() == pytest.approx(sigreg(points, compass(3, 7).mT).item())
    assert out["held_out"].item() == pytest.approx(sigreg(points, compass(3, 16, seed=200).mT).item())


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)], ids=str)
@pytest.mark.parametrize("dim", [2, 3])
def test_without_sigreg_every_coordinate_loses_exactly_its_rate(dim, dtype, tolerance):
    points = 3 * gaussian(40, dim, dtype=dtype) + 1
    torch.testing.assert_close(step(points, weight=0.0)["points"], (1 - RATE) * points, rtol=tolerance, atol=0)


def test_with_neither_pull_nor_sigreg_nothing_moves():
    points = gaussian(40, 2)
    assert torch.equal(step(points, weight=0.0, pull=0.0)["points"], points)


def test_the_pull_is_as_strong_for_many_points_as_for_few():
    points = gaussian(64, 2)
    one, many = (step(z, weight=0.0)["points"] for z in (points, torch.cat([points] * 3)))
    torch.testing.assert_close(one, many[:64])


def test_more_points_give_sigreg_more_say_against_the_pull():
    points = 0.3 * gaussian(64, 2)
    few, many = (step(z, weight=0.01)["points"][:64] for z in (points, torch.cat([points] * 8)))
    assert feature_std(many).mean() > feature_std(few).mean()


def test_points_that_are_all_at_0_stay_there_for_ever():
    points = torch.zeros(64, 2)
    for _ in range(5):
        out = step(points, weight=1.0)
        assert torch.equal(out["points"], torch.zeros(64, 2))
        assert out["std"] == out["effective_rank"] == 0
        points = out["points"]


def test_a_millionth_of_noise_is_enough_to_escape():
    points = 1e-6 * gaussian(64, 2, dtype=torch.float32)
    for _ in range(100):
        points = step(points, weight=1.0, pull=0.0, num_directions=16)["points"]
    assert feature_std(points).min() > 1e-4  # a hundredfold in a hundred steps


# The start


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("name", START_SHAPES)
def test_a_start_is_the_library_s_cloud_of_that_name(name, dim):
    noise = gaussian(30, dim + 1, dtype=torch.float32)
    chosen = torch.tensor([float(name == shape) for shape in START_SHAPES])
    assert torch.equal(flow_start(noise, chosen)["points"], SHAPES[name](noise))


def test_the_menu_offers_the_start_shapes_in_the_order_of_the_graph():
    menu = next(control for control in CloudFlow.controls if control.name == "start")
    assert tuple(value for value, _ in menu.options) == START_SHAPES


def test_a_lab_starts_with_the_shape_and_size_that_were_asked_for():
    frame = CloudFlow(start="low_rank", dim=3, num_samples=128).run(Phase(0))[0]
    points = frame.tensors["points"]
    assert points.shape == (128, 3)
    assert feature_std(points).tolist() == pytest.approx([1, 1, 0.02], rel=0.2)


# What tools and tests rely on (the table of controls in the design)


def test_the_controls_have_the_names_ranges_and_defaults_that_others_rely_on():
    ranges = {c.name: (c.low, c.high, c.default) for c in CloudFlow.controls if isinstance(c, Range)}
    assert ranges == {
        "lambda": (0, 1, 0.1),
        "num_directions": (1, 256, 64),
        "num_samples": (64, 1024, 512),
        "seed": (0, 7, 0),
    }
    menus = {c.name: [value for value, _ in c.options] for c in CloudFlow.controls if isinstance(c, Choice)}
    assert menus == {"start": ["point", "line", "clumps", "ring", "low_rank"], "dim": [2, 3]}
    assert {c.name: c.default for c in CloudFlow.controls if isinstance(c, Toggle)} == {"pull": True, "fresh": True}


def test_the_readings_are_what_a_step_puts_out():
    outputs = CloudFlow().graphs()["step"].outputs
    assert {reading.name for reading in CloudFlow.readings} == {"std", "effective_rank", "sigreg", "held_out"}
    assert outputs == ("points", *(reading.name for reading in CloudFlow.readings))
    assert set(step(gaussian(9, 2), weight=0.1)) == set(outputs)


def test_a_change_of_what_the_start_is_made_from_restarts_and_no_other_does():
    assert {c.name for c in CloudFlow.controls if c.restarts} == {"start", "dim", "num_samples", "seed"}


def test_the_banks_are_the_same_each_time_and_hold_unit_directions():
    banks, again = CloudFlow.banks(), CloudFlow.banks()
    assert set(banks) == {f"{kind}_{dim}" for kind in ("noise", "directions", "held_out") for dim in (2, 3)}
    for name, bank in banks.items():
        assert torch.equal(bank, again[name])
        if not name.startswith("noise"):
            assert bank.is_contiguous()
            torch.testing.assert_close(bank.norm(dim=1), torch.ones(len(bank)))


@pytest.mark.parametrize("dim", [2, 3])
def test_directions_that_are_held_out_are_never_among_those_used(dim):
    banks = CloudFlow.banks()
    used, held_out = banks[f"directions_{dim}"], banks[f"held_out_{dim}"]
    assert len(held_out) == HELD_OUT
    assert not (used[:, None] == held_out).all(-1).any()


@pytest.mark.parametrize("control", [c for c in CloudFlow.controls if isinstance(c, Range)], ids=lambda c: c.name)
def test_every_slider_runs_at_both_its_ends(control):
    for value in (control.low, control.high):
        (frame,) = CloudFlow(**{"num_samples": 64, "num_directions": 2, control.name: value}).run(Phase(0))
        assert all(reading == reading for reading in frame.readings.values())


def test_unknown_scenes_controls_and_values_are_refused():
    with pytest.raises(ValueError, match=r"scene must be one of \['plug', 'one_fixed_direction', 'one_fresh_direct"):
        CloudFlow("arena")
    with pytest.raises(ValueError, match="no control named weight: this lab has lambda, num_directions"):
        CloudFlow(weight=0.1)
    with pytest.raises(ValueError, match="lambda must be a number from 0 to 1, got 2"):
        CloudFlow(**{WEIGHT: 2})
    with pytest.raises(ValueError, match=r"dim must be one of \[2, 3\], got 4"):
        CloudFlow(dim=4)


def test_a_dimension_given_as_a_float_finds_its_banks():
    assert CloudFlow(dim=2.0, num_samples=64).run(Phase(0))[0].tensors["points"].shape == (64, 2)


# Runs: what the book claims


def test_a_collapsed_cloud_spreads_at_a_weight_of_a_tenth():
    frames = CloudFlow(num_directions=16).run(Phase(160), every=1000)
    assert frames[0].readings["std"] < 0.011
    assert frames[-1].readings["std"] > 0.8
    assert frames[-1].readings["effective_rank"] > 1.98


def test_a_spread_cloud_collapses_when_the_plug_is_pulled():
    frames = CloudFlow(start="ring", num_directions=1, num_samples=64, **{WEIGHT: 0.0}).run(Phase(60), every=30)
    stds = [frame.readings["std"] for frame in frames]
    assert stds[1:] == pytest.approx([stds[0] * (1 - RATE) ** 30, stds[0] * (1 - RATE) ** 60], rel=1e-4)


def test_one_fixed_direction_is_fooled_and_one_fresh_direction_is_not():
    given = {"num_samples": 128}
    fixed = last_readings(CloudFlow("one_fixed_direction", **given), Phase(200))
    fresh = last_readings(CloudFlow("one_fresh_direction", **given), Phase(200))
    assert fixed["sigreg"] < 0.1 < 20 < fixed["held_out"]
    assert fresh["held_out"] < 1
    assert fixed["effective_rank"] < 1.5 < 1.95 < fresh["effective_rank"]


def test_sigreg_wakes_a_third_dimension_that_was_dead():
    lab = CloudFlow(start="low_rank", dim=3, num_samples=128, num_directions=16, **{WEIGHT: 1.0})
    frames = lab.run(Phase(250), every=1000)
    assert frames[0].readings["effective_rank"] < 2.02
    assert frames[-1].readings["effective_rank"] > 2.5


# The reader's own score


def test_a_reader_s_score_is_followed():
    given = {"num_samples": 64, "num_directions": 4, "start": "ring"}
    own = CloudFlow(score=lambda z, _: len(z) * (z - 5).square().mean(), **given, **{WEIGHT: 1.0}, pull=False)
    frames = own.run(Phase(120), every=1000)
    torch.testing.assert_close(frames[-1].tensors["points"], torch.full((64, 2), 5.0), atol=0.1, rtol=0)
    assert frames[-1].readings["sigreg"] < 0.2  # the reader's own number
    assert frames[-1].readings["held_out"] > 20  # the library's


def test_a_different_score_gives_a_different_path_and_the_same_score_the_same():
    given = {"num_samples": 64, "num_directions": 4}
    library, same, other = (
        CloudFlow(score=score, **given).run(Phase(5))[-1].tensors["points"]
        for score in (sigreg, lambda z, d: sigreg(z, d), lambda z, d: 2 * sigreg(z, d))
    )
    assert torch.equal(library, same)
    assert not torch.allclose(library, other)


def test_a_score_is_given_samples_by_dim_and_dim_by_directions():
    seen = []

    def score(embeddings, directions):
        seen.append((tuple(embeddings.shape), tuple(directions.shape)))
        return sigreg(embeddings, directions)

    CloudFlow(score=score, num_samples=64, num_directions=5, dim=3).run(Phase(1))
    assert seen == [((64, 3), (3, 5))] * 2
