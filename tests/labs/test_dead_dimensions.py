"""Each repeat draws what it says, the readings are those of the repeats, and the power is what others find it to be."""

import itertools

import numpy as np
import pytest
import torch

from lewm_lite import random_directions, seeded, sigreg
from lewm_lite.labs import DeadDimensions
from lewm_lite.labs.controls import Choice, Range
from lewm_lite.labs.dead_dimensions import KINDS, MAX_DIM, TABLE_SIZE, WINDOW, read_scores, repeat_once
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.noise import normal_table
from lewm_lite.labs.recording import pack

TABLE = normal_table(TABLE_SIZE)
SMALL = {"dim": 8, "dead": 0, "num_samples": 32, "num_directions": 4}
WHOLE = Phase(WINDOW - 1)


def drawn(*, dim=64, dead=8, num_samples=32, num_directions=5, seed=0, repeats=0, kind="silent"):
    """What one repeat hands to the score, healthy cloud first, and what it puts out."""
    seen = []

    def score(embeddings, directions):
        seen.append((embeddings, directions))
        return sigreg(embeddings, directions)

    out = repeat_once(
        TABLE,
        torch.arange(float(num_samples)),
        torch.arange(float(num_directions)),
        *(torch.tensor(float(number)) for number in (seed, dim, dead)),
        torch.tensor([float(kind == known) for known in KINDS]),
        repeats=torch.tensor(float(repeats)),
        score=score,
    )
    return seen, out


def last(lab, *phases):
    return lab.run(*phases, every=10_000)[-1]


def power(**given):
    return last(DeadDimensions(**given), WHOLE).readings["power"]


# One repeat


@pytest.mark.parametrize(("dim", "dead"), [(64, 8), (2, 1), (256, 255), (192, 10), (5, 0)])
def test_live_coordinates_are_standard_normal_and_dead_ones_are_0(dim, dead):
    ((healthy, directions), (cloud, same)), _ = drawn(dim=dim, dead=dead, num_samples=1024)
    assert healthy.shape == cloud.shape == (1024, MAX_DIM) and directions.shape == (MAX_DIM, 5)
    assert directions is same
    for points, live in ((healthy, dim), (cloud, dim - dead)):
        assert points[:, :live].std(0).sub(1).abs().max() < 0.15
        assert points[:, :live].mean(0).abs().max() < 0.15
        assert not points[:, live:].any()
    assert not directions[dim:].any()
    torch.testing.assert_close(directions.norm(dim=0), torch.ones(5))


