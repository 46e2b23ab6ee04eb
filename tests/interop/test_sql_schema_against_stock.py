"""What was recorded of MLflow's databases is what the MLflow that is installed makes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mlflow.store.backends.sql import triggers
from mlflow.store.backends.sql.engine import Database
from tests.databases import DIALECTS
from tests.store.backends.sql.test_schema import HERE, describe
from tests.store.backends.sql.test_triggers import refusals

# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


@pytest.mark.parametrize("new_database", DIALECTS, indirect=True)
def test_the_record_is_stock(new_database, tmp_path):
    """Column by column, key by key, index by index, trigger by trigger."""
    uri = new_database.replace("+psycopg:", "+psycopg2:")
    done = subprocess.run(
        [STOCK, "-W", "ignore", "-m", "mlflow", "db", "upgrade", uri],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    database = Database(new_database)
    found = database.run(describe)
    said = database.write(refusals)
    database.close()
    recorded = Path(HERE, "recorded", f"schema_{database.dialect}.json").read_text()

    assert json.loads(recorded) == found
    # What its trigger refuses and allows is what ours does.
    assert [True, True, False, False] == [triggers.MESSAGE in one for one in said]
    assert ["", ""] == said[2:]
