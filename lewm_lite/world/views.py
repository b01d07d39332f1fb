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
    if not seen and np.ndim(observation) == 3 and not isinstance(observation, Mapping):
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
    """A frame with ``size`` rows and columns: each pixel the mean of the area that it stands for."""
    pixels = torch.from_numpy(np.ascontiguousarray(frame)).movedim(-1, 0)[None].double()
    shrunk = functional.interpolate(pixels, (size, size), mode="area")
    return (shrunk[0] + 0.5).floor().to(torch.uint8).movedim(0, -1).contiguous().numpy()


def proprio_of(observation: Any, info: Mapping[str, Any]) -> np.ndarray | None:
    """Where the agent is: ``proprio``, ``agent_pos`` or ``pos_agent`` in ``info`` or the observation, if anywhere."""
    return next(_told(PROPRIO, observation, info), None)


def state_of(observation: Any, info: Mapping[str, Any]) -> np.ndarray | None:
    """The whole state: ``state`` in ``info`` or the observation, or an observation that is a row of numbers."""
    plain = [] if isinstance(observation, Mapping) or np.ndim(observation) != 1 else [np.asarray(observation)]
    return next(_told(STATE, observation, info), plain[0].astype(np.float32) if plain else None)


def _told(names: tuple[str, ...], observation: Any, info: Mapping[str, Any]) -> Iterator[np.ndarray]:
    for place in (info, observation):
        for name in names:
            if isinstance(place, Mapping) and name in place:
                yield np.atleast_1d(np.asarray(place[name], np.float32))
