r"""SIGReg without knots and without drawn directions: the Epps-Pulley statistic in closed form, alone and averaged.

Written out, the squared gap of two characteristic functions is a mean over pairs of samples, of a kernel of what lies
between them: under the window $e^{-t^2/2}$ over all frequencies a bell curve, $\sqrt{2\pi}\,e^{-d^2/2}$. Its mean over
all directions of D dimensions is Kummer's function, ${}_1F_1(\tfrac12;\tfrac D2;-\tfrac{|d|^2}2)$. Both cost a sum over
all pairs, which is why SIGReg is not computed so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, at_least_float32, check_embeddings
from lewm_lite.objectives.henze_zirkler import all_pairs, squared_distances
from lewm_lite.objectives.sigreg import bell, check_quadrature, quadrature

_NODES = 128  # of the rule that averages over directions: exact to degree 255 of the cosine with a direction


def epps_pulley_closed_form(projections: Tensor) -> Tensor:
    r""":func:`lewm_lite.epps_pulley` with the integral taken over all frequencies, exactly.

    $\sqrt{2\pi}\,N\left[\frac1{N^2}\sum_{jk} e^{-(x_j-x_k)^2/2} - \frac{\sqrt2}{N}\sum_j e^{-x_j^2/4}
    + \frac1{\sqrt3}\right]$

    Args:
        projections: ``(*leading, samples, num_directions)``; axis -2 is the sample; computed in float64.
    Returns:
        ``(*leading, num_directions)``; all values at 0 score 0.40892 N.
    Raises:
        ShapeError: fewer than two axes or two samples. TypeError: integers. ValueError: NaN or infinity.
    Source:
        Epps & Pulley 1983; Henze & Wagner 1997. With 17 knots on [0, 3] the sum stops short of the whole integral.
    """
    check_embeddings("projections", projections, last_axis="num_directions")
    return math.sqrt(2 * math.pi) * projections.shape[-2] * all_pairs(projections.mT[..., None])


def sigreg_closed_form(embeddings: Tensor) -> Tensor:
    r""":func:`epps_pulley_closed_form` averaged over all directions, exactly.

    $\sqrt{2\pi}\,N\left[\frac1{N^2}\sum_{jk} M(|z_j-z_k|^2/2) - \frac{\sqrt2}{N}\sum_j M(|z_j|^2/4)
    + \frac1{\sqrt3}\right]$ with $M(s) = {}_1F_1\left(\tfrac12; \tfrac D2; -s\right)$: the mean of $e^{-su^2}$, u the
    cosine with a direction, over all of them.

    Args:
        embeddings: ``(*leading, samples, dim)``, ``dim`` >= 2; computed in float64. Exact to 6 digits where samples
            are no more than 100 apart and from 0; at distances of 1000, to a few in a hundred.
    Returns:
        ``(*leading,)``.
    Raises:
        ShapeError: fewer than two axes, samples or dimensions. TypeError: integers. ValueError: NaN or infinity.
    """
    scale = math.sqrt(2 * math.pi)
    return _over_all_directions(
        embeddings,
        pair=lambda shadow: scale * torch.exp(-shadow.square() / 2),
        single=lambda shadow: scale * math.sqrt(2) * torch.exp(-shadow.square() / 4),
        constant=scale / math.sqrt(3),
    )


def sigreg_over_all_directions(embeddings: Tensor, *, knots: int = 17, t_max: float = 3.0) -> Tensor:
    """:func:`lewm_lite.sigreg`, knots and all, averaged over all directions: what its K drawn directions estimate.

    Args:
        embeddings: as in :func:`sigreg_closed_form`. knots, t_max: as in :func:`lewm_lite.epps_pulley`.
    Returns:
        ``(*leading,)``.
    Raises:
        ShapeError, TypeError, ValueError: as for :func:`sigreg_closed_form`; ValueError: a bad ``knots`` or ``t_max``.
    """
    check_embeddings("embeddings", embeddings)
    check_quadrature(knots, t_max)
    t, weights = quadrature(knots, t_max, embeddings.double())

    def waves(shadow: Tensor, weights: Tensor) -> Tensor:
        """The sum of weight_k cos(k dt shadow), by Clenshaw's recurrence: one cosine for all knots."""
        cosine = torch.cos(t[0] * shadow)
        last = before = torch.zeros_like(shadow)
        for weight in reversed(weights.tolist()):
            last, before = weight + 2 * cosine * last - before, last
        return cosine * last - before

    return _over_all_directions(
        embeddings,
        pair=lambda shadow: waves(shadow, weights),
        single=lambda shadow: 2 * waves(shadow, weights * bell(t)),
        constant=(weights * bell(t).square()).sum().item(),
    )


def _over_all_directions(
    embeddings: Tensor, *, pair: Callable[[Tensor], Tensor], single: Callable[[Tensor], Tensor], constant: float
) -> Tensor:
    """N times the mean over pairs less that over samples plus a constant, of even functions of shadows, averaged."""
    check_embeddings("embeddings", embeddings)
    wide, count = embeddings.double(), embeddings.shape[-2]
    squares, apart = wide.square().sum(-1), squared_distances(wide)
    # The slope of a root at 0 is infinite; the kernel's is 0 there, so that the least distance stands for none.
    distances, lengths = (value.clamp_min(torch.finfo(value.dtype).tiny).sqrt() for value in (apart, squares))
    total = torch.zeros_like(squares[..., 0])
    for cosine, share in zip(*_cosines(embeddings.shape[-1]), strict=True):
        total = total + share * (pair(cosine * distances).mean((-2, -1)) - single(cosine * lengths).mean(-1))
    return (count * (total + constant)).to(at_least_float32(embeddings).dtype)


@lru_cache(maxsize=64)
def _cosines(dim: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Cosines >= 0 between a vector and a direction drawn evenly, with their shares: Gauss's rule."""
    import numpy as np
    from scipy.linalg import eigh_tridiagonal

    if dim < 2:
        raise ShapeError(f"embeddings need at least 2 dimensions to have directions to average over, got {dim}")
    # Golub and Welsch: from the recurrence of the orthogonal polynomials, whose numbers stay small in any dimension.
    degree = np.arange(2, 2 * _NODES)
    squares = degree * (degree + dim - 3) / ((2 * degree + dim - 2) * (2 * degree + dim - 4))
    nodes, vectors = eigh_tridiagonal(np.zeros(2 * _NODES), np.sqrt([1 / dim, *squares]))
    weights = vectors[0] ** 2
    positive = nodes > 0
    shares = weights[positive] / weights[positive].sum()
    kept = shares > 1e-18 * shares.max()
    return tuple(nodes[positive][kept].tolist()), tuple(shares[kept].tolist())
