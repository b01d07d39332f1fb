"""With several workers, a file's tests share one, so that what the file sets up is set up once."""

from __future__ import annotations

import os

import pytest
from conftest import scope_of

COUNT = 8
seen: list[int] = []


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
@pytest.mark.parametrize("turn", range(COUNT))
def test_a_file_s_tests_meet_in_one_process(turn):
    seen.append(turn)
    assert seen == list(range(turn + 1)), "an earlier test of this file ran elsewhere"


def test_tests_of_pages_are_dealt_out_one_by_one_but_for_those_that_share_a_page_or_more():
    page = "tests/pages/test_lab_contract.py::test_one[a]"
    assert scope_of(page) == page
    assert scope_of("tests/pages/test_lab_contract.py::test_one[book/01_a.html-light]") == scope_of(
        "tests/pages/test_accessibility.py::test_two[dark-book/01_a.html]"
    )
    assert scope_of("tests/pages/test_lab_contract.py::test_one[book/02_b.html]") == "tests/pages book/02_b.html"
    assert scope_of("tests/pages/test_parity.py::test_one[forger]") == "tests/pages forger"
    assert scope_of("tests/pages/test_kernel.py::test_one") == "tests/pages/test_kernel.py"
    assert scope_of("tests/labs/test_forger.py::test_one[b]") == "tests/labs/test_forger.py"
