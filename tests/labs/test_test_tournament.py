"""The tournament's players are the library's tests, each cloud goes down its own test's slope, and captions hold."""

from __future__ import annotations

import itertools
import json

import pytest
import torch

from lewm_lite import asset_path, random_directions, seeded
from lewm_lite.labs import TestTournament
from lewm_lite.labs.dead_dimensions import WINDOW
from lewm_lite.labs.feeds import feed
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.test_tournament import NUM_SAMPLES, TITLES
from lewm_lite.labs.tournament import (
    AGAINST,
    REACH,
    SICK,
    SLOTS,
    carried_by,
    distance_from_normal,
    downhill,
    draw,
    judge,
    players,
    pushes,
    read_power,
    sick_cloud,
    write_down,
)
from lewm_lite.objectives.normality import NORMALITY_TESTS
from lewm_lite.objectives.shapiro_wilk import royston_weights

SMALL = {"num_samples": 32, "num_directions": 4}


def asked(against):
    return torch.tensor([float(against == known) for known in AGAINST])


def chosen(cloud):
    return torch.tensor([float(cloud == known) for known in SICK])


def cloud_and_directions(num_samples=40, *leading, seed=0):
    generator = seeded(seed)
    cloud = torch.randn(*leading, num_samples, 2, generator=generator) * torch.tensor([1.5, 0.4]) + 0.3
    return cloud, random_directions(2, 6, generator=generator)


def begun(lab):
    return lab.graphs()["start"].function(**feed(lab.graphs()["start"], lab.controls, lab.values, lab.banks(), {}, 0))


def stepped(lab, state, step=0):
    return lab.graphs()["step"].function(
        **feed(lab.graphs()["step"], lab.controls, lab.values, lab.banks(), state, step)
    )


# ------------------------------------------------------------------ the players


@pytest.mark.parametrize("against", AGAINST)
def test_each_player_is_the_librarys_test_of_its_question(against):
    cloud, directions = cloud_and_directions(40, 2)
    tests = players(asked(against), royston_weights(40).float())
    assert list(tests) == list(SLOTS) == list(TITLES)
    found = judge(tests, cloud, directions)
    for row, names in zip(found, SLOTS.values(), strict=True):
        test = NORMALITY_TESTS[names[AGAINST.index(against)]]
        torch.testing.assert_close(row, test.evidence(cloud @ directions).mean(-1), rtol=1e-4, atol=1e-5)


def test_a_test_of_the_readers_plays_in_the_last_place_and_nowhere_else():
    cloud, directions = cloud_and_directions()
    own = judge(
        players(asked("standard"), royston_weights(40).float(), lambda x: x.square().mean(-2)), cloud, directions
    )
    library = judge(players(asked("standard"), royston_weights(40).float()), cloud, directions)
    torch.testing.assert_close(own[-1], (cloud @ directions).square().mean())
    assert torch.equal(own[:-1], library[:-1]) and not torch.equal(own[-1], library[-1])


@pytest.mark.parametrize("against", AGAINST)
def test_each_cloud_is_pushed_by_its_own_test_alone(against):
    _, directions = cloud_and_directions()
    points = torch.randn(40, len(SLOTS), 2, generator=seeded(1))
    tests = players(asked(against), royston_weights(40).float())
    found, slope = pushes(tests, points, directions)
    for place, (test, evidence) in enumerate(zip(tests.values(), found, strict=True)):

        def of_one(cloud, test=test):
            return test(cloud @ directions).mean()

        torch.testing.assert_close(evidence, of_one(points[:, place]))
        torch.testing.assert_close(slope[:, place], torch.func.grad(of_one)(points[:, place]), rtol=1e-4, atol=1e-6)


# ------------------------------------------------------------------ clouds and steps


@pytest.mark.parametrize("cloud", SICK)
def test_a_dose_of_0_is_a_standard_gaussian_and_a_full_one_the_shape_itself(cloud):
    noise = torch.randn(4000, 5, generator=seeded(2))
    healthy = sick_cloud(noise, chosen(cloud), torch.tensor(0.0))
    torch.testing.assert_close(healthy, noise[:, 3:])
    whole = sick_cloud(noise, chosen(cloud), torch.tensor(1.0))
    torch.testing.assert_close(whole, SICK[cloud][1](noise[:, :3]))
    half = sick_cloud(noise, chosen(cloud), torch.tensor(0.5)).var(0)
    torch.testing.assert_close(half, 0.25 * whole.var(0) + 0.75, rtol=0.1, atol=0.05)


