"""The longer run is the shorter one, continued; and what it says of few directions is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.few_directions import FewDirectionsConfig, run, values
from lewm_lite.experiments.num_directions import NumDirectionsConfig, trained

SMALL = NumDirectionsConfig(counts=(1, 4), seeds=(0, 1), dim=4, steps=6, every=3)


def test_every_judged_step_of_every_count_is_told():
    records = run(FewDirectionsConfig(SMALL))
    told = values(records)
    assert {f"few_directions.k{k}.step{step}.std_low" for k in (1, 4) for step in (3, 6)} < set(told)
    assert not any("step0" in name for name in told)
    half = trained(replace(SMALL, steps=3), 4, 4)
    assert records[4].last("sigreg", "std", step=3) == pytest.approx(half.last("sigreg", "std"))


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/few_directions.json").read_text(encoding="utf-8"))
    config = FewDirectionsConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    told = kept["values"]
    for count in config.shared.counts:  # later is better, beyond the seeds' spread
        early, late = (f"few_directions.k{count}.step{step}" for step in (500, 2000))
        assert told[f"{late}.probe_r2_low"] > told[f"{early}.probe_r2"]
