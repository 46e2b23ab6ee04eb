"""The care of databases."""

from __future__ import annotations

import json

import pytest

from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.store import databases, locate
from mlflow.store.backends.sql.engine import Database
from tests.store.backends.sql.test_schema import (
    check_is_stock,
    in_every_dialect_slowly,
    recorder,
)


def test_upgrade_makes_what_a_store_opens(tmp_path):
    lines = []
    uri = f"sqlite:///{tmp_path}/new.db"

    databases.upgrade(uri, lines.append)

    store = locate.tracking(uri)
    assert "Default" == store.get_experiment("0").name
    assert f"{tmp_path.cwd()}/mlruns/0" == store.get_experiment("0").artifact_location
    locate.forget()


@pytest.mark.parametrize("uri", ["", "mlruns", "memory:x", "https://example.org", "databricks"])
def test_what_is_no_database(uri):
    with pytest.raises(MlflowException, match="is no database"):
        databases.upgrade(uri, print)


@in_every_dialect_slowly
def test_strip_leaves_the_schema_of_stock(new_database, monkeypatch):
    """With everything dropped, nothing is left that MLflow's schema does not have."""
    client = MlflowClient(new_database, new_database)
    run = client.create_run("0").info.run_id
    client.log_batch(run, [Metric("m", 0.5, 1, 0, dataset_name="d", dataset_digest="1")])
    locate.forget()

    own = ["millstream_metric_details", "millstream_used_numbers"]
    dropped, kept = databases.strip(new_database)
    assert own == kept
    assert 4 == len(dropped)
    assert (own, []) == databases.strip(new_database, everything=True)

    database = Database(new_database)
    describer = recorder()
    monkeypatch.setattr(describer, "OURS", "nothing is left out")
    check_is_stock(json.loads(json.dumps(database.run(describer.describe))), database.dialect)
    database.close()
    # The store goes on with what MLflow's columns say.
    client = MlflowClient(new_database, new_database)
    (point,) = client.get_metric_history(run, "m")
    assert (0.5, None) == (point.value, point.dataset_name)
    locate.forget()
