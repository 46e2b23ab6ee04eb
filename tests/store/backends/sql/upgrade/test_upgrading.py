"""Upgrades of whole databases: recorded ones, others' ones, and those that something happens to."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from mlflow.entities.run import RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.backends.base import ReadOnly
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.schema import READY, check_schema, prepare
from mlflow.store.backends.sql.tables import HEAD
from mlflow.store.backends.sql.upgrade import upgrading
from mlflow.store.backends.sql.upgrade.upgrading import upgrade
from mlflow.testing.store_contract.copying import RUN, fill

from .conftest import HISTORY, make, rows

ROOT = Path(__file__).parents[5]
SAMPLES = sorted(path.stem for path in HISTORY.glob("*.sql"))

# A process that ends itself, without a last word, when it has said so many lines.
KILLED = """
import os, signal, sys
from mlflow.store.backends.sql.upgrade.upgrading import upgrade

said = 0
def tell(line):
    global said
    said += 1
    if said > int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
upgrade(sys.argv[1], "/artifacts", tell)
"""


def describe(uri):
    spec = importlib.util.spec_from_file_location(
        "recorder", ROOT / "tools" / "record_sql_schema.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    database = Database(uri)
    found = json.loads(json.dumps(database.run(module.describe)))
    database.close()
    return found


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def others(path):
    """Return the names of the files beside a database that are not its log."""
    own = {path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"}
    return sorted(set(os.listdir(path.parent)) - own)


def upgraded(path, **options):
    lines = []
    upgrade(f"sqlite:///{path}", "/artifacts", lines.append, **options)
    return lines


@pytest.mark.parametrize("revision", SAMPLES)
def test_recorded_databases(old, revision):
    path = old(revision)
    before = rows(path)

    upgraded(path)

    stock = json.loads((HISTORY.parent / "schema_sqlite.json").read_text())["tables"]
    found = describe(f"sqlite:///{path}")
    assert HEAD == found["revision"]
    assert stock.keys() == found["tables"].keys()
    for table, wanted in stock.items():
        here = found["tables"][table]
        assert sorted(map(str, wanted.pop("columns"))) == sorted(map(str, here.pop("columns"))), (
            table
        )
        assert wanted == here, table
    after = rows(path)
    for table in set(before) - {"alembic_version", "jobs", "spans"}:
        for row in before[table]:
            moved = "trace" in str(row.get("key")) or row.get("key") in (
                "input_cost",
                "input_tokens",
            )
            assert moved or any(row.items() <= one.items() for one in after[table]), (table, row)
    with closing(sqlite3.connect(path)) as connection:
        assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()
        assert "ok" == connection.execute("PRAGMA integrity_check").fetchone()[0]


def test_rows_of_the_oldest(old):
    """A run of MLflow 0.9 has its user as a tag and its latest metrics at hand."""
    path = old("base")

    upgraded(path)

    found = rows(path)
    run = "a" * 32
    assert {("loss", 0.25, 2, 0, 0, run)} == {
        (row["key"], row["value"], row["timestamp"], row["step"], row["is_nan"], row["run_uuid"])
        for row in found["latest_metrics"]
    }
    assert ["ada"] == [row["value"] for row in found["tags"] if row["key"] == "mlflow.user"]


def test_the_copy(old):
    path = old("7f2a7d5fae7d")
    before = rows(path)

    lines = upgraded(path)

    (name,) = others(path)
    assert any(line.endswith(name) for line in lines)
    assert name.startswith("mlflow.db.7f2a7d5fae7d.")
    assert before == rows(path.parent / name)


def test_copies_are_not_overwritten(old, monkeypatch):
    path = old("7f2a7d5fae7d")
    monkeypatch.setattr(upgrading.time, "strftime", lambda _: "now")
    upgraded(path)
    path.unlink()
    make(path, "7f2a7d5fae7d")

    upgraded(path)

    assert ["mlflow.db.7f2a7d5fae7d.now.1.bak", "mlflow.db.7f2a7d5fae7d.now.bak"] == others(path)


def test_dry_run(old):
    path = old("770bee3ae1dd")
    before = digest(path)

    lines = upgraded(path, dry_run=True)

    assert before == digest(path)
    assert [] == others(path)
    assert "Nothing was changed." == lines[-1]
    text = "\n".join(lines)
    for words in (
        "create the tables",
        "    CREATE TABLE",
        "trace_info: rebuild",
        "would move names, tokens",
    ):
        assert words in text


def test_up_to_date(old):
    path = old("b7e2c1a4d9f3")
    upgraded(path)
    copies, before = others(path), digest(path)

    lines = upgraded(path)

    assert 1 == len(lines)
    assert "is up to date" in lines[0]
    assert (copies, before) == (others(path), digest(path))


@pytest.mark.parametrize("exists", [False, True])
def test_empty_and_missing(tmp_path, exists):
    """As in MLflow, what is empty or not there is made."""
    path = tmp_path / "new.db"
    if exists:
        path.touch()

    assert "is empty" in upgraded(path, dry_run=True)[0]
    assert exists is path.exists()
    upgraded(path)

    database = Database(f"sqlite:///{path}")
    assert READY == database.run(lambda connection: check_schema(connection, "x"))
    database.close()


FOREIGN = {
    "other tables": "CREATE TABLE users (a INT);",
    "tables of the same names": "".join(
        f"CREATE TABLE {name} (a INT);"
        for name in ("experiments", "runs", "tags", "metrics", "params")
    ),
    "another revision": (
        "CREATE TABLE alembic_version (version_num VARCHAR(32)); CREATE TABLE dag (a INT); "
        "INSERT INTO alembic_version VALUES ('ffffffffffff');"
    ),
    "two revisions": (
        "CREATE TABLE alembic_version (version_num VARCHAR(32)); CREATE TABLE dag (a INT); "
        "INSERT INTO alembic_version VALUES ('7f2a7d5fae7d'), ('ffffffffffff');"
    ),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_databases_of_others(tmp_path, content):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(content)
    before = digest(path)

    with pytest.raises(MlflowException, match="It was not touched"):
        upgraded(path)
    with pytest.raises(MlflowException, match="It was not touched"):
        prepare(Database(f"sqlite:///{path}"), "/artifacts")

    assert before == digest(path)
    assert [] == others(path)


def test_no_database_at_all(tmp_path):
    path = tmp_path / "text.db"
    path.write_text("no database\n" * 500)

    with pytest.raises(MlflowException, match="no SQLite database"):
        upgraded(path)

    assert "no database\n" * 500 == path.read_text()


def make_newer(path):
    """Make a database as an MLflow of the future may: one more table, one more column."""
    prepare(Database(f"sqlite:///{path}"), "/artifacts")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE future (a INT); ALTER TABLE runs ADD COLUMN future TEXT; "
            "UPDATE alembic_version SET version_num = 'ffffffffffff';"
        )


def test_a_newer_one_is_read_and_not_written(tmp_path):
    path = tmp_path / "newer.db"
    make_newer(path)
    database = Database(f"sqlite:///{path}", prepare=lambda one: prepare(one, "/artifacts"))

    with pytest.warns(UserWarning, match="can be read, and not written"):
        names = database.run(
            lambda connection: (
                connection.exec_driver_sql("SELECT name FROM experiments").scalars().all()
            )
        )

    assert ["Default"] == names
    for work in (database.run, database.write):
        with pytest.raises(Exception, match="readonly database"):
            work(lambda connection: connection.exec_driver_sql("DELETE FROM experiments"))
    database.close()
    with pytest.raises(MlflowException, match="It was not touched"):
        upgraded(path)


@pytest.mark.parametrize("stock_made", [False, True])
def test_a_newer_one_as_a_store(tmp_path, stock_made):
    """Runs and models are read, with our own tables and without; every write is refused."""
    path = tmp_path / "newer.db"
    source = SqlBackend(f"sqlite:///{path}")
    fill(source)
    source.close()
    with closing(sqlite3.connect(path)) as connection:
        if stock_made:
            connection.execute("DROP TABLE millstream_metric_details")
            connection.execute("DROP TABLE millstream_used_numbers")
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.commit()
    backend = SqlBackend(f"sqlite:///{path}")

    with pytest.warns(UserWarning, match="can be read, and not written"):
        found = backend.get_run(RUN)

    assert "0.1" == found.data.params["lr"]
    assert 8 == len(backend.metric_history(RUN, "loss"))
    assert "champion" in backend.get_registered_model("wine model").aliases
    for work in (
        lambda: backend.append_metric(RUN, "loss", 1.0, 1, 1),
        lambda: backend.write_batch(RUN, [], [], [RunTag("a", "b")]),
        lambda: backend.insert_experiment("new", None, [], 1),
        lambda: backend.delete_registered_model("empty"),
    ):
        with pytest.raises(ReadOnly):
            work()
    backend.close()


def test_a_newer_one_without_what_is_read(tmp_path):
    path = tmp_path / "newer.db"
    make_newer(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN artifact_uri TO artifacts")

    with pytest.raises(MlflowException, match="no MLflow's up to the one"):
        prepare(Database(f"sqlite:///{path}"), "/artifacts")


def test_opening_an_old_one_says_what_to_do(old):
    path = old("7f2a7d5fae7d")

    with pytest.raises(
        MlflowException, match=r"mlflow db upgrade sqlite:///.*mlflow\.db"
    ) as caught:
        prepare(Database(f"sqlite:///{path}"), "/artifacts")

    assert "7f2a7d5fae7d" in caught.value.message


# --- what happens on the way ----------------------------------------------------------------------


@pytest.mark.parametrize("lines", [2, 9, 17])
def test_killed(old, lines):
    """A process that is killed leaves the database as it was, and the next one does all of it."""
    path = old("7f2a7d5fae7d")
    before = rows(path)

    done = subprocess.run(
        [sys.executable, "-c", KILLED, f"sqlite:///{path}", str(lines)], check=False, timeout=120
    )

    assert -9 == done.returncode
    assert before == rows(path)
    assert any("has the schema" in line for line in upgraded(path))
    assert HEAD == describe(f"sqlite:///{path}")["revision"]


def test_a_failure_takes_all_back(old):
    """A row that the new schema does not allow is named; the database is as it was."""
    path = old("b7e2c1a4d9f3")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE spans SET dimension_attributes = '[1]' WHERE span_id = 's-2'")
        connection.commit()
    before = rows(path)

    with pytest.raises(MlflowException, match="span 's-2' of the trace 'tr-1'"):
        upgraded(path)

    assert before == rows(path)
    assert 1 == len(others(path))


def test_two_at_once(old):
    """One upgrades, the other waits for it and finds nothing to do."""
    path = old("7f2a7d5fae7d")
    said, errors = [[], []], []
    start = threading.Barrier(2)

    def work(lines):
        try:
            start.wait()
            upgrade(f"sqlite:///{path}", "/artifacts", lines.append)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(lines,)) for lines in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == errors
    assert ["is up to date", "schema of this version"] == sorted(
        next(words for words in ("is up to date", "schema of this version") if words in lines[-1])
        for lines in said
    )
    assert 1 == len(others(path))


def test_a_writer_in_the_way(old, monkeypatch):
    monkeypatch.setattr(upgrading, "_PATIENCE", 0)
    path = old("7f2a7d5fae7d")
    before = rows(path)

    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(MlflowException, match="locked by another process"):
            upgraded(path)
        writer.execute("ROLLBACK")

    assert before == rows(path)
    assert [] == others(path)


def test_no_room_for_the_copy(old, monkeypatch):
    """Without a copy nothing is changed."""
    path = old("7f2a7d5fae7d")
    before = digest(path)

    def full(source, target):
        raise MlflowException(f"The database {source} cannot grow: its disk or quota is full.")

    monkeypatch.setattr(upgrading, "copy_file", full)
    with pytest.raises(MlflowException, match="disk or quota is full"):
        upgraded(path)

    assert before == digest(path)


def test_a_file_in_wal_mode(old):
    path = old("7f2a7d5fae7d")
    with closing(sqlite3.connect(path)) as open_still:
        open_still.execute("PRAGMA journal_mode = WAL")
        open_still.execute("UPDATE runs SET name = 'in the log'")
        open_still.commit()
        copy = path.parent / "copy.db"
        shutil.copy(path, copy)

        upgraded(path)

        assert {"in the log"} == {row["name"] for row in rows(path)["runs"]}


# --- servers --------------------------------------------------------------------------------------

# What takes a database of today to something like MLflow 3.16's; each dialect says it so.
BACKWARDS = """
DROP TABLE job_locks;
DROP TABLE scheduler_leases;
DROP TABLE metrics_copy;
ALTER TABLE jobs DROP COLUMN progress;
ALTER TABLE jobs DROP COLUMN token_hash;
ALTER TABLE trace_info DROP COLUMN trace_name;
ALTER TABLE spans ADD COLUMN dimension_attributes JSON;
ALTER TABLE tags ADD COLUMN mine INTEGER;
UPDATE alembic_version SET version_num = 'b7e2c1a4d9f3';
"""
servers = pytest.mark.parametrize(
    "new_database", ["postgresql", pytest.param("mysql", marks=pytest.mark.slow)], indirect=True
)


def take_back(uri):
    database = Database(uri)
    prepare(database, "/artifacts")
    shape = describe(uri)

    def work(connection):
        connection.exec_driver_sql("CREATE TABLE metrics_copy (a INT)")
        for statement in BACKWARDS.strip().split(";\n"):
            connection.exec_driver_sql(statement.strip(";\n"))

    database.run(work)
    database.close()
    return shape


def plain(shape):
    """Return the shape without the order of columns, and what the test added."""
    for table in shape["tables"].values():
        table["columns"] = sorted(str(one) for one in table["columns"] if one[0] != "mine")
    return shape


@servers
def test_on_servers(new_database):
    shape = take_back(new_database)
    lines = []

    upgrade(new_database, "/artifacts", lines.append, dry_run=True)
    assert "b7e2c1a4d9f3" == describe(new_database)["revision"]
    upgrade(new_database, "/artifacts", lines.append)

    assert plain(shape) == plain(describe(new_database))


@servers
def test_killed_on_servers(new_database):
    """PostgreSQL takes it all back; MySQL goes on where it was."""
    shape = take_back(new_database)

    for lines in (1, 2, 4, 7, 9):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, new_database, str(lines)], check=False, timeout=120
        )
        assert done.returncode in (-9, 0)
        revision = describe(new_database)["revision"]
        assert revision == (HEAD if done.returncode == 0 else "b7e2c1a4d9f3")
    upgrade(new_database, "/artifacts", lambda line: None)

    assert plain(shape) == plain(describe(new_database))


@servers
def test_two_at_once_on_servers(new_database):
    shape = take_back(new_database)
    children = [
        subprocess.Popen([sys.executable, "-c", KILLED, new_database, "1000"]) for _ in range(2)
    ]

    assert [0, 0] == [child.wait(timeout=240) for child in children]
    assert plain(shape) == plain(describe(new_database))
