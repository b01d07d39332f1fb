"""Staged violations: only one thing differs, where and when it should, and a model that is right finds a teleport."""

from __future__ import annotations

import pytest
import torch
from without_float64 import on_accelerator

from lewm_lite.judging.evaluation import two_rooms
from lewm_lite.judging.violations import TIME, WHEN, act, film, violations
from lewm_lite.world.action_blocks import ActionBlocks


@pytest.mark.parametrize("kind", ["teleport", "recolour"])
def test_films_are_the_same_until_the_violation_and_differ_then(kind):
    room = two_rooms(32)
    for index in range(4):
        told = {"frame_skip": 5, "seed": 0, "index": index}
        actions = act(room, steps=(TIME - 1) * 5, seed=0, index=index)
        usual, strange = film(room, actions, kind=None, **told), film(room, actions, kind=kind, **told)
        assert usual.shape == (TIME, 3, 32, 32)
        same = [bool(torch.equal(one, other)) for one, other in zip(usual, strange, strict=True)]
        assert same[:WHEN] == [True] * WHEN
        assert not any(same[WHEN:]) if kind == "recolour" else not same[WHEN]
        assert not torch.equal(usual[0], usual[1])


def test_a_recolouring_moves_nothing(known_model):
    room = two_rooms(32)
    actions = act(room, steps=50, seed=0, index=0)
    told = {"frame_skip": 5, "seed": 0, "index": 0}
    usual, strange = (film(room, actions, kind=kind, **told) for kind in (None, "recolour"))
    # green is the same in red and in blue
    torch.testing.assert_close(usual[:, 1], strange[:, 1])


def test_a_model_that_is_right_is_surprised_by_a_teleport_when_it_happens(known_model):
    found = violations(known_model, kind="teleport", episodes=12, seed=0)
    assert found.usual.shape == found.strange.shape == (12, TIME)
    torch.testing.assert_close(found.usual[:, :WHEN], found.strange[:, :WHEN])
    jumped = found.strange[:, WHEN] > found.usual[:, WHEN] + 0.25**2 / 4
    assert jumped.float().mean() > 0.9
    assert found.roc.area > 0.6  # it knows of no walls, so they surprise it too
    assert found.when == WHEN


def test_a_model_that_sees_nothing_is_not_surprised(known_model):
    known_model.encode = lambda frames: torch.zeros(*frames.shape[:2], 2)
    known_model.predict = lambda embeddings, actions: embeddings
    assert violations(known_model, kind="recolour", episodes=3, seed=0).roc.area == 0.5


def test_a_model_elsewhere_gets_all_there_and_surprise_is_given_on_the_cpu(known_model):
    asked = []

    def encode(frames):
        asked.append(frames.device.type)
        return on_accelerator(torch.zeros(*frames.shape[:2], 2))

    def predict(embeddings, actions):
        asked.append(actions.device.type)
        return embeddings + 1

    known_model.encode, known_model.predict = encode, predict
    found = violations(known_model.to("meta"), kind="teleport", episodes=2, seed=0)
    assert set(asked) == {"meta"}
    assert type(found.usual) is type(found.strange) is torch.Tensor
    assert found.usual[0].tolist() == [0.0] + [1.0] * (TIME - 1)


def test_the_same_seed_stages_the_same(known_model):
    one, other = (violations(known_model, kind="teleport", episodes=2, seed=1) for _ in range(2))
    assert torch.equal(one.strange, other.strange)
    assert not torch.equal(one.strange, violations(known_model, kind="teleport", episodes=2, seed=2).strange)


def test_what_can_not_be_staged_is_refused(known_model):
    with pytest.raises(ValueError, match="kind must be one of teleport, recolour, got 'vanish'"):
        violations(known_model, kind="vanish", episodes=2, seed=0)
    with pytest.raises(ValueError, match="episodes must be"):
        violations(known_model, kind="teleport", episodes=0, seed=0)
    for seed in (-1, 1.5):
        with pytest.raises(ValueError, match=f"seed must be an integer from 0.*got {seed}"):
            violations(known_model, kind="teleport", episodes=2, seed=seed)
    known_model.action_blocks = ActionBlocks(2, (0.0,) * 5, (1.0,) * 5)
    with pytest.raises(ValueError, match="2 numbers each, got 5"):
        violations(known_model, kind="teleport", episodes=2, seed=0)
    known_model.action_blocks = None
    with pytest.raises(ValueError, match="action_blocks"):
        violations(known_model, kind="teleport", episodes=2, seed=0)
