"""A forged cloud, drawn: the lines that its judge looks along, and what it scores in every direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lewm_lite.figures.clouds import draw_points, draw_target
from lewm_lite.figures.lines import lines_picture
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.seeds import seeds_picture
from lewm_lite.figures.theme import theme


def forged_moments(frames: Sequence, scene) -> Picture:
    """The start of a recorded run and the end of each of its phases, side by side.

    Args:
        frames: the run, each with ``step``, ``values``, ``readings`` and the tensors ``points``, ``looks``, the
            directions that the judge can look along, ``eyes``, others, ``seen``, the statistic along each of those, and
            ``level``.
        scene: its phases say which moments count.
    """
    ends = np.cumsum([phase.steps for phase in scene.phases])
    last_steps = [*ends[:-1] - 1, ends[-1]]  # at a phase's end itself the next one's settings hold
    chosen = [frames[0], *(max((f for f in frames if f.step <= step), key=lambda f: f.step) for step in last_steps)]
    with theme() as colours:
        figure = Figure(figsize=(2.5 * len(chosen) + 0.4, 4.0))
        rows = figure.subplots(2, len(chosen), sharey="row", gridspec_kw={"height_ratios": (2, 1)})
        for column, frame in zip(rows.T, chosen, strict=True):
            _draw_cloud(column[0], frame, colours)
            draw_by_direction(column[1], frame, colours)
        rows[1, 0].set_ylabel("SIGReg statistic")
    return Picture(figure, alt="A cloud before a judge. " + " ".join(_told(frame) for frame in chosen))


def looked_along(frame) -> np.ndarray:
    """The directions that the judge looks along: none of a judge of moments that is not unmasked."""
    looks = frame.tensors["looks"].numpy()
    return looks if frame.values["judge"] == "directions" or frame.values["fresh"] else looks[:0]


def draw_by_direction(axes: Axes, frame, colours: dict[str, str]) -> Axes:
    """The statistic along each of the fresh eyes: by angle in the plane, in space by the angle to the nearest look."""
    eyes, seen = frame.tensors["eyes"].numpy(), np.maximum(frame.tensors["seen"].numpy(), 0.1)
    looks = looked_along(frame)
    if eyes.shape[1] == 2:
        axes.plot(np.arange(len(eyes)) * 180 / len(eyes), seen, color=colours["collapsed"], lw=1.5)
        for place in np.degrees(np.arctan2(looks[:, 1], looks[:, 0])) % 180:
            axes.axvline(place, color=colours["ink"], lw=0.9)
        axes.set(xlabel="direction, degrees", xlim=(0, 180), xticks=[0, 90, 180])
    else:
        nearest = np.degrees(np.arccos(np.clip(np.abs(eyes @ (looks if len(looks) else np.eye(3)).T).max(1), 0, 1)))
        axes.plot(nearest, seen, ".", color=colours["collapsed"], ms=4)
        axes.set(xlabel="degrees from the nearest look", xlim=(0, 60), xticks=[0, 30, 60])
    axes.axhline(frame.tensors["level"].item(), color=colours["target"], ls="--", lw=1)
    axes.set(yscale="log", ylim=(0.1, 1000), yticks=[1, 100])
    return axes


def _draw_cloud(axes: Axes, frame, colours: dict[str, str]) -> None:
    points = _seen_aslant(frame.tensors["points"].numpy())
    content = frame.readings["content"] > 0
    seen_through = frame.readings["unmasked"] > frame.tensors["level"].item()
    ink = colours["collapsed" if seen_through else "healthy"]
    draw_points(draw_target(axes, colours["target"]), points[:256], ink)
    for look in _seen_aslant(looked_along(frame)):
        axes.plot(*np.stack([-2.9 * look, 2.9 * look], axis=1), color=colours["ink"], lw=0.9, zorder=0)
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    mark = "✓ judge content" if content else "✗ judge objects"
    unmasked = frame.readings["unmasked"]
    axes.set_title(f"step {frame.step}\n{mark}, {frame.readings['judged']:.1f}\nfresh eyes {unmasked:.1f}", fontsize=9)


def _seen_aslant(places: np.ndarray) -> np.ndarray:
    """Flat places as they are; those of space after a turn, a little from above, as the lab's page begins."""
    if places.shape[1] == 2:
        return places
    across = places[:, 0] * np.cos(np.pi / 6) + places[:, 2] * np.sin(np.pi / 6)
    away = -places[:, 0] * np.sin(np.pi / 6) + places[:, 2] * np.cos(np.pi / 6)
    return np.stack([across, 0.94 * places[:, 1] + 0.34 * away], axis=1)


def _told(frame) -> str:
    verdict = "is content" if frame.readings["content"] > 0 else "objects"
    judged, unmasked = frame.readings["judged"], frame.readings["unmasked"]
    return f"At step {frame.step} the judge {verdict} at {judged:.1f}, and fresh eyes see {unmasked:.1f}."


def by_angle_picture(degrees: Sequence[float], curves: Mapping[str, Sequence[float]], *, usual: float) -> Picture:
    """The statistic in every direction of the plane, for clouds that pass along as many lines as their name says.

    Args:
        degrees: of the directions. curves: a cloud's name -> its statistic along each. usual: what 19 in 20 normal
            shadows score at most.
    """
    highest = ", ".join(f"{max(curve):.0f} for {name}" for name, curve in curves.items())
    return lines_picture(
        degrees,
        curves,
        yscale="log",
        ylim=(0.1, 1000),
        xlabel="direction (degrees)",
        ylabel="statistic",
        xticks=[0, 45, 90, 135],
        level=("19 in 20 normal shadows", usual),
        level_at=4,
        alt=f"The statistic by direction dips at each of a cloud's lines and rises between them: highest {highest}.",
    )


def unseen_picture(seen: Mapping[str, Mapping[str, Sequence[float]]], counts: Sequence[int]) -> Picture:
    """What K fixed directions leave along others, for each start and dimension, over seeds.

    Args:
        seen: the runs of :mod:`lewm_lite.experiments.known_directions`, such as ``"rough.d4.fixed.k16"``.
        counts: the K.
    """
    panels, last = {}, {}
    for start in ("rough", "smooth"):
        panels[f"{start} start"] = {}
        for dim in (4, 16, 64):
            by_count = [seen[f"{start}.d{dim}.fixed.k{count}"]["unknown"] for count in counts]
            panels[f"{start} start"][f"D = {dim}"] = np.transpose(by_count)
            last[f"{start}, D = {dim}"] = np.mean(by_count[-1])
    told = "; ".join(f"{name} {number:.2g}" for name, number in last.items())
    return seeds_picture(
        counts,
        panels,
        xscale="log",
        yscale="log",
        ylim=(0.01, 200),
        xticks=counts,
        xticklabels=counts,
        xlabel="K fixed directions",
        ylabel="SIGReg, unseen directions",
        alt=f"Scores along unseen directions fall with K, later in more dimensions. At K = {counts[-1]}: {told}.",
    )
