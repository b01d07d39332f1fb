"""What happened in a training, as numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

COLLAPSED_STD = 0.2  # a fifth of the target's
COLLAPSED_RANK = 2.0


class Record(NamedTuple):
    """One step; losses are those of its batch, before the step."""

    step: int  # steps taken, this one included
    total: float
    prediction: float
    sigreg: float
    gradient_norm: float  # before it is clipped
    learning_rate: float


class Look(NamedTuple):
    """A look from outside at what has been learned so far, on clips that are the same each time."""

    step: int
    prediction: float  # mean squared error of the next embedding
    std: float  # of the embeddings, mean over dimensions
    effective_rank: float
    disease: str  # as in collapse_report: "complete", "clustered", "dimensional" or "none"
    words: str


@dataclass
class History:
    """What :func:`lewm_lite.training.fit.fit` gives back; a resumed run's begins at step 1 too."""

    records: list[Record] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warning_of(self, look: Look, *, sigreg_weight: float) -> str:
        """A sentence if this look is the first of several to see a collapse; nothing while it lasts, or without one.

        Far stricter than the disease that a look names: on the way to N(0, I) nearly every healthy training has axes
        that are still asleep.
        """
        seen = self.looks[: self.looks.index(look)]
        words = _collapse(look)
        if not words or (seen and _collapse(seen[-1])):
            return ""
        weaker = "sigreg_weight is 0, so nothing works against it" if sigreg_weight == 0 else ""
        cure = weaker or f"a larger sigreg_weight than {sigreg_weight:g} works against it"
        return (
            f"step {look.step}: {words}; the prediction loss, {look.prediction:.2g}, is then small for nothing: {cure}"
        )


def _collapse(look: Look) -> str:
    if look.std < COLLAPSED_STD:
        return f"the embeddings collapse to a point, their standard deviation is {look.std:.2g} where 1 is asked for"
    if look.effective_rank < COLLAPSED_RANK:
        return f"the embeddings collapse to a line, their effective rank is {look.effective_rank:.1f}"
    return ""
