"""Makes datasets of the libraries that are installed and prints what is recorded of them.

For stock MLflow and ours: `described_data.py` prints kinds of data by library.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import warnings
from decimal import Decimal

import mlflow
import mlflow.data
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.types import ColSpec, Schema

HERE = HTTPDatasetSource("http://x/y")


def records_of_polars():
    import polars as pl

    day = dt.datetime(2020, 1, 1)
    types = {
        "integers": [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32],
        "floats": [pl.Float32, pl.Float64],
    }
    frames = {
        **{name: pl.DataFrame({str(one): pl.Series([1, 2], dtype=one) for one in of})
           for name, of in types.items()},
        "texts": pl.DataFrame({"a": ["x", None], "b": [b"x", b"y"],
                               "c": pl.Series(["x", "y"], dtype=pl.Categorical),
                               "d": pl.Series(["x", "x"], dtype=pl.Enum(["x"]))}),
        "times": pl.DataFrame({"a": [day], "b": [day.date()], "c": [True]}),
        "nested": pl.DataFrame({"a": [[1, 2]], "b": [[["x"]]], "c": [{"p": 1, "q": "x"}],
                                "d": pl.Series([[1]], dtype=pl.Array(pl.Int64, 1))}),
        "many": pl.DataFrame({"a": range(20_000)}),
        "none": pl.DataFrame({"a": pl.Series([], dtype=pl.Int64)}),
        "time": pl.DataFrame({"a": [dt.time(1)]}),
        "decimal": pl.DataFrame({"a": [Decimal("1.2")]}),
        "unsigned": pl.DataFrame({"a": pl.Series([1], dtype=pl.UInt64)}),
    }  # fmt: skip
    found = {
        name: mlflow.data.from_polars(frame, "/x/y.csv", name="n").to_dict()
        for name, frame in frames.items()
    }
    # Where no schema describes a frame, MLflow writes the text `null`, and ours nothing.
    return {
        name: {**one, "schema": None if one["schema"] == "null" else one["schema"]}
        for name, one in found.items()
    }


def records_of_datasets():
    import datasets

    info = datasets.DatasetInfo(config_name="c", dataset_size=5, size_in_bytes=7)
    mixed = datasets.Dataset.from_dict(
        {"a": [1, 2], "b": ["x", "y"], "c": [[1], [2]], "d": [{"q": 1}, {"q": 2}]}, split="train",
        info=info,
    )  # fmt: skip
    make = mlflow.data.from_huggingface
    return {
        "mixed": make(mixed, "p", "a", "dir", ["file"], "r", "n").to_dict(),
        "many": make(datasets.Dataset.from_dict({"a": list(range(20_000))}), "p").to_dict(),
        "elsewhere": make(mixed, source="/x/y.csv").to_dict(),
        "seen": make(mixed, "p", "a").to_evaluation_dataset().feature_names,
    }


def records_of_tensorflow():
    import numpy as np
    import tensorflow as tf

    rows, targets = np.arange(12, dtype="float32").reshape(4, 3), np.arange(4)
    make, data = mlflow.data.from_tensorflow, tf.data.Dataset.from_tensor_slices
    found = {
        "tensor": make(tf.constant(rows), "/x/y.csv", name="n"),
        "tensors": make(tf.constant(rows), "/x/y.csv", tf.constant(targets)),
        "half": make(tf.constant([1.0, 2.0], tf.float16), "/x/y.csv"),
        "rows": make(data(rows), "/x/y.csv"),
        "batches": make(data((rows, rows)).batch(3), "/x/y.csv"),
        "pairs": make(data((rows, targets)), "/x/y.csv"),
        "names": make(data({"b": targets, "a": rows}), "/x/y.csv"),
        "targets": make(data(rows), "/x/y.csv", data(targets)),
        "many": make(data(np.arange(60_000)), "/x/y.csv"),
    }
    return {name: one.to_dict() for name, one in found.items()}


def records_of_pyspark():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.getOrCreate()
    frame = spark.range(3).selectExpr(
        "id a", "cast(id as string) b", "cast(id as float) c", "array(id) d", "struct(id) e",
        "cast(id as timestamp) f", "cast(id as int) g", "cast(id as boolean) h",
    )  # fmt: skip
    odd = spark.range(3).selectExpr("cast(id as decimal(5, 2)) a")
    make = mlflow.data.from_spark
    found = {
        "path": make(frame, "/x/y", targets="a", name="n", predictions="b"),
        "table": make(frame, table_name="t"),
        "query": make(frame, sql="select 1"),
        "odd": make(odd, "/x/y"),
    }
    # How many rows there are is known only where Spark is quick.
    records = {name: {**one.to_dict(), "profile": None} for name, one in found.items()}
    if records["odd"]["schema"] == "null":
        records["odd"]["schema"] = None
    seen = make(frame, targets="a").to_evaluation_dataset()
    spark.stop()
    return {**records, "seen": [seen.feature_names, seen.labels_data.tolist()]}


def records_of_sources():
    schema = Schema([ColSpec("long", "a")])
    return {
        "plain": MetaDataset(HERE).to_dict(),
        "named": MetaDataset(HERE, "n").to_dict(),
        "with a schema": MetaDataset(HERE, "n", schema=schema).to_dict(),
        "with a digest": MetaDataset(HERE, "n", "d").to_dict(),
    }


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    found = {"sources": records_of_sources()}
    for library, records in (
        ("polars", records_of_polars),
        ("datasets", records_of_datasets),
        ("tensorflow", records_of_tensorflow),
        ("pyspark", records_of_pyspark),
    ):
        try:
            module = __import__(library)
        except ImportError:
            continue
        found[f"{library} {module.__version__}"] = records()
    print(json.dumps(found, sort_keys=True))
