"""Checkers for the exercises of chapter 08: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lewm_lite.embeddings.clouds import cloud_noise, low_rank
from lewm_lite.objectives.expected import expected_epps_pulley
from lewm_lite.objectives.sigreg import epps_pulley, random_directions, sigreg
from lewm_lite.seeding import seeded


def check_collapsed_score(answer: float | None) -> str:
    """Exercise 1: the score of 256 embeddings that all sit at 0."""
    if answer is None:
        return "Not yet: put a number in the place of None."
    truth = sigreg(torch.zeros(256, 16), random_directions(16, 8, generator=seeded(0))).item()
    if abs(answer - truth) <= 0.02 * truth:
        return f"Right: the library says {truth:.1f}."
    if abs(answer - truth / 256) <= 0.02 * truth / 256:
        return "That is the score per embedding: the statistic is multiplied by N."
    if abs(answer) < 0.1:
        return "A collapsed cloud is as far from N(0, I) as a cloud of that scale can be: the score is far from 0."
    return f"Not {answer:g}. All shadows are 0, so the mean of cos(t·0) is 1 at every knot: what is left of the sum?"


def check_enough_samples(num_samples: int | None, *, repeats: int = 40) -> str:
    """Exercise 2: how many samples make one dead coordinate of 16 visible."""
    if num_samples is None:
        return "Not yet: put a number of samples in the place of None."
    if not 2 <= num_samples <= 8192:
        return f"{num_samples} samples: choose between 2 and 8192."
    generator = seeded(16)
    low, healthy = [], []
    for _ in range(repeats):
        noise = cloud_noise(num_samples, 16, generator=generator)
        directions = random_directions(16, 64, generator=generator)
        low.append(sigreg(low_rank(noise), directions))
        healthy.append(sigreg(noise[:, :-1], directions))
    threshold = torch.stack(healthy).quantile(0.95)
    seen = (torch.stack(low) > threshold).float().mean().item()
    if seen < 0.9:
        return f"With {num_samples} samples the dead coordinate is seen in {seen:.0%} of the batches: more are needed."
    if num_samples > 2048:
        return f"With {num_samples} samples it is seen in {seen:.0%} of the batches; half as many would do as well."
    return f"Right: with {num_samples} samples the dead coordinate is seen in {seen:.0%} of the batches."


def check_without_floor(statistic: Callable[[Tensor], Tensor] | None) -> str:
    """Exercise 3: an estimate of the same distance whose average is 0, not 1.05, when the law is N(0, 1)."""
    if statistic is None:
        return "Not yet: write the function and pass it in."
    ideal = torch.randn(64, 4000, generator=seeded(64))
    scores = statistic(ideal)
    if tuple(scores.shape) != (4000,):
        return f"The function must give one score per column: (64, 4000) -> (4000,), got {tuple(scores.shape)}."
    mean, error = scores.mean().item(), scores.std().item() / math.sqrt(4000)
    if abs(mean) > 4 * error + 1e-3:
        return f"On N(0, 1) it averages {mean:.3f} ± {error:.3f}, and should average 0: which part of |φ̂|² is chance?"
    wide = 2 * torch.randn(4096, 8, generator=seeded(1))
    ours, theirs = (
        statistic(wide).mean().item(),
        (epps_pulley(wide).mean() - expected_epps_pulley(torch.tensor(1.0), 64)).item(),
    )
    if abs(ours - theirs) > 0.02 * theirs:
        return f"On N(0, 4) it says {ours:.1f}, where the library, less the floor, says {theirs:.1f}."
    return f"Right: {mean:.3f} ± {error:.3f} on N(0, 1), and {ours:.0f} on a cloud twice too wide."
