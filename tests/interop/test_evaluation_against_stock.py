"""The same evaluations give the runs, results and refusals that stock MLflow gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("evaluated.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def evaluated(python, folder):
    folder.mkdir()
    done = subprocess.run(
        [python, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_runs_and_results_are_the_same(tmp_path):
    ours = evaluated(sys.executable, tmp_path / "ours")
    stock = evaluated(STOCK, tmp_path / "stock")

    assert ours["evaluators"] == stock["evaluators"]
    assert ours["validations"] == stock["validations"]
    differing = {
        label: (expected, ours["evaluations"][label])
        for label, expected in stock["evaluations"].items()
        if ours["evaluations"][label] != expected
    }
    assert differing == {}
