"""Environments and policies by name, as the command line knows them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import gymnasium
from gymnasium.envs.registration import find_highest_version, get_env_id, parse_env_id

from lewm_lite.world.policies import Policy, RandomPolicy, ThroughDoor
from lewm_lite.world.registration import TWO_ROOM, register_two_room

POLICIES = ("through_door", "random")


def make_environment(name: str, *, size: int | None = None, options: Mapping[str, Any] | None = None) -> gymnasium.Env:
    """The environment of that Gymnasium id, made to show pixels.

    Args:
        name: such as ``"lewm_lite/TwoRoom-v0"``; ``"module:id"`` imports the module that enters the id first.
        size: height and width of a frame, told to the environment if it is ours; others have their frames resized.
        options: what the environment takes by name when it is made.
    Raises:
        ValueError: no such environment, or one that doesn't take these options.
    """
    register_two_room()
    told = {"render_mode": "rgb_array", **(options or {})}
    try:
        if size is not None and _full_id(name) == TWO_ROOM:
            told["size"] = size
        return gymnasium.make(name, **told)
    except (gymnasium.error.Error, ModuleNotFoundError, TypeError) as error:
        raise ValueError(f"{name} can't be made with {told}: {error}") from error


def _full_id(name: str) -> str:
    """The id that a name stands for: without a module in front, which is imported, and with the latest version."""
    module, _, env_id = name.rpartition(":")
    if module:
        import_module(module)
    namespace, own_name, version = parse_env_id(env_id)
    return get_env_id(namespace, own_name, find_highest_version(namespace, own_name) if version is None else version)


def make_policy(name: str | None, env: gymnasium.Env, *, noise: float = 3.0) -> Policy:
    """The policy of that name for an environment.

    Args:
        name: ``"through_door"``, ``"random"``, or None: the first in our two rooms, the second everywhere else.
        noise: of ``through_door``.
    Raises:
        ValueError: no such policy, a noise below 0, or actions that it can't choose from.
    """
    ours = env.spec is not None and env.spec.id == TWO_ROOM
    chosen = name or ("through_door" if ours else "random")
    if chosen not in POLICIES:
        raise ValueError(f"policy must be one of {', '.join(POLICIES)}, got {name!r}")
    return ThroughDoor(noise) if chosen == "through_door" else RandomPolicy(env.action_space)
