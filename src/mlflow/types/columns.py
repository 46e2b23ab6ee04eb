"""Checks tables against a schema of columns, widening a column only where no value can change."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from mlflow.environment_variables import MLFLOW_DISABLE_SCHEMA_DETAILS
from mlflow.exceptions import MlflowException
from mlflow.types.duck import is_frame, is_ndarray, is_numpy_dtype, is_series
from mlflow.types.schema import AllowedType, AnyType, Array, DataType, Map, Object, Schema
from mlflow.types.values import can_widen, enforce_value

_logger = logging.getLogger("mlflow.models.utils")

_MISSING_HINT = (
    " Hint: the type mismatch is likely caused by missing values. Integer columns in python can "
    "not represent missing values and are therefore encoded as floats. The best way to avoid this "
    "problem is to infer the model schema based on a realistic data sample (training dataset) that "
    "includes missing values. Alternatively, you can declare integer columns as doubles (float64) "
    "whenever these columns may have missing values. See `Handling Integers With Missing Values "
    "<https://www.mlflow.org/docs/latest/models.html#handling-integers-with-missing-values>`_ for "
    "more details."
)


def enforce_columns(data: Any, schema: Schema, *, is_read_only: bool = False) -> Any:
    """Return the data as a table with the schema's columns, in its order and with its types.

    Args:
        data: a DataFrame, Series, dictionary, list, numpy array or single value.
        schema: a schema of columns.
        is_read_only: whether who gets the table never writes into it.

    Returns:
        A new DataFrame; its columns share the memory of those that conformed already. Extra
        columns are left out, optional ones that are missing stay missing. Where nothing is written
        into it, a frame that conforms already is returned itself.

    Raises:
        MlflowException: a required column is missing or a column has another type.
    """
    frame = to_frame(data, schema)
    if not is_frame(frame):
        raise MlflowException(f"Expected input to be DataFrame. Found: {type(frame).__name__}")
    names, accepted = _plan(schema)
    if frame.columns.tolist() == names and _conforms(frame, accepted):
        return frame if is_read_only else _share(frame)
    if schema.has_input_names():
        chosen = _select_named(frame, schema)
    else:
        chosen = _select_positions(frame, len(schema))
    kinds = {spec.name: spec for spec in schema} if schema.has_input_names() else None
    specs = list(schema) if kinds is None else [kinds[name] for name in chosen.columns]
    return _enforce_each(chosen, specs)


def _plan(schema: Schema) -> tuple[list[Any], list[tuple[Any, ...] | None]]:
    """Return the columns' names and, for each, the dtypes that need no look at the values.

    Made once a schema and kept with it; plain tuples and dtypes, so that a pickled schema can be
    read where this module does not exist.
    """
    made_for, names, accepted = schema.__dict__.get("_plan", (None, [], []))
    # The specs are the same objects, which comparing lists sees without calling into them.
    if made_for != schema.inputs:
        names = schema.input_names()
        accepted = [_accepted_dtypes(spec.type) for spec in schema]
        schema.__dict__["_plan"] = (list(schema.inputs), names, accepted)
    return names, accepted


def _accepted_dtypes(kind: AllowedType) -> tuple[Any, ...] | None:
    if isinstance(kind, AnyType):
        return None
    if not isinstance(kind, DataType):
        return ()
    if kind in {DataType.string, DataType.binary}:
        import numpy as np
        import pandas as pd

        # The dtype of text is `object` before pandas 3, and a class of its own since.
        return (np.dtype(object), pd.Series([], dtype=str).dtype, pd.StringDtype())
    return (kind.to_numpy(),)


def _conforms(frame: Any, accepted: list[tuple[Any, ...] | None]) -> bool:
    dtypes = frame.dtypes.tolist()
    return all(
        allowed is None or dtype in allowed for dtype, allowed in zip(dtypes, accepted, strict=True)
    )


def _share(frame: Any) -> Any:
    """Return a new frame over the same values: what a model adds to it is not the caller's."""
    import pandas as pd

    # Before pandas 3, writing into a shallow copy would write into the original.
    return frame.copy(deep=int(pd.__version__.partition(".")[0]) < 3)


