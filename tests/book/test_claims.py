"""book/claims.yml keeps its promises: complete, owned by the chapters that exist, and no verdict without numbers."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [
    "intro",
    "01_collapse",
    "02_isotropic_gaussian",
    "03_dimensional_collapse",
    "04_variance_is_not_enough",
    "05_teachers",
    "06_one_dimension",
    "07_cramer_wold",
    "08_sigreg",
    "09_one_knob",
    "10_leworldmodel",
    "11_inside_the_latent",
    "12_planning",
    "13_to_paper_scale",
]
VERDICTS = {"pending", "reproduced", "reproduced_with_limit", "contradicted", "cited"}
WITHOUT_NUMBERS_OF_OURS = {"pending", "cited"}
ARTICLE_CLAIMS = [f"C{number:02d}" for number in range(1, 33)]
TEXT, TEXTS, TEXT_OR_NULL = "a sentence", "a list of words", "a sentence or null"
FIELDS = {
    "id": TEXT,
    "claim": TEXT,
    "source": TEXT,
    "section": TEXT_OR_NULL,
    "chapters": TEXTS,
    "ask": TEXT,
    "experiment": TEXT_OR_NULL,
    "verdict": TEXT,
    "measured": TEXT_OR_NULL,
    "values": TEXTS,
    "where": TEXT_OR_NULL,
}


def load_claims(path: Path) -> list[dict]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def cited_works(bibliography: Path) -> set[str]:
    """The keys of a BibTeX file."""
    return set(re.findall(r"^@\w+\{([^,\s]+),", bibliography.read_text(encoding="utf-8"), flags=re.MULTILINE))


def chapter_text(book: Path, stem: str) -> str | None:
    """What a chapter says in words: its Markdown file or its notebook's Markdown cells; None while there is neither."""
    page, notebook = book / f"{stem}.md", book / f"{stem}.ipynb"
    if page.exists():
        return page.read_text(encoding="utf-8")
    if notebook.exists():
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return None


def _is(kind: str, value: object) -> bool:
    sentence = isinstance(value, str) and bool(value.strip())
    if kind == TEXTS:
        return isinstance(value, list) and all(isinstance(entry, str) and entry.strip() for entry in value)
    return sentence or (kind == TEXT_OR_NULL and value is None)


def field_complaints(claims: list[dict]) -> list[str]:
    """Every field present, none unknown, each of its kind, words from their lists."""
    complaints = []
    for claim in claims:
        name = claim.get("id", "an entry without id")
        complaints += [f"{name}: {field} is missing" for field in FIELDS if field not in claim]
        complaints += [f"{name}: {field} is not a field" for field in claim if field not in FIELDS]
        complaints += [
            f"{name}: {field} must be {kind}, got {claim[field]!r}"
            for field, kind in FIELDS.items()
            if field in claim and not _is(kind, claim[field])
        ]
        if claim.get("verdict") not in VERDICTS:
            complaints.append(f"{name}: the verdict must be one of {sorted(VERDICTS)}, got {claim.get('verdict')!r}")
        if not claim.get("chapters"):
            complaints.append(f"{name}: no chapter is named")
        for stem in claim.get("chapters") or []:
            if stem not in CHAPTERS:
                complaints.append(f"{name}: there is no chapter {stem!r}")
    return complaints


def order_complaints(claims: list[dict]) -> list[str]:
    """C01 to C32 once each and in order, then the papers' claims P01, P02, ... without a gap."""
    ids = [claim.get("id") for claim in claims]
    complaints = [f"{name} stands there {ids.count(name)} times" for name in dict.fromkeys(ids) if ids.count(name) > 1]
    complaints += [f"{name} is missing" for name in ARTICLE_CLAIMS if name not in ids]
    papers = [f"P{number:02d}" for number in range(1, len(ids) - len(ARTICLE_CLAIMS) + 1)]
    if not complaints and ids != ARTICLE_CLAIMS + papers:
        complaints.append(f"the ids must run C01 ... C32, P01, P02, ... in this order, got {ids}")
    return complaints


def source_complaints(claims: list[dict], works: set[str]) -> list[str]:
    """The article for C claims; for P claims a work of the bibliography and the place in it."""
    complaints = []
    for claim in claims:
        if claim["id"].startswith("C"):
            if claim["source"] != "article":
                complaints.append(f"{claim['id']}: a C claim comes from the article, got {claim['source']!r}")
        elif claim["source"] not in works:
            complaints.append(f"{claim['id']}: references.bib has no {claim['source']!r}")
        elif claim["section"] is None:
            complaints.append(f"{claim['id']}: the section of {claim['source']} is missing")
    return complaints


def ownership_complaints(claims: list[dict], book: Path) -> list[str]:
    """A claim with a chapter that exists must be named, by its id, in one of its chapters that exist."""
    complaints = []
    for claim in claims:
        texts = {stem: chapter_text(book, stem) for stem in claim["chapters"]}
        existing = {stem: text for stem, text in texts.items() if text is not None}
        named = re.compile(rf"\b{claim['id']}\b")
        if existing and not any(named.search(text) for text in existing.values()):
            complaints.append(f"{claim['id']} has no owner: name it in {' or '.join(existing)}")
    return complaints


