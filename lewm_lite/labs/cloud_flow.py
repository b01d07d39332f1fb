"""Cloud flow: points under SIGReg, alone or against a pull to collapse.

The flow is gradient descent on ``pull + λ·SIGReg``. The pull is the mean of z² over points and coordinates, weight 1:
what prediction alone does to an encoder, in its barest form. The points move themselves; there is no encoder here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.embeddings.diagnostics import covariance, effective_rank_of, feature_std
from lewm_lite.embeddings.eigenvalues import jacobi_eigenvalues
from lewm_lite.labs.controls import Choice, Range, Reading, Toggle
from lewm_lite.labs.feeds import Bank, Graph, OneHot, Setting, State
from lewm_lite.labs.lab import Frame, Phase, Scene
from lewm_lite.labs.scored import ScoredLab
from lewm_lite.objectives.sigreg import Score, random_directions, sigreg
from lewm_lite.seeding import seeded

START_SHAPES = ("point", "line", "clumps", "ring", "low_rank")
RATE = 0.04  # of a point's distance from 0, lost to the pull in one step when nothing else acts
MAX_SAMPLES, SEEDS, BANK_DIRECTIONS, HELD_OUT = 1024, 8, 4096, 16


def flow_start(noise: Tensor, shape: Tensor) -> dict[str, Tensor]:
    """The cloud to start from: ``noise`` (samples, dim + 1), ``shape`` one-hot over START_SHAPES -> points."""
    made = torch.stack([clouds.SHAPES[name](noise) for name in START_SHAPES])
    return {"points": (shape[:, None, None] * made).sum(0)}


def flow_step(
    points: Tensor, directions: Tensor, held_out: Tensor, weight: Tensor, pull: Tensor, *, score: Score = sigreg
) -> dict[str, Tensor]:
    r"""One step of descent on $\text{pull}\cdot\overline{z^2} + \lambda\,\mathrm{SIGReg}(Z)$, and its readings.

    The step size is ``0.5 RATE N D / (1 + λ N)``: at λ = 0 the pull takes the share RATE of each coordinate per step,
    and a larger λN changes the balance between the two, not the speed.

    Args:
        points: ``(samples, dim)``.
        directions: ``(num_directions, dim)``, the unit rows that this step is judged along.
        held_out: ``(directions, dim)``, unit rows that no step ever uses.
        weight: λ, a scalar. pull: 1 or 0, a scalar.
        score: what stands for SIGReg: ``(samples, dim), (dim, num_directions) -> scalar``.
    Returns:
        The next ``points``, and of those given: ``std`` (mean over coordinates), ``effective_rank``, ``sigreg`` along
        ``directions``, ``held_out`` along the directions of that name.
    """
    num_samples, dim = points.shape

    def objective(z: Tensor) -> tuple[Tensor, Tensor]:
        scored = score(z, directions.mT)
        return pull * z.square().mean() + weight * scored, scored

    gradient, (_, scored) = torch.func.grad_and_value(objective, has_aux=True)(points)
    step_size = 0.5 * RATE * num_samples * dim / (1 + weight * num_samples)
    eigenvalues = jacobi_eigenvalues(covariance(points)).clamp_min(0)
    return {
        "points": points - step_size * gradient,
        "std": feature_std(points).mean(),
        "effective_rank": effective_rank_of(eigenvalues),
        "sigreg": scored,
        "held_out": sigreg(points, held_out.mT),
    }


class CloudFlow(ScoredLab):
    """A cloud that spreads or collapses under your hand.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        score: your own SIGReg, ``(samples, dim), (dim, num_directions) -> scalar``: in a kernel the lab follows it.
        given: controls to set, e.g. ``num_directions=1``; ``lambda`` goes in as ``**{"lambda": 0.1}``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    name = "cloud_flow"
    title = "Cloud flow"
    controls = (
        Range("lambda", "λ, weight of SIGReg", 0, 1, 0.1, 0.001),
        Range("num_directions", "K, number of directions", 1, 256, 64, 1),
        Toggle("fresh", "fresh directions at every step", True),
        Toggle("pull", "pull to collapse", True),
        Choice(
            "start",
            "start shape",
            (
                ("point", "point, a little noise"),
                ("line", "line"),
                ("clumps", "two clumps"),
                ("ring", "ring"),
                ("low_rank", "low rank"),
            ),
            "point",
            restarts=True,
        ),
        Choice("dim", "dimensions", ((2, "2"), (3, "3")), 2, restarts=True),
        Range("num_samples", "N, number of points", 64, MAX_SAMPLES, 512, 64, restarts=True),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = (
        Reading("std", "standard deviation", 3, "standard deviation {value}"),
        Reading("effective_rank", "effective rank", 2, "effective rank {value}"),
        Reading("sigreg", "SIGReg, this step's directions", 2, "SIGReg {value}"),
        Reading("held_out", "SIGReg, directions never used", 2, "along directions never used {value}"),
    )
    recorded = {"points": None, "directions": 3}
    scenes = (
        Scene(
            "plug",
            "a cloud of 512 points under the pull and SIGReg at λ = 0.1 and 64 fresh directions a step. It starts "
            "almost collapsed and spreads; then λ is set to 0 and it collapses; then λ is set back and it spreads "
            "again.",
            {},
            (Phase(240), Phase(100, {"lambda": 0.0}), Phase(240, {"lambda": 0.1})),
        ),
        Scene(
            "one_fixed_direction",
            "two clumps, and a single fixed direction: its score falls to nothing, with a gap left in the shadow that "
            "frequencies up to 3 do not see, and the cloud stays two clumps.",
            {"start": "clumps", "num_directions": 1, "fresh": False, "lambda": 1.0, "pull": False},
            (Phase(400),),
        ),
        Scene(
            "one_fresh_direction",
            "two clumps, and a single direction that is drawn afresh at every step: along every direction the score "
            "falls below that of a random sample, though a faint gap stays.",
            {"start": "clumps", "num_directions": 1, "fresh": True, "lambda": 1.0, "pull": False},
            (Phase(400),),
        ),
        Scene(
            "ring",
            "a ring of variance 1 in each coordinate, under SIGReg alone. It draws in first and thickens, stands "
            "nearly still for some two hundred steps, and then its empty middle fills.",
            {"start": "ring", "lambda": 1.0, "pull": False},
            (Phase(640),),
        ),
    )

    def graphs(self) -> dict[str, Graph]:
        """``start`` makes the cloud, ``step`` moves it; one graph of each per dimension."""
        return {
            "start": Graph(
                flow_start,
                {
                    "noise": Bank("noise_{dim}", rows="num_samples", seed_stride=MAX_SAMPLES),
                    "shape": OneHot("start"),
                },
                ("points",),
                {"noise": {0: "samples"}},
                variants="dim",
            ),
            "step": Graph(
                self._step,
                {
                    "points": State(),
                    "directions": Bank(
                        "directions_{dim}",
                        rows="num_directions",
                        seed_stride=BANK_DIRECTIONS // SEEDS,
                        advance="fresh",
                    ),
                    "held_out": Bank("held_out_{dim}"),
                    "weight": Setting("lambda"),
                    "pull": Setting("pull"),
                },
                ("points", "std", "effective_rank", "sigreg", "held_out"),
                {"points": {0: "samples"}, "directions": {0: "directions"}},
                variants="dim",
            ),
        }

    def _step(self, **inputs: Tensor) -> dict[str, Tensor]:
        return flow_step(**inputs, score=self.score)

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Noise for the starts, directions for the steps, and directions held out, in 2-D and 3-D."""
        banks: dict[str, Tensor] = {}
        for dim in (2, 3):
            generator = seeded(dim)
            banks[f"noise_{dim}"] = clouds.cloud_noise(MAX_SAMPLES * SEEDS, dim, generator=generator)
            for kind, count in (("directions", BANK_DIRECTIONS), ("held_out", HELD_OUT)):
                banks[f"{kind}_{dim}"] = random_directions(dim, count, generator=generator).mT.contiguous()
        return banks

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene):
        """Four moments of the run side by side: the cloud, and under it its shadow along a judged direction."""
        from lewm_lite.figures.clouds import cloud_moments

        return cloud_moments(frames, scene)
