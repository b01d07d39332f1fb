"""How a world model is trained: everything that has a say in the weights that come out, but data and seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lewm_lite.checks import check_positive_integer, check_positive_number
from lewm_lite.training.world_model_loss import NUM_DIRECTIONS, SIGREG_WEIGHT

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class FitConfig:
    """The defaults are for the preset ``"lite"``.

    The learning rate rises in a straight line over the first steps and falls along half a cosine to 0 at ``steps``, the
    steps that are really taken: it does not depend on how many were planned elsewhere.
    """

    steps: int = 2000
    batch_size: int = 64  # clips of a step, of all processes together
    learning_rate: float = 2e-3  # at its highest
    warmup: float = 0.02  # share of the steps over which the learning rate rises
    weight_decay: float = 1e-3  # of every parameter
    clip_norm: float = 1.0  # a longer gradient is shortened to this length
    sigreg_weight: float = 0.1
    num_directions: int = 256
    precision: str = "float32"  # or "bfloat16": autocast; SIGReg and BatchNorm stay in float32

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "num_directions"):
            check_positive_integer(name, getattr(self, name))
        for name in ("learning_rate", "clip_norm"):
            check_positive_number(name, getattr(self, name))
        for name in ("weight_decay", "sigreg_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a finite number of at least 0, got {getattr(self, name)!r}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be a share of the steps from 0 to below 1, got {self.warmup!r}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {list(PRECISIONS)}, got {self.precision!r}")

    def learning_rate_at(self, step: int) -> float:
        """Of step ``step``, counted from 0: above 0 at the first and at the last."""
        rising = round(self.warmup * self.steps)
        if step < rising:
            return self.learning_rate * (step + 1) / (rising + 1)
        return self.learning_rate * (1 + math.cos(math.pi * (step - rising) / (self.steps - rising))) / 2


RECIPES = {
    "lite": FitConfig(),
    # lucas-maes/le-wm at 8edfeb3, config/train/lewm.yaml. Theirs counts epochs, 10 in the paper: of the paper's
    # 10,000 episodes of two rooms, about as many steps. Their cosine is over 100 epochs of which 10 are run.
    "paper": FitConfig(
        steps=50_000,
        batch_size=128,
        learning_rate=5e-5,
        warmup=0.01,
        sigreg_weight=SIGREG_WEIGHT,
        num_directions=NUM_DIRECTIONS,
        precision="bfloat16",
    ),
}
