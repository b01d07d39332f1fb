"""Every number stands in its cell, and a frame says what the tint says."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lewm_lite.figures.cells import draw_cells, grouped_cells, weights_picture
from lewm_lite.figures.theme import theme

ALT = "A table of shares, in two groups of columns."


def drawn(rows, **options):
    with theme():
        axes = Figure().subplots()
        return draw_cells(axes, rows, ["a", "b"], written=lambda x: f"{x:g}", low=0, high=1, **options)


def test_numbers_stand_where_their_row_and_column_meet():
    axes = drawn({"first": [0.1, 0.2], "second": [0.3, 0.4]})
    assert {text.get_text(): text.get_position() for text in axes.texts} == {
        "0.1": (0, 0),
        "0.2": (1, 0),
        "0.3": (0, 1),
        "0.4": (1, 1),
    }
    low, high = axes.get_ylim()
    assert low > high  # the first row is at the top


def test_a_tint_grows_with_the_number_and_keeps_to_its_range():
    axes = drawn({"row": [0.5, 7.0]})
    half, full = (patch.get_facecolor()[3] for patch in axes.patches)
    assert full == pytest.approx(2 * half)
    assert [patch.get_facecolor()[3] for patch in drawn({"row": [-1.0, 0.0]}).patches] == [0, 0]


def test_what_is_framed_has_a_frame_and_bold_type():
    axes = drawn({"row": [0.1, 0.9]}, framed=lambda x: x > 0.5)
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle) and not patch.get_fill()]
    assert len(frames) == 1 and frames[0].get_x() > 0
    assert [text.get_weight() for text in axes.texts] == ["normal", "bold"]


def test_groups_stand_side_by_side_in_per_cent():
    rows = {"line": {"variance": [0.051], "SIGReg": [0.5, 1.0]}}
    picture = grouped_cells(rows, {"variance": ["256"], "SIGReg": ["64", "256"]}, over="N", alt=ALT)
    assert [axes.get_title() for axes in picture.figure.axes] == ["variance", "SIGReg"]
    assert [[text.get_text() for text in axes.texts] for axes in picture.figure.axes] == [["5", "N ="], ["50", "100"]]
    assert picture.alt == ALT


def test_weights_stand_above_a_single_weight():
    picture = weights_picture(
        {"0.1": [0.5, 0.9]},
        ["1", "10"],
        {"0.01": 0.88, "0.1": 0.6},
        good_from=0.87,
        names=("v", "c", "λ"),
        alt=ALT,
    )
    above, below = picture.figure.axes
    assert [text.get_text() for text in above.texts] == ["0.50", "0.90"]
    assert [text.get_weight() for text in below.texts] == ["bold", "normal"]
    assert (above.get_ylabel(), above.get_xlabel(), below.get_xlabel()) == ("v", "c", "λ")
