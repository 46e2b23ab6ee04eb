"""Tells numpy, pandas and scipy objects from others without importing those libraries."""

from __future__ import annotations

import sys
from typing import Any


def _is(value: Any, module: str, *names: str) -> bool:
    # A value of a library's class cannot exist before the library was imported.
    loaded = sys.modules.get(module)
    if loaded is None:
        return False
    kinds = tuple(kind for name in names if (kind := getattr(loaded, name, None)) is not None)
    return isinstance(value, kinds)


def is_frame(value: Any) -> bool:
    """Tell whether the value is a pandas DataFrame."""
    return _is(value, "pandas", "DataFrame")


def is_series(value: Any) -> bool:
    """Tell whether the value is a pandas Series."""
    return _is(value, "pandas", "Series")


def is_ndarray(value: Any) -> bool:
    """Tell whether the value is a numpy array."""
    return _is(value, "numpy", "ndarray")


def is_numpy_scalar(value: Any) -> bool:
    """Tell whether the value is a single numpy value such as `numpy.float32(1)`."""
    return _is(value, "numpy", "generic")


def is_numpy_dtype(value: Any) -> bool:
    """Tell whether the value is a numpy dtype."""
    return _is(value, "numpy", "dtype")


def is_sparse(value: Any) -> bool:
    """Tell whether the value is a compressed sparse row or column matrix of scipy."""
    return _is(value, "scipy.sparse", "csr_matrix", "csc_matrix", "csr_array", "csc_array")


def is_spark_frame(value: Any) -> bool:
    """Tell whether the value is a Spark DataFrame, classic or of Spark Connect."""
    return _is(value, "pyspark.sql", "DataFrame") or _is(
        value, "pyspark.sql.connect.dataframe", "DataFrame"
    )


def is_missing(value: Any) -> bool:
    """Tell whether the value stands for "nothing": None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return value != value  # noqa: PLR0124 - NaN is the one float unequal to itself
    pandas = sys.modules.get("pandas")
    if pandas is not None and (
        value is getattr(pandas, "NA", value is None) or value is getattr(pandas, "NaT", None)
    ):
        return True
    return is_numpy_scalar(value) and value.dtype.kind in "fcmM" and bool(value != value)  # noqa: PLR0124
