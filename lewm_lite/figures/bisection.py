"""A search for an edge of λ: its runs on one axis, the bracket after each, and the curve that they were picked from."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

# Title, column of a run and of the curve, bottom and top of the axis.
PANELS = (("probe R²", 1, 1, -0.06, 1.0), ("effective rank", 2, 4, 0.0, 16.0))


def draw_curve(axes: Axes, curve: np.ndarray, column: int, colour: str) -> Axes:
    """Mean and range over seeds against log₁₀ λ; rows with λ first, then lowest, mean, highest from ``column`` on."""
    axes.fill_between(curve[:, 0], curve[:, column], curve[:, column + 2], color=colour, alpha=0.25, lw=0)
    axes.plot(curve[:, 0], curve[:, column + 1], color=colour, lw=1.4)
    return axes


def draw_runs(axes: Axes, places: np.ndarray, heights: np.ndarray, accepted: np.ndarray, colours: dict) -> Axes:
    """Runs that will do as full dots, the others as crosses."""
    axes.plot(places[accepted], heights[accepted], "o", color=colours["healthy"], ms=5)
    axes.plot(places[~accepted], heights[~accepted], "x", color=colours["collapsed"], ms=6, mew=1.8)
    return axes


def draw_ladder(axes: Axes, ladder: np.ndarray, places: np.ndarray, accepted: np.ndarray, colours: dict) -> Axes:
    """The bracket after each run as a bar, one row a run, and the run's own λ on it."""
    for row, (low, high) in enumerate(ladder, start=1):
        axes.plot([low, high], [row, row], color=colours["goal"], lw=3, solid_capstyle="butt")
    draw_runs(axes, places, np.arange(1, len(places) + 1), accepted, colours)
    axes.set(ylim=(len(ladder) + 0.7, 0.3), yticks=range(1, len(ladder) + 1))
    return axes


def searched_runs(frame, asked: str, level: float, panel: int) -> Picture:
    """The last moment of a search in the lab of the λ bisection.

    Args:
        frame: with ``tensors`` (``set_down``, ``accepted``, ``ladder``, ``laid``, ``progress``) and ``readings``.
        asked: what is sought, in words. level: of the reading that is asked. panel: 0 for the probe, 1 for the rank.
    """
    tensors = {name: tensor.numpy() for name, tensor in frame.tensors.items()}
    done = int(tensors["progress"][2].round())
    runs, accepted = tensors["set_down"][:done], tensors["accepted"][:done] > 0.5
    ladder = tensors["ladder"][:done]
    low, high = frame.readings["bracket_low"], frame.readings["bracket_high"]
    with theme() as colours:
        figure = Figure(figsize=(7.6, 4.6))
        rows = figure.subplots(3, 1, sharex=True, height_ratios=(1.4, 1, 1.1))
        for place, (axes, (title, column, of_curve, bottom, top)) in enumerate(zip(rows, PANELS, strict=False)):
            axes.axvspan(*np.log10([low, high]), color=colours["goal"], alpha=0.15, lw=0)
            if tensors["laid"].any():
                draw_curve(axes, tensors["laid"], of_curve, colours["target"])
            draw_runs(axes, runs[:, 0], runs[:, column], accepted, colours)
            axes.set(ylim=(bottom, top), ylabel=title)
            if place == panel:
                axes.axhline(level, color=colours["ink"], ls="--", lw=1)
                axes.annotate(
                    f" {level:g} is enough", (0, level), xycoords=("axes fraction", "data"), ha="left", va="bottom"
                )
        rows[0].set_title(f"{asked}: between {low:.3g} and {high:.3g} after {done} runs", loc="left", weight="bold")
        draw_ladder(rows[2], ladder, runs[:, 0], accepted, colours)
        powers = np.arange(-4, 2)
        rows[2].set(
            xlabel="λ", ylabel="run: bracket left", xticks=powers, xticklabels=[f"{10.0**power:g}" for power in powers]
        )
    said = "; ".join(
        f"λ {10 ** run[0]:.3g}: probe R² {run[1]:.2f}, effective rank {run[2]:.1f}, {'accepted' if yes else 'rejected'}"
        for run, yes in zip(runs, accepted, strict=True)
    )
    return Picture(
        figure, alt=f"Looking for {asked} in {done} runs. {said}. The edge lies between λ = {low:.3g} and {high:.3g}."
    )
