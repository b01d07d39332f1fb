"""The forger: a cloud that a judge takes for the standard Gaussian, and that is as far from it as can be."""

from __future__ import annotations

from torch import Tensor

from lewm_lite.embeddings import clouds
from lewm_lite.labs.controls import Choice, Range, Reading, Toggle
from lewm_lite.labs.feeds import ALWAYS, Bank, Graph, Hand, OneHot, Setting, State
from lewm_lite.labs.forgers_judges import MOST_DIRECTIONS, fresh_eyes, ideal_levels, lines
from lewm_lite.labs.forging import START_SHAPES, forger_start, forger_step
from lewm_lite.labs.lab import Frame, Phase, Scene
from lewm_lite.labs.scored import ScoredLab
from lewm_lite.objectives.sigreg import random_directions
from lewm_lite.seeding import seeded

NUM_SAMPLES = 512
SEEDS, FRESH_BANK = 8, 2048


class Forger(ScoredLab):
    """A cloud to shape, by hand or by the machine, that passes a judge and is as far from Gaussian as it can be.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        score: your own judge, ``(samples, dim), (dim, num_directions) -> scalar``, in SIGReg's place; its level and the
            fresh eyes stay the library's.
        given: controls to set, e.g. ``judge="moments_4"``, ``num_directions=4``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    name = "forger"
    title = "The forger"
    controls = (
        Choice(
            "judge",
            "what the judge looks at",
            (
                ("directions", "K fixed directions"),
                ("moments_4", "moments up to order 4"),
                ("moments_2", "mean and covariance"),
                ("variance", "variance alone"),
            ),
            "directions",
        ),
        Range("num_directions", "K, the judge's directions", 1, MOST_DIRECTIONS, MOST_DIRECTIONS, 1),
        Toggle("fresh", "unmask: K fresh directions at every step", False),
        Range("pull", "how hard the forger holds on to the shape", 0, 1, 1, 0.05),
        Choice("start", "shape to begin with", tuple(START_SHAPES.items()), "clumps", restarts=True),
        Range("angle", "turn it, degrees", 0, 180, 0, 1, restarts=True),
        Choice("dim", "dimensions", ((2, "2"), (3, "3")), 2, restarts=True),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = (
        Reading("judged", "the judge's score", 2, "the judge says {value}"),
        Reading("content", "judges content, of 1", 0, "judges content: {value} of 1"),
        Reading("unmasked", "SIGReg to fresh eyes", 1, "fresh eyes say {value}"),
        Reading("record", "best forgery before this judge", 1, "best forgery {value}"),
    )
    recorded = {"points": None, "best": None, "looks": None, "eyes": None, "seen": None, "level": None}
    resumes = True  # the drawn shape is not on the picture
    scenes = (
        Scene(
            "two_lines",
            "two clumps before a judge who looks along two lines. Each clump is drawn out along both, until both "
            "shadows score as a normal sample may; the gap that stays in their middle is one that frequencies up to 3 "
            "hardly see. Along every other direction the cloud looks far from Gaussian.",
            {"num_directions": 2},
            (Phase(160),),
        ),
        Scene(
            "moments",
            "two clumps before a judge who knows mean, covariance, skewness and kurtosis, of all coordinates together. "
            "The clumps become two bars side by side: every moment up to the fourth passes, and fresh eyes see two "
            "bars.",
            {"judge": "moments_4"},
            (Phase(320),),
        ),
        Scene(
            "unmasked",
            "a forgery before two fixed lines; then the judge draws two fresh ones at every step, and the forgery "
            "comes apart, though the forger still pulls. Nothing is earned any more.",
            {"num_directions": 2},
            (Phase(120), Phase(200, {"fresh": True})),
        ),
        Scene(
            "three_axes",
            "in space, before a judge who looks along the three axes. What passes there is farther from Gaussian than "
            "what passes before two lines in the plane.",
            {"num_directions": 3, "dim": 3},
            (Phase(160),),
        ),
    )

    def graphs(self) -> dict[str, Graph]:
        """``start`` makes the shape; ``step`` forges; one graph of each per dimension."""
        return {
            "start": Graph(
                forger_start,
                {
                    "noise": Bank("noise_{dim}_{seed}"),
                    "shape": OneHot("start"),
                    "num_directions": Setting("num_directions"),
                    "degrees": Setting("angle"),
                },
                ("points", "drawn", "best"),
                variants="dim",
            ),
            "step": Graph(
                self._step,
                {
                    "points": State(),
                    "drawn": State(),
                    "best": State(),
                    "directions": Bank("lines_{dim}_{num_directions}"),
                    "drawn_anew": Bank("fresh_{dim}", rows="num_directions", advance=ALWAYS),
                    "eyes": Bank("eyes_{dim}"),
                    "levels": Bank("levels_{dim}"),
                    "judge": OneHot("judge"),
                    "num_directions": Setting("num_directions"),
                    "fresh": Setting("fresh"),
                    "pull": Setting("pull"),
                    "hand": Hand(),
                },
                ("points", "drawn", "best", *(reading.name for reading in self.readings), "level", "seen", "looks"),
                {
                    "points": {0: "samples"},
                    "drawn": {0: "samples"},
                    "directions": {0: "directions"},
                    "drawn_anew": {0: "directions"},
                },
                variants="dim",
            ),
        }

    def _step(self, **inputs: Tensor) -> dict[str, Tensor]:
        return forger_step(**inputs, score=self.score)

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Noise for the starts, the judge's lines for every K, fresh ones, the fresh eyes, and levels of content."""
        banks: dict[str, Tensor] = {}
        for dim in (2, 3):
            generator = seeded(20 + dim)
            for seed in range(SEEDS):
                banks[f"noise_{dim}_{seed}"] = clouds.cloud_noise(NUM_SAMPLES, dim, generator=generator)
            for count in range(1, MOST_DIRECTIONS + 1):
                banks[f"lines_{dim}_{count}"] = lines(dim, count)
            banks[f"fresh_{dim}"] = random_directions(dim, FRESH_BANK, generator=generator).mT.contiguous()
            banks[f"eyes_{dim}"] = fresh_eyes(dim)
            banks[f"levels_{dim}"] = ideal_levels(dim, NUM_SAMPLES)
        return banks

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene):
        """The start of the run and the end of each of its phases: the cloud, and its score in every direction."""
        from lewm_lite.figures.forgeries import forged_moments

        return forged_moments(frames, scene)
