"""What a forger does: a cloud that a judge takes for the standard Gaussian, and that is as far from it as can be.

The judge looks along a few fixed directions, or at moments, or at variance alone, and is *content* when its score is
one that an ideal sample might get. While it objects, the points go down its slope; while it is content, they go back to
the shape that was drawn. Fresh eyes look along directions that the judge never uses: what they see, while the judge is
content, is what the forgery is worth, and the best is kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lewm_lite.embeddings import clouds, forgeries
from lewm_lite.embeddings.reshape import brush, turn
from lewm_lite.labs.forgers_judges import JUDGES, SEATS, opinions, seat
from lewm_lite.objectives.sigreg import Score, epps_pulley, sigreg

START_SHAPES = {
    "clumps": "two clumps",
    "line": "oblique line",
    "ring": "ring",
    "white_clumps": "two clumps, identity covariance",
    "sectors": "every other sector",
    "bullseye": "spot and ring",
    "isotropic": "standard Gaussian",
}
PACE = 0.12  # of the judge's slope, times N D over N, in one step
STRIDE = 0.1  # no point goes further than this in one step
CREEP = 0.05  # of the way back to the drawn shape, in one step, at the strongest pull
AT_EASE, UNEASY = 0.6, 0.8  # shares of its level between which the judge begins to push and the shape to let go


def forger_start(noise: Tensor, shape: Tensor, num_directions: Tensor, degrees: Tensor) -> dict[str, Tensor]:
    """The cloud to begin with, the shape to go back to, and no points earned: ``noise`` is (samples, dim + 1)."""
    dim = noise.shape[1] - 1
    made = {name: clouds.SHAPES.get(name) for name in START_SHAPES}
    swept = forgeries.every_other_sector(noise, num_directions) if dim == 2 else forgeries.every_other_orthant(noise)
    found = {"sectors": swept, "bullseye": forgeries.bullseye(noise)}
    stacked = torch.stack([found[name] if name in found else made[name](noise) for name in START_SHAPES])
    points = (shape[:, None, None] * stacked).sum(0)
    points = torch.cat([turn(points[:, :2], degrees), points[:, 2:]], dim=1)
    return {"points": points, "drawn": 1 * points, "best": torch.zeros(SEATS, dtype=noise.dtype)}


def forger_step(
    points: Tensor,
    drawn: Tensor,
    best: Tensor,
    directions: Tensor,
    drawn_anew: Tensor,
    eyes: Tensor,
    levels: Tensor,
    judge: Tensor,
    num_directions: Tensor,
    fresh: Tensor,
    pull: Tensor,
    hand: Tensor,
    *,
    score: Score = sigreg,
) -> dict[str, Tensor]:
    r"""One step of forging, or, while the hand moves, the hand's move alone.

    Let $s$ be the judge's score over its level. The points go down the judge's slope, in the measure in which $s$ has
    come from AT_EASE to UNEASY, and the rest of the way back towards the drawn shape: so a forger under a judge that
    can be fooled comes to rest with the judge content. With ``fresh`` the judge, whoever it was, looks along as many
    directions drawn anew, and nothing is earned.

    Args:
        points: ``(samples, dim)``, the forgery. drawn: the same points where the reader put them.
        best: ``(19,)``, the most earned so far before each judge, as :func:`lewm_lite.labs.forgers_judges.seat` counts.
        directions: ``(num_directions, dim)``, the judge's own. drawn_anew: as many, other ones at each step.
        eyes: ``(directions, dim)``, fresh ones. levels: ``(19,)``, the score up to which each judge is content.
        judge: one-hot over JUDGES. num_directions, fresh, pull: scalars. hand: x, y, dx, dy, for a flat cloud.
        score: what stands for SIGReg in the judge: ``(samples, dim), (dim, num_directions) -> scalar``.
    Returns:
        The next ``points``, ``drawn`` and ``best``; of those given ``judged``, the judge's score, ``level``, up to
        which it is content, as ``(1,)``, ``content``, 1 or 0, ``unmasked``, SIGReg to fresh eyes, ``record``, the best
        so far before this judge, ``seen``, the statistic along each direction of the fresh eyes, and ``looks``, the
        directions that the judge could look along at this step.
    """
    dim = points.shape[1]
    looks, asked = _asked(directions, drawn_anew, judge, fresh)
    place = seat(asked, num_directions)
    level = place @ levels

    slope, judged = torch.func.grad_and_value(lambda cloud: asked @ opinions(cloud, looks, score=score))(points)
    forged = _forged(points, drawn, -PACE * dim * slope * _weight(asked, len(points)), judged / level, pull)
    seen = epps_pulley(points @ eyes.mT)
    content = (judged <= level).to(points.dtype)
    kept = torch.maximum(best, place * content * (1 - fresh) * seen.mean())
    touched = brush(points, hand) - points if dim == 2 else 0 * points
    return {
        "points": torch.where(hand[2:].abs().sum() == 0, forged, points + touched),
        "drawn": drawn + touched,
        "best": kept,
        "judged": judged,
        "unmasked": seen.mean(),
        "record": place @ kept,
        "content": content,
        "level": level[None],
        "seen": seen,
        "looks": looks,
    }


def _asked(directions: Tensor, drawn_anew: Tensor, judge: Tensor, fresh: Tensor) -> tuple[Tensor, Tensor]:
    """The directions that are looked along, and the judge as one-hot: once unmasked, any looks along fresh ones."""
    first = torch.eye(len(JUDGES), dtype=judge.dtype)[0]
    return torch.where(fresh > 0, drawn_anew, directions), fresh * first + (1 - fresh) * judge


def _weight(asked: Tensor, num_samples: int) -> Tensor:
    """1, but of the variance hinge, which has no factor N in it, a quarter of N."""
    return 1 + asked[-1] * (num_samples / 4 - 1)


def _forged(points: Tensor, drawn: Tensor, move: Tensor, share: Tensor, pull: Tensor) -> Tensor:
    """The points down the judge's slope and back towards the shape, as its score's share of its level has it."""
    move = move * (STRIDE / (move.norm(dim=1, keepdim=True) + 1e-9)).clamp(max=1)
    objects = ((share - AT_EASE) / (UNEASY - AT_EASE)).clamp(0, 1)
    return points + objects * move + (1 - objects) * CREEP * pull * (drawn - points)
