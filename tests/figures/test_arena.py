"""The arena's still: a row of clouds per phase, the probe over the steps, and words that say both."""

from __future__ import annotations

import re

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.figures.arena import COLLAPSED, arena_moments
from lewm_lite.figures.theme import COLOURS
from lewm_lite.labs.lab import Frame, Phase, Scene

NAMES = {"none": "nothing", "sigreg": "SIGReg"}
SCENE = Scene("made", "made up", {}, (Phase(16), Phase(32)))


def frames(std):
    generator = seeded(0)
    made = []
    for step in range(0, 49, 8):
        readings = {f"{name}_{part}": value for name, value in std.items() for part in ("std", "probe_r2")}
        made.append(Frame(step, {}, {"cloud": torch.randn(2, 16, 2, generator=generator)}, readings))
    return made


def test_every_phase_s_end_is_drawn_and_said():
    picture = arena_moments(frames({"none": 0.0123, "sigreg": 0.9}), SCENE, NAMES)
    drawing = picture.svg()
    assert drawing.count("std 0.012") == 2 and drawing.count("std 0.900") == 2
    assert "step 16" in drawing and "step 48" in drawing and "step 40" not in picture.alt
    assert "nothing: standard deviation 0.012 at step 16, 0.012 at step 48" in picture.alt


@pytest.mark.parametrize(("std", "colour"), [(COLLAPSED / 2, "collapsed"), (COLLAPSED * 2, "healthy")])
def test_a_collapsed_cloud_has_its_colour(std, colour):
    drawing = arena_moments(frames({"none": std, "sigreg": std}), SCENE, NAMES).svg()
    used = set(re.findall(r"var\(--lewm-(healthy|collapsed), #\w+\)", drawing))
    assert used == {colour} and COLOURS[colour] in drawing
