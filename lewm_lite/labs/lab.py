"""The lab contract: what every interactive figure of the book is made of.

A lab is its controls, its readings, banks of numbers, and two functions of tensors, ``start`` and ``step``, that belong
to the library. In a kernel torch runs them; the page runs the same functions, exported with their gradient. What a lab
draws is one view module, ``static/views/<name>.mjs``. CONTRIBUTING.md shows how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from lewm_lite.checks import check_positive_integer
from lewm_lite.labs.controls import Control, Reading, settings
from lewm_lite.labs.feeds import Graph, feed


@dataclass(frozen=True)
class Phase:
    """A stretch of a recorded run: so many steps with these settings changed from those before."""

    steps: int
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """A named run that is recorded for the page: where it starts, its phases, and what it shows, in words."""

    name: str
    caption: str
    settings: Mapping[str, object]
    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class Frame:
    """One moment of a run."""

    step: int
    values: Mapping[str, object]
    tensors: Mapping[str, Tensor]
    readings: Mapping[str, float]
    state: Mapping[str, Tensor] = field(default_factory=dict)  # all of it, in a run's last frame


class Lab:
    """One idea under the reader's hand. Subclasses say what it is; this class runs it, here and in the page."""

    name: ClassVar[str]
    title: ClassVar[str]
    controls: ClassVar[tuple[Control, ...]]
    readings: ClassVar[tuple[Reading, ...]]
    scenes: ClassVar[tuple[Scene, ...]]
    recorded: ClassVar[dict[str, int | None]]  # what a view draws, by name; of an input only so many rows
    frame_every: ClassVar[int] = 8  # steps between two recorded frames
    resumes: ClassVar[bool] = False  # what a view draws is not the state: a recording ships its last state beside it

    def __init__(self, scene: str | None = None, **given: object) -> None:
        names = [known.name for known in self.scenes]
        if scene is not None and scene not in names:
            raise ValueError(f"scene must be one of {names}, got {scene!r}")
        self.scene = self.scenes[0 if scene is None else names.index(scene)]
        self.values = settings(self.controls, {**self.scene.settings, **given})

    def graphs(self) -> dict[str, Graph]:
        """``start`` and ``step``, with where each of their inputs comes from."""
        raise NotImplementedError(f"{type(self).__name__} must define graphs()")

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """The numbers shipped with the lab, so that page and kernel follow the same path."""
        raise NotImplementedError(f"{cls.__name__} must define banks()")

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene) -> Any:
        """A matplotlib figure that tells the recorded run without moving."""
        raise NotImplementedError(f"{cls.__name__} must define draw_still()")

    def run(self, *phases: Phase, every: int = 1) -> list[Frame]:
        """Run in torch, from the start, as the page would: the frame before each ``every``-th step, and the last.

        No hand is on the picture: a graph's :class:`lewm_lite.labs.feeds.Hand` stays 0.

        Args:
            phases: stretches of steps with changed settings; the scene's own if none is given.
            every: how many steps between two frames that are kept, >= 1.
        Raises:
            ValueError: a setting out of its range, or ``every`` < 1.
        """
        check_positive_integer("every", every)
        graphs, banks, values = self.graphs(), self.banks(), dict(self.values)
        _, state = self._call(graphs["start"], values, banks, {}, 0)
        frames: list[Frame] = []
        step = 0
        for phase in phases or self.scene.phases:
            values = settings(self.controls, {**values, **phase.changes})
            for _ in range(phase.steps):
                inputs, out = self._call(graphs["step"], values, banks, state, step)
                if step % every == 0:
                    frames.append(self._frame(step, values, inputs, out))
                state = {name: out[name] for name in state}
                step += 1
        inputs, out = self._call(graphs["step"], values, banks, state, step)
        return [*frames, replace(self._frame(step, values, inputs, out), state=state)]

    def _call(self, graph: Graph, values: Mapping, banks: Mapping, state: Mapping, step: int) -> tuple[dict, Mapping]:
        inputs = feed(graph, self.controls, values, banks, state, step)
        with torch.no_grad():
            return inputs, graph.function(**inputs)

    def _frame(self, step: int, values: Mapping, inputs: Mapping, out: Mapping) -> Frame:
        drawn = {**out, **inputs}  # a state's tensor is the one before the step, as the readings are
        tensors = {name: drawn[name][:rows] for name, rows in self.recorded.items()}
        return Frame(step, dict(values), tensors, {reading.name: float(out[reading.name]) for reading in self.readings})

    @classmethod
    def say(cls, step: int, readings: Mapping[str, float]) -> str:
        """The readings in a sentence, as the page's live region says them."""
        said = [reading.say(readings[reading.name]) for reading in cls.readings if reading.spoken]
        return f"Step {step}: " + ", ".join(said) + "."

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{type(self).__name__}({self.scene.name!r}, {shown})"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, object]:
        from lewm_lite.labs.showing import mime_bundle

        return mime_bundle(self)
