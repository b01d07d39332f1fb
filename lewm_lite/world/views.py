"""What one moment of any environment looks like: its pixels, and the numbers behind them where it tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from torch.nn import functional

PIXELS = ("pixels", "image", "rgb")
PROPRIO = ("proprio", "agent_pos", "pos_agent")
STATE = ("state", "environment_state")


def frame_of(env: gymnasium.Env, observation: Any, *, size: int | None = None) -> np.ndarray:
    """The pixels of now: the observation, what it holds under ``pixels``, ``image`` or ``rgb``, or ``env.render()``.

    Args:
        env: asked to render if the observation has no pixels.
        observation: as the environment gave it.
        size: height and width that the frame is brought to, by averaging areas; None leaves it as it is.
    Returns:
        ``(height, width, 3)`` uint8.
    Raises:
        ValueError: no pixels, or none of 8 bits and three colours.
    """
    seen = [observation[name] for name in PIXELS if isinstance(observation, Mapping) and name in observation]
    if not seen and not isinstance(observation, Mapping) and _rank(observation) == 3:
        seen = [observation]
    frame = seen[0] if seen else env.render()
    if frame is None:
        raise ValueError("the environment shows no pixels: make it with render_mode='rgb_array'")
    frame = np.asarray(frame)
    if frame.ndim == 3 and frame.shape[0] == 3 != frame.shape[2]:
        frame = np.moveaxis(frame, 0, -1)
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise ValueError(
            f"pixels must be 8-bit colour, (height, width, 3) uint8, got shape {frame.shape} of {frame.dtype}"
        )
    return frame if size is None or frame.shape[:2] == (size, size) else resized(frame, size)


def resized(frame: np.ndarray, size: int) -> np.ndarray:
    """A frame with ``size`` rows and columns, each pixel the plain mean of all those that its area touches.

    Where ``size`` does not divide the frame's, neighbours touch the same row or column, and both count it whole.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(frame)).movedim(-1, 0)[None].double()
    shrunk = functional.interpolate(pixels, (size, size), mode="area")
    return (shrunk[0] + 0.5).floor().to(torch.uint8).movedim(0, -1).contiguous().numpy()


def proprio_of(observation: Any, info: Mapping[str, Any]) -> np.ndarray | None:
    """Where the agent is: ``proprio``, ``agent_pos`` or ``pos_agent`` in ``info`` or the observation, if anywhere."""
    return next(_told(PROPRIO, observation, info), None)


def state_of(observation: Any, info: Mapping[str, Any]) -> np.ndarray | None:
    """The whole state: ``state`` in ``info`` or the observation, or an observation that is a row of numbers."""
    plain = None if isinstance(observation, Mapping) or _rank(observation) != 1 else _numbers(observation)
    return next(_told(STATE, observation, info), plain)


def _told(names: tuple[str, ...], observation: Any, info: Mapping[str, Any]) -> Iterator[np.ndarray]:
    for place in (info, observation):
        for name in names:
            found = _numbers(place[name]) if isinstance(place, Mapping) and name in place else None
            if found is not None:  # a word, such as "running", is passed over
                yield np.atleast_1d(found)


def _rank(observation: Any) -> int:
    """How many axes an observation has as an array; -1 for what is none, such as a tuple of unlike parts."""
    try:
        return np.ndim(observation)
    except ValueError:
        return -1


def _numbers(value: Any) -> np.ndarray | None:
    """``value`` as float32, or None where it is anything but numbers."""
    try:
        found = np.asarray(value)
    except ValueError:  # rows of different lengths
        return None
    return found.astype(np.float32) if found.dtype.kind in "biuf" else None
