"""What a reader can set in a lab, and what the lab tells them: plain data, the same for the page and the kernel."""

from __future__ import annotations

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


Control = Range | Choice | Toggle


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
