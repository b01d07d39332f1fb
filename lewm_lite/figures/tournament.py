"""Tests of normality side by side: the cloud that each one's gradient moved, and how well each saw the sick one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from lewm_lite.figures.clouds import draw_points, draw_target
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

REACHES = (3.4, 5, 7, 10)  # what a panel may show to either side, in standard deviations of N(0, I)
STEPS = 8  # the line from a point is so many steps long
GOOD_POWER = 0.8  # from here on a test is called a good one for this cloud


def draw_moving(axes: Axes, points: np.ndarray, move: np.ndarray, colours: Mapping[str, str], colour: str) -> Axes:
    """A cloud ``(samples, 2)`` in the circles of N(0, I), with a line from each point along its move."""
    lines = np.stack([points, points + STEPS * move], 1)
    axes.add_collection(LineCollection(lines, colors=colours["ink"], linewidths=0.8))
    return draw_points(draw_target(axes, colours["target"]), points, colour)


def tournament_end(frame, scene, titles: Mapping[str, str]) -> Picture:
    """One moment of the test tournament: a panel for each test.

    Args:
        frame: with ``tensors`` (``points`` and ``move``, ``(samples, tests, 2)``, and ``healthy``) and ``readings``.
        scene: unused, as its words stand beside the picture.
        titles: slot -> the test's name, in the order of the tensors' second axis.
    """
    points, move = (frame.tensors[name].numpy() for name in ("points", "move"))
    healthy = float(frame.tensors["healthy"][0])
    reach = next((reach for reach in REACHES if reach > np.abs(points).max()), REACHES[-1])
    told = []
    with theme() as colours:
        figure = Figure(figsize=(7.4, 5.6))
        for place, (axes, (slot, title)) in enumerate(zip(figure.subplots(2, 3).flat, titles.items(), strict=True)):
            power, distance = (frame.readings[f"{slot}_{what}"] for what in ("power", "distance"))
            arrived = distance <= healthy
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
            colour = colours["healthy" if arrived else "collapsed"]
            draw_moving(axes, points[:, place], move[:, place], colours, colour)
            for spine in axes.spines.values():
                spine.set(visible=True, color=colours["faint"])
            axes.set_title(title, loc="left", fontsize=9.5, weight="bold")
            marks = ("✓" if good else "✗" for good in (power >= GOOD_POWER, arrived))
            words = "{} test: sees {:.0f} %\n{} loss: {:.2f} σ off".format(
                *(word for pair in zip(marks, (100 * power, distance), strict=True) for word in pair)
            )
            axes.set_xlabel(words, loc="left", fontsize=9)
            told.append(f"{title}: seen in {100 * power:.0f} %, {distance:.2f} from N(0, I)")
    return Picture(
        figure,
        alt=f"Six tests after {frame.step} steps, each with the cloud that its gradient moved. {'; '.join(told)}. "
        f"A healthy cloud is {healthy:.2f} from N(0, I).",
    )
