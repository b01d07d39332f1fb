"""What a setting does to the outcome: curves over it on a logarithmic axis, and the reach of many side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.seeds import draw_seeds
from lewm_lite.figures.theme import COLOURS, theme

BESIDE = {"textcoords": "offset points", "fontsize": 8.5}


def sweep_picture(
    x: Sequence[float],
    rows: Mapping[str, Sequence[Sequence[float]]],
    *,
    good: tuple[float, float],
    levels: Mapping[str, tuple[str, float]],
    marked: tuple[str, float],
    xlabel: str,
    alt: str,
) -> Picture:
    """Readings over one setting, one panel a reading, one above the other: the mean over seeds, on their range.

    Args:
        x: the setting, positive. rows: a reading's label -> seed -> values over ``x``.
        good: the ends of the stretch that counts as good, shaded in every panel.
        levels: a reading's label -> the name and height of a dashed line in its panel.
        marked: a name and a place along ``x``, ticked in every panel. xlabel: of the lowest panel.
        alt: what is seen, in words.
    """
    with theme():
        figure = Figure(figsize=(6.4, 1.9 * len(rows) + 0.5))
        panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (label, seeds) in zip(panels, rows.items(), strict=True):
            axes.axvspan(*good, color=COLOURS["faint"], alpha=0.35, lw=0)
            draw_seeds(axes, x, {"": seeds})
            axes.plot(x, np.mean(seeds, axis=0), ".", color=COLOURS["healthy"], ms=6)
            if label in levels:
                name, height = levels[label]
                axes.axhline(height, color=COLOURS["target"], ls="--", lw=1.2)
                axes.annotate(name, (x[-1], height), (0, 4), color=COLOURS["target"], ha="right", **BESIDE)
            axes.axvline(marked[1], color=COLOURS["ink"], ls=":", lw=1.2)
            axes.set(xscale="log", ylabel=label, xlim=(x[0] / 1.15, x[-1] * 1.15))
        name, place = marked
        top = {"xycoords": ("data", "axes fraction"), "ha": "center"}
        panels[0].annotate(name, (place, 1), (0, 3), **top, **BESIDE)
        middle = float(np.sqrt(good[0] * good[1]))
        panels[0].annotate("good", (middle, 0.03), (0, 0), **top, **BESIDE)
        panels[-1].set_xlabel(xlabel)
    return Picture(figure, alt=alt)


def shifted_picture(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[Sequence[float]]]]],
    *,
    ylabel: str,
    alt: str,
    **set_options: object,
) -> Picture:
    """The same curves over two scales, side by side: what lies apart on the first and together on the second.

    Their names run up along their steepest rise, on the first scale alone.

    Args:
        panels: an axis's label -> curve's name -> its own ``x``, positive, and seed -> values over it.
        ylabel: of the left panel. alt: what is seen, in words. set_options: for every panel's ``axes.set``.
    """
    with theme():
        figure = Figure(figsize=(7.2, 2.9))
        columns = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        colours = ("healthy", "prediction", "goal", "collapsed")
        for axes, (label, curves) in zip(columns, panels.items(), strict=True):
            for number, (name, (x, seeds)) in enumerate(curves.items()):
                draw_seeds(axes, x, {name: seeds}, colours={name: colours[number % len(colours)]})
                axes.lines[-1].set_linestyle(("-", "--", ":", "-.")[number % 4])
            axes.set(xscale="log", xlabel=label, **set_options)
        for line in columns[0].lines:
            heights, places = line.get_ydata(), np.log(line.get_xdata())
            rise = int(np.argmax(np.diff(heights)))
            middle = (np.exp(places[rise : rise + 2].mean()), heights[rise : rise + 2].mean())
            turned = {"rotation": 90, "ha": "right", "va": "center", "color": line.get_color()}
            columns[0].annotate(line.get_label(), middle, (-6, 0), **turned, **BESIDE)
        columns[0].set_ylabel(ylabel)
    return Picture(figure, alt=alt)


def reach_picture(
    knobs: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    usual: Mapping[str, str],
    levels: Mapping[str, float],
    xlabel: str,
    alt: str,
    xlim: tuple[float, float],
) -> Picture:
    """One row per knob: a tick for the outcome at each of its settings, a bar from the worst to the best.

    Args:
        knobs: knob -> setting, as written -> outcome per seed, whose mean is drawn.
        usual: knob -> the setting that has a filled dot.
        levels: names and places of dashed lines across all rows. xlabel, xlim: of the outcome.
        alt: what is seen, in words.
    """
    with theme():
        figure = Figure(figsize=(6.4, 0.7 + 0.42 * len(knobs)))
        axes = figure.subplots()
        for row, (_, settings) in enumerate(knobs.items()):
            means = {written: float(np.mean(numbers)) for written, numbers in settings.items()}
            worst, best = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
            axes.plot([means[worst], means[best]], [row, row], color=COLOURS["healthy"], lw=5, alpha=0.3)
            axes.plot(list(means.values()), [row] * len(means), "|", color=COLOURS["healthy"], ms=9, mew=1.6)
            axes.annotate(worst, (means[worst], row), (-6, 0), ha="right", va="center", **BESIDE)
            axes.annotate(best, (means[best], row), (6, 0), ha="left", va="center", **BESIDE)
        for row, (knob, settings) in enumerate(knobs.items()):
            axes.plot(np.mean(settings[usual[knob]]), row, "o", color=COLOURS["ink"], ms=4.5)
        for name, place in levels.items():
            axes.axvline(place, color=COLOURS["target"], ls="--", lw=1.2)
            at = {"xycoords": ("data", "axes fraction"), "ha": "center", "color": COLOURS["target"]}
            axes.annotate(name, (place, 1), (0, 3), **at, **BESIDE)
        axes.set_yticks(range(len(knobs)), list(knobs))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set(xlim=xlim, ylim=(len(knobs) - 0.5, -0.6), xlabel=xlabel)
    return Picture(figure, alt=alt)
