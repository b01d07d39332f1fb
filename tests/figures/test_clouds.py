"""Clouds and shadows are drawn where they are, under the curve they are judged by, and told in words."""

import math
import re

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from lewm_lite import seeded
from lewm_lite.figures.clouds import cloud_moments, draw_points, draw_shadow, draw_target
from lewm_lite.figures.theme import COLOURS
from lewm_lite.labs.lab import Frame, Phase, Scene


@pytest.fixture
def axes():
    return Figure().subplots()


def gaussian(count, dim=2):
    return torch.randn(count, dim, generator=seeded(0))


def frames_of(stds, *, every=1, weight=0.1, points=None):
    points = gaussian(400) if points is None else points
    directions = torch.tensor([[0.6, 0.8], [1.0, 0.0]])
    return [
        Frame(
            every * place,
            {"lambda": weight},
            {"points": std * points, "directions": directions},
            {"std": float(std)},
        )
        for place, std in enumerate(stds)
    ]


def titles(picture):
    return [axes.get_title() for axes in picture.figure.axes if axes.get_title()]


# Points


def test_points_are_drawn_where_they_are_each_as_one_dot(axes):
    points = gaussian(30).numpy()
    draw_points(axes, points, COLOURS["healthy"])
    (patch,) = axes.patches
    ends = patch.get_path().vertices
    assert len(ends) == 2 * 30
    assert np.allclose(ends[::2], points)
    assert np.abs(ends[1::2] - points).max() < 0.01
    assert patch.get_capstyle() == "round"


def test_of_more_dimensions_the_first_two_are_drawn(axes):
    points = gaussian(30, 5).numpy()
    draw_points(axes, points, COLOURS["healthy"])
    assert np.allclose(axes.patches[0].get_path().vertices[::2], points[:, :2])


def test_drawing_leaves_the_points_alone(axes):
    points = gaussian(30).numpy()
    before = points.copy()
    draw_points(axes, points, COLOURS["healthy"])
    assert np.array_equal(points, before)


def test_points_have_the_colour_and_size_asked_for(axes):
    draw_points(axes, gaussian(3).numpy(), COLOURS["collapsed"], size=5)
    assert to_hex(axes.patches[0].get_edgecolor()) == COLOURS["collapsed"]
    assert axes.patches[0].get_linewidth() == 5


@pytest.mark.parametrize("draw", [lambda a: draw_points(a, gaussian(3).numpy(), "k"), lambda a: draw_target(a, "k"),
                                  lambda a: draw_shadow(a, gaussian(9).numpy()[:, 0], COLOURS, "k")])  # fmt: skip
def test_a_plot_gives_back_the_axes_it_was_given(draw, axes):
    assert draw(axes) is axes


# The target


def test_the_target_is_dashed_circles_of_one_and_two_standard_deviations(axes):
    draw_target(axes, COLOURS["target"])
    assert all(isinstance(patch, Circle) for patch in axes.patches)
    assert [patch.radius for patch in axes.patches] == [1, 2]
    assert all(patch.get_linestyle() == "--" and not patch.get_fill() for patch in axes.patches)


# The shadow


def heights(axes):
    (stairs,) = axes.patches
    return stairs.get_data()


def test_a_shadow_s_histogram_is_a_density(axes):
    draw_shadow(axes, gaussian(50_000).numpy()[:, 0], COLOURS, COLOURS["healthy"])
    values, edges, _ = heights(axes)
    assert (values * np.diff(edges)).sum() == pytest.approx(1)
    middles = (edges[1:] + edges[:-1]) / 2
    assert np.abs(values - np.exp(-(middles**2) / 2) / math.sqrt(2 * math.pi)).max() < 0.03


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_points_out_of_reach_are_counted_at_the_edge(axes, dtype):
    draw_shadow(axes, np.array([-50.0, -1.1, -0.5, 0.1, 0.5, 1.1, 1.5, 50.0], dtype), COLOURS, COLOURS["healthy"])
    values, edges, _ = heights(axes)
    shares = values * np.diff(edges)
    assert shares[[0, -1]].tolist() == pytest.approx([1 / 8, 1 / 8])
    assert shares.sum() == pytest.approx(1)


