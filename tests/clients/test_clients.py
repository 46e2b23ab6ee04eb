"""Programs of libraries that log with MLflow: what they leave in a store is the same here and there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
# Read here: tests themselves run without the user's settings.
OURS = os.environ.get("MILLSTREAM_CLIENTS_PYTHON")
STOCK = os.environ.get("MILLSTREAM_STOCK_CLIENTS_PYTHON")


def left_by(python, program, folder):
    """Run a program in an empty folder; return what it says is in its store."""
    folder.mkdir()
    environment = {
        **os.environ, "HOME": str(folder), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/store.db",
        "PYTHONPATH": str(PROGRAMS), "SHOWN": str(folder / "shown.json"), "DO_NOT_TRACK": "1",
        "BENTOML_DO_NOT_TRACK": "1", "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        [python, "-W", "ignore", str(program)], cwd=folder, env=environment, capture_output=True,
        text=True, check=False, timeout=400,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-4000:]
    return json.loads((folder / "shown.json").read_text())


@pytest.mark.slow
@pytest.mark.skipif(not (OURS and STOCK), reason="scripts/clients sets up their environments")
@pytest.mark.parametrize(
    "program",
    sorted(one for one in PROGRAMS.glob("*.py") if one.name != "dump.py"),
    ids=lambda p: p.stem,
)
def test_a_library_leaves_the_same(program, tmp_path):
    """Runs, params, points, tags, files, models."""
    assert left_by(STOCK, program, tmp_path / "stock") == left_by(OURS, program, tmp_path / "ours")
