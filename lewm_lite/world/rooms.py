"""Two rooms, a wall between them and a door in it: where a disc may be, and where it comes to when it moves.

Lengths are in room units: the picture is 1 wide and 1 high, x grows to the right and y downwards. A disc is placed by
its centre. Every length but ``REACH`` is a multiple of 1/128, so places are exact in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BORDER = 4 / 64  # thickness of the outer wall
WALL = 3 / 64  # thickness of the wall between the rooms; it stands in the middle, upright
RADIUS = 2 / 64  # of the disc
SPEED = 2 / 64  # the furthest that one step goes, along each axis
DOOR_HALF = 4 / 64  # half the door's width: a disc passes when its centre is within DOOR_HALF - RADIUS of the door's
DOOR = 14 / 64  # where the door's centre is unless told otherwise
REACH = 16 / 224  # a place counts as reached from nearer than this

LOW, HIGH = BORDER + RADIUS, 1 - BORDER - RADIUS  # where a disc touches the outer wall
WALL_LEFT, WALL_RIGHT = 0.5 - WALL / 2 - RADIUS, 0.5 + WALL / 2 + RADIUS  # where it touches the inner one
DOOR_RANGE = (BORDER + DOOR_HALF, 1 - BORDER - DOOR_HALF)  # a door leaves the outer wall whole
_GAP = DOOR_HALF - RADIUS
_TOLERANCE = 1e-6  # what reading a place from text or float16 may cost

Place = tuple[float, float]


@dataclass(frozen=True)
class Rooms:
    """Both rooms, told apart from others by where the door is.

    Args:
        door: y of the door's centre, within ``DOOR_RANGE``.
    Raises:
        ValueError: a door that would cut into the outer wall.
    Example:
        >>> rooms = Rooms(door=0.25)
        >>> rooms.move((0.44, 0.8), (1.0, 0.0))  # runs into the wall
        (0.4453125, 0.800000011920929)
        >>> rooms.move((0.44, 0.25), (1.0, 0.0))  # walks through the door
        (0.4712499976158142, 0.25)
    """

    door: float = DOOR

    def __post_init__(self) -> None:
        low, high = DOOR_RANGE
        if not low - _TOLERANCE <= self.door <= high + _TOLERANCE:
            raise ValueError(f"door must be from {low} to {high}, the room being 1 high, got {self.door!r}")

    def move(self, place: Place, velocity: Place) -> Place:
        """Where a disc at ``place`` is one step later: first along x, then along y, each stopped by what it meets.

        So a disc that meets a wall at an angle slides along it. What it would have to pass through stops it however
        fast it is.

        Args:
            place: a free place.
            velocity: in units of ``SPEED``; each axis is clipped to [-1, 1].
        """
        x, y = place
        to_x = _clip(x + SPEED * _clip(velocity[0], -1, 1), LOW, HIGH)
        if not self._in_door(y):
            if x <= WALL_LEFT:
                to_x = min(to_x, WALL_LEFT)
            elif x >= WALL_RIGHT:
                to_x = max(to_x, WALL_RIGHT)
        to_y = _clip(y + SPEED * _clip(velocity[1], -1, 1), LOW, HIGH)
        if WALL_LEFT < _single(to_x) < WALL_RIGHT:
            to_y = _clip(to_y, self.door - _GAP, self.door + _GAP)
        return _single(to_x), _single(to_y)

    def holds(self, place: Place, tolerance: float = _TOLERANCE) -> bool:
        """Whether a disc at ``place`` touches no wall, or stands against one at most."""
        x, y = place
        inside = min(x, y) >= LOW - tolerance and max(x, y) <= HIGH + tolerance
        beside = x <= WALL_LEFT + tolerance or x >= WALL_RIGHT - tolerance
        return inside and (beside or self._in_door(y, tolerance))

    def checked(self, name: str, place: Place) -> Place:
        """The place as float32 sees it, and moved by what rounding cost.

        Raises:
            ValueError: a disc there would be in a wall, or outside.
        """
        x, y = float(place[0]), float(place[1])
        if not self.holds((x, y)):
            raise ValueError(
                f"{name} must be a place (x, y) where a disc of radius {RADIUS} fits: from {LOW} to {HIGH} each, and "
                f"with x from {WALL_LEFT} to {WALL_RIGHT} only within {_GAP} of the door at y = {self.door:.4g}; "
                f"got ({x:.4g}, {y:.4g})"
            )
        x, y = _clip(_single(x), LOW, HIGH), _clip(_single(y), LOW, HIGH)
        if not self._in_door(y):
            x = min(x, WALL_LEFT) if x < 0.5 else max(x, WALL_RIGHT)
        return x, y

    def random_place(self, generator: np.random.Generator, *, right: bool) -> Place:
        """A place in one of the rooms, uniform."""
        low, high = (WALL_RIGHT, HIGH) if right else (LOW, WALL_LEFT)
        return _clip(_single(generator.uniform(low, high)), low, high), _clip(
            _single(generator.uniform(LOW, HIGH)), LOW, HIGH
        )

    def _in_door(self, y: float, tolerance: float = 1e-7) -> bool:
        return abs(y - self.door) <= _GAP + tolerance  # one rounding of float32 is no wall


def random_door(generator: np.random.Generator) -> float:
    """A door's place, uniform over where a door can be."""
    return _clip(_single(generator.uniform(*DOOR_RANGE)), *DOOR_RANGE)


def distance(one: Place, other: Place) -> float:
    """Between two places, in room units."""
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))


def _clip(value: float, low: float, high: float) -> float:
    return low if value < low else high if value > high else float(value)


def _single(value: float) -> float:
    return float(np.float32(value))  # a state that is stored as float32 is then the state itself
