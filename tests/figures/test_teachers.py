"""Pictures of the chapter on teachers mark who collapsed, and keep names apart."""

from __future__ import annotations

import itertools

import pytest
import torch

from lewm_lite.figures.teachers import ends_by_momentum, memory_ratios, paths_picture, training_curves
from lewm_lite.figures.theme import COLOURS

ALT = "Some words that say what is seen."


def words(picture):
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts]


def test_a_path_that_ends_at_zero_is_marked_and_counted():
    path = torch.tensor([[[0.5, 0.9], [0.9, 0.8]], [[0.5, 0.0], [0.9, 0.8]]])  # (steps, starts, 2)
    picture = paths_picture({"one": path, "other": path[:, 1:]}, line=0.9, alt=ALT)
    titles = [axes.get_title(loc="left") for axes in picture.figure.axes]
    assert "1 of 2" in titles[0] and "0 of 1" in titles[1]
    ends = [line for line in picture.figure.axes[0].lines if line.get_marker() in ("x", "o") and line.get_zorder() > 2]
    marks = {line.get_marker(): line.get_color() for line in ends}
    assert marks == {"x": COLOURS["collapsed"], "o": COLOURS["healthy"]}
    heights = {line.get_marker(): [round(float(height), 3) for height in line.get_ydata()] for line in ends}
    assert heights == {"x": [0.0], "o": [0.8]}


@pytest.fixture(params=["curves", "momentum"])
def picture(request):
    names = ("a", "b", "c", "d")
    if request.param == "curves":
        curves = {
            name: {"std": [[0.1, 0.7 + 0.001 * i]] * 3, "probe_r2": [[0.5, 0.89 + 0.001 * i]] * 3}
            for i, name in enumerate(names)
        }
        return training_curves([0, 10], curves, collapsed=["a"], alt=ALT)
    ends = {name: [[0.5 + 0.001 * i, 0.6]] * 3 for i, name in enumerate(names)}
    return ends_by_momentum([0, 0.9, 1], ends, collapsed=["a"], alt=ALT)


def test_names_stand_in_order_apart_and_inside(picture):
    for axes in picture.figure.axes:
        places = [text.xy[1] for text in sorted(axes.texts, key=lambda text: text.get_text())]
        assert all(above - below > 0.08 for below, above in itertools.pairwise(places))
        assert places[-1] <= 1


def test_what_collapsed_has_the_colour_of_collapse(picture):
    for axes in picture.figure.axes:
        colours = {text.get_text(): text.get_color() for text in axes.texts}
        assert colours["a"] == COLOURS["collapsed"] and colours["b"] == COLOURS["healthy"]


def test_memory_is_drawn_by_batch_between_one_and_two():
    picture = memory_ratios([2, 8, 64], {"pairs": [1.2, 0.8, 0.6], "clips": [1.1, 1.0, 0.9]}, alt=ALT)
    (axes,) = picture.figure.axes
    drawn = {tuple(line.get_ydata()) for line in axes.lines}
    assert {(1.2, 0.8, 0.6), (1.1, 1.0, 0.9), (1, 1), (2, 2)} == drawn
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "8", "64"]
    assert {"pairs", "clips", "twice as much"} < set(words(picture))
