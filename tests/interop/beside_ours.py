"""Run by stock MLflow on a database of ours: upgrades it, checks it, works and removes runs in it.

`beside_ours.py STORE RUN_ID` prints, as JSON, what Alembic finds between the database at the URI
STORE and MLflow's declarations, and the ids of the runs that are left. The run is deleted, and
removed by `mlflow gc`.
"""

from __future__ import annotations

import json
import logging
import sys

from click.testing import CliRunner
from sqlalchemy import create_engine

logging.disable(logging.WARNING)

from alembic.autogenerate import compare_metadata  # noqa: E402
from alembic.migration import MigrationContext  # noqa: E402

import mlflow.cli  # noqa: E402
import mlflow.store.model_registry.dbmodels.models  # noqa: E402
import mlflow.store.tracking.dbmodels.models  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.store.db.base_sql_model import Base  # noqa: E402


def command(*arguments: str) -> None:
    found = CliRunner().invoke(mlflow.cli.cli, arguments)
    assert found.exit_code == 0, (found.output, found.exception)


def flat(found: object) -> list:
    if isinstance(found, list):
        return [part for one in found for part in flat(one)]
    return [found]


if __name__ == "__main__":
    uri, run_id = sys.argv[1:]
    command("db", "upgrade", uri)
    client = MlflowClient(uri, uri)
    kept = client.create_run("0").info.run_id
    for run in (run_id, kept):
        client.log_metric(run, "theirs", 1.0, step=1)
        client.log_param(run, "theirs", "1")
    client.delete_run(run_id)
    command("gc", "--backend-store-uri", uri, "--tracking-uri", uri)
    with create_engine(uri).connect() as connection:
        context = MigrationContext.configure(connection)
        different = [str(one) for one in flat(compare_metadata(context, Base.metadata))]
    print(json.dumps([different, [run.info.run_id for run in client.search_runs(["0"])]]))  # noqa: T201
