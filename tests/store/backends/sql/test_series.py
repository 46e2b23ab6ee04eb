"""What was added to a series is told exactly, whoever added it and however."""

from __future__ import annotations

import math
import sqlite3

import pytest

from mlflow.entities.run import Metric, RunInfo
from mlflow.store.backends.base import Missing
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.backends.sql.values import LARGEST
from tests.databases import DIALECTS, on_every_database

RUN, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def backend(sql_uri):
    backend = SqlBackend(sql_uri)
    for run in (RUN, OTHER):
        backend.insert_run(RunInfo(run, "0", "ada", "RUNNING", 1, None, "active", "/a", "r"), ())
    yield backend
    backend.close()


def add(backend, *rows, run=RUN, key="m"):
    points = [Metric(key, value, time, step) for step, time, value in rows]
    backend.write_batch(run, points, (), ())


@on_every_database
def test_what_was_added_is_told(backend):
    """Of this series only; late points too, where needed with all others."""
    assert ([], b"", True) == backend.series_since(RUN, "m", b"")
    add(backend, (1, 10, 0.5), (2, 20, 0.25))
    first = backend.series_since(RUN, "m", b"")
    assert ([(1, 10, 0.5), (2, 20, 0.25)], True) == (sorted(first.rows), first.is_whole)
    add(backend, (3, 30, 0.125))
    add(backend, (9, 9, 9.0), key="n")
    add(backend, (9, 9, 9.0), run=OTHER)

    second = backend.series_since(RUN, "m", first.mark)
    assert ([(3, 30, 0.125)], False) == (list(second.rows), second.is_whole)
    nothing = backend.series_since(RUN, "m", second.mark)
    assert ([], False) == (list(nothing.rows), nothing.is_whole)

    add(backend, (0, 5, 7.0))
    late = backend.series_since(RUN, "m", nothing.mark)
    told = {*late.rows} if late.is_whole else {*first.rows, *second.rows, *late.rows}
    assert {(0, 5, 7.0), (1, 10, 0.5), (2, 20, 0.25), (3, 30, 0.125)} == told


@on_every_database
def test_numbers_are_exact(backend):
    """Those that MLflow's columns cannot hold, too."""
    numbers = [-0.0, LARGEST, math.inf, -math.inf, 5e-324]
    add(backend, *[(step, 1, value) for step, value in enumerate(numbers)], (9, 1, math.nan))

    *rows, last = sorted(backend.series_since(RUN, "m", b"").rows, key=lambda row: row[0])

    assert [repr(one) for one in numbers] == [repr(row[2]) for row in rows]
    assert math.isnan(last[2])


@on_every_database
def test_a_run_that_is_gone(backend):
    """Its marks hold no more."""
    add(backend, (1, 1, 1.0))
    mark = backend.series_since(RUN, "m", b"").mark
    backend.move_run(RUN, "deleted", 5)
    assert 0 == len(backend.series_since(RUN, "m", mark).rows)
    backend.purge("run", [RUN])

    with pytest.raises(Missing):
        backend.series_since(RUN, "m", mark)


@pytest.mark.parametrize("sql_uri", DIALECTS[:1], indirect=True)
def test_rows_that_get_other_numbers(backend, sql_uri):
    """`VACUUM` may number rows anew, as SQLite's documentation says; then all are read again."""
    add(backend, *[(step, 1, 1.0) for step in range(50)], run=OTHER)
    add(backend, (1, 1, 1.0), (2, 2, 2.0))
    mark = backend.series_since(RUN, "m", b"").mark
    with sqlite3.connect(sql_uri.removeprefix("sqlite:///")) as raw:
        raw.execute("DELETE FROM metrics WHERE run_uuid = ?", (OTHER,))
        raw.execute("UPDATE metrics SET rowid = rowid - 50 WHERE rowid = 51")
        raw.execute("UPDATE metrics SET rowid = rowid - 50 WHERE rowid = 52")
    raw.close()
    add(backend, (3, 3, 3.0))

    found = backend.series_since(RUN, "m", mark)

    assert {(1, 1, 1.0), (2, 2, 2.0), (3, 3, 3.0)} == {*found.rows}
    assert found.is_whole


@pytest.mark.parametrize("sql_uri", DIALECTS[:1], indirect=True)
def test_what_another_program_inserts(backend, sql_uri):
    """As MLflow does, which knows of no mark."""
    add(backend, (1, 1, 1.0))
    mark = backend.series_since(RUN, "m", b"").mark
    with sqlite3.connect(sql_uri.removeprefix("sqlite:///")) as raw:
        raw.execute(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
            "VALUES ('m', 0.0, 0, ?, 0, 1)", (RUN,),
        )  # fmt: skip
    raw.close()

    found = backend.series_since(RUN, "m", mark)

    assert not found.is_whole
    (row,) = found.rows
    assert (0, 0) == row[:2]
    assert math.isnan(row[2])


@on_every_database
def test_places_tell_stores_apart(backend):
    """A store in memory has none."""
    assert "millstream_test" in backend.place or backend.place.endswith("store.db")
    assert SqlBackend("sqlite://").place is None
