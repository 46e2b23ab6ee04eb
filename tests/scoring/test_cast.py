"""Cells become what the signature declares, exactly, or the request is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.scoring import cast


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("double", 3, 3.0),
        ("double", "3.3", 3.3),
        ("double", 2**53, float(2**53)),
        ("double", 2**54, float(2**54)),
        ("long", 2**63 - 1, 2**63 - 1),
        ("long", -(2**63), -(2**63)),
        ("long", 7.0, 7),
        ("long", "12", 12),
        ("integer", 2**31 - 1, 2**31 - 1),
        ("boolean", True, True),
        ("boolean", 0, False),
        ("boolean", "false", False),
        ("boolean", "TRUE", True),
        ("float", 0.5, 0.5),
        ("string", "0001", "0001"),
        ("string", 7, 7),
        ("string", None, None),
        ("binary", "YWI=\n", b"ab"),
        ("binary", "", b""),
    ],
)
def test_exact_values(kind, value, expected):
    """What can be kept exactly is kept."""
    found = cast.column([value], kind, "x")[0]

    assert expected == found


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("double", True),
        ("double", "abc"),
        ("double", "1e999"),
        ("double", 2**53 + 1),
        ("double", 10**400),
        ("double", "1_000"),
        ("double", "0x10"),
        ("double", [1.0]),
        ("double", {}),
        ("float", 1e300),
        ("float", 2**24 + 1),
        ("long", 1.5),
        ("long", True),
        ("long", None),
        ("long", 2**63),
        ("long", "1.5"),
        ("long", math.nan),
        ("long", math.inf),
        ("integer", 2**31),
        ("integer", 2**40),
        ("integer", -(2**31) - 1),
        ("boolean", 2),
        ("boolean", "yes"),
        ("boolean", None),
        ("string", ["a"]),
        ("string", {"a": 1}),
        ("binary", "not base64!"),
        ("binary", "YWI"),
        ("binary", 5),
        ("datetime", "2024-01-01T00:00:00Z"),
        ("datetime", "2024-01-01T00:00:00+01:00"),
        ("datetime", "yesterday"),
        ("datetime", "now"),
        ("datetime", "9999-12-31"),
        ("datetime", "0001-01-01"),
        ("datetime", 1.5),
        ("datetime", 2**63),
        ("datetime", True),
    ],
)
def test_refusals_name_column_and_row(kind, value):
    """What would change is refused, with the column and the row."""
    good = {"long": 1, "integer": 1, "datetime": "2024-01-01", "boolean": True}.get(kind)

    with pytest.raises(MlflowException, match="column weight .*row 1 ") as caught:
        cast.column([good, value], kind, "weight")

    assert caught.value.get_http_status_code() == 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29", "2024-02-29T00:00:00"),
        ("2024-02-29T01:02:03", "2024-02-29T01:02:03"),
        ("2024-02-29 01:02:03.000000001", "2024-02-29T01:02:03.000000001"),
        (1, "1970-01-01T00:00:00.000000001"),
    ],
)
def test_dates(text, expected):
    """ISO 8601 text and whole nanoseconds are dates."""
    found = cast.column([text], "datetime", "x")

    assert np.datetime64(expected, "ns") == found[0]
    assert np.dtype("datetime64[ns]") == found.dtype


def test_a_missing_date_and_a_missing_double():
    """Null is NaT in a date column and NaN in a double column."""
    assert np.isnat(cast.column([None], "datetime", "x")[0])
    assert math.isnan(cast.column([None, 1], "double", "x")[0])


_CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
    st.integers(-(2**70), 2**70), st.floats().map(str), st.integers().map(str),
)  # fmt: skip


def _one_by_one(values, kind):
    return [cast._CELL[kind](value) for value in values]  # the plain path


@given(st.lists(_CELLS, max_size=8), st.sampled_from(["double", "long", "integer", "boolean"]))
def test_fast_columns_equal_the_plain_path(values, kind):
    """The whole-column path gives what the cell-by-cell path gives, or refuses with it."""
    try:
        expected = _one_by_one(values, kind)
    except cast.NotExact:
        with pytest.raises(MlflowException):
            cast.column(values, kind, "x")
    else:
        found = cast.column(values, kind, "x")
        assert np.array_equal(
            np.array(expected, dtype=found.dtype), found, equal_nan=found.dtype.kind == "f"
        )


@given(
    st.lists(st.sampled_from(["double", "long", "integer", "float"]), min_size=1, max_size=4),
    st.data(),
)
def test_matrix_equals_its_columns(kinds, data):
    """The array of a request holds what its columns would hold one by one."""
    cells = st.one_of(
        st.integers(-100, 100), st.floats(-8, 8, width=16), st.none(), st.integers(2**60, 2**62)
    )
    rows = data.draw(st.lists(st.tuples(*[cells] * len(kinds)).map(list), min_size=1, max_size=4))
    names = [f"c{i}" for i in range(len(kinds))]
    try:
        columns = [
            cast.column([row[i] for row in rows], kind, names[i]) for i, kind in enumerate(kinds)
        ]
    except MlflowException:
        with pytest.raises(MlflowException):
            cast.matrix(rows, kinds, names)
        return
    found = cast.matrix(rows, kinds, names)

    for place, column in enumerate(columns):
        assert np.array_equal(column.astype(found.dtype), found[:, place], equal_nan=True)


def test_matrix_names_a_short_row():
    """A row of another length is refused by its number."""
    with pytest.raises(MlflowException, match="Row 1 has 1 values; 2"):
        cast.matrix([[1.0, 2.0], [3.0]], ["double", "double"], ["a", "b"])


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([[1, 2], [3]], "float32"),
        (["a"], "float32"),
        ([1.5], "int64"),
        ([300], "int8"),
        ([-1], "uint8"),
        ([1e300], "float32"),
        ([True], "float64"),
        ([[None]], "int64"),
        ([{"a": 1}], "float32"),
    ],
)
def test_tensor_refusals(value, dtype):
    """A tensor that would change is refused."""
    with pytest.raises(MlflowException) as caught:
        cast.tensor(value, np.dtype(dtype), None)

    assert caught.value.get_http_status_code() == 400


def test_tensors():
    """Numbers and numeric text become the declared dtype."""
    assert np.array_equal(np.array([[1, 2]], "float32"), cast.tensor([[1, 2]], np.dtype("f4"), "x"))
    assert np.array_equal(np.array([1, 2], "float32"), cast.tensor(["1", "2"], np.dtype("f4"), "x"))
    assert np.dtype("int8") == cast.tensor([1, 2], np.dtype("int8"), None).dtype
