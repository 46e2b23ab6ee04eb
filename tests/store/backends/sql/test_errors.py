"""What drivers report becomes one vocabulary, with no password in it."""

from __future__ import annotations

import sqlite3

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.backends.base import ReadOnly
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.errors import (
    MISSING_VALUE,
    NO_TABLE,
    REFUSED,
    TAKEN,
    UNIQUE,
    trouble,
)
from mlflow.store.backends.sql.schema import prepare
from tests.databases import on_every_database


@pytest.fixture
def database(sql_uri):
    database = Database(sql_uri, prepare=lambda one: prepare(one, "/artifacts"))
    yield database
    database.close()


@on_every_database
@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("INSERT INTO experiments (experiment_id, name) VALUES (0, 'x')", UNIQUE),
        ("INSERT INTO experiments (experiment_id, name) VALUES (7, 'Default')", UNIQUE),
        ("INSERT INTO experiments (experiment_id, name) VALUES (7, NULL)", MISSING_VALUE),
        ("SELECT * FROM absent", NO_TABLE),
        ("SELECT absent FROM runs", NO_TABLE),
        ("INSERT INTO runs (run_uuid, status) VALUES ('a', 'ODD')", REFUSED),
    ],
)
def test_troubles(database, statement, wanted):
    """The same mistake is the same trouble on every database."""
    found = []

    def work(connection):
        try:
            connection.exec_driver_sql(statement)
        except Exception as error:
            found.append(trouble(error))
            raise

    with pytest.raises(MlflowException) as caught:
        database.write(work)

    assert set(found) == {wanted}
    assert database.place in caught.value.message


@pytest.mark.parametrize("sql_uri", ["postgresql", "mysql"], indirect=True)
def test_values_that_do_not_fit(database):
    """They are refused, never cut."""
    with pytest.raises(MlflowException, match="refuses a value") as caught:
        database.write(
            lambda connection: connection.exec_driver_sql(
                f"INSERT INTO runs (run_uuid) VALUES ('{'x' * 33}')"
            )
        )
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("postgresql://postgres:secret@127.0.0.1:1/x", "TEMPORARILY_UNAVAILABLE"),
        ("mysql://root:secret@127.0.0.1:1/x", "TEMPORARILY_UNAVAILABLE"),
    ],
)
def test_nobody_answers(address, code):
    """A server that is not there is a passing trouble; the password is not told."""
    database = Database(address)
    with pytest.raises(MlflowException, match="cannot be reached") as caught:
        database.run(lambda connection: None)
    assert (caught.value.error_code, "secret" in caught.value.message) == (code, False)


@pytest.mark.parametrize("sql_uri", ["postgresql", "mysql"], indirect=True)
def test_a_database_that_is_not_there(database):
    """It is named, and is the user's to make."""
    other = Database(
        database.url.set(database="millstream_nothing").render_as_string(hide_password=False)
    )
    with pytest.raises(MlflowException, match="does not exist") as caught:
        other.run(lambda connection: None)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_no_database_file(tmp_path):
    """A file of another format, and a folder that is not there."""
    other = tmp_path / "notes.txt"
    other.write_bytes(b"This is no database at all.\n" * 100)
    for path, words in ((other, "is no SQLite database"), (tmp_path / "no" / "a.db", "folder")):
        database = Database(f"sqlite:///{path}", prepare=lambda one: prepare(one, "/artifacts"))
        with pytest.raises(MlflowException, match=words):
            database.run(lambda connection: None)
        database.close()
    assert other.read_bytes().startswith(b"This is no database")


def test_read_only():
    """The backends' own word for it is used."""
    database = Database("sqlite://")

    def work(connection):
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("CREATE TABLE a (b INTEGER)")

    with pytest.raises(ReadOnly):
        database.run(work)
    database._idle.pop().close()


def test_plain_driver_errors():
    """Errors that no SQLAlchemy wrapped are understood too."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE a (b INTEGER PRIMARY KEY)")
    connection.execute("INSERT INTO a VALUES (1)")
    with pytest.raises(sqlite3.Error) as caught:
        connection.execute("INSERT INTO a VALUES (1)")
    connection.close()
    assert trouble(caught.value).kind == TAKEN
