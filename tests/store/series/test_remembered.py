"""What is remembered is what the store holds, and only what was added is read."""

from __future__ import annotations

import os

import pytest

from mlflow.entities.run import Metric
from mlflow.store.backends.file.backend import FileBackend
from mlflow.store.backends.sql.backend import SqlBackend
from mlflow.store.local import LocalStore
from mlflow.store.series import remembered as module
from mlflow.store.series.columns import Growth, Series
from mlflow.store.series.remembered import Remembered
from tests.databases import DIALECTS


class Source:
    """A store of one series that counts what it gives out."""

    def __init__(self):
        self.rows = []
        self.given = []
        self.generation = 0

    def since(self, run_id, key, mark):
        generation, _, count = mark.partition(b" ")
        is_whole = generation != b"%d" % self.generation
        rows = self.rows if is_whole else self.rows[int(count) :]
        self.given.append(len(rows))
        return Growth(list(rows), b"%d %d" % (self.generation, len(self.rows)), is_whole)


@pytest.fixture
def source():
    return Source()


def test_only_what_was_added_is_read(source):
    """Also where it comes late."""
    series = Remembered(source.since, None)
    source.rows = [(at, at, 1.0) for at in range(5)]
    series.get("r", "k")
    source.rows += [(9, 9, 2.0), (2, 2, 3.0)]

    assert [0, 1, 2, 2, 3, 4, 9] == series.get("r", "k").steps.tolist()
    assert [5, 2] == source.given


def test_what_holds_no_more_is_forgotten(source):
    """The store says so."""
    series = Remembered(source.since, None)
    source.rows = [(1, 1, 1.0)]
    series.get("r", "k")
    source.generation, source.rows = 1, [(7, 7, 7.0)]

    assert [7] == series.get("r", "k").steps.tolist()


def test_a_new_process_reads_files(source, tmp_path, monkeypatch):
    """Of long series; a file is written again only when much is missing."""
    monkeypatch.setattr(module, "LONG", 100)
    folder = str(tmp_path / "series")
    source.rows = [(at, at, 1.0) for at in range(1000)]
    first = Remembered(source.since, folder)
    first.get("r", "k")
    (name,) = os.listdir(folder)
    written = os.stat(os.path.join(folder, name)).st_mtime_ns
    source.rows += [(at, at, 1.0) for at in range(1000, 1050)]
    first.get("r", "k")
    assert written == os.stat(os.path.join(folder, name)).st_mtime_ns

    second = Remembered(source.since, folder)
    assert 1050 == len(second.get("r", "k"))
    assert [1000, 50, 50] == source.given
    source.rows += [(at, at, 1.0) for at in range(1050, 1200)]
    second.get("r", "k")
    third = Remembered(source.since, folder)
    third.get("r", "k")
    assert [150, 0] == source.given[-2:]


def test_memory_has_an_end(source, monkeypatch):
    """The series that came first goes."""
    monkeypatch.setattr(module, "MAX_POINTS", 10)
    source.rows = [(at, at, 1.0) for at in range(6)]
    series = Remembered(source.since, None)
    for run in ("a", "b", "b", "a"):
        series.get(run, "k")

    assert [6, 6, 0, 6] == source.given


@pytest.mark.parametrize("sql_uri", ["file", *DIALECTS], indirect=True)
def test_long_series_of_stores(sql_uri, monkeypatch):
    """Another process draws them from the derived file, with what somebody added meanwhile."""
    monkeypatch.setattr(module, "LONG", 100)

    def opened():
        if sql_uri.startswith("file:"):
            return LocalStore(FileBackend(sql_uri[5:]))
        return LocalStore(SqlBackend(sql_uri))

    store = opened()
    run = store.create_run("0", "ada", 1, [], "long").info.run_id
    points = [Metric("m", float(at), at, at) for at in range(500)]
    store.log_batch(run, points, [], [])
    store.metric_series(run, "m")
    other = opened()
    late = [Metric("m", -1.0, 7, 3), Metric("m", 9.0, 900, 900), Metric("n", 1.0, 1, 1)]
    other.log_batch(run, late, [], [])

    found = other.metric_series(run, "m")

    wanted = Series.of([*points, *late[:2]])
    assert wanted.steps.tolist() == found.steps.tolist()
    assert wanted.values.tolist() == found.values.tolist()
    assert wanted.values.tolist() == store.metric_series(run, "m").values.tolist()
    assert {("m", run)} >= {(key, name) for name, key in other._series._in_files}
    store.close()
    other.close()
