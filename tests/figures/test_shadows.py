"""A shadow's pictures show the numbers that they were given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from lewm_lite.figures.shadows import draw_arrows, draw_gap, shadow_moments
from lewm_lite.figures.theme import COLOURS, theme
from lewm_lite.labs import OneShadow
from lewm_lite.labs.lab import Phase


@pytest.fixture
def axes():
    with theme():
        yield Figure().subplots()


def test_every_arrow_starts_in_the_middle_and_the_thick_one_is_the_mean(axes):
    arrows = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, -0.8]])
    draw_arrows(axes, arrows, (0.53, 0.07), 0.3, COLOURS, "red")
    *spokes, heads, mean, ring = axes.lines
    assert len(spokes) == 3
    for spoke, arrow in zip(spokes, arrows, strict=True):
        assert spoke.get_xydata().tolist() == [[0, 0], arrow.tolist()]
    assert heads.get_xydata().tolist() == arrows.tolist()
    assert mean.get_xydata().tolist() == [[0, 0], [0.53, 0.07]] and mean.get_color() == "red"
    assert ring.get_xydata().tolist() == [[0.3, 0]]


def test_the_gap_is_shaded_between_the_real_part_and_the_bell(axes):
    curve = np.array([[1.0, 0.0, 1.0], [0.5, 0.2, 0.8], [-0.1, 0.3, 0.4]])
    draw_gap(axes, curve, COLOURS, "red")
    wanted, imag, real = (line.get_ydata().tolist() for line in axes.lines)
    assert (real, imag, wanted) == ([1, 0.5, -0.1], [0, 0.2, 0.3], [1, 0.8, 0.4])
    assert axes.lines[0].get_xdata().tolist() == [0, 1.5, 3]
    assert len(axes.collections) == 1


def test_the_moments_are_those_that_score_most_and_least_and_the_words_say_so():
    frames = OneShadow("two_sides", num_samples=64).run(Phase(180), every=30)
    scores = [frame.readings["statistic"] for frame in frames]
    picture = shadow_moments(frames)
    assert f"scores {max(scores):.2f}" in picture.alt and f"scores {min(scores):.2f}" in picture.alt
    titles = [axes.get_title() for axes in picture.figure.axes]
    assert f"scores {max(scores):.2f}" in titles and f"scores {min(scores):.2f}" in titles


def test_where_the_shadow_stays_two_moments_of_t_are_shown():
    phases = [Phase(1, {"t": t}) for t in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)]
    frames = OneShadow("arrows", num_samples=64).run(*phases)
    titles = [axes.get_title() for axes in shadow_moments(frames).figure.axes]
    assert [title for title in titles if title.startswith("arrows")] == ["arrows at t = 1.0", "arrows at t = 2.5"]
