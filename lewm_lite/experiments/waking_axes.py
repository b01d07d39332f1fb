"""C08: how many axes of an encoder are alive as training under SIGReg goes on, at two weights.

``python -m lewm_lite.experiments.waking_axes`` trains and keeps the result; about five minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.experiments.used_dimensions import HeldOut
from lewm_lite.training.joint_embedding import Objective, Training

ALIVE = 0.1  # variance along an axis of the cloud from which it counts as alive; a healthy one has about 1


@dataclass(frozen=True)
class WakingAxesConfig:
    """For how long, and under which weights of SIGReg; all else is the other experiments'."""

    shared: LockstepConfig = LockstepConfig(seeds=(0, 1, 2), every=1500)
    weights: tuple[float, ...] = (0.1, 1.0)
    steps: int = 6000


@dataclass(frozen=True)
class Waking:
    """``spectra[weight][seed]`` is a list over ``steps`` of the variances along the cloud's axes."""

    steps: list[int]
    spectra: dict[str, list[list[list[float]]]]

    def alive(self, name: str, step: int) -> list[float]:
        """How many axes are alive at a step, one number per seed."""
        place = self.steps.index(step)
        return [float(sum(variance > ALIVE for variance in seed[place])) for seed in self.spectra[name]]


def run(config: WakingAxesConfig, *, progress: Callable[[str], None] = lambda _: None) -> Waking:
    """Train an encoder per weight and seed, and look at its held-out spectrum on the way."""
    judge, seeds = HeldOut(config.shared), len(config.shared.seeds)
    names = [name_of(weight) for weight in config.weights]
    steps: list[int] = []
    spectra: dict[str, list[list[list[float]]]] = {name: [[] for _ in range(seeds)] for name in names}

    def watch(step: int, training: Training) -> None:
        steps.append(step)
        for place, name in enumerate(names):
            looked = judge.look(training.parameters[place * seeds : (place + 1) * seeds])
            for seed, variances in zip(spectra[name], looked.spectrum, strict=True):
                seed.append([brief(variance) for variance in variances])
        progress(f"step {step}")

    objectives = {name: Objective(sigreg=weight) for name, weight in zip(names, config.weights, strict=True)}
    train(config.shared, [Phase(config.steps, objectives)], watch=watch)
    return Waking(steps, spectra)


def name_of(weight: float) -> str:
    """0.1 -> ``weight_0_1``: a word that a value's name can hold."""
    return f"weight_{weight:g}".replace(".", "_")


def values(waking: Waking) -> dict[str, float]:
    """``waking_axes.weight.step<n>``: axes alive, mean over seeds, and the 95 % interval."""
    told: dict[str, float] = {}
    for name in waking.spectra:
        for step in waking.steps:
            told |= over_seeds(f"waking_axes.{name}.step{step}", waking.alive(name, step))
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = WakingAxesConfig()
    waking = run(config, progress=report)
    kept = values(waking)
    path = keep_result("waking_axes", config=config, values=kept, details=asdict(waking), seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
