"""book/_tools/address.py writes the repository's address where it is needed, nothing else, and sees what differs."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "book" / "_tools" / "address.py"


def _load(path: Path):
    spec = importlib.util.spec_from_file_location("lewm_address_tool", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


address = _load(TOOL)

FIRST_CELL = """try:
    import lewm_lite  # noqa: F401
except ModuleNotFoundError:
    # In Colab, say: adds what is missing, leaves torch and numpy as they are.
    %pip install --quiet "lewm-lite[chapters] @ git+https://github.com/example/lewm-lite@main\""""
MOVED = FIRST_CELL.replace("example/lewm-lite@main", "someone/book@v2")
README = "# lewm_lite\n\n<!-- badges -->\nold\n<!-- /badges -->\n\nWords — and more words.\n"


def a_notebook(path: Path, *sources: str, minor: int = 5) -> None:
    """A title, the code cells, and an output; ``minor`` is the notebook format's."""
    cells = [nbformat.v4.new_markdown_cell("# Größe σ", id="title")]
    for number, source in enumerate(sources):
        cell = nbformat.v4.new_code_cell(source, id=f"code-{number}", execution_count=number + 1)
        cell.metadata["tags"] = ["remove-cell"]
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="λ = 0.1\n")]
        cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.nbformat_minor = minor
    if minor < 5:
        for cell in notebook.cells:
            del cell["id"]
    nbformat.write(notebook, path)


@pytest.fixture
def copy(tmp_path) -> Path:
    """A small repository whose files hold the address that its _config.yml names."""
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "_config.yml", tmp_path)
    edit_config(tmp_path, url="https://github.com/example/lewm-lite", branch="main")
    a_notebook(tmp_path / "book" / "01_collapse.ipynb", FIRST_CELL, "1 + 1")
    a_notebook(tmp_path / "book" / "08_sigreg.ipynb", FIRST_CELL, "2 + 2")
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    assert address.main(["--root", str(tmp_path)]) == 0
    assert address.main(["--root", str(tmp_path), "--check"]) == 0
    return tmp_path


