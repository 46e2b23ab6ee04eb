"""Floats come back from MLflow's columns exactly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.store.backends.sql.values import LARGEST, is_plain, loaded, stored


@given(st.floats())
def test_exact(value):
    """Every float, NaN and the sign of zero included."""
    back = loaded(*stored(value))
    assert repr(back) == repr(value) or (math.isnan(back) and math.isnan(value))
    assert is_plain(value) == (stored(value) == (value, False, None) and repr(value) != "-0.0")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.1, (0.1, False, None)),
        (math.nan, (0.0, True, None)),
        (math.inf, (LARGEST, False, None)),
        (-math.inf, (-LARGEST, False, None)),
        (LARGEST, (LARGEST, False, "1.7976931348623157e+308")),
        (-0.0, (-0.0, False, "-0.0")),
    ],
)
def test_what_mlflow_reads(value, kept):
    """NaN and infinities are kept as MLflow keeps them."""
    assert kept == stored(value)


def test_rows_of_mlflow():
    """Its largest float was an infinity: it writes nothing else there."""
    assert loaded(LARGEST, False) == math.inf
    assert math.isnan(loaded(0.0, 1))
    assert loaded(5.0, 0) == 5.0
