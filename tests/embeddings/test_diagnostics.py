"""Spread, spectrum and effective rank on clouds whose answer is known by hand, and wrong formulas told apart."""

import math

import numpy as np
import pytest
import torch
from without_float64 import on_accelerator

from lewm_lite import effective_rank, feature_std, participation_ratio, seeded, spectrum
from lewm_lite.checks import ShapeError
from lewm_lite.embeddings.diagnostics import covariance, effective_rank_of

RANKS = {"effective_rank": effective_rank, "participation_ratio": participation_ratio}
ALL = {**RANKS, "feature_std": feature_std, "covariance": covariance, "spectrum": spectrum}


def cloud(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64).to(dtype)


def cross(*stds):
    """2 d points, two on each axis: the covariance is exactly diagonal, with these standard deviations."""
    axes = torch.diag(torch.tensor(stds, dtype=torch.float64)) * math.sqrt(len(stds))
    return torch.cat([axes, -axes])


def rotation(dim, seed=0):
    return torch.linalg.qr(cloud(dim, dim, seed=seed)).Q


LOPSIDED = cloud(60, 4) @ torch.diag(torch.tensor([3.0, 1.0, 0.4, 0.1], dtype=torch.float64)) + 2


# Effective rank and participation ratio


@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
@pytest.mark.parametrize("dim", range(1, 9))
def test_equal_variance_in_d_directions_counts_as_d(measure, dim):
    assert measure(cross(*[1.0] * dim)) == pytest.approx(dim, rel=1e-12)


@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
def test_dead_dimensions_do_not_count(measure):
    assert measure(cross(1.0, 1.0, 0.0, 0.0, 0.0)) == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
def test_a_line_in_any_direction_counts_as_one(measure):
    assert measure(cloud(50, 1) * cloud(1, 6, seed=1) + 5) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("place", [0.0, 0.1, -3.7, 1e4 + 0.1])
@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
def test_a_point_counts_as_none_wherever_it_lies(measure, place, dtype):
    for num_samples in (3, 7, 100, 511):
        assert measure(torch.full((num_samples, 3), place, dtype=dtype)) == 0


def test_ranks_of_a_spectrum_of_nine_to_one_are_those_worked_out_by_hand():
    points = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert spectrum(points).tolist() == pytest.approx([4.5, 0.5])
    assert effective_rank(points) == pytest.approx(0.9**-0.9 * 0.1**-0.1)  # 1.3841
    assert participation_ratio(points) == pytest.approx(5**2 / (4.5**2 + 0.5**2))  # 1.2195


def test_the_participation_ratio_is_its_formula():
    values = torch.linalg.eigvalsh(torch.cov(LOPSIDED.T))
    assert participation_ratio(LOPSIDED) == pytest.approx((values.sum() ** 2 / (values**2).sum()).item())


def test_the_participation_ratio_gives_small_dimensions_less_weight():
    assert participation_ratio(LOPSIDED) < effective_rank(LOPSIDED) < 4


@pytest.mark.parametrize("scale", [1e-50, 1e-6, 1e6, 1e50])
@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
def test_ranks_are_blind_to_scale(measure, scale):
    assert measure(scale * LOPSIDED) == pytest.approx(measure(LOPSIDED), rel=1e-9)


@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
def test_ranks_are_blind_to_rotation_and_place(measure):
    assert measure(LOPSIDED @ rotation(4) + 7) == pytest.approx(measure(LOPSIDED), rel=1e-9)


@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
def test_ranks_do_not_depend_on_the_order_of_samples_or_on_copies(measure):
    shuffled = LOPSIDED[torch.randperm(60, generator=seeded(1))]
    assert measure(torch.cat([shuffled, shuffled])) == pytest.approx(measure(LOPSIDED), rel=1e-9)


@pytest.mark.parametrize("num_samples", [2, 3, 5])
@pytest.mark.parametrize("measure", RANKS.values(), ids=RANKS)
def test_few_samples_bound_the_rank(measure, num_samples):
    assert 1 - 1e-9 <= measure(cloud(num_samples, 16)) <= num_samples - 1 + 1e-9


def test_a_rank_is_a_plain_float():
    assert type(effective_rank(LOPSIDED)) is float
    assert type(participation_ratio(LOPSIDED)) is float


