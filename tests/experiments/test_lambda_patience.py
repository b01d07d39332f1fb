"""Which λ is alive is read off the probe's mean, at any step that was judged."""

from __future__ import annotations

import json
from dataclasses import asdict

from lewm_lite import asset_path
from lewm_lite.experiments.lambda_patience import LambdaPatienceConfig, run, smallest_alive, values
from lewm_lite.experiments.lambda_sweep import LambdaSweepConfig
from lewm_lite.experiments.lockstep import LockstepConfig, Record

FAST = LambdaPatienceConfig(
    sweep=LambdaSweepConfig(shared=LockstepConfig(seeds=(0, 1), judged_samples=512), cells=("64/8", "64/4")),
    cells=("64/8", "64/4"),
    lambdas=((1e-4, 3e-2), (1e-4,)),
    steps=150,
    every=50,
)


def test_a_short_run_keeps_the_larger_weight_alive_alone():
    records = run(FAST)
    record = records["64/8"]
    assert record.steps == [0, 50, 100, 150] and list(records["64/4"].readings) == ["0.0001"]
    assert smallest_alive(record, 150) == 0.03 and smallest_alive(records["64/4"], 150) is None
    told = values(records)
    assert told["lambda_patience.n64_d8.smallest_alive"] == 0.03
    assert "lambda_patience.n64_d4.smallest_alive" not in told
    assert told["lambda_patience.n64_d8.at_0_03.std_150"] > 10 * told["lambda_patience.n64_d4.at_0_0001.std_150"]


def test_none_is_alive_where_the_mean_sees_nothing():
    record = Record([0], {"0.1": {"probe_r2": [[0.1], [0.8]]}, "1": {"probe_r2": [[0.6], [0.5]]}})
    assert smallest_alive(record, 0) == 1.0
    assert smallest_alive(Record([0], {"0.1": {"probe_r2": [[0.1]]}}), 0) is None


def test_the_kept_result_is_of_the_config_as_it_stands():
    kept = json.loads(asset_path("results/lambda_patience.json").read_text(encoding="utf-8"))
    assert kept["config"] == json.loads(json.dumps(asdict(LambdaPatienceConfig())))
    assert kept["values"] == values({cell: Record(**record) for cell, record in kept["details"].items()})
