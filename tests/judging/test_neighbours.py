"""Probes that ask neighbours give the R² and the bias that can be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.judging.neighbours import bell_kernel, neighbour_probe, squared_bias


def test_one_neighbour_knows_its_own_target():
    seen, truth = torch.randn(50, 3, generator=seeded(0)), torch.randn(50, 2, generator=seeded(1))
    found = neighbour_probe((seen, truth), (seen, truth), neighbours=1)
    assert found.r2 == 1.0 and found.per_target == (1.0, 1.0)


def test_a_smooth_target_is_read_and_an_unrelated_one_is_not():
    seen = torch.randn(2000, 2, generator=seeded(0))
    truth = torch.stack([torch.sin(seen[:, 0]), torch.randn(2000, generator=seeded(1))], 1)
    smooth, unrelated = neighbour_probe((seen[:1000], truth[:1000]), (seen[1000:], truth[1000:])).per_target
    assert smooth > 0.95
    assert -0.3 < unrelated < 0.1


def test_all_neighbours_give_the_mean_and_an_r2_of_0():
    seen, truth = torch.randn(40, 3, generator=seeded(0)), torch.randn(40, 1, generator=seeded(1))
    assert abs(neighbour_probe((seen, truth), (seen, truth), neighbours=40).r2) < 1e-6


def test_a_square_on_a_line_is_overrated_by_a_third_of_the_squared_radius():
    line = torch.linspace(-1, 1, 20001)[:, None]
    inner = torch.linspace(-0.5, 0.5, 101)[:, None]
    bias, neighbours = squared_bias((line, line.square()), (inner, inner.square()), radius=0.3)
    assert math.isclose(bias.item(), (0.3**2 / 3) ** 2, rel_tol=1e-2)  # the mean of u² over (-r, r) is r²/3
    assert math.isclose(neighbours.median().item(), 6000, rel_tol=1e-2)


def test_under_a_bell_a_square_is_overrated_by_the_squared_width():
    line = torch.linspace(-2, 2, 40001)[:, None]
    inner = torch.linspace(-0.5, 0.5, 101)[:, None]
    given = {"radius": 0.1, "kernel": bell_kernel}
    bias, neighbours = squared_bias((line, line.square()), (inner, inner.square()), **given)
    # The mean of u² under a bell of width 0.1 is 0.01; an even grid has less scatter than the 1 % that is taken off.
    assert math.isclose(bias.item(), 0.1**4, rel_tol=2e-2)
    assert math.isclose(neighbours.median().item(), 2 * math.sqrt(math.pi) * 0.1 / 1e-4, rel_tol=1e-2)


def test_a_slope_has_no_bias_inside_and_one_at_the_edge():
    line = torch.linspace(-1, 1, 20001)[:, None]
    middle, end = torch.tensor([[-0.2], [0.2]]), torch.tensor([[-1.0], [1.0]])
    inside, _ = squared_bias((line, line), (middle, middle), radius=0.1)
    edge, _ = squared_bias((line, line), (end, end), radius=0.1)
    assert inside.item() < 1e-7
    assert math.isclose(edge.item(), 0.05**2, rel_tol=1e-2)


def test_the_scatter_of_few_neighbours_is_taken_off():
    generator = seeded(5)
    few = [torch.rand(60, 1, generator=generator) * 2 - 1 for _ in range(400)]
    inner = torch.linspace(-0.4, 0.4, 9)[:, None]
    found = torch.stack([squared_bias((x, x.square()), (inner, inner.square()), radius=0.3)[0] for x in few])
    error = found.std() / math.sqrt(len(few))
    assert abs(found.mean() - 0.03**2) < 4 * error
    assert 4 * error < 0.2 * 0.03**2  # left in, the scatter of some 18 neighbours would add half as much again


def test_what_does_not_fit_is_refused_in_a_sentence():
    seen, truth = torch.randn(5, 2, generator=seeded(0)), torch.randn(5, 1, generator=seeded(1))
    with pytest.raises(ShapeError, match=r"train must be embeddings \(samples, dim\) and targets"):
        neighbour_probe((seen, truth[:4]), (seen, truth))
    with pytest.raises(ValueError, match="neighbours must be at most the 5 training embeddings, got 6"):
        neighbour_probe((seen, truth), (seen, truth), neighbours=6)
    with pytest.raises(ValueError, match="constant"):
        neighbour_probe((seen, truth), (seen, torch.zeros(5, 1)), neighbours=2)
    with pytest.raises(ValueError, match="radius 1e-06 leaves every test embedding"):
        squared_bias((seen, truth), (seen, truth), radius=1e-6)
    with pytest.raises(ValueError, match="radius must be a finite number above 0"):
        squared_bias((seen, truth), (seen, truth), radius=0)