@pytest.mark.parametrize("dim", [2, 64, 256])
def test_scores_are_the_library_s_of_the_dimensions_there_are(dim):
    given, (null, score, _) = drawn(dim=dim, dead=dim // 2)
    for (points, directions), found in zip(given, (null, score), strict=True):
        torch.testing.assert_close(found, sigreg(points[:, :dim], directions[:dim]), rtol=1e-5, atol=1e-5)


def test_the_variances_are_those_of_the_cloud_and_tell_which_coordinates_there_are():
    (_, (cloud, _)), (_, _, variances) = drawn(dim=40, dead=15)
    torch.testing.assert_close(variances[:25], cloud[:, :25].var(0, correction=0))
    assert (variances[25:40] == 0).all()
    assert (variances[40:] == -1).all()


def test_the_full_energy_is_kept_by_what_lives():
    (_, (silent, _)), _ = drawn(dim=64, dead=48)
    (_, (loud, _)), (_, _, variances) = drawn(dim=64, dead=48, kind="full_energy", num_samples=1024)
    torch.testing.assert_close(loud[:32], 2 * silent)
    assert variances.clamp_min(0).sum().item() == pytest.approx(64, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dim", "dead"), [(64, 255), (2, 2), (2, 255), (64, 64)])
def test_more_dead_dimensions_than_there_are_count_as_all(dim, dead, kind):
    (_, (cloud, _)), (null, score, variances) = drawn(dim=dim, dead=dead, kind=kind)
    assert not cloud.any()
    assert score.item() == pytest.approx(0.40205 * 32, rel=1e-4)  # all values at 0: see epps_pulley
    assert 0 < null.item() < 5
    assert (variances[:dim] == 0).all() and (variances[dim:] == -1).all()


def test_the_two_clouds_the_directions_other_repeats_and_other_seeds_share_nothing():
    tables = {}
    for seed, repeats in itertools.product(range(8), (0, 1, 2, 199, 100_000)):
        ((healthy, directions), (cloud, _)), _ = drawn(dim=256, dead=0, seed=seed, repeats=repeats)
        tables |= {(seed, repeats, 0): healthy, (seed, repeats, 1): cloud, (seed, repeats, 2): directions.mT}
    first = torch.stack([table[0] / table[0].norm() for table in tables.values()])
    likeness = first @ first.mT - torch.eye(len(first))
    assert likeness.abs().max() < 6 / 256**0.5


# What the repeats say


def filled(count, *, seed=0):
    """Scores of ``count`` repeats, and in the places that are still free numbers that must not be read."""
    scores = 1 + 0.3 * torch.rand(2, WINDOW, generator=seeded(seed))
    scores[1] += 0.1
    scores[:, count:] = torch.tensor([[-100.0], [1000.0]])
    return scores


@pytest.mark.parametrize("false_alarms", [1, 5, 20])
@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 21, 101, 199, 200, 201, 5000])
def test_the_readings_are_numpy_s(count, false_alarms):
    kept = min(count, WINDOW)
    null, dead = filled(kept, seed=count)
    read = read_scores(null, dead, torch.tensor([float(count)]), torch.tensor(float(false_alarms)))
    healthy, scores = null[:kept].double().numpy(), dead[:kept].double().numpy()
    line = np.quantile(healthy, 1 - false_alarms / 100)
    assert read["line"].item() == pytest.approx(line, rel=1e-5)
    assert read["power"].item() == pytest.approx((scores > line).mean())
    assert read["sigreg"].item() == pytest.approx(scores.mean(), rel=1e-5)
    assert read["null_sigreg"].item() == pytest.approx(healthy.mean(), rel=1e-5)


def test_a_count_that_was_rounded_in_a_recording_is_read_as_the_whole_number():
    null, dead = filled(20)
    read = [read_scores(null, dead, torch.tensor([count]), torch.tensor(5.0)) for count in (20.0, 19.997, 20.003)]
    assert read[0] == read[1] == read[2]


def counting():
    """A score that is how often it was asked: 1 for the first healthy cloud, 2 for the first dead one, and so on."""
    asked = itertools.count(1)
    return lambda embeddings, directions: embeddings.sum() * 0 + next(asked)


def test_each_step_adds_a_repeat_and_after_a_full_window_the_oldest_goes():
    lab = DeadDimensions(score=counting(), **SMALL)
    frames = lab.run(Phase(WINDOW + 2))
    for step in (0, 1, 57, WINDOW - 1):
        null, dead = frames[step].tensors["null_scores"], frames[step].tensors["dead_scores"]
        assert frames[step].tensors["repeats"].item() == step + 1
        assert null.tolist() == [2.0 * k + 1 for k in range(step + 1)] + [0.0] * (WINDOW - step - 1)
        assert dead.tolist() == [2.0 * k + 2 for k in range(step + 1)] + [0.0] * (WINDOW - step - 1)
        assert frames[step].readings["sigreg"] == pytest.approx(step + 2)
        assert frames[step].readings["null_sigreg"] == pytest.approx(step + 1)
    null = frames[-1].tensors["null_scores"].tolist()
    assert frames[-1].tensors["repeats"].item() == WINDOW + 3
    assert null == [2.0 * k + 1 for k in (WINDOW, WINDOW + 1, WINDOW + 2, *range(3, WINDOW))]


