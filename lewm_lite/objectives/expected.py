r"""What SIGReg gives on average for a Gaussian cloud, without drawing one.

Along a direction $r$ the shadow of a Gaussian cloud with variances $\mu_i$ along its axes is $N(0, s^2)$ with
$s^2 = \sum_i r_i^2\mu_i$, a mean of the variances with weights that add up to 1. The expected score of such a shadow is
a sum over the knots; what is left to chance is only which directions are looked along.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_finite, check_floating, check_positive_integer
from lewm_lite.objectives.directions import check_directions
from lewm_lite.objectives.sigreg import bell, quadrature


def expected_epps_pulley(variance: Tensor, num_samples: int, *, knots: int = 17, t_max: float = 3.0) -> Tensor:
    r"""The mean of :func:`lewm_lite.epps_pulley` over samples of $N(0, s^2)$.

    $\sum_k w_k e^{-t_k^2/2}\left[N\left(e^{-s^2t_k^2/2} - e^{-t_k^2/2}\right)^2 + 1 - e^{-s^2t_k^2}\right]$: the gap
    between the two laws, and chance. A narrow shadow has the larger gap and the smaller chance.

    Args:
        variance: $s^2$ >= 0, any shape.
        num_samples: N. knots, t_max: as in :func:`lewm_lite.epps_pulley`.
    Returns:
        The shape of ``variance``; at variance 1 it is the floor, 1.0525 at any N.
    Raises:
        TypeError: integers. ValueError: a negative or infinite variance, or a bad ``num_samples``.
    Source:
        Balestriero & LeCun 2025, arXiv:2511.08544, Theorem 6, gives the second part before the factor N.
    Example:
        >>> import torch
        >>> round(expected_epps_pulley(torch.tensor(1.0), 128).item(), 4)
        1.0525
    """
    check_floating("variance", variance)
    check_finite("variance", variance)
    check_positive_integer("num_samples", num_samples)
    if bool((variance < 0).any()):
        raise ValueError(f"variance must be at least 0, got {variance.min().item():g}")
    t, weights = quadrature(knots, t_max, variance)
    cloud = torch.exp(-variance[..., None] * t * t / 2)
    return (weights * (num_samples * (cloud - bell(t)).square() + 1 - cloud.square())).sum(-1)


def expected_sigreg(
    variances: Tensor, directions: Tensor, num_samples: int, *, knots: int = 17, t_max: float = 3.0
) -> Tensor:
    r"""The mean of :func:`lewm_lite.sigreg` over samples of a centred Gaussian, along given directions.

    Args:
        variances: ``(dim,)``, $\mu_i$ >= 0 along the cloud's axes, which are taken as the coordinates: a turned cloud
            scores the same on average over all directions.
        directions: ``(dim, num_directions)`` of unit columns; some thousands stand for all.
        num_samples, knots, t_max: as in :func:`expected_epps_pulley`.
    Returns:
        A scalar.
    Raises:
        ShapeError: variances that are no vector, or directions of another dimension. ValueError, TypeError: as there.
    """
    if variances.ndim != 1:
        raise ShapeError(f"variances must be (dim,), got shape {tuple(variances.shape)}")
    check_directions(directions, variances)
    shadows = directions.square().to(variances).mT @ variances
    return expected_epps_pulley(shadows, num_samples, knots=knots, t_max=t_max).mean()
