"""Checkers accept what is right, refuse what is wrong, and say why."""

from __future__ import annotations

import pytest
import torch

from lewm_lite.chapters.teachers_exercises import check_half_life, check_leaking_target, check_memory_ratio


@pytest.mark.parametrize(
    ("answer", "words"),
    [(None, "Not yet"), (69, "Right"), (68.97, "Right"), (50, "of what is left"), (100, "1/e"), (0.69, "Not 0.69")],
)
def test_the_half_life_gets_a_fitting_answer(answer, words):
    assert words in check_half_life(answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "Not yet"),
        (3036 / 4272, "Right"),
        (0.71, "Right"),
        (4272 / 3036, "other way round"),
        (2, "only look"),
        (1.25, "activations are the larger part"),
        (4572 / 4272, "no backward"),
        (5472 / 4272, "no gradient, no moments"),
        (0.5, "Not 0.5"),
    ],
)
def test_the_memory_ratio_gets_a_fitting_answer(answer, words):
    assert words in check_memory_ratio(answer)


@pytest.mark.parametrize(
    ("leaking", "words"),
    [
        (None, "Not yet"),
        (lambda target, share: share * target + (1 - share) * target.detach(), "Right"),
        (lambda target, share: target.detach() + share * (target - target.detach()), "Right"),
        (lambda target, share: target, "At share 0 the gradient"),
        (lambda target, share: target.detach(), "At share 1 the gradient"),
        (lambda target, share: (1 - share) * target + share * target.detach(), "At share 1 the gradient"),
        (lambda target, share: target if share > 0 else target.detach(), "At share 0.25 the gradient"),
        (lambda target, share: share * target, "At share 0 the loss"),
        (lambda target, share: share * torch.tanh(target) + (1 - share) * target.detach(), "At share 1 the loss"),
    ],
    ids=["none", "right", "right too", "all", "nothing", "other way", "a switch", "value leaks", "other value"],
)
def test_the_leaking_target_gets_a_fitting_answer(leaking, words):
    assert words in check_leaking_target(leaking)
