"""Cases whose results are recorded from stock MLflow, and the one way to run them.

The same file runs under the package under test and, as a script that prints JSON, under stock
MLflow; so the recorded results can be checked against either.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import logging
import os
import sys
import warnings

import numpy as np
import pandas as pd
from scipy.sparse import csc_matrix, csr_matrix

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import expressions

sys.path.pop(0)

SCALARS = ("boolean", "integer", "long", "float", "double", "string", "binary", "datetime", "any")
DAY = dt.date(2020, 1, 2)
NOON = dt.datetime(2020, 1, 2, 12)


def _objects(*values):
    return lambda: pd.Series(values, dtype=object)


def _typed(dtype, *values):
    return lambda: pd.Series(list(values), dtype=dtype)


# Columns that each scalar type is tried on.
COLUMNS = {
    "bool": _typed("bool", True, False),
    **{f"{k}{n}": _typed(f"{k}{n}", 5, 7) for k in ("int", "uint") for n in (8, 16, 32, 64)},
    "int64 0/1": _typed("int64", 0, 1),
    "int32 0/1": _typed("int32", 0, 1),
    "uint64 0/1": _typed("uint64", 0, 1),
    "float16": _typed("float16", 1.5, 2.5),
    "float32": _typed("float32", 1.5, 2.5),
    "float64": _typed("float64", 1.5, 2.5),
    "float64 whole": _typed("float64", 1, None),
    "Int64": _typed("Int64", 5, 7),
    "Int64 0/1": _typed("Int64", 0, 1),
    "Int64 missing": _typed("Int64", 5, None),
    "Int32": _typed("Int32", 5, 7),
    "Float64": _typed("Float64", 1.5, 2.5),
    "boolean": _typed("boolean", True, False),
    "boolean missing": _typed("boolean", True, None),
    "object int": _objects(5, 7),
    "object int None": _objects(1, None),
    "object float": _objects(1.5, 2.5),
    "object float None": _objects(1.5, None),
    "object mixed numbers": _objects(1, 2.5),
    "object str": _objects("a", "b"),
    "object str None": _objects("a", None),
    "object numeric str": _objects("1", "2"),
    "object int str": _objects(1, "a"),
    "object bool": _objects(True, False),
    "object bool None": _objects(True, None),
    "object None": _objects(None, None),
    "object date": _objects(DAY, DAY),
    "object datetime": _objects(NOON, NOON),
    "object datetime None": _objects(NOON, None),
    "object date str": _objects("2020-01-02", "2020-01-03"),
    "object bytes": _objects(b"a", b"b"),
    "object bytearray": _objects(bytearray(b"a"), bytearray(b"b")),
    "object Decimal": _objects(decimal.Decimal("1.5"), decimal.Decimal(2)),
    "object Decimal None": _objects(decimal.Decimal("1.5"), None),
    "object list": _objects([1], [2, 3]),
    "object dict": _objects({"a": 1}, {"a": 2}),
    "str": _typed("str", "a", "b"),
    "str None": _typed("str", "a", None),
    "str numeric": _typed("str", "1", "2"),
    "str date": _typed("str", "2020-01-02", "2020-01-03"),
    "string": _typed("string", "a", "b"),
    "datetime64[ns]": _typed("datetime64[ns]", "2020-01-02", "2020-01-03"),
    "datetime64[us] NaT": _typed("datetime64[us]", "2020-01-02", None),
    "datetime64[s]": _typed("datetime64[s]", "2020-01-02", "2020-01-03"),
    "datetime tz": lambda: pd.Series(pd.to_datetime(["2020-01-02"]).tz_localize("UTC")),
    "category str": _typed("category", "a", "b"),
    "category int": _typed("category", 5, 7),
    "complex": _typed("complex128", 1j, 2j),
    "timedelta": _typed("timedelta64[ns]", 1, 2),
    "empty float64": _typed("float64"),
    "empty object": _objects(),
    "empty int64": _typed("int64"),
}
_NUMPY = ("bool_", "int8", "int16", "int32", "int64", "uint8", "uint64")
_NUMPY += ("float16", "float32", "float64")

# Values that each type of `value_types` is tried on.
VALUES = {
    "int": lambda: 3,
    "float": lambda: 1.5,
    "bool": lambda: True,
    "str": lambda: "a",
    "bytes": lambda: b"a",
    "None": lambda: None,
    "nan": lambda: float("nan"),
    "date": lambda: DAY,
    "datetime": lambda: NOON,
    "Timestamp": lambda: pd.Timestamp(NOON),
    "datetime64": lambda: np.datetime64("2020-01-02"),
    **{f"np.{name}": lambda name=name: getattr(np, name)(1) for name in _NUMPY},
    "np.str_": lambda: np.str_("a"),
    "big int": lambda: 2**70,
    "int list": lambda: [1, 2],
    "float list": lambda: [1.5, 2.5],
    "str list": lambda: ["a"],
    "mixed list": lambda: [1, "a"],
    "list with None": lambda: [1, None],
    "empty list": list,
    "tuple": lambda: (1, 2),
    "int array": lambda: np.array([1, 2]),
    "int8 array": lambda: np.array([1, 2], "int8"),
    "float32 array": lambda: np.array([1, 2], "float32"),
    "str array": lambda: np.array(["a"]),
    "2d array": lambda: np.array([[1, 2], [3, 4]]),
    "nested list": lambda: [[1, 2], [3]],
    "int dict": lambda: {"a": 1},
    "float dict": lambda: {"a": 1.5},
    "extra dict": lambda: {"a": 1, "b": 2},
    "other dict": lambda: {"b": "x"},
    "None dict": lambda: {"a": None},
    "empty dict": dict,
    "int key dict": lambda: {1: 1},
    "dict of lists": lambda: {"a": [1], "b": [2]},
    "list of dicts": lambda: [{"a": 1}, {"a": 2}],
}


def value_types():
    """Return the types tried on every value, by label."""
    from mlflow.types.schema import AnyType, Array, DataType, Map, Object, Property

    return {
        **{name: DataType[name] for name in SCALARS[:-1]},
        "any": AnyType(),
        "array long": Array("long"),
        "array double": Array("double"),
        "array string": Array("string"),
        "array any": Array(AnyType()),
        "array array long": Array(Array("long")),
        "array object": Array(Object([Property("a", "long")])),
        "object a": Object([Property("a", "long")]),
        "object a?": Object([Property("a", "long", required=False)]),
        "object a b?": Object([Property("a", "long"), Property("b", "string", required=False)]),
        "map long": Map("long"),
        "map any": Map(AnyType()),
        "map array": Map(Array("long")),
    }


def functions():
    """Return the functions under test: of this package, or of stock MLflow."""
    import mlflow.types.schema as schema

    try:
        from mlflow.types.enforce import enforce_params, enforce_schema
        from mlflow.types.infer import infer_schema
        from mlflow.types.values import enforce_value
    except ImportError:
        from mlflow.models.utils import _enforce_params_schema as enforce_params
        from mlflow.models.utils import _enforce_schema as enforce_schema
        from mlflow.models.utils import _enforce_type as enforce_value
        from mlflow.types.utils import _infer_schema as infer_schema
    names = {name: getattr(schema, name) for name in dir(schema) if not name.startswith("_")}
    names.update(
        D=pd.DataFrame, S=pd.Series, C=schema.ColSpec, T=schema.TensorSpec, np=np, pd=pd, dt=dt,
        decimal=decimal, csr_matrix=csr_matrix, csc_matrix=csc_matrix, f8=np.dtype("f8"),
        f4=np.dtype("f4"), AB=(schema.ColSpec("long", "a"), schema.ColSpec("double", "b", False)),
        U2=(schema.ColSpec("long"), schema.ColSpec("double")), P=enforce_params,
        E=lambda data, *specs: enforce_schema(data, schema.Schema(list(specs))),
    )  # fmt: skip
    return names, enforce_schema, enforce_value, infer_schema


def _cell(value):
    if (
        value is None
        or value is pd.NaT
        or value is pd.NA
        or (isinstance(value, float | np.generic) and value != value)
    ):
        return "missing"
    if isinstance(value, np.ndarray):
        return f"ndarray {value.dtype} {value.tolist()}"
    if isinstance(value, np.generic):
        return f"{value.dtype} {value.item()!r}"
    return f"{type(value).__name__} {value!r}"


def _shown(value):
    if isinstance(value, pd.Series):
        return [str(value.dtype), [_cell(cell) for cell in value]]
    if isinstance(value, pd.DataFrame):
        columns = [_shown(value.iloc[:, place]) for place in range(value.shape[1])]
        return [value.columns.tolist(), value.index.tolist(), columns]
    if isinstance(value, csr_matrix | csc_matrix):
        return f"{value.format} {value.dtype} {value.toarray().tolist()}"
    if isinstance(value, dict):
        return {str(key): _shown(item) for key, item in value.items()}
    return _cell(value)


def outcome(call):
    """Return ["ok", what came out] or ["refused", kind of error, message]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ["ok", _shown(call())]
        except Exception as error:
            return ["refused", type(error).__name__, str(error)[:160]]


