"""Finds the schema of data: pandas, numpy, scipy, lists, dictionaries, single values, parameters."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable
from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.datatypes import AllowedType, AnyType, Array, DataType, Map, Object, Property
from mlflow.types.duck import (
    is_frame,
    is_missing,
    is_ndarray,
    is_numpy_dtype,
    is_numpy_scalar,
    is_series,
    is_spark_frame,
    is_sparse,
)
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

_MIXED = (
    "Expected all values in the list to be of the same type. To specify a model signature with a "
    "list containing elements of multiple types, define the signature manually using the "
    "Array(AnyType()) type from mlflow.models.schema."
)
_INTEGER_HINT = (
    "Hint: Inferred schema contains integer column(s). Integer columns in Python cannot represent "
    "missing values. If your input data contains missing values at inference time, it will be "
    "encoded as floats and will cause a schema enforcement error. The best way to avoid this "
    "problem is to infer the model schema based on a realistic data sample (training dataset) that "
    "includes missing values. Alternatively, you can declare integer columns as doubles (float64) "
    "whenever these columns may have missing values. See `Handling Integers With Missing Values "
    "<https://www.mlflow.org/docs/latest/models.html#handling-integers-with-missing-values>`_ for "
    "more details."
)
_ACCEPTED = """Failed to infer schema. Expected one of the following types:
- pandas.DataFrame
- pandas.Series
- numpy.ndarray
- dictionary of (name -> numpy.ndarray)
- pyspark.sql.DataFrame
- scipy.sparse.csr_matrix
- scipy.sparse.csc_matrix
- DataType
- List[DataType]
- Dict[str, Union[DataType, List, Dict]]
- List[Dict[str, Union[DataType, List, Dict]]]
but got '{data}'.
Error: {error}"""


def infer_schema(data: Any) -> Schema:
    """Return the schema of one side of a model, found by looking at a sample of it.

    Args:
        data: a pandas DataFrame or Series, numpy array, dictionary of arrays, scipy sparse matrix,
            Spark DataFrame, or plain Python values in lists and dictionaries.

    Returns:
        Columns for tables and plain values, tensors for arrays.

    Raises:
        MlflowException: the data has no schema (mixed or unsupported types).
    """
    if is_frame(data):
        schema = _of_frame(data)
    elif is_series(data):
        schema = Schema([_of_column(data, data.name)])
    elif is_spark_frame(data):
        schema = _of_spark(data)
    elif is_ndarray(data) or is_sparse(data):
        schema = Schema([_of_tensor(data, None)])
    elif isinstance(data, dict):
        schema = _of_dictionary(data)
    elif isinstance(data, list) and data and all(isinstance(item, dict) for item in data):
        schema = _of_records(data)
    else:
        schema = _of_plain(data)
    _warn_of_integers(schema)
    return schema


def infer_params(params: dict[str, Any]) -> ParamSchema:
    """Return the schema of inference parameters, whose given values become the defaults.

    Args:
        params: name to value: a scalar, a list or 1-D array of scalars, or a dictionary.

    Raises:
        MlflowException: a value has no type (None among them); all such are told at once.
    """
    if not isinstance(params, dict):
        raise invalid(f"Expected parameters to be dict, got {type(params).__name__}")
    specs, failures = [], []
    for name, value in params.items():
        try:
            dtype, shape = _param_type_and_shape(value)
            specs.append(ParamSpec(name, dtype, value, shape))
        except (MlflowException, TypeError) as error:
            failures.append((name, value, error))
    if failures:
        raise invalid(f"Failed to infer schema for parameters: {failures}")
    return ParamSchema(specs)


def infer_value(data: Any) -> AllowedType | None:
    """Return the type of a plain value; None where it holds nothing to tell it by.

    Raises:
        MlflowException: mixed or unsupported types.
    """
    if is_missing(data):
        return None
    if isinstance(data, dict):
        return _of_object([data])
    if isinstance(data, list):
        return _of_list(data)
    if is_ndarray(data):
        return _of_array_cell(data)
    return _of_scalar(data)


def _of_frame(frame: Any) -> Schema:
    names = frame.columns.tolist()
    if len(set(names)) != len(names):
        raise invalid(f"Columns must have different names, got {names}")
    return Schema(
        [_of_column(column, name) for name, (_, column) in zip(names, frame.items(), strict=True)]
    )


def _of_column(column: Any, name: Any) -> ColSpec:
    dtype = column.dtype
    if type(dtype).__name__ == "CategoricalDtype":
        dtype = dtype.categories.dtype
        values = column.cat.categories
    else:
        values = column
    if _is_text(dtype):
        kind: AllowedType = DataType.string
    elif dtype.kind == "O":
        kind = _of_objects(column, values)
    elif type(dtype).__name__ == "SparseDtype":
        kind = _of_dtype(dtype.subtype)
    else:
        kind = _of_dtype(dtype)
    # Numbers without a way to say "missing" need no look at the values.
    always_there = is_numpy_dtype(dtype) and dtype.kind in "biu" and dtype is column.dtype
    return ColSpec(kind, name, required=always_there or not column.hasnans)


def _is_text(dtype: Any) -> bool:
    # `str` of pandas 3 and `string` of all versions are one class with a numpy-like kind "O".
    return type(dtype).__name__ == "StringDtype" or str(dtype) in {"string", "string[pyarrow]"}


def _of_dtype(dtype: Any) -> DataType:
    # Some extension dtypes have a kind but no size.
    kind, size = dtype.kind, getattr(dtype, "itemsize", 0)
    if kind == "b":
        return DataType.boolean
    if kind in "iu" and size:
        needed = size + 1 if kind == "u" else size
        if needed <= 4:
            return DataType.integer
        if needed <= 8:
            return DataType.long
    if kind == "f" and size:
        if size <= 4:
            return DataType.float
        if size <= 8:
            return DataType.double
    if kind == "M":
        return DataType.datetime
    if kind == "U":
        return DataType.string
    if kind == "S":
        return DataType.binary
    raise MlflowException(f"Unsupported numpy data type '{dtype}', kind '{kind}'")


def _of_objects(column: Any, values: Any) -> AllowedType:
    inferred = values.infer_objects()
    if inferred.dtype.kind != "O":
        return _of_dtype(inferred.dtype)
    if _is_text(inferred.dtype):
        return DataType.string
    try:
        kind = _of_cells(list(values))
    except MlflowException as error:
        raise MlflowException(
            f"Failed to infer schema for pandas.Series {column}. Error: {error.message}"
        ) from error
    return AnyType() if kind is None else kind


def _of_cells(cells: list[Any]) -> AllowedType | None:
    present = [cell for cell in cells if not is_missing(cell)]
    first = present[0] if present else None
    if isinstance(first, str | bytes | bytearray | dt.date) and (
        len({type(cell) for cell in present}) == 1
    ):
        # The usual columns in one pass, without a type object a cell.
        return _of_scalar(first)
    kind = _of_values(present)
    # A row without the dictionary lacks its keys as well.
    return kind if len(present) == len(cells) else _all_optional(kind)


def _of_values(values: Iterable[Any]) -> AllowedType | None:
    present = [value for value in values if not is_missing(value)]
    if present and all(isinstance(value, dict) for value in present):
        return _of_object(present)
    return _merged(infer_value(value) for value in present)


def _all_optional(kind: AllowedType | None) -> AllowedType | None:
    if not isinstance(kind, Object):
        return kind
    return Object([Property(p.name, p.dtype, required=False) for p in kind.properties])


def _of_tensor(data: Any, name: str | None) -> TensorSpec:
    if data.ndim == 0:
        raise MlflowException(
            "The specified variable_dimension 0 is out of bounds with respect to the number of "
            "dimensions 0 in the input dataset"
        )
    return TensorSpec(clean_dtype(data.dtype), (-1, *data.shape[1:]), name)


def clean_dtype(dtype: Any) -> Any:
    """Return a numpy dtype without the size that strings and bytes carry."""
    if dtype.kind not in "US":
        return dtype
    import numpy as np

    return np.dtype(dtype.type)


def _of_dictionary(data: dict[Any, Any]) -> Schema:
    if not all(isinstance(key, str) for key in data):
        raise MlflowException("The dictionary keys are not all strings.")
    if data and all(is_ndarray(value) for value in data.values()):
        return Schema([_of_tensor(value, name) for name, value in data.items()])
    return _of_records([data])


def _of_records(records: list[dict[Any, Any]]) -> Schema:
    names = list(dict.fromkeys(key for record in records for key in record))
    return Schema([_of_field(name, records) for name in names])


def _of_field(name: Any, records: list[dict[Any, Any]]) -> ColSpec:
    try:
        kind = _of_values(record.get(name) for record in records)
    except MlflowException as error:
        raise invalid(error.message) from error
    required = all(name in record and not _has_hole(record[name]) for record in records)
    return ColSpec(_nothing_to_any(kind, records, name), name, required=required)


def _nothing_to_any(kind: AllowedType | None, records: list[dict[Any, Any]], name: Any) -> Any:
    if kind is not None:
        return kind
    only_missing = [record.get(name) for record in records]
    if any(isinstance(value, list) and value for value in only_missing):
        return Array(AnyType())
    return AnyType()


def _has_hole(value: Any) -> bool:
    if isinstance(value, list):
        return any(is_missing(item) for item in value)
    return is_missing(value)


def _of_plain(data: Any) -> Schema:
    try:
        if isinstance(data, list):
            kind = _of_values(data)
            if kind is None and not data:
                # Nothing at all was seen; stock MLflow calls that a list of strings.
                kind = DataType.string
        else:
            kind = infer_value(data)
    except MlflowException as error:
        if isinstance(data, list):
            raise invalid(error.message) from error
        raise invalid(_ACCEPTED.format(data=data, error=error.message)) from error
    return Schema([ColSpec(AnyType() if kind is None else kind)])


def _of_scalar(data: Any) -> DataType:
    if is_numpy_scalar(data) and data.dtype.kind not in "USO":
        exact = DataType.from_numpy_type(data.dtype)
        if exact is not None:
            return exact
        if data.dtype.kind == "M":
            return DataType.datetime
    elif isinstance(data, bool):
        return DataType.boolean
    elif isinstance(data, int):
        return DataType.long
    elif isinstance(data, float):
        return DataType.double
    elif isinstance(data, str):
        return DataType.string
    elif isinstance(data, bytes | bytearray):
        return DataType.binary
    elif isinstance(data, dt.date):
        return DataType.datetime
    raise MlflowException(f"Data {data} is not one of the supported DataType")


def _of_list(data: list[Any]) -> Array | None:
    kind = _of_values(data)
    return None if kind is None else Array(kind)


def _of_array_cell(data: Any) -> AllowedType | None:
    if data.dtype.kind == "O":
        return _of_list(data.tolist())
    if data.size == 0:
        return None
    kind: AllowedType = _of_dtype(data.dtype)
    for _ in range(data.ndim):
        kind = Array(kind)
    return kind


def _of_object(dictionaries: list[dict[Any, Any]]) -> Object | None:
    names = list(dict.fromkeys(key for item in dictionaries for key in item))
    if not all(isinstance(name, str) for name in names):
        raise MlflowException("The dictionary keys are not all strings.")
    properties = []
    for name in names:
        values = [item.get(name) for item in dictionaries]
        kind = _of_values(values)
        required = not any(is_missing(value) or _is_empty(value) for value in values)
        properties.append(Property(name, AnyType() if kind is None else kind, required))
    return Object(properties) if properties else None


def _is_empty(value: Any) -> bool:
    return isinstance(value, dict | list) and not value


def _merged(kinds: Iterable[AllowedType | None]) -> AllowedType | None:
    merged: AllowedType | None = None
    for kind in kinds:
        if kind is None or kind == merged:
            continue
        merged = kind if merged is None else merge_types(merged, kind)
    return merged


def merge_types(one: AllowedType, other: AllowedType) -> AllowedType:
    """Return the type that holds the values of both.

    Raises:
        MlflowException: there is none.
    """
    if isinstance(one, AnyType):
        return other
    if isinstance(other, AnyType) or one == other:
        return one
    if type(one) is Array and type(other) is Array:
        return Array(merge_types(one.dtype, other.dtype))
    if isinstance(one, Object) and isinstance(other, Object):
        return _merge_objects(one, other)
    if isinstance(one, Map) and isinstance(other, Map):
        return Map(merge_types(one.value_type, other.value_type))
    raise MlflowException(_MIXED)


def _merge_objects(one: Object, other: Object) -> Object:
    left = {item.name: item for item in one.properties}
    right = {item.name: item for item in other.properties}
    properties = []
    for name in {**left, **right}:
        a, b = left.get(name), right.get(name)
        if a is None or b is None:
            alone = left[name] if b is None else right[name]
            properties.append(Property(name, alone.dtype, required=False))
        else:
            merged = merge_types(a.dtype, b.dtype)
            properties.append(Property(name, merged, required=a.required and b.required))
    return Object(properties)


def _param_type_and_shape(value: Any) -> tuple[Any, tuple[int, ...] | None]:
    if isinstance(value, dict):
        kind = infer_value(value)
        if not isinstance(kind, Object):
            raise invalid(f"Expected a dictionary with at least one key, got {value}")
        return kind, None
    if isinstance(value, list) or is_ndarray(value):
        return _element_type(value), (-1,)
    if is_missing(value) and not isinstance(value, float):
        raise invalid(f"Expected parameters to be 1D array or scalar, got {type(value).__name__}")
    try:
        return (DataType.double if isinstance(value, float) else _of_scalar(value)), None
    except MlflowException as error:
        raise invalid(
            f"Expected parameters to be 1D array or scalar, got {type(value).__name__}"
        ) from error


def _element_type(value: Any) -> DataType:
    items = value.tolist() if is_ndarray(value) else value
    if any(isinstance(item, list) for item in items):
        raise invalid("Expected parameters to be 1D array or scalar, got 2D array")
    if is_ndarray(value) and value.dtype.kind != "O":
        return _of_dtype(value.dtype)
    if not items:
        # Nothing tells the type; text is what such lists (stop words, tags) mostly hold.
        return DataType.string
    kinds = {_of_scalar(item) for item in items}
    if kinds == {DataType.long, DataType.double}:
        return DataType.double
    if len(kinds) != 1:
        raise invalid(f"Expected all elements of the list to be of the same type, got {value}")
    return kinds.pop()


def _of_spark(frame: Any) -> Schema:
    # Spark calls most columns nullable, and MLflow all of them required.
    return Schema([ColSpec(_of_spark_type(one.dataType), one.name) for one in frame.schema.fields])


def _of_spark_type(kind: Any) -> AllowedType:
    name = type(kind).__name__
    if name == "ArrayType":
        return Array(_of_spark_type(kind.elementType))
    if name == "StructType":
        return Object(
            [
                Property(f.name, _of_spark_type(f.dataType), required=not f.nullable)
                for f in kind.fields
            ]
        )
    if name == "MapType":
        if type(kind.keyType).__name__ != "StringType":
            raise MlflowException(f"Map keys must be strings, got {kind.keyType}")
        return Map(_of_spark_type(kind.valueType))
    try:
        return _SPARK_TYPES[name]
    except KeyError:
        raise MlflowException(f"Unsupported Spark Type '{type(kind)}' for MLflow schema.") from None


_SPARK_TYPES: dict[str, DataType] = {
    "BooleanType": DataType.boolean,
    "ByteType": DataType.integer,
    "ShortType": DataType.integer,
    "IntegerType": DataType.integer,
    "LongType": DataType.long,
    "FloatType": DataType.float,
    "DoubleType": DataType.double,
    "StringType": DataType.string,
    "BinaryType": DataType.binary,
    "DateType": DataType.datetime,
    "TimestampType": DataType.datetime,
    "TimestampNTZType": DataType.datetime,
}


def _warn_of_integers(schema: Schema) -> None:
    if any(kind in {DataType.integer, DataType.long} for kind in _scalar_types(schema)):
        warnings.warn(_INTEGER_HINT, stacklevel=3)


def _scalar_types(schema: Schema) -> list[DataType]:
    return [kind for kind in schema.input_types() if isinstance(kind, DataType)]
