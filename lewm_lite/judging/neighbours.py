"""Probes that ask the neighbours: what is true of the embeddings nearby is taken to be true here.

Unlike a linear probe they feel the shape of a cloud, since the shape decides who the neighbours are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lewm_lite.checks import check_positive_integer, check_positive_number
from lewm_lite.judging.probing import ProbeResult, check_pairs, explained


def neighbour_probe(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, neighbours: int = 10) -> ProbeResult:
    """Predict each target as its mean over the nearest training embeddings.

    Args:
        train, test: embeddings ``(samples, dim)`` and targets ``(samples, targets)``.
        neighbours: how many, at most as many as there are training embeddings.
    Returns:
        R² on ``test``, per target and its mean, as :func:`lewm_lite.judging.probing.linear_probe` gives it.
    Raises:
        ShapeError: lengths that do not fit. ValueError: more neighbours than embeddings, or a constant target.
    """
    check_pairs(train, test)
    check_positive_integer("neighbours", neighbours)
    if neighbours > len(train[0]):
        raise ValueError(f"neighbours must be at most the {len(train[0])} training embeddings, got {neighbours}")
    nearest = torch.cdist(test[0], train[0]).topk(neighbours, largest=False).indices
    return explained(train[1][nearest].mean(1), test[1])


Kernel = Callable[[Tensor, float], Tensor]  # distances, size -> how much each neighbour counts, of the same shape


def ball(distances: Tensor, radius: float) -> Tensor:
    """All within the radius count alike: the radius probe."""
    return (distances < radius).to(distances.dtype)


def bell_kernel(distances: Tensor, width: float) -> Tensor:
    """The nearer, the more: a Gaussian of that standard deviation."""
    return torch.exp(-distances.square() / (2 * width**2))


def squared_bias(
    train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, radius: float, kernel: Kernel = ball, enough: int = 2
) -> tuple[Tensor, Tensor]:
    r"""How far off, on the whole cloud, a probe is because it averages neighbours: the integrated squared bias.

    The probe's value at $z$ is the weighted mean of the training targets, $\sum_j w_j y_j / \sum_j w_j$, the weights
    being the kernel's. With noise-free targets and endlessly many embeddings what is left of its error is bias; with
    finitely many there is scatter of known expectation on top, which is taken off. The weights count for as many
    neighbours as $(\sum_j w_j)^2 / \sum_j w_j^2$, which of a ball are those inside it.

    Args:
        train, test: embeddings ``(samples, dim)`` and noise-free targets ``(samples, targets)``.
        radius: > 0, the kernel's size. kernel: :func:`ball` or :func:`bell_kernel`.
        enough: test embeddings with fewer neighbours are left out.
    Returns:
        The squared bias per target ``(targets,)``, averaged over test embeddings, and the number of neighbours of each
        test embedding ``(samples,)``.
    Raises:
        ValueError: a radius that is not above 0, or so small that no test embedding has enough neighbours.
    """
    check_pairs(train, test)
    check_positive_number("radius", radius)
    check_positive_integer("enough", enough, minimum=2)
    weights = kernel(torch.cdist(test[0], train[0]), radius)
    total = weights.sum(1)
    count = total.square() / weights.square().sum(1).clamp_min(torch.finfo(weights.dtype).tiny)
    asked = count >= enough - 1e-3  # whole numbers, but for rounding
    if not bool(asked.any()):
        raise ValueError(f"radius {radius} leaves every test embedding with fewer than {enough} neighbours")
    weights, found = weights[asked] / total[asked, None], count[asked, None]
    mean, square = weights @ train[1], weights @ train[1].square()
    scatter = (square - mean.square()).clamp_min(0) / (found - 1)
    return ((mean - test[1][asked]).square() - scatter).mean(0), count
