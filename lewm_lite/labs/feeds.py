"""Where each input of a lab's graph comes from, as data that Python and the page read alike.

A graph's inputs are its state, the reader's settings and hand, and rows of a bank of numbers shipped with the lab. The
rule that picks rows stands here and, word for word, in ``static/data.mjs``; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lewm_lite.labs.controls import Choice, Control

ALWAYS = "always"
NO_HAND = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class State:
    """The tensor of this name that the previous step, or the start, put out."""

    source: str = "state"


@dataclass(frozen=True)
class Setting:
    """A control's value as a scalar: a number, or 1 and 0 for a check box."""

    control: str
    source: str = "setting"


@dataclass(frozen=True)
class OneHot:
    """A menu's choice as a vector with a 1 at its place."""

    control: str
    source: str = "one_hot"


@dataclass(frozen=True)
class Hand:
    """Where the reader's pointer was on the picture and how it has moved since the last step: x, y, dx, dy.

    In the units of what is drawn; all 0 while nothing is dragged, and always where no page is. A drag is a step of its
    own when the lab stands still, so a graph with a hand says itself what else may happen while the hand moves.
    """

    source: str = "hand"


@dataclass(frozen=True)
class Bank:
    """Rows of a bank, in order and round the end: from ``seed * seed_stride`` on, moving on at each step if told to."""

    name: str  # may hold {control}, replaced by that control's value
    rows: str | None = None  # the control that says how many rows; all of them if None
    seed_stride: int = 0
    advance: str | None = None  # each step takes the rows after the last step's: if this check box is on, or ALWAYS
    source: str = "bank"


Source = State | Setting | OneHot | Hand | Bank


@dataclass(frozen=True)
class Graph:
    """A function of tensors that becomes one ONNX graph per value of ``variants`` (a control's name, or none)."""

    function: Callable[..., Mapping[str, Tensor]]
    inputs: Mapping[str, Source]
    outputs: tuple[str, ...]
    dynamic: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    variants: str | None = None


def take(bank: Tensor, rows: int, offset: int) -> Tensor:
    """``rows`` rows of ``bank`` from ``offset`` on, starting over at its end."""
    return bank[(offset + torch.arange(rows)) % bank.shape[0]]


def feed(
    graph: Graph,
    controls: tuple[Control, ...],
    values: Mapping[str, object],
    banks: Mapping[str, Tensor],
    state: Mapping[str, Tensor],
    step: int,
    hand: tuple[float, float, float, float] = NO_HAND,
) -> dict[str, Tensor]:
    """The tensors that ``graph`` gets at ``step`` with the reader's ``values`` and ``hand`` (x, y, dx, dy)."""
    menus = {control.name: control for control in controls if isinstance(control, Choice)}
    feeds: dict[str, Tensor] = {}
    for name, source in graph.inputs.items():
        match source:
            case State():
                feeds[name] = state[name]
            case Setting(control):
                feeds[name] = torch.tensor(float(values[control]))
            case OneHot(control):
                options = [option for option, _ in menus[control].options]
                feeds[name] = torch.tensor([float(option == values[control]) for option in options])
            case Hand():
                feeds[name] = torch.tensor(hand, dtype=torch.float32)
            case Bank():
                bank = banks[source.name.format(**values)]
                rows = bank.shape[0] if source.rows is None else int(values[source.rows])
                offset = int(values.get("seed", 0)) * source.seed_stride
                if source.advance == ALWAYS or (source.advance is not None and values[source.advance]):
                    offset += step * rows
                feeds[name] = take(bank, rows, offset)
    return feeds
