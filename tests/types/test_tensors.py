"""Tensors: exact dtypes, free dimensions, and arrays made of DataFrame columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.types.schema import Schema, TensorSpec
from mlflow.types.tensors import column_to_array, enforce_tensor, enforce_tensors

F8, F4, I8 = (np.dtype(name) for name in ("float64", "float32", "int64"))


def one(shape=(-1, 2), dtype=F8):
    return Schema([TensorSpec(dtype, shape)])


def test_a_conforming_array_is_passed_on_itself():
    array = np.ones((4, 2))
    assert enforce_tensors(array, one()) is array


@pytest.mark.parametrize("array", [np.ones((4, 2), "float32"), np.ones((4, 2), "int64")])
def test_another_dtype_is_refused(array):
    with pytest.raises(MlflowException, match="does not match expected dtype float64"):
        enforce_tensors(array, one())


@pytest.mark.parametrize("shape", [(4, 3), (2,), (1, 4, 2), ()])
def test_another_shape_is_refused(shape):
    with pytest.raises(MlflowException, match="does not match expected shape"):
        enforce_tensors(np.ones(shape), one())


def test_text_is_compared_without_its_size():
    spec = TensorSpec(np.dtype(str), (-1,))
    array = np.array(["a", "bcd"])
    assert enforce_tensor(array, spec) is array


def test_named_tensors_come_as_a_dictionary_in_the_order_of_the_schema(caplog):
    schema = Schema([TensorSpec(F8, (-1,), "b"), TensorSpec(F8, (-1, 2), "a")])
    data = {"a": np.ones((1, 2)), "b": np.ones(3), "z": np.ones(1)}
    found = enforce_tensors(data, schema)
    assert list(found) == ["b", "a"]
    assert found["a"] is data["a"]
    assert "`['z']`" in caplog.text


def test_one_array_stands_for_the_one_named_tensor():
    found = enforce_tensors(np.ones((1, 2)), Schema([TensorSpec(F8, (-1, 2), "a")]))
    assert list(found) == ["a"]


@pytest.mark.parametrize(
    "data", [{"b": np.ones(1)}, np.ones((1, 2)), [1.0], None, pd.DataFrame({"q": [1.0]})]
)
def test_missing_named_tensors_are_refused(data):
    schema = Schema([TensorSpec(F8, (-1,), "a"), TensorSpec(F8, (-1,), "b")])
    with pytest.raises(MlflowException, match="Model is missing inputs"):
        enforce_tensors(data, schema)


@pytest.mark.parametrize("data", [[[1.0, 2.0]], 1.0, "x", None, {"a": np.ones((1, 2))}])
def test_what_is_no_array_is_refused(data):
    with pytest.raises(MlflowException, match="tensor-based model signature with no input names"):
        enforce_tensors(data, one())


def test_a_dictionary_of_lists_is_refused():
    with pytest.raises(MlflowException, match="a dict with value type <class 'list'>"):
        enforce_tensors({"a": [1.0]}, Schema([TensorSpec(F8, (-1,), "a")]))


def test_columns_of_numbers_make_a_matrix():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    assert enforce_tensors(frame, one()).tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_a_column_of_flat_lists_is_reshaped():
    frame = pd.DataFrame({"x": [[1.0, 2.0, 3.0, 4.0]]})
    assert enforce_tensors(frame, one((-1, 2, 2))).shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("cells", "shape"),
    [([[1.0, 2.0], [1.0]], (-1, 2)), ([[1.0, 2.0, 3.0]], (-1, 2)), (["x"], (-1,)), ([1.0], (-1, 2)),
     ([[[1.0]]], (-1, 1)), ([], (-1,))],
)  # fmt: skip
def test_cells_that_make_no_such_array_are_refused(cells, shape):
    with pytest.raises(MlflowException):
        column_to_array(pd.Series(cells, dtype=object), TensorSpec(F8, shape))


@pytest.mark.parametrize("cells", [[1.5], [float("nan")], [2.0**63]])
def test_a_fraction_is_not_cut_off_for_a_tensor_of_integers(cells):
    with np.errstate(invalid="ignore"), pytest.raises(MlflowException, match="whole numbers"):
        column_to_array(pd.Series(cells), TensorSpec(I8, (-1,)))
    assert column_to_array(pd.Series([2.0]), TensorSpec(I8, (-1,))).tolist() == [2]


def test_rounding_to_a_smaller_float_is_what_the_schema_asks_for():
    assert column_to_array(pd.Series([0.1]), TensorSpec(F4, (-1, 1))).dtype == F4
