"""The terms' gradients are autograd's own, noise of a batch is taken out, and the fight is seen in a short run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest
import torch

from lewm_lite import asset_path, seeded
from lewm_lite.experiments.lockstep import LockstepConfig
from lewm_lite.experiments.vicreg_fight import (
    TERMS,
    Fight,
    VicregFightConfig,
    expected_products,
    run,
    term_gradients,
    values,
)
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, unpack
from lewm_lite.objectives.sigreg import random_directions
from lewm_lite.training.joint_embedding import OBJECTIVES, joint_embedding_loss, side_by_side
from lewm_lite.world.two_views import TwoViews, TwoViewsConfig

SMALL = JointEmbeddingConfig(observation_dim=8, hidden_dim=6, dim=4)
WORLD = TwoViews(TwoViewsConfig(observation_dim=8, hidden_dim=8))
FAST = VicregFightConfig(shared=LockstepConfig(seeds=(0, 1), every=50), steps=100, batches=6, settled=50)


def test_each_row_is_the_gradient_that_autograd_gives_for_the_encoder_alone():
    parameters = torch.stack([init_joint_embedding(SMALL, generator=seeded(seed)) for seed in (0, 1)])
    pairs, directions = WORLD.sample(32, generator=seeded(2)), random_directions(4, 8, generator=seeded(3))
    objective = OBJECTIVES["vicreg"]
    found = term_gradients(parameters, side_by_side([objective] * 2), pairs.first, pairs.second, directions, SMALL)
    size = sum(math.prod(shape) for name, shape in SMALL.shapes().items() if name.startswith("encoder."))
    assert found.shape == (2, 4, size)
    for model, vector in enumerate(parameters):
        vector = vector.clone().requires_grad_()
        terms = joint_embedding_loss(unpack(vector, SMALL), pairs.first, pairs.second, directions, objective)[1]
        for place, term in enumerate(terms):
            (whole,) = torch.autograd.grad(term, vector, retain_graph=True)
            torch.testing.assert_close(found[model, place], whole[:size], rtol=1e-4, atol=1e-6)


def test_products_are_those_of_different_batches_and_so_free_of_their_noise():
    gradients = torch.randn(5, 2, 3, 7, generator=seeded(0), dtype=torch.float64)
    pairs = [gradients[i] @ gradients[j].mT for i in range(5) for j in range(5) if i != j]
    torch.testing.assert_close(expected_products(gradients), torch.stack(pairs).mean(0))
    signal = torch.zeros(1, 1, 1, 100)
    signal[..., 0] = 1.0
    noisy = signal + torch.randn(2000, 1, 1, 100, generator=seeded(1))
    assert expected_products(noisy).item() == pytest.approx(1.0, abs=0.1)  # the plain mean of squares is 101


def test_in_a_short_run_variance_pulls_against_both_others_and_these_two_agree():
    fight = run(FAST)
    assert fight.steps == [0, 50, 100]
    assert {name: tuple(sizes) for name, sizes in fight.sizes.items()} == TERMS
    vicreg = {pair: [curve[-1] for curve in curves] for pair, curves in fight.cosines["vicreg"].items()}
    assert max(vicreg["prediction·variance"]) < -0.6
    assert max(vicreg["variance·covariance"]) < -0.6
    assert min(vicreg["prediction·covariance"]) > 0.5
    assert max(curve[-1] for curve in fight.cosines["sigreg"]["prediction·sigreg"]) < -0.4
    told = values(FAST, fight)
    assert told["vicreg_fight.vicreg.prediction_variance_below_0"] == 1
    assert told["vicreg_fight.vicreg.prediction_covariance_below_0"] == 0


def test_values_look_at_settled_moments_only():
    late = {"a·b": [[1.0, -0.5], [1.0, -0.7]]}
    told = values(replace(FAST, settled=100), Fight([50, 100], {"vicreg": late}, {}))
    assert told["vicreg_fight.vicreg.a_b"] == pytest.approx(-0.6)
    assert told["vicreg_fight.vicreg.a_b_low"] < -0.7 < -0.5 < told["vicreg_fight.vicreg.a_b_high"]


def test_the_kept_result_is_of_the_config_as_it_stands_and_supports_the_claim():
    kept = json.loads(asset_path("results/vicreg_fight.json").read_text(encoding="utf-8"))
    config = VicregFightConfig()
    assert kept["config"] == json.loads(json.dumps(asdict(config)))
    assert kept["values"] == values(config, Fight(**kept["details"]))
    assert kept["values"]["vicreg_fight.vicreg.prediction_variance_high"] < -0.5
    assert kept["values"]["vicreg_fight.vicreg.variance_covariance_high"] < -0.5
    assert kept["values"]["vicreg_fight.vicreg.prediction_covariance_low"] > 0
    assert kept["values"]["vicreg_fight.sigreg.prediction_sigreg_high"] < -0.3
