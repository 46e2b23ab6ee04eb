"""Boosters both ways: folders are alike, and predict the same in stock MLflow and here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("stock_boosters.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def run(python, *words):
    done = subprocess.run(
        [python, "-W", "ignore", str(SCRIPT), *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_models_go_both_ways(tmp_path):
    ours, stock = folders = tmp_path / "ours", tmp_path / "stock"
    for folder in folders:
        folder.mkdir()
    run(sys.executable, "write", ours)
    in_stock = run(STOCK, "write", stock, "read", ours, "read", stock)
    here = run(sys.executable, "read", ours, "read", stock)

    files = [sorted(str(p.relative_to(folder)) for p in folder.glob("*/*")) for folder in folders]
    assert files[0] == files[1]
    expected = in_stock[str(stock)]
    assert len(expected) == 15
    assert in_stock[str(ours)] == expected
    assert here == in_stock
