"""Datasets made of Spark data frames; `tests/interop/test_data_against_stock.py` has real ones."""

from __future__ import annotations

import hashlib
import json
import sys
from types import ModuleType

import pandas as pd
import pytest

import mlflow
from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.exceptions import MlflowException


class LongType: ...


class IntervalType: ...


class ArrayType:
    elementType = LongType()


class StructType:
    def __init__(self, **fields):
        self.fields = [Field(name, kind) for name, kind in fields.items()]


class Field:
    nullable = True

    def __init__(self, name, kind):
        self.name, self.dataType = name, kind


class Frame:
    """Stands in for a frame of Spark: three rows, and what is asked of them."""

    columns = ["a", "b"]
    schema = StructType(a=LongType(), b=ArrayType())
    count = 3

    def semanticHash(self):
        return -5

    @property
    def rdd(self):
        return self

    def countApprox(self, timeout):
        if self.count is None:
            raise NotImplementedError("of a session elsewhere")
        return self.count

    def limit(self, rows):
        self.limited = rows
        return self

    def toPandas(self):
        return pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})


@pytest.fixture(autouse=True)
def spark(monkeypatch):
    module = ModuleType("pyspark.sql")
    module.DataFrame = Frame
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)


def test_what_is_recorded():
    """The digest is of Spark's hash of the query, as MLflow's is."""
    found = mlflow.data.from_spark(Frame(), "/x", targets="a", name="n", predictions="b")

    assert found.to_dict() == {
        "name": "n",
        "digest": hashlib.md5((-5).to_bytes(8, "little", signed=True)).hexdigest()[:8],
        "source": '{"path": "/x"}',
        "source_type": "spark",
        "schema": json.dumps({"mlflow_colspec": [
            {"type": "long", "name": "a", "required": True},
            {"type": "array", "items": {"type": "long"}, "name": "b", "required": True},
        ]}),
        "profile": '{"approx_count": 3}',
    }  # fmt: skip
    assert (found.targets, found.predictions) == ("a", "b")


@pytest.mark.parametrize("count", [0, None])
def test_rows_that_no_one_counted(count):
    frame = Frame()
    frame.count = count

    assert mlflow.data.from_spark(frame).profile == {"approx_count": "unknown"}


def test_types():
    frame = Frame()
    frame.schema = StructType(a=StructType(p=LongType()))

    assert mlflow.data.from_spark(frame).schema.to_dict()[0]["properties"] == {
        "p": {"type": "long", "required": False}
    }


def test_a_type_that_no_schema_has():
    frame = Frame()
    frame.schema = StructType(a=IntervalType())

    assert mlflow.data.from_spark(frame).to_dict()["schema"] is None


def test_sources(tmp_path):
    """A folder with a log of Delta is a Delta table, and may have a version."""
    (tmp_path / "_delta_log").mkdir()
    make = mlflow.data.from_spark

    assert make(Frame()).source._get_source_type() == "code"
    assert make(Frame(), table_name="t").source.to_dict() == {"table_name": "t"}
    assert make(Frame(), sql="q").source.to_dict() == {"sql": "q"}
    assert make(Frame(), str(tmp_path), version="2").source.to_dict() == {
        "path": str(tmp_path), "delta_table_version": 2,
    }  # fmt: skip


def test_evaluators_see_pandas():
    frame = Frame()
    seen = mlflow.data.from_spark(frame, targets="a").to_evaluation_dataset()

    assert frame.limited == 10_000
    assert seen.feature_names == ["b"]


@pytest.mark.parametrize(
    ("df", "more", "told"),
    [
        (Frame(), {"targets": "z"}, "specified targets column 'z'"),
        (Frame(), {"predictions": "z"}, "specified predictions column 'z'"),
        (Frame(), {"path": "p", "sql": "q"}, "at most one"),
        ([1], {}, "A Spark DataFrame is expected, not list"),
    ],
)
def test_what_is_refused(df, more, told):
    with pytest.raises(MlflowException, match=told):
        mlflow.data.from_spark(df, **more)


def test_delta_tables(monkeypatch):
    monkeypatch.setattr(DeltaDatasetSource, "load", lambda self: Frame())

    found = mlflow.data.load_delta(table_name="t", version="3", targets="a")

    assert found.to_dict()["source_type"] == "delta_table"
    assert found.source.to_dict() == {"delta_table_name": "t", "delta_table_version": 3}


@pytest.mark.parametrize("places", [{}, {"path": "a", "table_name": "b"}])
def test_one_delta_table(places):
    with pytest.raises(MlflowException, match="exactly one"):
        mlflow.data.load_delta(**places)