def test_a_collapsed_shadow_s_spike_is_cut_at_the_top(axes):
    draw_shadow(axes, np.zeros(100), COLOURS, COLOURS["collapsed"])
    values, _, _ = heights(axes)
    assert values.max() == pytest.approx(1.05)
    assert values.max() < axes.get_ylim()[1]


def test_the_curve_over_a_shadow_is_the_standard_normal_density(axes):
    draw_shadow(axes, gaussian(50).numpy()[:, 0], COLOURS, COLOURS["healthy"])
    (curve,) = axes.lines
    x, y = curve.get_data()
    assert np.allclose(y, np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))
    assert curve.get_linestyle() == "--"
    assert curve.get_color() == COLOURS["target"]


# Moments of a run


def scene(*steps):
    return Scene("a", "b", {}, tuple(Phase(count) for count in steps))


def test_the_moments_of_several_phases_are_the_start_and_the_end_of_each():
    picture = cloud_moments(frames_of(np.linspace(0.1, 1, 31)), scene(10, 5, 15))
    assert [title.split("\n")[0] for title in titles(picture)] == ["step 0", "step 9", "step 14", "step 30"]


def test_the_moments_of_a_single_phase_are_the_start_an_eighth_a_third_and_the_end():
    picture = cloud_moments(frames_of(np.linspace(0.1, 1, 25)), scene(24))
    assert [title.split("\n")[0] for title in titles(picture)] == ["step 0", "step 3", "step 8", "step 24"]


def test_between_two_frames_the_earlier_one_is_the_moment():
    picture = cloud_moments(frames_of([0.1, 0.5, 1, 1], every=8), scene(20, 4))
    assert [title.split("\n")[0] for title in titles(picture)] == ["step 0", "step 16", "step 24"]


def test_each_moment_says_its_spread_and_weight():
    picture = cloud_moments(frames_of([0.012, 0.4, 0.987], weight=0.001), scene(1, 1))
    assert [title.split("\n")[1] for title in titles(picture)] == [
        "std 0.01, λ 0.001",
        "std 0.01, λ 0.001",
        "std 0.99, λ 0.001",
    ]
    assert "λ 0.001" in picture.svg()


def test_a_collapsed_moment_has_another_colour_than_a_healthy_one():
    picture = cloud_moments(frames_of([0.01, 1.0]), scene(1, 0))
    colours = []
    for axes in picture.figure.axes:
        if axes.get_title():
            colours.append(to_hex(axes.patches[-1].get_edgecolor()))
    assert colours == [COLOURS["collapsed"], COLOURS["collapsed"], COLOURS["healthy"]]


def test_the_alternative_text_tells_every_moment():
    picture = cloud_moments(frames_of([0.01, 0.5, 1.0]), scene(1, 1))
    told = re.findall(r"at step (\d+) standard deviation (\d\.\d\d)", picture.alt)
    assert told == [("0", "0.01"), ("0", "0.01"), ("2", "1.00")]
    assert "3 moments" in picture.alt


def test_a_big_cloud_is_drawn_by_its_first_256_points_and_judged_by_all():
    picture = cloud_moments(frames_of([1.0, 1.0], points=gaussian(1000)), scene(1))
    top, bottom = picture.figure.axes[0], picture.figure.axes[4]
    assert len(top.patches[-1].get_path().vertices) == 2 * 256
    values, edges, _ = heights(bottom)
    shadow = (gaussian(1000) @ torch.tensor([0.6, 0.8])).double()
    expected, _ = np.histogram(shadow.clamp(-3.2, 3.2).numpy(), edges)
    assert np.abs(values * np.diff(edges) * 1000 - expected).max() < 1.01  # a point on an edge may go either way


def test_the_direction_whose_shadow_is_shown_is_drawn_through_the_cloud():
    picture = cloud_moments(frames_of([1.0, 1.0]), scene(1))
    (line,) = picture.figure.axes[0].lines
    assert line.get_xy1() == (0, 0)
    assert line.get_xy2() == pytest.approx((0.6, 0.8))
