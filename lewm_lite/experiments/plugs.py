"""C26, C27: what happens to a trained encoder when what kept it alive is taken away, and when it is given back.

``python -m lewm_lite.experiments.plugs`` trains, pulls, gives back, and keeps the result, about ten minutes; followed
by names of stories it tells those alone again, and leaves the others as they were kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, completed, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.training.joint_embedding import OBJECTIVES, Objective

# Name of the story -> the objective that keeps the encoder alive, and what is left of it when the plug is pulled.
PLUGS: dict[str, tuple[Objective, Objective]] = {
    "sigreg": (OBJECTIVES["sigreg"], OBJECTIVES["none"]),
    "vicreg": (OBJECTIVES["vicreg"], OBJECTIVES["none"]),
    "variance_only": (OBJECTIVES["variance_only"], OBJECTIVES["none"]),
    "drop_ema": (OBJECTIVES["ema_stop_gradient"], OBJECTIVES["stop_gradient_only"]),
    "drop_stop_gradient": (OBJECTIVES["ema_stop_gradient"], OBJECTIVES["ema_only"]),
    "drop_both": (OBJECTIVES["ema_stop_gradient"], OBJECTIVES["none"]),
}
READINGS = ("std", "effective_rank", "probe_r2")


@dataclass(frozen=True)
class PlugsConfig:
    """How long each of the three phases lasts: trained, without, and with again."""

    shared: LockstepConfig = LockstepConfig()
    steps: int = 1000


def run(config: PlugsConfig, names: Sequence[str] = (), *, progress=lambda _: None) -> Record:
    """All stories, or those named, in lock-step: with, without, with again."""
    alive, pulled = ({name: PLUGS[name][which] for name in names or PLUGS} for which in (0, 1))
    phases = [Phase(config.steps, objectives) for objectives in (alive, pulled, alive)]
    return train(config.shared, phases, progress=progress)


def values(config: PlugsConfig, record: Record) -> dict[str, float]:
    """``plugs.story.phase.reading`` at the end of each phase, with the 95 % interval over seeds."""
    told: dict[str, float] = {}
    for story in PLUGS:
        for place, phase in enumerate(("before", "pulled", "back"), start=1):
            told |= record.told(f"plugs.{story}.{phase}", story, READINGS, step=place * config.steps)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *PLUGS], help="tell these alone again")
    torch.set_num_threads(1)
    config, names = PlugsConfig(), parser.parse_args().names
    made = run(config, names, progress=report)
    record = completed("plugs", config, made)
    kept = values(config, record)
    path = keep_result("plugs", config=config, values=kept, details=asdict(record), seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
