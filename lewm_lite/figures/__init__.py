"""How things are drawn: the theme, and plots that take data and axes."""

from __future__ import annotations

from lewm_lite.figures.lines import draw_histograms, draw_lines, histograms_picture, lines_picture, panels
from lewm_lite.figures.picture import Picture
from lewm_lite.figures.tables import Table
from lewm_lite.figures.theme import COLOURS, theme

__all__ = [
    "COLOURS",
    "Picture",
    "Table",
    "draw_histograms",
    "draw_lines",
    "histograms_picture",
    "lines_picture",
    "panels",
    "theme",
]
