"""Shape and range checks whose errors teach: each names the argument, what it got, and what it needs."""

from __future__ import annotations

import math
from numbers import Integral, Real

import torch
from torch import Tensor, nn


class ShapeError(ValueError):
    """A tensor of the wrong shape. The message says which argument, which shape, and what to do."""


def check_embeddings(name: str, value: Tensor, *, min_samples: int = 2, last_axis: str = "dim") -> None:
    """Refuse anything but a finite floating tensor ``(*leading, samples, last_axis)`` with enough samples.

    Raises:
        TypeError: not a tensor, or integers, or complex numbers.
        ShapeError: fewer than two axes, too few samples, or no dimension at all.
        ValueError: NaN or infinity among the values.
    """
    check_floating(name, value)
    shape = tuple(value.shape)
    if len(shape) < 2:
        raise ShapeError(
            f"{name} must be (*leading, samples, {last_axis}), got shape {shape}: "
            f"for one-dimensional samples add an axis with {name}[:, None]"
        )
    if shape[-2] < min_samples:
        raise ShapeError(
            f"{name} needs at least {min_samples} samples on axis -2, got shape {shape}: "
            "one sample has no distribution to look at"
        )
    if shape[-1] < 1 or 0 in shape:
        raise ShapeError(f"{name} must not be empty, got shape {shape}")
    check_finite(name, value)


def check_floating(name: str, value: Tensor) -> None:
    """Refuse anything but a tensor of real floating-point numbers."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(value).__name__}: try torch.as_tensor({name})")
    if not value.is_floating_point():
        raise TypeError(f"{name} must hold floating-point numbers, got {value.dtype}: try {name}.float()")


def at_least_float32(values: Tensor) -> Tensor:
    """Half precision in float32, and everything else as it is."""
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def check_finite(name: str, value: Tensor) -> None:
    """Refuse NaN and infinity where they enter, with a count, instead of letting them spread."""
    if torch.compiler.is_compiling():
        return  # a compiled or exported graph cannot branch on values
    try:
        finite = bool(torch.isfinite(value).all())
    except RuntimeError:
        return  # under torch.func.vmap or a symbolic trace the values cannot be read
    if not finite:
        bad = int((~torch.isfinite(value)).sum())
        raise ValueError(f"{name} holds {bad} NaN or infinite values out of {value.numel()}: find where they come from")


def check_positive_integer(name: str, value: int, *, minimum: int = 1) -> None:
    """Refuse anything but an integer of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, Integral | torch.SymInt) or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")


def check_positive_number(name: str, value: float) -> None:
    """Refuse anything but a finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


def check_generator(value: torch.Generator) -> None:
    """Refuse a missing generator: nothing in this library draws from the global random state."""
    if not isinstance(value, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, got {type(value).__name__}: try generator=seeded(0)")


def check_evaluation_mode(model: nn.Module) -> None:
    """Refuse a model that is still in training mode, where an embedding depends on the others of its batch."""
    if model.training:
        raise ValueError("model must be in evaluation mode, got one in training mode: call model.eval() first")
