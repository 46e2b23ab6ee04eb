"""One store, used by stock MLflow and by us in turn: either reads all that the other wrote.

`MILLSTREAM_STOCK_PYTHON` names an interpreter with stock MLflow 3.17.2, and
`MILLSTREAM_STOCK26_PYTHON` one with 2.6.0.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest

import mlflow
from mlflow.store import locate
from tests.conftest import ALL
from tests.databases import DIALECTS

LARGEST = "1.7976931348623157e+308"
SCRIPT = Path(__file__).with_name("shared_store.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON")
STOCK26 = os.environ.get("MILLSTREAM_STOCK26_PYTHON")

pytestmark = pytest.mark.interop


@pytest.fixture
def script():
    """The script, for use in this process: one client of ours that stays open all the time."""
    spec = importlib.util.spec_from_file_location("shared_store", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stock_does(python, *arguments):
    done = subprocess.run(
        [python, "-W", "ignore", str(SCRIPT), *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    # The folder of logged models is none that MLflow 2 knows; it passes it over.
    assert "Malformed" not in done.stderr.replace("Malformed run 'models'", "")
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("python", "variable"),
    [(STOCK, "MILLSTREAM_STOCK_PYTHON"), (STOCK26, "MILLSTREAM_STOCK26_PYTHON")],
    ids=["stock 3.17.2", "stock 2.6.0"],
)
def test_a_folder_in_alternation(python, variable, script, tmp_path):
    """Each program sees, field by field, what the other added and changed since it looked."""
    if not python:
        pytest.skip(f"{variable} is not set")
    store = (tmp_path / "mlruns").as_uri()
    client = mlflow.MlflowClient(store, store)

    def ours():
        seen = json.loads(json.dumps(script.read(client)))
        if python == STOCK26:
            seen["logged models"] = []  # they are of MLflow 3
        return seen

    assert stock_does(python, "add", tmp_path, store, "theirs") == ours()
    script.add(client, "ours")
    assert stock_does(python, "read", tmp_path, store) == ours()
    assert stock_does(python, "go-on", tmp_path, store) == ours()
    script.go_on(client)
    last = ours()

    assert stock_does(python, "read", tmp_path, store) == last
    assert len(last["experiments"]) == 5
    assert [
        len(run["histories"]["visits"]) for run in last["runs"] if run["start_time"] == 1000
    ] == [2, 2]
    assert {"4", "5"} <= {name[-1] for name in last["registry"][1]}


@pytest.mark.skipif(not STOCK, reason="MILLSTREAM_STOCK_PYTHON is not set")
@pytest.mark.parametrize(
    ("first", "new_database"),
    [(first, one) for first in ("theirs", "ours") for one in DIALECTS]
    if ALL
    else [("theirs", "sqlite"), ("ours", "postgresql"), ("theirs", "mysql")],
    indirect=["new_database"],
)
def test_a_database_in_alternation(first, script, new_database, tmp_path, monkeypatch):
    """The same on databases, whoever made them; MLflow's own drivers are named in the address."""
    monkeypatch.chdir(tmp_path)
    theirs = new_database.replace("+psycopg:", "+psycopg2:")
    client = mlflow.MlflowClient(new_database, new_database)

    def ours():
        return as_stock_reads(json.loads(json.dumps(script.read(client))))

    def stock(*arguments):
        return as_stock_reads(stock_does(STOCK, arguments[0], tmp_path, theirs, *arguments[1:]))

    if first == "ours":
        script.add(client, "ours")
        assert stock("read") == ours()
    assert stock("add", "theirs") == ours()
    if first == "theirs":
        script.add(client, "ours")
    assert stock("go-on") == ours()
    script.go_on(client)
    last = ours()

    assert stock("read") == last
    assert len(last["experiments"]) == 5
    assert {"1.7976931348623157e+308", "nan", "5e-324"} <= {
        point[0] for run in last["runs"] for point in run["histories"].get("deep/er/loss", ())
    }
    locate.forget()


def as_stock_reads(value):
    """What MLflow makes of numbers: it has no infinities, nor everywhere a negative zero."""
    if isinstance(value, dict):
        return {key: as_stock_reads(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_stock_reads(one) for one in value]
    return {"inf": LARGEST, "-inf": f"-{LARGEST}", "-0.0": "0.0"}.get(value, value)
