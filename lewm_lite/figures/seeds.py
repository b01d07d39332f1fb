"""Curves of several seeds: the mean, and the range that all of them keep to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lewm_lite.figures.lines import DASHES
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import COLOURS, theme

LINE_HEIGHT = 13 / 72  # inches that one line of a name needs


def draw_seeds(
    axes: Axes,
    x: Sequence[float],
    curves: Mapping[str, Sequence[Sequence[float]]],
    *,
    colours: Mapping[str, str] | None = None,
) -> Axes:
    """Each curve's mean over seeds, on a band from the lowest to the highest seed; :func:`name_ends` names them.

    Args:
        curves: name -> seed -> values over ``x``. colours: name -> a colour's meaning in the theme; else healthy.
    """
    for (name, seeds), dash in zip(curves.items(), DASHES * len(curves), strict=False):
        seeds = np.asarray(seeds)
        ink = COLOURS[(colours or {}).get(name, "healthy")]
        axes.fill_between(x, seeds.min(0), seeds.max(0), color=ink, alpha=0.2, lw=0)
        axes.plot(x, seeds.mean(0), dash, color=ink, label=name)
    return axes


def name_ends(axes: Axes, *, height: float = 1.9) -> Axes:
    """Every line's label at its right end; labels that would touch share their middle. For axes whose limits are set.

    Args:
        height: of the axes, in inches, about.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    named = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    wanted = [to_axes.transform((line.get_xdata()[-1], line.get_ydata()[-1]))[1] for line in named]
    needed = [LINE_HEIGHT / height * (1 + str(line.get_label()).count("\n")) for line in named]
    for line, place in zip(named, moved_apart(wanted, needed), strict=True):
        axes.annotate(
            line.get_label(),
            (1, place),
            xytext=(5, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            color=line.get_color(),
            fontsize=9,
            annotation_clip=False,
        )
    return axes


def moved_apart(wanted: Sequence[float], needed: Sequence[float]) -> list[float]:
    """Places as near to those wanted as heights allow; neighbours that touch stand together about their common middle.

    Args:
        wanted: a middle for each, as shares of an axis from 0 to 1; none ends above 1 by more than half its own height.
        needed: the height of each, > 0.
    """
    groups: list[list[int]] = []

    def low(group: list[int]) -> float:
        return sum(wanted[i] for i in group) / len(group) - sum(needed[i] for i in group) / 2

    for i in sorted(range(len(wanted)), key=lambda i: wanted[i]):
        groups.append([i])
        while len(groups) > 1 and low(groups[-1]) < low(groups[-2]) + sum(needed[k] for k in groups[-2]):
            upper = groups.pop()
            groups[-1] += upper
    places = [0.0] * len(wanted)
    for group in groups:
        below = min(low(group), 1 + needed[group[-1]] / 2 - sum(needed[k] for k in group))
        for k in group:
            places[k] = below + needed[k] / 2
            below += needed[k]
    return places


def seeds_picture(
    x: Sequence[float],
    panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]],
    *,
    alt: str,
    colours: Mapping[str, str] | None = None,
    **set_options: object,
) -> Picture:
    """Panels of such curves side by side, each under its title, on one scale, as a finished picture.

    Args:
        panels: title -> the curves of :func:`draw_seeds`.
        set_options: for every panel's ``axes.set``; a ``ylabel`` stands at the left one alone.
    """
    ylabel = set_options.pop("ylabel", "")
    with theme():
        figure = Figure(figsize=(6.4 if len(panels) == 1 else 3.2 * len(panels), 2.7))
        rows = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (title, curves) in zip(rows, panels.items(), strict=True):
            draw_seeds(axes, x, curves, colours=colours)
            axes.set(title=title, xlim=(x[0], x[-1]), **set_options)
        for axes in rows:  # a shared scale has its limits only now
            name_ends(axes)
        rows[0].set_ylabel(ylabel)
    return Picture(figure, alt=alt)
