"""The scoring protocol's bodies, read strictly and written as valid JSON."""

from __future__ import annotations

import datetime
import decimal
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.scoring import payload as p


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/json", p.JSON),
        ("Application/JSON", p.JSON),
        ("application/json; charset=utf-8", p.JSON),
        ('application/json;charset="UTF-8"', p.JSON),
        ("text/csv;", p.CSV),
        (p.PARQUET, p.PARQUET),
    ],
)
def test_media_types(header, expected):
    """Types are compared without regard to case; UTF-8 may be said."""
    assert expected == p.media_type(header)


@pytest.mark.parametrize(
    "header",
    [None, "", "application/xml", "application/json; charset=utf-7", "text/csv; header=present",
     "application/x-python-pickle", "application/json, text/csv"],
)  # fmt: skip
def test_other_media_types(header):
    """Anything else is not read."""
    with pytest.raises(p.Unsupported):
        p.media_type(header)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_json_round_trip(value):
    """Everything Python writes as JSON is read as the same value."""
    assert value == p.decode_json(json.dumps(value).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"{'a': 1}", b'{"a": 1} x', b'{"a": 1, "a": 2}', b'{"x": {"b": 1, "b": 1}}',
        b"[" * 100_000, b'{"a":' * 50_000, b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xff"}', b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"9" * 400 + b".0}", b"{\"a\": 1,}", b'{"a": 01}', b'{"a": +1}',
    ],
)  # fmt: skip
def test_bad_json(body):
    """What is not one strict JSON value is refused."""
    with pytest.raises(MlflowException) as caught:
        p.decode_json(body)

    assert caught.value.get_http_status_code() == 400
    assert len(caught.value.message) < 500


def test_nan_is_read():
    """NaN and the infinities are read, as clients in Python write them."""
    found = p.decode_json(b"[NaN, Infinity, -Infinity]")

    assert math.isnan(found[0])
    assert [math.inf, -math.inf] == found[1:]


@pytest.mark.parametrize(
    "document",
    [
        [], 1, "x", None, {}, {"foo": 1}, {"instances": [[1]], "inputs": [[1]]},
        {"dataframe_split": []}, {"dataframe_split": {"columns": ["a"]}},
        {"dataframe_split": {"data": [[1]], "x": 1}}, {"dataframe_split": {"data": 5}},
        {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": [None], "data": [[1]]}},
        {"dataframe_split": {"columns": [["a"]], "data": [[1]]}},
        {"dataframe_split": {"columns": ["a"], "data": [[1]], "index": [1, 2]}},
        {"dataframe_records": {}}, {"dataframe_records": []}, {"dataframe_records": [1]},
        {"instances": []}, {"instances": {}}, {"instances": [{"a": 1}, {"b": 1}]},
        {"instances": [{"a": 1}, 2]}, {"columns": ["a"], "instances": [[1, 2]]},
        {"columns": ["a"], "instances": [[1], 2]}, {"columns": "a", "instances": [[1]]},
    ],
)  # fmt: skip
def test_bad_documents(document):
    """Documents outside the protocol are refused."""
    with pytest.raises(MlflowException) as caught:
        p.parse_object(document)

    assert caught.value.get_http_status_code() == 400


def test_columns_name_instances():
    """Columns beside the instances name their columns."""
    found = p.parse_object({"columns": ["a", "b"], "instances": [[1, 2]]})

    assert p.Parsed(p.Table(["a", "b"], [[1, 2]])) == found


def test_passthrough_and_params():
    """A request for a language model goes through whole; its parameters are split off."""
    found = p.parse_object({"messages": ["hi"], "temperature": 1}, frozenset({"temperature"}))

    assert p.Parsed(p.Raw({"messages": ["hi"]}, "passthrough"), {"temperature": 1}, True) == found


def test_passthrough_depth():
    """A value that is nested without end is refused before the model sees it."""
    deep: list = []
    for _ in range(200):
        deep = [deep]

    with pytest.raises(MlflowException, match="nested"):
        p.parse_object({"messages": deep})


def test_unknown_keys_are_dropped():
    """Keys that the protocol does not know change nothing."""
    assert p.parse_object({"inputs": [1]}) == p.parse_object({"inputs": [1], "signature_name": "x"})


def test_csv():
    """CSV keeps its texts as they are written."""
    found = p.parse_csv(b'\xef\xbb\xbfa,b\r\n0001,"x,\ny"\r\n\r\n2,\r\n')

    assert p.Table(["a", "b"], [["0001", "x,\ny"], ["2", ""]]) == found


@pytest.mark.parametrize(
    "body",
    [b"", b"\n\n", b"a,a\n1,2\n", b"a,b\n1\n", b"a,b\n1,2,3\n", b'a\n"open\n', b'a\n"x"y\n',
     b"a\n\x00\n", b"a\n\xff\n", ",".join(map(str, range(30_000))).encode()],
)  # fmt: skip
def test_bad_csv(body):
    """Broken CSV is refused."""
    with pytest.raises(MlflowException) as caught:
        p.parse_csv(body)

    assert caught.value.get_http_status_code() == 400


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([1.5, np.nan, np.inf]), [1.5, None, None]),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.array(["a"]), ["a"]),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        ([np.int64(3), {"a": np.array([1])}], [3, {"a": [1]}]),
        (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
        (pd.Series([1.0, 2.0]), [{"0": 1.0}, {"0": 2.0}]),
        (pd.Series([1], name="y"), [{"y": 1}]),
        (b"ab", "YWI=\n"),
        (datetime.datetime(2024, 1, 2, 3, 4), "2024-01-02T03:04:00"),
        (pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00"),
        (decimal.Decimal("1.5"), 1.5),
        ({1: "a"}, {"1": "a"}),
        (None, None),
        ("text", "text"),
        ((1, 2), [1, 2]),
        (pd.NaT, None),
    ],
)
def test_replies(value, expected):
    """What models return becomes valid JSON."""

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(p.encode_reply(value), parse_constant=refuse)

    assert {"predictions": expected} == found


def test_dates_in_replies():
    """Dates of numpy are written as ISO 8601; missing ones are null."""
    found = json.loads(p.encode_reply(np.array(["2024-01-02", "NaT"], "datetime64[ns]")))

    assert ["2024-01-02T00:00:00.000000", None] == found["predictions"]


def test_unwrapped_reply():
    """Pass-through replies have no object around them."""
    assert b'{"a":1}' == p.encode_reply({"a": 1}, unwrapped=True)


def test_no_json_form():
    """An object without a JSON form is an error, not a guess."""
    with pytest.raises(TypeError):
        p.encode_reply(object())
