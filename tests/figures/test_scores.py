"""Piles hold every score once, on its side of the line; bars and crosses count the live and the dead."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lewm_lite.figures.scores import draw_piles, draw_variances, spectrum_and_scores
from lewm_lite.figures.theme import COLOURS
from lewm_lite.labs.lab import Frame

EDGES = np.geomspace(0.5, 4, 25)


@pytest.fixture
def axes():
    return Figure().subplots()


def frame(*, kept=40, window=50, live=6, dead=2, spare=4):
    scores = torch.linspace(0.8, 1.4, window)
    variances = torch.cat([torch.linspace(0.7, 1.3, live), torch.zeros(dead), -torch.ones(spare)])
    tensors = {"null_scores": scores, "dead_scores": 1.5 * scores, "repeats": torch.tensor([float(kept)])}
    readings = {"power": 0.75, "sigreg": 1.65, "null_sigreg": 1.1, "line": 1.3}
    return Frame(39, {"false_alarms": 5}, {**tensors, "variances": variances}, readings)


def test_every_score_is_one_dot_full_above_the_line_and_open_below(axes):
    scores = np.array([0.9, 1.0, 1.0, 1.2, 1.3, 1.31, 2.0, 3.0])
    tallest = draw_piles(axes, scores, EDGES, COLOURS["collapsed"], line=1.3)
    open_dots, full_dots = axes.lines
    assert len(open_dots.get_xdata()) == 5 and len(full_dots.get_xdata()) == 3
    assert open_dots.get_markerfacecolor() == "none"
    assert to_hex(full_dots.get_markerfacecolor()) == COLOURS["collapsed"]
    dots = np.concatenate([np.column_stack(line.get_data()) for line in axes.lines])
    assert len(np.unique(dots, axis=0)) == len(scores), "no dot hides another"
    bins, counts = np.unique(np.searchsorted(EDGES, scores), return_counts=True)
    assert tallest == counts.max() == dots[:, 1].max() + 0.5
    np.testing.assert_allclose(np.unique(dots[:, 0]), np.sqrt(EDGES[bins - 1] * EDGES[bins]))


def test_scores_at_the_ends_of_the_axis_are_drawn_too(axes):
    draw_piles(axes, np.array([EDGES[0], EDGES[-1], 9.0]), EDGES, COLOURS["healthy"], line=1)
    assert sum(len(line.get_xdata()) for line in axes.lines) == 3


@pytest.mark.parametrize(("live", "dead"), [(6, 2), (8, 0), (0, 8), (10, 246)])
def test_a_live_coordinate_is_a_bar_and_the_dead_are_crossed_and_counted(axes, live, dead):
    variances = np.concatenate([np.full(live, 1.2), np.zeros(dead)])
    draw_variances(axes, variances, COLOURS)
    (bars,) = axes.collections
    assert len(bars.get_paths()) == live
    crosses = next(line for line in axes.lines if line.get_marker() == "x")
    assert min(dead, 1) <= len(crosses.get_xdata()) <= dead
    assert all(place > live for place in crosses.get_xdata())
    assert [text.get_text() for text in axes.texts] == [f"{live} live", f"{dead} dead"]


def test_the_picture_says_how_many_were_seen_and_where_the_line_is():
    picture = spectrum_and_scores(frame(), scene=None)
    assert picture.alt.startswith(
        "2 of 8 dimensions are dead. Of 40 scores with dead dimensions, 30 lie above the line"
    )
    drawing = picture.svg()
    for words in ("seen in 30 of 40 repeats (75 %)", "6 live", "2 dead", "2 of 8 dimensions dead", "lie below 1.30"):
        assert words in drawing


def test_only_as_many_scores_as_there_were_repeats_are_drawn():
    few, all_of_them = (
        sum(
            len(line.get_xdata())
            for axes in spectrum_and_scores(frame(kept=kept), scene=None).figure.axes
            for line in axes.lines
            if line.get_marker() == "o"
        )
        for kept in (7, 300)
    )
    assert (few, all_of_them) == (14, 100)
