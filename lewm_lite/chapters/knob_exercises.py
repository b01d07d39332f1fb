"""Checkers for the exercises of chapter 09: each answers in a sentence, and says where to look when it does not fit."""

from __future__ import annotations

from collections.abc import Callable

import torch

from lewm_lite.objectives.expected import expected_epps_pulley

USUAL, SAMPLES, OTHER_SAMPLES = 0.1, 128, 512


def price_of_spread(num_samples: int, *, t_max: float = 3.0) -> float:
    """How much the expected score of a collapsed cloud falls per unit of variance that it gains."""
    slope = torch.func.grad(lambda variance: expected_epps_pulley(variance, num_samples, t_max=t_max))
    return -slope(torch.tensor(0.0, dtype=torch.float64)).item()


def check_converted_weight(answer: float | None) -> str:
    """Exercise 1: λ = 0.1, tuned at 128 samples, carried to 512."""
    if answer is None:
        return "Not yet: put a number in the place of None."
    truth = USUAL * SAMPLES / OTHER_SAMPLES
    if abs(answer - truth) <= 0.01 * truth:
        return f"Right: λ·N stays at {USUAL * SAMPLES:g}, so λ becomes {truth:g}."
    if abs(answer - USUAL) <= 0.01 * USUAL:
        return "With the same λ the larger batch pulls harder, since the score away from its floor grows with N."
    if abs(answer - USUAL * OTHER_SAMPLES / SAMPLES) <= 0.01 * USUAL * OTHER_SAMPLES / SAMPLES:
        return "The other way: the score is already multiplied by N, so a larger batch needs a smaller λ."
    return f"Not {answer:g}: which product of λ and another number keeps the balance?"


def check_smallest_growing(answer: float | None) -> str:
    """Exercise 2: the smallest λ at which a tiny cloud of 512 points grows against a pull that nothing predicts."""
    if answer is None:
        return "Not yet: put the λ that your search found in the place of None."
    truth, before = 1 / price_of_spread(OTHER_SAMPLES), 1 / price_of_spread(SAMPLES)
    if abs(answer - truth) <= 0.05 * truth:
        return f"Right: one over the price of spread at {OTHER_SAMPLES} points is {truth:.3g}."
    if abs(answer - before) <= 0.05 * before:
        return f"That is the λ for {SAMPLES} points: hand {OTHER_SAMPLES} on to `grows` inside the search."
    if answer > truth:
        return f"At {answer:.3g} the cloud grows, but so it does at less: let the search go on, or lower its ends."
    return f"At {answer:.3g} the cloud still shrinks: is it the rejected end of the bracket?"


def check_price(price: Callable[[float], float] | None) -> str:
    """Exercise 3: the price of spread per sample, as a function of the range of frequencies."""
    if price is None:
        return "Not yet: write the function and pass it in."
    many = 10**6  # so many samples that chance has no say
    ranges = (0.6, 1.0, 3.0, 5.0)
    ours = [price_of_spread(many, t_max=t_max) / many for t_max in ranges]
    theirs = [float(price(t_max)) for t_max in ranges]
    factors = [their / our for their, our in zip(theirs, ours, strict=True)]
    if all(abs(factor - 1) <= 0.03 for factor in factors):
        less = ours[2] / ours[1]
        return f"Right: {theirs[2]:.3g} at a range of 3, {theirs[1]:.3g} at 1: as if λ were {less:.0f} times less."
    if all(abs(factor - factors[0]) <= 0.03 * abs(factors[0]) for factor in factors):
        return f"The shape is right, but all is {factors[0]:.3g} times too much: count both halves of the range."
    return (
        f"At a range of 3 yours is {theirs[2]:.3g}, and the library's slope {ours[2]:.3g}: a shadow of variance v has "
        "the characteristic function exp(-v t²/2); take the slope of its squared gap at v = 0, then the window."
    )
