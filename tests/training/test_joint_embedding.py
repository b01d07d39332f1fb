"""The training step: each objective is what it says, models side by side are models alone, teachers follow."""

from __future__ import annotations

import pytest
import torch
from torch.func import grad

from lewm_lite import invariance, random_directions, seeded, sigreg, vicreg_terms
from lewm_lite.model.joint_embedding import JointEmbeddingConfig, init_joint_embedding, unpack
from lewm_lite.model.mlp import mlp
from lewm_lite.training.joint_embedding import (
    OBJECTIVES,
    Objective,
    Training,
    embed,
    joint_embedding_loss,
    side_by_side,
    training_step,
)
from lewm_lite.training.step import AdamWConfig

CONFIG = JointEmbeddingConfig(observation_dim=6, hidden_dim=8, dim=4)
OPTIMISER = AdamWConfig(learning_rate=0.01)


def batch(seed=0, size=32):
    generator = seeded(seed)
    first = torch.randn(size, 6, generator=generator)
    second = first + 0.3 * torch.randn(size, 6, generator=generator)
    return first, second, random_directions(4, 8, generator=generator)


def network(seed=0):
    return unpack(init_joint_embedding(CONFIG, generator=seeded(seed)), CONFIG)


def parts():
    named, (first, second, directions) = network(), batch()
    here, there = mlp(named, first, prefix="encoder."), mlp(named, second, prefix="encoder.")
    predicted = mlp(named, here, prefix="predictor.")
    return named, first, second, directions, here, there, predicted


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_loss_is_prediction_and_the_terms_it_names(name):
    named, first, second, directions, here, there, predicted = parts()
    loss, terms = joint_embedding_loss(named, first, second, directions, OBJECTIVES[name])
    wanted = invariance(predicted, there)
    published = vicreg_terms(here, there)
    added = {
        "variance_only": published.variance,
        "variance_unbounded": -(here.var(0).mean() + there.var(0).mean()) / 2,
        "vicreg": published.variance + published.covariance / 25,
        "sigreg": 0.1 * (sigreg(here, directions) + sigreg(there, directions)) / 2,
    }
    torch.testing.assert_close(loss, wanted + added.get(name, 0.0))
    torch.testing.assert_close(terms.prediction, wanted)


def test_a_stop_gradient_stops_what_the_target_would_have_given():
    """With it the gradient is that of prediction alone: the target as a number."""
    named, first, second, directions, _, there, _ = parts()

    def by_hand(named):
        here = mlp(named, first, prefix="encoder.")
        return invariance(mlp(named, here, prefix="predictor."), there.detach())

    wanted, stopped = grad(by_hand)(named), grad(loss_of("stop_gradient_only"))(named, first, second, directions)
    free = grad(loss_of("none"))(named, first, second, directions)
    torch.testing.assert_close(stopped["encoder.weight_0"], wanted["encoder.weight_0"])
    assert not torch.allclose(free["encoder.weight_0"], wanted["encoder.weight_0"])


def loss_of(name):
    return lambda named, *given: joint_embedding_loss(named, *given, OBJECTIVES[name])[0]


def test_only_without_a_stop_gradient_does_the_teacher_have_one():
    named, first, second, directions, *_ = parts()
    for name, has in (("ema_stop_gradient", False), ("ema_only", True), ("none", False), ("stop_gradient_only", False)):
        found = grad(loss_of(name))(named, first, second, directions)["teacher.weight_0"]
        assert bool((found != 0).any()) == has, name


def stepped(names, seeds, steps=3, per_model=False):
    training = Training.of(torch.stack([init_joint_embedding(CONFIG, generator=seeded(seed)) for seed in seeds]))
    objective = side_by_side([OBJECTIVES[name] for name in names])
    for step in range(steps):
        first, second, directions = batch(step)
        if per_model:
            first, second, directions = (t.expand(len(names), *t.shape) for t in (first, second, directions))
        training, terms = training_step(
            training, first, second, directions, objective, config=CONFIG, optimiser=OPTIMISER
        )
    return training, terms


def test_models_side_by_side_are_what_they_are_alone():
    names, seeds = list(OBJECTIVES), [0] * len(OBJECTIVES)
    together, terms = stepped(names, seeds)
    for place, name in enumerate(names):
        alone, own = stepped([name], [0])
        torch.testing.assert_close(together.parameters[place], alone.parameters[0], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(terms.sigreg[place], own.sigreg[0], rtol=1e-4, atol=1e-5)


def test_batches_may_be_each_model_s_own():
    one, _ = stepped(["vicreg", "sigreg"], [0, 1])
    other, _ = stepped(["vicreg", "sigreg"], [0, 1], per_model=True)
    torch.testing.assert_close(one.parameters, other.parameters, rtol=1e-5, atol=1e-6)


def test_a_teacher_follows_its_encoder_by_the_share_that_the_momentum_leaves():
    training, _ = stepped(["ema_stop_gradient"], [0], steps=1)
    before, after = network(), unpack(training.parameters[0], CONFIG)
    for layer in range(3):
        kept, student = before[f"teacher.weight_{layer}"], after[f"encoder.weight_{layer}"]
        torch.testing.assert_close(after[f"teacher.weight_{layer}"], 0.99 * kept + 0.01 * student)
        assert not torch.equal(kept, student)


def test_where_no_teacher_is_used_it_becomes_the_encoder():
    training, _ = stepped(["none", "sigreg"], [0, 0], steps=2)
    for vector in training.parameters:
        named = unpack(vector, CONFIG)
        assert torch.equal(named["teacher.weight_1"], named["encoder.weight_1"])


def test_a_reader_s_own_score_stands_for_sigreg():
    named, (first, second, directions) = network(), batch()
    loss, terms = joint_embedding_loss(
        named, first, second, directions, Objective(sigreg=1.0), score=lambda embeddings, _: embeddings.square().mean()
    )
    assert terms.sigreg.item() == pytest.approx((loss - terms.prediction).item(), rel=1e-5)


def test_embedding_many_is_embedding_each():
    vectors = torch.stack([init_joint_embedding(CONFIG, generator=seeded(seed)) for seed in (0, 1)])
    seen = batch()[0]
    for place, vector in enumerate(vectors):
        torch.testing.assert_close(
            embed(vectors, seen, CONFIG)[place], mlp(unpack(vector, CONFIG), seen, prefix="encoder.")
        )
