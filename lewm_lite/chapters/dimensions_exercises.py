"""Checkers for the exercises of chapter 03: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lewm_lite.embeddings.diagnostics import effective_rank_of, spectrum
from lewm_lite.objectives.expected import expected_epps_pulley
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded

VARIANCES = (2.0, 1.0, 1.0, 0.0)  # of exercise 1
DIM, DEAD, DIRECTIONS = 256, 10, 64  # of exercise 2
HIDDEN_DIM, HIDDEN_RANK, HIDDEN_SAMPLES, ALLOWED = 64, 8, 64, 2.0  # of exercise 3


def check_effective_rank(answer: float | None) -> str:
    """Exercise 1: the effective rank of a cloud with variances 2, 1, 1 and 0 along its axes."""
    if answer is None:
        return "Not yet: put a number in the place of None."
    variances = torch.tensor(VARIANCES)
    truth = effective_rank_of(variances).item()
    ratio = (variances.sum().square() / variances.square().sum()).item()
    if abs(answer - truth) < 0.015:
        return f"Right: {truth:.2f}, a little under the three axes that have any variance."
    if abs(answer - ratio) < 0.015:
        return f"{ratio:.2f} is the participation ratio; the effective rank is the exponential of the entropy."
    if abs(answer - 3) < 0.015:
        return "Three axes have variance, but they do not share it equally, and the entropy counts that."
    for name, entropy in (("natural logarithms", math.log(truth)), ("logarithms to base 2", math.log2(truth))):
        if abs(answer - entropy) < 0.015:
            return f"{entropy:.2f} is the entropy in {name}: raise the base of the logarithm to it."
    return f"Not {answer:g}. The shares of the variance are 1/2, 1/4, 1/4 and 0: what is their entropy?"


def check_samples_for_ten_dead(num_samples: int | None, *, repeats: int = 60) -> str:
    """Exercise 2: how many samples show ten dead of 256 nine times in ten, with 64 directions."""
    if num_samples is None:
        return "Not yet: put a number of samples in the place of None."
    if not 2 <= num_samples <= 4096:
        return f"{num_samples} samples: choose between 2 and 4096."
    generator = seeded(256)
    dead, healthy = [], []
    for _ in range(repeats):
        noise = torch.randn(num_samples, DIM, generator=generator)
        directions = random_directions(DIM, DIRECTIONS, generator=generator)
        healthy.append(sigreg(noise, directions))
        dead.append(sigreg(noise[:, DEAD:], directions[DEAD:]))  # dead coordinates add nothing to a shadow
    seen = (torch.stack(dead) > torch.stack(healthy).quantile(0.95)).float().mean().item()
    if seen < 0.9:
        return f"With {num_samples} samples ten dead are seen in {seen:.0%} of the batches: more are needed."
    if num_samples > 2560:
        return f"With {num_samples} samples they are seen in {seen:.0%} of the batches; fewer would do as well."
    return f"Right: with {num_samples} samples ten dead are seen in {seen:.0%} of the batches."


def check_hidden_rank(shape: Callable[[Tensor], Tensor] | None, *, repeats: int = 200) -> str:
    """Exercise 3: a cloud of rank 8 in 64 dimensions that costs at most 2 more than a healthy one at 64 samples."""
    if shape is None:
        return "Not yet: write a function of noise (samples, 64) and pass it in."
    generator = seeded(64)
    noise = torch.randn(2048, HIDDEN_DIM, generator=generator)
    cloud = shape(noise)
    if tuple(cloud.shape) != tuple(noise.shape):
        return f"The cloud must have the shape of the noise, {tuple(noise.shape)}, got {tuple(cloud.shape)}."
    if not bool(cloud.isfinite().all()):
        return "The cloud must be finite numbers."
    variances = spectrum(cloud)
    rank = int((variances > 1e-6 * variances[0]).sum())
    if rank > HIDDEN_RANK:
        return f"The cloud has rank {rank}: all but {HIDDEN_RANK} directions must be dead."
    scores = [
        sigreg(
            shape(torch.randn(HIDDEN_SAMPLES, HIDDEN_DIM, generator=generator)),
            random_directions(HIDDEN_DIM, 64, generator=generator),
        ).item()
        for _ in range(repeats)
    ]
    cost = sum(scores) / repeats - expected_epps_pulley(torch.tensor(1.0), HIDDEN_SAMPLES).item()
    total = variances.sum().item()
    if cost > ALLOWED:
        return (
            f"It costs {cost:.1f} above the floor. Its variances add up to {total:.0f}: what variance has its shadow "
            "in a direction drawn at random, on average?"
        )
    return f"Right: rank {rank}, and {cost:.2f} above the floor. Its variances add up to {total:.0f}."
