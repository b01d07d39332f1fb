"""Three judges of one flat cloud, and up to which score each is content."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from lewm_lite.objectives.sigreg import epps_pulley
from lewm_lite.objectives.vicreg import covariance_penalty, variance_hinge
from lewm_lite.seeding import seeded

IDEAL_SAMPLES, IDEAL_SHARE = 500, 0.98


def compass(count: int) -> Tensor:
    """``(count, 2)`` unit rows evenly spaced over half a turn: a direction and its opposite cast the same shadow."""
    angles = torch.arange(count) * (math.pi / count)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def judge_scores(points: Tensor, held_out: Tensor) -> tuple[Tensor, Tensor]:
    """What each judge says of a cloud.

    Args:
        points: ``(samples, 2)``. held_out: ``(directions, 2)``, unit rows that nothing is pushed along.
    Returns:
        ``(3,)``: the variance hinge's shortfall, the covariance penalty, and SIGReg along ``held_out``; and
        ``(directions,)``: the statistic along each of those, whose mean SIGReg is.
    """
    statistics = epps_pulley(points @ held_out.mT)
    return torch.stack([variance_hinge(points), covariance_penalty(points), statistics.mean()]), statistics


@cache
def content_levels(num_samples: int) -> Tensor:
    """``(3,)``: the scores up to which each judge is content with ``num_samples`` points of a plane.

    Of 500 samples of the standard Gaussian, 98 in 100 score no more. The statistic's mean over 8 evenly spaced
    directions of a plane is that over any more of them to 0.01, so 8 are enough here.
    """
    noise = torch.randn(IDEAL_SAMPLES, num_samples, 2, generator=seeded(num_samples)).double()
    directions = compass(8).double()
    # One sample after the other where possible, so that the powers of all of them never exist at once.
    scores, _ = torch.vmap(lambda ideal: judge_scores(ideal, directions), chunk_size=50)(noise)
    return torch.quantile(scores, IDEAL_SHARE, dim=0).float()
