"""VICReg's terms: worked by hand, held against a second writing of the formula, and broken on purpose."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.embeddings.clouds import cloud_noise, clumps, line, white_clumps
from lewm_lite.objectives.vicreg import (
    PUBLISHED_WEIGHTS,
    covariance_penalty,
    invariance,
    negative_variance,
    variance_hinge,
    vicreg_terms,
)

SQUARE = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
DIAGONAL = torch.tensor([[1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)


def second_writing(a, b):
    """The loss as the paper writes it, sample by sample and entry by entry."""
    samples, dim = a.shape
    near = sum(((a[n] - b[n]) ** 2).sum() for n in range(samples)) / (samples * dim)
    short, bent = 0.0, 0.0
    for view in (a, b):
        means = [sum(view[n, j] for n in range(samples)) / samples for j in range(dim)]

        def covariance(i, j, view=view, means=means):
            products = ((view[n, i] - means[i]) * (view[n, j] - means[j]) for n in range(samples))
            return sum(products) / (samples - 1)

        short += sum(max(0.0, 1 - math.sqrt(covariance(j, j) + 1e-4)) for j in range(dim)) / dim / 2
        bent += sum(covariance(i, j) ** 2 for i in range(dim) for j in range(dim) if i != j) / dim
    return near, short, bent


def test_a_square_needs_nothing_and_a_diagonal_needs_decorrelation():
    assert variance_hinge(SQUARE) == 0
    assert covariance_penalty(SQUARE) == 0
    assert variance_hinge(DIAGONAL) == 0
    # Two samples (1, 1) and (-1, -1): every entry of the covariance is 2, so (2² + 2²) / 2 = 4.
    assert covariance_penalty(DIAGONAL) == 4


def test_the_terms_are_those_of_the_formula_written_a_second_time():
    a = torch.randn(7, 3, generator=seeded(0), dtype=torch.float64) * torch.tensor([0.3, 1.0, 2.0]).double()
    b = a + 0.1 * torch.randn(7, 3, generator=seeded(1), dtype=torch.float64)
    terms = vicreg_terms(a, b)
    expected = second_writing(a, b)
    for term, value in zip((terms.invariance, terms.variance, terms.covariance), expected, strict=True):
        assert term.item() == pytest.approx(float(value), rel=1e-12)
    assert terms.weighted().item() == pytest.approx(sum(w * float(v) for w, v in zip(PUBLISHED_WEIGHTS, expected)))


BROKEN = {
    "variance divided by N": lambda z: torch.relu(1 - (z.var(0, correction=0) + 1e-4).sqrt()).mean(),
    "no square root": lambda z: torch.relu(1 - z.var(0) - 1e-4).mean(),
    "over features, not samples": lambda z: torch.relu(1 - (z.var(1) + 1e-4).sqrt()).mean(),
    "summed": lambda z: torch.relu(1 - (z.var(0) + 1e-4).sqrt()).sum(),
    "no hinge": lambda z: (1 - (z.var(0) + 1e-4).sqrt()).mean(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_hinge_is_told_from_the_hinge(name):
    z = torch.randn(7, 3, generator=seeded(0), dtype=torch.float64) * torch.tensor([0.3, 0.7, 2.0]).double()
    assert not torch.isclose(BROKEN[name](z), variance_hinge(z), rtol=1e-3)


BROKEN_COVARIANCE = {
    "with the diagonal": lambda z: torch.cov(z.T).square().sum() / z.shape[1],
    "not divided by the features": lambda z: (torch.cov(z.T) - torch.cov(z.T).diag().diag()).square().sum(),
    "not centred": lambda z: ((z.T @ z / 6) - (z.T @ z / 6).diag().diag()).square().sum() / z.shape[1],
    "not squared": lambda z: (torch.cov(z.T) - torch.cov(z.T).diag().diag()).abs().sum() / z.shape[1],
}


@pytest.mark.parametrize("name", BROKEN_COVARIANCE)
def test_a_broken_covariance_penalty_is_told_from_it(name):
    z = 1 + torch.randn(7, 3, generator=seeded(2), dtype=torch.float64)
    assert not torch.isclose(BROKEN_COVARIANCE[name](z), covariance_penalty(z), rtol=1e-3)


def test_variance_alone_has_no_bound_and_its_hinge_stops_at_the_target():
    z = torch.randn(64, 4, generator=seeded(0))
    assert negative_variance(10 * z) < negative_variance(z) < negative_variance(0 * z) == 0
    assert variance_hinge(10 * z) == 0
    assert variance_hinge(10 * z, target_std=100.0) > 0


def test_a_line_and_clumps_satisfy_variance_and_white_clumps_satisfy_covariance_too():
    noise = cloud_noise(4096, 8, generator=seeded(0))
    assert variance_hinge(line(noise)) < 0.02 and variance_hinge(clumps(noise)) < 0.02
    assert covariance_penalty(line(noise)) > 1
    assert variance_hinge(white_clumps(noise)) < 0.02 and covariance_penalty(white_clumps(noise)) < 0.02


def test_a_feature_of_no_variance_costs_almost_its_target_and_its_gradient_is_finite():
    z = torch.randn(16, 3, generator=seeded(0))
    z[:, 1] = 4.0
    z.requires_grad_()
    assert variance_hinge(z) > 0.99 / 3
    (gradient,) = torch.autograd.grad(variance_hinge(z), z)
    assert gradient.isfinite().all() and (gradient[:, 1] == 0).all()


@pytest.mark.parametrize("loss", [negative_variance, variance_hinge, covariance_penalty])
def test_gradients_are_those_of_finite_differences(loss):
    z = 0.5 * torch.randn(6, 3, generator=seeded(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(loss, z.requires_grad_())


def test_leading_axes_are_averaged():
    z = torch.randn(3, 10, 4, generator=seeded(0), dtype=torch.float64)
    for loss in (negative_variance, variance_hinge, covariance_penalty):
        assert torch.isclose(loss(z), torch.stack([loss(part) for part in z]).mean())


@pytest.mark.parametrize("loss", [negative_variance, variance_hinge, covariance_penalty])
@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (torch.zeros(3), ShapeError, "must be"),
        (torch.zeros(1, 3), ShapeError, "at least 2 samples"),
        (torch.zeros(4, 3, dtype=torch.int64), TypeError, "floating-point"),
        (torch.full((4, 3), float("nan")), ValueError, "12 NaN or infinite"),
    ],
    ids=["one axis", "one sample", "integers", "nan"],
)
def test_bad_embeddings_are_refused(loss, value, error, words):
    with pytest.raises(error, match=f"embeddings.*{words}"):
        loss(value)


@pytest.mark.parametrize("joint", [invariance, vicreg_terms])
def test_views_of_two_shapes_and_a_batch_of_one_are_refused(joint):
    with pytest.raises(ShapeError, match="two views of one shape"):
        joint(torch.zeros(4, 3), torch.zeros(4, 2))
    with pytest.raises(ShapeError, match="at least 2 samples"):
        joint(torch.zeros(1, 3), torch.zeros(1, 3))


def test_a_target_that_is_no_scale_is_refused():
    with pytest.raises(ValueError, match="target_std must be a finite number above 0"):
        variance_hinge(SQUARE, target_std=0.0)
