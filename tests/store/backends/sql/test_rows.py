"""Rows of tables that stores give no access to, from database to database."""

from __future__ import annotations

import json

import pytest
import sqlalchemy

from mlflow.store.backends.sql import SqlBackend, tables_gateway, tables_traces
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.rows import _TRANSIENT, _tables
from mlflow.store.backends.sql.upgrade.upgrading import upgrade
from mlflow.store.migrate import Migration

from .upgrade.conftest import make


def everything(uri, tables):
    database = Database(uri)
    found = {}
    for table in tables:
        rows = database.run(
            lambda connection, table=table: (
                connection.execute(sqlalchemy.select(table)).mappings().all()
            )
        )
        found[table.name] = sorted(
            json.dumps(dict(row), default=str, sort_keys=True) for row in rows
        )
    database.close()
    return found


def tables_of_others():
    """Return the tables that stores give no access to, in the order of their keys."""
    declared = [*vars(tables_traces).values(), *vars(tables_gateway).values()]
    return _tables({one.name for one in declared if isinstance(one, sqlalchemy.Table)} - _TRANSIENT)


@pytest.fixture
def source(tmp_path):
    """A database of MLflow 3.16, brought up to date: with rows in every table."""
    path = tmp_path / "old.db"
    make(path, "b7e2c1a4d9f3")
    upgrade(f"sqlite:///{path}", "/artifacts", lambda line: None)
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    "sql_uri",
    ["sqlite", "postgresql", pytest.param("mysql", marks=pytest.mark.slow)],
    indirect=True,
)
def test_everything_goes(source, sql_uri):
    """Traces, the gateway's things and the rest are what they were; a second copy changes nothing."""
    here, there = SqlBackend(source), SqlBackend(sql_uri)

    for _ in range(2):
        migration = Migration(here, there)
        report = migration.copy()
        assert [] == report.failed
        assert {} == dict(report.left_out)
    lines = list(migration.verify())

    here.close()
    there.close()
    wanted = everything(source, tables_of_others())
    del wanted["workspaces"]  # of which both have the default one, each in its own words
    assert 35 < sum(map(bool, wanted.values()))
    assert wanted == {
        name: rows
        for name, rows in everything(sql_uri, tables_of_others()).items()
        if name in wanted
    }
    assert [] == lines


def test_whichtables_of_others():
    names = [table.name for table in tables_of_others()]

    assert names.index("trace_info") < names.index("spans") < names.index("span_metrics")
    assert not _TRANSIENT & set(names)
    assert not {"runs", "experiments", "alembic_version"} & set(names)
