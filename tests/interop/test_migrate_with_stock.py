"""A store that stock MLflow made is moved, and stock MLflow finds in the new place what was in the old."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlflow.cli import cli
from mlflow.store import locate

SCRIPT = Path(__file__).with_name("moved_store.py")
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def stock(folder, *args):
    done = subprocess.run(
        [STOCK, str(SCRIPT), *args],
        cwd=folder, env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    return json.loads(lines[0][5:]) if lines else None


@pytest.mark.parametrize("source", ["file://{}/mlruns", "sqlite:///{}/old.db"])
def test_a_store_of_stock(tmp_path, source):
    uri, new = source.format(tmp_path), f"sqlite:///{tmp_path}/new.db"
    stock(tmp_path, "fill", uri)

    found = CliRunner().invoke(cli, ["migrate", uri, new, "--verify"])
    locate.forget()

    assert found.exit_code == 0, found.output
    here, there = stock(tmp_path, "show", uri), stock(tmp_path, "show", new, "new")
    assert there.pop("next") == "4"
    for part, things in here.items():
        assert things.keys() == there[part].keys(), part
        for key, thing in things.items():
            assert thing == there[part][key], (part, key)
