"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.chapters.cramer_wold_exercises import check_twins, check_two_shadows, check_unseen, known_directions
from lewm_lite.embeddings.clouds import cloud_noise, white_clumps
from lewm_lite.embeddings.forgeries import every_other_sector

NOISE = cloud_noise(512, 2, generator=seeded(1))
UNSEEN = torch.linalg.svd(known_directions().mT)[2][-1]


def polygon(corners, start):
    angles = start + torch.arange(corners) * (2 * math.pi / corners)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        (None, "Not yet"),
        (torch.zeros(3), "must be (5,)"),
        (torch.zeros(5), "its length is 0"),
        (known_directions()[:, 1], "Direction 1 sees it: moving a point by 1 moves its shadow there by 1.00"),
        (torch.eye(5)[0], "sees it"),
        (UNSEEN, "Right"),
        (-7 * UNSEEN, "Right"),
        (UNSEEN + 0.1 * known_directions()[:, 0], "Direction 0 sees it"),
    ],
)
def test_an_unseen_direction_is_at_right_angles_to_all_that_are_known(direction, words):
    assert words in check_unseen(direction)


LINE = NOISE[:, :1].repeat(1, 2)


@pytest.mark.parametrize(
    ("cloud", "words"),
    [
        (None, "Not yet"),
        (NOISE, "must be (512, 2)"),
        (torch.full((512, 2), math.nan), "finite"),
        (NOISE[:, :2], "go farther"),
        (LINE, "Right"),
        (every_other_sector(NOISE, torch.tensor(2.0)), "Right"),
        (white_clumps(NOISE), "The shadow on the x axis scores"),
        (LINE * torch.tensor([1.0, 0.5]), "The shadow on the y axis scores"),
    ],
)
def test_two_normal_shadows_of_a_cloud_that_is_not_normal(cloud, words):
    assert words in check_two_shadows(cloud)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (None, polygon(5, 0), "Not yet"),
        (polygon(5, 0), polygon(6, 0), "as many points"),
        (polygon(5, 0.1), polygon(5, 0.1).flip(0), "the same set of points"),
        (polygon(5, math.pi / 10), polygon(5, math.pi / 10 + math.pi / 5), "Right: 5 points each"),
        (polygon(5, 0), polygon(5, math.pi / 5), "is off by"),
        (polygon(7, math.pi / 10), polygon(7, math.pi / 10 + math.pi / 7), "is off by"),
    ],
)
def test_twins_are_two_clouds_with_the_same_five_shadows(first, second, words):
    assert words in check_twins(first, second)
