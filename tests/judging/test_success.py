"""Wilson's interval: against its own definition, at its ends, and as often right as it says."""

from __future__ import annotations

import math

import pytest
import torch

from lewm_lite import seeded
from lewm_lite.judging.success import SuccessRate, wilson_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 50), (1, 10), (48, 50), (50, 50), (970, 1000)])
def test_its_ends_are_the_shares_at_which_the_score_is_the_quantile(successes, trials):
    for end, at_end in zip(wilson_interval(successes, trials), (0, trials), strict=True):
        if successes == at_end:
            assert end == pytest.approx(at_end / trials, abs=1e-12)
        else:
            score = abs(successes / trials - end) / math.sqrt(end * (1 - end) / trials)
            assert score == pytest.approx(1.959964, abs=1e-5)


def test_it_holds_the_true_share_about_as_often_as_it_says():
    share, trials = 0.9, 50
    counts = (torch.rand(4000, trials, generator=seeded(0)) < share).sum(1).tolist()
    held = [low <= share <= high for low, high in (wilson_interval(count, trials) for count in counts)]
    assert 0.93 < sum(held) / len(held) < 0.98


def test_more_confidence_is_wider_and_more_trials_are_narrower():
    def width(*counts, **confidence):
        low, high = wilson_interval(*counts, **confidence)
        return high - low

    assert width(9, 10, confidence=0.99) > width(9, 10) > width(90, 100)


def test_a_rate_says_what_it_is():
    rate = SuccessRate(45, 50)
    assert rate.success == 0.9
    assert rate.interval == wilson_interval(45, 50)
    assert rate.as_dict() == {"success": 0.9, "interval": [0.7864, 0.9565], "successes": 45, "trials": 50}


@pytest.mark.parametrize(
    ("successes", "trials", "words"),
    [(0, 0, "trials must be"), (-1, 5, "successes must be"), (6, 5, "at most the 5 trials, got 6")],
)
def test_counts_that_can_not_be_are_refused(successes, trials, words):
    with pytest.raises(ValueError, match=words):
        SuccessRate(successes, trials)
    with pytest.raises(ValueError, match="confidence must be"):
        wilson_interval(1, 2, confidence=1.0)
