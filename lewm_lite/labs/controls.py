"""What a reader can set in a lab, and what the lab tells them: plain data, the same for the page and the kernel."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from numbers import Integral, Real


@dataclass(frozen=True)
class Range:
    """A slider: a number from ``low`` to ``high`` in steps of ``step``."""

    name: str
    label: str
    low: float
    high: float
    default: float
    step: float
    restarts: bool = False  # a change makes the state anew
    kind: str = "range"

    def check(self, value: float) -> float:
        """``value`` if it lies in the range, else a ValueError that names the control."""
        if isinstance(value, bool) or not isinstance(value, Real) or not self.low <= value <= self.high:
            raise ValueError(f"{self.name} must be a number from {self.low:g} to {self.high:g}, got {value!r}")
        value = int(value) if isinstance(value, Integral) else float(value)  # plain, also where numpy's was given
        steps = (value - self.low) / self.step
        if abs(steps - round(steps)) > 1e-6:
            raise ValueError(f"{self.name} goes from {self.low:g} in steps of {self.step:g}, got {value!r}")
        return value

    def place(self, value: float) -> float:
        """Where the slider stands for ``value``; its ends stand at the places of ``low`` and ``high``."""
        return value

    def next_to(self, value: float) -> float:
        """The value one step of the slider up; from the last one, the lowest."""
        return self.low if value > self.high - self.step else round(value + self.step, 9)


@dataclass(frozen=True)
class LogRange(Range):
    """A slider over decades: any number from ``low`` to ``high``, above 0, and the slider moves by ``step`` decades.

    The slider itself gives four digits of a number, the same in the page as here.
    """

    kind: str = "log_range"

    def check(self, value: float) -> float:
        """``value`` if it lies in the range, else a ValueError that names the control."""
        if isinstance(value, bool) or not isinstance(value, Real) or not self.low <= value <= self.high:
            raise ValueError(f"{self.name} must be a number from {self.low:g} to {self.high:g}, got {value!r}")
        return float(value)

    def place(self, value: float) -> float:
        """The decimal logarithm of ``value``: where the slider stands."""
        return math.log10(value)

    def next_to(self, value: float) -> float:
        """The value one step of the slider up, to four digits; from the last one, the lowest."""
        steps = round((self.place(value) - self.place(self.low)) / self.step) + 1
        above = self.place(self.low) + steps * self.step
        return self.low if above > self.place(self.high) + 1e-9 else float(f"{10**above:.4g}")


@dataclass(frozen=True)
class Choice:
    """A menu: one of ``options``, pairs of value and label."""

    name: str
    label: str
    options: tuple[tuple[str | int, str], ...]
    default: str | int
    restarts: bool = False
    kind: str = "choice"

    def check(self, value: str | int) -> str | int:
        """``value`` if it is an option, else a ValueError that lists the options."""
        values = [option for option, _ in self.options]
        if value not in values:
            raise ValueError(f"{self.name} must be one of {values}, got {value!r}")
        return values[values.index(value)]  # 2, also where 2.0 was given: it may become part of a name


@dataclass(frozen=True)
class Toggle:
    """A check box: on or off."""

    name: str
    label: str
    default: bool
    restarts: bool = False
    kind: str = "toggle"

    def check(self, value: bool) -> bool:
        """``value`` if it is a truth value, else a ValueError."""
        if not isinstance(value, bool):
            raise ValueError(f"{self.name} must be True or False, got {value!r}")
        return value


@dataclass(frozen=True)
class Button:
    """A button of the lab's own beside play, step and reset: its value is how often it was pressed.

    A press sets the lab going; what else it does is the step's affair, which sees the number change.
    """

    name: str
    label: str
    default: int = 0
    restarts: bool = False
    kind: str = "button"

    def check(self, value: int) -> int:
        """``value`` if it is a count, else a ValueError."""
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
            raise ValueError(f"{self.name} must be how often it was pressed, an integer from 0 on, got {value!r}")
        return int(value)


Control = Range | Choice | Toggle | Button


@dataclass(frozen=True)
class Reading:
    """A number that the lab tells: its name in the step's outputs, its label, and how many decimals to show."""

    name: str
    label: str
    decimals: int
    words: str  # how a sentence says it, with {value} in place of the number
    group: str = ""  # whose reading it is, where a lab compares several
    spoken: bool = True  # part of the sentence that the live region says

    def say(self, value: float) -> str:
        """The reading as part of a sentence."""
        return self.words.format(value=f"{value:.{self.decimals}f}")


def settings(controls: tuple[Control, ...], given: dict) -> dict:
    """Every control's value: the default where ``given`` is silent.

    Raises:
        ValueError: an unknown control, or a value out of its range.
    """
    known = {control.name: control for control in controls}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"no control named {', '.join(unknown)}: this lab has {', '.join(known)}")
    return {name: control.check(given.get(name, control.default)) for name, control in known.items()}


def as_data(item: Control | Reading) -> dict:
    """A control or reading as the plain dictionary that the page reads."""
    return asdict(item)
