"""Flat clouds in rows, each with a few words under it; and measured numbers as dots with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lewm_lite.figures.clouds import draw_points, draw_target
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import COLOURS, theme

REACH = 3.2  # what a cloud's picture shows, in units of the target's standard deviation
MARKS = ("o", "s", "^")  # never colour alone
Interval = tuple[float, float, float]  # a mean, and the ends of its interval


def clouds_in_rows(clouds: Mapping[str, Tensor], words: Mapping[str, str], *, alt: str, columns: int = 3) -> Picture:
    """Clouds side by side, on the dashed one- and two-sigma circles of the standard Gaussian.

    Args:
        clouds: name -> ``(samples, 2)``. words: name -> what is written under it; may hold line breaks.
        columns: clouds in a row.
    """
    rows = -(-len(clouds) // columns)
    with theme() as colours:
        figure = Figure(figsize=(1.8 * columns, 2.45 * rows))
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes in panels:
            axes.axis("off")
        for axes, (name, points) in zip(panels, clouds.items(), strict=False):
            draw_points(draw_target(axes, colours["target"]), points.numpy(), colours["healthy"], size=1.8)
            axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
            axes.set_title(name, fontsize=10, weight="bold")
            axes.annotate(words[name], (0.5, 0), xycoords="axes fraction", ha="center", va="top", fontsize=9)
    return Picture(figure, alt=alt)


def draw_dots(axes: Axes, rows: Mapping[str, Mapping[str, Interval]], *, meanings: Mapping[str, str]) -> Axes:
    """A line per name, the first at the top, with a mark per series and its interval; series are named at the top.

    Args:
        rows: name -> series -> mean, low, high. meanings: series -> a colour's meaning in the theme.
    """
    handles = {}
    for place, (_, series) in enumerate(rows.items()):
        for mark, (name, (mean, low, high)) in zip(MARKS, series.items(), strict=False):
            ink = COLOURS[meanings[name]]
            axes.plot([low, high], [place, place], color=ink, lw=2.4, alpha=0.55, solid_capstyle="butt")
            fill = ink if mark == "o" else "none"
            (handles[name],) = axes.plot(mean, place, mark, color=ink, mfc=fill, ms=6.5, mew=1.4, ls="none")
    axes.set(yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0, labelsize=9.5)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", color=COLOURS["faint"], lw=0.6)
    axes.set_axisbelow(True)
    where = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": len(handles), "frameon": False}
    axes.legend(handles.values(), handles.keys(), borderpad=0, handletextpad=0.2, fontsize=9, **where)
    return axes


def dots_picture(
    panels: Mapping[str, Mapping[str, Mapping[str, Interval]]],
    *,
    meanings: Mapping[str, str],
    alt: str,
    level: tuple[str, float] | None = None,
    **set_options: object,
) -> Picture:
    """Panels of :func:`draw_dots` one above the other, on one axis, as a finished picture.

    Args:
        panels: title -> rows.
        level: a name and a value, drawn as a dashed grey line down every panel.
        set_options: for the last panel's ``axes.set``: the label, scale and limits of the common axis.
    """
    with theme():
        count = len(next(iter(panels.values())))
        figure = Figure(figsize=(5.2, 0.3 + len(panels) * (0.75 + 0.28 * count)))
        drawn = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (title, rows) in zip(drawn, panels.items(), strict=True):
            draw_dots(axes, rows, meanings=meanings)
            axes.set_title(title, loc="right", pad=8, weight="bold")
            if level is not None:
                name, value = level
                axes.axvline(value, color=COLOURS["target"], ls="--", lw=1.2)
                beside = {"xytext": (4, 0), "textcoords": "offset points", "fontsize": 8.5}
                axes.annotate(name, (value, count - 0.55), color=COLOURS["target"], **beside)
        drawn[-1].set(**set_options)
    return Picture(figure, alt=alt)
