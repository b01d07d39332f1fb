"""Straightness on paths whose angles are known."""

from __future__ import annotations

import math

import pytest
import torch
from without_float64 import on_accelerator

from lewm_lite import ShapeError, seeded
from lewm_lite.judging.straightening import straightness


def test_a_line_is_straight_however_it_is_walked():
    along = torch.tensor([0.0, 1.0, 4.0, 4.5])[:, None] * torch.tensor([1.0, -2.0, 0.5])
    assert straightness(along + 7) == pytest.approx(1)
    assert straightness(1e-3 * along[None].expand(5, 4, 3)) == pytest.approx(1)


@pytest.mark.parametrize("degrees", [30, 90, 150])
def test_a_polygon_turns_by_the_same_angle_at_each_corner(degrees):
    headings = torch.arange(12) * math.radians(degrees)
    path = torch.stack([headings.cos(), headings.sin()], -1).cumsum(0)
    assert straightness(path) == pytest.approx(math.cos(math.radians(degrees)), abs=1e-6)


def test_to_and_fro_is_minus_one_and_scatter_minus_a_half():
    assert straightness(torch.tensor([[0.0], [1.0], [0.0], [1.0]])) == pytest.approx(-1)
    assert straightness(torch.randn(200, 50, 256, generator=seeded(0))) == pytest.approx(-0.5, abs=0.01)


def test_a_random_walk_has_no_direction():
    assert straightness(torch.randn(200, 50, 256, generator=seeded(0)).cumsum(1)) == pytest.approx(0, abs=0.01)


def test_a_step_without_length_counts_for_nothing():
    with_a_rest = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    assert straightness(with_a_rest) == pytest.approx(1)
    with pytest.raises(ValueError, match="no direction"):
        straightness(torch.ones(4, 2))


def test_a_path_on_an_accelerator_is_as_straight():
    path = torch.randn(3, 9, 2, generator=seeded(0))
    assert straightness(on_accelerator(path)) == straightness(path)


def test_what_is_no_path_is_refused():
    with pytest.raises(ShapeError, match="at least 3 time steps"):
        straightness(torch.randn(2, 5))
    with pytest.raises(TypeError, match="floating-point"):
        straightness(torch.ones(4, 2, dtype=torch.long))
    with pytest.raises(ValueError, match="NaN"):
        straightness(torch.full((4, 2), float("nan")))
