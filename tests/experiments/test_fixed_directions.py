"""An encoder under one fixed direction learns it by heart, and nothing else."""

from dataclasses import replace

import pytest
import torch

from lewm_lite.experiments.fixed_directions import FixedDirectionsConfig, Held, run, values
from lewm_lite.experiments.lockstep import LockstepConfig

SMALL = FixedDirectionsConfig(
    shared=replace(LockstepConfig(), seeds=(0, 1, 2), every=150, judged_samples=512), counts=(1,), steps=150
)


@pytest.fixture(scope="module")
def seen():
    return run(SMALL)


def test_one_fixed_direction_is_satisfied_and_the_rest_collapses(seen):
    fixed, fresh = seen["fixed.k1"], seen["fresh.k1"]
    for place in range(3):
        assert fixed["known"][place] < 0.3 * fixed["sigreg"][place]
        assert fixed["effective_rank"][place] < 0.6 * fresh["effective_rank"][place]
        assert fixed["sigreg"][place] > 1.5 * fresh["sigreg"][place]


def test_values_have_an_interval_for_every_reading(seen):
    told = values(seen)
    assert len(told) == 2 * 5 * 3
    assert told["fixed_directions.fixed.k1.std_low"] <= told["fixed_directions.fixed.k1.std"]


def test_held_directions_stay_and_others_do_not():
    first, second = torch.zeros(2), torch.ones(2)
    for fixed, expected in ((True, first), (False, second)):
        held = Held(fixed=fixed)
        held(first)
        assert torch.equal(held(second), expected)
