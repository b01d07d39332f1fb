"""Clouds stand in rows over their words; dots stand at their means, on their intervals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from lewm_lite import seeded
from lewm_lite.figures.zoo import clouds_in_rows, dots_picture, draw_dots

ROWS = {"one": {"a": (1.0, 0.5, 1.5), "b": (2.0, 1.9, 2.2)}, "two": {"a": (3.0, 2.0, 4.0), "b": (0.1, 0.0, 0.3)}}
MEANINGS = {"a": "healthy", "b": "collapsed"}


def test_every_cloud_has_its_name_and_its_words():
    clouds = {name: torch.randn(20, 2, generator=seeded(0)) for name in ("ring", "line", "point", "disc")}
    words = {name: f"std of the {name}" for name in clouds}
    picture = clouds_in_rows(clouds, words, alt="Four clouds of the same points.", columns=3)
    assert len(picture.figure.axes) == 6
    drawing = picture.svg()
    assert all(f">{name}<" in drawing and words[name] in drawing for name in clouds)


def test_a_dot_stands_at_its_mean_in_its_row_on_its_interval():
    axes = draw_dots(Figure().subplots(), ROWS, meanings=MEANINGS)
    dots = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    bars = [line for line in axes.lines if line.get_marker() not in ("o", "s")]
    assert [(float(np.squeeze(d.get_xdata())), int(np.squeeze(d.get_ydata()))) for d in dots] == [
        (1.0, 0), (2.0, 0), (3.0, 1), (0.1, 1)
    ]  # fmt: skip
    assert [list(bar.get_xdata()) for bar in bars] == [[0.5, 1.5], [1.9, 2.2], [2.0, 4.0], [0.0, 0.3]]
    assert {d.get_marker() for d in dots} == {"o", "s"}, "colour is not the only sign"
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first name stands at the top"


def test_panels_share_an_axis_and_carry_the_level():
    picture = dots_picture(
        {"upper": ROWS, "lower": ROWS},
        meanings=MEANINGS,
        alt="Two panels of dots with intervals.",
        level=("best", 1.0),
        xlim=(0, 5),
    )
    upper, lower = picture.figure.axes
    assert [label.get_text() for label in upper.get_yticklabels()] == ["one", "two"]
    assert upper.get_xlim() == lower.get_xlim() == (0, 5)
    assert sum(list(line.get_xdata()) == [1.0, 1.0] for line in lower.lines) == 1


def test_a_picture_without_words_is_refused():
    with pytest.raises(ValueError, match="alt must say in a sentence"):
        dots_picture({"": ROWS}, meanings=MEANINGS, alt="dots")
