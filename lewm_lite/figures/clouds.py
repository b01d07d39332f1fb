"""Clouds and their shadows, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme


def draw_points(axes: Axes, points: np.ndarray, colour: str, *, size: float = 2.4) -> Axes:
    """Points as one path of round dots: a fraction of the bytes of a scatter plot."""
    ends = np.repeat(points[:, :2], 2, axis=0)
    ends[1::2, 0] += 5e-3  # a segment of no length is not drawn by every renderer
    codes = np.tile([Path.MOVETO, Path.LINETO], len(points))
    path = Path(ends, codes)
    path.should_simplify = False
    axes.add_patch(PathPatch(path, edgecolor=colour, lw=size, capstyle="round", fill=False, alpha=0.75, snap=False))
    return axes


def draw_target(axes: Axes, colour: str, *, radii: Sequence[float] = (1, 2)) -> Axes:
    """The standard Gaussian's one- and two-sigma circles, dashed."""
    for radius in radii:
        axes.add_patch(Circle((0, 0), radius, fill=False, ls="--", lw=0.9, ec=colour))
    return axes


def draw_shadow(axes: Axes, shadow: np.ndarray, colours: dict[str, str], colour: str, *, reach: float = 3.2) -> Axes:
    """The histogram of a shadow under the bell curve of N(0, 1), as densities."""
    edges = np.linspace(-reach, reach, 33)
    counts, _ = np.histogram(np.clip(shadow.astype(float), -reach, reach), edges)  # float32's 3.2 is beyond 3.2
    density = counts / len(shadow) / (edges[1] - edges[0])
    axes.stairs(np.minimum(density, 1.05), edges, fill=True, color=colour, alpha=0.45, lw=0)
    x = np.linspace(-reach, reach, 121)
    axes.plot(x, np.exp(-x * x / 2) / math.sqrt(2 * math.pi), color=colours["target"], ls="--", lw=1.4)
    axes.set(xlim=(-reach, reach), ylim=(0, 1.1), yticks=[])
    axes.spines["left"].set_visible(False)
    return axes


def cloud_moments(frames: Sequence, scene) -> Picture:
    """Moments of a recorded run side by side, the cloud above and its shadow along a judged direction below.

    Args:
        frames: the run, each with ``step``, ``values``, ``tensors`` (``points`` and ``directions``) and ``readings``.
        scene: its phases say which moments count: the start, the end of each phase, or, of a
            single phase, an eighth, a third and the end.
    """
    chosen = _moments(frames, scene)
    with theme() as colours:
        figure = Figure(figsize=(7.6, 3.1))
        rows = figure.subplots(2, len(chosen), gridspec_kw={"height_ratios": (3.2, 1)})
        for (top, bottom), frame in zip(rows.T, chosen, strict=True):
            points, judged = frame.tensors["points"].numpy(), frame.tensors["directions"][0].numpy()
            std = frame.readings["std"]
            colour = colours["healthy"] if std > 0.5 else colours["collapsed"]
            draw_points(draw_target(top, colours["target"]), points[:256], colour)
            top.axline((0, 0), (judged[0], judged[1]), color=colours["faint"], lw=0.9, zorder=0)
            top.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
            for spine in top.spines.values():
                spine.set_visible(False)
            top.set_title(f"step {frame.step}\nstd {std:.2f}, λ {frame.values['lambda']:g}", fontsize=9)
            draw_shadow(bottom, points @ judged, colours, colour)
            bottom.set(xticks=[-2, 0, 2])
        rows[1, 0].set_xlabel("shadow along the line above", fontsize=8.5)
    told = "; ".join(f"at step {f.step} standard deviation {f.readings['std']:.2f}" for f in chosen)
    return Picture(figure, alt=f"A cloud of points and its shadow at {len(chosen)} moments: {told}.")


def _moments(frames: Sequence, scene) -> list:
    """The start and the last frame of each phase; of a single phase, an eighth, a third and the end."""
    ends = np.cumsum([phase.steps for phase in scene.phases])
    wanted = [*ends[:-1] - 1, ends[-1]] if len(ends) > 1 else [ends[0] // 8, ends[0] // 3, ends[0]]
    return [frames[0], *(max((f for f in frames if f.step <= step), key=lambda f: f.step) for step in wanted)]
