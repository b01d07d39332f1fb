"""A figure to turn and hover, with a still that stands in its place until it is looked at."""

from __future__ import annotations

import html
import json

import plotly.graph_objects as go

from lewm_lite.figures.picture import Picture

PLOTLY_MIME = "application/vnd.plotly.v1+json"


class Turnable:
    """A plotly figure beside its still: the built page fetches plotly only when the figure nears the view.

    Args:
        figure: a plotly figure.
        still: the same data as a :class:`Picture`, with its alternative text.
    """

    def __init__(self, figure: go.Figure, *, still: Picture) -> None:
        self.figure, self.still = figure, still

    def __repr__(self) -> str:
        return f"Turnable: {self.still.alt}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, object]:
        content = json.loads(self.figure.to_json())
        plain = {"data": content["data"], "layout": content["layout"]}
        script = json.dumps(plain, separators=(",", ":")).replace("</", "<\\/")
        still = self.still._repr_mimebundle_()
        return {
            "text/plain": repr(self),
            "text/html": (
                f'<figure class="lewm-figure lewm-turnable" role="group" aria-label="{html.escape(self.still.alt)}">'
                f'{self.still.svg()}<script type="application/json">{script}</script></figure>'
            ),
            "image/png": still["image/png"],
            PLOTLY_MIME: plain,
        }
