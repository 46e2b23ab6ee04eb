"""Schemas survive writing and reading, and what a schema was inferred from fits it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.models.signature import ModelSignature
from mlflow.types.columns import enforce_column
from mlflow.types.enforce import enforce_params, enforce_schema
from mlflow.types.infer import infer_params, infer_schema
from mlflow.types.schema import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    ParamSchema,
    Property,
    Schema,
    SparkMLVector,
    TensorSpec,
)
from mlflow.types.values import enforce_value

pytestmark = pytest.mark.filterwarnings("ignore:Hint. Inferred schema contains integer")

NAMES = st.text(min_size=1, max_size=8)
SCALARS = st.sampled_from(list(DataType))


def _deeper(inner):
    fields = st.dictionaries(NAMES, st.tuples(inner, st.booleans()), min_size=1, max_size=3)
    return st.one_of(
        inner.map(Array),
        inner.map(Map),
        fields.map(lambda found: Object([Property(n, k, r) for n, (k, r) in found.items()])),
    )


TYPES = st.recursive(
    st.one_of(SCALARS, st.just(AnyType()), st.just(SparkMLVector())), _deeper, max_leaves=6
)
COLUMN_NAMES = st.one_of(NAMES, st.integers())
NAMED = st.dictionaries(COLUMN_NAMES, st.tuples(TYPES, st.booleans()), min_size=1, max_size=5).map(
    lambda found: Schema([ColSpec(k, n, r) for n, (k, r) in found.items()])
)
UNNAMED = st.lists(TYPES, min_size=1, max_size=4).map(
    lambda found: Schema([ColSpec(kind) for kind in found])
)
DTYPES = st.sampled_from(["bool", "int8", "uint64", "float16", "float64", "str", "bytes", "object",
                          "datetime64[ns]", "complex64"]).map(np.dtype)  # fmt: skip
SHAPES = st.lists(st.integers(-1, 5), max_size=4).map(tuple)
TENSORS = st.one_of(
    st.tuples(DTYPES, SHAPES).map(lambda found: Schema([TensorSpec(*found)])),
    st.dictionaries(NAMES, st.tuples(DTYPES, SHAPES), min_size=1, max_size=3).map(
        lambda found: Schema([TensorSpec(d, s, n) for n, (d, s) in found.items()])
    ),
)


@given(st.one_of(NAMED, UNNAMED, TENSORS))
def test_a_schema_is_read_as_it_was_written(schema):
    assert Schema.from_json(schema.to_json()) == schema
    signature = ModelSignature(schema, schema)
    assert ModelSignature.from_dict(signature.to_dict()) == signature


@given(st.one_of(NAMED, TENSORS), st.data())
def test_a_broken_schema_is_refused_as_ours_and_in_no_other_way(schema, data):
    text = schema.to_json()
    cut = data.draw(st.integers(0, len(text)))
    for broken in (text[:cut], text[:cut] + data.draw(st.text(max_size=3)) + text[cut:]):
        try:
            Schema.from_json(broken)
        except MlflowException:
            pass


# -------------------------------------------------- values that a type is inferred for

FLOATS = st.floats(allow_nan=False)
TIMES = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))
CELLS = {
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": FLOATS,
    "boolean": st.booleans(),
    "string": st.text(),
    "binary": st.binary(),
    "datetime": TIMES,
}


def _columns(rows):
    cells = [st.lists(cell, min_size=rows, max_size=rows) for cell in CELLS.values()]
    nested = st.lists(st.lists(st.integers(-9, 9), min_size=1), min_size=rows, max_size=rows)
    objects = st.lists(
        st.fixed_dictionaries({"k": st.integers(0, 9)}, optional={"m": st.text()}),
        min_size=rows,
        max_size=rows,
    )
    holes = st.lists(st.one_of(st.none(), st.text()), min_size=rows, max_size=rows)
    return st.one_of(*cells, nested, objects, holes)


FRAMES = st.integers(1, 4).flatmap(
    lambda rows: st.dictionaries(NAMES, _columns(rows), min_size=1, max_size=4).map(pd.DataFrame)
)


@given(FRAMES)
def test_a_frame_fits_the_schema_inferred_from_it(frame):
    schema = infer_schema(frame)
    found = enforce_schema(frame, schema)
    assert found.columns.tolist() == frame.columns.tolist()
    for name, kind in schema.input_types_dict().items():
        if kind is not DataType.datetime:
            assert found[name].tolist() == frame[name].tolist() or frame[name].isna().any()


@given(
    st.sampled_from(["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
                     "float16", "float32", "float64", "datetime64[s]", "datetime64[ns]",
                     "Int8", "Int64", "Float32", "Float64", "str", "string"]),
    st.integers(1, 4),
)  # fmt: skip
def test_a_column_of_any_dtype_fits_the_type_inferred_from_it(dtype, rows):
    cells = [str(n) for n in range(rows)] if dtype in {"str", "string"} else list(range(rows))
    frame = pd.DataFrame({"a": pd.Series(cells).astype(dtype)})
    found = enforce_schema(frame, infer_schema(frame))
    assert found["a"].tolist() == frame["a"].tolist()


@given(
    st.one_of(
        st.lists(CELLS["long"], min_size=1), st.lists(FLOATS, min_size=1), st.text(), FLOATS,
        st.booleans(), CELLS["long"], st.binary(), st.lists(st.text(), min_size=1),
        st.lists(st.fixed_dictionaries({"a": FLOATS}), min_size=1),
        st.fixed_dictionaries({"a": FLOATS, "b": st.lists(st.integers(0, 5), min_size=1)}),
        st.lists(st.lists(st.integers(0, 5), min_size=1), min_size=1),
    )
)  # fmt: skip
def test_plain_values_fit_the_schema_inferred_from_them(value):
    enforce_schema(value, infer_schema(value))


@given(st.lists(FLOATS, min_size=1, max_size=6), st.sampled_from(["f2", "f4", "f8", "i4", "O"]))
def test_arrays_fit_the_schema_inferred_from_them(values, dtype):
    with np.errstate(over="ignore", invalid="ignore"):
        array = np.array(values).astype(dtype)
    assert enforce_schema(array, infer_schema(array)) is array
    named = {"a": array, "b": np.stack([array, array])}
    assert enforce_schema(named, infer_schema(named)) == named


PARAMS = st.dictionaries(
    NAMES,
    st.one_of(
        *(CELLS[name] for name in ("long", "double", "boolean", "string", "datetime")),
        st.lists(CELLS["long"]), st.lists(st.text()), st.lists(FLOATS),
    ),
    max_size=4,
)  # fmt: skip


@given(PARAMS)
def test_params_fit_the_schema_inferred_from_them_before_and_after_writing(params):
    schema = infer_params(params)
    assert enforce_params(params, schema) == params
    read = ParamSchema.from_json(schema.to_json())
    assert read == schema
    assert enforce_params({}, read) == params


# ------------------------------------------------------------ nothing is ever lost

ANY_COLUMN = st.one_of(
    st.lists(st.one_of(st.integers(-(2**70), 2**70), FLOATS, st.booleans(), st.none())).map(
        lambda cells: pd.Series(cells, dtype=object)
    ),
    st.lists(st.integers(0, 255), min_size=1).flatmap(
        lambda cells: st.sampled_from(
            ["int16", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64", "Int64"]
        ).map(lambda dtype: pd.Series(cells).astype(dtype))
    ),
)


@given(ANY_COLUMN, st.sampled_from(["integer", "long", "float", "double"]))
def test_a_column_keeps_its_values_or_is_refused(column, kind):
    try:
        found = enforce_column(column, DataType[kind], "c")
    except MlflowException:
        return
    for before, after in zip(column, found, strict=True):
        if pd.isna(before) or pd.isna(after):
            assert pd.isna(before)
            assert pd.isna(after)
        else:
            # An object that stands for a number too long for a double is rounded to the nearest.
            assert before == after or (kind == "double" and float(before) == after)


@given(st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.text()), SCALARS)
def test_a_value_is_kept_or_refused(value, kind):
    try:
        found = enforce_value(value, kind)
    except MlflowException:
        return
    assert found == value or value != value
