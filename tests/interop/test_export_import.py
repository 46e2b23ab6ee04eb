"""`mlflow-export-import`, in our environment, moves runs and models to a stock server and back."""

from __future__ import annotations

import os
import subprocess

import pytest

import mlflow
from tests.server.running import server

from .environments import made
from .exported import MODEL, describe, fill
from .stock_server import stock_server

STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]
# What the tool imports and leaves it to MLflow to bring.
NEEDED = ("mlflow-export-import==1.2.0", "pandas", "requests", "tabulate", "setuptools<80")


def test_there_and_back(tmp_path):
    """From a server of ours over SQLite to a stock one, and from that to ours over files.

    The tool wants the artifacts of the server that it imports to as local files, and no other
    folder called `artifacts` above them. It moves no aliases, and ends each run as FINISHED.
    """
    python = made(tmp_path, *NEEDED)
    for name in ("first", "stock", "last"):
        (tmp_path / name).mkdir()

    def run(command, uri, *arguments):
        done = subprocess.run(
            [os.path.join(os.path.dirname(python), command), *arguments],
            env={**os.environ, "MLFLOW_TRACKING_URI": uri}, cwd=tmp_path,
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    kept = ("--no-serve-artifacts", "--default-artifact-root")
    with (
        server(tmp_path / "first", "--backend-store-uri", "sqlite:///x.db",
               *kept, str(tmp_path / "first" / "kept")) as (_, first),
        server(tmp_path / "last", *kept, str(tmp_path / "last" / "kept")) as (_, last),
        stock_server(STOCK, str(tmp_path / "stock"), str(tmp_path / "stock" / "kept")) as stock,
    ):  # fmt: skip
        fill(mlflow.MlflowClient(first))
        for number, (here, there) in enumerate([(first, stock.uri), (stock.uri, last)]):
            folder = str(tmp_path / f"out{number}")
            run("export-models", here, "--output-dir", folder, "--models", MODEL)
            run("import-models", there, "--input-dir", folder, "--delete-model", "True")
        found = [describe(mlflow.MlflowClient(uri)) for uri in (first, stock.uri, last)]

    assert found[0] == found[1] == found[2]
    assert [len(run["metrics"]) for run in found[0]["runs"].values()] == [150, 150]
