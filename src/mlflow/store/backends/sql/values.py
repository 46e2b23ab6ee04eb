"""How floats are kept in MLflow's columns, and read back exactly."""

from __future__ import annotations

import math
import sys

# MLflow keeps infinities as the largest float, and NaN as 0 beside a flag.
LARGEST = sys.float_info.max


def is_plain(value: float) -> bool:
    """Tell whether MLflow's columns hold a float as it is."""
    return -LARGEST < value < LARGEST and (value != 0 or math.copysign(1.0, value) > 0)


def stored(value: float) -> tuple[float, bool, str | None]:
    """Return what is kept of a float.

    Returns:
        The value and the flag in MLflow's columns, and the text of the number where another one
        is read from them: of the largest floats, and of the negative zero (which SQLite has not).
    """
    if is_plain(value):
        return value, False, None
    if math.isnan(value):
        return 0.0, True, None
    if math.isinf(value):
        return math.copysign(LARGEST, value), False, None
    return value, False, repr(value)


def loaded(value: float, is_nan: object, number: str | None = None) -> float:
    """Return the float of which `stored` is kept."""
    if number is not None:
        return float(number)
    if is_nan:
        return math.nan
    if -LARGEST < value < LARGEST:
        return value
    return math.copysign(math.inf, value)
