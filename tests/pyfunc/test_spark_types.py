"""Predictions as columns of Spark, as MLflow makes them of the same predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.pyfunc.spark_types import as_column, result_type_of

types = pytest.importorskip(
    "pyspark.sql.types", reason="pyspark is not installed; scripts/flavors brings it"
)

# Spark itself reads types that are texts.
pytestmark = [pytest.mark.usefixtures("spark_session"), pytest.mark.filterwarnings("ignore")]

MIXED = pd.DataFrame({"f": [1.5], "i": [2], "b": [True], "s": ["q"]})
# What is predicted, the type, and the column's values; None where there is nothing of the type.
CASES = [
    (np.array([0.5, 1]), "double", [0.5, 1.0]),
    (np.array([0.5]), "long", None),
    (np.array([1]), "int", None),
    (np.array([1], dtype="int32"), "int", [1]),
    (np.array([1]), "bigint", [1]),
    (np.array([1]), "float", [1.0]),
    (np.array([1]), "boolean", None),
    (np.array([True]), "boolean", [True]),
    (np.array([True]), "double", None),
    (np.array([1]), "string", ["1"]),
    (["1"], "double", None),
    (["1"], "string", ["1"]),
    ([1], "array<string>", [["1"]]),
    (MIXED, "long", [2]),
    (MIXED, "double", [1.5]),
    (MIXED, "boolean", [True]),
    (MIXED, "string", ["1.5"]),
    (MIXED, "array<double>", [[1.5, 2.0]]),
    (MIXED, "array<string>", [["1.5", "2", "True", "q"]]),
    ([[1.0, 2.0]], "array<double>", [[1.0, 2.0]]),
    ([[1.0, 2.0]], "double", [1.0]),
    (pd.DataFrame({"v": [[1.0], [2.0, 3.0]]}), "array<double>", [[1.0], [2.0, 3.0]]),
    (np.ones((1, 2, 2)), "array<array<double>>", [[[1.0, 1.0], [1.0, 1.0]]]),
    ([{"a": 1.0}], "map<string,double>", [{"a": 1.0}]),
    ([[{"x": np.int64(1), "y": 2}]], "array<struct<x:int>>", [[{"x": 1}]]),
    ("abc", "string", ["abc"]),
]


@pytest.mark.parametrize(("predictions", "text", "expected"), CASES)
def test_predictions_become_columns(predictions, text, expected):
    kind = types.DataType.fromDDL(text)

    if expected is None:
        with pytest.raises(MlflowException, match="did not produce any values compatible"):
            as_column(predictions, kind)
    else:
        assert list(as_column(predictions, kind)) == expected


def test_structs_are_frames_of_their_fields():
    kind = types.DataType.fromDDL("s double, n array<string>")
    rows = [{"n": ["a"], "s": 1, "more": 2}]

    found = as_column(rows, kind)

    assert found.to_dict(orient="records") == [{"s": 1.0, "n": ["a"]}]
    with pytest.raises(MlflowException, match=r"names the fields \['s', 'n'\]"):
        as_column([1.0], kind)


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ([1.0], "double"),
        (pd.Series(["a"]), "string"),
        (pd.DataFrame({"s": [1.0], "n": ["x"]}), "struct<s:double,n:string>"),
        ([[1.0]], "array<double>"),
        ([{"a": [{"b": 1}]}], "struct<a:array<struct<b:bigint>>>"),
        (np.ones((2, 3)), "array<double>"),
        (np.ones(2), "double"),
        (np.array([1]), "bigint"),
    ],
)
def test_the_signature_says_the_type(outputs, text):
    signature = infer_signature([1.0], outputs)

    assert result_type_of(None, None, signature.outputs).simpleString() == text


def test_types_that_predictions_cannot_have_are_refused():
    assert result_type_of(None, None, None) == types.DoubleType()
    for given in ("date", types.BinaryType(), "array<date>", "map<int,string>", 3):
        with pytest.raises(MlflowException, match="Invalid 'spark_udf' result type"):
            result_type_of(None, given, None)
