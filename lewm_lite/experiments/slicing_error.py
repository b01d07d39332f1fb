r"""C17, C20: how far SIGReg along K drawn directions is from its average over all directions, by dimension and K.

The average over all directions is known exactly (:mod:`lewm_lite.objectives.closed_form`), so that the error is
measured against the truth. Directions are drawn independently, so that it falls as $c/\sqrt K$, where c, the standard
deviation of one direction's statistic, depends on the cloud and its dimension.

Values, for a cloud and D dimensions, means over seeds with ``_low`` and ``_high``:
``slicing_error.clumps.d16.exact``: the score over all directions. ``.excess``: that less the score of the healthy cloud
made of the same noise, what the disease costs. ``.c``: standard deviation of one direction's statistic. ``.k64``: root
mean square error of the score along 64 directions, measured, to compare with c / 8. ``.needed``: how many directions
bring the error down to a tenth of the excess, $(10\,c/\mathrm{excess})^2$; not given where the excess is not above 0
beyond the seeds' spread.

``python -m lewm_lite.experiments.slicing_error`` measures and keeps the result; about two minutes on one core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.experiments.results import keep_result, report
from lewm_lite.experiments.seeds import brief, over_seeds
from lewm_lite.objectives.closed_form import sigreg_over_all_directions
from lewm_lite.objectives.directions import random_directions
from lewm_lite.objectives.sigreg import epps_pulley
from lewm_lite.seeding import seeded


def half_dead(noise: Tensor) -> Tensor:
    """A standard Gaussian with the second half of its dimensions dead."""
    own = clouds.isotropic(noise)
    return own * (torch.arange(own.shape[-1]) < own.shape[-1] // 2)


CLOUDS: dict[str, Callable[[Tensor], Tensor]] = {
    "healthy": clouds.isotropic,
    "half_dead": half_dead,
    "line": clouds.line,
    "clumps": clouds.clumps,
    "white_clumps": clouds.white_clumps,  # a needle: one direction out of D is not normal
}
MEASURED = ("exact", "excess", "c")


@dataclass(frozen=True)
class SlicingErrorConfig:
    """Clouds of which size and dimension, and along how many directions they are scored."""

    dims: tuple[int, ...] = (2, 4, 16, 64, 256)
    num_samples: int = 128
    counts: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)
    drawn: int = 8192  # directions per cloud, cut into as many groups of K as there are
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)


Readings = dict[str, dict[str, dict[str, list[float]]]]  # cloud -> dimension -> what -> per seed


def run(config: SlicingErrorConfig, *, progress: Callable[[str], None] = lambda _: None) -> Readings:
    """``readings[cloud][dimension][what]``, a number per seed; ``what`` as in MEASURED, or k and a number."""
    told: Readings = {name: {} for name in CLOUDS}
    for dim in config.dims:
        for name, made in CLOUDS.items():
            row = told[name][f"d{dim}"] = {what: [] for what in (*MEASURED, *(f"k{count}" for count in config.counts))}
            for seed in config.seeds:
                generator = seeded(seed)
                cloud = made(clouds.cloud_noise(config.num_samples, dim, generator=generator).double())
                directions = random_directions(dim, config.drawn, generator=generator).double()
                statistics = torch.cat([epps_pulley(cloud @ some) for some in directions.split(1024, dim=1)])
                exact = sigreg_over_all_directions(cloud).item()
                errors = statistics - exact
                row["exact"].append(exact)
                row["excess"].append(exact - told["healthy"][f"d{dim}"]["exact"][len(row["excess"])])
                row["c"].append(errors.square().mean().sqrt().item())
                for count in config.counts:
                    groups = errors[: config.drawn // count * count].view(-1, count).mean(1)
                    row[f"k{count}"].append(groups.square().mean().sqrt().item())
        progress(f"d{dim}")
    return told


def values(readings: Readings) -> dict[str, float]:
    """``slicing_error.cloud.dimension.what``, over seeds, and ``.needed`` from the means."""
    told: dict[str, float] = {}
    for cloud, dims in readings.items():
        for dim, row in dims.items():
            name = f"slicing_error.{cloud}.{dim}"
            for what, numbers in row.items():
                told |= over_seeds(f"{name}.{what}", numbers)
            if told[f"{name}.excess_low"] > 0:
                told[f"{name}.needed"] = brief((10 * fmean(row["c"]) / fmean(row["excess"])) ** 2)
    return told


def main() -> None:
    """Measure, keep the result, and say what it is."""
    torch.set_num_threads(1)
    config = SlicingErrorConfig()
    readings = run(config, progress=report)
    kept = values(readings)
    path = keep_result("slicing_error", config=config, values=kept, details=readings, seed=config.seeds[0])
    print(f"{path.name}: {len(kept)} values")


if __name__ == "__main__":
    main()
