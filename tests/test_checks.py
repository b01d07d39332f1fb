"""A check lets good values through, and refuses a bad one with its name, what it got, and what to do."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from lewm_lite import seeded
from lewm_lite.checks import (
    ShapeError,
    check_embeddings,
    check_finite,
    check_floating,
    check_generator,
    check_positive_integer,
    check_positive_number,
)

NAN, INFINITY = math.nan, math.inf


def cloud(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=seeded(0)).to(dtype)


def test_a_shape_error_can_be_caught_as_a_value_error():
    assert issubclass(ShapeError, ValueError)


# check_embeddings


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("shape", [(2, 1), (5, 3), (4, 5, 3), (2, 4, 5, 3)], ids=str)
def test_finite_floating_embeddings_of_two_axes_or_more_pass(shape, dtype):
    assert check_embeddings("embeddings", cloud(*shape, dtype=dtype)) is None


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((), r"points must be \(\*leading, samples, dim\), got shape \(\)"),
        ((5,), r"points must be .* got shape \(5,\): .* add an axis with points\[:, None\]"),
        ((1, 3), r"points needs at least 2 samples on axis -2, got shape \(1, 3\): one sample has no distribution"),
        ((0, 3), r"points needs at least 2 samples on axis -2, got shape \(0, 3\)"),
        ((9, 1, 3), r"points needs at least 2 samples on axis -2, got shape \(9, 1, 3\)"),
        ((5, 0), r"points must not be empty, got shape \(5, 0\)"),
        ((0, 5, 3), r"points must not be empty, got shape \(0, 5, 3\)"),
    ],
    ids=str,
)
def test_embeddings_of_a_wrong_shape_are_refused_with_their_name_and_shape(shape, message):
    with pytest.raises(ShapeError, match=message):
        check_embeddings("points", torch.zeros(shape))


def test_the_least_number_of_samples_can_be_set():
    check_embeddings("embeddings", cloud(1, 3), min_samples=1)
    check_embeddings("embeddings", cloud(8, 3), min_samples=8)
    with pytest.raises(ShapeError, match=r"at least 8 samples on axis -2, got shape \(7, 3\)"):
        check_embeddings("embeddings", cloud(7, 3), min_samples=8)


def test_samples_are_counted_on_axis_minus_two_and_nowhere_else():
    check_embeddings("embeddings", cloud(1, 8, 1), min_samples=8)
    with pytest.raises(ShapeError, match="at least 8 samples"):
        check_embeddings("embeddings", cloud(8, 1, 8), min_samples=8)


def test_embeddings_that_hold_nan_are_refused():
    with pytest.raises(ValueError, match="embeddings holds 3 NaN or infinite values out of 15"):
        check_embeddings("embeddings", cloud(5, 3).index_fill(0, torch.tensor([2]), NAN))


def test_embeddings_that_are_no_floating_tensor_are_refused():
    with pytest.raises(TypeError, match="embeddings must be a torch.Tensor, got list"):
        check_embeddings("embeddings", [[1.0], [2.0]])
    with pytest.raises(TypeError, match="embeddings must hold floating-point numbers, got torch.int64"):
        check_embeddings("embeddings", torch.arange(6).view(3, 2))


# check_floating


@pytest.mark.parametrize("value", [[1.0], (1.0,), 1.0, None, "1.0", np.ones(3)], ids=lambda value: type(value).__name__)
def test_what_is_not_a_tensor_is_refused_with_its_type_and_the_remedy(value):
    with pytest.raises(TypeError, match=rf"frames must be a torch.Tensor, got {type(value).__name__}: .*as_tensor"):
        check_floating("frames", value)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool, torch.complex64], ids=str)
def test_a_tensor_that_holds_no_real_floats_is_refused_with_its_dtype_and_the_remedy(dtype):
    with pytest.raises(TypeError, match=rf"frames must hold floating-point numbers, got {dtype}: try frames\.float\("):
        check_floating("frames", torch.ones(3, dtype=dtype))


@pytest.mark.parametrize("shape", [(), (0,), (5,), (1, 1, 1)], ids=str)
def test_a_floating_tensor_of_any_shape_passes(shape):
    assert check_floating("frames", torch.zeros(shape)) is None


# check_finite


@pytest.mark.parametrize("bad", [NAN, INFINITY, -INFINITY])
@pytest.mark.parametrize("count", [1, 4])
def test_nan_and_infinity_are_counted_wherever_they_stand(bad, count):
    values = cloud(3, 4)
    values.view(-1)[-count:] = bad
    with pytest.raises(ValueError, match=f"z holds {count} NaN or infinite values out of 12"):
        check_finite("z", values)


def test_nan_and_infinity_are_counted_together():
    with pytest.raises(ValueError, match="z holds 3 NaN or infinite values out of 4"):
        check_finite("z", torch.tensor([NAN, INFINITY, -INFINITY, 0.0]))


def test_the_largest_finite_numbers_pass_although_their_sum_would_not():
    assert check_finite("z", torch.full((4,), torch.finfo(torch.float32).max)) is None


def test_values_that_cannot_be_read_pass_under_vmap():
    def checked(values):
        check_finite("z", values)
        return 2 * values

    values = cloud(3, 4)
    assert torch.equal(torch.func.vmap(checked)(values), 2 * values)


def test_a_check_does_not_break_a_compiled_graph():
    @torch.compile(backend="eager", fullgraph=True)
    def checked(values):
        check_embeddings("z", values)
        return 2 * values

    values = cloud(3, 4)
    assert torch.equal(checked(values), 2 * values)


# check_positive_integer


def test_integers_from_the_minimum_up_pass():
    assert check_positive_integer("count", 1) is None
    assert check_positive_integer("count", 10**12) is None
    assert check_positive_integer("count", 3, minimum=3) is None


@pytest.mark.parametrize("value", [0, -1, True, False, 2.0, 2.5, NAN, "2", None, torch.tensor(2)], ids=repr)
def test_anything_but_an_integer_of_at_least_one_is_refused(value):
    with pytest.raises(ValueError, match="count must be an integer of at least 1, got ") as error:
        check_positive_integer("count", value)
    assert str(error.value).endswith(f"got {value!r}")


def test_an_integer_below_the_minimum_is_refused_with_the_minimum():
    with pytest.raises(ValueError, match="knots must be an integer of at least 3, got 2"):
        check_positive_integer("knots", 2, minimum=3)


# check_positive_number


@pytest.mark.parametrize("value", [1e-300, 0.5, 3, 3.0, 1e300, np.float64(3), np.float32(3), Fraction(1, 3)], ids=repr)
def test_finite_numbers_above_zero_pass(value):
    assert check_positive_number("width", value) is None


@pytest.mark.parametrize(
    "value", [0, 0.0, -0.0, -1.0, NAN, INFINITY, -INFINITY, True, "3", None, 1 + 0j, torch.tensor(3.0)], ids=repr
)
def test_anything_but_a_finite_number_above_zero_is_refused(value):
    with pytest.raises(ValueError, match="width must be a finite number above 0, got ") as error:
        check_positive_number("width", value)
    assert str(error.value).endswith(f"got {value!r}")


# check_generator


def test_a_generator_passes():
    assert check_generator(seeded(0)) is None


@pytest.mark.parametrize(
    "value", [None, 0, "0", np.random.default_rng(0), torch.Generator], ids=lambda value: type(value).__name__
)
def test_anything_but_a_generator_is_refused_with_its_type_and_the_remedy(value):
    with pytest.raises(TypeError, match=rf"got {type(value).__name__}: try generator=seeded\(0\)"):
        check_generator(value)
