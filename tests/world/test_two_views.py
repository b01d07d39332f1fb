"""Two moments of a hidden system: what is hidden is standard normal, turns as it says, and can be seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lewm_lite import ShapeError, seeded
from lewm_lite.world.two_views import TwoViews, TwoViewsConfig

CONFIG = TwoViewsConfig()


def fit(inputs, targets):
    """Share of the targets' variance that a linear map of the inputs explains, on the second half of the batch."""
    half = len(inputs) // 2
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], 1).double()
    targets = targets.double()
    found = torch.linalg.lstsq(inputs[:half], targets[:half]).solution
    left = (inputs[half:] @ found - targets[half:]).square().mean()
    return 1 - (left / targets[half:].var()).item()


def test_a_batch_has_the_shapes_it_says():
    batch = TwoViews(CONFIG).sample(5, generator=seeded(0))
    assert batch.first.shape == batch.second.shape == (5, 64) and batch.state.shape == (5, 4)


def test_the_same_generator_and_the_same_world_give_the_same_pairs():
    one, two = (TwoViews(CONFIG).sample(7, generator=seeded(3)) for _ in range(2))
    other = TwoViews(replace(CONFIG, seed=1)).sample(7, generator=seeded(3))
    assert torch.equal(one.first, two.first) and torch.equal(one.second, two.second)
    assert torch.equal(one.state, other.state) and not torch.allclose(one.first, other.first)


def test_the_hidden_state_is_standard_normal_before_and_after_it_turned():
    world = TwoViews(replace(CONFIG, memory=1.0))
    turned = world.sample(20000, generator=seeded(0)).state @ world.turn.mT
    assert torch.allclose(torch.cov(turned.T), torch.eye(4), atol=0.05)
    assert torch.allclose(world.turn @ world.turn.mT, torch.eye(4), atol=1e-6)
    assert not torch.allclose(world.turn, torch.eye(4), atol=0.1)


def test_the_second_moment_follows_from_the_first_as_far_as_memory_goes():
    kept = {}
    for memory in (0.0, 0.95):
        batch = TwoViews(replace(CONFIG, memory=memory)).sample(6000, generator=seeded(0))
        kept[memory] = fit(batch.first, batch.second)
    assert kept[0.0] < 0.02 and kept[0.95] > 0.1  # the distractions cannot be predicted


def test_the_state_can_be_read_from_an_observation_but_not_from_its_noise():
    seen = TwoViews(CONFIG).sample(6000, generator=seeded(0))
    blind = TwoViews(replace(CONFIG, eye_noise=100.0)).sample(6000, generator=seeded(0))
    assert fit(seen.first, seen.state) > 0.8
    assert fit(blind.first, blind.state) < 0.1


def test_two_looks_at_one_moment_differ_by_the_eyes_noise():
    world = TwoViews(CONFIG)
    hidden = torch.randn(500, world.noise_dims[0], generator=seeded(0))
    one, two = (world.moments(hidden, torch.randn(500, 128, generator=seeded(seed))).first for seed in (1, 2))
    assert (one - two).std().item() == pytest.approx(0.1 * 2**0.5, rel=0.02)


def test_distractions_are_seen_and_tell_nothing_of_the_next_moment():
    world = TwoViews(replace(CONFIG, eye_noise=0.0, memory=1.0))
    hidden = torch.randn(4000, 24, generator=seeded(0))
    looks = torch.zeros(4000, 128)
    state, first, second = hidden[:, :4], hidden[:, 8:16], hidden[:, 16:]
    seen = world.moments(hidden, looks)
    assert fit(seen.first, first) > 0.6 and fit(seen.second, second) > 0.6
    assert fit(seen.second, first) < 0.02
    assert fit(seen.second, state) > 0.8  # the state, turned, is what both moments share


def test_pairs_made_of_given_noise_are_those_that_are_drawn():
    world, generator = TwoViews(CONFIG), seeded(4)
    hidden, looks = (torch.randn(6, dim, generator=generator) for dim in world.noise_dims)
    for made, drawn in zip(
        vars(world.moments(hidden, looks)).values(), vars(world.sample(6, generator=seeded(4))).values()
    ):
        assert torch.equal(made, drawn)


def test_noise_of_another_width_is_refused():
    world = TwoViews(CONFIG)
    with pytest.raises(ShapeError, match=r"hidden must be \(batch, 24\) in this world, got shape \(5, 23\)"):
        world.moments(torch.zeros(5, 23), torch.zeros(5, 128))
    with pytest.raises(ShapeError, match="looks must be"):
        world.moments(torch.zeros(5, 24), torch.zeros(5, 64))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state_dim": 3}, "state_dim must be even"),
        ({"state_dim": 0}, "state_dim must be an integer of at least 1"),
        ({"observation_dim": -1}, "observation_dim must be an integer"),
        ({"distraction_dim": -1}, "distraction_dim must be an integer of at least 0"),
        ({"memory": 1.5}, "memory must be from 0 to 1"),
        ({"memory": float("nan")}, "memory must be from 0 to 1"),
        ({"eye_noise": -0.1}, "eye_noise must be at least 0"),
    ],
)
def test_a_world_that_cannot_be_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        TwoViews(replace(CONFIG, **change))


def test_no_pairs_and_no_generator_are_refused():
    with pytest.raises(ValueError, match="num_samples must be an integer of at least 1"):
        TwoViews(CONFIG).sample(0, generator=seeded(0))
    with pytest.raises(TypeError, match=r"generator must be a torch\.Generator"):
        TwoViews(CONFIG).sample(3, generator=None)
