"""The learning rate rises and falls over the steps really run; settings that make no sense are refused."""

from __future__ import annotations

import math

import pytest

from lewm_lite.model.presets import PRESETS
from lewm_lite.training.fit_config import RECIPES, FitConfig


def test_the_learning_rate_rises_in_a_line_and_falls_along_a_cosine():
    config = FitConfig(steps=100, learning_rate=2.0, warmup=0.1)
    rates = [config.learning_rate_at(step) for step in range(100)]
    assert rates[:10] == pytest.approx([2 * (step + 1) / 11 for step in range(10)])
    assert rates[10] == max(rates) == 2.0
    assert rates[55] == pytest.approx(1.0)  # half-way down
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[99] < 0.001


@pytest.mark.parametrize("steps", [1, 2, 3, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.01, 0.5, 0.99])
def test_every_step_has_a_learning_rate_above_zero(steps, warmup):
    config = FitConfig(steps=steps, warmup=warmup)
    assert all(0 < config.learning_rate_at(step) <= config.learning_rate for step in range(steps))


def test_every_preset_has_a_recipe():
    assert RECIPES.keys() == PRESETS.keys()
    paper = RECIPES["paper"]
    assert (paper.batch_size, paper.learning_rate, paper.sigreg_weight) == (128, 5e-5, 0.09)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("steps", 0, "steps must be an integer of at least 1, got 0"),
        ("batch_size", 2.5, "batch_size must be an integer of at least 1, got 2.5"),
        ("learning_rate", 0.0, "learning_rate must be a finite number above 0, got 0.0"),
        ("clip_norm", math.inf, "clip_norm must be a finite number above 0, got inf"),
        ("sigreg_weight", -0.1, "sigreg_weight must be a finite number of at least 0, got -0.1"),
        ("weight_decay", math.nan, "weight_decay must be a finite number of at least 0, got nan"),
        ("warmup", 1.0, "warmup must be a share of the steps from 0 to below 1, got 1.0"),
        ("precision", "half", "precision must be one of .'float32', 'bfloat16'., got 'half'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name, value, words):
    with pytest.raises(ValueError, match=words):
        FitConfig(**{name: value})
