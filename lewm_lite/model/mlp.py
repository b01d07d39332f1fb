"""The small encoder of the early chapters: a plain network whose parameters are data.

Parameters are a dictionary of tensors, so that the same forward pass trains here and, exported with its gradient, in
the page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_floating, check_generator, check_positive_integer
from lewm_lite.model.norms import batch_norm


def init_mlp(sizes: Sequence[int], *, generator: torch.Generator, prefix: str = "") -> dict[str, Tensor]:
    """First parameters of a network, as :func:`mlp_from_uniform` makes them of numbers drawn now.

    Args:
        sizes: width of the input, of every hidden layer, and of the output: at least two numbers.
        generator: the source of randomness.
        prefix: put before every name, so that several networks fit in one dictionary.
    Raises:
        ValueError: fewer than two sizes, or a size below 1.
    """
    check_generator(generator)
    return mlp_from_uniform(sizes, torch.rand(num_weights(sizes), generator=generator) * 2 - 1, prefix=prefix)


def num_weights(sizes: Sequence[int]) -> int:
    """How many weights, biases not counted, a network of these widths has."""
    if len(sizes) < 2:
        raise ValueError(f"sizes must name at least an input and an output, got {list(sizes)}")
    for size in sizes:
        check_positive_integer("sizes", size)
    return sum(fan_in * fan_out for fan_in, fan_out in zip(sizes, sizes[1:], strict=False))


def mlp_from_uniform(sizes: Sequence[int], uniform: Tensor, *, prefix: str = "") -> dict[str, Tensor]:
    r"""Weights uniform in $\pm 1/\sqrt{\text{fan in}}$, biases zero, named ``<prefix>weight_0``, ``<prefix>bias_0``, …

    Args:
        sizes: as for :func:`init_mlp`. uniform: ``(num_weights(sizes),)``, numbers from -1 to 1.
        prefix: put before every name.
    Raises:
        ShapeError: another count of numbers than the widths need.
    """
    if uniform.shape != (num_weights(sizes),):
        raise ShapeError(f"uniform must hold {num_weights(sizes)} numbers, got shape {tuple(uniform.shape)}")
    parameters: dict[str, Tensor] = {}
    taken = 0
    for layer, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:], strict=False)):
        own = uniform[taken : taken + fan_in * fan_out].reshape(fan_in, fan_out)
        parameters[f"{prefix}weight_{layer}"] = own / math.sqrt(fan_in)
        parameters[f"{prefix}bias_{layer}"] = torch.zeros(fan_out)
        taken += fan_in * fan_out
    return parameters


def mlp(parameters: Mapping[str, Tensor], inputs: Tensor, *, prefix: str = "") -> Tensor:
    """The network's output: affine layers with a tangent hyperbolic between them, none after the last.

    Args:
        parameters: as :func:`init_mlp` makes them; names with other prefixes are left alone. A layer that has a
            ``<prefix>scale_<layer>`` and a ``<prefix>shift_<layer>`` beside its weight is normalised over axis -2, the
            batch, times scale, plus shift, before its tangent hyperbolic.
        inputs: ``(*leading, fan_in)``.
    Returns:
        ``(*leading, fan_out)``.
    Raises:
        KeyError: no layer of that prefix. ShapeError: inputs of another width.
    """
    check_floating("inputs", inputs)
    layers = sum(name.startswith(f"{prefix}weight_") for name in parameters)
    if layers == 0:
        raise KeyError(f"parameters hold no layer named {prefix}weight_0, only {sorted(parameters)}")
    width = parameters[f"{prefix}weight_0"].shape[0]
    if inputs.shape[-1] != width:
        raise ShapeError(f"inputs must be (*leading, {width}), got shape {tuple(inputs.shape)}")
    hidden = inputs
    for layer in range(layers):
        hidden = hidden @ parameters[f"{prefix}weight_{layer}"] + parameters[f"{prefix}bias_{layer}"]
        if f"{prefix}scale_{layer}" in parameters:
            hidden = batch_norm(hidden) * parameters[f"{prefix}scale_{layer}"] + parameters[f"{prefix}shift_{layer}"]
        if layer < layers - 1:
            hidden = torch.tanh(hidden)
    return hidden
