"""A finished figure with its alternative text: an SVG that follows the page's colours, and a PNG beside it."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re

import matplotlib as mpl
from matplotlib.figure import Figure

from lewm_lite.figures.theme import COLOURS


class Picture:
    """What a chapter's cell ends with: ``Picture(figure, alt="…")``.

    Args:
        figure: a matplotlib figure, made inside :func:`lewm_lite.figures.theme.theme`.
        alt: what the picture shows, for a reader who cannot see it; at least a sentence.
    Raises:
        ValueError: ``alt`` says next to nothing.
    """

    def __init__(self, figure: Figure, *, alt: str) -> None:
        if len(alt.split()) < 5:
            raise ValueError(f"alt must say in a sentence what the picture shows, got {alt!r}")
        self.figure, self.alt = figure, alt

    def svg(self) -> str:
        """Inline SVG whose colours are the page's CSS variables, with the alternative text as its label."""
        buffer = io.StringIO()
        salt = hashlib.sha256(self.alt.encode()).hexdigest()[:12]
        with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
            self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        self.figure.set_layout_engine("none")  # laid out once: each further time would move things by hundredths
        drawing = buffer.getvalue()
        drawing = drawing[drawing.index("<svg") :]
        # The style sheet inside would reach every drawing of the page; hundredths of a point are plenty.
        drawing = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", drawing, flags=re.DOTALL)
        drawing = re.sub(r"<[^>]+>", lambda tag: _rounded(tag[0]), drawing)
        for name, colour in COLOURS.items():
            drawing = drawing.replace(colour, f"var(--lewm-{name}, {colour})")
        width = round(self.figure.get_size_inches()[0] * 96)
        opening = (
            f'<svg class="lewm-picture" role="img" aria-label="{html.escape(self.alt)}" '
            f'style="width:100%;max-width:{width}px;height:auto" '
        )
        drawing = re.sub(r"<svg ([^>]*)>", lambda tag: opening + _without_size(tag[1]) + ">", drawing, count=1)
        return re.sub(r"\n\s*", "\n", drawing).strip()

    def png(self) -> bytes:
        """The same figure on white, for places that show no SVG."""
        self.svg()  # lays the figure out, so that both forms agree whichever is asked for first
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=110, facecolor="white", metadata={"Software": None})
        return buffer.getvalue()

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {
            "text/plain": repr(self),
            "text/html": f'<figure class="lewm-figure">{self.svg()}</figure>',
            "image/png": base64.b64encode(self.png()).decode(),
        }


def _rounded(tag: str) -> str:
    """Coordinates to two decimals; numbers between tags are words for the reader, and stay."""
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag)


def _without_size(attributes: str) -> str:
    return re.sub(r'\s*\b(width|height)="[^"]*"', "", attributes).strip()
