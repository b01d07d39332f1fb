"""What a step's noise is and what becomes of it: two panels over the same logarithmic axis of counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from lewm_lite.figures.lines import DASHES
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.seeds import name_ends
from lewm_lite.figures.theme import COLOURS, theme

MARKERS = ("o", "s", "^", "D")  # never colour alone


def draw_intervals(axes: Axes, outcomes: Mapping[str, Mapping[float, tuple[float, float, float]]]) -> Axes:
    """Means joined by a line, each with the ends of its interval: name -> place -> mean, low, high.

    A line is named at its own end: above it where it is the highest there, else below.
    """
    for (name, at), dash, marker in zip(
        outcomes.items(), DASHES * len(outcomes), MARKERS * len(outcomes), strict=False
    ):
        means, lows, highs = zip(*at.values(), strict=True)
        reach = [
            [m - low for m, low in zip(means, lows, strict=True)],
            [h - m for m, h in zip(means, highs, strict=True)],
        ]
        axes.errorbar(
            list(at),
            means,
            yerr=reach,
            fmt=dash + marker,
            color=COLOURS["healthy"],
            ms=4,
            lw=1.4,
            elinewidth=1,
            capsize=2,
        )
        last, height = list(at)[-1], means[-1]
        highest = all(height >= other[last][0] for other in outcomes.values() if last in other)
        beside = {"xytext": (0, 9) if highest else (-4, -9), "textcoords": "offset points", "fontsize": 9}
        axes.annotate(
            name,
            (last, height),
            ha="center" if highest else "left",
            va="bottom" if highest else "top",
            color=COLOURS["healthy"],
            annotation_clip=False,
            **beside,
        )
    axes.margins(y=0.12)
    return axes


def noise_and_outcome(
    counts: Sequence[int],
    noise: Mapping[str, Sequence[float]],
    outcomes: Mapping[str, Mapping[float, tuple[float, float, float]]],
    *,
    labels: tuple[str, str, str],
    alt: str,
) -> Picture:
    """On the left how noisy one step is, on the right what training came to.

    Args:
        counts: the ticks of both panels.
        noise: name -> a value > 0 per count. outcomes: name -> count -> mean, low, high.
        labels: of the counts, of the noise, of the outcome.
        alt: what is seen, in words.
    """
    with theme():
        figure = Figure(figsize=(8.2, 3.0))
        left, right = figure.subplots(1, 2)
        for (name, values), dash in zip(noise.items(), DASHES * len(noise), strict=False):
            left.plot(counts, values, dash, color=COLOURS["healthy"], label=name)
        left.set(yscale="log", ylabel=labels[1])
        draw_intervals(right, outcomes).set(ylabel=labels[2])
        for axes in (left, right):
            axes.set(xscale="log", xlabel=labels[0])
            axes.set_xticks(list(counts), [f"{count:,}" for count in counts])
            axes.xaxis.set_minor_locator(NullLocator())
        name_ends(left)
    return Picture(figure, alt=alt)
