"""Every chapter keeps the book's rhythm, and every tied number is its value."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lewm_lite.chapters.values import disagreements

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
PICTURES = ("image/png", "image/svg+xml", "image/jpeg")


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def text(cell):
    return "".join(cell["source"])


def words(path):
    prose = " ".join(text(cell) for cell in cells(path, "markdown"))
    return len(re.findall(r"[\w’'-]+", re.sub(r"(?s)<!--.*?-->|\$\$.+?\$\$|\$[^$]+\$", " ", prose)))


def test_the_book_has_chapters():
    assert CHAPTERS


def test_every_number_that_is_tied_to_a_value_is_that_value():
    assert disagreements(ROOT) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
class TestChapter:
    def test_is_of_a_readable_length(self, path):
        assert 1200 <= words(path) <= 2200

    def test_asks_for_predictions_and_ends_with_what_we_know(self, path):
        prose = [text(cell) for cell in cells(path, "markdown")]
        assert sum(":class: predict" in part for part in prose) >= 3
        assert "What we know now" in prose[-1]
        sentences = re.findall(r"[.?!](?:\s|$)", prose[-1].split("What we know now")[1])
        assert len(sentences) == 3

    def test_has_three_graded_exercises_each_checked_and_solved(self, path):
        prose = "\n".join(text(cell) for cell in cells(path, "markdown"))
        code = "\n".join(text(cell) for cell in cells(path, "code"))
        for grade in ("★ ", "★★ ", "★★★ "):
            assert f"**{grade}" in prose
        assert prose.count("```{admonition} Solution\n:class: dropdown") == 3
        assert len(set(re.findall(r"check_\w+", code))) >= 3

    def test_code_cells_are_short_and_were_run_in_order(self, path):
        counts = [cell["execution_count"] for cell in cells(path, "code")]
        assert counts == list(range(1, len(counts) + 1))
        for cell in cells(path, "code"):
            lines = [line for line in text(cell).splitlines() if line.strip()]
            assert len(lines) <= 18 if "hide-input" in cell["metadata"].get("tags", []) else len(lines) <= 15

    def test_outputs_hold_no_error_no_warning_and_no_widget_model(self, path):
        for cell in cells(path, "code"):
            for output in cell["outputs"]:
                assert output["output_type"] != "error"
                assert output.get("name") != "stderr"
                assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})

    def test_every_picture_has_words_for_those_who_cannot_see_it(self, path):
        for cell in cells(path, "code"):
            for output in cell["outputs"]:
                data = output.get("data", {})
                if any(kind in data for kind in PICTURES):
                    labels = re.findall(r'aria-label="([^"]+)"', "".join(data.get("text/html", "")))
                    assert labels and max(len(label.split()) for label in labels) >= 5, text(cell)

    def test_names_no_path_of_a_machine(self, path):
        assert not re.search(r"/(home|root|tmp|Users|work|mnt)/\w", path.read_text())
