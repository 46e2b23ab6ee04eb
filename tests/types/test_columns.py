"""Tables: what a conforming one costs, what is shared with the caller, and what is refused."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.types import columns
from mlflow.types.columns import enforce_column, enforce_columns
from mlflow.types.schema import Array, ColSpec, DataType, Map, Object, Property, Schema

NAMES = [f"c{number}" for number in range(11)]
DOUBLES = Schema([ColSpec("double", name) for name in NAMES])


def doubles(rows=3):
    return pd.DataFrame(np.arange(rows * 11, dtype=float).reshape(rows, 11), columns=NAMES)


def test_a_conforming_frame_is_not_looked_at_column_by_column(monkeypatch):
    looked_at = []
    monkeypatch.setattr(columns, "enforce_column", lambda *a, **k: looked_at.append(a))
    frame = doubles()
    found = enforce_columns(frame, DOUBLES)
    assert looked_at == []
    pd.testing.assert_frame_equal(found, frame)


def test_the_short_way_equals_the_long_one(monkeypatch):
    frame = doubles().assign(c3=["x", None, "y"])
    schema = Schema([ColSpec("string" if name == "c3" else "double", name) for name in NAMES])
    short = enforce_columns(frame, schema)
    monkeypatch.setattr(columns, "_conforms", lambda *a: False)
    pd.testing.assert_frame_equal(short, enforce_columns(frame, schema))


def test_what_needs_no_look_is_worked_out_once_a_schema(monkeypatch):
    schema = Schema([ColSpec("double", name) for name in NAMES])
    asked = []
    real = columns._accepted_dtypes
    monkeypatch.setattr(columns, "_accepted_dtypes", lambda kind: asked.append(kind) or real(kind))
    for _ in range(5):
        enforce_columns(doubles(), schema)
    assert len(asked) == 11


def test_a_changed_schema_is_not_taken_for_the_old_one():
    schema = Schema([ColSpec("double", "a")])
    enforce_columns(pd.DataFrame({"a": [1.5]}), schema)
    schema.inputs.append(ColSpec("double", "b"))
    with pytest.raises(MlflowException, match="missing inputs"):
        enforce_columns(pd.DataFrame({"a": [1.5]}), schema)


def test_what_a_model_does_to_its_input_is_not_seen_by_the_caller():
    frame = doubles()
    before = frame.copy(deep=True)
    found = enforce_columns(frame, DOUBLES)
    found["new"] = 1
    found.iloc[0, 0] = -1.0
    pd.testing.assert_frame_equal(frame, before)


def test_who_only_reads_gets_the_very_frame_where_it_conforms():
    frame = doubles()
    assert enforce_columns(frame, DOUBLES, is_read_only=True) is frame
    reordered = frame[list(reversed(NAMES))]
    assert enforce_columns(reordered, DOUBLES, is_read_only=True).columns.tolist() == NAMES
    with pytest.raises(MlflowException, match="missing inputs"):
        enforce_columns(frame[NAMES[1:]], DOUBLES, is_read_only=True)


def test_values_of_a_conforming_frame_are_not_copied():
    if int(pd.__version__.partition(".")[0]) < 3:
        pytest.skip("without copy-on-write a model could change its caller's values")
    frame = doubles()
    found = enforce_columns(frame, DOUBLES)
    assert np.shares_memory(found["c0"].to_numpy(), frame["c0"].to_numpy())


def test_columns_are_put_in_order_and_extra_ones_left_out(caplog):
    frame = doubles()[list(reversed(NAMES))].assign(extra=1)
    with caplog.at_level(logging.WARNING, logger="mlflow"):
        found = enforce_columns(frame, DOUBLES)
    assert found.columns.tolist() == NAMES
    assert "`['extra']`" in caplog.text


def test_an_optional_column_may_be_missing():
    schema = Schema([ColSpec("long", "a"), ColSpec("double", "b", required=False)])
    assert enforce_columns(pd.DataFrame({"a": [1]}), schema).columns.tolist() == ["a"]


def test_widening_one_column_keeps_the_others_the_index_and_the_names():
    frame = pd.DataFrame({"a": np.array([1, 2], "int8"), 7: ["x", "y"]}, index=[5, 9])
    found = enforce_columns(frame, Schema([ColSpec("long", "a"), ColSpec("string", 7)]))
    assert [str(kind) for kind in found.dtypes] == ["int64", str(frame[7].dtype)]
    assert found.index.tolist() == [5, 9]
    assert found.columns.tolist() == ["a", 7]


def test_columns_without_names_go_by_position_even_with_one_name_twice():
    frame = pd.DataFrame([[1, 2.5, 9]], columns=["x", "x", "y"])
    found = enforce_columns(frame, Schema([ColSpec("long"), ColSpec("double")]))
    assert found.columns.tolist() == ["x", "x"]
    assert found.iloc[0].tolist() == [1, 2.5]
    narrow = pd.DataFrame([[1, 2.5]], columns=["x", "x"]).astype({"x": "float32"})
    found = enforce_columns(narrow, Schema([ColSpec("double"), ColSpec("double")]))
    assert [str(kind) for kind in found.dtypes] == ["float64", "float64"]


def test_a_name_given_twice_is_refused():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(MlflowException, match=r"given twice: \['a', 'a'\]|given twice: \['a'\]"):
        enforce_columns(frame, Schema([ColSpec("long", "a")]))


def test_schema_details_can_be_hidden(monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_SCHEMA_DETAILS", "true")
    with pytest.raises(MlflowException) as caught:
        enforce_columns(pd.DataFrame({"secret": [1]}), Schema([ColSpec("long", "a")]))
    assert caught.value.message == (
        "Input schema validation failed. Mismatched or missing input(s)."
        " Note that there were extra inputs provided."
    )


@pytest.mark.parametrize("data", [None, (1, 2), {1}, object()])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(MlflowException, match=r"Expected input to be DataFrame. Found"):
        enforce_columns(data, Schema([ColSpec("long")]))


def test_a_dictionary_of_text_lists_is_one_row():
    schema = Schema([ColSpec("string", "a"), ColSpec("string", "b")])
    assert len(enforce_columns({"a": ["x", "y"], "b": "z"}, schema)) == 1


def test_a_dictionary_of_number_lists_holds_columns():
    found = enforce_columns({"a": [1, 2]}, Schema([ColSpec("long", "a")]))
    assert found["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (Array("long"), [1, 2]),
        (Object([Property("x", "long")]), {"x": 1}),
        (Map("double"), {"k": 1.5}),
    ],
)
def test_a_dictionary_for_nested_columns_is_one_row(kind, cell):
    found = enforce_columns({"a": cell}, Schema([ColSpec(kind, "a")]))
    assert found["a"].tolist() == [cell]


def test_nested_cells_that_conform_stay_the_very_same():
    column = pd.Series([[1, 2], [3]])
    assert enforce_column(pd.Series([{"x": [1]}]), Map(Array("long")), "c") is not None
    kept = enforce_column(column, Array("long"), "c")
    assert kept.tolist() == column.tolist()


def test_nested_cells_that_are_missing_need_an_optional_column():
    frame = pd.DataFrame({"a": [[1], None]})
    with pytest.raises(MlflowException, match="Expected data to be list"):
        enforce_columns(frame, Schema([ColSpec(Array("long"), "a")]))
    found = enforce_columns(frame, Schema([ColSpec(Array("long"), "a", required=False)]))
    assert found["a"].tolist() == [[1], None]


def test_a_missing_integer_is_refused_with_advice():
    with pytest.raises(MlflowException, match="declare integer columns as doubles"):
        enforce_column(pd.Series([1.0, None]), DataType.long, "c")


def test_lists_for_one_array_column_without_a_name_are_its_cells():
    schema = Schema([ColSpec(Array("long"))])
    assert enforce_columns([[1, 2], [3]], schema)[0].tolist() == [[1, 2], [3]]
    assert enforce_columns([[[1, 2]]], schema)[0].tolist() == [[1, 2]]
