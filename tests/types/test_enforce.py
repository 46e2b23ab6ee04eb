"""Enforcement as a whole: what stock MLflow was recorded to do, and where we differ knowingly."""

from __future__ import annotations

import json
import logging
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from mlflow.exceptions import MlflowException
from mlflow.types.enforce import enforce_params, enforce_schema
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

HERE = Path(__file__).parent
CASES = runpy.run_path(str(HERE / "cases.py"))
RECORD = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
DIFFERENCES = runpy.run_path(str(HERE / "differences.py"))["DIFFERENCES"]
DIFFERENT = {label for labels in DIFFERENCES.values() for label in labels}
SAME_PANDAS = RECORD["pandas"].partition(".")[0] == pd.__version__.partition(".")[0]
needs_same_pandas = pytest.mark.skipif(
    not SAME_PANDAS, reason=f"the table is recorded with pandas {RECORD['pandas']}"
)


@pytest.fixture(scope="module")
def ours():
    return CASES["results"]()


def agrees(label, stock, found):
    if stock[0] != found[0]:
        return False
    if stock[0] == "refused":
        # A kind of error that no caller was meant to see is replaced by ours.
        return stock[1:2] != ["MlflowException"] or found[2].startswith(stock[2])
    return label.endswith("| any") or stock == found


@needs_same_pandas
@pytest.mark.parametrize("column", CASES["COLUMNS"])
def test_every_type_of_a_column_against_every_type_of_a_schema(column, ours):
    labels = [f"column {column} | {kind}" for kind in CASES["SCALARS"]]
    wrong = {
        label: (RECORD["results"][label], ours[label])
        for label in labels
        if label not in DIFFERENT and not agrees(label, RECORD["results"][label], ours[label])
    }
    assert wrong == {}


@needs_same_pandas
@pytest.mark.parametrize("value", CASES["VALUES"])
def test_every_kind_of_value_against_every_type(value, ours):
    labels = [label for label in RECORD["results"] if label.startswith(f"value {value} |")]
    assert len(labels) == 42
    wrong = {
        label: ours[label]
        for label in labels
        if label not in DIFFERENT and ours[label][:1] != RECORD["results"][label]
    }
    assert wrong == {}


@needs_same_pandas
def test_schemas_inference_structure_and_params_as_recorded(ours):
    labels = [name for name in RECORD["results"] if not name.startswith(("column ", "value "))]
    wrong = {
        label: (RECORD["results"][label], ours[label])
        for label in labels
        if label not in DIFFERENT and not agrees(label, RECORD["results"][label], ours[label])
    }
    assert wrong == {}
    assert len(labels) > 500


@needs_same_pandas
def test_every_named_difference_is_one(ours):
    same = [label for label in DIFFERENT if agrees(label, RECORD["results"][label], ours[label])]
    assert same == []


def test_the_record_and_the_cases_are_of_one_age(ours):
    assert ours.keys() == RECORD["results"].keys()


def test_a_tensor_schema_takes_arrays_and_a_column_schema_tables():
    tensor = Schema([TensorSpec(np.dtype("float64"), (-1, 2))])
    array = np.ones((3, 2))
    assert enforce_schema(array, tensor) is array
    table = enforce_schema(array, Schema([ColSpec("double"), ColSpec("double")]))
    assert table.to_numpy().tolist() == array.tolist()


def test_sparse_matrices_pass_by_the_dtype_of_their_elements():
    sparse = csr_matrix(np.eye(2))
    assert enforce_schema(sparse, Schema([TensorSpec(np.dtype("float64"), (-1, 2))])) is sparse
    with pytest.raises(MlflowException, match="does not match expected dtype float32"):
        enforce_schema(sparse, Schema([TensorSpec(np.dtype("float32"), (-1, 2))]))


class SparkFrame:
    """As much of a Spark DataFrame as is looked at."""

    def __init__(self, frame):
        self.frame, self.limits = frame, []

    def limit(self, count):
        self.limits.append(count)
        return self

    def toPandas(self):
        return self.frame.head(self.limits[-1])


@pytest.fixture
def spark(monkeypatch):
    import sys
    import types

    module = types.ModuleType("pyspark.sql")
    module.DataFrame = SparkFrame
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)


def test_of_a_spark_frame_ten_rows_are_checked_and_the_frame_returned(spark):
    frame = SparkFrame(pd.DataFrame({"a": range(20)}))
    assert enforce_schema(frame, Schema([ColSpec("long", "a")])) is frame
    assert frame.limits == [10]
    with pytest.raises(MlflowException, match="Model is missing inputs"):
        enforce_schema(frame, Schema([ColSpec("long", "b")]))


# ------------------------------------------------------------------- params

PARAMS = ParamSchema(
    [
        ParamSpec("n", "integer", 1),
        ParamSpec("big", "long", 1),
        ParamSpec("t", "double", 0.5),
        ParamSpec("many", "long", [1], (-1,)),
    ]
)


def test_given_params_are_checked_and_the_rest_are_defaults():
    found = enforce_params({"n": 7, "t": 2, "many": np.array([3, 4])}, PARAMS)
    assert found == {"n": 7, "big": 1, "t": 2.0, "many": [3, 4]}
    assert type(found["t"]) is float
    assert all(type(item) is int for item in found["many"])


def test_without_a_schema_params_are_dropped_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING, logger="mlflow"):
        assert enforce_params({"a": 1}, None) == {}
        assert enforce_params(["whatever"], None) == {}
    assert len(caplog.records) == 2
    assert enforce_params(None, None) is None


def test_unknown_params_are_dropped_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING, logger="mlflow"):
        assert "z" not in enforce_params({"z": 1}, PARAMS)
    assert "Unrecognized params ['z'] are ignored" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2**31), ("n", -(2**31) - 1), ("big", 2**63), ("many", [1, 2**63]), ("n", 1.0),
        ("n", True), ("t", "1"), ("t", True), ("many", 3), ("many", (1, 2)), ("many", [[1]]),
        ("many", None), ("n", [1]),
    ],
)  # fmt: skip
def test_params_that_do_not_fit_are_refused_by_name(name, value):
    with pytest.raises(MlflowException) as caught:
        enforce_params({name: value}, PARAMS)
    assert caught.value.message.startswith("Invalid parameters found: {")
    assert repr(name) in caught.value.message
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31), None])
def test_params_at_the_edge_of_the_range_fit(value):
    assert enforce_params({"n": value}, PARAMS)["n"] == value


def test_all_wrong_params_are_told_at_once():
    with pytest.raises(MlflowException) as caught:
        enforce_params({"n": "x", "t": "y"}, PARAMS)
    assert caught.value.message.count("Failed to validate") == 2


def test_params_must_be_a_dictionary():
    with pytest.raises(MlflowException, match=r"Parameters must be a dictionary. Got type 'list'"):
        enforce_params([1], PARAMS)
