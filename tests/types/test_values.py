"""Single and nested values: what is kept as it is, what is widened, what is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.types.schema import AnyType, Array, DataType, Map, Object, Property
from mlflow.types.values import can_widen, enforce_value

NESTED = Object(
    [
        Property("id", "long"),
        Property("tags", Array("string"), required=False),
        Property("by", Map(Array("double")), required=False),
    ]
)


def test_a_nested_value_that_conforms_is_unchanged():
    value = {"id": 3, "tags": ["a", "b"], "by": {"k": [1.5]}}
    assert enforce_value(value, NESTED) == value


@pytest.mark.parametrize("kind", list(DataType))
def test_missing_values_pass_only_where_they_are_optional(kind):
    assert enforce_value(None, kind, required=False) is None
    with pytest.raises(MlflowException, match="Expected data to be scalar, got NoneType"):
        enforce_value(None, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (2**31, "integer"), (-(2**31) - 1, "integer"), (2**63, "long"), (-(2**63) - 1, "long"),
        (2**53 + 1, "double"), (2**24 + 1, "float"), (0.1, "float"), (1.0, "long"), (True, "long"),
        (True, "double"), (1, "boolean"), ("1", "long"), (1, "string"), (b"x", "string"),
        ("2020-01-01", "datetime"), (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "datetime"),
        (np.int64(3), "integer"), (np.int64(3), "double"), (np.float64(1), "float"),
        (np.uint64(1), "long"), (np.bool_(True), "long"), ([1], "long"), ({}, "long"),
    ],
)  # fmt: skip
def test_what_a_type_cannot_hold_is_refused(value, kind):
    with pytest.raises(MlflowException):
        enforce_value(value, DataType[kind])


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (2**31 - 1, "integer", 2**31 - 1), (-(2**63), "long", -(2**63)), (2**53, "double", 2.0**53),
        (3, "float", 3.0), (1.5, "double", 1.5), ("x", "string", "x"), (b"x", "binary", b"x"),
        (True, "boolean", True), (dt.date(2020, 1, 1), "datetime", dt.date(2020, 1, 1)),
    ],
)  # fmt: skip
def test_python_values_keep_their_value_and_are_of_the_types_class(value, kind, expected):
    found = enforce_value(value, DataType[kind])
    assert found == expected
    assert isinstance(found, DataType[kind].to_python())


@pytest.mark.parametrize(
    ("value", "kind", "dtype"),
    [
        (np.int8(1), "long", "int64"), (np.uint8(1), "integer", "int32"),
        (np.int32(1), "double", "float64"), (np.float16(1), "float", "float32"),
        (np.int64(1), "float", "float32"), (np.float32(1.5), "double", "float64"),
    ],
)  # fmt: skip
def test_numpy_values_are_widened(value, kind, dtype):
    found = enforce_value(value, DataType[kind])
    assert found == value
    assert found.dtype == dtype


@pytest.mark.parametrize(
    ("array", "kind", "dtype"),
    [
        (np.array([1, 2], "int8"), Array("long"), "int64"),
        (np.array([1.5], "float32"), Array("double"), "float64"),
        (np.array([[1, 2]]), Array(Array("long")), "int64"),
        (np.array(["a"]), Array("string"), "<U1"),
        (np.array([b"a"]), Array("binary"), "|S1"),
        (np.array([1, "a"], dtype=object), Array(AnyType()), "object"),
    ],
)
def test_arrays_are_checked_by_their_dtype(array, kind, dtype):
    found = enforce_value(array, kind)
    assert found.dtype == dtype
    assert found.tolist() == array.tolist()


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.array([[1, 2]]), Array("long")), (np.array([1, 2]), Array(Array("long"))),
        (np.array([1, 2]), Array("double")), (np.array([1.5]), Array("long")),
        (np.array(["a"]), Array("long")), (np.array([1, "a"], dtype=object), Array("string")),
    ],
)  # fmt: skip
def test_arrays_of_another_dtype_or_depth_are_refused(array, kind):
    with pytest.raises(MlflowException):
        enforce_value(array, kind)


def test_an_array_of_objects_is_looked_at_item_by_item():
    found = enforce_value(np.array(["a", "b"], dtype=object), Array("string"))
    assert found.tolist() == ["a", "b"]
    assert found.dtype == object


def test_missing_and_unknown_keys_of_an_object_are_refused():
    with pytest.raises(MlflowException, match=r"Missing required properties: \{'id'\}"):
        enforce_value({}, NESTED)
    with pytest.raises(MlflowException, match="Invalid properties not defined in the schema"):
        enforce_value({"id": 1, "x": 1}, NESTED)


def test_the_wrong_key_of_an_object_is_named():
    with pytest.raises(MlflowException) as caught:
        enforce_value({"id": "x"}, NESTED)
    assert caught.value.message == (
        "Failed to enforce schema for key `id`. Expected type long, received type str"
    )


def test_a_map_needs_text_keys():
    with pytest.raises(MlflowException, match="keys in the map type data are string"):
        enforce_value({1: 1}, Map("long"))


def test_a_hole_among_doubles_is_nan():
    found = enforce_value([1.0, None], Array("double"))
    assert found[0] == 1.0
    assert found[1] != found[1]


def test_anything_passes_as_any():
    value = object()
    assert enforce_value(value, AnyType()) is value
    assert enforce_value(None, Array(AnyType())) is None
    assert enforce_value(pd.NA, DataType.long, required=False) is pd.NA


NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
           "float16", "float32", "float64"]  # fmt: skip


@pytest.mark.parametrize("source", NUMBERS)
@pytest.mark.parametrize("target", ["int32", "int64", "float32", "float64"])
def test_widening_never_changes_the_largest_and_the_smallest_value(source, target):
    source, target = np.dtype(source), np.dtype(target)
    if not can_widen(source, target):
        return
    info = np.iinfo(source) if source.kind in "iu" else np.finfo(source)
    for value in (info.min, info.max):
        assert source.type(value).astype(target).item() == source.type(value).item()


def test_how_many_dtypes_widen():
    pairs = [(a, b) for a in NUMBERS for b in ("int32", "int64", "float32", "float64")
             if can_widen(np.dtype(a), np.dtype(b))]  # fmt: skip
    assert len(pairs) == 5 + 7 + 2 + 9


@pytest.mark.parametrize("kind", list(DataType))
@pytest.mark.parametrize(
    "items",
    [
        [1, 2], [2**31], [2**63], [0.5], [True, False], ["a"], [b"a"], [1, True], [1.0, 2], [],
        ["a", b"a"], [None, 1], [float("nan")], [dt.date(2020, 1, 1)],
    ],
    ids=repr,
)  # fmt: skip
def test_a_list_is_answered_as_its_items_one_by_one(kind, items):
    def answer(call):
        try:
            return repr(call())
        except MlflowException as error:
            return error.message

    together = answer(lambda: enforce_value(items, Array(kind)))
    if None not in items:
        assert together == answer(lambda: [enforce_value(item, kind) for item in items])


def test_a_list_that_conforms_is_not_looked_at_item_by_item(monkeypatch):
    from mlflow.types import values

    looked_at = []
    monkeypatch.setattr(values, "_enforce_scalar", lambda *a: looked_at.append(a))
    for items, kind in (
        ([1, 2], "long"),
        ([0.5], "double"),
        (["a"], "string"),
        ([True], "boolean"),
    ):
        found = enforce_value(items, Array(kind))
        assert found == items
        assert found is not items
    assert looked_at == []
