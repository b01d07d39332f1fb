"""The still of the tournament says each test's numbers, with a sign for good and for bad that is no colour."""

from types import SimpleNamespace

import torch

from lewm_lite import seeded
from lewm_lite.figures.tournament import REACHES, tournament_end

TITLES = {name: name.upper() for name in ("a", "b", "c", "d", "e", "f")}


def moment(points):
    readings = {f"{slot}_power": 0.1 * place for place, slot in enumerate(TITLES)}
    readings |= {f"{slot}_distance": 0.05 * place for place, slot in enumerate(TITLES)}
    tensors = {"points": points, "move": 0.01 * torch.ones_like(points), "healthy": torch.tensor([0.12])}
    return SimpleNamespace(step=7, tensors=tensors, readings=readings)


def test_each_panel_says_power_and_distance_with_a_mark():
    picture = tournament_end(moment(torch.randn(20, 6, 2, generator=seeded(0))), None, TITLES)
    words = [axes.get_xlabel() for axes in picture.figure.axes]
    assert words[2] == "✗ test: sees 20 %\n✓ loss: 0.10 σ off"
    assert words[5] == "✗ test: sees 50 %\n✗ loss: 0.25 σ off"
    assert "C: seen in 20 %, 0.10 from N(0, I)" in picture.alt and "after 7 steps" in picture.alt


def test_what_is_far_away_is_still_on_the_picture():
    points = torch.randn(20, 6, 2, generator=seeded(0))
    near = tournament_end(moment(points.clamp(-3, 3)), None, TITLES)
    points[0, 0, 0] = 8.0
    far = tournament_end(moment(points), None, TITLES)
    assert near.figure.axes[0].get_xlim()[1] == REACHES[0] and far.figure.axes[3].get_xlim()[1] == 10