def pending_complaints(claims: list[dict], book: Path) -> list[str]:
    """A claim whose chapters all exist has a verdict."""
    return [
        f"{claim['id']} is still pending, though {', '.join(claim['chapters'])} exist"
        for claim in claims
        if claim["verdict"] == "pending" and all(chapter_text(book, stem) is not None for stem in claim["chapters"])
    ]


def evidence_complaints(claims: list[dict], stored_values: Callable[[], dict[str, float]]) -> list[str]:
    """A verdict of ours has a sentence and values; every value that is named exists. Values are read only if named."""
    complaints = []
    for claim in claims:
        if claim["verdict"] not in WITHOUT_NUMBERS_OF_OURS:
            if claim["measured"] is None:
                complaints.append(f"{claim['id']} is {claim['verdict']}: say in `measured` what was measured")
            if not claim["values"]:
                complaints.append(f"{claim['id']} is {claim['verdict']}: name in `values` at least one stored value")
    if any(claim["values"] for claim in claims):
        stored = stored_values()
        complaints += [
            f"{claim['id']}: there is no stored value {name!r}"
            for claim in claims
            for name in claim["values"]
            if name not in stored
        ]
    return complaints


def values_of_the_book() -> dict[str, float]:
    from lewm_lite.chapters.values import stored_values

    return stored_values(ROOT)


# --------------------------------------------------------------------------------------------------- the book as it is


@pytest.fixture(scope="module")
def claims() -> list[dict]:
    return load_claims(ROOT / "book" / "claims.yml")


def test_every_claim_has_every_field(claims):
    assert field_complaints(claims) == []


def test_the_32_claims_of_the_article_are_there_and_then_those_of_the_papers(claims):
    assert order_complaints(claims) == []


def test_every_claim_has_a_source(claims):
    assert source_complaints(claims, cited_works(ROOT / "book" / "references.bib")) == []


def test_every_claim_has_an_owner_among_its_chapters(claims):
    assert ownership_complaints(claims, ROOT / "book") == []


def test_no_claim_is_pending_once_its_chapters_exist(claims):
    assert pending_complaints(claims, ROOT / "book") == []


def test_every_verdict_rests_on_stored_values(claims):
    assert evidence_complaints(claims, values_of_the_book) == []


# ------------------------------------------------------------------------------------- the checks, on deliberate faults


def claim_with(**changes) -> dict:
    good = {
        "id": "C18",
        "claim": "SIGReg is six steps.",
        "source": "article",
        "section": None,
        "chapters": ["08_sigreg"],
        "ask": "Are they the library's?",
        "experiment": None,
        "verdict": "reproduced",
        "measured": "They agree to 1e-6 on 5 seeds.",
        "values": ["sigreg.six_steps_error"],
        "where": "08_sigreg#six-steps",
    }
    return good | changes


def a_book(folder: Path, **texts: str) -> Path:
    """A book of notebooks; a keyword is a stem with its number last, ``sigreg_08``, as keywords start with a letter."""
    for keyword, text in texts.items():
        name, number = keyword.rsplit("_", 1)
        cells = [
            {"cell_type": "markdown", "source": text.splitlines(keepends=True)},
            {"cell_type": "code", "source": "value = 'C20'", "outputs": []},
        ]
        (folder / f"{number}_{name}.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"claim": ""}, "C18: claim must be a sentence"),
        ({"ask": None}, "C18: ask must be a sentence"),
        ({"values": "sigreg.error"}, "C18: values must be a list of words"),
        ({"values": [1.05]}, "C18: values must be a list of words"),
        ({"measured": 1.05}, "C18: measured must be a sentence or null"),
        ({"verdict": "confirmed"}, "C18: the verdict must be one of"),
        ({"chapters": ["8_sigreg"]}, "C18: there is no chapter '8_sigreg'"),
        ({"chapters": []}, "C18: no chapter is named"),
        ({"note": "also this"}, "C18: note is not a field"),
    ],
)
def test_a_wrong_field_is_complained_about(changes, complaint):
    assert field_complaints([claim_with()]) == []
    complaints = field_complaints([claim_with(**changes)])
    assert len(complaints) == 1 and complaints[0].startswith(complaint)


@pytest.mark.parametrize("field", [field for field in FIELDS if field not in ("id", "verdict", "chapters")])
def test_a_missing_field_is_complained_about(field):
    claim = claim_with()
    del claim[field]
    assert field_complaints([claim]) == [f"C18: {field} is missing"]


def test_a_missing_id_verdict_or_chapter_is_complained_about():
    assert "an entry without id: id is missing" in field_complaints([{}])
    assert "an entry without id: verdict is missing" in field_complaints([{}])
    assert "an entry without id: chapters is missing" in field_complaints([{}])


