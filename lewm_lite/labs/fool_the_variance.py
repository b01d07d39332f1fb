"""Fool the variance: one cloud before three judges, and which of them lets it pass.

The variance hinge, VICReg's covariance penalty and SIGReg score the same flat cloud at every step. A judge is *content*
when its score is one that a sample of the standard Gaussian would get, too. One of them may push: the points then go
down its slope. Where a judge is content with a line or with two clumps, nothing moves: that is how it is fooled.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.embeddings.diagnostics import covariance, effective_rank_of, feature_std
from lewm_lite.embeddings.eigenvalues import jacobi_eigenvalues
from lewm_lite.embeddings.reshape import brush, part, squeeze, turn
from lewm_lite.labs.controls import Choice, Range, Reading
from lewm_lite.labs.feeds import ALWAYS, Bank, Graph, Hand, OneHot, Setting, State
from lewm_lite.labs.lab import Frame, Phase, Scene
from lewm_lite.labs.scored import ScoredLab
from lewm_lite.labs.verdicts import compass, content_levels, judge_scores
from lewm_lite.objectives.sigreg import Score, random_directions, sigreg
from lewm_lite.objectives.vicreg import PUBLISHED_WEIGHTS, variance_hinge, vicreg_terms
from lewm_lite.seeding import seeded

START_SHAPES = {
    "line": "oblique line",
    "axis_line": "line along an axis",
    "clumps": "two clumps",
    "white_clumps": "two clumps, identity covariance",
    "ring": "ring",
    "heavy_tailed": "heavy tails",
    "low_rank": "Gaussian, one feature dead",
    "point": "point, a little noise",
    "isotropic": "standard Gaussian",
}
PUSHERS = ("nobody", "variance", "vicreg", "sigreg")
RATE = 0.03  # what the hinge adds to a feature's standard deviation in one step, while it is short of 1
SIGREG_PACE = 4  # SIGReg's steps are this much longer; at 30 a cloud under one direction a step swings for ever
NUM_SAMPLES = (64, 128, 256, 512, 1024)
SEEDS, BANK_DIRECTIONS, HELD_OUT = 8, 4096, 64


def fool_start(noise: Tensor, shape: Tensor, gap: Tensor, share: Tensor, degrees: Tensor) -> dict[str, Tensor]:
    """The cloud to start from: ``noise`` (samples, 3) in a shape (one-hot), then parted, squeezed and turned."""
    made = torch.stack([clouds.SHAPES[name](noise) for name in START_SHAPES])
    points = (shape[:, None, None] * made).sum(0)
    return {"points": turn(squeeze(part(points, noise[:, -1:], gap), share), degrees)}


def fool_step(
    points: Tensor,
    directions: Tensor,
    held_out: Tensor,
    levels: Tensor,
    pusher: Tensor,
    hand: Tensor,
    *,
    score: Score = sigreg,
) -> dict[str, Tensor]:
    r"""One step down the slope of the judge that pushes, or, while the hand moves, the hand's move alone.

    The step is ``RATE N D`` times the gradient of the judge's term, the hinge's as it is, VICReg's weighted sum (both
    views being this cloud) over its variance weight 25, SIGReg over its factor N and times SIGREG_PACE. So under the
    first two a feature short of variance gains RATE in std whatever N is, and stops at most RATE above 1.

    Args:
        points: ``(samples, 2)``.
        directions: ``(num_directions, 2)``, the unit rows along which SIGReg pushes at this step.
        held_out: ``(directions, 2)``, unit rows along which it is judged.
        levels: ``(3,)``, from :func:`content_levels`.
        pusher: one-hot over PUSHERS. hand: x, y, dx, dy, as :func:`lewm_lite.embeddings.reshape.brush` takes it.
        score: what pushes in SIGReg's place: ``(samples, dim), (dim, num_directions) -> scalar``.
    Returns:
        The next ``points``, and of those given: ``std`` (mean over features), ``effective_rank``, the judges' scores
        ``variance``, ``covariance`` and ``sigreg``, how many of the three are ``content``, and ``seen``, the statistic
        along each held-out direction divided by N.
    """
    num_samples, dim = points.shape

    def objective(cloud: Tensor) -> Tensor:
        hinge = variance_hinge(cloud)
        vicreg = vicreg_terms(cloud, cloud).weighted() / PUBLISHED_WEIGHTS[1]
        pushed = score(cloud, directions.mT) * SIGREG_PACE / num_samples
        return pusher[1:] @ torch.stack([hinge, vicreg, pushed])

    push = RATE * num_samples * dim * torch.func.grad(objective)(points)
    resting = (hand[2:].abs().sum() == 0).to(points.dtype)
    scores, statistics = judge_scores(points, held_out)
    eigenvalues = jacobi_eigenvalues(covariance(points)).clamp_min(0)
    return {
        "points": brush(points, hand) - resting * push,
        "std": feature_std(points).mean(),
        "effective_rank": effective_rank_of(eigenvalues),
        "variance": scores[0],
        "covariance": scores[1],
        "sigreg": scores[2],
        "content": (scores <= levels).to(points.dtype).sum(),
        "seen": statistics / num_samples,
    }


class FoolTheVariance(ScoredLab):
    """A cloud to shape by hand until a judge lets it pass that should not.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        score: your own judge, ``(samples, dim), (dim, num_directions) -> scalar``: in a kernel it pushes in SIGReg's
            place. The three verdicts stay the library's, so you see who is content with what yours makes.
        given: controls to set, e.g. ``start="ring"``, ``judge="variance"``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    name = "fool_the_variance"
    title = "Fool the variance"
    controls = (
        Choice("start", "start shape", tuple(START_SHAPES.items()), "white_clumps", restarts=True),
        Range("gap", "part it in two halves", 0, 1, 0, 0.02, restarts=True),
        Range("squeeze", "squeeze it across", 0.02, 1, 1, 0.02, restarts=True),
        Range("turn", "turn it, degrees", 0, 180, 0, 1, restarts=True),
        Choice(
            "judge",
            "who pushes the points",
            (
                ("nobody", "nobody"),
                ("variance", "variance"),
                ("vicreg", "VICReg's two terms"),
                ("sigreg", "SIGReg"),
            ),
            "vicreg",
        ),
        Range("num_directions", "K, SIGReg's directions per step", 1, 256, 64, 1),
        Choice("num_samples", "N, number of points", tuple((n, str(n)) for n in NUM_SAMPLES), 512, restarts=True),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = (
        Reading("std", "standard deviation", 2, "standard deviation {value}"),
        Reading("effective_rank", "effective rank", 2, "effective rank {value}"),
        Reading("variance", "variance: short of 1 by", 3, "short of variance by {value}"),
        Reading("covariance", "covariance penalty", 4, "covariance penalty {value}"),
        Reading("sigreg", "SIGReg, directions never used", 2, "SIGReg {value}"),
        Reading("content", "judges content, of 3", 0, "judges content: {value} of 3"),
    )
    recorded = {"points": None, "held_out": None, "levels": None, "seen": None}
    scenes = (
        Scene(
            "white_clumps",
            "two clumps whose covariance is that of the standard Gaussian. First VICReg pushes, its variance and "
            "covariance terms: both are content, and the clumps stay. Then SIGReg pushes: the clumps run into each "
            "other until all three judges are content, but for a narrow gap between them.",
            {},
            (Phase(96), Phase(160, {"judge": "sigreg"})),
        ),
        Scene(
            "line",
            "an oblique line, and the variance judge pushes: each feature has its variance, so the judge is content "
            "and nothing moves. Covariance and SIGReg are not content.",
            {"start": "line", "judge": "variance"},
            (Phase(96),),
        ),
        Scene(
            "clumps",
            "two clumps on the diagonal meet one judge after the other. The variance judge is content and leaves them. "
            "VICReg takes their correlation away and is content with two clumps still. SIGReg brings them together "
            "until all three are content, but for a narrow gap.",
            {"start": "clumps", "judge": "variance"},
            (Phase(64), Phase(256, {"judge": "vicreg"}), Phase(240, {"judge": "sigreg"})),
        ),
    )

    def graphs(self) -> dict[str, Graph]:
        """``start`` makes the cloud; ``step`` lets the judges look at it and one of them, or the hand, move it."""
        return {
            "start": Graph(
                fool_start,
                {
                    "noise": Bank("noise", rows="num_samples", seed_stride=max(NUM_SAMPLES)),
                    "shape": OneHot("start"),
                    "gap": Setting("gap"),
                    "share": Setting("squeeze"),
                    "degrees": Setting("turn"),
                },
                ("points",),
                {"noise": {0: "samples"}},
            ),
            "step": Graph(
                self._step,
                {
                    "points": State(),
                    "directions": Bank(
                        "directions", rows="num_directions", seed_stride=BANK_DIRECTIONS // SEEDS, advance=ALWAYS
                    ),
                    "held_out": Bank("held_out"),
                    "levels": Bank("levels_{num_samples}"),
                    "pusher": OneHot("judge"),
                    "hand": Hand(),
                },
                ("points", *(reading.name for reading in self.readings), "seen"),
                {"points": {0: "samples"}, "directions": {0: "directions"}},
            ),
        }

    def _step(self, **inputs: Tensor) -> dict[str, Tensor]:
        return fool_step(**inputs, score=self.score)

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Noise for the starts, directions to push along and to judge along, and the level of content for each N."""
        generator = seeded(2)
        return {
            "noise": clouds.cloud_noise(max(NUM_SAMPLES) * SEEDS, 2, generator=generator),
            "directions": random_directions(2, BANK_DIRECTIONS, generator=generator).mT.contiguous(),
            "held_out": compass(HELD_OUT),
            **{f"levels_{num_samples}": content_levels(num_samples) for num_samples in NUM_SAMPLES},
        }

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene):
        """The moments at which the pusher changes, and the end: the cloud, its worst shadow, the three verdicts."""
        from lewm_lite.figures.judges import judged_moments

        return judged_moments(frames, scene)
