"""Digests, schemas and profiles of the data of other libraries are what stock MLflow records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("described_data.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_FLAVORS_PYTHON") or os.environ.get(
    "MILLSTREAM_STOCK_PYTHON", ""
)

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def recorded(python):
    done = subprocess.run([python, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_records_are_the_same():
    """Of each library that both have in the same version; the digests are the library's own."""
    ours, stock = recorded(sys.executable), recorded(STOCK)

    both = ours.keys() & stock.keys()
    assert "sources" in both
    assert {name: ours[name] for name in both} == {name: stock[name] for name in both}
    lacking = sorted(ours.keys() ^ stock.keys())
    if lacking:
        pytest.skip(f"compared {sorted(both)}, and not what one side alone has: {lacking}")
