"""book/notation.md is one table of words, and the library spells no avoided word as a function, argument or field."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ["symbol", "name in code", "shape", "unit", "in one sentence"]
AVOID_COLUMNS = ["we do not write", "we write", "because"]
NOTHING = "—"


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def tables(markdown: str) -> list[list[list[str]]]:
    """Every pipe table as a list of rows, the header first, the rule under it left out."""
    found, rows = [], []
    for line in [*markdown.splitlines(), ""]:
        if line.lstrip().startswith("|"):
            rows.append(_cells(line))
        elif rows:
            found.append([row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)])
            rows = []
    return found


def notation_rows(markdown: str) -> list[list[str]]:
    return [row for table in tables(markdown) if table[0] == COLUMNS for row in table[1:]]


def avoided_words(markdown: str) -> list[str]:
    rows = [row for table in tables(markdown) if table[0] == AVOID_COLUMNS for row in table[1:]]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row[0])]


def code_name(cell: str) -> str | None:
    """`sigreg()` and `knots` in backticks become sigreg and knots; the dash becomes None; anything else is an error."""
    if cell == NOTHING:
        return None
    written = re.fullmatch(r"`([A-Za-z_]\w*)(\(\))?`", cell)
    if written is None:
        raise ValueError(f"a name in code is one identifier in backticks or {NOTHING}, got {cell!r}")
    return written[1] + (written[2] or "")


def table_complaints(markdown: str) -> list[str]:
    """Each row is whole, ends in a sentence, and no name in code stands twice."""
    complaints, names = [], []
    for table in tables(markdown):
        if table[0] not in (COLUMNS, AVOID_COLUMNS):
            complaints.append(f"a table with the columns {table[0]}: use {COLUMNS}")
    for row in notation_rows(markdown):
        if len(row) != len(COLUMNS) or not all(row):
            complaints.append(f"a row needs {len(COLUMNS)} filled cells, got {row}")
            continue
        if not row[-1].endswith("."):
            complaints.append(f"a row ends in a sentence, got {row[-1]!r}")
        try:
            name = code_name(row[1])
        except ValueError as error:
            complaints.append(str(error))
            continue
        if name is not None:
            names.append(name)
    complaints += [f"`{name}` stands {count} times" for name, count in Counter(names).items() if count > 1]
    avoided = set(avoided_words(markdown))
    complaints += [f"`{name}` is both a name and a word we avoid" for name in names if name.rstrip("()") in avoided]
    return complaints


def identifiers(source: str) -> list[tuple[int, str]]:
    """Line and name of each function, each of its arguments, and each annotated field of a class.

    Functions inside functions count too, but for their single letters: a formula may use the letters of its symbols.
    """
    found = []

    def visit(node: ast.AST, *, inside_function: bool) -> None:
        named = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            listed = node.args
            arguments = [*listed.posonlyargs, *listed.args, *listed.kwonlyargs, listed.vararg, listed.kwarg]
            named = [(node.lineno, node.name), *((entry.lineno, entry.arg) for entry in arguments if entry is not None)]
        elif isinstance(node, ast.ClassDef):
            fields = [entry.target for entry in node.body if isinstance(entry, ast.AnnAssign)]
            named = [(field.lineno, field.id) for field in fields if isinstance(field, ast.Name)]
        found.extend((line, name) for line, name in named if not (inside_function and len(name) == 1))
        inside = inside_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            visit(child, inside_function=inside)

    visit(ast.parse(source), inside_function=False)
    return sorted(found)


def spelling_complaints(words: list[str], library: Path) -> list[str]:
    """Where a file of the library writes a word that the book avoids."""
    return [
        f"{file.relative_to(library.parent).as_posix()}:{line} writes {name!r}: see book/notation.md, Words we avoid"
        for file in sorted(library.rglob("*.py"))
        for line, name in identifiers(file.read_text(encoding="utf-8"))
        if name in words
    ]


# --------------------------------------------------------------------------------------------------- the book as it is


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "book" / "notation.md").read_text(encoding="utf-8")


def test_the_table_is_whole_and_names_each_thing_once(page):
    assert table_complaints(page) == []


def test_the_words_of_the_public_surface_are_in_the_table(page):
    names = {code_name(row[1]) for row in notation_rows(page)}
    expected = {
        *("embeddings", "directions", "num_directions", "projections", "knots", "t_max", "dim", "num_samples", "time"),
        *("epps_pulley()", "sigreg()", "SIGReg", "sigreg_weight", "spectrum()", "effective_rank()"),
        *("participation_ratio()", "EMATeacher", "momentum", "frames", "actions", "context", "horizon", "predict()"),
        *("candidates", "elites", "linear_probe()", "surprise()", "generator"),
    }
    assert expected - names == set()


def test_every_avoided_word_is_an_identifier_and_listed_once(page):
    words = avoided_words(page)
    assert len(words) > 20
    assert [word for word in words if not word.isidentifier()] == []
    assert [word for word, count in Counter(words).items() if count > 1] == []


def test_the_library_writes_no_avoided_word(page):
    assert spelling_complaints(avoided_words(page), ROOT / "lewm_lite") == []


# ------------------------------------------------------------------------------------- the checks, on deliberate faults

GOOD = """
| symbol | name in code | shape | unit | in one sentence |
|---|---|---|---|---|
| $K$ | `num_directions` | integer | directions | How many directions. |
| — | `sigreg()` | number | none | A score, $a \\| b$. |
| — | — | — | — | A word. |

