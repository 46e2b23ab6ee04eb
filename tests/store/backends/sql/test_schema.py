"""The schema is MLflow's, column by column; other databases are refused and left alone."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy

from mlflow.exceptions import MlflowException
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.schema import HEAD, MAKING, prepare
from tests.databases import DIALECTS

HERE = Path(__file__).parent
RECORDER = Path(__file__).parents[4] / "tools" / "record_sql_schema.py"

in_every_dialect = pytest.mark.parametrize("new_database", DIALECTS, indirect=True)
# Making 64 tables takes MariaDB seconds.
in_every_dialect_slowly = pytest.mark.parametrize(
    "new_database",
    ["sqlite", "postgresql", pytest.param("mysql", marks=pytest.mark.slow)],
    indirect=True,
)

# Leftovers of MLflow's migrations on MySQL, which serve nothing and are not made here.
LEFTOVERS = {
    "mysql": {
        ("jobs", "columns"): [["job_name", "VARCHAR(length=500)", True, None]],
        ("metrics", "checks"): [["CONSTRAINT_2", "`is_nan` in (0,1)"]],
        ("model_version_tags", "indexes"): [["name", ["name", "version"], False, {}, {}]],
        ("registered_model_tags", "indexes"): [["name", ["name"], False, {}, {}]],
    }
}


def recorder():
    spec = importlib.util.spec_from_file_location("record_sql_schema", RECORDER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def describe(connection):
    return json.loads(json.dumps(recorder().describe(connection)))


@pytest.fixture
def database(new_database):
    database = Database(new_database)
    yield database
    database.close()


def make(database):
    prepare(database, "/artifacts")


@in_every_dialect
def test_the_schema_is_stock(database):
    """Every column, key, check, index and trigger is what a database made by MLflow 3.17.2 has."""
    make(database)
    check_is_stock(database.run(describe), database.dialect)


def check_is_stock(ours, dialect):
    """Compare the description of a database with that of MLflow's."""
    stock = json.loads((HERE / "recorded" / f"schema_{dialect}.json").read_text())
    assert stock["revision"] == ours["revision"] == HEAD
    assert set(stock["tables"]) == set(ours["tables"])
    assert len(stock["tables"]) == 65
    left = LEFTOVERS.get(dialect, {})
    for name, parts in stock["tables"].items():
        for part, wanted in parts.items():
            found = ours["tables"][name][part]
            missing = [one for one in wanted if one not in found]
            assert left.get((name, part), []) == missing, (name, part)
            if not missing:
                assert wanted == found, (name, part)


@in_every_dialect_slowly
def test_born_with_the_default_experiment(database):
    """As MLflow makes it: experiment 0, and the workspace that everything is in."""
    make(database)
    make(database)

    def look(connection):
        rows = connection.exec_driver_sql(
            "SELECT experiment_id, name, artifact_location, lifecycle_stage, workspace "
            "FROM experiments"
        ).all()
        return [tuple(row) for row in rows], connection.exec_driver_sql(
            "SELECT name FROM workspaces"
        ).scalars().all()

    assert database.run(look) == (
        [(0, "Default", "/artifacts/0", "active", "default")],
        ["default"],
    )


@in_every_dialect_slowly
def test_threads_make_it_once(new_database):
    """Several makers at once: one makes it, the others find it."""
    databases = [Database(new_database) for _ in range(4)]
    errors = []

    def work(database):
        try:
            make(database)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = databases[0].run(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM experiments").scalar()
    )
    for database in databases:
        database.close()

    assert errors == []
    assert count == 1


@in_every_dialect_slowly
def test_half_made(database):
    """What a killed maker left is completed on MySQL; elsewhere it left nothing."""
    if database.dialect != "mysql":
        with pytest.raises(RuntimeError, match="killed"):
            database.write(_make_half_and_die)
        assert (
            database.run(lambda connection: sqlalchemy.inspect(connection).get_table_names()) == []
        )
    else:
        database.run(_leave_half)
    make(database)
    assert HEAD == database.run(describe)["revision"]


def _make_half_and_die(connection):
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    msg = "killed"
    raise RuntimeError(msg)


def _leave_half(connection):
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (%s)", (MAKING,))


@in_every_dialect_slowly
def test_another_revision(database):
    """An older schema is refused with the command that upgrades it, and left alone."""
    make(database)
    database.run(
        lambda connection: connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = 'b7e2c1a4d9f3'"
        )
    )
    with pytest.raises(MlflowException, match="b7e2c1a4d9f3.*mlflow db upgrade") as caught:
        make(database)

    assert caught.value.error_code == "INVALID_STATE"
    assert database.run(describe)["revision"] == "b7e2c1a4d9f3"


@in_every_dialect_slowly
def test_tables_without_a_revision(database):
    """Tables of MLflow's names and no revision: refused, and nothing is added."""
    database.run(lambda connection: connection.exec_driver_sql("CREATE TABLE runs (id INTEGER)"))
    with pytest.raises(MlflowException, match="another program"):
        make(database)

    names = database.run(lambda connection: sqlalchemy.inspect(connection).get_table_names())
    assert names == ["runs"]


def test_file_of_another_program(tmp_path):
    """It is not changed by a byte, not even in its journal mode."""
    path = tmp_path / "places.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE moz_places (url TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    database = Database(f"sqlite:///{path}")
    with pytest.raises(MlflowException, match="moz_places.*another program"):
        make(database)
    database.close()

    assert before == path.read_bytes()
    assert ["places.sqlite"] == [one.name for one in tmp_path.iterdir()]
