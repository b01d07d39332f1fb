"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import cmath
import math

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.chapters.normality_exercises import check_fools_jarque_bera, check_normal_but_unlike, check_two_clumps

HEALTHY = torch.randn(200, generator=seeded(4))
THREE = torch.tensor([-(3**0.5)] * 50 + [0.0] * 200 + [3**0.5] * 50)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Not yet"),
        (lambda a, t: math.cos(a * t), "Right"),
        (lambda a, t: (cmath.exp(1j * a * t) + cmath.exp(-1j * a * t)) / 2, "Right"),
        (lambda a, t: math.sin(a * t), "At t = 0"),
        (lambda a, t: cmath.exp(1j * a * t), "i left"),
        (lambda a, t: math.exp(-((a * t) ** 2) / 2), "a bell's"),
        (lambda a, t: math.cos(t), "At a = 0.5, t = 2"),
        (lambda a, t: math.cos(a * t) * math.exp(-t * t / 50), "yours is"),
    ],
)
def test_two_clumps_get_a_fitting_answer(answer, words):
    assert words in check_two_clumps(answer)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (None, "Not yet"),
        (HEALTHY[:49], "a vector of 50 to 1000"),
        (HEALTHY[:, None], "a vector of"),
        (torch.full((60,), math.nan), "finite"),
        (HEALTHY, "passes it as well"),
        (0.5 * HEALTHY, "Right"),
        (HEALTHY + 3, "Right"),
        (torch.linspace(-2, 2, 200), "does not take it for normal"),
    ],
    ids=["none", "few", "column", "nan", "healthy", "narrow", "moved", "uniform"],
)
def test_a_normal_sample_unlike_the_bell_gets_a_fitting_answer(sample, words):
    assert words in check_normal_but_unlike(sample)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (None, "Not yet"),
        (HEALTHY[:10], "a vector of"),
        (torch.full((60,), math.inf), "finite"),
        (THREE, "Right: skewness 0.00, kurtosis 3.00"),
        (3 * THREE, "they are 0.00 and 9.00"),
        (THREE + 1, "they are 1.00"),
        (torch.sign(HEALTHY - HEALTHY.median()), "kurtosis 1.0"),
        (torch.special.ndtri((torch.arange(200.0) + 0.5) / 200), "passes it as well"),
    ],
    ids=["none", "few", "infinite", "three values", "too wide", "moved", "two values", "healthy"],
)
def test_what_fools_jarque_bera_gets_a_fitting_answer(sample, words):
    assert words in check_fools_jarque_bera(sample)
