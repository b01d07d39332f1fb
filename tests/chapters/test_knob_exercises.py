"""Checkers of chapter 09: right answers are right, and typical wrong ones get the sentence that helps."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite import random_directions, seeded, sigreg
from lewm_lite.chapters import knob_exercises as exercises


def test_the_price_is_how_the_score_falls_when_a_point_becomes_a_small_cloud():
    small, directions = 0.02, random_directions(8, 64, generator=seeded(0))
    clouds = small * torch.randn(400, 128, 8, generator=seeded(1), dtype=torch.float64)
    fall = (sigreg(torch.zeros(128, 8), directions) - sigreg(clouds, directions)).item()
    assert exercises.price_of_spread(128) == pytest.approx(fall / small**2, rel=0.02)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "Not yet"),
        (0.025, "Right"),
        (0.1, "the same λ"),
        (0.4, "The other way"),
        (0.05, "which product"),
    ],
)
def test_a_converted_weight(answer, told):
    assert told in exercises.check_converted_weight(answer)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "Not yet"),
        (1 / (1.541 * 512), "Right"),
        (1 / (1.527 * 128), "That is the λ for 128 points"),
        (0.002, "so it does at less"),
        (0.001, "still shrinks"),
    ],
)
def test_the_smallest_weight_that_lets_a_cloud_grow(answer, told):
    assert told in exercises.check_smallest_growing(answer)


def integral(t_max, integrand):
    t = torch.linspace(0, t_max, 2001, dtype=torch.float64)
    return torch.trapezoid(integrand(t), t).item()


def right(t_max):
    return 2 * integral(t_max, lambda t: t**2 * (1 - torch.exp(-(t**2) / 2)) * torch.exp(-(t**2) / 2))


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (None, "Not yet"),
        (right, "Right: 1.5"),
        (lambda t_max: right(t_max) / 2, "count both halves of the range"),
        (lambda t_max: 2 * integral(t_max, lambda t: t**2 * (1 - torch.exp(-(t**2) / 2))), "then the window"),
        (lambda t_max: math.pi, "At a range of 3 yours is 3.14"),
    ],
)
def test_a_price_by_range(price, told):
    assert told in exercises.check_price(price)
