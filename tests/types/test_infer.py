"""Inference: the rules that the recorded table does not show by themselves."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.types.infer import clean_dtype, infer_params, infer_schema, infer_value, merge_types
from mlflow.types.schema import AnyType, Array, ColSpec, DataType, Map, Object, Property, Schema

pytestmark = pytest.mark.filterwarnings("ignore:Hint. Inferred schema contains integer")


def kinds(frame):
    return {spec.name: (repr(spec.type), spec.required) for spec in infer_schema(frame)}


def test_a_frame_of_everything():
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "small": np.array([1, 2], "uint16"),
            "x": [0.5, None],
            "s": ["a", None],
            "c": pd.Categorical(["u", "v"]),
            "t": pd.to_datetime(["2020-01-01", "2020-01-02"]),
            "l": [[1], [2, 3]],
            "d": [{"k": 1}, {"k": 2, "m": "x"}],
            "nullable": pd.array([1, None], dtype="Int32"),
            "b": [b"x", b"y"],
            "nothing": [None, None],
        }
    )
    assert kinds(frame) == {
        "n": ("long", True),
        "small": ("integer", True),
        "x": ("double", False),
        "s": ("string", False),
        "c": ("string", True),
        "t": ("datetime", True),
        "l": ("Array(long)", True),
        "d": ("{k: long (required), m: string (optional)}", True),
        "nullable": ("integer", False),
        "b": ("binary", True),
        "nothing": ("Any", False),
    }


def test_the_hint_about_integers_is_given_once_a_schema():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        infer_schema(pd.DataFrame({"a": [1], "b": [2]}))
    assert [str(item.message)[:34] for item in seen] == ["Hint: Inferred schema contains int"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        infer_schema(pd.DataFrame({"a": [1.5]}))


def test_inference_does_not_change_the_data():
    frame = pd.DataFrame({"a": pd.Series([1, 2], dtype=object), "l": [[1], [2]]})
    before = frame.copy(deep=True)
    infer_schema(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"a": np.array([1], "uint64")}), pd.DataFrame({"a": [1, "x"]}, dtype=object),
        pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"a": pd.to_timedelta([1])}),
        pd.DataFrame({"a": [1j]}), {1: 2}, [1, "x"], [1, 2.5], (1, 2), {"x"}, [{"a": 1}, {"a": "x"}],
        np.array(3), {"a": {1: 2}},
    ],
)  # fmt: skip
def test_data_without_a_schema_is_refused(data):
    with pytest.raises(MlflowException):
        infer_schema(data)


def test_merging():
    a = Object([Property("x", "long"), Property("y", "string")])
    b = Object([Property("x", "long"), Property("z", AnyType())])
    assert merge_types(a, b) == Object(
        [
            Property("x", "long"),
            Property("y", "string", required=False),
            Property("z", AnyType(), required=False),
        ]
    )
    assert merge_types(AnyType(), DataType.long) is DataType.long
    assert merge_types(Map("long"), Map(AnyType())) == Map("long")
    with pytest.raises(MlflowException, match="to be of the same type"):
        merge_types(Array("long"), Array("double"))


def test_nothing_has_no_type():
    assert infer_value(None) is None
    assert infer_value([]) is None
    assert infer_value([None, {}]) is None


def test_a_long_column_of_text_is_told_without_a_type_object_a_cell(monkeypatch):
    from mlflow.types import infer

    asked = []
    real = infer._of_scalar
    monkeypatch.setattr(infer, "_of_scalar", lambda cell: asked.append(cell) or real(cell))
    frame = pd.DataFrame({"b": [b"x"] * 5000})
    assert infer.infer_schema(frame) == Schema([ColSpec("binary", "b")])
    assert len(asked) == 1


def test_params():
    schema = infer_params(
        {"n": 1, "x": 0.5, "s": "a", "many": [1, 2], "array": np.array([0.5]), "empty": [],
         "mixed": [1, 0.5], "d": {"k": [1]}, "nan": float("nan")}
    )  # fmt: skip
    found = {spec.name: (repr(spec.dtype), spec.shape) for spec in schema}
    assert found == {
        "n": ("long", None), "x": ("double", None), "s": ("string", None), "many": ("long", (-1,)),
        "array": ("double", (-1,)), "empty": ("string", (-1,)), "mixed": ("double", (-1,)),
        "d": ("{k: Array(long) (required)}", None), "nan": ("double", None),
    }  # fmt: skip


def test_all_params_without_a_type_are_told_at_once():
    with pytest.raises(MlflowException) as caught:
        infer_params({"a": None, "b": object(), "c": [[1]], "d": 1, "e": b"x"})
    for name in "abce":
        assert f"('{name}'" in caught.value.message
    assert "('d'" not in caught.value.message


def test_dtypes_lose_the_size_of_their_text():
    assert clean_dtype(np.dtype("<U7")) == np.dtype(str)
    assert clean_dtype(np.dtype("S7")) == np.dtype(bytes)
    assert clean_dtype(np.dtype("f4")) == np.dtype("f4")


class Field:
    def __init__(self, name, kind, nullable=False):
        self.name, self.dataType, self.nullable = name, kind, nullable


def spark_type(name, **attributes):
    return type(name, (), attributes)()


def test_spark_frames_are_read_by_their_schema(monkeypatch):
    import sys
    import types

    text = spark_type("StringType")
    fields = [
        Field("a", spark_type("ShortType")),
        Field("b", spark_type("ArrayType", elementType=spark_type("DoubleType")), nullable=True),
        Field("c", spark_type("StructType", fields=[Field("k", text)])),
        Field("d", spark_type("MapType", keyType=text, valueType=text)),
    ]
    frame_class = type("DataFrame", (), {"schema": spark_type("StructType", fields=fields)})
    module = types.ModuleType("pyspark.sql")
    module.DataFrame = frame_class
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)
    assert kinds(frame_class()) == {
        "a": ("integer", True),
        "b": ("Array(double)", True),
        "c": ("{k: string (required)}", True),
        "d": ("Map(str -> DataType.string)", True),
    }
    fields.append(Field("e", spark_type("NullType")))
    with pytest.raises(MlflowException, match="Unsupported Spark Type"):
        infer_schema(frame_class())
