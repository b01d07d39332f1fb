"""Less noise takes longer by the same number of steps; Adam does not care; exact collapse stays, whoever moves."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, seeded, sigreg
from lewm_lite.embeddings.diagnostics import feature_std
from lewm_lite.experiments.escape import (
    EscapeConfig,
    adam,
    collapsed_encoder,
    escape_of_cloud,
    escape_of_encoders,
    plain,
    steps_until_back,
    values,
)
from lewm_lite.model.joint_embedding import unpack
from lewm_lite.objectives.sigreg import random_directions
from lewm_lite.training.joint_embedding import embed
from lewm_lite.world.two_views import TwoViews, TwoViewsConfig

FAST = EscapeConfig(seeds=(0, 1), num_samples=64, num_directions=32, most_steps=250)


def starts(noise, config=FAST):
    return torch.stack([collapsed_encoder(config, seed, noise) for seed in config.seeds])


def counts(noise, move, config=FAST):
    curves, _ = escape_of_encoders(config, starts(noise), move, seeds=config.seeds)
    return [steps_until_back(curve, config) for curve in curves]


@pytest.mark.parametrize("noise", [1e-2, 1e-6, 0.0])
def test_an_encoder_starts_with_the_standard_deviation_it_was_asked_for(noise):
    seen = TwoViews(TwoViewsConfig()).sample(2048, generator=seeded(5)).first
    spread = feature_std(embed(starts(noise), seen, FAST.network)).mean(-1)
    torch.testing.assert_close(spread, torch.full((2,), noise), rtol=0.1, atol=0)
    network = unpack(starts(noise)[0], FAST.network)
    assert torch.equal(network["encoder.weight_2"], network["teacher.weight_2"])
    assert network["encoder.weight_1"].abs().max() > 0.1, "only the last layer is scaled down"


def test_free_points_grow_by_the_factor_that_the_gradient_near_the_point_foretells():
    directions = random_directions(16, 1024, generator=seeded(1))
    tiny = 1e-4 * torch.randn(64, 16, generator=seeded(2))
    tiny = tiny - tiny.mean(0)  # a cloud's place follows another law than its size
    growth = -(torch.func.grad(sigreg)(tiny, directions) * tiny).sum() / tiny.square().sum()
    foretold = math.log(1e4) / math.log1p(FAST.cloud_rate * growth.item())
    found = [steps_until_back(escape_of_cloud(FAST, 0, noise)[0], FAST) for noise in (1e-2, 1e-6)]
    assert found[1] - found[0] == pytest.approx(foretold, rel=0.05)


def test_an_encoder_takes_longer_by_plain_descent_and_as_long_as_ever_under_adam():
    slow, fast = (counts(noise, plain(FAST.descent_rate)) for noise in (1e-4, 1e-2))
    assert all(a > b + 20 for a, b in zip(slow, fast, strict=True))
    assert all(count < 50 for noise in (1e-2, 1e-8) for count in counts(noise, adam(FAST.adam_rate)))


def test_what_is_exactly_collapsed_never_moves():
    _, points = escape_of_cloud(FAST, 0, 0.0)
    assert torch.equal(points, torch.zeros(64, 16))
    for move in (plain(0.1), adam(1e-3)):
        _, after = escape_of_encoders(replace(FAST, most_steps=20), starts(0.0), move, seeds=FAST.seeds)
        assert torch.equal(after, starts(0.0))


def test_prediction_alone_brings_nobody_back():
    config = replace(FAST, objective="none", most_steps=60)
    assert counts(1e-2, adam(1e-3), config) == [None, None]


def test_adam_remembers_and_plain_descent_does_not():
    here, slope = torch.zeros(3), torch.tensor([1.0, 1e-3, 0.0])
    move = adam(0.1)
    torch.testing.assert_close(move(here, slope), torch.tensor([-0.1, -0.1, 0.0]), rtol=1e-4, atol=0)
    assert move(here, torch.zeros(3))[0] < -0.01
    assert torch.equal(plain(0.1)(here, slope), -0.1 * slope)


def test_the_values_are_means_and_the_steps_that_a_hundredth_of_the_noise_costs():
    steps = {"cloud": {"0.01": [50, 52], "0.0001": [100, 102], "0": [None, None]}}
    told = values(EscapeConfig(noises=(1e-2, 1e-4)), steps)
    assert told["escape.cloud.at_1e2"] == 51 and told["escape.cloud.per_hundredth"] == 50
    assert told["escape.cloud.at_1e4_low"] < 101 < told["escape.cloud.at_1e4_high"]
    assert told["escape.exact.escaped"] == 0
    steps["cloud"]["0"] = [None, 7]
    assert values(EscapeConfig(noises=(1e-2, 1e-4)), steps)["escape.exact.escaped"] == 1


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/escape.json").read_text(encoding="utf-8"))
    config = EscapeConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    told = kept["values"]
    assert told == values(config, kept["details"]["steps"])
    assert told["escape.exact.escaped"] == 0 and len(config.seeds) >= 3
    assert 45 < told["escape.cloud.per_hundredth"] < 55
    assert told["escape.descent.at_1e8_low"] > 2 * told["escape.descent.at_1e2_high"]
    assert abs(told["escape.adam.per_hundredth"]) < 2
