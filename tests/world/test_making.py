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


@pytest.mark.filterwarnings("ignore:.*Using the latest versioned environment")
@pytest.mark.parametrize("name", ["lewm_lite:lewm_lite/TwoRoom-v0", "lewm_lite/TwoRoom", "lewm_lite:lewm_lite/TwoRoom"])
def test_our_rooms_are_told_the_size_under_their_other_names_too(name):
    assert make_environment(name, size=48).unwrapped.size == 48


@pytest.mark.parametrize("name", ["no_such_module:Room-v0", "lewm_lite/NoRoom-v0", "No Room", "lewm_lite/TwoRoom-v9"])
def test_an_environment_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} can't be made with"):
        make_environment(name, size=48)


def test_each_world_has_its_policy_unless_told():
    env = make_environment(TWO_ROOM)
    assert make_policy(None, env) == ThroughDoor(3.0) == make_policy("through_door", env)
    assert make_policy("through_door", env, noise=0.5) == ThroughDoor(0.5)
    assert make_policy("random", env) == RandomPolicy(env.action_space)
    assert make_policy(None, TwoRoom()) == RandomPolicy(env.action_space)  # made without Gymnasium's registry


def test_a_policy_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="policy must be one of through_door, random, got 'expert'"):
        make_policy("expert", make_environment(TWO_ROOM))
