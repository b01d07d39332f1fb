"""The built pages: whole, with words for every picture, and calling no other host."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from building import built

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Every page of the book as built, with warnings as errors."""
    folder = built(ROOT)
    return {str(path.relative_to(folder)): path.read_text() for path in (folder / "book").glob("*.html")}


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes) -> None:
        self.found.append((tag, dict(attributes)))


def elements(page: str) -> list[tuple[str, dict]]:
    parser = Elements()
    parser.feed(page)
    return parser.found


def test_every_page_of_the_table_of_contents_is_built(pages):
    wanted = re.findall(r"(?:root|file): (book/\w+)", (ROOT / "_toc.yml").read_text())
    assert wanted
    assert {f"{name}.html" for name in wanted} == set(pages)


def test_every_picture_of_a_page_has_alternative_text(pages):
    for name, page in pages.items():
        article = page[page.index("<article") : page.index("</article>")]
        for tag, attributes in elements(article):
            if tag == "img":
                assert attributes.get("alt"), f"{name}: {attributes}"
            if tag == "svg" and attributes.get("class") == "lewm-picture":
                assert len(attributes["aria-label"].split()) >= 5, name


def test_no_script_style_or_picture_comes_from_another_host(pages):
    for name, page in pages.items():
        for tag, attributes in elements(page):
            source = attributes.get("src") if tag != "link" else attributes.get("href")
            if tag in ("script", "link", "img", "iframe") and source and attributes.get("rel") != "canonical":
                assert not re.match(r"(https?:)?//", source), f"{name}: {source}"


def test_labs_stand_in_notebooks_and_in_markdown_pages_alike(pages):
    for name in ("book/intro.html", "book/08_sigreg.html"):
        labs = [attributes for tag, attributes in elements(pages[name]) if tag == "lewm-lab"]
        assert labs and all(lab["data-engine"] == "recorded" and int(lab["data-step"]) > 0 for lab in labs)


def test_ties_are_invisible_in_the_pages(pages):
    for name, page in pages.items():
        assert "&lt;!--=" not in page, name


def test_the_ledger_lists_every_claim(pages):
    ids = re.findall(r"^- id: (\w+)", (ROOT / "book/claims.yml").read_text(), re.MULTILINE)
    assert len(ids) >= 32
    missing = [claim for claim in ids if f"<strong>{claim}</strong>" not in pages["book/claims.html"]]
    assert missing == []


def test_each_chapter_has_its_launch_links(pages):
    address = re.search(r"url: https://github.com/(\S+)", (ROOT / "_config.yml").read_text())[1]
    assert f"https://colab.research.google.com/github/{address}/blob/main/book/08_sigreg.ipynb" in pages[
        "book/08_sigreg.html"
    ]  # fmt: skip
