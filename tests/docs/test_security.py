"""The page about security names tests that exist, and each advisory has one."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if re.match(r"\| (CVE|GHSA|not numbered)", line)
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1]}")
def test_an_advisory_has_its_tests(row):
    """A row is whole: the advisory, the input, what stock did, what is done, and tests that are there."""
    assert 5 == len(row)
    assert all(row)
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[4])
    assert named
    for path, name in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", source, re.M), (path, name)


def test_advisories_stand_once():
    numbers = re.findall(r"\b(?:CVE-\d{4}-\d+|GHSA(?:-\w{4}){3})\b", TEXT)

    assert 40 < len(numbers)
    assert sorted(set(numbers)) == sorted(numbers)


def test_each_promise_is_shown_by_something():
    """And by a file that is there."""
    promises = re.search(r"^## What is promised\n(.*?)^## ", TEXT, re.M | re.S)[1]
    rows = [line for line in promises.splitlines() if line.startswith("| **")]

    assert 10 == len(rows)
    for row in rows:
        files = re.findall(r"`(tests/[\w/]+\.py)`", row)
        assert files
        assert all((ROOT / one).exists() for one in files), row