def to_frame(data: Any, schema: Schema) -> Any:
    """Return the data as a DataFrame where it can be one, and as it is where it cannot.

    Args:
        data: what the caller gave.
        schema: tells apart a dictionary that is one row from one that holds columns.

    Raises:
        MlflowException: the data looks like a table but is none (columns of unequal length).
    """
    if is_frame(data):
        return data
    if is_series(data):
        return data.to_frame()
    import pandas as pd

    try:
        if isinstance(data, dict):
            return pd.DataFrame([data] if _is_one_row(data, schema) else data)
        if isinstance(data, list):
            return pd.DataFrame({0: data} if _are_cells(data, schema) else data)
        if is_ndarray(data):
            return pd.DataFrame(data)
        if isinstance(data, str | bytes | bool | int | float | dt.date):
            return pd.DataFrame([data])
    except (ValueError, TypeError) as error:
        raise MlflowException(
            "This model contains a column-based signature, which suggests a DataFrame input. "
            f"There was an error casting the input data to a DataFrame: {error}"
        ) from error
    return data


def _is_one_row(data: dict[Any, Any], schema: Schema) -> bool:
    if any(isinstance(spec.type, Array | Object) for spec in schema):
        return True
    if any(isinstance(spec.type, Map) for spec in schema):
        return any(isinstance(value, dict) for value in data.values())
    return all(_is_one_cell(value) for value in data.values())


