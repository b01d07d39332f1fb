"""C13: how wide is the region of VICReg's two weights that works, and how wide is that of SIGReg's one?

The prediction error keeps weight 1. Variance and covariance weights are scaled by powers of ten around the published
ones, each with each; λ by half powers of ten, over the same four decades, around the book's 0.1.

``python -m lewm_lite.experiments.vicreg_grid`` trains all over five seeds; about five minutes on one core.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import torch

from lewm_lite.experiments.lockstep import LockstepConfig, Phase, Record, train
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, interval
from lewm_lite.training.joint_embedding import OBJECTIVES, Objective

READINGS = ("probe_r2", "effective_rank", "std")


@dataclass(frozen=True)
class VicregGridConfig:
    """The weights, as factors of the usual ones."""

    shared: LockstepConfig = LockstepConfig(every=500)
    steps: int = 1000
    variance: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    covariance: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    sigreg: tuple[float, ...] = (0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0, 31.6, 100.0)
    usual_vicreg: Objective = OBJECTIVES["vicreg"]
    usual_sigreg: Objective = OBJECTIVES["sigreg"]
    margin: float = 0.02  # a probe R² that much below the best still counts as good
    wide_margin: float = 0.05  # the same, more leniently: does the count hang on the margin?


def vicreg_objectives(config: VicregGridConfig) -> dict[str, Objective]:
    """``"variance factor × covariance factor"`` -> objective."""
    usual = config.usual_vicreg
    return {
        f"{v:g} × {c:g}": Objective(variance=v * usual.variance, covariance=c * usual.covariance)
        for v in config.variance
        for c in config.covariance
    }


def sigreg_objectives(config: VicregGridConfig) -> dict[str, Objective]:
    """``"factor"`` -> objective."""
    return {f"{s:g}": Objective(sigreg=s * config.usual_sigreg.sigreg) for s in config.sigreg}


def run(config: VicregGridConfig, *, progress=lambda _: None) -> tuple[Record, Record]:
    """VICReg's grid and SIGReg's row; every model of one seed starts from the same weights.

    The grid draws a single direction a step, since none of its models weighs SIGReg: that saves a third of the time.
    """
    grid = train(
        replace(config.shared, num_directions=1), [Phase(config.steps, vicreg_objectives(config))], progress=progress
    )
    return grid, train(config.shared, [Phase(config.steps, sigreg_objectives(config))], progress=progress)


def means(record: Record, reading: str) -> dict[str, float]:
    """Every model's last reading, the mean over seeds."""
    return {name: statistics.fmean(record.last(name, reading)) for name in record.readings}


def good(probes: Mapping[str, float], *, best: float, margin: float) -> list[str]:
    """The models whose probe is no more than ``margin`` below the best."""
    return [name for name, probe in probes.items() if probe >= best - margin]


def values(config: VicregGridConfig, grid: Record, row: Record) -> dict[str, float]:
    """Counts and corners that sentences quote."""
    vicreg, sigreg = means(grid, "probe_r2"), means(row, "probe_r2")
    best = max(*vicreg.values(), *sigreg.values())
    fine, fine_row = (good(probes, best=best, margin=config.margin) for probes in (vicreg, sigreg))
    same_ratio = [f"{factor:g} × {factor:g}" for factor in config.variance if factor in config.covariance]
    weights = [float(name) * config.usual_sigreg.sigreg for name in fine_row]
    told = {
        "vicreg_grid.cells": len(vicreg),
        "vicreg_grid.good_cells": len(fine),
        "vicreg_grid.good_with_the_ratio_kept": sum(name in fine for name in same_ratio),
        "vicreg_grid.lambdas": len(sigreg),
        "vicreg_grid.good_lambdas": len(fine_row),
        "vicreg_grid.good_lambdas_by_tens": sum(f"{factor:g}" in fine_row for factor in config.variance),
        "vicreg_grid.wide_good_cells": len(good(vicreg, best=best, margin=config.wide_margin)),
        "vicreg_grid.wide_good_lambdas": len(good(sigreg, best=best, margin=config.wide_margin)),
        "vicreg_grid.lowest_good_lambda": min(weights, default=0.0),
        "vicreg_grid.highest_good_lambda": max(weights, default=0.0),
        "vicreg_grid.best_vicreg": max(vicreg.values()),
        "vicreg_grid.worst_vicreg": min(vicreg.values()),
        "vicreg_grid.best_sigreg": max(sigreg.values()),
        "vicreg_grid.worst_sigreg": min(sigreg.values()),
    }
    told |= _of_the_best("vicreg_grid.best_vicreg", grid, max(vicreg, key=vicreg.__getitem__))
    told |= _of_the_best("vicreg_grid.best_sigreg", row, max(sigreg, key=sigreg.__getitem__))
    return {name: brief(value) for name, value in told.items()}


def _of_the_best(prefix: str, record: Record, name: str) -> dict[str, float]:
    _, low, high = interval(record.last(name, "probe_r2"))
    rank = statistics.fmean(record.last(name, "effective_rank"))
    return {f"{prefix}_low": low, f"{prefix}_high": high, f"{prefix}_rank": rank}


def table(config: VicregGridConfig, of: Mapping[str, float]) -> list[Sequence[float]]:
    """A grid's readings as rows, one per variance factor, columns being covariance factors."""
    return [[of[f"{v:g} × {c:g}"] for c in config.covariance] for v in config.variance]


def main() -> None:
    """Train, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = VicregGridConfig()
    grid, row = run(config, progress=report)
    details = {"grid": asdict(grid)["readings"], "row": asdict(row)["readings"], "steps": grid.steps}
    kept = values(config, grid, row)
    path = keep_result("vicreg_grid", config=config, values=kept, details=details, seed=0)
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
