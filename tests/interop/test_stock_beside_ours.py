"""Our indexes and tables are nothing to stock MLflow, which works and migrates beside them.

`MILLSTREAM_STOCK_PYTHON` names an interpreter with stock MLflow 3.17.2.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.store import locate
from mlflow.store.backends.sql import indexes, tables_own
from mlflow.store.backends.sql.engine import Database
from tests.databases import DIALECTS

SCRIPT = Path(__file__).with_name("beside_ours.py")
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")
OURS = "millstream_"

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def rows_of_details(connection):
    return connection.execute(tables_own.metric_details.select()).all()


@pytest.mark.parametrize("new_database", DIALECTS, indirect=True)
def test_stock_works_beside_them(new_database, tmp_path, monkeypatch):
    """Stock upgrades, writes, removes runs with details of ours; Alembic sees ours as extra alone."""
    monkeypatch.chdir(tmp_path)
    client = MlflowClient(new_database, new_database)
    runs = [client.create_run("0").info.run_id for _ in range(2)]
    for run in runs:
        # Of which dataset a metric of a run is, MLflow's tables do not say.
        client.log_batch(run, [Metric("m", 0.5, 1, 0, dataset_name="d", dataset_digest="1")])
    locate.forget()

    done = subprocess.run(
        [STOCK, "-W", "ignore", SCRIPT, new_database.replace("+psycopg:", "+psycopg2:"), runs[0]],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    different, left = json.loads(done.stdout.splitlines()[-1])

    extra = {*indexes_of_ours(), *tables_own.own.tables}
    mentioned = {name for name in extra if any(repr(name) in one for one in different)}
    assert extra == mentioned
    assert all(one.startswith("('remove_") for one in different if OURS in one)
    assert {runs[1], *left} == set(left)
    assert 2 == len(left)
    database = Database(new_database)
    # What belonged to the run that was removed went with it.
    assert [runs[1]] == [row.run_uuid for row in database.run(rows_of_details)]
    assert database.run(indexes.has_indexes)
    database.close()


def indexes_of_ours():
    return [f"{indexes.PREFIX}{name}" for name in ("metrics", "params", "runs", "tags")]
