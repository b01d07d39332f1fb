"""The two rooms as pixels: arithmetic on arrays only, so that a state is the same picture on every machine.

A pixel takes its share of each colour: a wall that covers half of it is mixed half and half, and a disc's rim is one
pixel wide. So a disc that moves by less than a pixel changes the picture too.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lewm_lite.world.rooms import BORDER, DOOR_HALF, RADIUS, WALL, Place

Colour = tuple[int, int, int]
COLOURS: dict[str, Colour] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "red": (255, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 255),
    "orange": (255, 140, 0),
    "purple": (128, 0, 160),
}
MIN_SIZE = 16  # pixels; in a smaller picture the disc and the wall melt into each other


@dataclass(frozen=True)
class Palette:
    """The colour of everything that is drawn: red, green, blue from 0 to 255."""

    background: Colour = COLOURS["white"]
    wall: Colour = COLOURS["black"]
    agent: Colour = COLOURS["red"]
    distractor: Colour = COLOURS["grey"]


def colour_named(name: str, value: str | Colour) -> Colour:
    """A colour by name, or as three whole numbers from 0 to 255.

    Raises:
        ValueError: neither; the message lists the names.
    """
    if isinstance(value, str):
        if value in COLOURS:
            return COLOURS[value]
    else:
        with suppress(TypeError, ValueError, OverflowError):  # no row at all, or parts that are no whole numbers
            red, green, blue = (int(part) for part in value)
            whole = all(part == told for part, told in zip((red, green, blue), value, strict=True))
            if whole and min(red, green, blue) >= 0 and max(red, green, blue) <= 255:
                return red, green, blue
    raise ValueError(f"{name} must be one of {', '.join(COLOURS)}, or three whole numbers 0 to 255, got {value!r}")


def draw(size: int, door: float, place: Place, palette: Palette, distractor: Place | None = None) -> np.ndarray:
    """One picture.

    Args:
        size: height and width in pixels.
        door: y of the door's centre, in room units. place: of the agent's centre. distractor: of a second disc's.
        palette: the colours.
    Returns:
        ``(size, size, 3)`` uint8.
    """
    frame = _empty_rooms(size, door, palette).copy()
    if distractor is not None:
        _add_disc(frame, distractor, palette.distractor)
    _add_disc(frame, place, palette.agent)
    return frame


@lru_cache(maxsize=64)
def _empty_rooms(size: int, door: float, palette: Palette) -> np.ndarray:
    inside = _covered(size, BORDER, 1 - BORDER)
    wall = _covered(size, 0.5 - WALL / 2, 0.5 + WALL / 2)
    opening = _covered(size, door - DOOR_HALF, door + DOOR_HALF)
    free = np.outer(inside, inside) * (1 - np.outer(1 - opening, wall))
    frame = _mix(np.array(palette.wall, float), np.array(palette.background, float), free[:, :, None])
    frame.setflags(write=False)
    return frame


def _covered(size: int, low: float, high: float) -> np.ndarray:
    """What share of each pixel of a row lies between two places."""
    pixels = np.arange(size, dtype=float)
    return np.clip(np.minimum(pixels + 1, high * size) - np.maximum(pixels, low * size), 0, 1)


def _add_disc(frame: np.ndarray, place: Place, colour: Colour) -> None:
    size = len(frame)
    radius = RADIUS * size
    x, y = place[0] * size, place[1] * size
    reach = radius + 1
    left, right = max(int(x - reach), 0), min(int(x + reach) + 1, size)
    top, bottom = max(int(y - reach), 0), min(int(y + reach) + 1, size)
    across = np.arange(left, right) + (0.5 - x)
    down = np.arange(top, bottom) + (0.5 - y)
    covered = np.clip(radius + 0.5 - np.sqrt((across * across)[None, :] + (down * down)[:, None]), 0, 1)
    patch = frame[top:bottom, left:right]
    patch[:] = _mix(patch, np.array(colour, float), covered[:, :, None])


def _mix(under: np.ndarray, over: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.floor(under + (over - under) * share + 0.5).astype(np.uint8)
