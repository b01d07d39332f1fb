"""Noise beside outcome: every value is drawn where it belongs, intervals included, and every line has its name."""

from __future__ import annotations

import pytest

from lewm_lite.figures.outcomes import noise_and_outcome

COUNTS = (1, 4, 16)
NOISE = {"2 dimensions": [1.0, 0.5, 0.25], "16 dimensions": [4.0, 2.0, 1.0]}
OUTCOMES = {"D = 16": {1: (0.8, 0.7, 0.9), 16: (0.88, 0.87, 0.89)}}


@pytest.fixture
def picture():
    return noise_and_outcome(
        COUNTS, NOISE, OUTCOMES, labels=("K", "noise", "probe R²"), alt="Noise falls with K and the outcome rises."
    )


def test_every_value_is_drawn(picture):
    left, right = picture.figure.axes
    assert [list(line.get_ydata()) for line in left.lines] == list(NOISE.values())
    means = right.containers[0].lines[0]
    assert list(means.get_ydata()) == [0.8, 0.88] and list(means.get_xdata()) == [1, 16]
    segments = right.collections[0].get_segments()
    assert [sorted(end[1] for end in segment) for segment in segments] == [
        pytest.approx([0.7, 0.9]),
        pytest.approx([0.87, 0.89]),
    ]


def test_lines_are_named_at_their_ends_and_ticks_are_the_counts(picture):
    left, right = picture.figure.axes
    assert {text.get_text() for text in left.texts} == set(NOISE)
    assert {text.get_text() for text in right.texts} == set(OUTCOMES)
    assert [label.get_text() for label in left.get_xticklabels()] == ["1", "4", "16"]
    assert "Noise falls" in picture.svg()


def test_an_outcome_is_named_above_its_end_where_it_is_the_highest_and_else_below():
    outcomes = {**OUTCOMES, "longer": {1: (0.86, 0.85, 0.87), 4: (0.9, 0.89, 0.91)}, "D = 128": {16: (0.7, 0.6, 0.8)}}
    alt = "Three lines of outcomes, each named."
    picture = noise_and_outcome(COUNTS, NOISE, outcomes, labels=("K", "noise", "R²"), alt=alt)
    sides = {text.get_text(): (text.xy[0], text.get_verticalalignment()) for text in picture.figure.axes[1].texts}
    assert sides == {"D = 16": (16, "bottom"), "longer": (4, "bottom"), "D = 128": (16, "top")}


def test_lines_do_not_differ_by_colour_alone(picture):
    left, _ = picture.figure.axes
    assert len({line.get_linestyle() for line in left.lines}) == len(NOISE)
