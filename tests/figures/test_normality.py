"""What the pictures of tests mark is where the numbers say it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from scipy import stats

from lewm_lite.figures.normality import SMALLEST, draw_steps, far_paths, four_views, gradients_picture, power_table
from lewm_lite.figures.theme import COLOURS, theme

ALT = "A picture of tests for the tests of pictures."


@pytest.mark.parametrize("moved", [-0.7, 0.0, 0.9])
def test_the_marked_gap_of_the_staircase_is_the_statistic_of_kolmogorov_and_smirnov(moved):
    sample = np.random.default_rng(0).normal(size=40) + moved
    with theme():
        axes = draw_steps(Figure().subplots(), sample, COLOURS, "red")
    mark = axes.lines[-1]
    (x, _), (low, high) = mark.get_xdata(), mark.get_ydata()
    found = stats.kstest(sample, "norm")
    assert abs(high - low) == pytest.approx(found.statistic)
    assert x == pytest.approx(found.statistic_location)


def test_the_four_views_are_of_one_sample():
    sample = np.linspace(-1, 1, 100)
    arrows = np.stack([np.cos(2 * sample), np.sin(2 * sample)], 1)
    picture = four_views(sample, arrows, np.ones((5, 3)), 2, alt=ALT)
    assert [axes.get_title() for axes in picture.figure.axes] == [
        "how many where",
        "how many so far",
        "as arrows, t = 2",
        "mean arrow, every t",
    ]


def test_the_power_table_writes_shares_in_per_cent_and_frames_those_that_are_nearly_all():
    rows = {"first": [0.04, 0.96], "second": [1.0, 0.5]}
    axes = power_table(rows, ["a b", "c"], lines=(1,), between=1, alt=ALT).figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["4", "96", "100", "50"]
    assert [text.get_text() for text in axes.texts if text.get_weight() == "bold"] == ["96", "100"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a\nb", "c"]


def test_a_push_outward_is_marked_and_a_push_too_small_lies_on_the_floor():
    far = np.linspace(3, 12, 61)
    pushes = {"out": np.full(61, -1e-3), "in": np.full(61, 1e-2), "none": np.zeros(61)}
    near = np.linspace(-1, 1, 5)
    picture = gradients_picture(near, {"in": near}, far, pushes, alt=ALT)
    right = picture.figure.axes[1]
    marks = [line for line in right.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert len(marks) == 1 and set(marks[0].get_ydata()) == {1e-3}
    assert min(line.get_ydata().min() for line in right.lines if len(line.get_ydata())) == SMALLEST
    names = {text.get_text(): text.xy[1] for text in right.texts}
    assert names["in"] > names["out"] > names["none"]


def test_names_at_one_height_are_set_apart():
    pushes = {name: np.full(7, 1e-3) for name in "abc"}
    near = np.linspace(-1, 1, 5)
    right = gradients_picture(near, {"a": near}, np.linspace(3, 12, 7), pushes, alt=ALT).figure.axes[1]
    heights = sorted(np.log10(text.xy[1]) for text in right.texts if text.get_text() in "abc")
    assert np.diff(heights).min() > 0.5


def test_the_far_samples_have_a_colour_of_their_own():
    path = torch.arange(12.0).reshape(3, 4).numpy()
    picture = far_paths([0, 1, 2], {"test": path}, far=[1], notes={"test": "noted"}, alt=ALT)
    (axes,) = picture.figure.axes
    coloured = [line for line in axes.lines if line.get_color() == COLOURS["collapsed"]]
    assert [line.get_ydata().tolist() for line in coloured] == [[1, 5, 9]]
    assert axes.get_title() == "test\nnoted"
