"""Checkers for the exercises of chapter 04: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from lewm_lite.chapters.answers import not_a_cloud
from lewm_lite.embeddings.clouds import SHAPES, cloud_noise
from lewm_lite.embeddings.diagnostics import feature_std
from lewm_lite.labs.verdicts import compass, content_levels, judge_scores
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.objectives.vicreg import variance_hinge
from lewm_lite.seeding import seeded

OFFERED = ("axis_line", "line", "clumps", "white_clumps", "low_rank", "point")
SAMPLES, DIM, FIXED = 512, 16, 4


def check_hinge(answer: Iterable[str] | None) -> str:
    """Exercise 1: which of the clouds OFFERED satisfy the variance hinge, in two dimensions."""
    if answer is None:
        return "Not yet: put a set of names in the place of None."
    named = {answer} if isinstance(answer, str) else set(answer)
    unknown = named - set(OFFERED)
    if unknown:
        return f"{sorted(unknown)[0]!r} is not among them: choose from {', '.join(OFFERED)}."
    noise = cloud_noise(SAMPLES, 2, generator=seeded(4))
    made = {name: SHAPES[name](noise) for name in OFFERED}
    level = content_levels(SAMPLES)[0]
    truth = {name for name, cloud in made.items() if variance_hinge(cloud) <= level}
    for name in OFFERED:
        told = " and ".join(f"{std:.2f}" for std in feature_std(made[name]).tolist())
        if name in named - truth:
            return f"{name} does not: its features have std {told}, and the hinge asks each of them for 1."
        if name in truth - named:
            return f"{name} does too: its features have std {told}. The hinge looks at nothing else."
    return (
        f"Right: {', '.join(name for name in OFFERED if name in truth)}. The rest have a feature with too little std."
    )


def check_fools_vicreg(cloud: Tensor | None) -> str:
    """Exercise 2: a flat cloud of 512 points with which variance and covariance are content, and SIGReg is not."""
    if wrong := not_a_cloud(cloud, (SAMPLES, 2)):
        return wrong
    scores, _ = judge_scores(cloud.float(), compass(64))
    variance, covariance, statistic = scores.tolist()
    levels = content_levels(SAMPLES).tolist()
    if variance > levels[0]:
        stds = " and ".join(f"{std:.2f}" for std in feature_std(cloud).tolist())
        return f"Variance is not content: its features have std {stds}, and each is asked for 1."
    if covariance > levels[1]:
        return f"Covariance is not content, at {covariance:.3f}: knowing one feature must not tell the other's side."
    if statistic <= levels[2]:
        return f"SIGReg is content too, at {statistic:.2f}: of which sides does this cloud look unlike a bell curve?"
    return f"Right: variance and covariance are content, and SIGReg says {statistic:.1f}, above its {levels[2]:.1f}."


def fixed_judge() -> Tensor:
    """Exercise 3's judge: four directions of sixteen dimensions, ``(16, 4)``, always the same."""
    return random_directions(DIM, FIXED, generator=seeded(44))


def check_forgery(cloud: Tensor | None) -> str:
    """Exercise 3: 512 points in 16 dimensions that pass SIGReg along four fixed directions and fail along others."""
    if wrong := not_a_cloud(cloud, (SAMPLES, DIM)):
        return wrong
    generator, fixed = seeded(45), fixed_judge()
    ideal = torch.randn(200, SAMPLES, DIM, generator=generator)
    level = torch.stack([sigreg(one, fixed) for one in ideal]).quantile(0.95).item()
    known = sigreg(cloud.float(), fixed).item()
    fresh = sigreg(cloud.float(), random_directions(DIM, 64, generator=generator)).item()
    if known > level:
        return f"Along its four directions it scores {known:.2f}; ideal clouds stay below {level:.2f} there."
    if fresh < 10 * level:
        return (
            f"Along fresh directions it scores {fresh:.2f}: too healthy for a forgery. What do four shadows leave free?"
        )
    return f"Right: {known:.2f} along the four that it knew, {fresh:.0f} along fresh ones. It had learned its judge."
