"""Runs that were read before are given again while their files look the same."""

from __future__ import annotations

import os
import time

import pytest

from mlflow.entities.run import Metric, Run, RunData, RunInfo
from mlflow.store.backends.file.index_recent import RecentRuns


class Reader:
    """Reads the metric `a` of a run, and counts how often."""

    def __init__(self):
        self.reads = 0

    def __call__(self, folder, run_id):
        self.reads += 1
        path = f"{folder}/{run_id}/metrics/a"
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            value = float(file.read())
        info = RunInfo(run_id, "0", "u", "RUNNING", 1, None, "active")
        return Run(info, RunData([Metric("a", value, 1, 1)]))


@pytest.fixture
def place(tmp_path):
    for name in ("metrics", "params", "tags"):
        (tmp_path / "r" / name).mkdir(parents=True)
    (tmp_path / "r" / "meta.yaml").write_text("", encoding="utf-8")
    (tmp_path / "r" / "metrics" / "a").write_text("1", encoding="utf-8")
    time.sleep(0.08)
    return tmp_path


def test_the_third_look_reads_nothing(place):
    """The first read is a read, the second is remembered, the rest are looks."""
    reader = Reader()
    recent = RecentRuns(reader)
    runs = [recent(str(place), "r") for _ in range(5)]

    assert 2 == reader.reads
    assert 1 == len(set(map(repr, runs)))


def test_every_change_is_read(place):
    """In place, as a new file, as a new key, in the metadata."""
    reader = Reader()
    recent = RecentRuns(reader)
    for path in ("metrics/a", "tags/t", "params/p", "meta.yaml", "outputs"):
        for _ in range(3):
            recent(str(place), "r")
        before = reader.reads
        if path == "outputs":
            (place / "r" / path).mkdir()
        else:
            (place / "r" / path).write_text("2", encoding="utf-8")
        recent(str(place), "r")

        assert 1 == reader.reads - before, path
        time.sleep(0.08)


def test_a_run_that_is_gone_is_forgotten(place):
    """What is no run any more is not given again."""
    recent = RecentRuns(Reader())
    for _ in range(3):
        assert recent(str(place), "r") is not None
    (place / "r" / "metrics" / "a").unlink()

    assert recent(str(place), "r") is None
    assert {} == recent._kept