def edit_config(root: Path, **repository: str) -> None:
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    settings["repository"] |= repository
    (root / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def cells_of(path: Path) -> list:
    return nbformat.read(path, as_version=4).cells


# ---------------------------------------------------------------------------------------------- the repository as it is


def test_every_file_of_the_repository_holds_the_address():
    texts, complaints = address.differences(ROOT)
    assert complaints == []
    assert [path.relative_to(ROOT).as_posix() for path in texts] == [], "run `make address`"


def test_the_address_stands_nowhere_but_where_the_tool_writes_it():
    published = address.read_address(ROOT / "_config.yml")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    outside = readme[: readme.index(address.OPEN)] + readme[readme.index(address.CLOSE) :]
    assert published.name not in outside, "an address outside the badges would not follow _config.yml"
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        holders = [cell for cell in cells_of(path) if published.name in cell.source]
        assert [cell.source for cell in holders] == [published.first_cell()], path.name


# ------------------------------------------------------------------------------------------------------------ rewriting


def test_the_first_cell_and_the_badges_follow_the_configuration(copy):
    edit_config(copy, url="https://github.com/someone/book/", branch="v2")
    assert address.main(["--root", str(copy)]) == 0
    for name in ("01_collapse", "08_sigreg"):
        assert cells_of(copy / "book" / f"{name}.ipynb")[1].source == MOVED
    assert (copy / "README.md").read_text(encoding="utf-8") == (
        "# lewm_lite\n\n<!-- badges -->\n"
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        "(https://colab.research.google.com/github/someone/book/blob/v2/book/01_collapse.ipynb)\n"
        "[![Open in Binder](https://mybinder.org/badge_logo.svg)]"
        "(https://mybinder.org/v2/gh/someone/book/v2?urlpath=lab%2Ftree%2Fbook)\n"
        "<!-- /badges -->\n\nWords — and more words.\n"
    )


def test_nothing_else_in_a_notebook_changes(copy):
    before = contents(copy)
    edit_config(copy, url="https://github.com/someone/book", branch="v2")
    address.main(["--root", str(copy)])
    for name in ("book/01_collapse.ipynb", "book/08_sigreg.ipynb"):
        undone = (copy / name).read_bytes().replace(b"someone/book@v2", b"example/lewm-lite@main")
        assert undone == before[name]
        assert undone.startswith(b'{\n "cells": [\n  {\n') and undone.endswith(b"}\n")


def test_there_and_back_again_is_the_same_bytes(copy):
    before = contents(copy)
    edit_config(copy, url="https://github.com/someone/book")
    address.main(["--root", str(copy)])
    assert contents(copy) != before
    edit_config(copy, url="https://github.com/example/lewm-lite")
    address.main(["--root", str(copy)])
    assert contents(copy) == before


def test_a_file_that_holds_the_address_is_left_as_it_is_however_it_is_laid_out(copy):
    chapter = copy / "book" / "08_sigreg.ipynb"
    chapter.write_text(re.sub(r"\n +", "\n\t", chapter.read_text(encoding="utf-8")), encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    odd = chapter.read_bytes()
    assert address.main(["--root", str(copy)]) == 0
    assert chapter.read_bytes() == odd
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


@pytest.mark.parametrize("minor", [4, 5])
def test_a_chapter_without_the_cell_gets_it_before_its_first_code_cell(copy, minor):
    chapter = copy / "book" / "02_new.ipynb"
    a_notebook(chapter, "import torch", "torch.ones(2)", minor=minor)
    assert address.main(["--root", str(copy)]) == 0
    written = nbformat.read(chapter, as_version=nbformat.NO_CONVERT)
    nbformat.validate(written)
    assert [cell.source for cell in written.cells] == ["# Größe σ", FIRST_CELL, "import torch", "torch.ones(2)"]
    assert address.main(["--root", str(copy), "--check"]) == 0


def test_a_chapter_without_code_gets_the_cell_at_its_end(copy):
    a_notebook(copy / "book" / "02_new.ipynb")
    assert address.main(["--root", str(copy)]) == 0
    assert [cell.source for cell in cells_of(copy / "book" / "02_new.ipynb")] == ["# Größe σ", FIRST_CELL]


@pytest.mark.parametrize(
    "older",
    [
        FIRST_CELL.replace("@main", "@dev"),
        FIRST_CELL.replace("--quiet", "-q --upgrade"),
        FIRST_CELL.replace("    # In Colab, say: adds what is missing, leaves torch and numpy as they are.\n", ""),
        FIRST_CELL.replace("Error:\n    # In", "Error:  # in"),
        FIRST_CELL.replace(
            "except ModuleNotFoundError:", "except (\n    ModuleNotFoundError\n):  # adds what is missing"
        ),
        FIRST_CELL + "\n",
    ],
)
def test_another_form_of_the_cell_is_seen_and_replaced(copy, older):
    chapter = copy / "book" / "08_sigreg.ipynb"
    a_notebook(chapter, older, "2 + 2")
    assert address.main(["--root", str(copy), "--check"]) == 1
    assert address.main(["--root", str(copy)]) == 0
    assert [cell.source for cell in cells_of(chapter)][1:] == [FIRST_CELL, "2 + 2"]


# --------------------------------------------------------------------------------- what can't be rewritten, and --check


def test_check_names_the_files_that_differ_and_writes_nothing(copy, capsys):
    a_notebook(copy / "book" / "08_sigreg.ipynb", MOVED)
    before = contents(copy)
    capsys.readouterr()
    assert address.main(["--root", str(copy), "--check"]) == 1
    said = capsys.readouterr().err
    assert "book/08_sigreg.ipynb" in said and "make address" in said
    assert "01_collapse" not in said and "README.md" not in said
    edit_config(copy, branch="v2")
    before["_config.yml"] = (copy / "_config.yml").read_bytes()
    assert address.main(["--root", str(copy), "--check"]) == 1
    said = capsys.readouterr().err
    assert all(name in said for name in ("book/01_collapse.ipynb", "book/08_sigreg.ipynb", "README.md"))
    assert contents(copy) == before


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([FIRST_CELL + "\nimport torch"], "do nothing else"),
        ([FIRST_CELL.replace("    %pip", "    import sys\n    %pip")], "do nothing else"),
        (["import torch\n%pip install gymnasium"], "do nothing else"),
        (["!pip install --upgrade numpy"], "do nothing else"),
        (["import torch", FIRST_CELL], "must be the first code cell"),
        ([FIRST_CELL, FIRST_CELL], "must be the first code cell"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_cell_that_would_lose_something_is_complained_about_and_kept(copy, capsys, sources, words, options):
    a_notebook(copy / "book" / "02_new.ipynb", *sources)
    before = contents(copy)
    assert address.main(["--root", str(copy), *options]) == 1
    said = capsys.readouterr().err
    assert said.startswith("book/02_new.ipynb: ") and words in said
    assert contents(copy) == before


@pytest.mark.parametrize(
    "readme",
    [
        "# lewm_lite\n",
        README.replace("<!-- /badges -->", ""),
        README.replace("<!-- badges -->", ""),
        "<!-- /badges --> <!-- badges -->",
        README + README,
        None,
    ],
)
@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_readme_without_its_two_markers_is_complained_about_and_kept(copy, capsys, readme, options):
    if readme is None:
        (copy / "README.md").unlink()
    else:
        (copy / "README.md").write_text(readme, encoding="utf-8")
    before = contents(copy)
    assert address.main(["--root", str(copy), *options]) == 1
    assert capsys.readouterr().err.startswith("README.md: ")
    assert contents(copy) == before


@pytest.mark.parametrize(
    ("repository", "words"),
    [
        ({"url": "https://gitlab.com/example/lewm-lite"}, "repository.url must be like"),
        ({"url": "https://github.com/example"}, "repository.url must be like"),
        ({"url": None}, "repository.url must be"),
        ({"branch": ""}, "repository.branch must be"),
        ({"branch": 'main"; import os'}, "repository.branch must be"),
        ({"branch": 1.0}, "repository.branch must be"),
    ],
)
def test_a_configuration_without_an_address_is_an_error_in_words(copy, capsys, repository, words):
    edit_config(copy, **repository)
    before = contents(copy)
    assert address.main(["--root", str(copy)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: _config.yml: ") and words in said
    assert contents(copy) == before


def test_a_branch_with_a_slash_stays_one_piece_where_it_must(copy):
    edit_config(copy, branch="next/one")
    address.main(["--root", str(copy)])
    readme = (copy / "README.md").read_text(encoding="utf-8")
    assert "/blob/next/one/book/" in readme and "/lewm-lite/next%2Fone?urlpath" in readme
    assert "lewm-lite@next/one" in cells_of(copy / "book" / "08_sigreg.ipynb")[1].source


def test_it_runs_as_a_command(copy):
    edit_config(copy, branch="v2")
    command = [sys.executable, str(TOOL), "--root", str(copy)]
    check = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout) == (1, "") and "README.md" in check.stderr
    write = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (write.returncode, write.stderr) == (0, "") and "README.md: the address was written" in write.stdout
    again = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (0, "Every file holds the address already.\n")
