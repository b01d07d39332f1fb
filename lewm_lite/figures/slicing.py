"""What seeing a cloud along K directions only costs: the error against K, and the kernel of all directions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lewm_lite.figures.lines import DASHES, draw_lines, panels
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme


def slicing_picture(counts: Sequence[int], errors: Mapping[str, Sequence[float]], *, alt: str) -> Picture:
    """Relative errors of the score along K directions, on logarithmic axes: dots as measured, lines of c / sqrt(K).

    Args:
        counts: K. errors: a name -> the error at each K, over the score along all directions; the line goes through the
            first of them. alt: what is seen.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=6.4, height=3.3)
        lines = {name: [row[0] * math.sqrt(counts[0] / count) for count in counts] for name, row in errors.items()}
        draw_lines(axes, counts, lines)
        for row in errors.values():
            axes.plot(counts, row, "o", color=colours["healthy"], ms=4)
        axes.set(xscale="log", yscale="log", xlabel="K, directions", ylabel="error / score over all directions")
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
    return Picture(figure, alt=alt)


def kernels_picture(distances: Sequence[float], kernels: Mapping[str, Sequence[float]], *, alt: str) -> Picture:
    """What a pair of samples adds to the score, by the distance between them: a curve for each dimension.

    Args:
        distances: in standard deviations of N(0, I). kernels: a name -> heights, 1 at distance 0. alt: what is seen.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=6.4, height=3)
        for (name, heights), dash in zip(kernels.items(), DASHES * len(kernels), strict=False):
            axes.plot(distances, heights, dash, color=colours["healthy"])
            place = int(np.argmin(np.abs(np.asarray(heights) - 0.5)))
            beside = {"xytext": (4, 3), "textcoords": "offset points", "fontsize": 9, "color": colours["healthy"]}
            axes.annotate(name, (distances[place], heights[place]), **beside)
        axes.set(xlabel="distance between two samples, in σ", ylabel="kernel", ylim=(0, 1.05), xlim=(0, distances[-1]))
    return Picture(figure, alt=alt)
