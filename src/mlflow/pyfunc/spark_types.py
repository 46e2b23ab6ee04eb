"""Predictions as columns of Spark: which types a function may have, and how values become them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.schema import AnyType, Array, DataType, Map, Object

if TYPE_CHECKING:
    from mlflow.types.schema import Schema

# Types of Spark → what stands for them in pandas, and the kinds of columns that become them.
_NUMBERS = {
    "IntegerType": ("int32", ("int8", "int16", "int32", "uint8", "uint16")),
    "LongType": ("int64", ("integer",)),
    "FloatType": ("float32", ("number",)),
    "DoubleType": ("float64", ("number",)),
    "BooleanType": ("bool", ("bool",)),
}
_SPELLINGS = {"bool": "boolean"}


def result_type_of(spark: Any, given: Any, outputs: Schema | None) -> Any:
    """Return the type of a function's column.

    Args:
        spark: the session, which reads types that are texts.
        given: a type of Spark, or a text such as `double`, `array<string>`, `s double, n string`;
            None for what the model's signature says, or `double` without one.
        outputs: the outputs of the signature.

    Raises:
        MlflowException: predictions cannot have the type.
    """
    from pyspark.sql import types

    if given is None:
        found = _of_schema(outputs)
    elif isinstance(given, str):
        found = _parsed(spark, _SPELLINGS.get(given.strip(), given))
    else:
        found = given
    if not isinstance(found, types.DataType) or not _is_possible(found):
        raise invalid(
            f"Invalid 'spark_udf' result type: {found}. It must be one of int, long, float, double, "
            "string and boolean, an array of these, or a struct or a map of these."
        )
    return found


def _parsed(spark: Any, text: str) -> Any:
    from pyspark.sql import types

    if hasattr(types.DataType, "fromDDL"):
        return types.DataType.fromDDL(text)
    # Spark 3 reads no text without a session.
    return spark.createDataFrame([], f"value {text}").schema["value"].dataType


def _of_schema(outputs: Schema | None) -> Any:
    from pyspark.sql import types

    if outputs is None or not outputs.inputs:
        return types.DoubleType()
    if outputs.is_tensor_spec():
        spec: Any = outputs.inputs[0]
        kind: Any = {"i": types.LongType, "b": types.BooleanType, "U": types.StringType}.get(
            spec.type.kind, types.DoubleType
        )()
        for _ in range(max(len(spec.shape) - 1, 0)):
            kind = types.ArrayType(kind)
        return kind
    if len(outputs.inputs) == 1 and not outputs.has_input_names():
        return _of_type(outputs.inputs[0].type)
    return types.StructType([
        types.StructField(str(place if one.name is None else one.name), _of_type(one.type))
        for place, one in enumerate(outputs.inputs)
    ])  # fmt: skip


def _of_type(kind: Any) -> Any:
    from pyspark.sql import types

    if isinstance(kind, DataType):
        return kind.to_spark()
    if isinstance(kind, Array):
        return types.ArrayType(_of_type(kind.dtype))
    if isinstance(kind, Map):
        return types.MapType(types.StringType(), _of_type(kind.value_type))
    if isinstance(kind, Object):
        fields = [types.StructField(p.name, _of_type(p.dtype)) for p in kind.properties]
        return types.StructType(fields)
    if isinstance(kind, AnyType):
        return types.StringType()
    raise invalid(f"Spark has no type for {kind}; say the `result_type`.")


def _is_possible(kind: Any) -> bool:
    from pyspark.sql import types

    if isinstance(kind, types.ArrayType):
        return _is_possible(kind.elementType)
    if isinstance(kind, types.MapType):
        return isinstance(kind.keyType, types.StringType) and _is_possible(kind.valueType)
    if isinstance(kind, types.StructType):
        return all(_is_possible(field.dataType) for field in kind.fields)
    return type(kind).__name__ in {*_NUMBERS, "StringType"}


# ---------------------------------------------------------------------- values


def as_column(predictions: Any, kind: Any) -> Any:
    """Return predictions as what a function of Spark gives back: a Series, of structs a DataFrame.

    Args:
        predictions: what a model predicted for some rows.
        kind: the column's type.

    Raises:
        MlflowException: there is nothing in them that can be of this type.
    """
    import pandas as pd
    from pyspark.sql import types

    if isinstance(kind, types.StructType):
        frame = _frame(predictions)
        missing = [field.name for field in kind.fields if field.name not in frame.columns]
        if missing:
            raise invalid(
                f"The result type names the fields {[f.name for f in kind.fields]}; predictions have "
                f"{list(frame.columns)}."
            )
        return pd.DataFrame(
            {field.name: _values(frame[field.name], field.dataType) for field in kind.fields}
        )
    if isinstance(kind, types.ArrayType):
        return _arrays(predictions, kind.elementType)
    if isinstance(kind, types.MapType):
        values = _series(predictions)
        return pd.Series([_value(value, kind) for value in values], dtype=object)
    frame = _frame(predictions)
    return _values(frame[_fitting(frame, kind)[0]], kind)


def _frame(predictions: Any) -> Any:
    import pandas as pd

    if isinstance(predictions, pd.DataFrame):
        return predictions
    if hasattr(predictions, "toarray"):
        predictions = predictions.toarray()
    if isinstance(predictions, (str, bytes)) or not hasattr(predictions, "__len__"):
        predictions = [predictions]
    if hasattr(predictions, "ndim") and predictions.ndim > 2:
        predictions = predictions.tolist()
    return pd.DataFrame(predictions)


def _series(predictions: Any) -> Any:
    return predictions.iloc[:, 0] if hasattr(predictions, "columns") else predictions


def _fitting(frame: Any, kind: Any) -> list[Any]:
    name = type(kind).__name__
    if name == "StringType":
        return list(frame.columns)
    found = frame.select_dtypes(include=list(_NUMBERS[name][1])) if name in _NUMBERS else frame
    if found.shape[1] == 0:
        raise MlflowException(
            "The model did not produce any values compatible with the requested type "
            f"'{kind}'. Consider requesting udf with StringType or Arraytype(StringType).",
            error_code="INVALID_PARAMETER_VALUE",
        )
    return list(found.columns)


def _values(column: Any, kind: Any) -> Any:
    import pandas as pd

    name = type(kind).__name__
    if name in _NUMBERS:
        _fitting(column.to_frame(), kind)
        return column.astype(_NUMBERS[name][0])
    if name == "StringType":
        return column.astype(str)
    return pd.Series([_value(value, kind) for value in column], dtype=object)


def _value(value: Any, kind: Any) -> Any:
    """Return one value inside of others as Arrow takes it."""
    from pyspark.sql import types

    if value is None:
        return None
    if isinstance(kind, types.ArrayType):
        return [_value(one, kind.elementType) for one in value]
    if isinstance(kind, types.MapType):
        return {str(key): _value(one, kind.valueType) for key, one in value.items()}
    if isinstance(kind, types.StructType):
        return {field.name: _value(value.get(field.name), field.dataType) for field in kind.fields}
    if isinstance(kind, types.StringType):
        return str(value)
    return value.item() if hasattr(value, "item") else value


def _arrays(predictions: Any, element: Any) -> Any:
    import pandas as pd
    from pyspark.sql import types

    if isinstance(element, (types.ArrayType, types.MapType, types.StructType)):
        rows = _series(predictions)
        return pd.Series([[_value(one, element) for one in row] for row in rows], dtype=object)
    frame = _frame(predictions)
    if frame.shape[1] == 1 and frame.dtypes.iloc[0].kind == "O" and _has_lists(frame.iloc[:, 0]):
        rows = list(frame.iloc[:, 0])
    else:
        # Rows of lists may differ in length; the shorter end in nothing.
        rows = frame[_fitting(frame, element)].to_numpy().tolist()
    return pd.Series([[_value(one, element) for one in row] for row in rows], dtype=object)


def _has_lists(column: Any) -> bool:
    return any(isinstance(value, (list, tuple)) or hasattr(value, "tolist") for value in column)
