"""The source of data in a Delta table."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import mlflow
from mlflow.data import delta_dataset_source
from mlflow.data.delta_dataset_source import DeltaDatasetSource as Source
from mlflow.exceptions import MlflowException


class Reader:
    """Stands in for Spark's reader: it gives what it was asked."""

    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        def ask(*args, **named):
            self.asked.append((name, *args, named) if named else (name, *args))
            return self.asked if name in ("load", "table") else self

        return ask


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({"path": "/x", "delta_table_version": 3}, [("option", "versionAsOf", 3), ("load", "/x")]),
        ({"delta_table_name": "t", "delta_table_id": "i"}, [("table", "t")]),
    ],
)
def test_recorded_and_read(monkeypatch, said, asked):
    monkeypatch.setattr(delta_dataset_source, "session", lambda: SimpleNamespace(read=Reader()))
    again = mlflow.data.get_dataset_source_from_json(Source(**said).to_json(), "delta_table")

    assert type(again) is Source
    assert again.to_dict() == said
    assert again.load(a=1) == [("format", "delta"), ("options", {"a": 1}), *asked]


@pytest.mark.parametrize("said", [{}, {"path": "a", "delta_table_name": "b"}])
def test_one_place(said):
    with pytest.raises(MlflowException, match="exactly one"):
        Source(**said)


def test_no_path_means_it():
    assert not Source._can_resolve("/x")
    with pytest.raises(MlflowException, match="load_delta"):
        Source._resolve("/x")
