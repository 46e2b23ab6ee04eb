"""The care of databases."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store import databases, locate


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
