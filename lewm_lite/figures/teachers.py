"""Pictures of the chapter on teachers: where a one-number model ends, curves of training, and ends by momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator
from torch import Tensor

from lewm_lite.figures.lines import DASHES, panels
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.seeds import draw_seeds, name_ends
from lewm_lite.figures.theme import theme

WIDTH = 5.6  # inches: a figure that is no wider stays readable on a phone
COLLAPSED = 0.05  # of the one-number encoder's weight: below it the end is marked as collapsed


def paths_picture(paths: Mapping[str, Tensor], *, line: float, alt: str) -> Picture:
    """Where the predictor's and the encoder's one number go, a panel for each way of training.

    Args:
        paths: title -> ``(steps, starts, 2)``, the predictor's number a and the encoder's w along the way.
        line: the predictor's best number, a dashed line.
        alt: what is seen.
    """
    with theme() as colours:
        figure, row = panels(len(paths), width=WIDTH, height=3.0)
        for axes, (title, path) in zip(row, paths.items(), strict=True):
            predictor, encoder = path.numpy().transpose(2, 0, 1)
            axes.plot(predictor, encoder, color=colours["target"], lw=1)
            axes.plot(predictor[0], encoder[0], "o", color=colours["target"], ms=2.5)
            dead = np.abs(encoder[-1]) < COLLAPSED
            for which, mark, meaning in ((dead, "x", "collapsed"), (~dead, "o", "healthy")):
                axes.plot(
                    predictor[-1, which],
                    encoder[-1, which],
                    mark,
                    color=colours[meaning],
                    ms=6,
                    clip_on=False,
                    zorder=3,
                )
            axes.axvline(line, color=colours["target"], ls="--", lw=1)
            top = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "color": colours["target"]}
            axes.annotate("a = ρ", (line, 1), xytext=(4, -8), **top)
            axes.set(xlim=(0, 1.5), ylim=(0, 1.8), xlabel="a, the predictor's number")
            axes.set_title(f"{title}:\n{dead.sum()} of {len(dead)} starts end collapsed", loc="left")
        row[0].set_ylabel("w, the encoder's number")
    return Picture(figure, alt=alt)


def training_curves(
    steps: Sequence[int],
    curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]],
    *,
    collapsed: Sequence[str],
    alt: str,
) -> Picture:
    """Standard deviation and probe R² over training: the mean of the seeds as a line, all seeds as a band.

    Args:
        steps: where was judged.
        curves: name -> ``{"std": …, "probe_r2": …}``, each ``[seed][place]``.
        collapsed: the names drawn in the colour of collapse.
        alt: what is seen.
    """
    with theme():
        figure = Figure(figsize=(WIDTH, 4.6))
        row = figure.subplots(2, 1, sharex=True)
        titles = {"std": "standard deviation of a feature", "probe_r2": "probe R² of the hidden state"}
        for axes, (reading, title) in zip(row, titles.items(), strict=True):
            of_reading = {name: readings[reading] for name, readings in curves.items()}
            draw_seeds(axes, steps, of_reading, colours=dict.fromkeys(collapsed, "collapsed"))
            axes.set(xlim=(steps[0], steps[-1]))
            axes.set_title(title, loc="left")
            axes.set(**({"yscale": "log"} if reading == "std" else {"ylim": (0, 1)}))
            name_ends(axes)
        row[-1].set_xlabel("training step")
    return Picture(figure, alt=alt)


def ends_by_momentum(
    momenta: Sequence[float], ends: Mapping[str, Sequence[Sequence[float]]], *, collapsed: Sequence[str], alt: str
) -> Picture:
    """Standard deviation at the end of training by momentum, a dot for each seed and a line through their means.

    Args:
        momenta: evenly spaced in the picture, as labels.
        ends: name -> ``[momentum][seed]``. collapsed: the names drawn in the colour of collapse.
        alt: what is seen.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=WIDTH, height=2.9)
        places = np.arange(len(momenta))
        for (name, seeds), dash in zip(ends.items(), DASHES * len(ends), strict=False):
            values = np.asarray(seeds)
            colour = colours["collapsed" if name in collapsed else "healthy"]
            mark = "x" if name in collapsed else "o"
            axes.plot(places, values.mean(1), dash, color=colour, label=name)
            axes.plot(places, values, mark, color=colour, ms=4)
        axes.set(yscale="log", xlim=(-0.2, len(momenta) - 0.8), ylabel="standard deviation")
        axes.xaxis.set(major_locator=FixedLocator(places), minor_locator=NullLocator())
        axes.yaxis.set(minor_formatter=NullFormatter())
        axes.set(xticklabels=[f"{momentum:g}" for momentum in momenta], xlabel="momentum of the teacher")
        name_ends(axes)
    return Picture(figure, alt=alt)


def memory_ratios(batches: Sequence[int], ratios: Mapping[str, Sequence[float]], *, alt: str) -> Picture:
    """Memory with a teacher over that of one encoder, by batch, between the lines of the same and of twice as much.

    Args:
        batches: clips, each a step further in the picture.
        ratios: name -> one number per batch.
        alt: what is seen.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=WIDTH, height=2.9)
        places = np.arange(len(batches))
        for (name, ratio), dash in zip(ratios.items(), DASHES * len(ratios), strict=False):
            axes.plot(places, ratio, dash, color=colours["healthy"], marker="o", ms=3.5, label=name)
        for height, words in ((1, "as much as one encoder"), (2, "twice as much")):
            axes.axhline(height, color=colours["target"], ls="--", lw=1)
            at = {"xycoords": ("axes fraction", "data"), "xytext": (0, 4), "textcoords": "offset points"}
            axes.annotate(words, (1, height), ha="right", color=colours["target"], **at)
        axes.set(ylim=(0, 2.3), xlabel="clips in a batch", ylabel="peak memory with a teacher,\none encoder's being 1")
        axes.set(xticks=places, xticklabels=[str(batch) for batch in batches])
        name_ends(axes)
    return Picture(figure, alt=alt)
