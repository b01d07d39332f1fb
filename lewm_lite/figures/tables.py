"""A small table that a cell can end with: real table markup in the page, aligned text elsewhere."""

from __future__ import annotations

import html
from collections.abc import Sequence

CLASSES = "dataframe lewm-data"  # the theme gives every other table in an output a white ground, in dark mode too


class Table:
    """Rows of words and numbers already written out.

    Args:
        columns: their headings.
        rows: as many entries each; the first names the row.
        caption: what the table shows, in a sentence.
        numeric: columns set flush right, by heading.
    Raises:
        ValueError: no column, or a row of another length.
    Example:
        >>> Table(["K", "score"], [["16", "1.05"], ["256", "1.1"]], caption="Scores.", numeric=["score"])
        K    score
        16    1.05
        256    1.1
    """

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, numeric: Sequence[str] = ()
    ) -> None:
        if not columns or any(len(row) != len(columns) for row in rows):
            raise ValueError(f"rows must have one entry for each of {list(columns)}, got {[len(row) for row in rows]}")
        self.columns, self.rows, self.caption = list(columns), [list(row) for row in rows], caption
        self.numeric = set(numeric)

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]

        def aligned(line: list[str]) -> str:
            cells = zip(self.columns, line, widths, strict=True)
            parts = [text.rjust(width) if name in self.numeric else text.ljust(width) for name, text, width in cells]
            return "  ".join(parts).rstrip()

        return "\n".join(aligned(line) for line in lines)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.markup()}

    def markup(self) -> str:
        """The table as HTML; a narrow page scrolls it sideways, by touch or by key."""
        head = "".join(f'<th scope="col"{self._side(name)}>{html.escape(name)}</th>' for name in self.columns)
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        return (
            f'<div class="lewm-table" tabindex="0" role="region" aria-label="{html.escape(self.caption)}" '
            f'style="overflow-x:auto"><table class="{CLASSES}" style="font-size:0.8rem;line-height:1.3">'
            f'<caption style="text-align:left">{html.escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _row(self, row: list[str]) -> str:
        first, *others = zip(self.columns, row, strict=True)
        named = f'<th scope="row"{self._side(first[0])}>{html.escape(first[1])}</th>'
        return named + "".join(f"<td{self._side(name)}>{html.escape(text)}</td>" for name, text in others)

    def _side(self, name: str) -> str:
        if name in self.numeric:
            return ' style="text-align:right;white-space:nowrap;padding:0.25rem 0.4rem"'
        return ' style="text-align:left;padding:0.25rem 0.4rem"'
