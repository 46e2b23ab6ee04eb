"""`mlflow db`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlflow.cli import cli

HISTORY = Path(__file__).parents[1] / "store" / "backends" / "sql" / "recorded" / "history"


def db(*args):
    return CliRunner().invoke(cli, ["db", *args])


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((HISTORY / "181f10493468.sql").read_text(encoding="utf-8"))
    return path


def revision(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def test_upgrade(old):
    found = db("upgrade", f"sqlite:///{old}")

    assert found.exit_code == 0, found.output
    assert "From revision 181f10493468 to dc11669786a5" in found.stdout
    assert "has the schema of this version" in found.stdout
    assert revision(old) == "dc11669786a5"
    assert "is up to date" in db("upgrade", f"sqlite:///{old}").stdout


def test_dry_run(old):
    found = db("upgrade", f"sqlite:///{old}", "--dry-run")

    assert found.exit_code == 0
    assert "Nothing was changed." in found.stdout
    assert revision(old) == "181f10493468"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("./mlruns", "is no database"),
        ("http://localhost", "is no database"),
        ("postgresql://me:secret@localhost:1/x", "postgresql://***@localhost:1/x"),
        ("mssql://me:secret@host/x", "is not supported"),
    ],
)
def test_what_is_no_database(uri, words):
    found = db("upgrade", uri)

    assert found.exit_code == 1
    assert words in found.stderr
    assert "secret" not in found.output


def test_of_another_program(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE users (a INT)")

    found = db("upgrade", f"sqlite:///{path}")

    assert found.exit_code == 1
    assert "belongs to another program. It was not touched." in found.stderr


def indexes(path):
    with closing(sqlite3.connect(path)) as connection:
        names = "SELECT name FROM sqlite_master WHERE name LIKE 'millstream_search_%'"
        return sorted(name for (name,) in connection.execute(names))


def test_strip(tmp_path, monkeypatch):
    """What is dropped is derived: the store goes on, and makes it again when it may."""
    from mlflow import MlflowClient
    from mlflow.store import locate

    uri = f"sqlite:///{tmp_path}/one.db"
    run = MlflowClient(uri).create_run("0").info.run_id
    locate.forget()
    made = indexes(tmp_path / "one.db")
    assert made

    found = db("strip", uri)
    own = "millstream_metric_details and millstream_used_numbers"
    assert (0, [*(f"Dropped {name}." for name in made),
                f"What only {own} can hold was kept; --all drops it."]) == (
        found.exit_code, found.stdout.splitlines()
    )  # fmt: skip
    assert "There was nothing to drop." in db("strip", uri).stdout
    assert [] == indexes(tmp_path / "one.db")
    monkeypatch.setenv("MILLSTREAM_SQL_INDEXES", "never")
    assert [run] == [one.info.run_id for one in MlflowClient(uri).search_runs(["0"])]
    locate.forget()
    assert [] == indexes(tmp_path / "one.db")


def test_strip_of_nothing(tmp_path):
    """No file is made, and a folder is no database."""
    missing = db("strip", f"sqlite:///{tmp_path}/no.db")
    assert missing.exit_code != 0
    assert [] == list(tmp_path.iterdir())
    assert db("strip", str(tmp_path)).exit_code != 0
