"""Small clouds side by side, each over the word of every judge."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor

from lewm_lite.figures.clouds import draw_points, draw_target
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

REACH = 3.0  # what a cloud's picture shows, in units of the target's standard deviation


def clouds_and_verdicts(
    clouds: Mapping[str, Tensor], verdicts: Mapping[str, Mapping[str, bool]], *, columns: int = 3
) -> Picture:
    """Flat clouds, and under each who is content with it.

    Args:
        clouds: name -> ``(samples, 2)``.
        verdicts: name -> judge -> whether it is content.
        columns: clouds in a row.
    """
    lines = -(-len(clouds) // columns)
    with theme() as colours:
        figure = Figure(figsize=(1.75 * columns, 2.4 * lines))
        panels = figure.subplots(
            2 * lines, columns, gridspec_kw={"height_ratios": (2.7, 1.2) * lines, "hspace": 0}, squeeze=False
        )
        for axes in panels.flat:
            axes.axis("off")
        for place, (name, points) in enumerate(clouds.items()):
            cloud, words = panels[2 * (place // columns) : 2 * (place // columns) + 2, place % columns]
            content = all(verdicts[name].values())
            draw_target(cloud, colours["target"])
            draw_points(cloud, points.numpy(), colours["healthy" if content else "collapsed"], size=1.8)
            cloud.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
            cloud.set_title(name, fontsize=9.5, pad=3)
            for line, (judge, fine) in enumerate(verdicts[name].items()):
                mark, ink = ("✓", colours["healthy"]) if fine else ("✗", colours["collapsed"])
                height = 1 - 0.29 * line
                words.text(0.2, height, mark, color=ink, weight="bold", va="top", transform=words.transAxes)
                words.text(0.32, height, judge, va="top", fontsize=9, transform=words.transAxes)
    return Picture(figure, alt=" ".join(_told(name, said) for name, said in verdicts.items()))


def _told(name: str, said: Mapping[str, bool]) -> str:
    fine = [judge for judge, content in said.items() if content]
    words = "nobody is content" if not fine else f"content: {', '.join(fine)}"
    return f"{name[0].upper()}{name[1:]}: {words}."
