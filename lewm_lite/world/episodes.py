"""Collecting: a policy acts in an environment, and what it saw and did goes to one HDF5 file.

The file has the public flat columns, one row a frame, episode after episode:

| column | shape | what |
|---|---|---|
| ``pixels`` | ``(rows, height, width, 3)`` uint8 | the frame |
| ``action`` | ``(rows, action_dim)`` float32 | what was done at this frame; NaN at an episode's last frame |
| ``proprio`` | ``(rows, …)`` float32 | where the agent is, if the environment says so |
| ``state`` | ``(rows, …)`` float32 | the whole state, if the environment says so |
| ``episode_idx``, ``step_idx`` | ``(rows,)`` int64 | counted from 0 |
| ``ep_len``, ``ep_offset`` | ``(episodes,)`` | how many rows each episode has, and where it begins |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import h5py
import numpy as np

from lewm_lite.checks import ShapeError, check_positive_integer
from lewm_lite.files import in_one_step
from lewm_lite.seeding import seeded
from lewm_lite.world.policies import Policy, check_action_space
from lewm_lite.world.views import frame_of, proprio_of, state_of

Episode = dict[str, np.ndarray]
# Readable since HDF5 1.10, and from there on not only the numbers but the file's own tables carry checksums.
FORMAT = ("v110", "v110")
COUNTED = ("episode_idx", "step_idx", "ep_len", "ep_offset")  # columns that no environment tells


class Collected(NamedTuple):
    """What a file holds now."""

    path: Path
    episodes: int
    frames: int
    image_size: tuple[int, int]  # height, width
    action_dim: int  # numbers in one action of the environment


def collect_episodes(
    env: gymnasium.Env,
    policy: Policy,
    *,
    episodes: int,
    path: str | Path,
    seed: int,
    size: int | None = None,
    max_steps: int = 1000,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Collected:
    """Let ``policy`` act for so many episodes, and write what happened to ``path``, whole or not at all.

    Episode ``i`` depends on ``seed`` and ``i`` alone, so a longer collection begins with the shorter one.

    Args:
        env: any environment with continuous actions that shows pixels: as its observation, under ``pixels`` in it, or
            by ``render()``.
        policy: called with the observation, ``info`` and a ``generator``; gives an action.
        episodes: how many, >= 1.
        path: the file to write; see the module for what it will hold.
        seed: of the environment and of the policy.
        size: height and width that frames are brought to, by averaging areas; None leaves them as they are.
        max_steps: an episode that the environment doesn't end is left after so many.
        overwrite: replace a file that is there; without, it is refused before anything runs.
        progress: called with the number of frames of each episode that is done.
    Returns:
        what was written, in numbers.
    Raises:
        FileExistsError: ``path`` is there and ``overwrite`` is not set.
        ValueError: actions that are not continuous, pixels that are not 8-bit colour, numbers that are not finite, or
            that are told at some steps only. ShapeError: pixels or numbers that change their shape.
    """
    check_positive_integer("episodes", episodes)
    check_positive_integer("max_steps", max_steps)
    if size is not None:
        check_positive_integer("size", size)
    seeded(seed)  # refuses what is no seed before anything runs
    check_action_space(env.action_space)
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} is there already: name another file, or say that it may be overwritten (--force)"
        )
    with in_one_step(path) as temporary, h5py.File(temporary, "w", libver=FORMAT) as file:
        file.attrs.update(_origin(env, policy, seed))
        for index in range(episodes):
            episode = run_episode(env, policy, seed=seed, index=index, size=size, max_steps=max_steps)
            _append(file, episode, index)
            if progress is not None:
                progress(len(episode["action"]))
        frames, height, width, _ = file["pixels"].shape
        return Collected(path, episodes, frames, (height, width), file["action"].shape[1])


def run_episode(
    env: gymnasium.Env, policy: Policy, *, seed: int, index: int, size: int | None = None, max_steps: int = 1000
) -> Episode:
    """One episode by columns, its last row being the frame that it ended with.

    Args:
        env, policy, size, max_steps: see :func:`collect_episodes`. seed, index: the same two give the same episode.
    """
    env_seed, policy_seed = (int(word) for word in np.random.SeedSequence([seed, index]).generate_state(2))
    generator = seeded(policy_seed)
    observation, info = env.reset(seed=env_seed)
    rows: list[Episode] = [_row(env, observation, info, size)]
    actions = []
    over = False
    while not over and len(actions) < max_steps:
        action = np.asarray(policy(observation, info, generator=generator))
        _check_action(action, env.action_space)
        observation, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        actions.append(action.astype(np.float32))
        rows.append(_row(env, observation, info, size))
        _check_columns(rows[-1], rows[0], f"step {len(actions)}", "step 0")
    actions.append(np.full_like(actions[0], np.nan))
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return {"pixels": columns.pop("pixels"), "action": np.stack(actions), **columns}


def _row(env: gymnasium.Env, observation: Any, info: dict[str, Any], size: int | None) -> Episode:
    row = {"pixels": frame_of(env, observation, size=size)}
    for name, found in (("proprio", proprio_of(observation, info)), ("state", state_of(observation, info))):
        if found is not None:
            if not np.isfinite(found).all():
                raise ValueError(f"{name} must be finite numbers, got {found.tolist()} from the environment")
            row[name] = found
    return row


def _check_columns(found: Episode, first: Episode, where: str, before: str) -> None:
    """Refuse rows, or whole episodes, that have other columns than the first, or numbers of other shapes in them."""
    for name in sorted({*found, *first}):
        if name not in found or name not in first:
            told, silent = (where, before) if name in found else (before, where)
            raise ValueError(f"{name} must be told at every step or at none, got it at {told} and not at {silent}")
        shapes = found[name].shape, first[name].shape
        if shapes[0] != shapes[1]:
            raise ShapeError(f"{name} must keep its shape, got {shapes[0]} at {where} after {shapes[1]} at {before}")


def _check_action(action: np.ndarray, space: gymnasium.spaces.Box) -> None:
    if action.shape != space.shape or not np.isfinite(action).all():
        raise ValueError(
            f"the policy must give {space.shape[0]} finite numbers in a row, got shape {action.shape}: {action}"
        )


def _origin(env: gymnasium.Env, policy: Policy, seed: int) -> dict[str, Any]:
    spec = env.spec
    return {
        "environment": type(env.unwrapped).__name__ if spec is None else spec.id,
        "environment_arguments": json.dumps({} if spec is None else spec.kwargs, default=repr, sort_keys=True),
        "policy": repr(policy),
        "seed": seed,
        "lewm_lite": version("lewm-lite"),
        "gymnasium": version("gymnasium"),
    }


def _append(file: h5py.File, episode: Episode, index: int) -> None:
    if index:  # a step of the episode beside one of the file
        kept = {name: file[name][0] for name in file if name not in COUNTED}
        _check_columns({name: column[0] for name, column in episode.items()}, kept, f"episode {index}", "episode 0")
    start, length = (len(file["action"]) if index else 0), len(episode["action"])
    steps = np.arange(length)
    columns = {**episode, "episode_idx": np.full_like(steps, index), "step_idx": steps}
    columns |= {"ep_len": np.array([length], np.int32), "ep_offset": np.array([start], np.int64)}
    for name, values in columns.items():
        if index == 0:
            file.create_dataset(name, (0, *values.shape[1:]), maxshape=(None, *values.shape[1:]), **_storage(values))
        column = file[name]
        column.resize(len(column) + len(values), axis=0)
        column[-len(values) :] = values


def _storage(values: np.ndarray) -> dict[str, Any]:
    """A frame a chunk, since clips begin anywhere; packed, which brings a checksum, so that damage is met."""
    return {
        "dtype": values.dtype,
        "chunks": (1 if values.ndim == 4 else 4096, *values.shape[1:]),
        "compression": "gzip",
        "compression_opts": 1,
    }