def results():
    """Return the outcome of every case, by label."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return _results()
    finally:
        logger.setLevel(level)


def _results():
    from mlflow.models.signature import infer_signature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    names, enforce_schema, enforce_value, infer_schema = functions()
    names["infer_signature"] = infer_signature

    def column(make, kind):
        schema = Schema([ColSpec(AnyType() if kind == "any" else kind, "c")])
        return enforce_schema(pd.DataFrame({"c": make()}), schema)["c"]

    found = {}
    for label, make in COLUMNS.items():
        for kind in SCALARS:
            found[f"column {label} | {kind}"] = outcome(lambda m=make, k=kind: column(m, k))
    types = value_types()
    for label, make in VALUES.items():
        for name, kind in types.items():
            for required in (True, False):
                key = f"value {label} | {name}{'' if required else ' optional'}"
                result = outcome(lambda m=make, k=kind, r=required: enforce_value(m(), k, r))
                # What exactly comes out is tested by itself; here, whether anything does.
                found[key] = result[:1]
    for text in expressions.INFERRED:
        found[f"infer {text}"] = outcome(lambda t=text: infer_schema(eval(t, names)).to_json())
    for text in (
        expressions.SCHEMAS + expressions.SIGNATURES + expressions.ENFORCED + expressions.PARAMS
    ):
        found[text] = outcome(lambda t=text: eval(t, names))
    return found


if __name__ == "__main__":
    json.dump({"pandas": pd.__version__, "results": results()}, sys.stdout, separators=(",\n", ":"))