def test_no_two_repeats_seeds_or_clouds_share_numbers():
    table = TestTournament.banks()["normal"]
    rows = torch.arange(64.0)
    drawn = {}
    for seed, repeat in itertools.product(range(8), (0, 1, 2, 500)):
        healthy, noise, directions = draw(table, rows, rows, torch.tensor(float(seed)), torch.tensor(float(repeat)))
        torch.testing.assert_close(directions.norm(dim=0), torch.ones(64))
        drawn |= {(seed, repeat, which): part[:, 0] for which, part in enumerate((healthy, noise, directions.mT))}
    first = torch.stack([part / part.norm() for part in drawn.values()])
    assert (first @ first.mT - torch.eye(len(first))).abs().max() < 6 / 64**0.5


def test_a_step_goes_down_to_where_the_line_would_meet_0_and_no_farther_than_the_reach():
    slope = torch.randn(50, 2, 2, generator=seeded(3))
    near, far = 1e-3, 1e6
    move = downhill(slope, torch.tensor([near, far]))
    assert (slope[:, 0] * move[:, 0]).sum().item() == pytest.approx(-near, rel=1e-4)
    assert move[:, 1].square().sum(-1).mean().sqrt().item() == pytest.approx(REACH, rel=1e-4)
    cosine = -(slope * move).sum((0, 2)) / (slope.square().sum((0, 2)) * move.square().sum((0, 2))).sqrt()
    torch.testing.assert_close(cosine, torch.ones(2))
    assert not downhill(torch.zeros(5, 1, 2), torch.tensor([3.0])).any()


def test_the_share_that_carries_a_push_counts_the_points_that_are_pushed():
    slope = torch.zeros(20, 3, 2)
    slope[:5, 0] = torch.tensor([3.0, -4.0])
    slope[:, 1, 0] = 1e-12
    torch.testing.assert_close(carried_by(slope), torch.tensor([0.25, 1.0, 0.0]))


@pytest.mark.parametrize("num_samples", [32, 256])
def test_the_distance_is_in_standard_deviations_and_a_healthy_cloud_has_its_level(num_samples):
    banks, weights = TestTournament.banks(), royston_weights(num_samples).float()
    level, directions = banks[f"healthy_{num_samples}"], banks["around"].mT
    healthy = torch.randn(200, num_samples, 2, generator=seeded(4))
    assert distance_from_normal(healthy, directions, weights).mean().item() == pytest.approx(level.item(), rel=0.05)
    perfect = (weights * num_samples**0.5)[:, None] * torch.tensor([1.0, 0.0])  # along the first axis
    axis = torch.tensor([[1.0], [0.0]])
    assert distance_from_normal(perfect, axis, weights).item() == pytest.approx(0, abs=1e-5)
    assert distance_from_normal(perfect + torch.tensor([0.7, 5.0]), axis, weights).item() == pytest.approx(
        0.7, rel=1e-4
    )


def test_power_is_read_for_each_test_from_its_own_scores():
    null = torch.rand(2, WINDOW, generator=seeded(5))
    sick = torch.stack([null[0] + 10, null[1] - 10])
    assert read_power(null, sick, torch.tensor([60.0])).tolist() == [1.0, 0.0]
    scores = write_down(torch.zeros(2, WINDOW), torch.tensor([1.0, 2.0]), torch.tensor([WINDOW + 3.0]))
    assert scores[:, 3].tolist() == [1.0, 2.0] and scores.sum() == 3


# ------------------------------------------------------------------ the lab


def test_all_start_as_one_sick_sample_and_each_follows_its_test():
    lab = TestTournament(cloud="ring", **SMALL)
    state = begun(lab)
    points = state["points"]
    assert points.shape == (32, len(SLOTS), 2) and torch.equal(points, points[:, :1].expand_as(points))
    out = stepped(lab, state)
    torch.testing.assert_close(out["points"], points + out["move"])
    _, _, directions = draw(
        lab.banks()["normal"], torch.arange(32.0), torch.arange(4.0), torch.tensor(0.0), torch.tensor(1.0)
    )
    tests = players(asked("standard"), royston_weights(32).float())
    found, slope = pushes(tests, points, directions)
    torch.testing.assert_close(out["move"], downhill(slope, found))
    assert out["repeats"].item() == 2
    for place, slot in enumerate(SLOTS):
        assert out[f"{slot}_carried"].item() == pytest.approx(carried_by(slope)[place].item(), rel=1e-5)
        assert out["sick_scores"][place, 1] > 0 and out["sick_scores"][place, 2] == 0


def test_a_healthy_cloud_is_seen_as_seldom_as_false_alarms_allow():
    readings = TestTournament(cloud="isotropic", **SMALL).run(Phase(99), every=1000)[-1].readings
    assert all(readings[f"{slot}_power"] < 0.15 for slot in SLOTS)


