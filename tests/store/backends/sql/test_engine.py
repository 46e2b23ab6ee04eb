"""Connections, transactions and second tries."""

from __future__ import annotations

import gc
import os
import sqlite3
import threading

import pytest
import sqlalchemy
from sqlalchemy import select

from mlflow.exceptions import MlflowException
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.schema import prepare
from mlflow.store.backends.sql.tables import experiments
from tests.databases import on_every_database


@pytest.fixture
def database(sql_uri):
    database = Database(sql_uri, prepare=lambda one: prepare(one, "/artifacts"))
    yield database
    database.close()


def names(connection):
    return sorted(connection.execute(select(experiments.c.name)).scalars())


def add(name):
    def work(connection):
        connection.execute(experiments.insert().values(name=name, lifecycle_stage="active"))

    return work


@on_every_database
def test_a_transaction_is_kept_or_not(database):
    """Work that ends is kept; of work that raises nothing is, and the connection goes on."""
    database.write(add("one"))

    def fails(connection):
        add("two")(connection)
        msg = "no"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="no"):
        database.write(fails)

    assert database.run(names) == ["Default", "one"]


@on_every_database
def test_a_snapshot_sees_one_moment(database):
    """What others commit meanwhile is not seen, and is seen afterwards."""

    def look(connection):
        before = names(connection)
        database.write(add("meanwhile"))
        return before, names(connection)

    before, after = database.snapshot(look)

    assert before == after == ["Default"]
    assert database.run(names) == ["Default", "meanwhile"]


@on_every_database
def test_after_close_it_goes_on(database):
    """Closing gives back connections; the next work opens one."""
    database.write(add("one"))
    database.close()
    assert database.run(names) == ["Default", "one"]


@on_every_database
def test_what_nobody_closed_is_given_back(sql_uri):
    """When the last who knew the store is gone."""
    database = Database(sql_uri, prepare=lambda one: prepare(one, "/artifacts"))
    database.run(names)
    engine, ending = database.engine, database._ending
    disposed = []
    sqlalchemy.event.listen(engine, "engine_disposed", disposed.append)

    del database
    gc.collect()

    assert ([engine], False) == (disposed, ending.alive)


@on_every_database
def test_threads(database):
    """Work of many threads at once is all kept."""
    errors = []

    def work(place):
        try:
            for turn in range(10):
                database.write(add(f"{place}.{turn}"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(database.run(names)) == 61


@pytest.mark.parametrize("sql_uri", ["postgresql", "mysql"], indirect=True)
def test_a_connection_that_was_ended_is_replaced(database):
    """A server that ends idle connections, or restarts, is not noticed by the user."""
    _end_connections(database)
    assert database.run(names) == ["Default"]
    _end_connections(database)
    database.write(add("one"))
    assert database.run(names) == ["Default", "one"]


@pytest.mark.parametrize("sql_uri", ["postgresql", "mysql"], indirect=True)
def test_a_connection_that_ends_within_a_transaction(database):
    """The work is done again from its beginning; nothing is kept twice."""
    calls = []

    def work(connection):
        add("one")(connection)
        if not calls:
            _end_connections(database, connection)
        calls.append(1)
        add("two")(connection)

    database.write(work)

    assert len(calls) == 2
    assert database.run(names) == ["Default", "one", "two"]


def _end_connections(database, connection=None):
    """End the connections of this database from another one, as a restart does."""
    other = Database(database.url.render_as_string(hide_password=False))
    own = connection or database.engine.connect()
    if database.dialect == "postgresql":
        number = own.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        other.run(
            lambda one: one.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 5000)").all()
        )
    else:
        number = own.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
        other.run(lambda one: one.exec_driver_sql(f"KILL {number}"))
    if connection is None:
        own.close()
    other.close()


def test_sqlite_settings(tmp_path):
    """WAL, and a durability that the user picks; LIKE minds no case."""
    for level, synchronous in (("os", 1), ("disk", 2)):
        database = Database(
            f"sqlite:///{tmp_path}/{level}.db", level, lambda one: prepare(one, "/artifacts")
        )

        def look(connection):
            pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]

        assert ["wal", synchronous, 1, 20_000] == database.run(look)
        assert (
            database.run(
                lambda connection: connection.exec_driver_sql("SELECT 'a' LIKE 'A'").scalar()
            )
            == 1  # ILIKE in searches
        )
        database.close()


def test_unknown_level(tmp_path):
    """A level that does not exist is refused."""
    with pytest.raises(MlflowException, match="MILLSTREAM_DURABILITY is 'x'"):
        Database(f"sqlite:///{tmp_path}/a.db", "x")


