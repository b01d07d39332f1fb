"""The good stretch is shaded in every panel, curves keep their own x, and a bar goes from the worst to the best."""

from __future__ import annotations

import numpy as np
import pytest

from lewm_lite.figures.sweeps import reach_picture, shifted_picture, sweep_picture

X = [0.01, 0.1, 1.0]
ALT = "Curves over a setting, as a test draws them."


def test_each_reading_has_its_panel_with_mean_level_and_the_good_stretch():
    picture = sweep_picture(
        X,
        {"probe R²": [[0.1, 0.9, 0.5], [0.3, 0.9, 0.7]], "rank": [[1, 4, 8]]},
        good=(0.05, 0.5),
        levels={"rank": ("four", 4.0)},
        marked=("λ = 0.1", 0.1),
        xlabel="λ",
        alt=ALT,
    )
    probe, rank = picture.figure.axes
    np.testing.assert_allclose(probe.lines[0].get_ydata(), [0.2, 0.9, 0.6])
    assert [text.get_text() for text in rank.texts] == ["four"] and rank.get_xlabel() == "λ"
    for axes in (probe, rank):
        assert axes.get_xscale() == "log"
        assert axes.patches[0].get_extents().transformed(axes.transData.inverted()).x0 == pytest.approx(0.05)


def test_curves_keep_their_own_x_on_each_scale():
    curves = {"N = 32": (X, [[0.0, 0.5, 1.0]]), "N = 128": ([0.1, 1.0, 10.0], [[0.0, 0.5, 1.0]])}
    left, right = shifted_picture({"λ": curves, "λ·N": dict(curves)}, ylabel="probe R²", alt=ALT).figure.axes
    assert [list(line.get_xdata()) for line in left.lines] == [X, [0.1, 1.0, 10.0]]
    assert (left.get_xlabel(), right.get_xlabel()) == ("λ", "λ·N")
    assert (left.get_ylabel(), right.get_ylabel()) == ("probe R²", "")
    assert [text.get_text() for text in left.texts] == list(curves) and not right.texts
    assert [text.xy[0] for text in left.texts] == pytest.approx([10**-1.5, 10**-0.5])  # the first of two equal rises
    assert len({line.get_linestyle() for line in left.lines}) == 2


def test_a_bar_goes_from_the_worst_setting_to_the_best_and_both_are_named():
    picture = reach_picture(
        {"λ": {"0.01": [0.8, 0.8], "0.1": [0.9, 0.9], "1": [0.7, 0.8]}, "knots": {"5": [0.88], "17": [0.9]}},
        usual={"λ": "0.1", "knots": "17"},
        levels={"untrained": 0.63},
        xlabel="probe R²",
        alt=ALT,
        xlim=(0.5, 1.0),
    )
    (axes,) = picture.figure.axes
    assert axes.lines[0].get_xdata() == pytest.approx([0.75, 0.9])
    assert [text.get_text() for text in axes.texts] == ["1", "0.1", "5", "17", "untrained"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["λ", "knots"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row at the top
