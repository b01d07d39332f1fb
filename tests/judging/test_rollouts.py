"""Rollout error: nothing for a model that is right, and what is known for one that is wrong in a known way."""

from __future__ import annotations

import pytest
import torch

from lewm_lite import LeWorldModel, ShapeError, seeded
from lewm_lite.judging.rollouts import rollout_error

TIME = 6


@pytest.fixture
def clip(known_model):
    """Embeddings that go by 1 along the first axis at each step, as frames that a stand-in encoder passes on."""
    path = torch.arange(TIME, dtype=torch.float32)[None, :, None] * torch.tensor([1.0, 0.0]) + torch.randn(
        8, 1, 2, generator=seeded(0)
    )
    known_model.encode = lambda frames: frames
    return path, torch.zeros(8, TIME, 10)


def test_a_model_that_is_right_strays_nowhere(known_model, clip):
    path, actions = clip
    known_model.predict = lambda embeddings, actions: embeddings + torch.tensor([1.0, 0.0])
    found = rollout_error(known_model, path, actions)
    assert found.model.shape == (TIME - 1,)
    torch.testing.assert_close(found.model, torch.zeros(TIME - 1))
    variance = (path - path.mean((0, 1))).square().mean().item()
    assert found.variance == pytest.approx(variance)
    steps = torch.arange(1, TIME, dtype=torch.float32)
    torch.testing.assert_close(found.standstill, steps.square() / 2 / variance)


def test_a_model_that_lags_strays_by_as_much_more_the_further_it_looks(known_model, clip):
    path, actions = clip
    known_model.predict = lambda embeddings, actions: embeddings + torch.tensor([0.5, 0.0])
    found = rollout_error(known_model, path, actions)
    torch.testing.assert_close(found.model, found.standstill / 4)


@pytest.mark.parametrize("context", [1, 2, 4])
def test_context_is_seen_with_what_was_done_in_it(context):
    model = LeWorldModel.from_preset("lite", action_dim=3).eval()
    for parameter in model.parameters():  # gates start at 0, where actions would have no say
        torch.nn.init.normal_(parameter, std=0.1, generator=seeded(parameter.numel()))
    frames = torch.randn(2, TIME, 3, 32, 32, generator=seeded(1))
    actions = torch.randn(2, TIME, 3, generator=seeded(2))
    found = rollout_error(model, frames, actions, context=context)
    assert found.model.shape == (TIME - context,)
    with torch.no_grad():
        embeddings = model.encode(frames)
        since = max(0, context - 3)
        first = model.predict(embeddings[:, since:context], actions[:, since:context])[:, -1]
    missed = (first - embeddings[:, context]).square().mean().item()
    assert found.model[0].item() == pytest.approx(missed / found.variance, rel=1e-4)
    same = rollout_error(model, frames, actions[:, :-1], context=context)
    torch.testing.assert_close(same.model, found.model)


def test_what_can_not_be_judged_is_refused(known_model, clip):
    path, actions = clip
    with pytest.raises(ValueError, match="context must be from 1 to below the 6"):
        rollout_error(known_model, path, actions, context=6)
    for context in (0, 1.5):
        with pytest.raises(ValueError, match=f"context must be an integer of at least 1, got {context}"):
            rollout_error(known_model, path, actions, context=context)
    with pytest.raises(ShapeError, match=r"actions must be \(batch, 6, 10\)"):
        rollout_error(known_model, path, actions[:, :3])
    with pytest.raises(ValueError, match="collapsed"):
        rollout_error(known_model, torch.ones(8, TIME, 2), actions)
    with pytest.raises(ValueError, match="evaluation mode"):
        rollout_error(known_model.train(), path, actions)
