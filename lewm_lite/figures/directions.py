"""Scores painted on the sphere of directions: to turn by hand, and flat as a map for the still."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from lewm_lite.figures.lines import panels
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.theme import theme
from lewm_lite.figures.turnable import Turnable


def sphere_of_directions(latitudes: int, longitudes: int) -> tuple[Tensor, Tensor]:
    """A grid of unit vectors over the sphere, and each one's share of its area.

    Returns:
        Directions ``(3, latitudes, longitudes)``, and shares ``(latitudes, longitudes)`` that sum to 1.
    """
    latitude = torch.linspace(-math.pi / 2, math.pi / 2, latitudes)
    longitude = torch.linspace(0, 2 * math.pi, longitudes)
    up, around = torch.meshgrid(latitude, longitude, indexing="ij")
    directions = torch.stack([up.cos() * around.cos(), up.cos() * around.sin(), up.sin()])
    return directions, up.cos() / up.cos().sum()


def direction_map(sphere: Tensor, scores: Tensor, *, alt: str) -> Turnable:
    """A sphere whose colour is each direction's score, beside a flat map of the same numbers.

    Args:
        sphere: ``(3, latitudes, longitudes)``, the directions as points of the unit sphere.
        scores: ``(latitudes, longitudes)``, one per direction.
        alt: what the map shows, in words.
    """
    x, y, z = (np.round(axis.numpy(), 3) for axis in sphere)
    logs = np.round(np.log10(np.maximum(scores.numpy(), 1e-2)), 2)
    ticks = [value for value in (0, 1, 2, 3) if logs.min() <= value <= logs.max()]
    bar = {"title": {"text": "score"}, "tickvals": ticks, "ticktext": [f"{10**value:g}" for value in ticks]}
    surface = go.Surface(
        x=x,
        y=y,
        z=z,
        surfacecolor=logs,
        customdata=np.round(scores.numpy(), 1),
        colorscale="Cividis",
        colorbar=bar,
        lighting={"ambient": 1, "diffuse": 0, "specular": 0},  # a colour is a number here: no shading
        hovertemplate="direction (%{x:.2f}, %{y:.2f}, %{z:.2f})<br>score %{customdata}<extra></extra>",
    )
    bare = {"visible": False}
    turning = go.Figure(surface)
    turning.update_layout(
        template="none",
        height=420,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        scene={"xaxis": bare, "yaxis": bare, "zaxis": bare, "camera": {"eye": {"x": 1.3, "y": 0.9, "z": 0.6}}},
    )
    return Turnable(turning, still=_flat_map(logs, ticks, alt))


def _flat_map(logs: np.ndarray, ticks: list[int], alt: str) -> Picture:
    with theme() as colours:
        figure, (axes,) = panels(width=6.4, height=2.9)
        shown = axes.contourf(
            np.linspace(0, 360, logs.shape[1]), np.linspace(-90, 90, logs.shape[0]), logs, levels=12, cmap="cividis"
        )
        axes.set(
            xlabel="longitude of the direction (degrees)", ylabel="latitude (degrees)", xticks=[0, 90, 180, 270, 360]
        )
        bar = figure.colorbar(shown, ax=axes, ticks=ticks, label="score")
        bar.ax.set_yticklabels([f"{10**value:g}" for value in ticks])
        bar.outline.set_edgecolor(colours["faint"])
    return Picture(figure, alt=alt)
