"""Numbers in prose follow the values that cells told."""

from __future__ import annotations

import json

import pytest

from lewm_lite.chapters.values import agrees, check_text, disagreements, stored_values, tell


def notebook(path, *, told="", prose=""):
    cells = [
        {"cell_type": "markdown", "source": [prose]},
        {"cell_type": "code", "source": [], "outputs": [{"output_type": "stream", "name": "stdout", "text": [told]}]},
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells}))


def test_tell_prints_a_line_that_is_found_again(tmp_path, capsys):
    tell("a.floor", 1.05249, digits=4)
    tell("a.tiny", 1.5e-7, digits=2)
    notebook(tmp_path / "book" / "x.ipynb", told=capsys.readouterr().out)
    assert stored_values(tmp_path) == {"a.floor": 1.052, "a.tiny": 1.5e-7}


@pytest.mark.parametrize("name", ["floor", "A.floor", "a floor.x", "a.", ".a"])
def test_a_value_needs_a_dotted_lower_case_name(name):
    with pytest.raises(ValueError, match="name must be lower-case words joined by dots"):
        tell(name, 1.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_must_be_finite(value):
    with pytest.raises(ValueError, match="must be a finite number"):
        tell("a.b", value)


@pytest.mark.parametrize(
    ("written", "value", "verdict"),
    [
        ("1.05", 1.0525, True),
        ("1.05", 1.0551, False),
        ("1.1", 1.0525, True),
        ("1.0", 1.0525, False),
        ("1", 1.4, True),
        ("16,384", 16384, True),
        ("−0.5", -0.5, True),
        ("0.5", -0.5, False),
        ("103", 102.9, True),
        ("102", 102.9, False),
    ],
)
def test_a_number_agrees_when_it_is_the_value_as_rounded(written, value, verdict):
    assert agrees(written, value) is verdict


def test_percent_signs_are_taken_as_hundredths():
    assert check_text("45 %<!--= a.share --> and 45%<!--= a.share -->", {"a.share": 0.4478}) == []
    assert len(check_text("44 %<!--= a.share -->", {"a.share": 0.4478})) == 1


def test_a_wrong_number_an_unknown_value_and_a_loose_tie_are_each_named():
    values = {"a.floor": 1.0525}
    assert check_text("about 1.06<!--= a.floor -->", values) == ["1.06 is tied to a.floor, which is 1.0525"]
    assert check_text("about 1.05<!--= a.flor -->", values) == ["1.05 is tied to a.flor, which no cell tells"]
    assert "stand right behind a number" in check_text("the floor <!--= a.floor --> is", values)[0]


def test_disagreements_are_found_in_notebooks_markdown_pages_results_and_claims(tmp_path):
    notebook(tmp_path / "book" / "x.ipynb", told="a.floor = 1.0525\n", prose="so 1.06<!--= a.floor -->")
    (tmp_path / "book" / "page.md").write_text("and 1.07<!--= a.floor -->, 3<!--= r.three -->")
    (tmp_path / "book" / "claims.yml").write_text("- measured: 1.08<!--= a.floor -->")
    results = tmp_path / "assets" / "results"
    results.mkdir(parents=True)
    (results / "r.json").write_text(json.dumps({"values": {"r.three": 3}}))
    found = disagreements(tmp_path)
    assert len(found) == 3
    assert {line.split(":")[0] for line in found} == {"x.ipynb cell 0", "page.md", "claims.yml"}


def test_one_name_told_twice_is_refused(tmp_path):
    notebook(tmp_path / "book" / "x.ipynb", told="a.b = 1\n")
    notebook(tmp_path / "book" / "y.ipynb", told="a.b = 2\n")
    with pytest.raises(ValueError, match=r"a\.b is told twice, the second time in y\.ipynb"):
        stored_values(tmp_path)
