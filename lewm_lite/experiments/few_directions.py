"""C20: does training along few directions get there later, or not at all? ``num_directions`` goes on for longer.

``python -m lewm_lite.experiments.few_directions`` trains and keeps the result; about four minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from lewm_lite.experiments.lockstep import Record
from lewm_lite.experiments.num_directions import NumDirectionsConfig, trained
from lewm_lite.experiments.results import keep_result, report

TOLD = ("probe_r2", "effective_rank", "std")


@dataclass(frozen=True)
class FewDirectionsConfig:
    """Few directions, for four times as long."""

    shared: NumDirectionsConfig = NumDirectionsConfig(counts=(1, 4, 16), steps=2000, every=500)


def run(config: FewDirectionsConfig, *, progress: Callable[[str], None] = lambda _: None) -> dict[int, Record]:
    """One record per number of directions."""
    records = {}
    for count in config.shared.counts:
        records[count] = trained(config.shared, config.shared.dim, count)
        progress(f"K = {count}")
    return records


def values(records: dict[int, Record]) -> dict[str, float]:
    """``few_directions.k4.step500.probe_r2`` and its like, with the ends of their intervals over seeds."""
    told: dict[str, float] = {}
    for count, record in records.items():
        for step in record.steps[1:]:
            told |= record.told(f"few_directions.k{count}.step{step}", "sigreg", TOLD, step=step)
    return told


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = FewDirectionsConfig()
    records = run(config, progress=report)
    kept = values(records)
    details = {str(count): record.readings["sigreg"] for count, record in records.items()}
    path = keep_result("few_directions", config=config, values=kept, details=details, seed=config.shared.seeds[0])
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
