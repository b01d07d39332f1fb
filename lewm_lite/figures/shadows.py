"""One shadow, drawn in all the ways that a test of it can be told: on its line, as a histogram, as arrows, as a gap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from lewm_lite.figures.clouds import draw_points, draw_shadow, draw_target
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

T_MAX = 3  # the frequencies that a frame's curves go to


def draw_arrows(axes: Axes, arrows: np.ndarray, mean: Sequence[float], wanted: float, colours, colour: str) -> Axes:
    """Samples as arrows of length 1, their mean as a thick one, and a ring where N(0, 1) would have the mean.

    Args:
        axes: on which nothing else is drawn. arrows: ``(samples, 2)``. mean: two numbers. wanted: one, since the
            bell's mean arrow never points up or down.
        colours: by meaning. colour: of the mean arrow.
    """
    axes.add_patch(Circle((0, 0), 1, fill=False, ec=colours["faint"], lw=0.9))
    spokes = np.zeros((2, 2, len(arrows)))
    spokes[1] = arrows.T
    axes.plot(*spokes.transpose(1, 0, 2), color=colours["target"], lw=0.5, alpha=0.5)
    axes.plot(*arrows.T, ".", ms=2.5, color=colours["target"])
    axes.plot([0, mean[0]], [0, mean[1]], color=colour, lw=3, marker="o", ms=5, markevery=[1])
    axes.plot([wanted], [0], "o", ms=11, mfc="none", mec=colours["ink"], mew=1.4)
    axes.set(xlim=(-1.12, 1.12), ylim=(-1.12, 1.12), aspect="equal", xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def draw_gap(axes: Axes, characteristic: np.ndarray, colours: dict[str, str], colour: str) -> Axes:
    """Real (line) and imaginary (dots) part of a characteristic function against that of N(0, 1), over frequencies.

    Args:
        axes: where. characteristic: ``(frequencies, 3)``: real, imaginary, wanted, from 0 to T_MAX.
        colours: by meaning. colour: of the sample's.
    """
    t = np.linspace(0, T_MAX, len(characteristic))
    real, imag, wanted = characteristic.T
    axes.fill_between(t, real, wanted, color=colour, alpha=0.25, lw=0)
    axes.plot(t, wanted, color=colours["target"], ls="--", lw=1.4)
    axes.plot(t, imag, color=colour, ls=":", lw=1.4)
    axes.plot(t, real, color=colour, lw=1.8)
    axes.set(xlim=(0, T_MAX), ylim=(-1.08, 1.08), xticks=[0, 1, 2, 3], yticks=[-1, 0, 1])
    return axes


def shadow_moments(frames: Sequence) -> Picture:
    """Two moments of a run of the lab, one above the other.

    They are the ones whose shadow scores most and least or, where the shadow stays the same, a sixth and two thirds on.
    """
    scores = [frame.readings["statistic"] for frame in frames]
    highest, lowest = int(np.argmax(scores)), int(np.argmin(scores))
    if max(scores) - min(scores) < 1e-3:
        highest, lowest = len(frames) // 6, 2 * len(frames) // 3
    chosen = [frames[highest], frames[lowest]]
    with theme() as colours:
        figure = Figure(figsize=(7.6, 4.0))
        for row, frame in zip(figure.subplots(2, 4), chosen, strict=True):
            _draw_moment(row, frame, colours)
        for axes, words in zip(figure.axes[-4:], ("", "shadow", "", "t"), strict=True):
            axes.set_xlabel(words)
    return Picture(figure, alt="One cloud and its shadow at two moments. " + " ".join(map(_told, chosen)))


def _draw_moment(row: Sequence[Axes], frame, colours: dict[str, str]) -> None:
    cloud, shadow, circle, gap = row
    seen = {name: tensor.numpy() for name, tensor in frame.tensors.items()}
    points, direction = seen["points"][:256], seen["direction"]
    colour = colours["healthy"] if frame.readings["statistic"] <= seen["level"][0] else colours["collapsed"]
    draw_points(draw_target(cloud, colours["target"]), points, colours["target"], size=1.8)
    cloud.axline((0, 0), tuple(direction), color=colours["ink"], lw=1.1)
    draw_points(cloud, np.outer(points @ direction, direction), colour, size=2.2)
    cloud.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    for spine in cloud.spines.values():
        spine.set_visible(False)
    cloud.set_title(f"line at {_degrees(direction)}°", fontsize=9)
    draw_shadow(shadow, seen["points"] @ direction, colours, colour).set(xticks=[-2, 0, 2])
    shadow.set_title(f"scores {frame.readings['statistic']:.2f}", fontsize=9)
    draw_arrows(circle, seen["arrows"], seen["mean_arrow"], seen["wanted"][0], colours, colour)
    circle.set_title(f"arrows at t = {frame.values['t']:.1f}", fontsize=9)
    draw_gap(gap, seen["characteristic"], colours, colour).set_title("mean arrow, every t", fontsize=9)


def _degrees(direction: np.ndarray) -> int:
    return round(math.degrees(math.atan2(direction[1], direction[0]))) % 360


def _told(frame) -> str:
    mean = frame.tensors["mean_arrow"].tolist()
    return (
        f"With the line at {_degrees(frame.tensors['direction'].numpy())} degrees the shadow has standard deviation "
        f"{frame.readings['std']:.2f} and scores {frame.readings['statistic']:.2f}, where 95 in 100 normal samples "
        f"stay below {frame.tensors['level'].item():.2f}; at t = {frame.values['t']:.1f} the mean arrow is "
        f"({mean[0]:.2f}, {mean[1]:.2f}) and N(0, 1) wants ({frame.tensors['wanted'].item():.2f}, 0)."
    )
