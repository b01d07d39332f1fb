"""The forger's judges: each asks little of a cloud, and is content with what an ideal sample might score."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from lewm_lite.embeddings.reshape import turn
from lewm_lite.labs.verdicts import IDEAL_SAMPLES, IDEAL_SHARE, compass
from lewm_lite.objectives.mixed_moments import moment_score
from lewm_lite.objectives.sigreg import Score, epps_pulley, random_directions, sigreg
from lewm_lite.objectives.vicreg import variance_hinge
from lewm_lite.seeding import seeded

JUDGES = ("directions", "moments_4", "moments_2", "variance")
MOST_DIRECTIONS, FRESH_EYES = 16, 64
PLENTY = 5  # so many evenly spaced lines of a plane, or more, have the same mean statistic to 0.01
SEATS = MOST_DIRECTIONS + len(JUDGES) - 1  # a seat for each number of directions, and one for each other judge


def lines(dim: int, count: int) -> Tensor:
    """``(count, dim)``: the judge's fixed directions, as far from each other as ``count`` lines through 0 can be.

    In the plane they are evenly spaced. In space each is the one of many that is farthest from those before it; the
    first three are the axes.
    """
    if dim == 2:
        return compass(count)
    candidates = torch.cat([torch.eye(dim), random_directions(dim, 4096, generator=seeded(7)).mT])
    nearest = (candidates @ candidates[0]).abs()
    chosen = [0]
    while len(chosen) < count:
        chosen.append(int(nearest.argmin()))
        nearest = torch.maximum(nearest, (candidates @ candidates[chosen[-1]]).abs())
    return candidates[chosen]


def fresh_eyes(dim: int) -> Tensor:
    """``(64, dim)`` unit rows along which no judge looks: in the plane half a step beside the compass's."""
    if dim == 2:
        return turn(compass(FRESH_EYES), torch.tensor(90 / FRESH_EYES))
    return random_directions(dim, FRESH_EYES, generator=seeded(8)).mT.contiguous()


def opinions(points: Tensor, directions: Tensor, *, score: Score = sigreg) -> Tensor:
    """``(4,)``: what each of JUDGES says of ``points`` ``(samples, dim)``, the first along ``directions``' rows."""
    return torch.stack(
        [
            score(points, directions.mT),
            moment_score(points, order=4),
            moment_score(points, order=2),
            variance_hinge(points),
        ]
    )


def seat(judge: Tensor, num_directions: Tensor) -> Tensor:
    """``(19,)`` one-hot: the judge's place among all, where each number of directions is a judge of its own.

    Args:
        judge: ``(4,)`` one-hot over JUDGES. num_directions: a scalar, 1 to 16.
    """
    counts = torch.arange(1, MOST_DIRECTIONS + 1, dtype=judge.dtype, device=judge.device)
    return torch.cat([judge[:1] * (counts == num_directions).to(judge.dtype), judge[1:]])


@cache
def ideal_levels(dim: int, num_samples: int) -> Tensor:
    """``(19,)``: up to which score each seat is content: 98 in 100 samples of the standard Gaussian score no more."""
    noise = torch.randn(IDEAL_SAMPLES, num_samples, dim, generator=seeded(100 * dim))
    counts = [min(count, PLENTY) if dim == 2 else count for count in range(1, MOST_DIRECTIONS + 1)]
    sets = [lines(dim, count) for count in sorted(set(counts))] if dim == 2 else [lines(dim, MOST_DIRECTIONS)]

    def scores(ideal: Tensor) -> Tensor:
        along = epps_pulley(ideal @ torch.cat(sets).mT)
        if dim == 2:
            means = torch.stack([part.mean() for part in along.split([len(rows) for rows in sets])])
            means = means[torch.tensor(counts) - 1]
        else:  # the lines of fewer are the first of those of more
            means = along.cumsum(0) / torch.tensor(counts)
        return torch.cat([means, opinions(ideal, sets[0])[1:]])

    # Some at a time, so that the powers of all of them never exist at once.
    return torch.quantile(torch.vmap(scores, chunk_size=50)(noise), IDEAL_SHARE, dim=0)
