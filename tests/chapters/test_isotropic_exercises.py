"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite.chapters.isotropic_exercises import check_enough_for_rank, check_shadow_of_a_ball, check_shell


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((None, None), "Not yet"),
        ((20, None), "Not yet"),
        ((20, 0.7), "Right: 4,000 points have length 20.0 ± 0.7"),
        ((0, 1), "no room near 0"),
        ((400, 28), "the length squared"),
        ((30, 0.7), "Not 30"),
        ((20, 28), "spread of the squared length"),
        ((20, 4), "spread is not 4"),
        ((20, 0.05), "spread is not 0.05"),
    ],
)
def test_the_shell_gets_a_fitting_answer(answer, words):
    assert words in check_shell(*answer)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (None, "Not yet"),
        (1, "choose between"),
        (192, "More are needed"),
        (800, "More are needed"),
        (1024, "Right: with 1,024 samples"),
        (8192, "half as many"),
    ],
)
def test_the_number_of_samples_gets_a_fitting_answer(samples, words):
    assert words in check_enough_for_rank(samples)


def right(directions, t):
    reach = math.sqrt(3) * t
    return (torch.sin(reach) / reach).expand(directions.shape[1], -1)


@pytest.mark.parametrize(
    ("shadow", "words"),
    [
        (None, "Not yet"),
        (right, "Right"),
        (lambda directions, t: right(directions, t)[0], "One row per direction"),
        (lambda directions, t: torch.exp(-t * t / 2).expand(directions.shape[1], -1), "the bell curve"),
        (lambda directions, t: right(directions, t / math.sqrt(3)), "radius 1"),
        (lambda directions, t: right(directions, 2 * t), "Off by up to"),
    ],
    ids=["none", "right", "one row", "bell curve", "radius 1", "too wide"],
)
def test_the_shadow_of_a_sphere_gets_a_fitting_answer(shadow, words):
    assert words in check_shadow_of_a_ball(shadow)
