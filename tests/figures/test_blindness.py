"""Every seed has its mark, every model its name, and a model is drawn as collapsed when it is."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from lewm_lite.figures.blindness import (
    NAMES,
    TOGETHER,
    escape_picture,
    is_collapsed,
    lives_picture,
    loss_and_knowledge,
    spread_and_knowledge,
)
from lewm_lite.figures.theme import COLOURS

ALT = "What is seen, in five words."


def life(*, std=1.0, rank=8.0, loss=0.3, probe=0.9, seeds=3, places=5):
    ends = {"std": std, "effective_rank": rank, "prediction": loss, "probe_r2": probe}
    return {
        name: [np.geomspace(0.5, end * (1 + 0.01 * seed), places).tolist() for seed in range(seeds)]
        for name, end in ends.items()
    }


def words(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("std", "rank", "collapsed"), [(0.9, 8, False), (0.05, 8, True), (80, 1.0, True), (0.12, 1.6, False)]
)
def test_collapsed_is_a_small_cloud_or_one_of_a_single_dimension(std, rank, collapsed):
    assert is_collapsed(life(std=std, rank=rank)) is collapsed


def test_lives_are_a_panel_each_and_named_in_the_colour_of_their_end():
    picture = lives_picture(range(5), {"nothing": life(std=1e-3), "SIGReg": life()}, collapsed=["nothing"], alt=ALT)
    assert len(picture.figure.axes) == 3
    for axes in picture.figure.axes:
        assert words(axes) == ["nothing", "SIGReg"]
        assert [to_hex(line.get_color()) for line in axes.lines] == [COLOURS["collapsed"], COLOURS["healthy"]]
        assert len(axes.collections) == 2, "a band over the seeds for each"
        assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    assert [axes.get_yscale() for axes in picture.figure.axes] == ["log", "log", "linear"]


def test_every_objective_has_a_mark_per_seed_at_its_end():
    readings = {name: life() for name in (*NAMES, *TOGETHER)} | {"none": life(std=1e-3, loss=1e-6, probe=0.05)}
    (axes,) = loss_and_knowledge(readings, alt=ALT).figure.axes
    marks = [line for line in axes.lines if line.get_marker() in "xo"]
    assert len(marks) == len(readings) and all(len(line.get_xdata()) == 3 for line in marks)
    crosses = [line for line in marks if line.get_marker() == "x"]
    assert len(crosses) == 1 and max(crosses[0].get_xdata()) < 1e-5 and max(crosses[0].get_ydata()) < 0.06
    assert "untrained" in words(axes) and all(shown[0] in words(axes) for shown in NAMES.values())


def test_ways_begin_at_a_square_and_end_in_crosses():
    paths = {"one way": life(std=0.03, probe=0.8), "another": life(std=0.001, probe=0.1)}
    (axes,) = spread_and_knowledge(paths, starts={"one way": "begun here"}, alt=ALT).figure.axes
    assert sum(line.get_marker() == "s" for line in axes.lines) == 2
    ends = [line for line in axes.lines if line.get_marker() == "x"]
    assert [len(line.get_xdata()) for line in ends] == [3, 3]
    np.testing.assert_allclose(ends[1].get_xdata(), [0.001, 0.00101, 0.00102])
    assert {"one way", "another", "begun here"} <= set(words(axes))


def test_escapes_have_a_mark_per_seed_and_what_was_foretold_behind_them():
    noises, counts = (1e-2, 1e-4), [[25, 26, 27], [50, 51, 52]]
    travellers = {"points": counts, "plain": counts, "adam": counts}
    (axes,) = escape_picture(noises, travellers, predicted=(24, 49), alt=ALT).figure.axes
    marks = {line.get_marker() for line in axes.lines}
    assert {"o", "^", "s"} <= marks, "a mark of its own for each"
    assert sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() in "o^s") == 18
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(dashed[0].get_ydata(), (24, 49))
    assert set(words(axes)) == {"points", "plain", "adam", "foretold"}
