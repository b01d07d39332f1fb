"""The two rooms as a Gymnasium environment: a disc that finds its way through a door, seen from above in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from lewm_lite.checks import check_positive_integer
from lewm_lite.world.drawing import MIN_SIZE, Palette, colour_named, draw
from lewm_lite.world.rooms import DOOR, HIGH, LOW, REACH, SPEED, Place, Rooms, distance, random_door

OPTIONS = ("state", "goal", "door", "colours")


class TwoRoom(gymnasium.Env):
    r"""A disc in two rooms with a door between them; ``gymnasium.make("lewm_lite/TwoRoom-v0", size=64)``.

    Lengths are in room units: the picture is 1 wide and 1 high, x grows to the right and y downwards. One step moves
    the disc by ``action * 2/64`` (1/32 of the room along each axis at most); what it runs into stops it along the axis
    that it ran along, so it slides. It never passes the wall but by the door. See :mod:`lewm_lite.world.rooms` for the
    other lengths.

    | | |
    |---|---|
    | observation | ``(size, size, 3)`` uint8, red, green, blue; the goal is not drawn |
    | action | ``(2,)`` float32 velocity along x and y, from -1 to 1, in units of the highest speed; clipped |
    | reward | 1 at the step that reaches the goal, else 0 |
    | terminated | the disc is nearer to the goal than 16/224 |
    | truncated | after 100 steps (from the registration) |
    | info | ``state`` (x, y, y of the door's centre), ``proprio`` (x, y), ``goal`` (x, y), each float32, ``distance`` |

    At the start the disc is in a room at random, and the goal in the other one. ``reset(options=…)`` takes

    - ``state``: (x, y) or (x, y, door): where the disc is, and the door;
    - ``goal``: (x, y) or a whole state, of which x and y count;
    - ``door``: y of the door's centre, or ``"random"``;
    - ``colours``: a mapping from ``background``, ``wall``, ``agent``, ``distractor`` to a name or (red, green, blue).

    A state with its actions gives the same states and pictures again. The distractor is no part of the state.

    Args:
        size: height and width of the picture in pixels, >= 16.
        door: y of the door's centre, from 0.125 to 0.875, or ``"random"``: drawn at each reset.
        distractor: draw a second disc, which flies on over the wall, whatever is done, and turns back at the border.
        render_mode: None or ``"rgb_array"``: then ``render()`` gives the picture that an observation is.
    Raises:
        ValueError: an argument or option outside what is said here, with what it got and needs.
    Source:
        The authors' environment (galilai-group/stable-worldmodel, ``envs/two_room/env.py``) in its standard look: the
        lengths are theirs, in 64ths of a room. Ours has one upright wall, one door, and edges that take shares of
        pixels.
    Example:
        >>> room = TwoRoom(size=32)
        >>> frame, info = room.reset(seed=0, options={"state": (0.25, 0.25), "goal": (0.75, 0.25)})
        >>> frame.shape, info["state"].tolist()
        ((32, 32, 3), [0.25, 0.25, 0.21875])
        >>> room.step(np.array([1, 0], dtype=np.float32))[4]["proprio"].tolist()
        [0.28125, 0.25]
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(
        self,
        size: int = 64,
        *,
        door: float | str = DOOR,
        distractor: bool = False,
        render_mode: str | None = None,
    ) -> None:
        check_positive_integer("size", size, minimum=MIN_SIZE)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode must be None or 'rgb_array', got {render_mode!r}")
        self.size, self.distractor, self.render_mode = int(size), bool(distractor), render_mode
        self._door = door if _is_random(door) else _door_number(door)
        self.observation_space = spaces.Box(0, 255, (self.size, self.size, 3), np.uint8)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._rooms = Rooms(DOOR if _is_random(self._door) else self._door)
        self._palette = Palette()
        self._place = self._goal = (0.25, 0.5)
        self._fly: Place = (0.5, 0.5)
        self._flight: Place = (0.0, 0.0)

    @property
    def state(self) -> np.ndarray:
        """(x, y, y of the door's centre), float32: what ``reset(options={"state": …})`` takes."""
        return np.array([*self._place, self._rooms.door], np.float32)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin anew, at random or as ``options`` say; see the class. Options that are refused change nothing seen."""
        options = dict(options or {})
        if unknown := sorted(map(repr, set(options) - set(OPTIONS))):
            raise ValueError(f"options may hold {', '.join(OPTIONS)}, got {', '.join(unknown)}")
        state = None if options.get("state") is None else _numbers("state", options["state"], (2, 3))
        goal = None if options.get("goal") is None else _numbers("goal", options["goal"], (2, 3))
        palette = _recoloured(Palette(), options.get("colours", {}))
        door = options.get("door", self._door)
        if state is not None and len(state) == 3:
            if "door" in options:
                raise ValueError("options hold a door, and a state with a door: leave one of them out")
            door = state[2]
        fixed = None if _is_random(door) else Rooms(_door_number(door))
        super().reset(seed=seed)
        rooms = Rooms(random_door(self.np_random)) if fixed is None else fixed
        start = rooms.random_place(self.np_random, right=bool(self.np_random.integers(2)))
        place = start if state is None else rooms.checked("state", state[:2])
        aim = rooms.random_place(self.np_random, right=place[0] < 0.5)
        aim = aim if goal is None else rooms.checked("goal", goal[:2])
        self._rooms, self._place, self._goal, self._palette = rooms, place, aim, palette
        self._fly = (self.np_random.uniform(LOW, HIGH), self.np_random.uniform(LOW, HIGH))
        self._flight = (self.np_random.uniform(-SPEED, SPEED), self.np_random.uniform(-SPEED, SPEED))
        return self.frame(), self._info()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move by one step; the action is clipped to [-1, 1]."""
        velocity = _numbers("action", action, (2,))
        self._place = self._rooms.move(self._place, velocity)
        self._fly, self._flight = _fly_on(self._fly, self._flight)
        info = self._info()
        reached = info["distance"] < REACH
        return self.frame(), float(reached), reached, False, info

    def render(self) -> np.ndarray | None:
        """The picture of now, or None without a render mode."""
        return self.frame() if self.render_mode == "rgb_array" else None

    def frame(self, state: Any = None) -> np.ndarray:
        """The picture of now, or of another state with all else as now: ``(size, size, 3)`` uint8; nothing moves."""
        place, door = self._place, self._rooms.door
        if state is not None:
            numbers = _numbers("state", state, (2, 3))
            door = numbers[2] if len(numbers) == 3 else door
            place = Rooms(door).checked("state", numbers[:2])
        return draw(self.size, door, place, self._palette, self._fly if self.distractor else None)

    def teleport(self, place: Any) -> None:
        """Put the disc somewhere else in an instant: what a world model should be surprised by."""
        self._place = self._rooms.checked("place", _numbers("place", place, (2,)))

    def recolour(self, **colours: Any) -> None:
        """Change colours from now on, until the next reset: ``recolour(agent="blue")``.

        Raises:
            ValueError: nothing of that name is drawn, or no such colour.
        """
        self._palette = _recoloured(self._palette, colours)

    def _info(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "proprio": np.array(self._place, np.float32),
            "goal": np.array(self._goal, np.float32),
            "distance": distance(self._place, self._goal),
        }


def _recoloured(palette: Palette, colours: Any) -> Palette:
    if not isinstance(colours, Mapping):
        raise ValueError(f"colours must be a mapping from what is drawn to its colour, got {colours!r}")
    drawn = tuple(vars(palette))
    if unknown := sorted(map(repr, set(colours) - set(drawn))):
        raise ValueError(f"colours may name {', '.join(drawn)}, got {', '.join(unknown)}")
    return replace(palette, **{name: colour_named(name, value) for name, value in colours.items()})


def _numbers(name: str, value: Any, lengths: tuple[int, ...]) -> list[float]:
    try:
        numbers = np.array(np.nan) if value is None else np.asarray(value, np.float64)
    except (TypeError, ValueError):  # words, or rows of different lengths
        numbers = np.array(np.nan)
    if numbers.ndim != 1 or len(numbers) not in lengths or not np.isfinite(numbers).all():
        raise ValueError(f"{name} must be {' or '.join(map(str, lengths))} finite numbers in a row, got {value!r}")
    return numbers.tolist()


def _is_random(door: Any) -> bool:
    return isinstance(door, str) and door == "random"


def _door_number(door: Any) -> float:
    try:
        return Rooms(float(np.float32(door))).door
    except (TypeError, ValueError) as error:
        raise ValueError(f"door must be 'random' or a number from 0.125 to 0.875, got {door!r}") from error


def _fly_on(fly: Place, flight: Place) -> tuple[Place, Place]:
    """One step of the distractor, which turns back where it touches the border."""
    moved = [place + speed for place, speed in zip(fly, flight, strict=True)]
    turned = [-speed if not LOW <= to <= HIGH else speed for to, speed in zip(moved, flight, strict=True)]
    kept = [min(max(to, LOW), HIGH) for to in moved]
    return (kept[0], kept[1]), (turned[0], turned[1])
