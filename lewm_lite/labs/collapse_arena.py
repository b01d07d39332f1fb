"""Collapse arena: five encoders that differ in their objective alone, trained in lock-step on the same batches.

The step is the library's own training step; pulling a plug mid-run shows whose life hung on it.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from lewm_lite.labs.arena import (
    ENCODERS,
    HELD_OUT,
    SEEDS,
    WORLD,
    arena_start,
    arena_step,
)
from lewm_lite.labs.controls import Choice, Range, Reading, Toggle
from lewm_lite.labs.feeds import Bank, Graph, Setting, State
from lewm_lite.labs.lab import Frame, Phase, Scene
from lewm_lite.labs.noise import normal_table
from lewm_lite.labs.scored import ScoredLab
from lewm_lite.seeding import seeded

SHOWN = {
    "none": "nothing",
    "ema_stop_gradient": "EMA + stop-gradient",
    "variance_only": "variance only",
    "vicreg": "VICReg",
    "sigreg": "SIGReg",
}
DIMS = (2, 4, 16, 64)
MOST_SAMPLES, MOST_DIRECTIONS = 512, 256


class CollapseArena(ScoredLab):
    """Five encoders on the same batches; pull a plug and see who lives.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        score: your own SIGReg, ``(2, samples, dim), (dim, num_directions) -> scalar``: in a kernel the lab follows it.
        given: controls to set, e.g. ``dim=64``; ``lambda`` goes in as ``**{"lambda": 0.1}``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    name = "collapse_arena"
    title = "Collapse arena"
    controls = (
        Range("lambda", "λ, weight of SIGReg", 0, 1, 0.1, 0.001),
        Toggle("sigreg", "SIGReg plugged in", True),
        Toggle("ema", "EMA teacher plugged in", True),
        Toggle("stop_gradient", "stop-gradient plugged in", True),
        Toggle("variance", "variance term plugged in", True),
        Toggle("vicreg", "VICReg's terms plugged in", True),
        Range("num_directions", "K, number of directions", 1, MOST_DIRECTIONS, 64, 1),
        Range("batch_size", "N, batch size", 32, MOST_SAMPLES, 128, 32),
        Choice("dim", "D, embedding dimension", tuple((dim, str(dim)) for dim in DIMS), 16, restarts=True),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = tuple(
        Reading(f"{name}_{quantity}", label, decimals, words, SHOWN[name], spoken=quantity in ("std", "probe_r2"))
        for name in ENCODERS
        for quantity, label, decimals, words in (
            ("std", "std", 3, f"{SHOWN[name]}: standard deviation {{value}}"),
            ("effective_rank", "eff. rank", 1, "effective rank {value}"),
            ("prediction", "error", 6, "prediction error {value}"),
            ("probe_r2", "probe R²", 2, "probe R² {value}"),
        )
    )
    recorded = {"cloud": None, "spectrum": None, "left_out": None}
    frame_every = 16
    resumes = True
    scenes = (
        Scene(
            "plug",
            "five encoders with the same start and the same batches. The one with nothing against collapse shrinks to "
            "a point; the others live. Then SIGReg and VICReg are unplugged, and theirs shrink as well; then they are "
            "plugged in again, and both clouds come back.",
            {},
            (
                Phase(480),
                Phase(320, {"sigreg": False, "vicreg": False}),
                Phase(480, {"sigreg": True, "vicreg": True}),
            ),
        ),
        Scene(
            "teachers",
            "the encoder with a teacher: first the EMA is unplugged and the stop-gradient stays, and the cloud lives; "
            "then the stop-gradient goes as well, and the cloud shrinks; then both are plugged in again.",
            {},
            (
                Phase(480),
                Phase(320, {"ema": False}),
                Phase(320, {"stop_gradient": False}),
                Phase(800, {"ema": True, "stop_gradient": True}),
            ),
        ),
    )

    def graphs(self) -> dict[str, Graph]:
        """``start`` makes five equal encoders, ``step`` trains them; one graph of each per embedding dimension."""
        trained = ("parameters", "running_mean", "running_square", "steps", "axes")
        plugs = ("ema", "stop_gradient", "variance", "vicreg", "sigreg")
        readings = tuple(reading.name for reading in self.readings)
        return {
            "start": Graph(
                arena_start,
                {
                    "table": Bank("table"),
                    "seed": Setting("seed"),
                    "first": Bank("first"),
                    "unturned": Bank("unturned_{dim}"),
                },
                trained,
                variants="dim",
            ),
            "step": Graph(
                partial(arena_step, score=self.score),
                {
                    **{name: State() for name in trained},
                    "table": Bank("table"),
                    "samples": Bank("places", rows="batch_size"),
                    "lines": Bank("places", rows="num_directions"),
                    "seed": Setting("seed"),
                    "first": Bank("first"),
                    "state": Bank("state"),
                    "weight": Setting("lambda"),
                    **{plug: Setting(plug) for plug in plugs},
                },
                (*trained, "cloud", "spectrum", "left_out", *readings),
                {"samples": {0: "samples"}, "lines": {0: "directions"}},
                variants="dim",
            ),
        }

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Numbers that noise is picked from, places, and held-out observations with the states behind them."""
        held_out = WORLD.sample(HELD_OUT, generator=seeded(7))
        return {
            "table": normal_table(2**14),
            "places": torch.arange(float(MOST_SAMPLES)),
            "first": held_out.first,
            "state": held_out.state,
            **{f"unturned_{dim}": torch.eye(dim) for dim in DIMS},
        }

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene) -> object:
        """The last moment of each phase as a row of clouds, and the probe over the steps."""
        from lewm_lite.figures.arena import arena_moments

        return arena_moments(frames, scene, {name: SHOWN[name] for name in ENCODERS})
