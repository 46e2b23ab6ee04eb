"""The same machine gives the same system metrics as under stock MLflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("system_metrics.py")
MACHINE = Path(__file__).parent.parent / "tracking"
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def points(python, folder):
    folder.mkdir()
    done = subprocess.run(
        [python, "-W", "ignore", str(SCRIPT), str(MACHINE)],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_names_steps_and_values_are_the_same(tmp_path):
    ours = points(sys.executable, tmp_path / "ours")
    stock = points(STOCK, tmp_path / "stock")

    # Stock takes 500 W for what every device of AMD may draw.
    del stock["system/n1/gpu_0_power_usage_percentage"]
    assert ours.keys() == stock.keys()
    for key, expected in stock.items():
        assert [step for step, _ in ours[key]] == [step for step, _ in expected] == [0, 1], key
        assert ours[key] == [[step, pytest.approx(value)] for step, value in expected], key
