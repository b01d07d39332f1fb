"""Pictures of the chapter on collapse: what training does to loss, spread and knowledge, and how collapse is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from lewm_lite.figures.lines import DASHES, panels
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.seeds import draw_seeds
from lewm_lite.figures.theme import theme

Curves = Mapping[str, Sequence[Sequence[float]]]  # reading -> [seed][place]
# Where a name stands beside its dots in the picture of losses: points to the right and up, and how it is aligned.
NAMES = {
    "none": ("nothing", 0, 11, "center"),
    "ema_only": ("EMA alone", 0, 14, "center"),
    "variance_only": ("variance only", -8, -7, "right"),
    "variance_unbounded": ("variance\nwithout bound", -8, 0, "right"),
    "sigreg": ("SIGReg", 8, 3, "left"),
}
TOGETHER = ("vicreg", "stop_gradient_only", "ema_stop_gradient")  # too close to each other for a name each
LIVES = {"prediction": "prediction loss", "std": "standard deviation", "probe_r2": "probe R²"}


def lives_picture(steps: Sequence[int], lives: Mapping[str, Curves], *, collapsed: Sequence[str], alt: str) -> Picture:
    """Loss, spread and knowledge over training, a panel each: mean over seeds as a line, all seeds as a band.

    Args:
        steps: where was judged.
        lives: name -> reading -> ``[seed][place]``, of the readings in LIVES.
        collapsed: the names drawn in the colour of collapse.
        alt: what is seen.
    """
    with theme() as colours:
        figure, row = panels(len(LIVES), width=6.6, height=2.7)
        for axes, (reading, title) in zip(row, LIVES.items(), strict=True):
            of_reading = {name: curves[reading] for name, curves in lives.items()}
            draw_seeds(axes, steps, of_reading, colours=dict.fromkeys(collapsed, "collapsed"))
            middle = len(steps) // 2
            for name, seeds in of_reading.items():
                place = (steps[middle], np.mean([curve[middle] for curve in seeds]))
                dead = name in collapsed
                _beside(axes, name, place, 0, 9 if dead else -10, "center", colours["collapsed" if dead else "healthy"])
            axes.set_title(title, loc="left")
            axes.set(xlabel="training step", xlim=(steps[0], steps[-1]))
            axes.set(**({"ylim": (0, 1)} if reading == "probe_r2" else {"yscale": "log"}))
        row[0].set_ylabel("logarithmic")
    return Picture(figure, alt=alt)


def loss_and_knowledge(readings: Mapping[str, Curves], *, alt: str) -> Picture:
    """Each objective's end on the plane of prediction loss and probe R², and the ways there from one start.

    Args:
        readings: objective -> reading -> ``[seed][place]``; at least those of NAMES and TOGETHER.
        alt: what is seen.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=6, height=3.4)
        for name, curves in readings.items():
            dead = is_collapsed(curves)
            colour = colours["collapsed" if dead else "healthy"]
            losses, knowledge = (np.asarray(curves[reading]) for reading in ("prediction", "probe_r2"))
            if name in ("none", "sigreg"):
                axes.plot(losses.mean(0), knowledge.mean(0), color=colour, lw=1.1, alpha=0.8)
            axes.plot(losses[:, -1], knowledge[:, -1], "x" if dead else "o", color=colour, ms=5, mew=1.2, mfc="none")
            if name in NAMES:
                words, right, up, side = NAMES[name]
                _beside(axes, words, (losses[:, -1].mean(), knowledge[:, -1].mean()), right, up, side, colour)
        start = tuple(
            np.mean([seed[0] for seed in readings["none"][reading]]) for reading in ("prediction", "probe_r2")
        )
        axes.plot(*start, "s", color=colours["ink"], ms=6)
        _beside(axes, "untrained", start, 9, -8, "left", colours["ink"])
        group = [np.mean([seed[-1] for seed in readings[name]["prediction"]]) for name in TOGETHER]
        _beside(
            axes, "VICReg, stop-gradient,\nstop-gradient + EMA", (min(group), 0.92), -7, 0, "right", colours["healthy"]
        )
        axes.set(xscale="log", ylim=(0, 1.02), xlabel="prediction loss at the end of training, logarithmic")
        axes.set_ylabel("probe R²:\nhow much of the state can be read")
        axes.xaxis.set_minor_formatter(NullFormatter())
    return Picture(figure, alt=alt)


