"""The same training under `mlflow.sklearn.autolog` gives the runs that stock MLflow makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("autologged.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def runs(python, folder):
    folder.mkdir()
    done = subprocess.run(
        [python, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_runs_are_the_same(tmp_path):
    ours = runs(sys.executable, tmp_path / "ours")
    stock = runs(STOCK, tmp_path / "stock")

    assert ours.keys() == stock.keys()
    for label, expected in stock.items():
        _fill_holes(expected, ours[label])
        assert ours[label] == expected, label


def _fill_holes(expected, found):
    # Stock writes params in the background, and its model may be told of one half written.
    for theirs, mine in zip(expected, found, strict=True):
        for one, other in zip(theirs["models"], mine["models"], strict=True):
            holes = [key for key, value in one["params"].items() if value == ""]
            one["params"].update({key: other["params"][key] for key in holes})
