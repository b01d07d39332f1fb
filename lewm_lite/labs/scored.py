"""Labs whose step asks SIGReg, and follows the reader's own score in its place."""

from __future__ import annotations

from lewm_lite.labs.lab import Lab
from lewm_lite.objectives.sigreg import Score, sigreg


class ScoredLab(Lab):
    """A lab with ``score``, which its graphs use wherever SIGReg judges or pushes.

    Args:
        scene: which recorded run the page shows before it is touched, and where the controls stand.
        score: your own SIGReg, ``(samples, dim), (dim, num_directions) -> scalar``: in a kernel the lab follows it.
        given: controls to set.
    Raises:
        ValueError: an unknown scene or control, or a value out of its range.
    """

    def __init__(self, scene: str | None = None, *, score: Score = sigreg, **given: object) -> None:
        super().__init__(scene, **given)
        self.score = score
