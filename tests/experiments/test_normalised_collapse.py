"""The layers are torch's; BatchNorm at the end keeps spread and loses dimensions, the other endings lose the spread."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments.normalised_collapse import (
    NormalisedCollapseConfig,
    batch_norm,
    encode,
    layer_norm,
    network_probe,
    prediction,
    run,
    values,
)
from lewm_lite.judging.probing import linear_probe
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, unpack
from lewm_lite.model.mlp import mlp

SIZES = JointEmbeddingConfig()


@pytest.fixture
def network():
    return unpack(init_joint_embedding(SIZES, generator=seeded(0)), SIZES)


@pytest.fixture
def seen():
    return torch.randn(32, SIZES.observation_dim, generator=seeded(1))


@pytest.mark.parametrize("scale", [1.0, 1e-6, 0.0])
def test_the_layers_are_those_of_torch(scale):
    inputs = scale * torch.randn(64, 16, generator=seeded(2))
    torch.testing.assert_close(batch_norm(inputs), torch.nn.BatchNorm1d(16, affine=False)(inputs))
    torch.testing.assert_close(layer_norm(inputs), torch.nn.LayerNorm(16, elementwise_affine=False)(inputs))


def test_the_endings_are_what_their_names_say(network, seen):
    plain = mlp(network, seen, prefix="encoder.")
    torch.testing.assert_close(encode(network, seen, "plain"), plain)
    torch.testing.assert_close(encode(network, seen, "layer_norm"), layer_norm(plain))
    torch.testing.assert_close(encode(network, seen, "batch_norm"), batch_norm(plain))
    hidden = torch.tanh(seen @ network["encoder.weight_0"] + network["encoder.bias_0"])
    hidden = torch.tanh(batch_norm(hidden @ network["encoder.weight_1"] + network["encoder.bias_1"]))
    by_hand = hidden @ network["encoder.weight_2"] + network["encoder.bias_2"]
    torch.testing.assert_close(encode(network, seen, "batch_norm_inside"), by_hand)
    with pytest.raises(ValueError, match="ending must be one of"):
        encode(network, seen, "group_norm")


def test_both_moments_are_normalised_as_one_batch(network, seen):
    lifted = seen + 1
    both = encode(network, torch.cat([seen, lifted]), "batch_norm")
    expected = (mlp(network, both[:32], prefix="predictor.") - both[32:]).square().mean()
    torch.testing.assert_close(prediction(network, seen, lifted, "batch_norm"), expected)


def test_a_network_reads_what_a_line_cannot():
    def draw(seed):
        embeddings = torch.randn(1500, 3, generator=seeded(seed))
        return 1e-3 * embeddings, torch.stack([embeddings[:, 0] ** 2, embeddings[:, 1]], 1)

    train, test = draw(0), draw(1)
    straight, bent = linear_probe(train, test).per_target, network_probe(train, test, width=32)
    assert straight[0] < 0.1 and straight[1] > 0.99
    assert bent > 0.85
    assert network_probe((train[0], train[1][torch.randperm(1500, generator=seeded(2))]), test, width=32) < 0.1


def test_the_fast_form_shows_the_two_kinds_of_collapse():
    config = NormalisedCollapseConfig(
        seeds=(0, 1), endings=("plain", "batch_norm"), steps=60, looks=(0, 60), judged_samples=512, probe_width=0
    )
    readings = run(config)
    for seed in (0, 1):
        plain, ended = ({name: curves[seed] for name, curves in readings[ending].items()} for ending in config.endings)
        assert plain["std"][0] > 0.05 and plain["std"][1] < 0.03 and plain["probe_r2"][1] < 0.3
        assert ended["std"][1] == pytest.approx(1, abs=0.05)
        assert ended["effective_rank"][1] < 5 < ended["effective_rank"][0]
        assert ended["probe_r2"][1] > 0.5
    told = values(readings)
    assert told["normalised.plain.std"] < 0.03 < told["normalised.untrained.std"]
    assert "normalised.plain.network_r2" not in told


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/normalised_collapse.json").read_text(encoding="utf-8"))
    config = NormalisedCollapseConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    told = kept["values"]
    assert told == values(kept["details"]["readings"]) and len(config.seeds) >= 3
    for ending in ("plain", "layer_norm", "batch_norm_inside"):
        assert told[f"normalised.{ending}.std_high"] < 0.01
    assert told["normalised.batch_norm.std"] > 0.95 and told["normalised.batch_norm.effective_rank_high"] < 3
    assert told["normalised.plain.network_r2_high"] < 0.2 < 0.5 < told["normalised.untrained.network_r2_low"]
    assert told["normalised.batch_norm.probe_r2_low"] > 0.6