def is_collapsed(curves: Curves) -> bool:
    """Whether a model ends with a standard deviation below 0.1, or in one dimension: effective rank below 1.5."""
    spread, rank = (np.mean([seed[-1] for seed in curves[reading]]) for reading in ("std", "effective_rank"))
    return bool(spread < 0.1 or rank < 1.5)


def spread_and_knowledge(paths: Mapping[str, Curves], *, starts: Mapping[str, str], alt: str) -> Picture:
    """Ways over the plane of standard deviation and probe R², each from a square to its end, a cross per seed.

    Args:
        paths: name -> ``std`` and ``probe_r2``, ``[seed][place]``.
        starts: name of a path -> what stands at its square; paths that are left out have the square of another.
        alt: what is seen.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=6, height=3.2)
        for (name, curves), dash in zip(paths.items(), DASHES * len(paths), strict=False):
            spread, knowledge = (np.asarray(curves[reading]) for reading in ("std", "probe_r2"))
            axes.plot(spread.mean(0), knowledge.mean(0), dash, color=colours["collapsed"])
            start, end = ((spread[:, place].mean(), knowledge[:, place].mean()) for place in (0, -1))
            axes.plot(*start, "s", color=colours["ink"], ms=5)
            _beside(axes, starts.get(name, ""), start, 8, 0, "left", colours["ink"])
            axes.plot(spread[:, -1], knowledge[:, -1], "x", color=colours["collapsed"], ms=5)
            _beside(axes, name, end, -8, 0, "right", colours["collapsed"])
        axes.set(xscale="log", ylim=(0, 1), xlabel="standard deviation of a feature, logarithmic", ylabel="probe R²")
        axes.set_xlim(left=axes.get_xlim()[0] / 4)  # room for the names
    return Picture(figure, alt=alt)


def escape_picture(
    noises: Sequence[float], travellers: Mapping[str, Sequence[Sequence[int]]], *, predicted: Sequence[float], alt: str
) -> Picture:
    """Steps until a cloud is back, by the standard deviation it starts with: a dot per seed, a line through the means.

    Args:
        noises: the standard deviations. travellers: name -> ``[noise][seed]``.
        predicted: what the growth near the point foretells for the first of them, a grey dashed line.
        alt: what is seen.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=6, height=3)
        axes.plot(noises, predicted, "--", color=colours["target"], lw=3, alpha=0.5)
        for (name, counts), mark, up in zip(travellers.items(), ("o", "^", "s"), (2, 4, -9), strict=True):
            counts = np.asarray(counts)
            axes.plot(noises, counts.mean(1), "-", color=colours["healthy"], lw=1.2)
            axes.plot(noises, counts, mark, color=colours["healthy"], ms=4, mfc="none")
            _beside(axes, name, (noises[0], counts[0].mean()), 12, up, "left", colours["healthy"])
        _beside(axes, "foretold", (noises[-1], predicted[-1]), -9, -4, "right", colours["target"])
        axes.set(xscale="log", ylim=(0, None), xlabel="standard deviation at the start, logarithmic")
        axes.set(ylabel="steps until it is 0.5", xticks=noises, xlim=(noises[-1] / 40, noises[0] * 3))
        axes.xaxis.set_minor_formatter(NullFormatter())
    return Picture(figure, alt=alt)


def _beside(
    axes: Axes, words: str, place: tuple[float, float], right: float, up: float, side: str, colour: str
) -> None:
    offset = {"xytext": (right, up), "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(words, place, ha=side, va="center", color=colour, fontsize=9, **offset)