def test_a_pool_that_is_empty(servers, monkeypatch):
    """Threads beyond the pool wait; then they are told which setting to raise."""
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", "1")
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW", "0")
    monkeypatch.setattr("mlflow.store.backends.sql.connections.POOL_TIMEOUT", 0.01)
    database = Database(servers["postgresql"].empty())
    held = database.engine.connect()
    with pytest.raises(MlflowException, match="MLFLOW_SQLALCHEMYSTORE_POOL_SIZE") as caught:
        database.run(names)
    held.close()

    assert caught.value.error_code == "RESOURCE_EXHAUSTED"
    assert database.run(names) == ["Default"]
    database.close()


def test_a_database_in_memory():
    """It is one connection, which threads take in turn, and lasts as long as the object."""
    database = Database("sqlite:///:memory:", prepare=lambda one: prepare(one, "/artifacts"))
    threads = [
        threading.Thread(target=lambda place=place: database.write(add(str(place))))
        for place in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(RuntimeError):
        database.write(_fail)
    database.close()

    assert len(database.run(names)) == 9
    database.engine.dispose()
    database._idle.pop().close()


def _fail(connection):
    raise RuntimeError


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@on_every_database
def test_fork(database):
    """Parent and child go on, each with connections of its own."""
    database.write(add("before"))
    child = os.fork()
    if child == 0:
        try:
            database.write(add("child"))
            database.close()
            os._exit(0)
        except BaseException:
            os._exit(1)
    database.write(add("parent"))
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert database.run(names) == ["Default", "before", "child", "parent"]


def test_locked_by_another_process(tmp_path, monkeypatch):
    """Who waits too long for another writer is told so, and nothing is half written."""
    monkeypatch.setattr("mlflow.store.backends.sql.connections.BUSY_TIMEOUT", 10)
    path = tmp_path / "a.db"
    database = Database(f"sqlite:///{path}", prepare=lambda one: prepare(one, "/artifacts"))
    database.run(names)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(MlflowException, match="is locked by another process") as caught:
        database.write(add("one"))
    assert database.run(names) == ["Default"]
    other.execute("ROLLBACK")
    other.close()
    database.write(add("one"))

    assert caught.value.error_code == "TEMPORARILY_UNAVAILABLE"
    assert database.run(names) == ["Default", "one"]
    database.close()


@pytest.fixture
def sqlite(tmp_path):
    uri = f"sqlite:///{tmp_path}/one.db"
    database = Database(uri, prepare=lambda one: prepare(one, "/artifacts"))
    yield database
    database.close()


def statements(database):
    """Return the list that statements of new connections are written to."""
    from sqlalchemy import event

    said = []
    event.listen(database.engine, "connect", lambda raw, _: raw.set_trace_callback(said.append))
    return said


def test_work_that_is_kept_together_is_one_transaction(sqlite):
    """The disk is waited for once; each piece is undone by itself."""
    sqlite.write(add("zero"))
    sqlite.close()
    said = statements(sqlite)

    def on_driver(raw):
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO experiments (name, lifecycle_stage) VALUES ('raw', 'active')")
        raw.execute("COMMIT")

    def fails(connection):
        add("two")(connection)
        msg = "no"
        raise RuntimeError(msg)

    with sqlite.together():
        sqlite.write(add("one"))
        with pytest.raises(RuntimeError, match="no"):
            sqlite.write(fails)
        sqlite.raw(on_driver)
        with pytest.raises(KeyError):
            sqlite.write(add("one"), lambda: KeyError("taken"))
        assert ["Default", "one", "raw", "zero"] == sqlite.snapshot(names)

    assert ["Default", "one", "raw", "zero"] == sqlite.run(names)
    assert 1 == said.count("BEGIN IMMEDIATE")
    assert 1 == said.count("COMMIT")


def test_others_see_it_when_the_block_has_ended(sqlite):
    """Another thread has a connection and transactions of its own."""
    seen = []
    sqlite.write(add("zero"))
    with sqlite.together():
        sqlite.write(add("one"))
        other = threading.Thread(target=lambda: seen.append(sqlite.run(names)))
        other.start()
        other.join()

    assert [["Default", "zero"]] == seen
    assert ["Default", "one", "zero"] == sqlite.run(names)


def test_a_block_that_cannot_be_kept(sqlite):
    """Nothing of it was: whoever made the calls is told, and may make them again."""
    sqlite.write(add("zero"))
    with pytest.raises(ZeroDivisionError), sqlite.together():
        sqlite.write(add("one"))
        raise ZeroDivisionError

    assert ["Default", "zero"] == sqlite.run(names)
