"""The types: their counterparts in numpy, pandas and Python, and what is read as one."""

from __future__ import annotations

import copy
import datetime as dt
import pickle

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.types.datatypes import type_from_dict, type_to_dict
from mlflow.types.schema import (
    AnyType,
    Array,
    DataType,
    Map,
    Object,
    Property,
    SparkMLVector,
)

NESTED = [
    AnyType(),
    Array("long"),
    Array(Array("string")),
    Map("double"),
    Map(Array(AnyType())),
    Object([Property("a", "long"), Property("b", Map("string"), required=False)]),
    SparkMLVector(),
]


@pytest.mark.parametrize("kind", [*DataType, *NESTED], ids=repr)
def test_every_type_is_read_back_from_its_json_form(kind):
    assert type_from_dict(type_to_dict(kind), "x") == kind


@pytest.mark.parametrize("kind", [*DataType, *NESTED], ids=repr)
def test_every_type_survives_pickling_and_copying(kind):
    assert pickle.loads(pickle.dumps(kind)) == kind
    assert copy.deepcopy(kind) == kind


def test_types_differ_from_each_other():
    kinds = [*DataType, *NESTED]
    assert all((a == b) == (a is b) for a in kinds for b in kinds)


def test_pickles_name_the_public_module():
    assert b"mlflow.types.schema" in pickle.dumps(Array("long"))
    assert Array.__module__ == DataType.__module__ == "mlflow.types.schema"


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (True, {"boolean"}), (np.True_, {"boolean"}), (1, {"integer", "long"}),
        (np.int32(1), {"integer"}), (np.int64(1), {"long"}), (np.int8(1), set()),
        (1.5, {"float", "double"}), (np.float64(1.5), {"double"}), (np.float32(1.5), {"float"}),
        ("a", {"string"}), (np.str_("a"), {"string"}), (b"a", {"binary"}), (np.bytes_(b"a"), {"binary"}),
        (bytearray(b"a"), {"binary"}), (dt.date(2020, 1, 1), {"datetime"}),
        (dt.datetime(2020, 1, 1), {"datetime"}), (np.datetime64("2020-01-01"), {"datetime"}),
        (pd.Timestamp("2020-01-01"), {"datetime"}), (None, set()), ([1], set()),
    ],
)  # fmt: skip
def test_which_types_a_value_has(value, kinds):
    assert {kind.name for kind in DataType if DataType.check_type(kind, value)} == kinds


def test_numpy_counterparts_lead_back():
    for kind in DataType:
        assert DataType.from_numpy_type(kind.to_numpy()) is kind
    assert DataType.from_numpy_type(np.dtype("object")) is None
    assert DataType.string.to_pandas() is object


@pytest.mark.parametrize("make", [Array, Map, lambda kind: Property("a", kind)])
def test_unknown_types_are_refused(make):
    with pytest.raises(MlflowException, match=r"nsupported.* 'int'"):
        make("int")
    with pytest.raises(MlflowException, match="but got 3"):
        make(3)


@pytest.mark.parametrize(
    "form",
    [
        {}, {"type": "int"}, {"type": "array"}, {"type": "array", "items": 3}, {"type": "map"},
        {"type": "map", "values": 1}, {"type": "object"}, {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {}}}, {"type": "object", "properties": {"a": 1}},
        {"type": "object", "properties": []},
    ],
)  # fmt: skip
def test_broken_json_forms_are_refused(form):
    with pytest.raises(MlflowException):
        type_from_dict(form, "x")


def test_unknown_keys_in_json_forms_are_ignored():
    form = {"type": "array", "items": {"type": "long", "later": 1}, "later": {}}
    assert type_from_dict(form, "x") == Array("long")
    assert type_from_dict({"type": "vector"}, "x") == SparkMLVector()


def test_the_fields_of_an_object_are_in_order_of_names():
    kind = Object([Property("b", "long"), Property("a", "long")])
    assert [field.name for field in kind.properties] == ["a", "b"]
    assert repr(kind) == "{a: long (required), b: long (required)}"