def test_power_is_what_repeats_made_by_hand_find():
    """Scores of 200 clouds drawn here, not from the lab's table."""
    generator = seeded(6)
    given = {"num_samples": 64, "num_directions": 8}
    readings = TestTournament(cloud="heavy_tailed", dose=0.7, **given).run(Phase(119), every=1000)[-1].readings
    tests = players(asked("standard"), royston_weights(64).float())
    scores = torch.empty(2, 200, len(SLOTS))
    for repeat in range(200):
        directions = random_directions(2, 8, generator=generator)
        noise = torch.randn(64, 5, generator=generator)
        sick = sick_cloud(noise, chosen("heavy_tailed"), torch.tensor(0.7))
        healthy = torch.randn(64, 2, generator=generator)
        scores[:, repeat] = judge(tests, torch.stack([healthy, sick]), directions).mT
    wanted = (scores[1] > scores[0].quantile(0.95, dim=0)).float().mean(0)
    for place, slot in enumerate(SLOTS):
        assert abs(readings[f"{slot}_power"] - wanted[place].item()) < 0.2, slot


def test_a_loss_without_a_slope_leaves_its_cloud_where_it_is():
    lab = TestTournament(statistic=lambda shadows: 1 + 0 * shadows.mean(-2), **SMALL)
    frames = lab.run(Phase(10), every=5)
    first, last = frames[0].tensors["points"], frames[-1].tensors["points"]
    assert torch.equal(first[:, -1], last[:, -1]) and not torch.equal(first[:, 2], last[:, 2])
    assert frames[-1].readings["epps_pulley_carried"] == 0


@pytest.mark.parametrize("num_samples", NUM_SAMPLES)
def test_every_size_has_its_weights_and_its_level(num_samples):
    banks = TestTournament.banks()
    assert banks[f"royston_{num_samples}"].shape == (num_samples,)
    assert 0.05 < banks[f"healthy_{num_samples}"].item() < 0.4


# ------------------------------------------------------------------ what is shipped


@pytest.fixture(scope="module")
def shipped():
    manifest = json.loads(asset_path("labs/test_tournament/manifest.json").read_text(encoding="utf-8"))
    return {name: scene["last"]["readings"] for name, scene in manifest["scenes"].items()}


def of(readings, what):
    return {slot: readings[f"{slot}_{what}"] for slot in SLOTS}


def test_the_captions_say_what_the_recordings_hold(shipped):
    level = {count: TestTournament.banks()[f"healthy_{count}"].item() for count in (64, 128)}
    power, distance = of(shipped["far"], "power"), of(shipped["far"], "distance")
    assert min(power.values()) > 0.75
    arrived = {slot for slot in SLOTS if distance[slot] <= level[128]}
    assert arrived == {"anderson_darling", "moments"}
    assert min(distance[slot] for slot in set(SLOTS) - arrived) > 1

    power, distance = of(shipped["faint"], "power"), of(shipped["faint"], "distance")
    assert min(power.pop("shapiro_wilk"), power.pop("moments")) > 0.5
    assert max(power.values()) <= 0.25
    assert max(distance.values()) <= level[64]

    power, distance = of(shipped["clumps"], "power"), of(shipped["clumps"], "distance")
    assert set(power.values()) == {1.0}
    assert sorted(distance, key=distance.get)[:2] == ["anderson_darling", "epps_pulley"]
    assert distance["moments"] > 1.5 * distance["epps_pulley"]
    assert distance["shapiro_wilk"] > 2 * level[128]

    power, distance = of(shipped["any_normal"], "power"), of(shipped["any_normal"], "distance")
    assert max(power.values()) <= 0.06
    assert min(distance.values()) > 4 * level[128]


def test_the_still_says_the_numbers_of_the_run():
    lab = TestTournament("clumps", **SMALL)
    frame = lab.run(Phase(2), every=10)[-1]
    picture = TestTournament.draw_still([frame], lab.scene)
    assert f"Epps–Pulley: seen in {100 * frame.readings['epps_pulley_power']:.0f} %" in picture.alt
    drawing = picture.svg()
    for title in TITLES.values():
        assert title in drawing
    assert f"loss: {frame.readings['shapiro_wilk_distance']:.2f} σ off" in drawing


def test_bad_settings_are_refused_in_words():
    with pytest.raises(ValueError, match="num_samples must be one of"):
        TestTournament(num_samples=100)
    with pytest.raises(ValueError, match="cloud must be one of"):
        TestTournament(cloud="torus")
    with pytest.raises(ValueError, match="scene must be one of"):
        TestTournament("nothing")
