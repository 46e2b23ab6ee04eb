"""Schemas: what is printed, what is written, and what is read of any version."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.types.enforce import enforce_schema
from mlflow.types.infer import infer_schema
from mlflow.types.schema import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    ParamSchema,
    ParamSpec,
    Schema,
    TensorInfo,
    TensorSpec,
)

COLUMNS = Schema([ColSpec("long", "a"), ColSpec(Array("double"), "b", required=False)])
TENSORS = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])


def test_schemas_print_as_people_know_them():
    assert repr(COLUMNS) == "['a': long (required), 'b': Array(double) (optional)]"
    assert repr(TENSORS) == "[Tensor('float32', (-1, 2))]"
    assert repr(Schema([ColSpec("string")])) == "[string (required)]"


@pytest.mark.parametrize("schema", [COLUMNS, TENSORS, Schema([ColSpec(AnyType(), 3)])])
def test_schemas_are_read_back(schema):
    assert Schema.from_json(schema.to_json()) == schema
    assert pickle.loads(pickle.dumps(schema)) == schema


def test_the_json_of_version_2_6_is_read():
    text = '[{"name": "a", "type": "double", "optional": true}, {"name": "b", "type": "long"}]'
    schema = Schema.from_json(text)
    assert schema.optional_input_names() == ["a"]
    assert schema.required_input_names() == ["b"]


def test_keys_of_later_versions_are_ignored():
    text = '[{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1], "x": 1}, "x": 2}]'
    assert Schema.from_json(text) == Schema([TensorSpec(np.dtype(str), (-1,))])


@pytest.mark.parametrize(
    "text",
    ["", "x", "3", "{}", "[3]", "[]", "null", '[{"type": "tensor"}]', '[{"type": 3}]',
     '[{"type": "tensor", "tensor-spec": {"dtype": "nope", "shape": [1]}}]',
     '[{"type": "tensor", "tensor-spec": {"dtype": "float32"}}]',
     '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": 3}}]',
     '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": "x"}}]',
     '[{"type": "tensor", "tensor-spec": []}]', '[{"type": "long", "name": {}}]',
     '[{"type": "object", "properties": {"a": {"type": []}}}]', '[{"type": []}]',
     "[" * 100_000, '[{"type": "array", "items": ' * 50_000,
     '[{"type": "array", "items": ' + '{"type": "array", "items": ' * 700 + '{"type": "long"}' + "}" * 701 + "]"],
)  # fmt: skip
def test_what_is_no_schema_is_refused_as_such(text):
    with pytest.raises(MlflowException):
        Schema.from_json(text)


def test_names_types_and_positions():
    assert COLUMNS.input_names() == ["a", "b"]
    assert COLUMNS.input_types_dict() == {"a": DataType.long, "b": Array("double")}
    assert COLUMNS.input_dict()["a"] == ColSpec("long", "a")
    assert len(COLUMNS) == 2
    unnamed = Schema([ColSpec("long"), ColSpec("float")])
    assert unnamed.input_names() == [0, 1]
    assert unnamed.pandas_types() == [np.dtype("int64"), np.dtype("float32")]
    assert not unnamed.has_input_names()
    for ask in (unnamed.input_dict, unnamed.input_types_dict, COLUMNS.numpy_types,
                TENSORS.pandas_types, TENSORS.as_spark_schema):  # fmt: skip
        with pytest.raises(MlflowException):
            ask()
    assert TENSORS.numpy_types() == [np.dtype("float32")]


@pytest.mark.parametrize(
    "specs",
    [
        [], "a", [3], [ColSpec("long", "a"), ColSpec("long")], [ColSpec("long", required=False)],
        [ColSpec("long", "a"), TensorSpec(np.dtype("f8"), (1,), "b")],
        [TensorSpec(np.dtype("f8"), (1,)), TensorSpec(np.dtype("f8"), (1,))],
    ],
)  # fmt: skip
def test_specs_that_make_no_schema_are_refused(specs):
    with pytest.raises(MlflowException):
        Schema(specs)


def test_tensors_are_described_by_numpy_dtypes_without_sizes():
    with pytest.raises(TypeError):
        TensorSpec("float64", (1,))
    with pytest.raises(TypeError):
        TensorSpec(np.dtype("f8"), 1)
    with pytest.raises(MlflowException, match="size information"):
        TensorSpec(np.dtype("<U3"), (1,))
    assert TensorInfo(np.dtype(">f8"), [1]) == TensorInfo(np.dtype(">f8"), (1,))


def test_reading_columns_loads_neither_numpy_nor_pandas():
    text = json.dumps([{"type": "double", "name": "a"}])
    code = (
        "import sys; from mlflow.types.schema import Schema, ParamSchema\n"
        f"print(Schema.from_json({text!r})); ParamSchema.from_json('[]')\n"
        "import mlflow.types.enforce, mlflow.types.infer\n"
        "print(sorted({'numpy', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["['a': double (required)]", "[]"]


def test_a_schema_is_not_hashable_since_it_can_change():
    for thing in (COLUMNS, ColSpec("long"), TensorSpec(np.dtype("f8"), (1,)), ParamSchema([]),
                  ParamSpec("a", "long", 1), Array("long")):  # fmt: skip
        with pytest.raises(TypeError):
            hash(thing)


def test_columns_of_several_levels_are_told_by_tuples():
    frame = pd.DataFrame([[1.5]], columns=pd.MultiIndex.from_tuples([("a", "b")]))
    schema = Schema.from_json(infer_schema(frame).to_json())
    assert schema.input_names() == [("a", "b")]
    pd.testing.assert_frame_equal(enforce_schema(frame, schema), frame)
