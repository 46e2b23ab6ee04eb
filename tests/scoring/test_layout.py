"""The layout of a signature: order, types, missing and surplus columns, tensors."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.scoring.layout import Layout
from mlflow.scoring.payload import parse_object
from mlflow.types.schema import ColSpec, DataType, Schema, TensorSpec

MIXED = Schema(
    [
        ColSpec("double", "x"),
        ColSpec("long", "n"),
        ColSpec("string", "s"),
        ColSpec("boolean", "b"),
        ColSpec("datetime", "d"),
        ColSpec("binary", "raw"),
        ColSpec("double", "maybe", required=False),
    ]
)
ROW = {"x": 1.5, "n": 2, "s": "0007", "b": True, "d": "2024-01-02", "raw": "YWI="}


def laid_out(schema, document):
    return Layout(schema).data(parse_object(document).payload)


@pytest.mark.parametrize(
    "document",
    [
        {"dataframe_records": [ROW]},
        {"instances": [ROW]},
        {"inputs": ROW},
        {"inputs": {key: [value] for key, value in ROW.items()}},
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}},
        {"dataframe_split": {"columns": list(ROW)[::-1], "data": [list(ROW.values())[::-1]]}},
        {"dataframe_records": [{**ROW, "extra": 1}]},
        {"columns": list(ROW), "instances": [list(ROW.values())]},
    ],
    ids=lambda document: json.dumps(document)[:30],
)
def test_every_form_gives_one_frame(document):
    """All forms of one row give the same columns, in order, with the declared types."""
    found = laid_out(MIXED, document)

    assert list(ROW) == list(found.columns)
    assert [np.float64, np.int64] == [found["x"].dtype, found["n"].dtype]
    assert "0007" == found["s"][0]
    assert np.bool_ == found["b"].dtype
    assert pd.Timestamp("2024-01-02") == found["d"][0]
    assert b"ab" == found["raw"][0]


def test_csv_gives_the_same_frame():
    """CSV gives what JSON gives; texts keep their zeros."""
    layout = Layout(MIXED)
    body = b"s,x,n,b,d,raw\n0007,1.5,2,true,2024-01-02,YWI=\n"
    found = layout.data(layout.csv_payload(body))

    pd.testing.assert_frame_equal(laid_out(MIXED, {"dataframe_records": [ROW]}), found)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"dataframe_records": [{k: v for k, v in ROW.items() if k != "x"}]}, "missing inputs"),
        ({"dataframe_split": {"columns": ["y"], "data": [[1]]}}, "extra inputs.*y"),
        ({"dataframe_split": {"data": [[1]]}}, "missing inputs"),
        ({"instances": [[1]]}, "missing inputs"),
        ({"inputs": 5}, "missing inputs"),
        ({"inputs": {**ROW, "x": [1, 2]}}, "length of values"),
        ({"inputs": {**{k: [v] for k, v in ROW.items()}, "x": [1, 2]}}, "length of values"),
        ({"dataframe_records": [{**ROW, "n": 1.5}]}, "column n .*row 0"),
        ({"dataframe_records": [ROW, {**ROW, "x": "abc"}]}, "column x .*row 1"),
    ],
)
def test_refusals(document, words):
    """What does not fit is refused with the column's name."""
    with pytest.raises(MlflowException, match=words) as caught:
        laid_out(MIXED, document)

    assert caught.value.get_http_status_code() == 400


def test_missing_keys_of_some_rows():
    """A key that some rows lack is a missing value there."""
    schema = Schema([ColSpec("double", "x"), ColSpec("string", "s")])
    found = laid_out(schema, {"dataframe_records": [{"x": 1, "s": "a"}, {"s": "b"}]})

    assert np.isnan(found["x"][1])
    assert ["a", "b"] == list(found["s"])


def test_an_empty_optional_column():
    """An optional column of nulls stays as it is."""
    found = laid_out(MIXED, {"dataframe_records": [{**ROW, "maybe": None}]})

    assert found["maybe"].isna().all()


def test_index_is_kept():
    """dataframe_split may carry an index."""
    schema = Schema([ColSpec("double", "x")])
    split = {"columns": ["x"], "data": [[1], [2]], "index": ["p", "q"]}

    assert ["p", "q"] == list(laid_out(schema, {"dataframe_split": split}).index)


def test_integer_names():
    """Columns that are numbers are named by position in plain lists."""
    schema = Schema([ColSpec("double", 0), ColSpec("double", 1)])

    assert [0, 1] == list(laid_out(schema, {"instances": [[1, 2], [3, 4]]}).columns)


def test_unnamed_columns():
    """A signature without names takes values by position."""
    schema = Schema([ColSpec("double"), ColSpec("long")])
    found = laid_out(schema, {"instances": [[1, 2]]})

    assert [np.float64, np.int64] == list(found.dtypes)


def test_tensors():
    """Tensors take lists; their rank is the model's check, their type ours."""
    schema = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
    found = laid_out(schema, {"instances": [[1, 2], [3, 4]]})

    assert np.dtype("float32") == found.dtype
    assert (2, 2) == found.shape
    with pytest.raises(MlflowException, match="un-named"):
        laid_out(schema, {"inputs": {"a": [1]}})


def test_named_tensors():
    """Named tensors come by name or row by row."""
    schema = Schema([TensorSpec(np.dtype("int64"), (-1,), "a")])
    for document in ({"inputs": {"a": [1, 2]}}, {"instances": [{"a": 1}, {"a": 2}]}):
        found = laid_out(schema, document)
        assert np.array_equal(np.array([1, 2]), found["a"])
    with pytest.raises(MlflowException, match="names its tensors"):
        laid_out(schema, {"inputs": [1]})


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"instances": [[1, 2]]}, np.ndarray),
        ({"instances": [{"a": 1}]}, dict),
        ({"inputs": {"a": [1]}}, dict),
        ({"dataframe_split": {"data": [[1]]}}, pd.DataFrame),
        ({"dataframe_records": [{"a": 1}]}, pd.DataFrame),
        ({"columns": ["a"], "instances": [[1]]}, pd.DataFrame),
    ],
)
def test_without_a_signature(document, kind):
    """Without a signature the form decides what the model gets."""
    assert kind is type(laid_out(None, document))


def test_csv_without_a_signature():
    """Types of CSV are guessed where none are declared."""
    found = Layout(None).csv_payload(b"a,b\n1,x\n2,y\n")

    assert np.int64 == found["a"].dtype
    assert ["x", "y"] == list(found["b"])


def test_data_types_by_name():
    """The kinds are those of MLflow's DataType."""
    assert "double" == Layout(Schema([ColSpec(DataType.double, "x")])).kinds[0]
