"""Encoders side by side at the ends of a run's phases, and what could be read from them on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lewm_lite.figures.clouds import draw_points, draw_target
from lewm_lite.figures.lines import DASHES
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme

REACH = 6  # what a cloud's picture shows, in units of the target's standard deviation
COLLAPSED = 0.1  # standard deviation below which a cloud is drawn as collapsed


def arena_moments(frames: Sequence, scene, names: Mapping[str, str]) -> Picture:
    """Clouds of each encoder at the end of each phase, and under them the probe R² over all steps.

    Args:
        frames: the run, each with ``step``, ``tensors`` (``cloud``, of all encoders) and ``readings``.
        scene: its phases say which moments are drawn.
        names: encoder -> how it is called in the picture, in the order of the cloud's first axis.
    """
    ends = np.cumsum([phase.steps for phase in scene.phases])
    moments = [max((frame for frame in frames if frame.step <= end), key=lambda frame: frame.step) for end in ends]
    steps = [frame.step for frame in frames]
    with theme() as colours:
        figure = Figure(figsize=(7.6, 1.25 * len(moments) + 2.3))
        rows = figure.subfigures(2, 1, height_ratios=(1.25 * len(moments), 2.1))
        clouds = rows[0].subplots(len(moments), len(names), squeeze=False)
        for axes, frame in zip(clouds, moments, strict=True):
            for panel, (place, name) in zip(axes, enumerate(names), strict=True):
                std = frame.readings[f"{name}_std"]
                colour = colours["collapsed"] if std < COLLAPSED else colours["healthy"]
                draw_points(
                    draw_target(panel, colours["target"]), frame.tensors["cloud"][place].numpy(), colour, size=1.6
                )
                panel.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xticks=[], yticks=[])
                panel.set_title(f"std {std:.3f}", fontsize=8, pad=2)
                for spine in panel.spines.values():
                    spine.set(visible=True, color=colours["faint"])
            axes[0].set_ylabel(f"step {frame.step}", fontsize=8.5)
        for panel, shown in zip(clouds[0], names.values(), strict=True):
            panel.set_title(f"{shown}\n{panel.get_title()}", fontsize=8.5, pad=2)
        curves = rows[1].subplots()
        for (name, shown), dash in zip(names.items(), DASHES * 2, strict=False):
            colour = colours["collapsed"] if frames[-1].readings[f"{name}_std"] < COLLAPSED else colours["healthy"]
            curves.plot(
                steps, [frame.readings[f"{name}_probe_r2"] for frame in frames], dash, color=colour, label=shown
            )
        for end in ends[:-1]:
            curves.axvline(end, color=colours["faint"], lw=0.9)
        curves.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=8.5, handlelength=3)
        curves.set(xlabel="step", ylabel="probe R²", ylim=(-0.05, 1))
    told = "; ".join(
        f"{shown}: standard deviation "
        + ", ".join(f"{frame.readings[f'{name}_std']:.3f} at step {frame.step}" for frame in moments)
        for name, shown in names.items()
    )
    return Picture(figure, alt=f"Clouds of {len(names)} encoders at the end of each phase. {told}.")
