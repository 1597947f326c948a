"""The corpus of broken pods, as far as it can be checked without a cluster, and its table."""

from __future__ import annotations

import re

from tests.cluster.why import first_half, second_half
from tools.why_table import BEGIN, END, PAGE, kinds, read_results, replace_table, tables

ALL = [*first_half.CASES, *second_half.CASES]
ROW = (
    '{{"name": "{}", "half": "first", "family": "glibc", "restricted": true, "seconds": 2.04, '
    '"expected": ["segfault"], "kinds": {}, "missing": {}, "answered": true, "right": {}}}'
)


def test_the_cases_can_be_told_apart() -> None:
    names = [case.name for case in ALL]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z0-9-]{1,40}", name) for name in names)


def test_a_case_is_about_its_first_object() -> None:
    for case in ALL:
        owner = case.objects()[0]["metadata"]["name"]
        assert (case.target or owner).rpartition("/")[2] == owner == case.name


def test_the_halves_are_as_large_as_they_should_be() -> None:
    assert len(first_half.CASES) >= 36
    assert len({case.kinds[0] for case in first_half.CASES}) >= 26
    assert len(second_half.CASES) >= 40


def test_the_page_lists_all_kinds() -> None:
    page = PAGE.read_text()
    assert "\n".join(kinds()) in page, "run python -m tools.why_table RESULTS"


def test_the_table_replaces_the_one_before() -> None:
    lines = [
        ROW.format("a", '["abort"]', "[]", "false"),
        ROW.format("a", '["segfault"]', "[]", "true"),
        ROW.format("b", '["segfault"]', '["/app/x"]', "false"),
    ]
    table = "\n".join(tables(read_results("\n".join(lines))))
    assert "| first | 2 | 1 | 2 (100 %) | 1 (50 %) | 1 (50 %) |" in table
    assert "| a | first | glibc, restricted | segfault | right | 2.0 |" in table
    assert (
        "| b | first | glibc, restricted | segfault | **segfault without /app/x** | 2.0 |" in table
    )
    page = replace_table(f"# Title\n{BEGIN}\nold\n{END}\nrest\n", table)
    assert page == f"# Title\n{BEGIN}\n\n{table}\n\n{END}\nrest\n"
