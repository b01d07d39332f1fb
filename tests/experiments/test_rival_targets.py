"""The fast form trains to another target than SIGReg's and only that differs; what is kept is of the config."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from lewm_lite import asset_path
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, train
from lewm_lite.experiments.rival_targets import READINGS, RivalTargetsConfig, run, values
from lewm_lite.model.joint_embedding import JointEmbeddingConfig
from lewm_lite.training.joint_embedding import OBJECTIVES

SHARED = LockstepConfig(
    seeds=(0, 1), batch_size=32, num_directions=8, judged_samples=128, network=JointEmbeddingConfig(dim=4)
)
FAST = RivalTargetsConfig(shared=SHARED, targets=("gaussian", "clumps"), dims=(4,), steps=40)


@pytest.fixture(scope="module")
def fast():
    return run(FAST)


def test_the_gaussian_target_is_sigreg_itself(fast):
    record = train(replace(SHARED, every=20), [Phase(40, {"sigreg": OBJECTIVES["sigreg"]})])
    for reading in READINGS:
        assert fast["4"]["gaussian"][reading] == pytest.approx(record.last("sigreg", reading), rel=1e-2, abs=1e-3)
    halfway = record.last("sigreg", "probe_r2", step=20)
    assert fast["4"]["gaussian"]["probe_r2_halfway"] == pytest.approx(halfway, rel=1e-2, abs=1e-3)


def test_a_rival_target_makes_another_encoder(fast):
    differences = [abs(a - b) for a, b in zip(fast["4"]["gaussian"]["sigreg"], fast["4"]["clumps"]["sigreg"])]
    assert min(differences) > 0.05


def test_gains_are_paired_by_seed_and_0_for_the_gaussian_itself(fast):
    told = values(fast)
    assert told["rival_targets.d4.gaussian.probe_r2_gain"] == 0
    mean = sum(b - a for a, b in zip(*(fast["4"][name]["probe_r2"] for name in FAST.targets), strict=True)) / 2
    assert told["rival_targets.d4.clumps.probe_r2_gain"] == pytest.approx(mean, rel=1e-3)


@pytest.fixture(scope="module")
def kept():
    return json.loads(asset_path("results/rival_targets.json").read_text(encoding="utf-8"))


def test_the_kept_result_is_of_the_config_as_it_stands(kept):
    assert kept["config"] == json.loads(json.dumps(asdict(RivalTargetsConfig())))
    assert kept["values"] == values(kept["details"])


def test_the_kept_result_supports_what_is_said_of_it(kept):
    told = {name.removeprefix("rival_targets."): value for name, value in kept["values"].items()}
    for dim in (4, 16):
        for target in RivalTargetsConfig().targets:
            assert told[f"d{dim}.{target}.std_low"] > 0.6 and told[f"d{dim}.{target}.probe_r2_low"] > 0.86, "alive"
    assert told["d4.heavy_tailed.probe_r2_gain_low"] > 0 > told["d4.cube.probe_r2_gain_high"]
    assert all(abs(told[f"d16.{target}.probe_r2_gain"]) < 0.001 for target in ("sphere", "cube"))
    assert told["d16.stretched.neighbour_r2_gain_low"] > 0
    assert told["d16.clumps.effective_rank_high"] < told["d16.gaussian.effective_rank_low"] / 2
