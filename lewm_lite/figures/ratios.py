"""Curves over two logarithmic axes whose ticks are plain numbers: how many times as much, at which size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import NullLocator

from lewm_lite.figures.lines import draw_lines, panels
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import COLOURS, theme


def ratios_picture(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    alt: str,
    level: str,
    yticks: Sequence[float],
    **set_options: object,
) -> Picture:
    """Named curves of ratios, drawn in the order of ``x``, which may fall; the ratio 1 is a dashed grey line.

    Args:
        x: sizes, each a tick. curves: name -> ratios > 0; line breaks in a name move it up or down at its end.
        level: what the ratio 1 stands for. yticks: ratios that are ticks.
        set_options: for ``axes.set``, such as labels.
    """
    with theme():
        figure, (axes,) = panels(width=6.4, height=3.1)
        draw_lines(axes, x, curves)
        axes.plot([x[0], x[-1]], [1, 1], color=COLOURS["target"], ls="--", lw=1.2)
        beside = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "fontsize": 9}
        axes.annotate(level, (x[-1], 1), color=COLOURS["target"], **beside)
        axes.set(xscale="log", yscale="log")
        for axis, ticks in ((axes.xaxis, x), (axes.yaxis, yticks)):
            axis.set_ticks(list(ticks), [f"{tick:g}" for tick in ticks])
            axis.set_minor_locator(NullLocator())
        if x[0] > x[-1]:
            axes.invert_xaxis()
        axes.set(**set_options)
    return Picture(figure, alt=alt)
