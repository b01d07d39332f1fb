"""Staged violations: only one thing differs, where and when it should, and a model that is right finds a teleport."""

from __future__ import annotations

import pytest
import torch

from lewm_lite.judging.evaluation import two_rooms
from lewm_lite.judging.violations import TIME, WHEN, act, film, violations


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


def test_the_same_seed_stages_the_same(known_model):
    one, other = (violations(known_model, kind="teleport", episodes=2, seed=1) for _ in range(2))
    assert torch.equal(one.strange, other.strange)
    assert not torch.equal(one.strange, violations(known_model, kind="teleport", episodes=2, seed=2).strange)


def test_what_can_not_be_staged_is_refused(known_model):
    with pytest.raises(ValueError, match="kind must be one of teleport, recolour, got 'vanish'"):
        violations(known_model, kind="vanish", episodes=2, seed=0)
    with pytest.raises(ValueError, match="episodes must be"):
        violations(known_model, kind="teleport", episodes=0, seed=0)
    known_model.action_blocks = None
    with pytest.raises(ValueError, match="action_blocks"):
        violations(known_model, kind="teleport", episodes=2, seed=0)
