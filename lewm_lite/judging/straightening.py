"""How straight the path is that embeddings take through an episode."""

from __future__ import annotations

from torch import Tensor

from lewm_lite.checks import ShapeError, check_finite, check_floating


def straightness(embeddings: Tensor) -> float:
    r"""Mean cosine of the angle between one step of a path and the next: 1 on a line, 0 at right angles, -1 to and fro.

    $$S = \overline{\cos(v_\tau, v_{\tau + 1})}, \qquad v_\tau = z_{\tau + 1} - z_\tau$$

    Points that do nothing but scatter, independently of each other, give -1/2, not 0: a step away from a point is
    half a step back from where the one before went.

    Args:
        embeddings: ``(*leading, time, dim)``, at least three time steps. Pairs in which a step has no length count
            for nothing.
    Raises:
        ShapeError: fewer time steps. TypeError, ValueError: no finite floating-point numbers; a path without any step.
    Source:
        Hénaff et al. 2019, Perceptual straightening of natural videos; of world models, Maes et al. 2026, appendix H.
    Example:
        >>> import torch
        >>> straightness(torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]))
        1.0
    """
    check_floating("embeddings", embeddings)
    if embeddings.ndim < 2 or embeddings.shape[-2] < 3 or 0 in embeddings.shape:
        raise ShapeError(
            f"embeddings must be (*leading, time, dim) with at least 3 time steps, got shape {tuple(embeddings.shape)}"
        )
    check_finite("embeddings", embeddings)
    cosines = _cosines(embeddings)
    if not len(cosines):
        raise ValueError("embeddings never move two steps in a row: a point has no direction")
    return cosines.mean().item()


def has_direction(path: Tensor) -> bool:
    """Whether a path ``(time, dim)`` ever moves two steps in a row, without which it has no :func:`straightness`."""
    return len(_cosines(path)) > 0


def _cosines(paths: Tensor) -> Tensor:
    """Of the angle between each step and the next, where both have a length, of all paths in one row."""
    steps = paths.cpu().double().diff(dim=-2)
    lengths = steps.norm(dim=-1)
    products = (steps[..., 1:, :] * steps[..., :-1, :]).sum(-1)
    sizes = lengths[..., 1:] * lengths[..., :-1]
    moved = sizes > 0
    return products[moved] / sizes[moved]
