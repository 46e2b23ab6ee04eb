"""Parameters: defaults, conversions, JSON of any version, ranges."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pytest

from mlflow.exceptions import MlflowException
from mlflow.types.params import ParamSchema, ParamSpec, check_range
from mlflow.types.schema import Array, DataType, Object, Property

POINT = Object([Property("x", "long")])
SPECS = [
    ParamSpec("a", "long", 1),
    ParamSpec("b", "double", [0.5, 1], (-1,)),
    ParamSpec("c", "string", None),
    ParamSpec("d", "datetime", dt.datetime(2020, 1, 2, 3)),
    ParamSpec("e", "datetime", "2020-01-02"),
    ParamSpec("f", POINT, {"x": 1}),
    ParamSpec("g", "boolean", False),
    ParamSpec("h", "string", [], (-1,)),
]


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_params_are_read_back(spec):
    schema = ParamSchema([spec])
    assert ParamSchema.from_json(schema.to_json()) == schema
    assert pickle.loads(pickle.dumps(schema)) == schema


def test_params_print_as_people_know_them():
    assert repr(ParamSchema(SPECS[:2])) == (
        "['a': long (default: 1), 'b': double (default: [0.5, 1.0]) (shape: (-1,))]"
    )


def test_the_older_key_of_the_type_is_read():
    form = '[{"name": "a", "dtype": "long", "default": 1, "shape": null, "later": 2}]'
    assert ParamSchema.from_json(form) == ParamSchema([ParamSpec("a", "long", 1)])


def test_a_default_that_another_version_allowed_is_read():
    form = '[{"name": "a", "type": "integer", "default": 1099511627776, "shape": null}]'
    assert ParamSchema.from_json(form).params[0].default == 2**40


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (np.int64(3), "long", 3), (np.int8(3), "long", 3), (np.float32(1.5), "double", 1.5),
        (3, "double", 3.0), (3, "float", 3.0), (np.str_("x"), "string", "x"),
        (np.bool_(True), "boolean", True), (np.datetime64("2020-01-02"), "datetime", dt.date(2020, 1, 2)),
        ("2020-01-02T03:04:05", "datetime", dt.datetime(2020, 1, 2, 3, 4, 5)),
    ],
)  # fmt: skip
def test_defaults_are_plain_python(value, kind, expected):
    default = ParamSpec("a", kind, value).default
    assert default == expected
    assert type(default) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind", "shape"),
    [
        (1.5, "long", None), (True, "long", None), ("1", "long", None), (1, "string", None),
        (1, "boolean", None), ("true", "boolean", None), ("x", "datetime", None), (3, "datetime", None),
        (10**400, "double", None), (1, "long", (-1,)), ((1,), "long", (-1,)), ([[1]], "long", (-1,)),
        ([1], "long", None), ({"x": 1}, "long", None), ([1], "long", (2,)), ({"x": "q"}, POINT, None),
        (3, POINT, None), ([{"x": 1}], POINT, (-1,)), (b"x", "binary", None), (1, "int", None),
        (np.int64(1), "integer", None), (np.uint64(1), "long", None),
    ],
)  # fmt: skip
def test_defaults_of_another_type_are_refused(value, kind, shape):
    with pytest.raises(MlflowException) as caught:
        ParamSpec("a", kind, value, shape)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_types_that_no_param_can_have():
    with pytest.raises(TypeError):
        ParamSpec("a", Array("long"), [1])


@pytest.mark.parametrize("forms", ["x", "3", "{}", "[3]", '[{"name": "a", "type": "long"}]'])
def test_what_is_no_param_schema_is_refused_as_such(forms):
    with pytest.raises(MlflowException):
        ParamSchema.from_json(forms)


def test_a_name_stands_for_one_param():
    with pytest.raises(MlflowException, match=r"Duplicated parameters found in schema: \['a'\]"):
        ParamSchema([SPECS[0], SPECS[0]])


def test_ranges_bind_integers_only():
    check_range(2**31 - 1, DataType.integer)
    check_range(2**62, DataType.long)
    check_range(1e300, DataType.double)
    check_range(None, DataType.integer)
    check_range({"x": 2**70}, POINT)
    for value, kind in ((2**31, DataType.integer), ([0, -(2**63) - 1], DataType.long)):
        with pytest.raises(MlflowException, match="out of the range"):
            check_range(value, kind)
