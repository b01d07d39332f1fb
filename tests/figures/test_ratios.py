"""Ratios stand on logarithmic axes with plain ticks, and a falling x is drawn from left to right."""

from __future__ import annotations

from lewm_lite.figures.ratios import ratios_picture


def test_a_falling_x_runs_from_left_to_right_with_plain_ticks_and_1_is_marked():
    picture = ratios_picture(
        (4, 2, 1), {"better": (1, 0.5, 0.3), "worse": (1, 2, 3)}, alt="Two curves that part as x falls.",
        level="the same", yticks=(0.3, 1, 3), xlabel="radius",
    )  # fmt: skip
    (axes,) = picture.figure.axes
    assert axes.get_xlim()[0] > axes.get_xlim()[1]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["4", "2", "1"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["0.3", "1", "3"]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert {text.get_text() for text in axes.texts} == {"better", "worse", "the same"}
    assert any(list(line.get_ydata()) == [1, 1] for line in axes.lines)


def test_a_rising_x_is_left_as_it_is():
    picture = ratios_picture((1, 2), {"one": (1, 2)}, alt="One curve that rises with x.", level="same", yticks=(1, 2))
    assert picture.figure.axes[0].get_xlim()[0] < picture.figure.axes[0].get_xlim()[1]
