"""Tables drawn as cells: a number in each, and a tint that says the same at a glance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import COLOURS, theme

DEEPEST = 0.55  # opacity of the fullest tint, at which a number on it is still read with ease


def draw_cells(
    axes: Axes,
    rows: Mapping[str, Sequence[float]],
    columns: Sequence[str],
    *,
    written: Callable[[float], str],
    low: float,
    high: float,
    framed: Callable[[float], bool] = lambda _: False,
) -> Axes:
    """One row of cells per name, the first at the top; column names stand above.

    Args:
        rows: name -> a number per column.
        written: how a number is written in its cell.
        low, high: numbers whose tint is none and the fullest.
        framed: which numbers get a frame and bold type, so that colour is not their only sign.
    """
    for line, (_, numbers) in enumerate(rows.items()):
        for place, number in enumerate(numbers):
            share = min(1.0, max(0.0, (number - low) / (high - low)))
            tint = (*to_rgba(COLOURS["healthy"])[:3], DEEPEST * share)
            axes.add_patch(Rectangle((place - 0.47, line - 0.45), 0.94, 0.9, facecolor=tint, lw=0))
            if framed(number):
                box = {"fill": False, "edgecolor": COLOURS["ink"], "lw": 1.3}
                axes.add_patch(Rectangle((place - 0.47, line - 0.45), 0.94, 0.9, **box))
            weight = "bold" if framed(number) else "normal"
            axes.text(place, line, written(number), ha="center", va="center", fontsize=8.5, weight=weight)
    axes.set(xlim=(-0.55, len(columns) - 0.45), ylim=(len(rows) - 0.45, -0.55))
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(length=0, labeltop=True, labelbottom=False, pad=1)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def grouped_cells(
    rows: Mapping[str, Mapping[str, Sequence[float]]], columns: Mapping[str, Sequence[str]], *, over: str, alt: str
) -> Picture:
    """Shares in per cent, in groups of columns side by side; 95 in a hundred and more are framed.

    Args:
        rows: row name -> group name -> a share per column of that group.
        columns: group name -> the names of its columns. over: the symbol of which these names are values.
        alt: what is seen, in words.
    """
    widths = [max(len(names), 1.7) for names in columns.values()]  # a title needs room even above a single column
    with theme():
        figure = Figure(figsize=(1.45 + 0.36 * sum(widths), 0.85 + 0.27 * len(rows)))
        panels = figure.subplots(1, len(widths), sharey=True, squeeze=False, gridspec_kw={"width_ratios": widths})[0]
        for axes, (group, names) in zip(panels, columns.items(), strict=True):
            draw_cells(
                axes,
                {name: shares[group] for name, shares in rows.items()},
                names,
                written=lambda share: f"{100 * share:.0f}",
                low=0.05,
                high=1.0,
                framed=lambda share: share >= 0.95,
            )
            axes.set_title(group, fontsize=8.5, pad=6)
            middle, half = (len(names) - 1) / 2, max(len(names), 1.7) / 2
            axes.set_xlim(middle - half, middle + half)
        panels[0].annotate(
            f"{over} =", (0, 1), (-3, 4), xycoords="axes fraction", textcoords="offset points", ha="right", fontsize=8.5
        )
    return Picture(figure, alt=alt)


def weights_picture(
    grid: Mapping[str, Sequence[float]],
    columns: Sequence[str],
    row: Mapping[str, float],
    *,
    good_from: float,
    names: tuple[str, str, str],
    alt: str,
) -> Picture:
    """A grid of two weights above a row of one, each cell a probe's R²; the good ones are framed.

    Args:
        grid: first weight, as written -> R² per second weight. columns: the second weights, as written.
        row: the single weight, as written -> R².
        good_from: R² from which a cell is framed. names: of the first, the second and the single weight.
        alt: what is seen, in words.
    """
    shown = {"written": lambda r2: f"{r2:.2f}", "low": 0.5, "high": 0.92, "framed": lambda r2: r2 >= good_from}
    with theme():
        figure = Figure(figsize=(5.4, 3.6))
        above, below = figure.subplots(2, 1, gridspec_kw={"height_ratios": (len(grid) + 1, 1.4)})
        draw_cells(above, grid, columns, **shown)
        above.set_ylabel(names[0])
        above.set_xlabel(names[1])
        above.xaxis.set_label_position("top")
        draw_cells(below, {"": list(row.values())}, list(row), **shown)
        below.set_xlabel(names[2])
        below.xaxis.set_label_position("top")
    return Picture(figure, alt=alt)
