"""Curves with their names written at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import COLOURS, theme

DASHES = ("-", "--", ":", "-.")  # never colour alone


def panels(count: int = 1, *, width: float = 7.2, height: float = 2.9) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` panels side by side."""
    figure = Figure(figsize=(width, height))
    axes = figure.subplots(1, count, squeeze=False)
    return figure, list(axes[0])


def draw_lines(
    axes: Axes, x: Sequence[float], curves: Mapping[str, Sequence[float]], *, colours: Mapping[str, str] | None = None
) -> Axes:
    """Draw each curve over ``x`` and write its name at its right end.

    Args:
        curves: name -> values.
        colours: name -> colour, where a curve has a meaning of its own; else blue. Dashes differ in any case.
    """
    for (name, y), dash in zip(curves.items(), DASHES * len(curves), strict=False):
        colour = (colours or {}).get(name, COLOURS["healthy"])
        axes.plot(x, y, dash, color=colour)
        axes.annotate(
            name, (x[-1], y[-1]), xytext=(5, 0), textcoords="offset points", va="center", color=colour, fontsize=9
        )
    return axes


def draw_histograms(axes: Axes, samples: Mapping[str, np.ndarray], edges: np.ndarray) -> Axes:
    """Outlined histograms on common ``edges``, each as a density; names stacked at the top right, beside their dash."""
    for row, ((name, values), dash) in enumerate(zip(samples.items(), DASHES * len(samples), strict=False)):
        density, _ = np.histogram(values, edges, density=True)
        axes.stairs(density, edges, color=COLOURS["healthy"], lw=1.6, ls=dash)
        place = 0.95 - 0.11 * row
        axes.plot([0.72, 0.79], [place, place], dash, color=COLOURS["healthy"], transform=axes.transAxes)
        axes.annotate(name, (0.81, place), xycoords="axes fraction", va="center", color=COLOURS["healthy"], fontsize=9)
    axes.set(yticks=[])
    axes.spines["left"].set_visible(False)
    return axes


def lines_picture(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    alt: str,
    level: tuple[str, float] | None = None,
    level_at: float | None = None,
    **set_options: object,
) -> Picture:
    """One panel of named curves as a finished picture.

    Args:
        level: a name and a value, drawn as a dashed grey line across: a target, a floor.
        level_at: where along ``x`` its name stands; at the start if not given.
        set_options: for ``axes.set``: labels with units, limits, scales.
    """
    with theme():
        figure, (axes,) = panels(width=6.4)
        draw_lines(axes, x, curves)
        if level is not None:
            name, height = level
            axes.axhline(height, color=COLOURS["target"], ls="--", lw=1.2)
            where = x[0] if level_at is None else level_at
            axes.annotate(name, (where, height), xytext=(0, 4), textcoords="offset points", color=COLOURS["target"])
        axes.set(**set_options)
    return Picture(figure, alt=alt)


def histograms_picture(
    samples: Mapping[str, np.ndarray], edges: np.ndarray, *, alt: str, level: tuple[str, float], **set_options: object
) -> Picture:
    """One panel of outlined histograms with a named value marked by a dashed grey line, as a finished picture."""
    with theme():
        figure, (axes,) = panels(width=6.4, height=2.7)
        draw_histograms(axes, samples, edges)
        name, place = level
        axes.axvline(place, color=COLOURS["target"], ls="--", lw=1.2)
        top = axes.get_ylim()[1]
        axes.annotate(name, (place, top), xytext=(5, -9), textcoords="offset points", color=COLOURS["target"])
        axes.set(**set_options)
    return Picture(figure, alt=alt)
