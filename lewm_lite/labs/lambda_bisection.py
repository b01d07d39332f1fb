"""λ bisection: eight training runs to find an edge of the λ that will do, the machine's eight, and the whole curve.

Whoever searches learns of each run a yes or a no. Where the answer changes there is an edge, and every run can halve
the stretch that it lies in; where the curve is flat, there is nothing to find.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from lewm_lite.experiments.lambda_bisection import QUESTIONS
from lewm_lite.labs.arena import HELD_OUT, SEEDS, WORLD
from lewm_lite.labs.controls import Button, Choice, LogRange, Range, Reading, Toggle
from lewm_lite.labs.feeds import Bank, Graph, OneHot, Setting, State
from lewm_lite.labs.lab import Frame, Phase, Scene
from lewm_lite.labs.lambda_runs import (
    CONFIG,
    DIM,
    STEPS,
    kept_curve,
    kept_machines,
    search_start,
    search_step,
)
from lewm_lite.labs.noise import normal_table
from lewm_lite.labs.scored import ScoredLab
from lewm_lite.seeding import seeded

KEPT = ("parameters", "running_mean", "running_square", "steps", "axes", "begun", "begun_axes", "weight", "pressed")
STATE = (*KEPT, "points", "done")
SHOWN = (
    "cloud",
    "spectrum",
    "set_down",
    "accepted",
    "asked",
    "ladder",
    "machine",
    "machine_bracket",
    "laid",
    "progress",
    "resting",
)
ASKED = {
    "smallest": "smallest λ, R² ≥ 0.8",
    "largest": "largest λ, R² ≥ 0.8",
    "rank": "smallest λ, rank ≥ 6",
}
# λ of the recorded runs: the ends, the middle, and then the middle of what the bracket is, to four digits.
SEARCHES: dict[str, tuple[float, ...]] = {
    "smallest": (1e-4, 10.0, 0.03162, 0.001778, 0.007499, 0.003652, 0.002548, 0.003051),
    "rank": (1e-4, 10.0, 0.03162, 0.5623, 0.1334, 0.06494, 0.04532, 0.05425),
}


def _phases(weights: tuple[float, ...]) -> tuple[Phase, ...]:
    """Whole runs one after the other, and at the end machine and curve laid over."""
    *runs, last = (Phase(STEPS, {"lambda": weight, "run": place}) for place, weight in enumerate(weights))
    return (*runs, Phase(STEPS - 1, last.changes), Phase(1, {"overlay": True}))


class LambdaBisection(ScoredLab):
    """Eight training runs, each with a λ that the reader sets, in search of an edge.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        score: your own SIGReg, ``(2, samples, dim), (dim, num_directions) -> scalar``: in a kernel the lab follows it.
        given: controls to set, e.g. ``question="rank"``; ``lambda`` goes in as ``**{"lambda": 0.1}``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    name = "lambda_bisection"
    title = "λ bisection"
    controls = (
        LogRange("lambda", "λ, weight of SIGReg", CONFIG.low, CONFIG.high, 0.1, 0.02),
        Button("run", "Run this λ"),
        Choice("question", "look for", tuple(ASKED.items()), "smallest"),
        Toggle("overlay", "the machine's search and the curve", False),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = (
        Reading("runs_left", "runs left", 0, "runs left {value}"),
        Reading("probe_r2", "probe R²", 3, "probe R² {value}"),
        Reading("effective_rank", "effective rank", 1, "effective rank {value}"),
        Reading("std", "standard deviation", 3, "standard deviation {value}"),
        Reading("bracket_low", "edge lies above λ =", 5, "the edge lies between λ = {value}"),
        Reading("bracket_high", "and below λ =", 5, "and {value}"),
    )
    recorded = dict.fromkeys(SHOWN)
    frame_every = 20
    resumes = True
    scenes = (
        Scene(
            "smallest",
            "eight runs in search of the smallest λ from which the state can be read. Neither end of the axis will do, "
            "the middle does: so there are two edges, and the other five runs halve the way to the lower one. It is a "
            "cliff: a fifth more λ, and a collapsed encoder becomes one that is nearly as good as any.",
            {"lambda": SEARCHES["smallest"][0]},
            _phases(SEARCHES["smallest"]),
        ),
        Scene(
            "rank",
            "eight runs in search of the smallest λ with an effective rank of 6. Both ends of the axis have it, the "
            "lower one because a collapsed cloud is round too, only tiny; the middle has not. The edge found lies on "
            "a slope of the rank, where the probe R² is flat: nothing is won by it.",
            {"lambda": SEARCHES["rank"][0], "question": "rank"},
            _phases(SEARCHES["rank"]),
        ),
    )

    def graphs(self) -> dict[str, Graph]:
        """``start`` makes the encoder that every run begins with; ``step`` trains it and keeps the account."""
        readings = tuple(reading.name for reading in self.readings)
        return {
            "start": Graph(
                search_start,
                {
                    "table": Bank("table"),
                    "seed": Setting("seed"),
                    "first": Bank("first"),
                    "unturned": Bank("unturned"),
                    "setting": Setting("lambda"),
                    "press": Setting("run"),
                },
                STATE,
            ),
            "step": Graph(
                partial(search_step, score=self.score),
                {
                    **{name: State() for name in STATE},
                    **{name: Bank(name) for name in ("table", "samples", "lines", "first", "state")},
                    **{name: Bank(name) for name in ("machines", "curve")},
                    "seed": Setting("seed"),
                    "setting": Setting("lambda"),
                    "press": Setting("run"),
                    "question": OneHot("question"),
                    "overlay": Setting("overlay"),
                },
                (*STATE, *SHOWN, *readings),
            ),
        }

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Numbers that noise is picked from, places, held-out observations, and the kept runs of the experiment."""
        held_out = WORLD.sample(HELD_OUT, generator=seeded(7))
        return {
            "table": normal_table(2**14),
            "samples": torch.arange(float(CONFIG.shared.batch_size)),
            "lines": torch.arange(float(CONFIG.shared.num_directions)),
            "first": held_out.first,
            "state": held_out.state,
            "unturned": torch.eye(DIM),
            "machines": kept_machines(),
            "curve": kept_curve(),
        }

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene) -> Any:
        """The runs on the axis of λ, the bracket after each, and machine and curve over them."""
        from lewm_lite.figures.bisection import searched_runs

        name = frames[-1].values["question"]
        return searched_runs(frames[-1], ASKED[name], QUESTIONS[name].level, int(QUESTIONS[name].reading != "probe_r2"))
