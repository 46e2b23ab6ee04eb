"""Objects of other libraries are told by their class, without importing the libraries."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_matrix, csr_array, csr_matrix

from mlflow.types import duck

THINGS = {
    "is_frame": pd.DataFrame(),
    "is_series": pd.Series([], dtype=float),
    "is_ndarray": np.zeros(1),
    "is_numpy_scalar": np.float32(1),
    "is_numpy_dtype": np.dtype("f8"),
    "is_sparse": csr_matrix(np.eye(1)),
}


@pytest.mark.parametrize("name", THINGS)
def test_each_kind_is_told_from_the_others(name):
    tell = getattr(duck, name)
    assert [other for other, thing in THINGS.items() if tell(thing)] == [name]
    assert not any(tell(value) for value in (None, 1, "x", [], {}, object()))


@pytest.mark.parametrize("name", THINGS)
def test_without_the_library_nothing_is_of_its_kind(name, monkeypatch):
    for module in ("numpy", "pandas", "scipy.sparse"):
        monkeypatch.delitem(sys.modules, module)
    assert not getattr(duck, name)(THINGS[name])


def test_compressed_arrays_count_as_matrices_and_others_do_not():
    assert duck.is_sparse(csr_array(np.eye(1)))
    assert not duck.is_sparse(coo_matrix(np.eye(1)))
    assert not duck.is_spark_frame(pd.DataFrame())


@pytest.mark.parametrize(
    "value", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT")]
)
def test_missing(value):
    assert duck.is_missing(value) is True


@pytest.mark.parametrize("value", [0, "", 0.0, np.int64(0), [], [None], np.array([np.nan]), False])
def test_not_missing(value):
    assert duck.is_missing(value) is False
