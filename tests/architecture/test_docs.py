"""The pages name files that exist, and the promises about them hold."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The paths that other pages name are checked in tests/docs.
PAGES = ["CONTRIBUTING.md", "docs/architecture.md", "examples/README.md", "shim/README.md"]
LINKING = [
    *PAGES,
    "README.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]
PREFIXES = ("src/", "tests/", "docs/", "scripts/", "examples/", "shim/", "tools/", "changes/",
            "benchmarks/", ".ci/", ".github/")  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page):
    """Every path between backquotes is there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {
        name
        for name in re.findall(r"`([^`\s]+)`", text)
        if name.startswith(PREFIXES) and "<" not in name
    }
    absent = [
        name for name in sorted(named) if not any(ROOT.glob(name)) and not (ROOT / name).exists()
    ]

    assert [] == absent


@pytest.mark.parametrize("page", LINKING)
def test_links_lead_somewhere(page):
    """Every relative link is a file."""
    text = (ROOT / page).read_text(encoding="utf-8")
    here = (ROOT / page).parent
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]

    assert [] == [link for link in links if not (here / link).exists()]


def test_architecture_is_one_page():
    """And it names every package that the folder lists."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    packages = {
        path.name for path in (ROOT / "src/mlflow").iterdir() if (path / "__init__.py").exists()
    }

    assert 75 >= len(text.splitlines())
    assert [] == sorted(name for name in packages if f"`{name}`" not in text)


def test_decisions_have_numbers_of_their_own():
    """A decision record can be named by its number."""
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))

    assert sorted(set(numbers)) == numbers
    assert 4 <= len(numbers)


@pytest.mark.parametrize("name", ["demo", "test", "check", "bench", "docs", "../.ci/run"])
@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no executable bit")
def test_scripts_are_programs(name):
    """The scripts can be run and are short."""
    path = ROOT / "scripts" / name

    assert os.access(path, os.X_OK)
    assert 15 >= len(path.read_text(encoding="utf-8").splitlines())
