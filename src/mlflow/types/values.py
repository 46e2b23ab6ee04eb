"""Checks single Python values, and the lists and dictionaries they are nested in, against a type."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.types.datatypes import AllowedType, AnyType, Array, DataType, Map, Object
from mlflow.types.duck import is_missing, is_ndarray, is_numpy_scalar

INTEGER_RANGE = (-(2**31), 2**31 - 1)
LONG_RANGE = (-(2**63), 2**63 - 1)
# Integers up to this size are all representable in float64; in float32, up to the second.
_EXACT_IN_DOUBLE = 2**53
_EXACT_IN_FLOAT = 2**24


def enforce_value(data: Any, data_type: AllowedType, required: bool = True) -> Any:
    """Return the value as the type asks for, converted only where nothing is lost.

    Args:
        data: a scalar, list, numpy array or dictionary.
        data_type: the type to check against.
        required: whether a missing value (None, NaN) is refused.

    Returns:
        The value; unchanged where it conforms already.

    Raises:
        MlflowException: the value does not fit the type.
    """
    if isinstance(data_type, AnyType) or (not required and is_missing(data)):
        return data
    if isinstance(data_type, DataType):
        return _enforce_scalar(data, data_type)
    if data is None and _allows_anything(data_type):
        return data
    if isinstance(data_type, Array):
        return _enforce_array(data, data_type, required)
    if isinstance(data_type, Object):
        return data if not required and data == {} else _enforce_object(data, data_type)
    if isinstance(data_type, Map):
        return _enforce_map(data, data_type, required)
    raise MlflowException(f"Invalid data type: {data_type!r}")


def can_widen(source: Any, target: Any) -> bool:
    """Tell whether every value of one numpy dtype is a value of the other.

    Args:
        source: the dtype that is there.
        target: the dtype that is wanted.
    """
    if source.kind == target.kind:
        return bool(source.itemsize <= target.itemsize)
    if source.kind == "u" and target.kind == "i":
        return bool(source.itemsize < target.itemsize)
    # float64 holds all 32-bit integers; no dtype of 64 bits fits, and float32 is never offered.
    return bool(source.kind in "iu" and target == "float64" and source.itemsize <= 4)


def _allows_anything(data_type: AllowedType) -> bool:
    element = data_type.dtype if isinstance(data_type, Array) else None
    element = data_type.value_type if isinstance(data_type, Map) else element
    return isinstance(element, AnyType)


def _enforce_scalar(data: Any, dtype: DataType) -> Any:
    if isinstance(data, list | dict | tuple | set) or data is None or is_ndarray(data):
        raise MlflowException(f"Expected data to be scalar, got {type(data).__name__}")
    if is_numpy_scalar(data) and data.dtype.kind not in "USO":
        return _convert_numpy(data, dtype)
    converted = _CONVERT[dtype](data)
    if converted is None:
        raise _refused(data, dtype)
    return converted


def _refused(data: Any, dtype: DataType) -> MlflowException:
    return MlflowException(
        f"Failed to enforce schema of data `{data}` with dtype `{dtype.name}`",
        error_code="INVALID_PARAMETER_VALUE",
        error_class="SCHEMA_ENFORCEMENT_FAILED",
    )


def _convert_numpy(data: Any, dtype: DataType) -> Any:
    kind = data.dtype.kind
    if dtype in {DataType.boolean, DataType.datetime}:
        if kind == ("b" if dtype is DataType.boolean else "M"):
            return data
    elif dtype not in {DataType.string, DataType.binary}:
        target = dtype.to_numpy()
        zero_or_one = data.dtype == "int64" and target.kind == "f" and data in {0, 1}
        if zero_or_one or (kind in "iuf" and can_widen(data.dtype, target)):
            return target.type(data)
    raise _refused(data, dtype)


def _boolean(data: Any) -> Any:
    return data if isinstance(data, bool) else None


def _whole(low: int, high: int) -> Callable[[Any], Any]:
    def convert(data: Any) -> Any:
        fits = isinstance(data, int) and not isinstance(data, bool) and low <= data <= high
        return data if fits else None

    return convert


def _float(data: Any) -> Any:
    # A Python float has 64 bits and is refused; a small whole number loses nothing.
    return float(data) if _whole(-_EXACT_IN_FLOAT, _EXACT_IN_FLOAT)(data) is not None else None


def _double(data: Any) -> Any:
    if isinstance(data, float):
        return data
    return float(data) if _whole(-_EXACT_IN_DOUBLE, _EXACT_IN_DOUBLE)(data) is not None else None


def _string(data: Any) -> Any:
    return str(data) if isinstance(data, str) else None


def _binary(data: Any) -> Any:
    # Text is let through, as in columns: what it means is the model's affair.
    return data if isinstance(data, bytes | bytearray | str) else None


def _datetime(data: Any) -> Any:
    if isinstance(data, dt.datetime):
        return data if data.tzinfo is None else None
    return data if isinstance(data, dt.date) else None


_CONVERT: dict[DataType, Callable[[Any], Any]] = {
    DataType.boolean: _boolean,
    DataType.integer: _whole(*INTEGER_RANGE),
    DataType.long: _whole(*LONG_RANGE),
    DataType.float: _float,
    DataType.double: _double,
    DataType.string: _string,
    DataType.binary: _binary,
    DataType.datetime: _datetime,
}


def _enforce_array(data: Any, array: Array, required: bool) -> Any:
    if not isinstance(data, list) and not is_ndarray(data):
        raise MlflowException(f"Expected data to be list or numpy array, got {type(data).__name__}")
    if is_ndarray(data):
        return _enforce_ndarray(data, array, required)
    if _are_all(data, array.dtype):
        # A copy, as the items one by one would make: what a model does to it stays its own.
        return data.copy()
    if array.dtype is DataType.double and any(item is None for item in data):
        # Among floats a hole has a value of its own.
        data = [math.nan if item is None else item for item in data]
    return [enforce_value(item, array.dtype, required) for item in data]


def _are_all(data: list[Any], dtype: AllowedType) -> bool:
    """Tell, without a call an item, whether a list holds values of one type already."""
    if not isinstance(dtype, DataType) or set(map(type, data)) != {dtype.to_python()}:
        return False
    if dtype in {DataType.integer, DataType.long}:
        low, high = INTEGER_RANGE if dtype is DataType.integer else LONG_RANGE
        return bool(low <= min(data) and max(data) <= high)
    return dtype in {DataType.double, DataType.boolean, DataType.string, DataType.binary}


def _enforce_ndarray(data: Any, array: Array, required: bool) -> Any:
    element, depth = array.dtype, 1
    while isinstance(element, Array):
        element, depth = element.dtype, depth + 1
    if isinstance(element, AnyType) and data.ndim >= depth:
        return data
    if isinstance(element, DataType) and data.dtype.kind in "biufMUS" and data.ndim == depth:
        # One look at the dtype stands for a look at every element.
        if element is DataType.string and data.dtype.kind == "U":
            return data
        if element is DataType.binary and data.dtype.kind in "US":
            return data
        if element not in {DataType.string, DataType.binary}:
            target = element.to_numpy()
            if data.dtype == target or (data.dtype.kind == target.kind == "M"):
                return data
            if data.dtype.kind in "iuf" and can_widen(data.dtype, target):
                return data.astype(target)
    import numpy as np

    checked = [enforce_value(item, array.dtype, required) for item in data]
    return np.array(checked, dtype=data.dtype if data.dtype.kind in "OUS" else None)


def _enforce_object(data: Any, expected: Object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise MlflowException(
            f"Failed to enforce schema of '{data}' with type '{expected}'. "
            f"Expected data to be dictionary, got {type(data).__name__}"
        )
    fields = {field.name: field for field in expected.properties}
    missing = {name for name, field in fields.items() if field.required and name not in data}
    if missing:
        raise MlflowException(f"Missing required properties: {missing}")
    extra = data.keys() - fields.keys()
    if extra:
        raise MlflowException(f"Invalid properties not defined in the schema found: {extra}")
    result = {}
    for name, value in data.items():
        field = fields[name]
        try:
            result[name] = enforce_value(value, field.dtype, field.required)
        except MlflowException as error:
            raise MlflowException(
                f"Failed to enforce schema for key `{name}`. "
                f"Expected type {field.dtype!r}, received type {type(value).__name__}"
            ) from error
    return result


def _enforce_map(data: Any, expected: Map, required: bool) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise MlflowException(f"Expected data to be a dict, got {type(data).__name__}")
    if any(not isinstance(key, str) for key in data):
        raise MlflowException("Expected all keys in the map type data are string type.")
    return {key: enforce_value(item, expected.value_type, required) for key, item in data.items()}
