"""The tests of a whole cloud: their definitions, what changes nothing, broken variants, and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.objectives.closed_form import epps_pulley_closed_form
from lewm_lite.objectives.henze_zirkler import all_pairs, henze_zirkler


def cloud(num_samples=30, dim=3, *leading, seed=0):
    normal = torch.randn(*leading, num_samples, dim, generator=seeded(seed), dtype=torch.float64)
    return normal * torch.linspace(0.5, 2, dim, dtype=torch.float64) + 0.3 * normal[..., :1] ** 2


def by_definition(embeddings, *, smoothing=None, factor=2.0, correction=0, constant=lambda square: 1 + 2 * square):
    """Henze and Zirkler's formula in numpy, sample by sample, with their Mahalanobis distances."""
    data = embeddings.numpy()
    n, d = data.shape
    b = (((2 * d + 1) * n / 4) ** (1 / (d + 4)) / math.sqrt(2)) if smoothing is None else smoothing
    inverse = np.linalg.inv(np.atleast_2d(np.cov(data.T, ddof=correction)))
    centred = data - data.mean(0)
    pairs = sum(math.exp(-(b**2) / 2 * (x - y) @ inverse @ (x - y)) for x in data for y in data) / n
    exponent = -(b**2) / (2 * (1 + b**2))
    singles = factor * (1 + b**2) ** (-d / 2) * sum(math.exp(exponent * (x @ inverse @ x)) for x in centred)
    return pairs - singles + n * constant(b**2) ** (-d / 2)


@pytest.mark.parametrize(("num_samples", "dim"), [(8, 1), (30, 3), (40, 12)])
def test_henze_zirkler_is_its_definition(num_samples, dim):
    sample = cloud(num_samples, dim)
    assert math.isclose(henze_zirkler(sample).item(), by_definition(sample), rel_tol=1e-9)


@pytest.mark.parametrize(
    "broken", [{"smoothing": 1.0}, {"factor": 1.0}, {"correction": 1}, {"constant": lambda square: 1 + square}]
)
def test_a_broken_variant_of_the_definition_would_be_noticed(broken):
    sample = cloud()
    assert not math.isclose(henze_zirkler(sample).item(), by_definition(sample, **broken), rel_tol=1e-3)


def test_it_asks_for_any_gaussian_turned_stretched_and_shifted():
    sample = cloud()
    bent = sample @ torch.tensor([[2.0, 0.3, 0.0], [0.0, 0.1, 1.0], [1.0, 0.0, 5.0]]).double() + 4
    torch.testing.assert_close(henze_zirkler(bent), henze_zirkler(sample))


def test_clouds_of_a_batch_are_tested_alone_and_the_gradient_is_that_of_finite_differences():
    batch = cloud(10, 3, 2)
    for statistic in (henze_zirkler, all_pairs):
        alone = torch.stack([statistic(one) for one in batch])
        torch.testing.assert_close(statistic(batch), alone)
        assert torch.autograd.gradcheck(statistic, batch.clone().requires_grad_())


@pytest.mark.parametrize(("num_samples", "dim"), [(3, 3), (4, 8), (2, 1)])
def test_no_more_samples_than_dimensions_score_4_n_whatever_they_are(num_samples, dim):
    healthy = torch.randn(num_samples, dim, generator=seeded(1))
    if num_samples > dim:
        assert henze_zirkler(healthy).item() < 4 * num_samples
    else:
        assert henze_zirkler(healthy).item() == 4 * num_samples


def test_a_dead_dimension_is_singular():
    dead = cloud() * torch.tensor([1.0, 1.0, 0.0])
    assert henze_zirkler(dead).item() == 4 * 30


def test_a_dimension_of_a_tiny_scale_is_not_singular_in_single_precision():
    sample = torch.randn(40, 3, generator=seeded(0), dtype=torch.float64)
    tiny = (sample * torch.tensor([1.0, 1.0, 2e-4])).float()
    assert math.isclose(henze_zirkler(tiny).item(), henze_zirkler(tiny.double()).item(), rel_tol=1e-6)
    assert math.isclose(henze_zirkler(tiny).item(), henze_zirkler(sample).item(), rel_tol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_a_direction_dead_but_for_rounding_is_singular(dtype, offset):
    alive = torch.randn(60, 4, generator=seeded(0), dtype=torch.float64)
    dead = torch.cat([alive, alive.sum(1, keepdim=True)], 1) + offset  # rounded to the precision, it leaves the plane
    assert henze_zirkler(dead.to(dtype)).item() == 4 * 60


def test_single_precision_loses_no_digits_far_from_the_centre():
    for sample in (cloud().float(), 0.01 * cloud().float() + 1000):
        for statistic in (henze_zirkler, all_pairs):
            found = statistic(sample)
            assert found.dtype == torch.float32
            torch.testing.assert_close(found.double(), statistic(sample.double()), rtol=2e-7, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_computed_as_single_is(dtype):
    half = cloud().to(dtype)
    for statistic in (henze_zirkler, all_pairs):
        assert torch.equal(statistic(half), statistic(half.float()))


def test_all_pairs_is_near_0_for_a_normal_sample_and_far_from_it_for_others():
    ideal = torch.randn(2000, 2, generator=seeded(0), dtype=torch.float64)
    chance = 20 / 2000
    assert 0 < all_pairs(ideal) < chance
    assert all_pairs(0.5 * ideal) > 3 * chance
    assert all_pairs(ideal + 1) > 3 * chance
    assert torch.isclose(all_pairs(torch.zeros(5, 2, dtype=torch.float64)), torch.tensor(1 - 1 + 1 / 3).double())


@pytest.mark.parametrize("beta", [0.5, 1.0, 1.7])
def test_all_pairs_is_the_gap_of_the_characteristic_functions_under_a_gaussian_weight(beta):
    """In one dimension by quadrature: frequencies weighted with the density of N(0, beta^2)."""
    sample = cloud(20, 1)
    t = torch.linspace(-14 * beta, 14 * beta, 4001, dtype=torch.float64)
    waves = sample * t
    gap = (waves.cos().mean(0) - torch.exp(-t * t / 2)).square() + waves.sin().mean(0).square()
    weight = torch.exp(-t * t / (2 * beta**2)) / (beta * math.sqrt(2 * math.pi))
    assert math.isclose(all_pairs(sample, beta=beta).item(), torch.trapezoid(gap * weight, t).item(), rel_tol=1e-8)


def test_in_one_dimension_all_pairs_is_the_closed_form_of_epps_and_pulley():
    sample = cloud(20, 1)
    wanted = math.sqrt(2 * math.pi) * 20 * all_pairs(sample)
    torch.testing.assert_close(epps_pulley_closed_form(sample)[0], wanted)


def test_what_does_not_fit_is_refused_in_a_sentence():
    for statistic in (all_pairs, henze_zirkler):
        with pytest.raises(ShapeError, match=r"embeddings must be \(\*leading, samples, dim\)"):
            statistic(torch.zeros(4))
        with pytest.raises(TypeError, match="embeddings must hold floating-point numbers"):
            statistic(torch.zeros(4, 2, dtype=torch.long))
        with pytest.raises(ValueError, match="embeddings holds 1 NaN"):
            statistic(torch.tensor([[0.0, 1.0], [1.0, math.nan]]))
    with pytest.raises(ValueError, match="beta must be a finite number above 0, got 0"):
        all_pairs(torch.zeros(4, 2), beta=0)
