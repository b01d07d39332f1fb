"""Write the repository's address, from ``_config.yml``, into the chapters' first code cells and README.md's badges.

``--check`` writes nothing: it names the files that differ and exits with 1.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[2]
OPEN, CLOSE = "<!-- badges -->", "<!-- /badges -->"

FIRST_CELL = """\
try:
    import lewm_lite  # noqa: F401
except ModuleNotFoundError:
    # In Colab, say: adds what is missing, leaves torch and numpy as they are.
    %pip install --quiet "lewm-lite[chapters] @ git+{url}@{branch}"\
"""
# The same cell with whatever address, flags, comments and layout, and no other statement.
STANDING_CELL = re.compile(
    r"try:\n +import lewm_lite\b.*\nexcept\s*\(?\s*\w+\s*\)?:.*\n(?: *#.*\n)* +%pip install .*\s*"
)
PART_OF_IT = re.compile(r"^try:\n +import lewm_lite\b|^ *[%!]pip ", flags=re.MULTILINE)

COLAB_BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})"
BINDER_BADGE = "[![Open in Binder](https://mybinder.org/badge_logo.svg)]({address})"


class AddressError(ValueError):
    """A file that the address can't be written into, or a ``_config.yml`` that names none."""


@dataclass(frozen=True)
class Address:
    """Where the book is published, and who opens its notebooks."""

    url: str
    branch: str
    colab: str
    binder: str

    @property
    def name(self) -> str:
        """Owner and repository, ``example/lewm-lite``."""
        return self.url.removeprefix("https://github.com/")

    def first_cell(self) -> str:
        """The source of every chapter's first code cell."""
        return FIRST_CELL.format(url=self.url, branch=self.branch)

    def badges(self, chapter: str) -> str:
        """README.md's badges; Colab opens ``chapter``, a path in the repository, and Binder the folder of chapters."""
        in_colab = f"{self.colab}/github/{self.name}/blob/{quote(self.branch)}/{quote(chapter)}"
        in_binder = f"{self.binder}/v2/gh/{self.name}/{quote(self.branch, safe='')}?urlpath=lab%2Ftree%2Fbook"
        return f"{COLAB_BADGE.format(address=in_colab)}\n{BINDER_BADGE.format(address=in_binder)}"


def read_address(config: Path) -> Address:
    """The address in ``_config.yml``.

    Raises:
        AddressError: the repository's url isn't one of GitHub's, which Colab and Binder need, or an entry is missing.
    """
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) or {}

    def entry(section: str, key: str) -> str:
        value = (settings.get(section) or {}).get(key)
        if not isinstance(value, str) or not re.fullmatch(r"[^\s\"'{}$]+", value):
            raise AddressError(f"{config.name}: {section}.{key} must be an address or a name, got {value!r}")
        return value.removesuffix("/")

    url = entry("repository", "url").removesuffix(".git")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        raise AddressError(f"{config.name}: repository.url must be like https://github.com/owner/name, got {url!r}")
    return Address(
        url=url,
        branch=entry("repository", "branch"),
        colab=entry("launch_buttons", "colab_url"),
        binder=entry("launch_buttons", "binderhub_url"),
    )


def with_first_cell(text: str, source: str) -> str:
    """A notebook's text with ``source`` as its first code cell; the same text if it stands there already.

    An older form of the cell is replaced; where there is none, the cell is put before the first code cell.

    Raises:
        AddressError: the first code cell holds more than the import, which would be lost, or the import stands later.
    """
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if any(STANDING_CELL.fullmatch(cell.source) for cell in code[1:]):
        raise AddressError("the cell that imports or installs lewm_lite must be the first code cell, and the only one")
    if code and code[0].source == source:
        return text
    if code and STANDING_CELL.fullmatch(code[0].source):
        code[0].source = source
    elif code and PART_OF_IT.search(code[0].source):
        raise AddressError("the first code cell must import or install lewm_lite and do nothing else: move the rest")
    else:
        cell = nbformat.v4.new_code_cell(source, id="import-lewm-lite")
        if notebook.nbformat_minor < 5:  # ids came with 4.5
            del cell["id"]
        notebook.cells.insert(notebook.cells.index(code[0]) if code else len(notebook.cells), cell)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def with_badges(text: str, badges: str) -> str:
    """README.md's text with ``badges`` between the markers.

    Raises:
        AddressError: the two markers don't stand there once each, in order.
    """
    before, opened, rest = text.partition(OPEN)
    _, closed, after = rest.partition(CLOSE)
    if not (opened and closed) or OPEN in rest or CLOSE in before + after:
        raise AddressError(f"the markers {OPEN} and {CLOSE} must stand there once each, in this order")
    return f"{before}{OPEN}\n{badges}\n{CLOSE}{after}"


def differences(root: Path) -> tuple[dict[Path, str], list[str]]:
    """The files that don't hold the address, each with the text that does, and complaints about those that can't.

    Raises:
        AddressError: ``_config.yml`` names no address.
    """
    address = read_address(root / "_config.yml")
    chapters = sorted((root / "book").glob("*.ipynb"))
    opened = chapters[0].relative_to(root).as_posix() if chapters else ""
    jobs = [(path, with_first_cell, address.first_cell()) for path in chapters]
    jobs.append((root / "README.md", with_badges, address.badges(opened)))
    texts, complaints = {}, []
    for path, rewritten, piece in jobs:
        try:
            old = path.read_bytes().decode()
            new = rewritten(old, piece)
        except (AddressError, OSError, ValueError) as error:
            complaints.append(f"{path.relative_to(root).as_posix()}: {error}")
            continue
        if new != old:
            texts[path] = new
    return texts, complaints


def main(arguments: list[str] | None = None) -> int:
    """Rewrite or check; returns the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file differs")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository's folder (default: this one)")
    chosen = parser.parse_args(arguments)
    try:
        texts, complaints = differences(chosen.root)
    except (AddressError, OSError, yaml.YAMLError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path, text in texts.items():
        name = path.relative_to(chosen.root).as_posix()
        if chosen.check:
            complaints.append(f"{name}: the address differs from _config.yml's: run `make address`")
        else:
            path.write_bytes(text.encode())
            print(f"{name}: the address was written")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if not texts and not complaints:
        print("Every file holds the address already.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
