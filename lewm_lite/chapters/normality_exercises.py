"""Checkers for the exercises of chapter 06: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from torch import Tensor

from lewm_lite.objectives.normality import NORMALITY_TESTS, null_scores, p_value
from lewm_lite.seeding import seeded

FEWEST, MOST = 50, 1000  # samples in an answer
MOMENTS_WITHIN = 0.1


def check_two_clumps(answer: Callable[[float, float], float] | None) -> str:
    """Exercise 1: the characteristic function of two equally likely values, -a and +a, as a function of a and t."""
    if answer is None:
        return "Not yet: put a function of a and t in the place of None."
    for a, t in ((1.0, 0.0), (1.0, 1.0), (1.0, 2.5), (0.5, 2.0), (2.0, 1.3)):
        got, right = complex(answer(a, t)), math.cos(a * t)
        if abs(got - right) < 1e-6:
            continue
        if t == 0:
            return f"At t = 0 every arrow points to the right, so that the mean arrow is 1; yours is {got:.3g}."
        if abs(got.imag) > 1e-6:
            return f"One arrow points up by as much as the other points down; yours has {got.imag:.3g} i left."
        if abs(got - math.exp(-((a * t) ** 2) / 2)) < 1e-6:
            return "That is a bell's. Here there are two arrows only, and they come back to the right."
        return f"At a = {a:g}, t = {t:g} the mean of the two arrows is {right:.3f}; yours is {got.real:.3f}."
    return "Right: the mean of e^{iat} and e^{-iat} is cos(at), which never dies away."


def check_normal_but_unlike(sample: Tensor | None) -> str:
    """Exercise 2: a sample that Shapiro-Wilk takes for normal and Epps-Pulley does not take for N(0, 1)."""
    trouble = _not_a_sample(sample)
    if trouble:
        return trouble
    column = sample.double()[:, None]
    p = p_value(NORMALITY_TESTS["shapiro_wilk"], column).item()
    if p <= 0.05:
        return f"Shapiro-Wilk does not take it for normal: p = {p:.2g}. Start from a sample that is."
    score, level = _score("epps_pulley", column), _level("epps_pulley", len(column))
    if score <= level:
        return f"Epps-Pulley passes it as well, at {score:.2f}: what may a normal sample have that N(0, 1) has not?"
    return f"Right: Shapiro-Wilk's p is {p:.2f}, and Epps-Pulley says {score:.1f}, above its {level:.1f}."


def check_fools_jarque_bera(sample: Tensor | None) -> str:
    """Exercise 3: mean 0, variance 1, skewness 0 and kurtosis 3, and yet seen by Epps-Pulley."""
    trouble = _not_a_sample(sample)
    if trouble:
        return trouble
    x = sample.double()
    mean, std = x.mean(), x.std(correction=0)
    if abs(mean) > MOMENTS_WITHIN or abs(std.square() - 1) > MOMENTS_WITHIN:
        return f"Mean and variance should be 0 and 1; they are {mean:.2f} and {std.square():.2f}."
    scaled = (x - mean) / std
    skewness, kurtosis = scaled.pow(3).mean(), scaled.pow(4).mean()
    found, level = _score("jarque_bera", x[:, None]), _level("jarque_bera", len(x))
    if found > level:
        return f"Jarque-Bera is not fooled: skewness {skewness:.2f} and kurtosis {kurtosis:.2f} give {found:.1f}."
    score, level = _score("epps_pulley", x[:, None]), _level("epps_pulley", len(x))
    if score <= level:
        return (
            f"Epps-Pulley passes it as well, at {score:.2f}, below its {level:.1f}: be less like a bell, or more of it."
        )
    return (
        f"Right: skewness {skewness:.2f}, kurtosis {kurtosis:.2f}, and Epps-Pulley says {score:.1f}, above {level:.1f}."
    )


def _not_a_sample(sample: Tensor | None) -> str:
    """What is wrong with an answer that should be a vector of numbers; nothing if it is one."""
    if sample is None:
        return f"Not yet: put a tensor of {FEWEST} to {MOST} numbers in the place of None."
    if sample.ndim != 1 or not FEWEST <= len(sample) <= MOST:
        return f"The sample must be a vector of {FEWEST} to {MOST} numbers, got shape {tuple(sample.shape)}."
    if not bool(sample.isfinite().all()):
        return "The sample must be finite numbers."
    return ""


def _score(test: str, column: Tensor) -> float:
    return NORMALITY_TESTS[test].evidence(column).item()


@cache
def _level(test: str, num_samples: int) -> float:
    """What 95 in 100 healthy samples of that size score no more than."""
    return null_scores(NORMALITY_TESTS[test], num_samples, 2000, generator=seeded(6)).quantile(0.95).item()
