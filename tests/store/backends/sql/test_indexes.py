"""Our indexes: made where that is soon done, left out where not, dropped without a trace."""

from __future__ import annotations

import logging
import os
import sqlite3

import pytest
from sqlalchemy import inspect

from mlflow.entities.run import Metric, Param, RunInfo
from mlflow.exceptions import MlflowException
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import Query
from mlflow.store.backends.sql import SqlBackend, indexes
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.schema import prepare
from tests.databases import on_every_database

NAMES = [f"millstream_search_{name}" for name in ("metrics", "params", "runs", "tags")]


@pytest.fixture
def database(sql_uri):
    database = Database(sql_uri, prepare=lambda one: prepare(one, "/artifacts"))
    # A server's database is kept from test to test.
    database.write(indexes.drop_indexes)
    yield database
    database.write(indexes.create_indexes)
    database.close()


def ours(database):
    return sorted(database.run(indexes.present))


@on_every_database
def test_made_once_and_dropped(database):
    """Opening makes them, again changes nothing, and dropping leaves MLflow's own."""
    before = database.run(_every_index)
    indexes.open_indexes(database)
    indexes.open_indexes(database)
    assert NAMES == ours(database)
    assert database.run(indexes.has_indexes)
    assert database.run(_every_index) == sorted([*before, *NAMES])

    assert NAMES == database.write(indexes.drop_indexes)
    assert [] == database.write(indexes.drop_indexes)
    assert before == database.run(_every_index)
    assert not database.run(indexes.has_indexes)


def _every_index(connection):
    found = inspect(connection)
    return sorted(
        index["name"] for table in found.get_table_names() for index in found.get_indexes(table)
    )


@on_every_database
def test_values_of_any_length_are_indexed(database, sql_uri):
    """The longest values that columns take, not compressible, fit the indexes and are found."""
    backend = SqlBackend(sql_uri)
    texts = [
        "".join(chr(0x4E00 + (place * 7919 + n) % 20000) for place in range(6000)) for n in (1, 2)
    ]
    for number, text in enumerate(texts):
        run_id = f"{number:032x}"
        backend.insert_run(RunInfo(run_id, "0", "u", "RUNNING", 1, None, "active", "/a", "n"), [])
        backend.write_batch(run_id, [], [Param("k" * 250, text)], [])
    assert NAMES == ours(backend._database)
    for number, text in enumerate(texts):
        where = parse_filter("runs", f"params.{'k' * 250} = '{text}'")
        found = backend.search_runs(["0"], 1, Query(where, parse_order_by("runs", None), 5))
        assert [f"{number:032x}"] == [run.info.run_id for run in found]
    backend.close()


@on_every_database
def test_switched_off(database, sql_uri, monkeypatch):
    """`never` makes none; searches do without."""
    monkeypatch.setenv("MILLSTREAM_SQL_INDEXES", "never")
    backend = SqlBackend(sql_uri)
    backend.insert_run(RunInfo("a" * 32, "0", "u", "RUNNING", 1, None, "active", "/a", "n"), [])
    backend.write_batch("a" * 32, [Metric("m", 1.0, 1, 1)], [], [])
    where, order = parse_filter("runs", "metrics.m > 0"), parse_order_by("runs", ["metrics.m"])
    assert 1 == len(backend.search_runs(["0"], 1, Query(where, order, 5)))
    assert [] == ours(backend._database)
    backend.close()


@on_every_database
def test_a_large_database_is_left_until_asked(database, monkeypatch, caplog):
    """Where it takes long it is said how to have it done, and done when asked to."""
    monkeypatch.setattr(indexes, "_SMALL", dict.fromkeys(indexes._SMALL, -1))
    with caplog.at_level(logging.INFO):
        indexes.open_indexes(database)
    assert [] == ours(database)
    assert "MILLSTREAM_SQL_INDEXES=always" in caplog.text

    monkeypatch.setenv("MILLSTREAM_SQL_INDEXES", "always")
    indexes.open_indexes(database)
    assert NAMES == ours(database)


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
def test_the_setting_is_one_of_three_words(database, monkeypatch):
    """Another word is refused, with the three."""
    monkeypatch.setenv("MILLSTREAM_SQL_INDEXES", "on")
    with pytest.raises(MlflowException, match="auto, always, never"):
        indexes.open_indexes(database)


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
def test_a_file_that_is_in_use_or_read_only_is_searched_without(database, sql_uri, tmp_path):
    """Whoever cannot make them goes on."""
    database.close()
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.execute("PRAGMA journal_mode = DELETE")
    file.close()
    read_only = Database(f"sqlite:///file:{path}?mode=ro&uri=true")
    indexes.open_indexes(read_only)
    assert [] == ours(read_only)
    read_only.close()
    assert os.path.exists(path)


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
def test_statistics_are_taken_on_closing(sql_uri, tmp_path):
    """After some use SQLite knows how large tables are; closing an unused store makes no file."""
    backend = SqlBackend(sql_uri)
    for number in range(30):
        info = RunInfo(f"{number:032x}", "0", "u", "RUNNING", 1, None, "active", "/a", "n")
        backend.insert_run(info, [])
    backend.search_runs(["0"], 1, Query(None, parse_order_by("runs", ["metrics.m"]), 5))
    backend.close()
    with sqlite3.connect(tmp_path / "store.db") as file:
        tables = {name for (name,) in file.execute("SELECT tbl FROM sqlite_stat1")}
    file.close()
    assert "runs" in tables

    SqlBackend(f"sqlite:///{tmp_path}/unused.db").close()
    assert not (tmp_path / "unused.db").exists()