def test_the_variances_shown_are_those_of_the_last_repeat_that_is_shown():
    frame = last(DeadDimensions(**{**SMALL, "dead": 3}), Phase(4))
    *_, variances = drawn(**{**SMALL, "dead": 3}, repeats=4)[1]
    assert torch.equal(frame.tensors["variances"], variances)
    assert frame.tensors["null_scores"][4] == drawn(**SMALL, repeats=4)[1][0]


def test_the_line_moves_at_once_when_more_false_alarms_are_allowed():
    few, many = DeadDimensions(dim=16, dead=2, num_samples=64, num_directions=8).run(
        Phase(60), Phase(1, {"false_alarms": 20})
    )[-3:-1]
    assert (few.step, many.step) == (59, 60)
    assert many.readings["line"] < few.readings["line"]
    assert many.readings["power"] > few.readings["power"]


# The power


def epps_pulley_in_numpy(shadow):
    knots = np.linspace(0, 3, 17)
    normal = np.exp(-(knots**2) / 2)
    angles = shadow[:, None] * knots
    misfit = (np.cos(angles).mean(0) - normal) ** 2 + np.sin(angles).mean(0) ** 2
    heights = misfit * normal
    return 2 * len(shadow) * np.sum((heights[1:] + heights[:-1]) / 2 * np.diff(knots))


def power_in_numpy(dim, dead, num_samples, num_directions, *, repeats=200, loud=1.0):
    """The same experiment with another generator and the statistic by its direct formula."""
    random = np.random.default_rng(0)
    found = {}
    for live in (dim, dim - dead):
        scores = []
        for _ in range(repeats):
            cloud = np.zeros((num_samples, dim))
            cloud[:, :live] = (1.0 if live == dim else loud) * random.standard_normal((num_samples, live))
            directions = random.standard_normal((dim, num_directions))
            shadows = cloud @ (directions / np.linalg.norm(directions, axis=0))
            scores.append(np.mean([epps_pulley_in_numpy(shadow) for shadow in shadows.T]))
        found[live] = np.array(scores)
    return (found[dim - dead] > np.quantile(found[dim], 0.95)).mean()


@pytest.mark.parametrize(
    ("dim", "dead", "num_samples", "num_directions", "kind"),
    [(16, 2, 64, 16, "silent"), (8, 4, 32, 8, "silent"), (16, 8, 64, 16, "full_energy")],
)
def test_the_power_is_what_an_experiment_in_numpy_finds(dim, dead, num_samples, num_directions, kind):
    sizes = {"dim": dim, "dead": dead, "num_samples": num_samples, "num_directions": num_directions}
    loud = (dim / (dim - dead)) ** 0.5 if kind == "full_energy" else 1.0
    expected = power_in_numpy(*sizes.values(), loud=loud)
    assert 0.12 < expected < 0.99, "a power at an end would agree with anything that sees, or sees nothing"
    found = np.mean([power(**sizes, dead_kind=kind, seed=seed) for seed in range(3)])
    assert found == pytest.approx(expected, abs=0.14)  # three times the spread of the two lines' places


def test_with_nothing_dead_the_power_is_the_share_of_false_alarms():
    found = {5: [], 20: []}
    for seed in range(6):
        frames = DeadDimensions(**SMALL, seed=seed).run(WHOLE, Phase(1, {"false_alarms": 20}))
        for frame in (frames[WINDOW - 2], frames[-1]):
            found[frame.values["false_alarms"]].append(frame.readings["power"])
    for false_alarms, powers in found.items():
        assert np.mean(powers) == pytest.approx(false_alarms / 100, abs=0.04), powers


def test_all_dead_is_always_seen():
    assert power(**{**SMALL, "dead": 255}) == 1