def _is_one_cell(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return not isinstance(value, dict) and not is_ndarray(value) and not is_series(value)


def _are_cells(data: list[Any], schema: Schema) -> bool:
    """Tell whether the items of a list are the cells of the one unnamed array column."""
    kinds = schema.input_types()
    if len(kinds) != 1 or not isinstance(kinds[0], Array) or schema.has_input_names():
        return False
    depth, kind = 1, kinds[0].dtype
    while isinstance(kind, Array):
        depth, kind = depth + 1, kind.dtype
    return _depth(data) == depth + 1


def _depth(value: Any) -> int:
    if is_ndarray(value):
        return int(value.ndim)
    if isinstance(value, list):
        return 1 + max((_depth(item) for item in value), default=0)
    return 0


def check_names(names: list[Any], schema: Schema) -> None:
    """Refuse an input that lacks a required name; warn of names that the schema does not have.

    Args:
        names: the names that are there.
        schema: a schema with names.

    Raises:
        MlflowException: names are missing.
    """
    given, declared = set(names), schema.input_names()
    missing = [name for name in schema.required_input_names() if name not in given]
    extra = [name for name in names if name not in set(declared)]
    if missing:
        raise MlflowException(_missing_names(missing, extra))
    if extra:
        _logger.warning(
            "Found extra inputs in the model input that are not defined in the model signature: "
            "`%s`. These inputs will be ignored.",
            extra,
        )


def _missing_names(missing: list[Any], extra: list[Any]) -> str:
    if MLFLOW_DISABLE_SCHEMA_DETAILS.get():
        more = " Note that there were extra inputs provided." if extra else ""
        return f"Input schema validation failed. Mismatched or missing input(s).{more}"
    more = f" Note that there were extra inputs: {extra}." if extra else ""
    return f"Model is missing inputs {missing}.{more}"


def _select_named(frame: Any, schema: Schema) -> Any:
    present = frame.columns.tolist()
    check_names(present, schema)
    wanted = [name for name in schema.input_names() if name in set(present)]
    chosen = frame[wanted]
    if chosen.shape[1] != len(wanted):
        repeated = [name for name in wanted if present.count(name) > 1]
        raise MlflowException(f"Columns must have different names; given twice: {repeated}")
    return chosen


def _select_positions(frame: Any, count: int) -> Any:
    if frame.shape[1] < count:
        raise MlflowException(
            f"Model inference is missing inputs. The model signature declares {count} inputs  but "
            f"the provided value only has {frame.shape[1]} inputs. Note: the inputs were not named "
            "in the signature so we can only verify their count."
        )
    return frame.iloc[:, :count]


def _enforce_each(frame: Any, specs: list[Any]) -> Any:
    import pandas as pd

    names = frame.columns
    before = [frame.iloc[:, place] for place in range(len(specs))]
    after = [
        enforce_column(column, spec.type, name, required=spec.required)
        for column, spec, name in zip(before, specs, names, strict=True)
    ]
    if all(new is old for new, old in zip(after, before, strict=True)):
        return _share(frame)
    result = pd.DataFrame(dict(enumerate(after)), index=frame.index)
    result.columns = names
    return result


def enforce_column(column: Any, kind: AllowedType, name: Any, required: bool = True) -> Any:
    """Return a column with the wanted type, the very same one where it has it already.

    Args:
        column: a pandas Series.
        kind: the type that the schema declares.
        name: the column's name, for the message.
        required: whether nested values must be there in every row.

    Raises:
        MlflowException: the type cannot be had without changing values.
    """
    if isinstance(kind, AnyType):
        return column
    if not isinstance(kind, DataType):
        return _enforce_cells(column, kind, required)
    if kind in {DataType.string, DataType.binary}:
        if _holds_objects(column.dtype):
            return column
        raise _incompatible(name, column, kind)
    if is_numpy_dtype(column.dtype) and column.dtype == kind.to_numpy():
        return column
    if column.dtype == object:
        column = column.infer_objects()
    if column.dtype == object:
        return _enforce_objects(column, kind, name)
    if column.dtype.kind == "M" and kind is DataType.datetime:
        return _enforce_datetimes(column, name)
    return _enforce_numbers(column, kind, name)


def _enforce_cells(column: Any, kind: AllowedType, required: bool) -> Any:
    import pandas as pd

    cells = [enforce_value(cell, kind, required) for cell in column]
    if all(new is old for new, old in zip(cells, column, strict=True)):
        return column
    return pd.Series(cells, index=column.index, name=column.name, dtype=object)


def _holds_objects(dtype: Any) -> bool:
    # A category has the kind of objects too, but is none.
    if is_numpy_dtype(dtype):
        return bool(dtype.kind == "O")
    return type(dtype).__name__ == "StringDtype" or str(dtype) == "string"


def _enforce_objects(column: Any, kind: DataType, name: Any) -> Any:
    """Convert what stayed of dtype object; numbers and times are of another dtype by now."""
    if kind is DataType.boolean:
        return column
    if kind not in {DataType.double, DataType.datetime}:
        raise _incompatible(name, column, kind)
    try:
        return column.astype(kind.to_numpy())
    except (TypeError, ValueError, OverflowError) as error:
        raise MlflowException(
            f"Failed to convert column {name} from type {column.dtype} to {kind}."
        ) from error


def _enforce_datetimes(column: Any, name: Any) -> Any:
    try:
        return column.astype(DataType.datetime.to_numpy())
    except (TypeError, ValueError, OverflowError) as error:
        raise MlflowException(
            "Please ensure that the input data of datetime column only contains timezone-naive "
            f"datetime objects. Error: {error} (column {name})"
        ) from error


def _enforce_numbers(column: Any, kind: DataType, name: Any) -> Any:
    # Nullable and sparse columns tell the dtype of their values.
    held = getattr(column.dtype, "numpy_dtype", getattr(column.dtype, "subtype", column.dtype))
    target = kind.to_numpy()
    if not is_numpy_dtype(held) or held.kind not in "biuf" or target.kind not in "bif":
        raise _incompatible(name, column, kind)
    if can_widen(held, target) or (target.kind == "f" and _only_zero_and_one(column)):
        if held == target and hasattr(column.dtype, "subtype"):
            return column
        try:
            return column.astype(target)
        except (TypeError, ValueError) as error:
            raise _incompatible(name, column, kind) from error
    raise _incompatible(name, column, kind)


def _only_zero_and_one(column: Any) -> bool:
    return bool(column.dtype == "int64") and bool(((column == 0) | (column == 1)).all())


def _incompatible(name: Any, column: Any, kind: DataType) -> MlflowException:
    target = kind.to_numpy()
    lost_integer = target.kind == "i" and column.dtype.kind in "fi" and bool(column.isna().any())
    return MlflowException(
        f"Incompatible input types for column {name}. "
        f"Can not safely convert {column.dtype} to {target}."
        + (_MISSING_HINT if lost_integer else "")
    )
