"""Which way is this cloud ill? Complete collapse, clusters, dead dimensions, or none: in words, with the reason.

No number by itself says "collapsed": a healthy sample of 100 points in 192 dimensions has dead directions too. So a
cloud is held against ideal samples of its own size, drawn from N(0, I) with a fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lewm_lite.checks import ShapeError, check_embeddings
from lewm_lite.embeddings.diagnostics import effective_rank_of, feature_std, spectrum
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import sigreg
from lewm_lite.seeding import seeded

COMPLETE_BELOW = 0.1  # of the target's standard deviation, 1
DEAD_BELOW = 0.1  # of the variance that an ideal sample has along its axis of the same rank
NEARLY_DEAD = 0.01  # of the mean variance: axes that small in ideal samples, as when N is near D, are not judged
POOR_BELOW = 0.7  # of an ideal sample's effective rank
SPLIT_ABOVE = 0.9  # of a shadow's variance that two groups explain; normal 0.64, uniform 0.75, a ring's shadow 0.86
SMALLEST_GROUP = 0.05  # of the samples: one outlier is no cluster
IDEAL_SAMPLES, DIRECTIONS, STARTS, TURNS = 8, 256, 32, 50


@dataclass(frozen=True)
class CollapseReport:
    """What :func:`collapse_report` found."""

    disease: str  # "complete", "clustered", "dimensional" or "none"
    words: str  # the reason, in a sentence
    std: float  # mean over features
    effective_rank: float
    sigreg: float


def collapse_report(embeddings: Tensor) -> CollapseReport:
    """Name the cloud's disease, and say why, against ideal samples of the same size.

    The first that fits, in this order. *Complete*: along its widest axis the cloud's standard deviation is below 0.1.
    *Clustered*: along a principal axis, or an axis found by turning towards far-from-normal shadows, two groups explain
    more than 0.9 of the shadow's variance, and more than in any of the ideal samples. *Dimensional*: along some axis
    the share of the variance is below a tenth of what ideal samples have along theirs of the same rank, or the
    effective rank is below 0.7 of theirs. *None*: a cloud free of all three may still not be N(0, I); the words say so.

    Args:
        embeddings: ``(samples, dim)``.
    Raises:
        ShapeError: not two axes, or fewer than two samples. TypeError: integers. ValueError: NaN or infinity.
    Example:
        >>> import torch
        >>> from lewm_lite import seeded
        >>> collapse_report(0.001 * torch.randn(256, 8, generator=seeded(0))).disease
        'complete'
    """
    check_embeddings("embeddings", embeddings)
    if embeddings.ndim != 2:
        raise ShapeError(f"embeddings must be (samples, dim), got shape {tuple(embeddings.shape)}")
    cloud = embeddings.detach().cpu().double()
    generator = seeded(0)
    ideal = [torch.randn(cloud.shape, generator=generator, dtype=cloud.dtype) for _ in range(IDEAL_SAMPLES)]
    directions = random_directions(cloud.shape[1], DIRECTIONS, generator=generator)
    score, *usual = (sigreg(sample.float(), directions).item() for sample in (cloud, *ideal))
    disease, words = _disease(cloud, ideal)
    if disease == "none":
        said = "Not collapsed, but not N(0, I) either" if score > max(usual) else "As ideal samples of this size"
        words = f"{said}: SIGReg {score:.2f}, ideal samples at most {max(usual):.2f}."
    rank = effective_rank_of(spectrum(cloud)).item()
    return CollapseReport(disease, words, feature_std(cloud).mean().item(), rank, score)


def _disease(cloud: Tensor, ideal: list[Tensor]) -> tuple[str, str]:
    """The first disease that fits, and the reason; none, and no words."""
    eigenvalues = spectrum(cloud)
    widest, rank = eigenvalues[0].sqrt().item(), effective_rank_of(eigenvalues).item()
    if widest < COMPLETE_BELOW:
        return "complete", f"Along its widest axis the cloud's standard deviation is {widest:.2g}; 1 is asked for."
    split, usual = _best_split(cloud), max(_best_split(sample) for sample in ideal)
    if split > max(SPLIT_ABOVE, usual):
        words = (
            f"Along one axis two groups explain {split:.1%} of the variance; in an ideal sample, at most {usual:.1%}."
        )
        return "clustered", words
    dead = _dead_axes(eigenvalues, ideal)
    if dead:
        return "dimensional", f"{dead} of {len(eigenvalues)} axes hold almost no variance; effective rank {rank:.1f}."
    ideal_rank = sum(effective_rank_of(spectrum(sample)).item() for sample in ideal) / len(ideal)
    if rank < POOR_BELOW * ideal_rank:
        words = f"effective rank {rank:.1f}, where an ideal sample has {ideal_rank:.1f}"
        return "dimensional", f"The variance crowds on few axes: {words}."
    return "none", ""


def _dead_axes(eigenvalues: Tensor, ideal: list[Tensor]) -> int:
    """Axes whose share of the variance is far below that of ideal samples along their axis of the same rank."""
    usual = torch.stack([spectrum(sample) for sample in ideal]).mean(0)
    shares, usual = eigenvalues / eigenvalues.sum(), usual / usual.sum()
    judged = usual > NEARLY_DEAD / len(usual)
    return int((judged & (shares < DEAD_BELOW * usual)).sum())


def _best_split(cloud: Tensor) -> float:
    """The largest share of a shadow's variance that two groups explain, over principal and far-from-normal axes."""
    centred = cloud - cloud.mean(0)
    values, axes = torch.linalg.eigh(centred.mT @ centred / len(cloud))
    live = values > 1e-6 * values[-1]
    most = max(1, len(cloud) // 8)  # more axes than that, and turning finds groups in anything
    white = (centred @ axes[:, live][:, -most:]) / values[live][-most:].sqrt()
    return max(_split(shadow) for shadow in [*white[:, -3:].unbind(1), *_far_from_normal(white)])


def _far_from_normal(white: Tensor) -> list[Tensor]:
    """Shadows of a white cloud along axes where the fourth moment is extreme, by Hyvärinen's fixed point."""
    axes = random_directions(white.shape[1], STARTS, generator=seeded(1)).to(white.dtype)
    for _ in range(TURNS):
        shadows = white @ axes
        axes = white.mT @ shadows**3 / len(white) - 3 * axes
        axes = axes / axes.norm(dim=0, keepdim=True).clamp_min(1e-12)
    return list((white @ axes).unbind(1))


def _split(shadow: Tensor) -> float:
    """The share of variance explained by the best cut of the line in two, at least 5 % of the samples on each side."""
    ordered = shadow.sort().values
    count, total = len(ordered), (ordered - ordered.mean()).square().sum()
    left = torch.arange(1, count, dtype=ordered.dtype)
    sums = ordered.cumsum(0)[:-1]
    gap = sums / left - (ordered.sum() - sums) / (count - left)
    share = left * (count - left) / count * gap.square() / total
    fair = (left >= SMALLEST_GROUP * count) & (count - left >= SMALLEST_GROUP * count)
    return share[fair].max().item() if bool(fair.any()) and bool(total > 0) else 0.0
