"""A curve is the mean over seeds, on a band that holds every seed, and has its name where no other name is."""

from __future__ import annotations

import numpy as np
import pytest

from lewm_lite.figures.lines import panels
from lewm_lite.figures.seeds import draw_seeds, moved_apart, seeds_picture
from lewm_lite.figures.theme import COLOURS, theme

CURVES = {"one": [[0.0, 1.0], [2.0, 5.0]]}
ALT = "Two panels of one curve each."


def heights(axes):
    return {text.get_text(): text.xy[1] for text in axes.texts}


def test_the_line_is_the_mean_and_the_band_the_range():
    with theme():
        _, (axes,) = panels()
        draw_seeds(axes, [0, 10], CURVES, colours={"one": "prediction"})
    (line,) = axes.lines
    assert line.get_ydata().tolist() == [1.0, 3.0] and line.get_color() == COLOURS["prediction"]
    corners = {tuple(point) for point in np.round(axes.collections[0].get_paths()[0].vertices, 6)}
    assert {(0.0, 0.0), (0.0, 2.0), (10.0, 1.0), (10.0, 5.0)} <= corners


def test_names_stand_at_the_curves_ends_unless_they_would_touch():
    apart = {"low": [[0.0, 0.0]], "high": [[0.0, 1.0]]}
    (axes,) = seeds_picture([0, 10], {"": apart}, alt=ALT, ylim=(0, 2)).figure.axes
    assert heights(axes) == {"low": 0.0, "high": 0.5}
    touching = {"upper": [[0.0, 1.02]], "lower": [[0.0, 1.0]]}
    (axes,) = seeds_picture([0, 10], {"": touching}, alt=ALT, ylim=(0, 2)).figure.axes
    lower, upper = heights(axes)["lower"], heights(axes)["upper"]
    assert 0.08 < upper - lower < 0.12 and abs((lower + upper) / 2 - 0.505) < 1e-6


def test_panels_share_their_scale_and_the_left_one_is_labelled():
    picture = seeds_picture([0, 10], {"left": CURVES, "right": CURVES}, alt=ALT, ylabel="y")
    left, right = picture.figure.axes
    assert (left.get_title(), right.get_title()) == ("left", "right")
    assert (left.get_ylabel(), right.get_ylabel()) == ("y", "")
    assert left.get_ylim() == right.get_ylim()


def test_labels_that_touch_stand_together_about_their_middle():
    assert moved_apart([0.5, 0.1], [0.1, 0.1]) == [0.5, 0.1]
    assert moved_apart([0.50, 0.52, 0.9], [0.1, 0.1, 0.1]) == pytest.approx([0.46, 0.56, 0.9])
    assert moved_apart([0.99, 1.0], [0.2, 0.1]) == pytest.approx([0.85, 1.0])  # none above the top
