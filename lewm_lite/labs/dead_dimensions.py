"""Dead dimensions: k of D dimensions are dead, N samples, K directions. Does the SIGReg score see it?

Each step is one repeat: a fresh healthy cloud, a fresh cloud with dead dimensions, and fresh directions for both. A
score counts as seen when it lies above the line that only a few of a hundred healthy clouds pass. The share of repeats
in which the dead dimensions are seen is the test's power.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.embeddings.diagnostics import feature_std
from lewm_lite.labs.controls import Choice, Range, Reading
from lewm_lite.labs.feeds import Bank, Graph, OneHot, Setting, State
from lewm_lite.labs.lab import Frame, Phase, Scene
from lewm_lite.labs.noise import normal_table, pick_normal
from lewm_lite.labs.scored import ScoredLab
from lewm_lite.objectives.sigreg import Score, sigreg

MAX_DIM, MAX_SAMPLES, MAX_DIRECTIONS, SEEDS = 256, 1024, 256, 8
WINDOW = 200  # how many of the last repeats are kept
TABLE_SIZE = 2**14
KINDS = ("silent", "full_energy")


def repeat_once(
    table: Tensor,
    sample_rows: Tensor,
    direction_rows: Tensor,
    seed: Tensor,
    dim: Tensor,
    dead: Tensor,
    dead_kind: Tensor,
    *,
    repeats: Tensor,
    score: Score = sigreg,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Draw a healthy cloud, one with dead dimensions, and directions, and score both clouds.

    The clouds have MAX_DIM columns, of which those from ``dim`` on are 0, in the directions too: scores are those of
    ``dim`` dimensions. The live coordinates are standard normal or, to keep the full energy, ``sqrt(dim / live)``
    times that, so that the variances sum to ``dim`` though some are 0.

    Args:
        table: normal numbers to pick from, see :func:`lewm_lite.labs.noise.normal_table`.
        sample_rows, direction_rows: ``(samples,)`` and ``(directions,)``, 0, 1, 2, …: only their number matters.
        seed, dim, dead: whole numbers as scalars; more dead dimensions than ``dim`` count as ``dim``.
        dead_kind: one-hot over KINDS.
        repeats: scalar, how many repeats were drawn before this one.
        score: ``(samples, dim), (dim, num_directions) -> scalar``.
    Returns:
        The healthy cloud's score, the other's, and the variance of each coordinate of the other, ``(MAX_DIM,)``, with
        -1 for those from ``dim`` on, which are no coordinates of this cloud.
    """
    place = torch.arange(MAX_DIM, device=table.device)
    live = dim - dead  # below 0 where more dead are asked for than there are: then no place is live
    first = (repeats.round() * SEEDS + seed) * 3  # three keys a repeat, that no other repeat and no other seed has
    healthy, cloud, directions = (
        pick_normal(table, rows, MAX_DIM, key=first + which) * (place < dim)
        for which, rows in enumerate((sample_rows, sample_rows, direction_rows))
    )
    loud = torch.sqrt(dim / live.clamp_min(1))
    cloud = cloud * (place < live) * (dead_kind[0] + dead_kind[1] * loud)
    directions = (directions / directions.square().sum(1, keepdim=True).sqrt()).mT
    variances = torch.where(place < dim, feature_std(cloud).square(), -1)
    return score(healthy, directions), score(cloud, directions), variances


def read_scores(null_scores: Tensor, dead_scores: Tensor, repeats: Tensor, false_alarms: Tensor) -> dict[str, Tensor]:
    """What the repeats so far say.

    The line is the quantile of the healthy scores that ``false_alarms`` percent of them lie above, between two scores
    in proportion, as ``torch.quantile`` has it. With n repeats it has n scores to stand on: before some 20 of them it
    is little more than the largest one, and power, which moves in steps of 1/n, says little.

    Args:
        null_scores, dead_scores: ``(WINDOW,)``, of which the first ``repeats`` are filled.
        repeats: ``(1,)``, how many repeats there were, 1 or more. false_alarms: a scalar, in percent.
    Returns:
        ``power``: the share of ``dead_scores`` above the line; ``sigreg`` and ``null_sigreg``: the mean scores with
        dead dimensions and without; ``line``.
    """
    count = repeats.round().clamp_max(WINDOW)
    filled = torch.arange(WINDOW, device=null_scores.device) < count
    ordered = torch.where(filled, null_scores, torch.inf).sort().values
    at = (1 - false_alarms / 100) * (count - 1)
    below = at.floor()
    above = (below + 1).minimum(count - 1)
    low, high = ordered[below.long()], ordered[above.long()]
    line = (low + (at - below) * (high - low)).sum()
    count = count.sum()
    return {
        "power": (filled & (dead_scores > line)).float().sum() / count,
        "sigreg": torch.where(filled, dead_scores, 0).sum() / count,
        "null_sigreg": torch.where(filled, null_scores, 0).sum() / count,
        "line": line,
    }


