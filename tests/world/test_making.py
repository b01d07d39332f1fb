"""Environments and policies by name."""

from __future__ import annotations

import pytest

from lewm_lite.world.making import make_environment, make_policy
from lewm_lite.world.policies import RandomPolicy, ThroughDoor
from lewm_lite.world.two_room import TwoRoom

TWO_ROOM = "lewm_lite/TwoRoom-v0"


def test_our_rooms_are_made_at_the_size_that_is_asked_for():
    env = make_environment(TWO_ROOM, size=48, options={"door": 0.5})
    assert isinstance(env.unwrapped, TwoRoom) and env.unwrapped.size == 48
    assert env.reset(seed=0)[1]["state"][2] == 0.5
    assert make_environment(TWO_ROOM).unwrapped.size == 64


def test_each_world_has_its_policy_unless_told():
    env = make_environment(TWO_ROOM)
    assert make_policy(None, env) == ThroughDoor(3.0) == make_policy("through_door", env)
    assert make_policy("through_door", env, noise=0.5) == ThroughDoor(0.5)
    assert make_policy("random", env) == RandomPolicy(env.action_space)
    assert make_policy(None, TwoRoom()) == RandomPolicy(env.action_space)  # made without Gymnasium's registry


def test_a_policy_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="policy must be one of through_door, random, got 'expert'"):
        make_policy("expert", make_environment(TWO_ROOM))
