"""Checkers for the exercises of chapter 02: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lewm_lite.embeddings.diagnostics import effective_rank
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.rivals import rival_named
from lewm_lite.seeding import seeded

DIM = 400  # of exercise 1
RANK_DIM, WANTED = 192, 0.9  # of exercise 2: the share of the dimensions that the effective rank must reach


def check_shell(length: float | None, spread: float | None) -> str:
    """Exercise 1: the typical length of a point of N(0, I) in 400 dimensions, and the std of that length."""
    if length is None or spread is None:
        return "Not yet: put two numbers in the place of None."
    lengths = torch.randn(4000, DIM, generator=seeded(2)).norm(dim=1)
    mean, std = lengths.mean().item(), lengths.std().item()
    if abs(length) < 1:
        return "The bell curve is highest at 0, but in 400 dimensions there is next to no room near 0: add 400 squares."
    if abs(length - mean**2) < 0.05 * mean**2:
        return f"{length:g} is the length squared: the sum of 400 squares, each 1 on average."
    if abs(length - mean) > 0.03 * mean:
        return f"Not {length:g}: a coordinate's square is 1 on average, and the length is the root of the sum of 400."
    if abs(spread - mean * std * 2) < 0.2 * mean * std * 2:
        return f"{spread:g} is the spread of the squared length; the root shrinks it, by twice the length."
    if not 0.5 <= spread <= 1:
        return f"The length is right. Its spread is not {spread:g}: the picture above shows it for 2, 16 and 256."
    return f"Right: 4,000 points have length {mean:.1f} ± {std:.2f}. A shell: hardly a point is inside."


def check_enough_for_rank(num_samples: int | None) -> str:
    """Exercise 2: how many samples an ideal batch of 192 dimensions needs to show an effective rank of 90 % of them."""
    if num_samples is None:
        return "Not yet: put a number of samples in the place of None."
    if not 2 <= num_samples <= 20_000:
        return f"{num_samples} samples: choose between 2 and 20,000."
    rank = effective_rank(torch.randn(num_samples, RANK_DIM, generator=seeded(num_samples)))
    told = f"with {num_samples:,} samples of 192 perfect dimensions the effective rank is {rank:.0f}"
    if rank < WANTED * RANK_DIM:
        return f"More are needed: {told}."
    if num_samples > 2000:
        return f"Enough, but {told}; half as many would do as well."
    return f"Right: {told}."


def check_shadow_of_a_ball(shadow: Callable[[Tensor, Tensor], Tensor] | None) -> str:
    """Exercise 3: the characteristic function of the shadow of a sphere of radius sqrt(3) in three dimensions."""
    if shadow is None:
        return "Not yet: write the function and pass it in."
    directions, t = random_directions(3, 5, generator=seeded(3)), torch.linspace(0.2, 3, 15)
    told = shadow(directions, t)
    if tuple(told.shape) != (5, 15):
        return f"One row per direction and one column per frequency are wanted, (5, 15); got {tuple(told.shape)}."
    truth = rival_named("sphere").shadow(directions, t)
    gap = (told - truth).abs().max().item()
    if gap < 1e-3:
        return f"Right: no value is further than {gap:.0e} from the library's."
    if (told - torch.exp(-t * t / 2)).abs().max() < 1e-3:
        return "That is the bell curve, the shadow of the Gaussian. A sphere's shadow ends at its radius."
    if (told - torch.sinc(t / math.pi)).abs().max() < 1e-3:
        return "That is the shadow of a sphere of radius 1: how long must radii be for a variance of 1 per coordinate?"
    return f"Off by up to {gap:.2f}: the shadow is uniform from -√3 to √3; average cos(t x) over that stretch."
