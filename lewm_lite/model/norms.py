"""Normalisation layers as plain functions, with nothing learned in them."""

from __future__ import annotations

from torch import Tensor

EPSILON = 1e-5  # what torch's layers add to a variance before they divide by its root


def batch_norm(inputs: Tensor) -> Tensor:
    """Each feature less its mean over the batch, divided by its standard deviation: axis -2, nothing learned."""
    return _normalised(inputs, -2)


def layer_norm(inputs: Tensor) -> Tensor:
    """Each embedding less its mean over features, divided by their standard deviation: axis -1, nothing learned."""
    return _normalised(inputs, -1)


def _normalised(inputs: Tensor, axis: int) -> Tensor:
    centred = inputs - inputs.mean(axis, keepdim=True)
    return centred / (centred.square().mean(axis, keepdim=True) + EPSILON).sqrt()
