"""Probes that ask the neighbours: what is true of the embeddings nearby is taken to be true here.

Unlike a linear probe they feel the shape of a cloud, since the shape decides who the neighbours are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_embeddings, check_positive_integer, check_positive_number
from lewm_lite.judging.probing import ProbeResult


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
    for name, (embeddings, targets) in (("train", train), ("test", test)):
        check_embeddings(f"{name} embeddings", embeddings)
        check_embeddings(f"{name} targets", targets, last_axis="targets")
        if len(embeddings) != len(targets):
            raise ShapeError(
                f"{name} embeddings and targets must be of one length, got {len(embeddings)}, {len(targets)}"
            )
    check_positive_integer("neighbours", neighbours)
    if neighbours > len(train[0]):
        raise ValueError(f"neighbours must be at most the {len(train[0])} training embeddings, got {neighbours}")
    nearest = torch.cdist(test[0], train[0]).topk(neighbours, largest=False).indices
    missed = (train[1][nearest].mean(1) - test[1]).square().sum(0)
    there = (test[1] - test[1].mean(0)).square().sum(0)
    if not bool((there > 0).all()):
        raise ValueError("test targets hold a target that is constant: there is no variance to explain")
    shares = 1 - missed / there
    return ProbeResult(shares.mean().item(), tuple(shares.tolist()))


def squared_bias(
    train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, radius: float, enough: int = 2
) -> tuple[Tensor, Tensor]:
    r"""How far off, on the whole cloud, a radius probe is because it averages: the integrated squared bias.

    The probe's value at $z$ is the mean target of all training embeddings within the radius of $z$. With noise-free
    targets and endlessly many embeddings what is left of its error is bias; with finitely many there is scatter of
    known expectation on top, which is taken off.

    Args:
        train, test: embeddings ``(samples, dim)`` and noise-free targets ``(samples, targets)``.
        radius: > 0. enough: test embeddings with fewer neighbours are left out.
    Returns:
        The squared bias per target ``(targets,)``, averaged over test embeddings, and the number of neighbours of each
        test embedding ``(samples,)``.
    Raises:
        ValueError: a radius that is not above 0, or so small that no test embedding has enough neighbours.
    """
    check_positive_number("radius", radius)
    check_positive_integer("enough", enough, minimum=2)
    near = (torch.cdist(test[0], train[0]) < radius).to(train[1].dtype)
    count = near.sum(1)
    asked = count >= enough
    if not bool(asked.any()):
        raise ValueError(f"radius {radius} leaves every test embedding with fewer than {enough} neighbours")
    near, found = near[asked], count[asked, None]
    mean, square = near @ train[1] / found, near @ train[1].square() / found
    scatter = (square - mean.square()).clamp_min(0) / (found - 1)
    return ((mean - test[1][asked]).square() - scatter).mean(0), count
