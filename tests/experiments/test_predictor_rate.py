"""A predictor at its own learning rate: only its parameters get it, and a slow one wants a teacher."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import torch

from lewm_lite import asset_path
from lewm_lite.experiments.lockstep import Record
from lewm_lite.experiments.predictor_rate import PredictorRateConfig, predictor_learns, run, values
from lewm_lite.model.joint_embedding import JointEmbeddingConfig


def test_only_the_predictor_learns_at_another_rate():
    config = JointEmbeddingConfig(observation_dim=4, hidden_dim=3, dim=2)
    rates = predictor_learns(config, 0.01, 5.0)
    assert rates.shape == (config.num_parameters(),)
    parts = rates.split([math.prod(shape) for shape in config.shapes().values()])
    for name, part in zip(config.shapes(), parts, strict=True):
        expected = 0.05 if name.startswith("predictor.") else 0.01
        torch.testing.assert_close(part, torch.full_like(part, expected))


def test_a_slow_predictor_leaves_the_embeddings_larger_than_a_fast_one():
    config = PredictorRateConfig()
    shared = replace(config.shared, batch_size=64, judged_samples=256, every=100)
    fast_form = replace(config, shared=shared, momenta=(0.0,), steps=100)
    records = run(fast_form)
    slow, fast = (records[name].last("m0", "std") for name in ("x0_1", "x10"))
    assert min(slow) > 2 * max(fast)
    told = values(fast_form, records)
    assert told["predictor_rate.x0_1.m0.std_low"] < told["predictor_rate.x0_1.m0.std"]


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/predictor_rate.json").read_text())
    config = PredictorRateConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    records = {rate: Record(**record) for rate, record in kept["details"].items()}
    assert kept["values"] == values(config, records)
    alone, with_teacher, slower = (records["x0_1"].last(name, "probe_r2") for name in ("m0", "m0_99", "m0_999"))
    assert max(alone) < 0.65 < 0.8 < min(with_teacher) and min(slower) > 0.85
    assert min(records["x10"].last("m0", "probe_r2")) > 0.85