| we do not write | we write | because |
|---|---|---|
| `proj`, `lam` | something else | clearer |
"""


def test_a_table_is_read_with_its_names_and_its_avoided_words():
    assert table_complaints(GOOD) == []
    assert [code_name(row[1]) for row in notation_rows(GOOD)] == ["num_directions", "sigreg()", None]
    assert notation_rows(GOOD)[1][-1] == "A score, $a | b$."
    assert avoided_words(GOOD) == ["proj", "lam"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("| — | `sigreg()`", "| — | `num_directions`", "`num_directions` stands 2 times"),
        ("`num_directions`", "`proj`", "`proj` is both a name and a word we avoid"),
        ("`sigreg()`", "`proj()`", "`proj()` is both a name and a word we avoid"),
        ("`sigreg()`", "sigreg", "a name in code is one identifier in backticks"),
        ("`sigreg()`", "`sigreg`, `SIGReg`", "a name in code is one identifier in backticks"),
        ("| How many directions. |", "| How many directions |", "a row ends in a sentence"),
        ("| integer | directions |", "| integer |", "a row needs 5 filled cells"),
        ("| integer | directions |", "| integer | |", "a row needs 5 filled cells"),
        ("| unit |", "| units |", "a table with the columns"),
    ],
)
def test_a_broken_table_is_complained_about(old, new, complaint):
    assert GOOD.count(old) == 1
    complaints = table_complaints(GOOD.replace(old, new))
    assert len(complaints) == 1 and complaints[0].startswith(complaint)


@pytest.mark.parametrize(
    "source",
    [
        "def proj(): ...",
        "async def proj(): ...",
        "def score(proj): ...",
        "def score(proj, /): ...",
        "def score(*, proj=None): ...",
        "def score(*proj): ...",
        "def score(**proj): ...",
        "class Score:\n    def method(self, proj): ...",
        "class Score:\n    proj: int = 3",
        "def outer():\n    def inner(proj): ...",
    ],
)
def test_an_avoided_word_in_the_library_is_complained_about(tmp_path, source):
    library = tmp_path / "library"
    (library / "wing").mkdir(parents=True)
    (library / "wing" / "score.py").write_text(source, encoding="utf-8")
    complaints = spelling_complaints(["proj", "lam"], library)
    assert len(complaints) == 1 and complaints[0].startswith("library/wing/score.py:")


def test_a_letter_is_left_to_formulas_inside_a_function_and_nowhere_else(tmp_path):
    file = tmp_path / "score.py"
    file.write_text("def outer():\n    def formula(z): ...\n\n    def formula_of_words(lam): ...\n", encoding="utf-8")
    assert [complaint.split(": ")[0] for complaint in spelling_complaints(["z", "lam"], tmp_path)] == [
        f"{tmp_path.name}/score.py:4 writes 'lam'"
    ]
    file.write_text("class Score:\n    def method(self, z): ...\n", encoding="utf-8")
    assert len(spelling_complaints(["z"], tmp_path)) == 1


def test_other_uses_of_a_word_are_left_alone(tmp_path):
    source = '"""proj"""\nimport proj\n\n\ndef projector(x):\n    proj = x.proj  # proj\n    return {"proj": proj}\n'
    (tmp_path / "score.py").write_text(source, encoding="utf-8")
    assert spelling_complaints(["proj"], tmp_path) == []
