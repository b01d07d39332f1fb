"""Numbers that sentences quote: told by the cell that computed them, and held against the prose by the suite.

A cell calls ``tell("sigreg.floor", floor)``; the prose says ``1.05<!--= sigreg.floor -->``. The comment is invisible
where Markdown is shown, and :func:`disagreements` finds every sentence whose number is not the value as rounded.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from lewm_lite.files import asset_path

_NAME = r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+"
_TOLD = re.compile(rf"^({_NAME}) = (-?[0-9.]+(?:e[+-]?[0-9]+)?)$", re.MULTILINE)
_QUOTED = re.compile(rf"([-−]?[0-9][0-9,]*(?:\.[0-9]+)?)(\s?%)?<!--=\s*({_NAME})\s*-->")
_TIE = re.compile(r"<!--=.*?-->")


def tell(name: str, value: float, *, digits: int = 4) -> None:
    """Print ``name = value`` for sentences to quote.

    Args:
        name: lower-case words joined by dots, e.g. ``"sigreg.floor"``, used once in the whole book.
        value: a finite number.
        digits: significant digits to keep; more digits than two machines share would make the stored output differ.
    Raises:
        ValueError: a name of another form, or a value that is no finite number.
    """
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"name must be lower-case words joined by dots, such as 'sigreg.floor', got {name!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"value of {name} must be a finite number, got {number}")
    print(f"{name} = {number:.{digits}g}")


def long_run(name: str) -> dict:
    """What an experiment kept, ``values``, ``details`` and ``config``; prints the command that makes it again.

    Args:
        name: the experiment's module, e.g. ``"objectives"``.
    Raises:
        FileNotFoundError: no such result; the message lists those there are.
    """
    result = json.loads(asset_path(f"results/{name}.json").read_text(encoding="utf-8"))
    print("made by:", result["made"]["command"])
    return result


def stored_values(root: Path) -> dict[str, float]:
    """Every told value: in the stored outputs of ``root/book/*.ipynb``, and in ``root/assets/results/*.json``.

    Raises:
        ValueError: one name told in two places.
    """
    found: dict[str, float] = {}
    for place, name, value in [*_told_in_notebooks(root / "book"), *_told_in_results(root / "assets" / "results")]:
        if name in found:
            raise ValueError(f"{name} is told twice, the second time in {place}: names are unique in the whole book")
        found[name] = value
    return found


def disagreements(root: Path) -> list[str]:
    """A sentence for every quoted number that is not its value as rounded, or whose value nobody tells."""
    values = stored_values(root)
    return [f"{place}: {complaint}" for place, text in prose(root / "book") for complaint in check_text(text, values)]


def check_text(text: str, values: dict[str, float]) -> list[str]:
    """The complaints about one text; none if every tie is well formed and every number agrees."""
    complaints = []
    ties = _TIE.findall(text)
    quotes = list(_QUOTED.finditer(text))
    if len(ties) != len(quotes):
        complaints.append(f"{len(ties)} ties, but {len(quotes)} of them stand right behind a number: {ties}")
    for written, percent, name in (match.groups() for match in quotes):
        if name not in values:
            complaints.append(f"{written} is tied to {name}, which no cell tells")
            continue
        value = values[name] * (100 if percent else 1)
        if not agrees(written, value):
            complaints.append(f"{written}{percent or ''} is tied to {name}, which is {value:g}")
    return complaints


def agrees(written: str, value: float) -> bool:
    """Whether ``written`` is ``value`` rounded to the decimals that it shows."""
    plain = written.replace(",", "").replace("−", "-")
    decimals = len(plain.partition(".")[2])
    return abs(float(plain) - value) <= 0.5 * 10**-decimals * (1 + 1e-6) + 1e-12


def prose(book: Path) -> Iterator[tuple[str, str]]:
    """Every text of the book with its place: Markdown pages, Markdown cells of notebooks, and the claims."""
    for path in [*sorted(book.glob("*.md")), *book.glob("claims.yml")]:
        yield path.name, path.read_text(encoding="utf-8")
    for path in sorted(book.glob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            if cell["cell_type"] == "markdown":
                yield f"{path.name} cell {number}", "".join(cell["source"])


def _told_in_notebooks(book: Path) -> Iterator[tuple[str, str, float]]:
    for path in sorted(book.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                for name, value in _TOLD.findall("".join(output.get("text", ""))):
                    yield path.name, name, float(value)


def _told_in_results(results: Path) -> Iterator[tuple[str, str, float]]:
    for path in sorted(results.glob("*.json")):
        for name, value in json.loads(path.read_text(encoding="utf-8")).get("values", {}).items():
            yield path.name, name, float(value)
