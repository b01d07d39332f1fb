"""Checkers for the exercises of chapter 07: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.chapters.answers import not_a_cloud
from lewm_lite.labs.verdicts import compass
from lewm_lite.objectives.sigreg import random_directions, sigreg
from lewm_lite.seeding import seeded

DIM, KNOWN = 5, 3  # the first exercise's space, and how many directions are looked along in it
SAMPLES, LEVEL, CAUGHT = 512, 3.3, 20.0  # the second's: an ideal cloud scores at most LEVEL 98 times in 100
LINES = 5  # the third's


def known_directions() -> Tensor:
    """Exercise 1's three directions of five dimensions, ``(5, 3)``, always the same."""
    return random_directions(DIM, KNOWN, generator=seeded(71))


def check_unseen(direction: Tensor | None) -> str:
    """Exercise 1: a direction in which a cloud can be moved or stretched and none of the known shadows changes."""
    if direction is None:
        return "Not yet: put a tensor of 5 numbers in the place of None."
    if tuple(direction.shape) != (DIM,):
        return f"The direction must be ({DIM},), got {tuple(direction.shape)}."
    length = direction.norm().item()
    if not length > 1e-6:
        return "That is no direction: its length is 0."
    shares = (direction.float() @ known_directions() / length).abs()
    if shares.max() > 1e-3:
        worst = int(shares.argmax())
        return (
            f"Direction {worst} sees it: moving a point by 1 moves its shadow there by {shares[worst]:.2f}. "
            "What must r · x be for every known r?"
        )
    free = DIM - KNOWN
    return (
        f"Right: no known shadow moves. There is a whole plane of such directions, {DIM} − {KNOWN} = {free} dimensions."
    )


def check_two_shadows(cloud: Tensor | None) -> str:
    """Exercise 2: 512 points of a plane with standard normal shadows on both axes, which are not normal together."""
    if wrong := not_a_cloud(cloud, (SAMPLES, 2)):
        return wrong
    for axis, name in enumerate("xy"):
        shadow = sigreg(cloud.float(), torch.eye(2)[:, axis : axis + 1]).item()
        if shadow > LEVEL:
            return f"The shadow on the {name} axis scores {shadow:.1f}; a normal one stays below {LEVEL}."
    everywhere = sigreg(cloud.float(), compass(64).mT).item()
    if everywhere < CAUGHT:
        return f"Both shadows pass, but all directions say {everywhere:.1f}: go farther, to {CAUGHT:.0f} or more."
    return f"Right: both shadows pass, and over all directions the cloud scores {everywhere:.0f}."


def check_twins(first: Tensor | None, second: Tensor | None) -> str:
    """Exercise 3: two different sets of points of a plane with the same shadows on five evenly spaced lines."""
    if first is None or second is None:
        return "Not yet: put two tensors of shape (points, 2) in the place of None."
    if first.shape != second.shape or first.ndim != 2 or first.shape[1] != 2 or not len(first):
        return f"Both must be (points, 2) with as many points, got {tuple(first.shape)} and {tuple(second.shape)}."
    apart = torch.cdist(first.double(), second.double())
    if apart.min(1).values.max() < 0.05 * (first.abs().max() + 1e-9) and apart.min(0).values.max() < 0.05:
        return "The two are the same set of points: so, of course, are their shadows."
    for number, line in enumerate(compass(LINES).double()):
        ours, theirs = ((points.double() @ line).sort().values for points in (first, second))
        gap = (ours - theirs).abs().max().item()
        if gap > 1e-4 * (1 + first.abs().max().item()):
            return f"On the line at {180 * number // LINES} degrees a shadow's point is off by {gap:.3f}."
    return f"Right: {len(first)} points each, nowhere the same, and on all {LINES} lines their shadows are equal."
