"""Jacobi's eigenvalues are those of the library routine, for every small symmetric matrix."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from lewm_lite import effective_rank, seeded, spectrum
from lewm_lite.checks import ShapeError
from lewm_lite.embeddings.diagnostics import covariance, effective_rank_of
from lewm_lite.embeddings.eigenvalues import jacobi_eigenvalues

TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-13}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
DIMS = pytest.mark.parametrize("dim", range(1, 9))


def gaussian(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def symmetric(dim, seed=0):
    made = gaussian(dim, dim, seed=seed)
    return made + made.mT


def with_eigenvalues(values, seed=0):
    values = torch.tensor(values, dtype=torch.float64)
    turn = torch.linalg.qr(gaussian(len(values), len(values), seed=seed)).Q
    made = turn @ torch.diag(values) @ turn.mT
    return (made + made.mT) / 2


def assert_same_eigenvalues(matrix, dtype):
    expected = torch.linalg.eigvalsh(matrix.to(dtype).double()).flip(-1)
    found = jacobi_eigenvalues(matrix.to(dtype))
    assert found.dtype == dtype
    assert found.shape == expected.shape
    worst = (found.double() - expected).abs().max().item()
    assert worst <= TOLERANCE[dtype] * max(expected.abs().max().item(), 1e-300)


@DTYPES
@DIMS
@pytest.mark.parametrize("seed", range(3))
def test_eigenvalues_of_a_random_symmetric_matrix_are_those_of_eigvalsh(dim, seed, dtype):
    assert_same_eigenvalues(symmetric(dim, seed), dtype)


@DTYPES
@DIMS
def test_eigenvalues_of_a_covariance_are_those_of_eigvalsh(dim, dtype):
    assert_same_eigenvalues(covariance(gaussian(50, dim)), dtype)


@DTYPES
@pytest.mark.parametrize(
    "values",
    [
        [2.0, 2.0],
        [3.0, 1.0, 1.0],
        [5.0, 5.0, 5.0, 5.0, 5.0],
        [1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 1.0 + 1e-6, 1.0 - 1e-6],
        [1.0, 1e-3, 1e-6, 1e-9],
        [1.0, -1.0],
        [4.0, -4.0, 1.0, -1.0, 0.0],
    ],
    ids=str,
)
def test_equal_nearly_equal_dead_and_negative_eigenvalues_are_found(values, dtype):
    assert_same_eigenvalues(with_eigenvalues(values), dtype)


@DTYPES
@DIMS
def test_a_matrix_of_ones_has_one_eigenvalue_that_is_not_zero(dim, dtype):
    expected = [float(dim), *[0.0] * (dim - 1)]
    assert jacobi_eigenvalues(torch.ones(dim, dim, dtype=dtype)).tolist() == pytest.approx(expected, abs=1e-5)


@DIMS
def test_the_zero_matrix_has_only_zeros(dim):
    assert jacobi_eigenvalues(torch.zeros(dim, dim)).tolist() == [0.0] * dim


def test_a_diagonal_matrix_gives_its_diagonal_in_descending_order():
    assert jacobi_eigenvalues(torch.diag(torch.tensor([1.0, -3.0, 2.0, 0.0]))).tolist() == [2.0, 1.0, 0.0, -3.0]


def test_the_matrix_given_is_left_alone():
    matrix = symmetric(4)
    before = matrix.clone()
    jacobi_eigenvalues(matrix)
    assert torch.equal(matrix, before)


@pytest.mark.parametrize("seed", range(5))
def test_one_rotation_is_enough_for_one_pair_of_coordinates(seed):
    matrix = symmetric(2, seed)
    torch.testing.assert_close(jacobi_eigenvalues(matrix, sweeps=1), torch.linalg.eigvalsh(matrix).flip(-1))


def test_too_few_sweeps_are_told_from_enough():
    matrix = symmetric(8)
    exact = torch.linalg.eigvalsh(matrix).flip(-1)
    errors = [(jacobi_eigenvalues(matrix, sweeps=sweeps) - exact).abs().max().item() for sweeps in (1, 6)]
    assert errors[0] > 1e-3 > 1e-12 > errors[1]


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_eigenvalues_scale_with_the_matrix(scale):
    matrix = symmetric(4).float()
    torch.testing.assert_close(
        jacobi_eigenvalues(scale * matrix), scale * jacobi_eigenvalues(matrix), atol=0, rtol=1e-4
    )


def test_a_line_that_has_almost_collapsed_is_still_a_line():
    line = 1e-12 * torch.ones(2, 2).float()
    assert effective_rank_of(jacobi_eigenvalues(1e-12 * line)).item() == pytest.approx(1, abs=0.01)


def test_the_rank_that_the_page_shows_is_the_rank_of_the_library():
    points = gaussian(200, 3).float() * torch.tensor([1.0, 0.5, 0.05])
    shown = effective_rank_of(jacobi_eigenvalues(covariance(points)).clamp_min(0)).item()
    assert shown == pytest.approx(effective_rank(points), rel=1e-4)
    torch.testing.assert_close(jacobi_eigenvalues(covariance(points)).double(), spectrum(points), rtol=1e-4, atol=1e-6)


def test_the_function_traces_to_plain_operations():
    traced = make_fx(lambda matrix: jacobi_eigenvalues(matrix))(symmetric(3))
    other = symmetric(3, seed=1)
    torch.testing.assert_close(traced(other), torch.linalg.eigvalsh(other).flip(-1))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 2, 2)], ids=str)
def test_anything_but_a_square_matrix_is_refused_with_its_shape(shape):
    with pytest.raises(ShapeError, match=r"matrix must be \(dim, dim\), got shape") as error:
        jacobi_eigenvalues(torch.zeros(shape))
    assert str(error.value).endswith(f"got shape {shape}")


def test_integers_lists_and_no_sweeps_are_refused():
    with pytest.raises(TypeError, match="matrix must hold floating-point numbers, got torch.int64"):
        jacobi_eigenvalues(torch.ones(2, 2, dtype=torch.int64))
    with pytest.raises(TypeError, match="matrix must be a torch.Tensor, got list"):
        jacobi_eigenvalues([[1.0]])
    with pytest.raises(ValueError, match="sweeps must be an integer of at least 1, got 0"):
        jacobi_eigenvalues(torch.ones(2, 2), sweeps=0)