@pytest.mark.parametrize("more", [{"num_samples": 128}, {"num_directions": 64}, {"dead": 4}])
def test_more_samples_more_directions_or_more_dead_are_seen_more_often(more):
    few = {"dim": 16, "dead": 1, "num_samples": 64, "num_directions": 8}
    assert power(**{**few, "dead": 2, **more}) > power(**few) + 0.1


def test_the_same_variance_in_fewer_dimensions_is_hard_to_see():
    """Rank 8 of 192 with full energy: a few points above the floor at 128 samples, next to nothing at 32."""
    given = {"dim": 192, "dead": 184, "num_directions": 64}
    above = {}
    for kind, num_samples in itertools.product(KINDS, (32, 128)):
        readings = last(DeadDimensions(**given, dead_kind=kind, num_samples=num_samples), Phase(40)).readings
        above[kind, num_samples] = readings["sigreg"] - readings["null_sigreg"]
    assert 3 < above["full_energy", 128] < 4.5
    assert 0.5 < above["full_energy", 32] < 1.5
    assert above["silent", 128] > 40 and above["silent", 32] > 9


# The recorded runs: what their captions say


@pytest.fixture(scope="module")
def recorded():
    return {scene.name: last(DeadDimensions(scene.name)) for scene in DeadDimensions.scenes}


def test_ten_dead_of_192_are_not_seen_with_128_samples_and_are_with_1024(recorded):
    unseen, seen = recorded["unseen"].readings, recorded["seen"].readings
    assert recorded["unseen"].tensors["repeats"].item() == recorded["seen"].tensors["repeats"].item() == WINDOW
    assert unseen["power"] < 0.12
    assert unseen["sigreg"] - unseen["null_sigreg"] < 0.1, "the scores lie among those of healthy clouds"
    assert seen["power"] > 0.75
    assert abs(seen["null_sigreg"] - unseen["null_sigreg"]) < 0.05, "healthy clouds score as before"
    assert seen["sigreg"] > unseen["sigreg"] + 0.25


def test_ten_loud_dimensions_of_256_score_some_four_times_as_high_as_a_healthy_cloud(recorded):
    readings, variances = recorded["ten_live"].readings, recorded["ten_live"].tensors["variances"]
    assert readings["power"] == 1
    assert 3.5 < readings["sigreg"] / readings["null_sigreg"] < 4.5
    assert (variances > 0).sum() == 10 and (variances == 0).sum() == 246
    assert variances[:10].mean().item() == pytest.approx(25.6, rel=0.15)


def test_a_recording_can_be_continued(recorded):
    """It keeps sixteen bits of each number; the count must still be whole, and the readings the same to the eye."""
    frame = recorded["unseen"]
    kept = pack(DeadDimensions("unseen"), [frame])
    assert len(kept) < 10_000
    rounded = {}
    for name, tensor in frame.tensors.items():
        scale = tensor.abs().max() / 32767
        rounded[name] = (tensor / scale).round() * scale
    read = read_scores(rounded["null_scores"], rounded["dead_scores"], rounded["repeats"], torch.tensor(5.0))
    assert {name: value.item() for name, value in read.items()} == pytest.approx(frame.readings, abs=1e-4)


# What tools and tests rely on (the table of controls in the design)


def test_the_controls_have_the_names_ranges_and_defaults_that_others_rely_on():
    ranges = {c.name: (c.low, c.high, c.default, c.step) for c in DeadDimensions.controls if isinstance(c, Range)}
    assert ranges == {
        "dim": (2, 256, 64, 1),
        "dead": (0, 255, 8, 1),
        "num_samples": (32, 1024, 128, 32),
        "num_directions": (1, 256, 64, 1),
        "false_alarms": (1, 20, 5, 1),
        "seed": (0, 7, 0, 1),
    }
    (menu,) = (control for control in DeadDimensions.controls if isinstance(control, Choice))
    assert menu.name == "dead_kind" and tuple(value for value, _ in menu.options) == KINDS
    moving = {control.name for control in DeadDimensions.controls if not control.restarts}
    assert moving == {"false_alarms"}, "the repeats so far would be of another experiment"


