"""Encoders under four objectives: what the fast form sees, and what the kept result holds."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments.lockstep import LockstepConfig
from lewm_lite.experiments.used_dimensions import HeldOut, Looked, UsedDimensionsConfig, run, values

FAST = UsedDimensionsConfig(
    shared=LockstepConfig(seeds=(0, 1), every=150, judged_samples=1024),
    objectives=("variance_only", "sigreg"),
    steps=150,
    steps_after=150,
)


@pytest.fixture(scope="module")
def fast():
    return values(run(FAST))


def test_variance_alone_fills_features_but_not_dimensions(fast):
    assert fast["used_dimensions.variance_only.before.smallest_std"] > 0.8
    assert fast["used_dimensions.variance_only.before.effective_rank"] < 3
    assert fast["used_dimensions.sigreg.before.effective_rank"] > 5


def test_sigreg_opens_what_variance_had_closed(fast):
    before, after = (fast[f"used_dimensions.variance_only.{moment}.effective_rank"] for moment in ("before", "after"))
    assert after > before + 2


def test_distractions_are_told_from_the_state():
    held = HeldOut(LockstepConfig(judged_samples=512))
    _, state, distractions = held.fitted
    assert state.shape == (512, 4) and distractions.shape == (512, 8)
    raw = held.raw()
    assert raw["state"] > 0.7 and raw["distractions"] > 0.7
    # A cloud made of the state alone knows the state, and nothing of the distractions.
    widen = torch.randn(4, 16, generator=seeded(0))
    known = held.read(held.fitted[1] @ widen, held.judged[1] @ widen)
    assert known["state"] > 0.99 > 0.05 > known["distractions"]
    assert known["effective_rank"] < 4.01
    other = held.read(held.fitted[2] @ widen.repeat(2, 1), held.judged[2].flip(0) @ widen.repeat(2, 1))
    assert other["distractions"] < 0.1  # rows that do not belong together tell nothing


def test_moments_that_nobody_looks_at_are_refused():
    with pytest.raises(ValueError, match="must be multiples of every = 150, got 150 and 100"):
        run(replace(FAST, steps_after=100))


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/used_dimensions.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(asdict(UsedDimensionsConfig())))
    looked = {name: {moment: Looked(**seen) for moment, seen in row.items()} for name, row in kept["details"].items()}
    told = {name: value for name, value in kept["values"].items() if ".raw." not in name}
    assert told == values(looked)
    rank = {name: told[f"used_dimensions.{name}.before.effective_rank_high"] for name in looked}
    assert rank["variance_only"] < 3 < rank["vicreg"] < 5 < told["used_dimensions.sigreg.before.effective_rank_low"]
    for name in looked:
        assert told[f"used_dimensions.{name}.after.effective_rank_low"] > 6
