"""Each cloud stands over its judges' words, in the picture and in the words beside it."""

from __future__ import annotations

import torch
from matplotlib.colors import to_hex

from lewm_lite.figures.rounds import clouds_and_verdicts
from lewm_lite.figures.theme import COLOURS

CLOUDS = {"line": torch.ones(5, 2), "healthy cloud": torch.zeros(5, 2)}
VERDICTS = {
    "line": {"variance": True, "SIGReg": False},
    "healthy cloud": {"variance": True, "SIGReg": True},
}


def test_every_verdict_has_its_mark_and_its_judge():
    picture = clouds_and_verdicts(CLOUDS, VERDICTS, columns=2)
    words = [[text.get_text() for text in axes.texts] for axes in picture.figure.axes[2:]]
    assert words == [["✓", "variance", "✗", "SIGReg"], ["✓", "variance", "✓", "SIGReg"]]
    assert [axes.get_title() for axes in picture.figure.axes[:2]] == list(CLOUDS)


def test_a_cloud_that_someone_refuses_is_drawn_as_ill():
    picture = clouds_and_verdicts(CLOUDS, VERDICTS, columns=2)
    points = [axes.patches[-1].get_edgecolor() for axes in picture.figure.axes[:2]]
    assert [to_hex(colour) for colour in points] == [COLOURS["collapsed"], COLOURS["healthy"]]


def test_the_alternative_text_names_who_is_content():
    told = clouds_and_verdicts(CLOUDS, VERDICTS | {"point": {"variance": False}}).alt
    assert told == "Line: content: variance. Healthy cloud: content: variance, SIGReg. Point: nobody is content."