def test_effective_rank_of_works_on_the_last_axis_and_ignores_zeros():
    values = torch.tensor([[1.0, 1.0, 0.0], [4.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    assert effective_rank_of(values).tolist() == pytest.approx([2, 0.9**-0.9 * 0.1**-0.1, 0], rel=1e-6)


# Wrong formulas: each agrees in some cases, and the checks above tell it from the right one


def shares(eigenvalues):
    values = eigenvalues[eigenvalues > 1e-30]
    return values / values.sum()


def with_singular_values(z):
    p = shares(spectrum(z).sqrt())
    return torch.exp(-(p * p.log()).sum()).item()


def with_base_two_logarithm(z):
    p = shares(spectrum(z))
    return torch.exp(-(p * p.log2()).sum()).item()


def with_uncentred_covariance(z):
    p = shares(torch.linalg.eigvalsh(z.mT @ z).clamp_min(0))
    return torch.exp(-(p * p.log()).sum()).item()


def with_the_entropy_itself(z):
    p = shares(spectrum(z))
    return -(p * p.log()).sum().item()


def with_samples_and_dimensions_swapped(z):
    return effective_rank(z.mT)


def with_the_number_of_nonzero_eigenvalues(z):
    return float((spectrum(z) > 1e-30).sum())


def with_variances_of_features(z):
    p = shares(feature_std(z).square())
    return torch.exp(-(p * p.log()).sum()).item()


MUTANTS = {mutant.__name__: mutant for mutant in (
    with_singular_values,
    with_base_two_logarithm,
    with_uncentred_covariance,
    with_the_entropy_itself,
    with_samples_and_dimensions_swapped,
    with_the_number_of_nonzero_eigenvalues,
    with_variances_of_features,
)}  # fmt: skip

# A cloud, and its effective rank from the definition.
KNOWN = (
    (cross(1.0, 1.0, 1.0), 3),
    (cross(3.0, 1.0), 0.9**-0.9 * 0.1**-0.1),
    (cross(3.0, 1.0) @ rotation(2) + 5, 0.9**-0.9 * 0.1**-0.1),
)


def is_told_wrong(measure):
    return any(abs(measure(points) - expected) > 0.05 for points, expected in KNOWN)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_wrong_effective_rank_is_told_from_the_right_one(mutant):
    assert is_told_wrong(mutant)


def test_the_right_effective_rank_passes_what_the_wrong_ones_fail():
    assert not is_told_wrong(effective_rank)
    assert is_told_wrong(participation_ratio)


# Spectrum, covariance, standard deviation


def test_the_spectrum_is_the_variances_along_the_principal_directions_largest_first():
    expected = torch.tensor([9.0, 4.0, 1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(spectrum(cross(1.0, 3.0, 0.0, 2.0)), expected)
    torch.testing.assert_close(spectrum(cross(1.0, 3.0, 0.0, 2.0) @ rotation(4) - 1), expected)


def test_the_spectrum_sums_to_the_total_variance():
    assert spectrum(LOPSIDED).sum().item() == pytest.approx(feature_std(LOPSIDED).square().sum().item())


def test_a_tiny_dimension_beside_a_live_one_is_found_in_float32():
    points = cloud(500, 2, dtype=torch.float32) * torch.tensor([1.0, 1e-6])
    exact = points[:, 1].double().var(correction=0).item()
    assert spectrum(points)[1].item() == pytest.approx(exact, rel=1e-2)
    assert effective_rank(points) == pytest.approx(1, abs=1e-9)


def test_the_spectrum_is_never_negative_although_rounding_is():
    assert (spectrum(cloud(100, 1) * torch.ones(1, 12)) >= 0).all()
    assert (spectrum(cloud(3, 12)) >= 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_the_spectrum_is_computed_in_double_precision(dtype):
    assert spectrum(cloud(9, 3, dtype=dtype)).dtype == torch.float64


def test_the_covariance_is_centred_and_divided_by_the_number_of_samples():
    expected = np.cov(LOPSIDED.numpy().T, bias=True)
    torch.testing.assert_close(covariance(LOPSIDED), torch.from_numpy(expected))
    assert covariance(torch.tensor([[1.0, 5.0], [3.0, 5.0]])).tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_the_standard_deviation_divides_by_the_number_of_samples():
    assert feature_std(torch.tensor([[0.0], [0.0], [3.0]])).item() == pytest.approx(math.sqrt(2))
    torch.testing.assert_close(feature_std(LOPSIDED), covariance(LOPSIDED).diagonal().sqrt())


@pytest.mark.parametrize("measure", [feature_std, covariance, spectrum], ids=["std", "covariance", "spectrum"])
def test_leading_axes_are_clouds_of_their_own(measure):
    batch = cloud(2, 3, 20, 4)
    single = torch.stack([torch.stack([measure(one) for one in row]) for row in batch])
    torch.testing.assert_close(measure(batch), single)


def test_the_standard_deviation_can_be_trained_on():
    points = LOPSIDED.clone().requires_grad_()
    assert torch.autograd.gradcheck(feature_std, points)


# Bad input


@pytest.mark.parametrize("measure", ALL.values(), ids=ALL)
def test_bad_embeddings_are_refused_by_name(measure):
    with pytest.raises(ShapeError, match=r"embeddings must be \(\*leading, samples, dim\), got shape \(5,\)"):
        measure(torch.zeros(5))
    with pytest.raises(ShapeError, match=r"embeddings needs at least 2 samples on axis -2, got shape \(1, 3\)"):
        measure(torch.zeros(1, 3))
    with pytest.raises(ShapeError, match=r"embeddings must not be empty, got shape \(5, 0\)"):
        measure(torch.zeros(5, 0))
    with pytest.raises(TypeError, match="embeddings must hold floating-point numbers, got torch.int64"):
        measure(torch.ones(5, 3, dtype=torch.int64))
    with pytest.raises(TypeError, match="embeddings must be a torch.Tensor, got ndarray"):
        measure(np.ones((5, 3)))
    with pytest.raises(ValueError, match="embeddings holds 1 NaN or infinite values out of 15"):
        measure(torch.zeros(5, 3).index_put((torch.tensor(2), torch.tensor(1)), torch.tensor(math.inf)))


def test_a_cloud_on_an_accelerator_has_the_spectrum_that_it_has_on_the_cpu():
    there = on_accelerator(cloud(20, 3, dtype=torch.float32))
    assert torch.equal(spectrum(there), spectrum(cloud(20, 3, dtype=torch.float32)))
