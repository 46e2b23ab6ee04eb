"""The source of data that Spark reads."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

import mlflow
from mlflow.data.spark_dataset_source import SparkDatasetSource as Source
from mlflow.exceptions import MlflowException


@pytest.fixture
def spark(monkeypatch):
    """Stands in for pyspark: what it is asked is what it gives."""
    module = ModuleType("pyspark.sql")
    reader = SimpleNamespace(
        load=lambda path, **options: ("load", path, options), table=lambda name: ("table", name)
    )
    session = SimpleNamespace(read=reader, sql=lambda query: ("sql", query))
    module.SparkSession = SimpleNamespace(builder=SimpleNamespace(getOrCreate=lambda: session))
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({"path": "/x"}, ("load", "/x", {"header": True})),
        ({"table_name": "t"}, ("table", "t")),
        ({"sql": "q"}, ("sql", "q")),
    ],
)
def test_recorded_and_read(spark, said, asked):
    again = mlflow.data.get_dataset_source_from_json(Source(**said).to_json(), "spark")

    assert type(again) is Source
    assert again.to_dict() == said
    assert again.load(header=True) == asked


@pytest.mark.parametrize("said", [{}, {"path": "a", "sql": "b"}])
def test_one_place(said):
    with pytest.raises(MlflowException, match="exactly one"):
        Source(**said)


def test_without_pyspark(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)

    with pytest.raises(MlflowException, match="pip install pyspark"):
        Source(path="/x").load()


def test_no_path_means_it():
    assert not Source._can_resolve("/x")
    with pytest.raises(MlflowException, match="from_spark"):
        Source._resolve("/x")
