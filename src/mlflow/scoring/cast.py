"""Exact conversion of JSON cells to the type that a column or tensor of the signature declares."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mlflow.exceptions import MlflowException, invalid

Array = npt.NDArray[Any]

_EXACT_DOUBLE = 2**53
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,40}\Z", re.ASCII)
_NOT_FINITE = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
_NULL = type(None)
_TIME_ZONE = re.compile(r"(?:[zZ]|[+-]\d\d:?\d\d)\Z")
_RANGE = {
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
}
_DTYPE: dict[str, Any] = {
    "boolean": np.bool_,
    "integer": np.int32,
    "long": np.int64,
    "float": np.float32,
    "double": np.float64,
}
_SHOWN = 80


class NotExact(ValueError):
    """One cell cannot be turned into the declared type without changing its value."""


def refuse(name: object, row: int, kind: str, value: object, why: str) -> MlflowException:
    """Return the 400 that names the column and the row of a cell that does not fit."""
    shown = repr(value)
    if len(shown) > _SHOWN:
        shown = shown[: _SHOWN - 1] + "…"
    return invalid(
        "Invalid input. Data is not compatible with model signature. "
        f"Failed to convert column {name} to type '{kind}'. "
        f"Error: 'row {row} holds {shown}: {why}'"
    )


def _double(value: Any) -> float:
    if isinstance(value, bool):
        msg = "a boolean is not a number; send 0 or 1"
        raise NotExact(msg)
    if value is None:
        return float("nan")
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if number != value:
            msg = "the whole number has no exact double; the column would change it"
            raise NotExact(msg)
        return number
    if isinstance(value, str):
        return _double_of_text(value.strip())
    msg = f"a {type(value).__name__} is not a number"
    raise NotExact(msg)


def _double_of_text(text: str) -> float:
    if text.lower() in _NOT_FINITE:
        return float(text)
    if _NUMBER.match(text) is None:
        msg = "the text is not a number"
        raise NotExact(msg)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        msg = "the number is too large for a double"
        raise NotExact(msg)
    if _WHOLE.match(text) and int(text) != number:
        msg = "the whole number has no exact double; the column would change it"
        raise NotExact(msg)
    return number


def _single(value: Any) -> float:
    number = _double(value)
    with np.errstate(over="ignore"):
        narrow = float(np.float32(number))
    if narrow in (float("inf"), float("-inf")) and narrow != number:
        msg = "the number is too large for a float"
        raise NotExact(msg)
    if isinstance(value, int) and narrow != value:
        msg = "the whole number has no exact float; the column would change it"
        raise NotExact(msg)
    return narrow


def _whole(value: Any, kind: str) -> int:
    number: int
    if isinstance(value, bool) or value is None:
        what = "null" if value is None else "a boolean"
        msg = f"{what} is not a whole number"
        if value is None:
            msg += "; declare the column as double to allow missing values"
        raise NotExact(msg)
    if isinstance(value, int):
        number = value
    elif isinstance(value, float):
        if not value.is_integer():
            msg = "the number is not whole; the column would cut it"
            raise NotExact(msg)
        number = int(value)
    elif isinstance(value, str) and _WHOLE.match(value.strip()):
        number = int(value)
    else:
        msg = "it is not a whole number"
        raise NotExact(msg)
    low, high = _RANGE[kind]
    if not low <= number <= high:
        msg = f"the number is outside {low} to {high}"
        raise NotExact(msg)
    return number


def _integer(value: Any) -> int:
    return _whole(value, "integer")


def _long(value: Any) -> int:
    return _whole(value, "long")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "0", "1"):
        return value.strip().lower() in ("true", "1")
    msg = "it is neither true nor false"
    raise NotExact(msg)


def _string(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        msg = f"a {type(value).__name__} is not a string"
        raise NotExact(msg)
    return value


def _binary(value: Any) -> Any:
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        msg = "bytes are sent as base64 text"
        raise NotExact(msg)
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        msg = "the text is not base64"
        raise NotExact(msg) from None


def _datetime(value: Any) -> Any:
    if value is None:
        return np.datetime64("NaT", "ns")
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        msg = "dates are sent as ISO 8601 text"
        raise NotExact(msg)
    if isinstance(value, int):
        if not _RANGE["long"][0] < value <= _RANGE["long"][1]:
            msg = "the number of nanoseconds is out of range"
            raise NotExact(msg)
        return np.datetime64(value, "ns")
    text = value.strip()
    if "T" in text.upper() or ":" in text:
        clock = text[10:]
        if _TIME_ZONE.search(clock):
            msg = "time zones are not supported; send the time without one"
            raise NotExact(msg)
    return _instant(text)


def _instant(text: str) -> Any:
    # Without the pattern numpy would take "NaT", "now" and bare years.
    if re.match(r"\d{4}-\d\d(-\d\d)?([T ]|$)", text, re.ASCII) is None:
        msg = "the text is not an ISO 8601 date"
        raise NotExact(msg)
    try:
        coarse = np.datetime64(text)
        fine = coarse.astype("datetime64[ns]")
    except (ValueError, OverflowError):
        msg = "the text is not an ISO 8601 date"
        raise NotExact(msg) from None
    if fine.astype(coarse.dtype) != coarse or fine.astype("datetime64[D]") != coarse.astype(
        "datetime64[D]"
    ):
        msg = "the date is outside what 64-bit nanoseconds can hold"
        raise NotExact(msg)
    return fine


_CELL: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "long": _long,
    "float": _single,
    "double": _double,
    "string": _string,
    "binary": _binary,
    "datetime": _datetime,
}


def column(values: Sequence[Any], kind: str, name: object) -> Array | list[Any]:
    """Return one column in the type that the signature declares.

    Args:
        values: the cells as JSON gave them.
        kind: a `DataType` name such as "double"; other names leave the cells alone.
        name: the column's name, for messages.

    Returns:
        A numpy array for numbers, booleans and dates, a list of objects otherwise.

    Raises:
        MlflowException: (400) a cell whose value would change; names the column and the row.
    """
    fast = _fast_column(values, kind)
    if fast is not None:
        return fast
    convert = _CELL.get(kind)
    if convert is None:
        return list(values)
    out = []
    for row, value in enumerate(values):
        try:
            out.append(convert(value))
        except NotExact as error:
            raise refuse(name, row, kind, value, str(error)) from None
    if kind == "datetime":
        return np.array(out, dtype="datetime64[ns]")
    dtype = _DTYPE.get(kind)
    return out if dtype is None else np.array(out, dtype=dtype)


def _fast_column(values: Sequence[Any], kind: str) -> Array | None:
    kinds = set(map(type, values))
    if kind == "double":
        return _fast_doubles(values, kinds)
    if kind in _RANGE and kinds == {int}:
        low, high = _RANGE[kind]
        if low <= min(values) and max(values) <= high:
            return np.array(values, dtype=_DTYPE[kind])
    if kind == "boolean" and kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    return None


def _fast_doubles(values: Sequence[Any], kinds: set[type]) -> Array | None:
    if not kinds <= {float, int, _NULL}:
        return None
    try:
        array: Array = np.array(values, dtype=np.float64)
    except OverflowError:
        return None
    if int in kinds and bool((np.abs(array) >= _EXACT_DOUBLE).any()):
        return None
    return array


def matrix(rows: Sequence[Sequence[Any]], kinds: Sequence[str], names: Sequence[str]) -> Array:
    """Return rows of numbers as one array of `common_dtype(kinds)`.

    Args:
        rows: lists of cells, each as long as `names`.
        kinds: the declared type of each column; numbers only.
        names: the columns, for messages.

    Raises:
        MlflowException: (400) a row of another length or a cell whose value would change.
    """
    width = len(names)
    types: set[type] = set()
    for number, row in enumerate(rows):
        if len(row) != width:
            raise invalid(
                f"Invalid input. Row {number} has {len(row)} values; {width} columns are expected."
            )
        types.update(map(type, row))
    if types <= {float, int, _NULL} and set(kinds) == {"double"}:
        try:
            array: Array = np.array(rows, dtype=np.float64).reshape(len(rows), width)
        except OverflowError:
            array = np.empty((0, 0))
        else:
            if int not in types or not bool((np.abs(array) >= _EXACT_DOUBLE).any()):
                return array
    out = np.empty((len(rows), width), dtype=common_dtype(kinds))
    for place, (kind, name) in enumerate(zip(kinds, names, strict=True)):
        out[:, place] = column([row[place] for row in rows], kind, name)
    return out


def common_dtype(kinds: Sequence[str]) -> np.dtype[Any]:
    """Return the type a data frame of such columns has as one array."""
    return np.result_type(*(np.dtype(_DTYPE[kind]) for kind in kinds))


def tensor(value: Any, dtype: np.dtype[Any], name: object) -> Array:
    """Return nested lists as an array of the declared dtype, refusing what would change.

    Args:
        value: a scalar or nested lists.
        dtype: the declared dtype.
        name: the tensor's name, for messages.

    Raises:
        MlflowException: (400) ragged nesting, text that is no number, a value out of range.
    """
    label = "the input" if name is None else f"input {name}"
    try:
        plain: Array = np.array(value)
    except (ValueError, OverflowError):
        raise invalid(f"Invalid input. The nested lists of {label} are ragged.") from None
    if plain.dtype == dtype:
        return plain
    if plain.dtype.kind in "US" and dtype.kind in "US":
        return plain
    if dtype.kind == "O":
        return np.array(value, dtype=object)
    return _exact_tensor(plain, dtype, label)


def _exact_tensor(plain: Array, dtype: np.dtype[Any], label: str) -> Array:
    if plain.dtype.kind == "O":
        # None stands for a missing number, as in a column of doubles.
        if dtype.kind != "f" or any(isinstance(cell, (list, dict, str)) for cell in plain.flat):
            raise invalid(f"Invalid input. {label} cannot be read as {dtype}.")
        plain = plain.astype(np.float64)
    if plain.dtype.kind == "b" and dtype.kind != "b":
        raise invalid(f"Invalid input. {label} holds booleans; {dtype} is expected.")
    try:
        with np.errstate(all="ignore"):
            cast = plain.astype(dtype)
            if plain.dtype.kind in "US":
                back: Array = plain.astype(np.float64)
            else:
                back = plain
    except (ValueError, OverflowError, TypeError) as error:
        raise invalid(
            f"Invalid input. {label} cannot be read as {dtype}. Error: '{str(error)[:200]}'"
        ) from None
    if dtype.kind in "iub" and not np.array_equal(cast.astype(back.dtype), back):
        raise invalid(f"Invalid input. {label} holds values that {dtype} cannot hold exactly.")
    if dtype.kind == "f" and bool((np.isinf(cast) & ~np.isinf(back.astype(np.float64))).any()):
        raise invalid(f"Invalid input. {label} holds values too large for {dtype}.")
    return cast
