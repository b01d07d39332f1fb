"""The judge of moments is 1 for ideal samples, sees what differs up to its order, and nothing beyond."""

import itertools

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermeval
from scipy.special import factorial

from lewm_lite import seeded
from lewm_lite.checks import ShapeError
from lewm_lite.objectives.mixed_moments import moment_score


def directly(cloud, order):
    """Averages of products of NumPy's Hermite polynomials, one after the other."""
    places = [p for p in itertools.product(range(order + 1), repeat=cloud.shape[1]) if 1 <= sum(p) <= order]
    found = []
    for place in places:
        each = [
            hermeval(cloud[:, axis], np.eye(order + 1)[power]) / np.sqrt(factorial(power))
            for axis, power in enumerate(place)
        ]
        found.append(np.prod(each, axis=0).mean())
    return len(cloud) * np.mean(np.square(found))


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("order", [1, 2, 4, 5])
def test_it_is_the_direct_formula(dim, order):
    cloud = torch.randn(30, dim, generator=seeded(dim)).double() * 1.3 + 0.2
    assert moment_score(cloud, order=order).item() == pytest.approx(directly(cloud.numpy(), order))


@pytest.mark.parametrize("num_samples", [50, 400])
def test_ideal_samples_score_1_on_average_at_any_size(num_samples):
    ideal = torch.randn(3000, num_samples, 2, generator=seeded(0))
    scores = torch.vmap(lambda cloud: moment_score(cloud, order=4))(ideal)
    assert scores.mean().item() == pytest.approx(1, abs=0.06)


def test_mean_and_covariance_are_seen_at_order_2_and_skewness_only_at_3():
    shifted = torch.randn(500, 2, generator=seeded(1)) + 0.5
    skewed = torch.randn(500, 2, generator=seeded(2)).exp()
    skewed = (skewed - skewed.mean(0)) / skewed.std(0, correction=0)
    skewed[:, 1] -= (skewed[:, 0] * skewed[:, 1]).mean() * skewed[:, 0]
    assert moment_score(shifted, order=2) > 20
    assert moment_score(skewed, order=2) < 3 < 20 < moment_score(skewed, order=3)


def test_its_slope_is_right():
    cloud = torch.randn(6, 2, generator=seeded(3)).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda points: moment_score(points, order=4), cloud)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="order must be"):
        moment_score(torch.zeros(4, 2), order=0)
    with pytest.raises(ShapeError, match="embeddings"):
        moment_score(torch.zeros(4), order=2)
