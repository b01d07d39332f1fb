"""Scores of many repeats on one axis, beside the spectrum of a cloud that they judge."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

BINS = 54


def draw_variances(axes: Axes, variances: np.ndarray, colours: dict[str, str]) -> Axes:
    """The variance of each coordinate as a bar; a dead coordinate is a cross on the floor. The counts stand below."""
    place = np.arange(1, len(variances) + 1)
    dead = variances == 0
    axes.vlines(place[~dead], 0, variances[~dead], color=colours["healthy"], lw=max(0.6, 150 / len(place)))
    shown = place[dead][:: max(1, round(len(place) / 24))]  # crosses that touch are no crosses
    axes.plot(shown, np.full(len(shown), 0.02), "x", color=colours["collapsed"], ms=5, clip_on=False)
    axes.axhline(1, color=colours["target"], ls="--", lw=1)
    axes.set(xlim=(0.3, len(place) + 0.7), ylim=(0, 1.12 * max(1.5, variances.max())), xticks=[])
    axes.set_title("variance of each coordinate", loc="left")
    below = {"xycoords": "axes fraction", "xytext": (0, -13), "textcoords": "offset points", "fontweight": "bold"}
    axes.annotate(f"{(~dead).sum()} live", (0, 0), color=colours["healthy"], ha="left", **below)
    axes.annotate(f"{dead.sum()} dead", (1, 0), color=colours["collapsed"], ha="right", **below)
    return axes


def draw_piles(axes: Axes, scores: np.ndarray, edges: np.ndarray, colour: str, *, line: float) -> int:
    """Scores as piles of dots, full above ``line`` and open below it, binned by ``edges``; returns the tallest pile."""
    heights = np.zeros(len(edges) - 1, int)
    for above, fill in ((False, "none"), (True, colour)):
        kept = scores[(scores > line) == above]
        bins = np.clip(np.searchsorted(edges, kept) - 1, 0, len(heights) - 1)
        level = np.zeros(len(kept))
        for i, spot in enumerate(bins):
            level[i] = heights[spot] + 0.5
            heights[spot] += 1
        middle = np.sqrt(edges[bins] * edges[bins + 1])
        axes.plot(middle, level, "o", ms=3, mew=0.7, mfc=fill, mec=colour)
    return int(heights.max())


def spectrum_and_scores(frame, scene) -> Picture:
    """A moment of the lab of dead dimensions: the last cloud's variances, and every repeat's two scores.

    Args:
        frame: with ``tensors`` (``null_scores``, ``dead_scores``, ``repeats``, ``variances``), ``readings`` (``power``,
            ``line``) and ``values``. scene: unused, as its words stand beside the picture.
    """
    tensors = {name: tensor.numpy() for name, tensor in frame.tensors.items()}
    kept = min(int(tensors["repeats"][0].round()), len(tensors["null_scores"]))
    healthy, scores = (tensors[name][:kept] for name in ("null_scores", "dead_scores"))
    variances = tensors["variances"][tensors["variances"] >= 0]
    dead, line = int((variances == 0).sum()), frame.readings["line"]
    seen = round(frame.readings["power"] * kept)
    together = np.concatenate([healthy, scores])
    edges = np.geomspace(0.95 * together.min(), 1.05 * together.max(), BINS + 1)
    level = 100 - frame.values["false_alarms"]
    with theme() as colours:
        figure = Figure(figsize=(7.6, 3.1))
        left, right = figure.subfigures(1, 2, width_ratios=(1, 1.7))
        draw_variances(left.subplots(), variances, colours)
        rows = right.subplots(2, 1, sharex=True, sharey=True)
        names = ("healthy clouds", f"{dead} of {len(variances)} dimensions dead")
        tallest = 0
        for axes, name, values, meaning in zip(rows, names, (healthy, scores), ("healthy", "collapsed"), strict=True):
            tallest = max(tallest, draw_piles(axes, values, edges, colours[meaning], line=line))
            axes.axvline(line, color=colours["ink"], ls="--", lw=1)
            axes.annotate(name, (0.01, 0.97), xycoords="axes fraction", color=colours[meaning], va="top")
            axes.spines["left"].set_visible(False)
        rows[0].set(xscale="log", xlim=(edges[0], edges[-1]), ylim=(0, 1.3 * tallest), yticks=[])
        rows[0].set_title(
            f"seen in {seen} of {kept} repeats ({100 * frame.readings['power']:.0f} %)", loc="left", weight="bold"
        )
        rows[0].annotate(
            f"{level:g} % of healthy scores\nlie below {line:.2f}",
            (line, 1.25 * tallest),
            xytext=(4, 0),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
        )
        rows[1].xaxis.set(major_locator=FixedLocator(_ticks(edges[0], edges[-1])), major_formatter=ScalarFormatter())
        rows[1].xaxis.set(minor_locator=NullLocator(), minor_formatter=NullFormatter())
        rows[1].set_xlabel("SIGReg score of one repeat (log axis)")
    told = (
        f"{dead} of {len(variances)} dimensions are dead. Of {kept} scores with dead dimensions, {seen} lie above the "
        f"line at {line:.2f} that {level:g} % of the healthy scores lie below. The mean score is "
        f"{frame.readings['sigreg']:.2f} with dead dimensions and {frame.readings['null_sigreg']:.2f} without."
    )
    return Picture(figure, alt=told)


def _ticks(low: float, high: float) -> list[float]:
    """Tenths on a short axis; 1, 2, 3, 5, 10, … on a long one."""
    if high / low > 5:
        numbers = [digit * 10.0**power for power in range(-4, 5) for digit in (1, 2, 3, 5)]
    else:
        step = 0.1 if high - low < 1 else 0.2 if high - low < 2.5 else 0.5
        numbers = [round(step * k, 1) for k in range(int(high / step) + 1)]
    return [number for number in numbers if low <= number <= high]
