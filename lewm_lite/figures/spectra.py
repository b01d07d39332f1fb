"""A cloud feature by feature, and along its own axes: two looks that need not agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter
from torch import Tensor

from lewm_lite.embeddings.diagnostics import feature_std, spectrum
from lewm_lite.figures.lines import panels
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

MARKS = (("healthy", "o", "-"), ("collapsed", "x", "--"))


def features_and_spectrum(healthy: tuple[str, Tensor], dead: tuple[str, Tensor], *, alt: str) -> Picture:
    """The std of every feature on the left, the variances along each cloud's own axes on the right, on a log axis.

    Args:
        healthy, dead: a name, and embeddings ``(samples, dim)``. The names stand beside their spectra.
        alt: what is seen, in words.
    """
    with theme() as colours:
        figure, (left, right) = panels(2, width=7.4, height=3.0)
        for (meaning, mark, dash), (name, embeddings) in zip(MARKS, (healthy, dead), strict=True):
            stds, variances = feature_std(embeddings).numpy(), spectrum(embeddings).numpy()
            place = np.arange(1, len(stds) + 1)
            left.plot(place, stds, mark, color=colours[meaning], ms=3, mew=0.8, alpha=0.8)
            right.plot(place, variances, dash, color=colours[meaning], lw=2.2)  # dots by the hundred would weigh more
            at = len(place) // 2
            lift = 9 if meaning == "healthy" else 11
            right.annotate(
                name,
                (place[at], variances[at]),
                xytext=(0, lift),
                textcoords="offset points",
                ha="center",
                color=colours[meaning],
            )
        left.axhline(1, color=colours["target"], ls="--", lw=1)
        left.set(ylim=(0, 2), xlabel="feature", ylabel="std of the feature")
        left.set_title("feature by feature", loc="left")
        right.axhline(1, color=colours["target"], ls="--", lw=1)
        right.set(yscale="log", xlabel="axis of the cloud, widest first", ylabel="variance along it (log)")
        right.set_title("along its own axes", loc="left")
    return Picture(figure, alt=alt)


def scores_over_samples(
    samples: Sequence[int], rows: Mapping[str, Sequence[Mapping[str, float]]], *, line: float, floor: float
) -> Picture:
    """What diseased clouds score, over the size of the batch: computed as lines, measured as dots.

    Args:
        samples: N. rows: name of the disease -> per N its mean score, ``expected`` and measured as ``mean``.
        line: what 95 in 100 healthy clouds stay below; under it is a shaded band in which nothing is seen.
        floor: the mean score of a healthy cloud.
    """
    with theme() as colours:
        figure, (axes,) = panels(width=7.0, height=4.0)
        axes.axhspan(0.5, line, color=colours["target"], alpha=0.16, lw=0)
        axes.axhline(floor, color=colours["target"], ls="--", lw=1.2)
        axes.annotate(
            f"not seen: below what 95 % of healthy clouds score ({line:.2f})",
            (samples[0], 0.72),
            color=colours["target"],
        )
        for name, looks in rows.items():
            scores = [look["expected"] for look in looks]
            axes.plot(samples, scores, "-", color=colours["collapsed"], lw=1.4)
            axes.plot(samples, [look["mean"] for look in looks], "o", color=colours["collapsed"], ms=4.5)
            axes.annotate(
                name,
                (samples[-1], scores[-1]),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                color=colours["collapsed"],
                fontsize=9,
            )
        axes.set(xscale="log", yscale="log", ylim=(0.6, None), xlabel="N, samples in the batch", ylabel="SIGReg (log)")
        axes.xaxis.set(major_locator=FixedLocator(list(samples)), major_formatter=ScalarFormatter())
        axes.xaxis.set(minor_locator=NullLocator(), minor_formatter=NullFormatter())
        axes.yaxis.set(major_locator=FixedLocator([1, 3, 10, 30, 100, 300]), major_formatter=ScalarFormatter())
        axes.yaxis.set(minor_locator=NullLocator(), minor_formatter=NullFormatter())
    ends = "; ".join(f"{' '.join(name.split())} {looks[-1]['mean']:.3g}" for name, looks in rows.items())
    return Picture(
        figure,
        alt=f"Scores over N, computed as lines and measured as dots on them, above a band up to {line:.2f} in which "
        f"nothing is seen. At N = {samples[-1]}: {ends}.",
    )