class DeadDimensions(ScoredLab):
    """Repeats that show how often SIGReg tells a cloud with dead dimensions from a healthy one.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        score: your own SIGReg, ``(samples, dim), (dim, num_directions) -> scalar``: in a kernel the lab follows it. It
            gets MAX_DIM columns, of which those beyond the setting of ``dim`` are 0.
        given: controls to set, e.g. ``num_samples=1024``.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    name = "dead_dimensions"
    title = "Dead dimensions"
    controls = (
        Range("dim", "D, dimensions", 2, MAX_DIM, 64, 1, restarts=True),
        Range("dead", "dead ones among them, D at most", 0, MAX_DIM - 1, 8, 1, restarts=True),
        Range("num_samples", "N, samples in a cloud", 32, MAX_SAMPLES, 128, 32, restarts=True),
        Range("num_directions", "K, number of directions", 1, MAX_DIRECTIONS, 64, 1, restarts=True),
        Choice(
            "dead_kind",
            "variance of each live one",
            (("silent", "1"), ("full_energy", "D / live ones")),
            "silent",
            restarts=True,
        ),
        Range("false_alarms", "healthy scores let above the line, %", 1, 20, 5, 1),
        Range("seed", "seed", 0, SEEDS - 1, 0, 1, restarts=True),
    )
    readings = (
        Reading("power", "power, share of repeats seen", 2, "seen in a share of {value} of the repeats"),
        Reading("sigreg", "SIGReg with dead dimensions, mean", 2, "mean SIGReg with dead dimensions {value}"),
        Reading("null_sigreg", "SIGReg of healthy clouds, mean", 2, "of healthy clouds {value}"),
        Reading("line", "the line, from healthy scores", 2, "the line at {value}"),
    )
    recorded = {"null_scores": None, "dead_scores": None, "repeats": None, "variances": None}
    scenes = (
        Scene(
            "unseen",
            "10 of 192 dimensions dead, 128 samples, 64 directions. The scores with dead dimensions lie among those of "
            "healthy clouds, and the dead ones are seen about as seldom as a healthy cloud gives a false alarm.",
            {"dim": 192, "dead": 10},
            (Phase(WINDOW - 1),),
        ),
        Scene(
            "seen",
            "the same 10 of 192 dimensions dead, now with 1024 samples. Healthy clouds score as before, the others "
            "higher, and in most repeats the dead dimensions are seen.",
            {"dim": 192, "dead": 10, "num_samples": 1024},
            (Phase(WINDOW - 1),),
        ),
        Scene(
            "ten_live",
            "only 10 of 256 dimensions live, each with a variance of 25.6, so that the total is still 256. It is seen "
            "in every repeat, yet the score is only some four times that of a healthy cloud.",
            {"dim": 256, "dead": 246, "dead_kind": "full_energy"},
            (Phase(WINDOW - 1),),
        ),
    )

    def graphs(self) -> dict[str, Graph]:
        """``start`` is the first repeat, ``step`` reads those so far and adds one."""
        drawn = {
            "table": Bank("normal"),
            "sample_rows": Bank("places", rows="num_samples"),
            "direction_rows": Bank("places", rows="num_directions"),
            **{name: Setting(name) for name in ("seed", "dim", "dead")},
            "dead_kind": OneHot("dead_kind"),
        }
        state = ("null_scores", "dead_scores", "repeats", "variances")
        free = {"sample_rows": {0: "samples"}, "direction_rows": {0: "directions"}}
        given = {**{name: State() for name in state}, **drawn, "false_alarms": Setting("false_alarms")}
        read = tuple(reading.name for reading in self.readings)
        return {"start": Graph(self._start, drawn, state, free), "step": Graph(self._step, given, state + read, free)}

    def _start(self, **drawn: Tensor) -> dict[str, Tensor]:
        empty = torch.zeros(WINDOW, device=drawn["table"].device)
        return self._add(empty, empty, empty[:1], drawn)

    def _step(
        self,
        null_scores: Tensor,
        dead_scores: Tensor,
        repeats: Tensor,
        variances: Tensor,  # of the last repeat: drawn beside its scores, read by nothing
        false_alarms: Tensor,
        **drawn: Tensor,
    ) -> dict[str, Tensor]:
        read = read_scores(null_scores, dead_scores, repeats, false_alarms)
        return {**self._add(null_scores, dead_scores, repeats, drawn), **read}

    def _add(self, null_scores: Tensor, dead_scores: Tensor, repeats: Tensor, drawn: dict) -> dict[str, Tensor]:
        """One repeat more: in the next free place or, when there is none, in that of the oldest."""
        null, dead, variances = repeat_once(**drawn, repeats=repeats.sum(), score=self.score)
        here = torch.arange(WINDOW, device=null_scores.device) == repeats.round() % WINDOW
        return {
            "null_scores": torch.where(here, null, null_scores),
            "dead_scores": torch.where(here, dead, dead_scores),
            "repeats": repeats.round() + 1,
            "variances": variances,
        }

    @classmethod
    def banks(cls) -> dict[str, Tensor]:
        """Normal numbers to pick from, and the numbers of rows."""
        return {"normal": normal_table(TABLE_SIZE), "places": torch.arange(max(MAX_SAMPLES, MAX_DIRECTIONS)).float()}

    @classmethod
    def draw_still(cls, frames: list[Frame], scene: Scene):
        """The spectrum of the last cloud, and all scores with and without dead dimensions on one axis."""
        from lewm_lite.figures.scores import spectrum_and_scores

        return spectrum_and_scores(frames[-1], scene)
