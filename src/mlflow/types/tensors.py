"""Checks arrays against a schema of tensors: the dtype exactly, the shape up to free dimensions."""

from __future__ import annotations

from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.columns import check_names
from mlflow.types.duck import is_frame, is_ndarray, is_series, is_sparse
from mlflow.types.infer import clean_dtype
from mlflow.types.schema import Schema


def enforce_tensors(data: Any, schema: Schema) -> Any:
    """Return the array, or the dictionary of arrays, that the schema describes.

    Args:
        data: an array or sparse matrix; a dictionary of arrays where the schema has names; or a
            DataFrame, whose columns hold scalars or flat lists.
        schema: a schema of tensors.

    Returns:
        The array as given, or made of the DataFrame's columns.

    Raises:
        MlflowException: a tensor is missing, or has another dtype or shape.
    """
    if is_series(data):
        data = data.to_frame()
    if schema.has_input_names():
        return _enforce_named(data, schema)
    spec = schema.inputs[0]
    if is_frame(data):
        return enforce_tensor(_frame_to_array(data, spec), spec)
    if not is_ndarray(data) and not is_sparse(data):
        raise invalid(
            "This model contains a tensor-based model signature with no input names, which "
            "suggests a numpy array input or a pandas dataframe input with proper column values, "
            f"but an input of type {type(data)} was found."
        )
    return enforce_tensor(data, spec)


def _enforce_named(data: Any, schema: Schema) -> dict[Any, Any]:
    names = schema.input_names()
    if is_frame(data):
        check_names(data.columns.tolist(), schema)
        arrays = {spec.name: column_to_array(data[spec.name], spec) for spec in schema}
    elif isinstance(data, dict):
        check_names(list(data), schema)
        for name in names:
            if not is_ndarray(data[name]):
                raise invalid(
                    "This model contains a tensor-based model signature with input names, which "
                    "suggests a dictionary input mapping input name to a numpy array, but a dict "
                    f"with value type {type(data[name])} was found."
                )
        arrays = {name: data[name] for name in names}
    elif is_ndarray(data) and len(names) == 1:
        arrays = {names[0]: data}
    else:
        check_names([], schema)
        raise invalid(f"Expected a dictionary of numpy arrays, got {type(data)}")
    return {spec.name: enforce_tensor(arrays[spec.name], spec) for spec in schema}


def enforce_tensor(values: Any, spec: Any) -> Any:
    """Return the array; refuse another dtype or shape.

    Args:
        values: a numpy array or a sparse matrix.
        spec: the tensor it must be.
    """
    given = values.data.dtype if is_sparse(values) else values.dtype
    if clean_dtype(given) != spec.type:
        raise MlflowException(f"dtype of input {given} does not match expected dtype {spec.type}")
    matches = len(values.shape) == len(spec.shape) and all(
        wanted in {-1, length} for length, wanted in zip(values.shape, spec.shape, strict=True)
    )
    if not matches:
        raise MlflowException(
            f"Shape of input {values.shape} does not match expected shape {spec.shape}."
        )
    return values


def _frame_to_array(frame: Any, spec: Any) -> Any:
    count = frame.shape[1]
    if count == 1:
        return column_to_array(frame.iloc[:, 0], spec)
    scalars = all(frame.dtypes.iloc[place].kind in "biufM" for place in range(count))
    if scalars and spec.shape != (-1, count):
        raise invalid(
            "This model contains a model signature with an unnamed input. Since the input data is "
            "a pandas DataFrame containing multiple columns, the input shape must be of the "
            "structure (-1, number_of_dataframe_columns). Instead, the input DataFrame passed had "
            f"{count} columns and an input shape of {spec.shape} with all values within the "
            "DataFrame of scalar type. Please adjust the passed in DataFrame to match the expected "
            "structure"
        )
    return frame.to_numpy()


def column_to_array(column: Any, spec: Any) -> Any:
    """Return one DataFrame column, of scalars or of flat lists, as a tensor.

    Args:
        column: a pandas Series.
        spec: the tensor it must become.

    Raises:
        MlflowException: the cells cannot be arranged so, or would lose their fractions.
    """
    if len(column) == 0:
        raise MlflowException("Input DataFrame is empty.")
    first = column.iloc[0]
    try:
        if not isinstance(first, list) and not is_ndarray(first):
            if tuple(spec.shape) not in {(-1,), (-1, 1)}:
                raise invalid(
                    f"The input pandas dataframe column '{spec.name}' contains scalar values, "
                    "which requires the shape to be (-1,) or (-1, 1), but got tensor spec shape "
                    f"of {spec.shape}."
                )
            return _cast(column.to_numpy(), spec.type).reshape(spec.shape)
        if isinstance(first, list) and first and isinstance(first[0], list | dict):
            raise invalid(
                "Because the model signature requires tensor spec input, the input pandas "
                "dataframe values should be either scalar value, python list containing scalar "
                "values or numpy array containing scalar values, other types are not supported."
            )
        import numpy as np

        stacked = np.array(column.tolist())
        shape = (-1, *spec.shape[1:])
        return _cast(stacked, spec.type).reshape(shape)
    except (TypeError, ValueError) as error:
        raise invalid(
            f"The value in the Input DataFrame column '{spec.name}' could not be converted to the "
            f"expected shape of: '{spec.shape}'. Ensure that each of the input list elements are "
            "of uniform length and that the data can be coerced to the tensor type "
            f"'{spec.type}'. Error: {error}"
        ) from error


def _cast(values: Any, dtype: Any) -> Any:
    if values.dtype == dtype:
        return values
    cast = values.astype(dtype)
    if dtype.kind in "iu" and values.dtype.kind in "iuf" and not (cast == values).all():
        raise ValueError(f"values are not whole numbers within the range of {dtype}")
    return cast
