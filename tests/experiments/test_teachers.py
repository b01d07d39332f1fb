"""The predictor's depth is what it says, the fast form sees a network without one collapse, and results are kept."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.teachers import PredictorConfig, TeachersConfig, name_of, run, values
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, from_uniform, init_joint_embedding, predicted, unpack
from lewm_lite.training.joint_embedding import OBJECTIVES

FAST = TeachersConfig(momenta=(0.0, 0.99), predictors=("no_predictor", "network"), steps=100)
FAST = replace(FAST, shared=replace(FAST.shared, batch_size=64, judged_samples=256, every=100))


@pytest.fixture(scope="module")
def records():
    return run(FAST)


def test_without_a_predictor_the_std_falls_and_with_one_it_rises(records):
    for momentum in FAST.momenta:
        name = name_of(momentum)
        gone, alive = (records[predictor].last(name, "std") for predictor in ("no_predictor", "network"))
        first = records["no_predictor"].last(name, "std", step=0)
        assert max(gone) < 0.5 * min(first)
        assert min(alive) > 1.1 * max(first)


def test_values_name_every_end_with_its_interval(records):
    told = values(FAST, records)
    assert told["teachers.network.m0_99.std_low"] < told["teachers.network.m0_99.std"]
    assert told["teachers.no_predictor.most_std"] < told["teachers.network.least_std"]


def test_a_teacher_of_momentum_0_is_the_encoder_itself(records):
    shared = replace(FAST.shared, momentum=0.0)
    alone = train(shared, [Phase(FAST.steps, {"alone": OBJECTIVES["stop_gradient_only"]})])
    theirs = torch.tensor(records["network"].last("m0", "std"))
    torch.testing.assert_close(torch.tensor(alone.last("alone", "std")), theirs, rtol=1e-3, atol=0)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_the_predictor_has_as_many_layers_as_asked_for(layers):
    config = PredictorConfig(observation_dim=4, hidden_dim=5, dim=3, predictor_layers=layers)
    network = unpack(init_joint_embedding(config, generator=seeded(0)), config)
    assert sum(name.startswith("predictor.weight") for name in network) == layers
    embeddings = torch.randn(6, 3, generator=seeded(1))
    prediction = predicted(network, embeddings)
    if layers == 0:
        assert torch.equal(prediction, embeddings)
    if layers == 1:
        torch.testing.assert_close(prediction, embeddings @ network["predictor.weight_0"])


def test_two_layers_are_the_networks_of_the_other_experiments():
    usual, named = JointEmbeddingConfig(), PredictorConfig(predictor_layers=2)
    assert usual.shapes() == named.shapes()
    drawn = torch.rand(usual.num_drawn(), generator=seeded(3)) * 2 - 1
    assert torch.equal(from_uniform(drawn, usual), from_uniform(drawn, named))


def test_another_optimiser_is_used_where_one_is_given():
    from lewm_lite.training.step import AdamWConfig

    shared = LockstepConfig(seeds=(0,), num_directions=1, batch_size=32, judged_samples=128, every=3)
    phases = [Phase(3, {"alone": OBJECTIVES["stop_gradient_only"]})]
    still = train(shared, phases, optimiser=AdamWConfig(learning_rate=0.0))
    assert still.last("alone", "std", step=0) == still.last("alone", "std")
    assert train(shared, phases).last("alone", "std") == train(
        shared, phases, optimiser=AdamWConfig(learning_rate=shared.learning_rate)
    ).last("alone", "std")


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/teachers.json").read_text())
    config = TeachersConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    records = {predictor: Record(**record) for predictor, record in kept["details"].items()}
    assert kept["values"] == values(config, records)
    for momentum in ("m0", "m0_9", "m0_99"):
        assert max(records["no_predictor"].last(momentum, "std")) < 0.01
        assert min(records["network"].last(momentum, "std")) > 0.3
        assert min(records["network"].last(momentum, "probe_r2")) > 0.85
