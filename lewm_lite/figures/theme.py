"""One look for every still figure, in both colour schemes: colours that mean something, direct labels, no frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl

# Each colour has one meaning in the whole book. Hues are Okabe and Ito's, which colour-blind readers tell apart; the
# page replaces each by a CSS variable of the same name, so that dark mode has its own.
COLOURS = {
    "ink": "#1f2430",
    "faint": "#c9ccd3",
    "healthy": "#0072b2",
    "collapsed": "#d55e00",
    "target": "#6b7280",
    "prediction": "#b97a00",
    "goal": "#00805c",
}

_STYLE = {
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
    "axes.edgecolor": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.titlecolor": COLOURS["ink"],
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": COLOURS["ink"],
    "font.family": "sans-serif",
    "font.size": 9.5,
    "lines.linewidth": 1.8,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
}


@contextmanager
def theme() -> Iterator[dict[str, str]]:
    """The book's style for figures made inside; yields the colours by meaning."""
    with mpl.rc_context(_STYLE):
        yield COLOURS
