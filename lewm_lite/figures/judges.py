"""A cloud before three judges, drawn: where it is thrown on the wire that shows it worst, and who is content."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lewm_lite.figures.clouds import draw_points, draw_shadow, draw_target
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

JUDGES = (("variance", "variance"), ("covariance", "covariance"), ("sigreg", "SIGReg"))
PUSHES = {
    "nobody": "nobody pushes",
    "variance": "variance pushes",
    "vicreg": "VICReg pushes",
    "sigreg": "SIGReg pushes",
}


def judged_moments(frames: Sequence, scene) -> Picture:
    """The start of a recorded run and the end of each of its phases, side by side.

    Args:
        frames: the run, each with ``step``, ``values``, ``readings`` and the tensors ``points``, ``held_out``, ``seen``
            (a statistic for each held-out direction) and ``levels`` (up to which each of the JUDGES is content).
        scene: its phases say which moments count.
    """
    ends = np.cumsum([phase.steps for phase in scene.phases])
    last_steps = [*ends[:-1] - 1, ends[-1]]  # at a phase's end itself the next one's settings hold
    chosen = [frames[0], *(max((f for f in frames if f.step <= step), key=lambda f: f.step) for step in last_steps)]
    with theme() as colours:
        figure = Figure(figsize=(2 * len(chosen) + 0.2, 4.1))
        rows = figure.subplots(3, len(chosen), gridspec_kw={"height_ratios": (3, 1, 1)})
        for column, frame in zip(rows.T, chosen, strict=True):
            _draw_moment(column, frame, colours)
        rows[1, 0].set_xlabel("shadow along the line above", fontsize=8.5)
    return Picture(figure, alt="A cloud before three judges. " + " ".join(_told(frame) for frame in chosen))


def verdicts(frame) -> list[tuple[str, float, bool]]:
    """Each judge's name, its score, and whether it is content."""
    levels = frame.tensors["levels"].tolist()
    scores = [frame.readings[reading] for reading, _ in JUDGES]
    return [(name, score, score <= level) for (_, name), score, level in zip(JUDGES, scores, levels, strict=True)]


def _draw_moment(column: Sequence[Axes], frame, colours: dict[str, str]) -> None:
    cloud, shadow, words = column
    points = frame.tensors["points"].numpy()
    worst = frame.tensors["held_out"][frame.tensors["seen"].argmax()].numpy()
    said = verdicts(frame)
    colour = colours["healthy"] if all(content for _, _, content in said) else colours["collapsed"]
    draw_points(draw_target(cloud, colours["target"]), points[:256], colour)
    cloud.axline((0, 0), tuple(worst), color=colours["ink"], lw=0.9, zorder=0)
    cloud.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    for spine in cloud.spines.values():
        spine.set_visible(False)
    cloud.set_title(f"step {frame.step}\n{PUSHES[frame.values['judge']]}", fontsize=9)
    draw_shadow(shadow, points @ worst, colours, colour)
    shadow.set(xticks=[-2, 0, 2])
    words.axis("off")
    for line, (name, score, content) in enumerate(said):
        mark, ink = ("✓", colours["healthy"]) if content else ("✗", colours["collapsed"])
        height = 0.8 - 0.36 * line
        words.text(0.04, height, mark, color=ink, weight="bold", transform=words.transAxes)
        words.text(0.14, height, f"{name} {_brief(score)}", transform=words.transAxes)


def _told(frame) -> str:
    said = ", ".join(
        f"{name} {'content' if content else 'not content'} at {_brief(score)}"
        for name, score, content in verdicts(frame)
    )
    return f"At step {frame.step}, {PUSHES[frame.values['judge']]}: {said}."


def _brief(score: float) -> str:
    """Three decimals of what is small, three digits of what is not."""
    return f"{score:.3f}" if score < 1 else f"{score:.3g}"
