"""Tests of normality, drawn: what each looks at, what it sees, and how it pushes a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lewm_lite.figures.cells import draw_cells
from lewm_lite.figures.clouds import draw_shadow
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.shadows import draw_arrows, draw_gap
from lewm_lite.figures.theme import theme

SMALLEST = 1e-6  # below it a push is drawn on the floor


def draw_steps(axes: Axes, sample: np.ndarray, colours: dict[str, str], colour: str) -> Axes:
    """The sample's distribution function, a staircase, against that of N(0, 1), with their largest gap marked."""
    ordered = np.sort(sample)
    wanted = 0.5 * (1 + np.array([math.erf(x / math.sqrt(2)) for x in ordered]))
    steps = np.arange(len(ordered) + 1) / len(ordered)
    ends = np.stack([steps[1:], steps[:-1]])
    side, place = np.unravel_index(np.abs(ends - wanted).argmax(), ends.shape)
    x = np.linspace(-3.2, 3.2, 121)
    axes.plot(x, [0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x], color=colours["target"], ls="--", lw=1.4)
    axes.stairs(steps, [-3.2, *np.clip(ordered, -3.2, 3.2), 3.2], color=colour, lw=1.5, baseline=None)
    axes.plot([ordered[place]] * 2, [wanted[place], ends[side, place]], color=colours["ink"], lw=2.4)
    axes.set(xlim=(-3.2, 3.2), ylim=(0, 1.02), xticks=[-2, 0, 2], yticks=[0, 1])
    return axes


def four_views(sample: np.ndarray, arrows: np.ndarray, characteristic: np.ndarray, t: float, *, alt: str) -> Picture:
    """One sample in four views: histogram, distribution function, arrows at one t, and the mean arrow at every t.

    Args:
        sample: ``(samples,)``. arrows: ``(samples, 2)``, at t. characteristic: ``(frequencies, 3)``, as
            :func:`lewm_lite.figures.shadows.draw_gap` takes it.
        alt: what is seen, in words.
    """
    mean = arrows.mean(0)
    with theme() as colours:
        figure = Figure(figsize=(7.6, 2.3))
        bars, steps, circle, gap = figure.subplots(1, 4)
        colour = colours["collapsed"]
        draw_shadow(bars, sample, colours, colour)
        bars.set(xticks=[-2, 0, 2], ylim=(0, 0.75), title="how many where")
        draw_steps(steps, sample, colours, colour).set(title="how many so far")
        shown = arrows[:: max(1, len(arrows) // 60)]
        draw_arrows(circle, shown, mean, math.exp(-t * t / 2), colours, colour).set(title=f"as arrows, t = {t:g}")
        draw_gap(gap, characteristic, colours, colour).set(title="mean arrow, every t", xlabel="t")
        for axes in (bars, steps):
            axes.set_xlabel("x")
    return Picture(figure, alt=alt)


def power_table(
    rows: Mapping[str, Sequence[float]], columns: Sequence[str], *, lines: Sequence[int], between: int, alt: str
) -> Picture:
    """Which test sees which kind of sample, in per cent; 95 and more are framed.

    Args:
        rows: test -> a share per column. columns: what the samples are.
        lines: before which columns a vertical rule stands. between: before which row a horizontal one does.
        alt: what is seen, in words.
    """
    with theme() as colours:
        figure = Figure(figsize=(7.6, 0.95 + 0.27 * len(rows)))
        axes = figure.subplots()
        draw_cells(
            axes,
            rows,
            [name.replace(" ", "\n") for name in columns],
            written=lambda share: f"{100 * share:.0f}",
            low=0.05,
            high=1.0,
            framed=lambda share: share >= 0.95,
        )
        for column in lines:
            axes.axvline(column - 0.5, color=colours["ink"], lw=1)
        axes.axhline(between - 0.5, color=colours["ink"], lw=1)
    return Picture(figure, alt=alt)


def gradients_picture(
    near: np.ndarray,
    pushes_near: Mapping[str, np.ndarray],
    far: np.ndarray,
    pushes_far: Mapping[str, np.ndarray],
    *,
    alt: str,
) -> Picture:
    """How each test pushes one sample: between the others, and far out.

    Args:
        near: places of the sample among the others. pushes_near: test -> gradient there; each is drawn on its own
            scale, one above the other. far: places from the middle outwards. pushes_far: test -> gradient there, on
            one logarithmic scale; open circles where descent would push the sample further out.
        alt: what is seen, in words.
    """
    with theme() as colours:
        figure = Figure(figsize=(7.6, 3.9))
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": (1, 1.25)})
        for row, push in enumerate(pushes_near.values()):
            base = -row
            left.axhline(base, color=colours["faint"], lw=0.8)
            left.plot(near, base + 0.42 * push / max(np.abs(push).max(), 1e-12), color=colours["healthy"], lw=1.2)
        left.set_yticks(-np.arange(len(pushes_near)), list(pushes_near))
        left.tick_params(axis="y", length=0)
        left.set(xlabel="where the sample is", title="among 15 others, each on its own scale")
        left.spines["left"].set_visible(False)
        _draw_far(right, far, pushes_far, colours)
    return Picture(figure, alt=alt)


def _draw_far(axes: Axes, far: np.ndarray, pushes: Mapping[str, np.ndarray], colours: dict[str, str]) -> None:
    ends = {name: max(abs(push[-1]), SMALLEST) for name, push in pushes.items()}
    free = -math.inf
    for name in sorted(ends, key=ends.get):
        push = pushes[name]
        size = np.maximum(np.abs(push), SMALLEST)
        axes.plot(far, size, color=colours["healthy"], lw=1.5)
        outward = (push < 0) & (size > SMALLEST)
        axes.plot(far[outward][::6], size[outward][::6], "o", ms=3.5, mfc="white", color=colours["collapsed"])
        height = max(math.log10(ends[name]), free + 0.55)  # names that would overlap move up
        free = height
        axes.annotate(name, (far[-1], 10**height), (5, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set(yscale="log", ylim=(SMALLEST * 0.7, None), xlim=(far[0], far[-1]), xlabel="distance of the sample from 0")
    axes.set_title("far out, all on one scale")
    axes.annotate("circles: pushes outward", (0.42, 0.24), xycoords="axes fraction", color=colours["collapsed"])


def far_paths(
    steps: Sequence[int], paths: Mapping[str, np.ndarray], *, far: Sequence[int], notes: Mapping[str, str], alt: str
) -> Picture:
    """The paths of a sample's values under descent on several tests, those that started far out in another colour.

    Args:
        steps: when. paths: test -> ``(moments, samples)``. far: which samples started far out.
        notes: test -> a remark below its name. alt: what is seen, in words.
    """
    with theme() as colours:
        figure = Figure(figsize=(7.2, 3.0))
        panels = figure.subplots(1, len(paths), sharey=True, squeeze=False)[0]
        for axes, (name, path) in zip(panels, paths.items(), strict=True):
            others = np.setdiff1d(np.arange(path.shape[1]), far)
            axes.plot(steps, path[:, others], color=colours["target"], lw=0.5, alpha=0.5)
            axes.plot(steps, path[:, far], color=colours["collapsed"], lw=1.1)
            axes.set(title=f"{name}\n{notes[name]}", xlabel="step of descent")
            axes.axhline(0, color=colours["faint"], lw=0.8)
        panels[0].set_ylabel("where each sample is")
    return Picture(figure, alt=alt)