def test_the_readings_are_what_a_step_puts_out():
    graphs = DeadDimensions().graphs()
    names = tuple(reading.name for reading in DeadDimensions.readings)
    assert names == ("power", "sigreg", "null_sigreg", "line")
    assert graphs["step"].outputs == graphs["start"].outputs + names


def test_the_banks_are_the_same_each_time_and_small():
    banks, again = DeadDimensions.banks(), DeadDimensions.banks()
    assert banks.keys() == again.keys() and all(torch.equal(banks[name], again[name]) for name in banks)
    assert sum(bank.numel() * 4 for bank in banks.values()) < 2**17


@pytest.mark.parametrize("control", [c for c in DeadDimensions.controls if isinstance(c, Range)], ids=lambda c: c.name)
def test_every_slider_runs_at_both_its_ends(control):
    for value in (control.low, control.high):
        frame = last(DeadDimensions(**{**SMALL, control.name: value}), Phase(2))
        assert all(np.isfinite(reading) for reading in frame.readings.values())


def test_the_same_seed_repeats_its_path_and_another_takes_another():
    one, same, other = (last(DeadDimensions(**SMALL, seed=seed), Phase(5)) for seed in (2, 2, 3))
    assert torch.equal(one.tensors["null_scores"], same.tensors["null_scores"])
    assert not torch.isclose(one.tensors["null_scores"][:6], other.tensors["null_scores"][:6]).any()


def test_unknown_scenes_controls_and_values_are_refused():
    with pytest.raises(ValueError, match=r"scene must be one of \['unseen', 'seen', 'ten_live'\], got 'plug'"):
        DeadDimensions("plug")
    with pytest.raises(ValueError, match="no control named fresh: this lab has dim, dead, num_samples"):
        DeadDimensions(fresh=True)
    with pytest.raises(ValueError, match="dim must be a number from 2 to 256, got 1"):
        DeadDimensions(dim=1)
    with pytest.raises(ValueError, match="num_samples goes from 32 in steps of 32, got 100"):
        DeadDimensions(num_samples=100)
    with pytest.raises(ValueError, match=r"dead_kind must be one of \['silent', 'full_energy'\], got 'rotated'"):
        DeadDimensions(dead_kind="rotated")


# The reader's own score


def test_a_score_that_is_blind_to_what_is_dead_is_noticed():
    """It looks at the first eight coordinates only, which live in every cloud, and so sees no difference."""
    directions = random_directions(8, 16, generator=seeded(0))
    given = {"dim": 16, "dead": 8, "num_samples": 64, "num_directions": 16}
    blind = [power(**given, seed=seed, score=lambda z, _: sigreg(z[:, :8], directions)) for seed in range(3)]
    assert np.mean(blind) < 0.12
    assert power(**given) > 0.9


def test_a_score_without_its_factor_n_has_the_same_power():
    given = {"dim": 16, "dead": 2, "num_samples": 64, "num_directions": 16}
    library, other = (
        last(DeadDimensions(**given, score=score), Phase(60)).readings
        for score in (sigreg, lambda z, directions: sigreg(z, directions) / len(z))
    )
    assert other["power"] == library["power"]
    assert other["sigreg"] == pytest.approx(library["sigreg"] / 64, rel=1e-4)


# The still


def test_the_still_says_the_numbers_of_the_run(recorded):
    for scene in DeadDimensions.scenes:
        picture = DeadDimensions.draw_still([recorded[scene.name]], scene)
        readings = recorded[scene.name].readings
        seen = round(readings["power"] * WINDOW)
        assert f"Of 200 scores with dead dimensions, {seen} lie above the line at {readings['line']:.2f}" in picture.alt
        assert f"seen in {seen} of 200 repeats" in picture.svg()
