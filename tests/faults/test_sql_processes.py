"""Processes that write one database at once, and ones that are killed at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import on_every_database
from tests.faults.sql_rounds import KINDS

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.timeout(1500),  # the full number of rounds takes minutes
]


@on_every_database
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost(sql_uri, kind):
    """See `sql_rounds`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.sql_rounds", kind, sql_uri],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (0, "") == (done.returncode, done.stderr)
