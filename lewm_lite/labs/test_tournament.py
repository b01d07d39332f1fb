"""Test tournament: six tests of normality look at the same clouds, and each pushes one. Which is a good test, which a
good loss?

Each step is one repeat: a fresh healthy cloud, a fresh sick one and fresh directions, which every test judges by its
mean evidence over the directions. Beside that each test has a cloud of its own that started as the same sick sample,
and moves it down its gradient, towards no evidence at all.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.labs.controls import Choice, Range, Reading
from lewm_lite.labs.feeds import Bank, Graph, OneHot, Setting, State
from lewm_lite.labs.lab import Frame, Lab, Phase, Scene
from lewm_lite.labs.noise import normal_table
from lewm_lite.labs.tournament import (
    SEEDS,
    SICK,
    SLOTS,
    WINDOW,
    carried_by,
    distance_from_normal,
    downhill,
    draw,
    healthy_distance,
    judge,
    players,
    pushes,
    read_power,
    sick_cloud,
    write_down,
)
from lewm_lite.labs.verdicts import compass
from lewm_lite.objectives.normality import Statistic
from lewm_lite.objectives.shapiro_wilk import royston_weights

NUM_SAMPLES = (32, 64, 128, 256)
MOST_DIRECTIONS, SHOWN_POINTS = 64, 96
TITLES = {
    "kolmogorov_smirnov": "Kolmogorov–Smirnov",
    "cramer_von_mises": "Cramér–von Mises",
    "anderson_darling": "Anderson–Darling",
    "shapiro_wilk": "Shapiro–Wilk",
    "moments": "four moments",
    "epps_pulley": "Epps–Pulley",
}


class TestTournament(Lab):
    """Tests side by side: how often each sees a sick cloud, and where its gradient takes one.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        statistic: a test of your own, ``(samples, num_directions) -> (num_directions,)``, larger for less normal: in a
            kernel it plays in Epps-Pulley's place.
        given: controls to set, e.g. ``cloud="ring"``, ``against="any"``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    __test__ = False  # the name is a test's only to pytest
    name = "test_tournament"
    title = "Test tournament"
    controls = (
        Choice("cloud", "the sick cloud", tuple((name, label) for name, (label, _) in SICK.items()), "clumps", True),
        Range("dose", "how sick, as a share of its width", 0, 1, 1, 0.05, restarts=True),
        Choice("against", "the tests ask for", (("standard", "N(0, 1)"), ("any", "any normal law")), "standard", True),
        Choice("num_samples", "N, number of points", tuple((n, str(n)) for n in NUM_SAMPLES), 128, restarts=True),
        Range("num_directions", "K, directions per step", 1, MOST_DIRECTIONS, 16, 1),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = tuple(
        Reading(f"{slot}_{quantity}", label, 2, words, title, spoken=quantity != "carried")
        for slot, title in TITLES.items()
        for quantity, label, words in (
            ("power", "seen", f"{title}: seen in a share of {{value}}"),
            ("distance", "from N(0, I)", "its cloud {value} from N(0, I)"),
            ("carried", "push on", "push on a share of {value}"),
        )
    )
    recorded = {"points": SHOWN_POINTS, "move": SHOWN_POINTS, "healthy": None, "repeats": None}
    frame_every = 10
    resumes = True
    scenes = (
        Scene(
            "far",
            "one point in ten sits eight standard deviations away. Every test sees such a cloud in most repeats. As "
            "losses they part: Anderson–Darling and the four moments, whose gradients grow with distance, have fetched "
            "the far points; Kolmogorov–Smirnov, Cramér–von Mises and Epps–Pulley, whose gradients fade there, have "
            "not; Shapiro–Wilk never asked for N(0, 1).",
            {"cloud": "far"},
            (Phase(WINDOW - 1),),
        ),
        Scene(
            "faint",
            "64 points with faintly heavy tails. Shapiro–Wilk and the four moments see them in most repeats, the "
            "others in one of four or fewer. As losses all six bring their cloud as near to N(0, I) as a healthy "
            "sample is.",
            {"cloud": "heavy_tailed", "dose": 0.7, "num_samples": 64},
            (Phase(WINDOW - 1),),
        ),
        Scene(
            "clumps",
            "two tight clumps, which every test sees in every repeat. Anderson–Darling and Epps–Pulley make of them "
            "the most even Gaussian clouds. The four moments stop where the moments are right. Shapiro–Wilk, which "
            "asks for any normal law, makes a long and narrow Gaussian.",
            {},
            (Phase(WINDOW - 1),),
        ),
        Scene(
            "any_normal",
            "a Gaussian of standard deviation 0.3, and tests that ask for any normal law. None of them sees it more "
            "often than a healthy cloud, and their gradients leave it small: such a cloud may collapse unseen.",
            {"cloud": "small", "against": "any"},
            (Phase(WINDOW - 1),),
        ),
    )

    def __init__(self, scene: str | None = None, *, statistic: Statistic | None = None, **given: object) -> None:
        super().__init__(scene, **given)
        self.statistic = statistic

    def graphs(self) -> dict[str, Graph]:
        """``start`` is the first repeat, ``step`` reads those so far, adds one, and moves the clouds."""
        drawn = {
            "table": Bank("normal"),
            "sample_rows": Bank("places", rows="num_samples"),
            "direction_rows": Bank("places", rows="num_directions"),
            "weights": Bank("royston_{num_samples}"),
            "seed": Setting("seed"),
            "chosen": OneHot("cloud"),
            "dose": Setting("dose"),
            "against": OneHot("against"),
        }
        state = ("points", "null_scores", "sick_scores", "repeats")
        free = {"sample_rows": {0: "samples"}, "direction_rows": {0: "directions"}, "weights": {0: "samples"}}
        given = {
            **{name: State() for name in state},
            **drawn,
            "around": Bank("around"),
            "healthy": Bank("healthy_{num_samples}"),
        }
        read = tuple(reading.name for reading in self.readings)
        return {
            "start": Graph(self._start, drawn, state, free),
            "step": Graph(self._step, given, (*state, "move", *read), {**free, "points": {0: "samples"}}),
        }

    def _start(self, *, weights: Tensor, chosen: Tensor, dose: Tensor, against: Tensor, **drawn: Tensor) -> dict:
        none = torch.zeros(1, device=weights.device)
        healthy, noise, directions = draw(**drawn, repeat=none.sum())
        cloud = sick_cloud(noise, chosen, dose)
        empty = torch.zeros(len(SLOTS), WINDOW, device=weights.device)
        scores = judge(players(against, weights, self.statistic), torch.stack([healthy, cloud]), directions)
        return {
            "points": cloud[:, None].expand(-1, len(SLOTS), -1).clone(),
            "null_scores": write_down(empty, scores[:, 0], none),
            "sick_scores": write_down(empty, scores[:, 1], none),
            "repeats": none + 1,
        }

    def _step(
        self,
        *,
        points: Tensor,
        null_scores: Tensor,
        sick_scores: Tensor,
        repeats: Tensor,
        weights: Tensor,
        chosen: Tensor,
        dose: Tensor,
        against: Tensor,
        around: Tensor,
        healthy: Tensor,  # how far from N(0, I) a healthy cloud is: drawn beside the others, read by nothing
        **drawn: Tensor,
    ) -> dict[str, Tensor]:
        fresh, noise, directions = draw(**drawn, repeat=repeats.sum())
        tests = players(against, weights, self.statistic)
        scores = judge(tests, torch.stack([fresh, sick_cloud(noise, chosen, dose)]), directions)
        evidence, slope = pushes(tests, points, directions)
        move = downhill(slope, evidence)
        told = {
            "power": read_power(null_scores, sick_scores, repeats),
            "distance": distance_from_normal(points.transpose(0, 1), around.mT, weights),
            "carried": carried_by(slope),
        }
        return {
            "points": points + move,
            "null_scores": write_down(null_scores, scores[:, 0], repeats),
            "sick_scores": write_down(sick_scores, scores[:, 1], repeats),
            "repeats": repeats.round() + 1,
            "move": move,
            **{f"{slot}_{what}": values[i] for i, slot in enumerate(SLOTS) for what, values in told.items()},
        }

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Normal numbers to pick from, the numbers of rows, and of each N what a normal sample's points are like."""
        around = compass(16)
        return {
            "around": around,
            "normal": normal_table(2**14),
            "places": torch.arange(float(max(NUM_SAMPLES))),
            **{f"royston_{count}": royston_weights(count).float() for count in NUM_SAMPLES},
            **{f"healthy_{count}": healthy_distance(count, around) for count in NUM_SAMPLES},
        }

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene) -> object:
        """Each test's cloud at the end of the run, how often it saw the sick one, and how far it is from N(0, I)."""
        from lewm_lite.figures.tournament import tournament_end

        return tournament_end(frames[-1], scene, TITLES)
