"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import epps_pulley
from lewm_lite.chapters.sigreg_exercises import check_collapsed_score, check_enough_samples, check_without_floor


@pytest.mark.parametrize(
    ("answer", "words"),
    [(None, "Not yet"), (102.9, "Right"), (0.402, "multiplied by N"), (0.0, "far from 0"), (50.0, "Not 50")],
)
def test_the_collapsed_score_gets_a_fitting_answer(answer, words):
    assert words in check_collapsed_score(answer)


@pytest.mark.parametrize(
    ("samples", "words"),
    [(None, "Not yet"), (1, "choose between"), (64, "more are needed"), (1024, "Right"), (8192, "half as many")],
)
def test_the_number_of_samples_gets_a_fitting_answer(samples, words):
    assert words in check_enough_samples(samples, repeats=12)


def right(samples):
    n, t = samples.shape[0], torch.linspace(0, 3, 17)
    angles = samples[..., None] * t
    real, imaginary = angles.cos().mean(0), angles.sin().mean(0)
    pairs = (n * (real**2 + imaginary**2) - 1) / (n - 1)
    bell, trapezoid = torch.exp(-(t**2) / 2), torch.full_like(t, 0.375)
    trapezoid[[0, -1]] /= 2
    return n * ((pairs - 2 * bell * real + bell**2) * bell * trapezoid).sum(-1)


@pytest.mark.parametrize(
    ("statistic", "words"),
    [
        (None, "Not yet"),
        (right, "Right"),
        (epps_pulley, "averages 1.0"),
        (lambda samples: epps_pulley(samples).mean(), "one score per column"),
        (lambda samples: torch.zeros(samples.shape[1]), "where the library"),
        (lambda samples: right(samples) / samples.shape[0], "where the library"),
    ],
    ids=["none", "right", "with the floor", "averaged", "always zero", "without N"],
)
def test_the_statistic_without_a_floor_gets_a_fitting_answer(statistic, words):
    assert words in check_without_floor(statistic)
