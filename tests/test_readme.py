"""The README's tree is the tree, its commands are there, and its code runs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from lewm_lite.__main__ import new_parser

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
NOT_LISTED = {"__init__.py", "__pycache__", "assets", "static", "images"}


def tree(text: str) -> set[str]:
    """The paths of the tree block, two blanks of indent a level."""
    block = re.search(r"```text\n(.*?)```", text, re.DOTALL)[1]
    paths, parent = set(), ""
    for line in block.splitlines():
        name = line.split()[0]
        parent = name if not line.startswith(" ") else parent
        paths.add(name if not line.startswith(" ") else parent + name)
    return paths


def on_disk(folder: str) -> set[str]:
    found = set()
    for path in (ROOT / folder).iterdir():
        if path.name in NOT_LISTED or path.name.startswith("."):
            continue
        if path.is_dir():
            found.add(f"{folder}{path.name}/")
        elif path.suffix == ".py":
            found.add(f"{folder}{path.name}")
    return found


def test_the_tree_names_everything_that_is_there_and_nothing_else():
    listed = tree(README)
    assert all((ROOT / path).exists() for path in listed), [path for path in listed if not (ROOT / path).exists()]
    for folder in ("lewm_lite/", "book/"):
        assert on_disk(folder) == {path for path in listed if path.startswith(folder) and path != folder}


def test_a_tree_that_lies_is_noticed():
    assert tree("```text\na/   x\n  b.py   y\n  c/   z\n```") == {"a/", "a/b.py", "a/c/"}


def test_the_commands_it_names_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z]+)", README)) - {"help"}
    assert {"book", "test"} <= named
    assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_the_commands_of_the_library_that_it_shows_are_understood():
    shown = re.findall(r"-m lewm_lite ((?:collect|train|evaluate|plan) .*)", README)
    whole = [words for words in shown if "…" not in words]
    chosen = [new_parser().parse_args(shlex.split(words)) for words in whole]
    assert {one.command for one in chosen} == {"collect", "train", "evaluate", "plan"}
    trained = next(one for one in chosen if one.command == "train")
    assert trained.data in [one.out for one in chosen if one.command == "collect"]
    assert {one.checkpoint for one in chosen if one.command in ("evaluate", "plan")} == {f"runs/{trained.preset}"}


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_code_it_shows_runs(document, capsys):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        indent = re.match(r" *", block)[0]
        exec(compile(re.sub(rf"(?m)^{indent}", "", block), document, "exec"), {"__name__": "shown"})


def test_the_lab_that_contributing_shows_keeps_the_contract():
    from lewm_lite.labs.shipping import describe

    block = re.search(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
    names: dict = {"__name__": "shown"}
    exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    lab = names["Stretch"]
    frames = lab().run(every=50)
    assert [frame.step for frame in frames] == [0, 50, 100]
    assert frames[-1].readings["std"] > 2 * frames[0].readings["std"]
    assert describe(lab)["controls"][0]["name"] == "factor"


def test_its_picture_is_there_and_described():
    alt, path = re.search(r"!\[([^\]]+)\]\((book/[^)]+)\)", README).groups()
    assert (ROOT / path).exists() and len(alt.split()) > 10


def test_the_success_that_it_quotes_is_the_manifest_s():
    told = json.loads((ROOT / "assets/checkpoints/lite.json").read_text(encoding="utf-8"))["evaluation"]
    planner, random = told["planner"], told["random"]
    words = r"it solves ([\d.]+) % of 1,000 held-out tasks\s+where random actions solve ([\d.]+) %"
    sentence = re.search(words, README)
    assert planner["trials"] == random["trials"] == 1000
    assert sentence.groups() == (f"{100 * planner['success']:.1f}", f"{100 * random['success']:.1f}")
