"""A table is real table markup, escaped, and the same in text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from lewm_lite.figures.tables import Table

ROWS = [["a < b", "1.05"], ["long name", "12"]]
TABLE = Table(["form", "score"], ROWS, caption="Scores & forms.", numeric=["score"])


class Cells(HTMLParser):
    """Reads what stands in each cell, and in the caption."""

    def __init__(self):
        super().__init__()
        self.texts, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_every_cell_is_in_the_markup_with_headings_for_columns_and_rows():
    read = Cells()
    read.feed(TABLE.markup())
    assert read.texts == ["Scores & forms.", "form", "score", "a < b", "1.05", "long name", "12"]
    headings = [attrs["scope"] for tag, attrs in read.tags if tag == "th"]
    assert headings == ["col", "col", "row", "row"]
    assert all("text-align:right" in attrs["style"] for tag, attrs in read.tags if tag == "td")


def test_text_is_aligned_and_numbers_end_together():
    first, *others = repr(TABLE).splitlines()
    assert first == "form       score"
    assert others == ["a < b       1.05", "long name     12"]
    assert TABLE._repr_mimebundle_()["text/plain"] == repr(TABLE)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="rows must have one entry for each of"):
        Table(["a", "b"], [["1"]], caption="Nothing.")
    with pytest.raises(ValueError, match="rows must have one entry"):
        Table([], [], caption="Nothing.")