def test_a_lost_doubled_or_displaced_claim_is_complained_about(claims):
    assert order_complaints([claim for claim in claims if claim["id"] != "C07"]) == ["C07 is missing"]
    assert order_complaints([*claims, claims[3]]) == ["C04 stands there 2 times"]
    assert "in this order" in order_complaints([claims[1], claims[0], *claims[2:]])[0]
    assert "in this order" in order_complaints([claim for claim in claims if claim["id"] != "P01"])[0]


def test_a_source_that_does_not_exist_is_complained_about():
    works = {"maes2026leworldmodel"}
    paper = claim_with(id="P10", source="maes2026leworldmodel", section="3.1")
    assert source_complaints([claim_with(), paper], works) == []
    assert source_complaints([claim_with(source="a blog")], works) == [
        "C18: a C claim comes from the article, got 'a blog'"
    ]
    assert source_complaints([paper | {"source": "maes2025"}], works) == ["P10: references.bib has no 'maes2025'"]
    assert source_complaints([paper | {"section": None}], works) == [
        "P10: the section of maes2026leworldmodel is missing"
    ]


def test_the_keys_of_a_bibliography_are_read(tmp_path):
    file = tmp_path / "some.bib"
    file.write_text("% @misc{commented,\n@misc{one2020,\n  note = {@misc{inner, x}},\n}\n@article{two,\n}\n")
    assert cited_works(file) == {"one2020", "two"}


def test_a_claim_needs_an_owner_only_once_a_chapter_of_it_exists(tmp_path):
    book = a_book(tmp_path, sigreg_08="# SIGReg\n\nSix steps (C18), as claimed.\n")
    assert ownership_complaints([claim_with()], book) == []
    assert ownership_complaints([claim_with(id="C21", chapters=["09_one_knob"])], book) == []
    assert ownership_complaints([claim_with(id="C23")], book) == ["C23 has no owner: name it in 08_sigreg"]
    both = claim_with(id="C24", chapters=["07_cramer_wold", "08_sigreg"])
    assert ownership_complaints([both], book) == ["C24 has no owner: name it in 08_sigreg"]


def test_only_words_of_the_text_own_a_claim(tmp_path):
    book = a_book(tmp_path, sigreg_08="C180 and XC19 are other things.")
    for name in ("C18", "C19", "C20"):  # C20 stands in a code cell
        assert ownership_complaints([claim_with(id=name)], book) == [f"{name} has no owner: name it in 08_sigreg"]


def test_a_markdown_page_can_own_a_claim(tmp_path):
    (tmp_path / "intro.md").write_text("We begin with C03.", encoding="utf-8")
    assert ownership_complaints([claim_with(id="C03", chapters=["intro"])], tmp_path) == []
    assert ownership_complaints([claim_with(id="C04", chapters=["intro"])], tmp_path) == [
        "C04 has no owner: name it in intro"
    ]


def test_pending_is_complained_about_once_all_chapters_exist(tmp_path):
    book = a_book(tmp_path, sigreg_08="C15")
    half = claim_with(id="C15", verdict="pending", chapters=["04_variance_is_not_enough", "08_sigreg"])
    whole = half | {"chapters": ["08_sigreg"]}
    assert pending_complaints([half, whole | {"verdict": "cited"}], book) == []
    assert pending_complaints([whole], book) == ["C15 is still pending, though 08_sigreg exist"]


@pytest.mark.parametrize("verdict", sorted(VERDICTS - WITHOUT_NUMBERS_OF_OURS))
def test_a_verdict_without_a_sentence_or_values_is_complained_about(verdict):
    def stored():
        return {"sigreg.six_steps_error": 1e-7}

    good = claim_with(verdict=verdict)
    assert evidence_complaints([good], stored) == []
    assert evidence_complaints([good | {"measured": None}], stored) == [
        f"C18 is {verdict}: say in `measured` what was measured"
    ]
    assert evidence_complaints([good | {"values": []}], stored) == [
        f"C18 is {verdict}: name in `values` at least one stored value"
    ]
    assert evidence_complaints([good | {"values": ["sigreg.floor"]}], stored) == [
        "C18: there is no stored value 'sigreg.floor'"
    ]


@pytest.mark.parametrize("verdict", sorted(WITHOUT_NUMBERS_OF_OURS))
def test_pending_and_cited_claims_need_no_values_but_name_only_real_ones(verdict):
    def none_are_stored():
        return {}

    bare = claim_with(verdict=verdict, measured=None, values=[])
    assert evidence_complaints([bare], none_are_stored) == []
    assert evidence_complaints([bare | {"values": ["sigreg.floor"]}], none_are_stored) == [
        "C18: there is no stored value 'sigreg.floor'"
    ]


def test_a_verdict_given_too_early_in_the_real_file_would_be_complained_about(claims):
    hasty = copy.deepcopy(claims)
    hasty[0] |= {"verdict": "reproduced", "measured": None, "values": []}
    complaints = evidence_complaints([hasty[0]], dict)
    assert [complaint.split(":")[0] for complaint in complaints] == ["C01 is reproduced", "C01 is reproduced"]
