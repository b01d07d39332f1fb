"""A shadow's readings are those of its definition, every angle's statistic is a shadow's, and the stories hold."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors import safe_open

from lewm_lite import epps_pulley, random_directions, seeded, sigreg
from lewm_lite.embeddings.clouds import SHAPES, cloud_noise
from lewm_lite.labs import OneShadow
from lewm_lite.labs.controls import Choice, Range
from lewm_lite.labs.lab import Phase
from lewm_lite.labs.one_shadow import (
    ANGLES,
    CASTERS,
    MAX_SAMPLES,
    PACE,
    SEEDS,
    T_MAX,
    characteristic_curve,
    null_level,
    shadow_start,
    shadow_step,
)
from lewm_lite.labs.verdicts import compass
from lewm_lite.objectives.empirical_distribution import kolmogorov_smirnov

SEEDS_TRIED = range(3)


def gaussian(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def step(points, *, angle=0.0, turned=0.0, sweep=0.0, t=1.5, statistic=epps_pulley):
    scalars = (torch.tensor(value, dtype=torch.float64) for value in (angle, sweep, t))
    around = compass(ANGLES).double()
    at = torch.tensor([turned], dtype=torch.float64)
    return shadow_step(points, at, *scalars, around, statistic=statistic, level=3.0)


# One step


@pytest.mark.parametrize(("angle", "turned"), [(0, 0), (30, 0), (300, 80.5), (0, 725.5)], ids=str)
def test_the_readings_are_those_of_the_shadow_along_the_angle_and_what_it_has_turned(angle, turned):
    points = gaussian(80, 2) * torch.tensor([1.3, 0.4], dtype=torch.float64) + 0.5
    radians = math.radians(angle + turned)
    shadow = points[:, 0] * math.cos(radians) + points[:, 1] * math.sin(radians)
    out = step(points, angle=angle, turned=turned, t=0.8)
    mean_arrow = np.exp(0.8j * shadow.numpy()).mean()
    assert out["mean"].item() == pytest.approx(shadow.mean().item())
    assert out["std"].item() == pytest.approx(shadow.numpy().std())
    assert out["gap"].item() == pytest.approx(abs(mean_arrow - math.exp(-0.32)))
    assert out["mean_arrow"].tolist() == pytest.approx([mean_arrow.real, mean_arrow.imag])
    assert out["wanted"].item() == pytest.approx(math.exp(-0.32))
    expected = torch.stack([(0.8 * shadow).cos(), (0.8 * shadow).sin()], 1)
    torch.testing.assert_close(out["arrows"], expected)
    assert out["statistic"].item() == pytest.approx(epps_pulley(shadow[:, None]).item())
    assert out["area"].item() == out["statistic"].item()
    assert torch.equal(out["points"], points)


def test_the_statistics_around_are_those_of_shadows_and_their_mean_is_sigreg():
    points = gaussian(80, 2) @ torch.tensor([[1.0, 0.5], [0.0, 0.6]], dtype=torch.float64)
    out = step(points)
    for row in (0, 17, 89):
        same = step(points, angle=180 * row / ANGLES)["statistic"].item()
        assert out["around_statistics"][row].item() == pytest.approx(same, rel=1e-5)
    assert out["sigreg"].item() == pytest.approx(out["around_statistics"].mean().item())
    many = random_directions(2, 4000, generator=seeded(1)).double()
    assert out["sigreg"].item() == pytest.approx(sigreg(points, many).item(), rel=0.02)


def test_the_curve_is_the_mean_arrow_at_every_t_and_the_area_under_the_gap_the_statistic():
    shadow = gaussian(90) * 0.7 + 0.4
    curve = characteristic_curve(shadow)
    t = np.linspace(0, T_MAX, len(curve))
    means = np.exp(1j * t[:, None] * shadow.numpy()).mean(1)
    expected = np.stack([means.real, means.imag, np.exp(-t * t / 2)], 1)
    np.testing.assert_allclose(curve.numpy(), expected, atol=1e-9)
    out = step(torch.stack([shadow, 0 * shadow], 1))
    np.testing.assert_allclose(out["excess"], 2 * abs(means - expected[:, 2]) ** 2 * expected[:, 2], atol=1e-9)
    assert out["area"].item() == pytest.approx(90 * np.trapezoid(out["excess"][::3], t[::3]), rel=1e-6), "at the knots"
    assert out["area"].item() == pytest.approx(90 * np.trapezoid(out["excess"], t), rel=0.01), "and as it is drawn"


def test_it_turns_by_itself_only_when_told():
    points = gaussian(9, 2)
    assert step(points, turned=7.0)["turned"].item() == 7
    assert step(points, turned=7.0, sweep=1.0)["turned"].item() == 7 + PACE


def test_another_statistic_judges_and_the_area_stays_epps_and_pulley_s():
    points = gaussian(50, 2) * 0.5
    out = step(points, angle=40, statistic=lambda shadows: shadows.var(0))
    expected = (points @ compass(ANGLES).double().mT).var(0)
    torch.testing.assert_close(out["around_statistics"], expected)
    assert out["statistic"].item() == pytest.approx(expected[20].item(), rel=1e-5)
    assert out["area"].item() == pytest.approx(step(points, angle=40)["statistic"].item())


def test_the_lab_hands_its_statistic_on_and_asks_it_what_normal_samples_score():
    lab = OneShadow(statistic=lambda shadows: shadows.square().mean(0) - 1, num_samples=64)
    frame = lab.run(Phase(0))[0]
    assert frame.readings["statistic"] == pytest.approx(
        frame.readings["std"] ** 2 + frame.readings["mean"] ** 2 - 1, abs=1e-5
    )
    bound = 1.645 * math.sqrt(2 / 64)  # chi-square with 64 degrees, as a normal
    assert frame.tensors["level"].item() == pytest.approx(bound, rel=0.15)

    def broken(shadows):
        raise ArithmeticError("a mistake of my own")

    with pytest.raises(ArithmeticError, match="a mistake of my own"):
        OneShadow(statistic=broken)


@pytest.mark.parametrize("num_samples", [64, 1024])
def test_the_level_is_one_that_95_in_100_normal_samples_stay_below_whatever_their_size(num_samples):
    ideal = torch.randn(num_samples, 2000, generator=seeded(0))
    share = (epps_pulley(ideal) <= null_level(epps_pulley)).double().mean().item()
    assert share == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("num_samples", [64, 1024])
def test_the_level_of_another_statistic_is_that_of_samples_as_large_as_the_cloud(num_samples):
    lab = OneShadow(statistic=kolmogorov_smirnov, num_samples=num_samples)
    levels = [frame.tensors["level"].item() for frame in lab.run(Phase(1))]
    assert levels[0] == levels[1]
    ideal = torch.randn(num_samples, 2000, generator=seeded(0))
    share = (kolmogorov_smirnov(ideal) <= levels[0]).double().mean().item()
    assert share == pytest.approx(0.95, abs=0.015)


# The start


@pytest.mark.parametrize("name", CASTERS)
def test_a_start_is_the_cloud_of_that_name(name):
    noise = cloud_noise(30, 2, generator=seeded(0))
    shape = torch.tensor([float(name == known) for known in CASTERS])
    out = shadow_start(noise, shape)
    expected = {"shifted": noise[:, :2] + torch.tensor([0.8, 0.3]), "small": 0.6 * noise[:, :2]}
    torch.testing.assert_close(out["points"], expected[name] if name in expected else SHAPES[name](noise))
    assert out["turned"].tolist() == [0]


# What tools and tests rely on


def test_the_controls_have_names_and_ranges_that_others_rely_on():
    ranges = {c.name: (c.low, c.high, c.default) for c in OneShadow.controls if isinstance(c, Range)}
    assert ranges == {"angle": (0, 359, 0), "t": (0, 3, 1.5), "num_samples": (64, 1024, 256), "seed": (0, 7, 0)}
    (menu,) = (c for c in OneShadow.controls if isinstance(c, Choice))
    assert tuple(value for value, _ in menu.options) == tuple(CASTERS)
    restarting = {control.name for control in OneShadow.controls if control.restarts}
    assert restarting == {"start", "angle", "num_samples", "seed"}


def test_a_step_puts_out_the_readings_and_what_is_drawn():
    outputs = OneShadow().graphs()["step"].outputs
    assert set(outputs) == set(step(gaussian(9, 2))) == set(OneShadow.recorded) | {r.name for r in OneShadow.readings}
    frame = OneShadow(num_samples=64).run(Phase(0))[0]
    shapes = {name: tuple(tensor.shape) for name, tensor in frame.tensors.items()}
    one = dict.fromkeys(("turned", "wanted", "area", "level"), (1,))
    assert shapes == {
        "points": (64, 2),
        "direction": (2,),
        "mean_arrow": (2,),
        "arrows": (60, 2),
        "around_statistics": (ANGLES,),
        "characteristic": (49, 3),
        "excess": (49,),
        **one,
    }


def test_the_banks_are_the_same_each_time_and_every_seed_has_rows_of_its_own():
    banks, again = OneShadow.banks(), OneShadow.banks()
    assert all(torch.equal(bank, again[name]) for name, bank in banks.items())
    assert len(banks["noise"]) == MAX_SAMPLES * SEEDS
    assert torch.equal(banks["around"], compass(ANGLES))


@pytest.mark.parametrize("control", [c for c in OneShadow.controls if isinstance(c, Range)], ids=lambda c: c.name)
def test_every_slider_runs_at_both_its_ends(control):
    for value in (control.low, control.high):
        frames = OneShadow(**{"num_samples": 64, control.name: value}).run(Phase(2))
        assert all(np.isfinite(list(frame.readings.values())).all() for frame in frames)


def test_unknown_scenes_controls_and_values_are_refused():
    with pytest.raises(ValueError, match=r"scene must be one of \['two_sides', 'arrows', 'moved'\]"):
        OneShadow("ring")
    with pytest.raises(ValueError, match="no control named num_directions: this lab has start, angle"):
        OneShadow(num_directions=3)
    with pytest.raises(ValueError, match="angle must be a number from 0 to 359, got 360"):
        OneShadow(angle=360)


# Runs: what the captions claim


@pytest.fixture(scope="module")
def recorded(root):
    """The readings of each scene as recorded, by name, and the level."""

    def read(scene):
        with safe_open(root / f"assets/labs/one_shadow/{scene}.safetensors", framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, a file is no dictionary
        readings = {name.removeprefix("readings."): kept[name] for name in kept if name.startswith("readings.")}
        scaled = {name: kept[f"tensors.{name}"] * scale for name, scale in about["scales"].items()}
        return readings, scaled, [values["t"] for values in about["values"]]

    return {scene.name: read(scene.name) for scene in OneShadow.scenes}


def test_in_the_recording_two_clumps_are_seen_from_one_side_and_not_from_the_other(recorded):
    readings, tensors, _ = recorded["two_sides"]
    level = tensors["level"][0].item()
    middle = len(readings["statistic"]) // 2  # a quarter turn on
    assert readings["statistic"][0] > 5 * level and readings["statistic"][-1] > 5 * level
    assert readings["statistic"][middle] < level
    assert torch.allclose(readings["std"], torch.ones(1), atol=0.05), "from no side the variance shows it"
    assert tensors["turned"][-1].item() == pytest.approx(180, abs=0.01)


def test_in_the_recorded_arrows_the_mean_follows_the_curve_of_the_bell(recorded):
    readings, tensors, t = recorded["arrows"]
    assert t[0] == 0 and max(t) == 3 and t[-1] == 1.5
    assert readings["gap"][0] < 1e-5 and readings["gap"].max() < 0.1
    assert tensors["arrows"][0, :, 0].min() > 0.999, "at t = 0 every arrow points to the right"
    assert tensors["mean_arrow"][60].norm() < 0.1 < 0.99 < tensors["mean_arrow"][0].norm()
    assert readings["statistic"].max() < tensors["level"].max()


def test_in_the_recording_a_moved_bell_fails_along_its_way_and_passes_across_it(recorded):
    readings, tensors, _ = recorded["moved"]
    assert (readings["std"] - 1).abs().max() < 0.08
    assert readings["statistic"].max() > 50 > tensors["level"].max() > readings["statistic"].min()
    assert readings["mean"].abs()[readings["statistic"].argmax()] > 0.7


@pytest.mark.parametrize("seed", SEEDS_TRIED)
def test_white_clumps_are_unlike_the_bell_from_one_side_only_whatever_the_seed(seed):
    def scores(angle):
        frame = OneShadow("two_sides", seed=seed, angle=angle).run(Phase(0))[0]
        return frame.readings["statistic"], frame.tensors["level"].item()

    (along, level), (across, _) = scores(0), scores(90)
    assert along > 5 * level and across < 1.5 * level
