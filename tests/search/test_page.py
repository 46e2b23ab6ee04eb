"""Page tokens: opaque, bound to their query, harmless when damaged."""

from __future__ import annotations

import base64
import json
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.search.page import MAX_TOKEN, MISSING, NAN, VALUE, fingerprint, read_token, write_token

NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=True))
CELLS = st.lists(
    st.one_of(
        st.tuples(st.just(VALUE), NUMBERS | st.text()),
        st.just((NAN, None)),
        st.just((MISSING, None)),
    ),
    min_size=1,
    max_size=5,
)


@given(CELLS, st.integers(0, 2**32 - 1))
def test_tokens_come_back(cells, query):
    """Every value that orders rows survives, and the token is plain text."""
    kinds = tuple(str if isinstance(value, str) else float for _, value in cells)
    token = write_token(query, tuple(cells))

    assert token.isascii()
    assert not set(token) & set("+/ ")
    assert tuple(cells) == read_token(token, query, kinds).cells


def test_a_token_of_another_search_is_refused():
    """The message says what happened and what to do."""
    token = write_token(1, ((VALUE, 3),))

    with pytest.raises(MlflowException, match="belongs to another search") as error:
        read_token(token, 2, (float,))
    assert 400 == error.value.get_http_status_code()


def test_stock_tokens_are_offsets():
    """`{"offset": N}` in base64 is what stock MLflow hands out."""
    token = base64.b64encode(json.dumps({"offset": 7}).encode()).decode()

    assert 7 == read_token(token, 1, (float,)).offset
    assert read_token(token, 1, (float,)).cells is None


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_the_first_page(token):
    """None and empty text start at the beginning."""
    start = read_token(token, 1, (float,))

    assert (None, 0) == (start.cells, start.offset)


def _encoded(content):
    return base64.b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "garbage", "é", "=", "A" * (MAX_TOKEN + 1), 5, b"eyJvZmZzZXQiOiAwfQ==", ["a"],
        _encoded({"offset": -1}), _encoded({"offset": 2**60}), _encoded({"offset": 1.5}),
        _encoded({"offset": True}), _encoded({"offset": None}), _encoded({}), _encoded([1]),
        _encoded(None), _encoded({"after": [], "query": 1}), _encoded({"after": 1, "query": 1}),
        _encoded({"after": [[0, "text"]], "query": 1}), _encoded({"after": [[0, None]], "query": 1}),
        _encoded({"after": [[3, None]], "query": 1}), _encoded({"after": [[0]], "query": 1}),
        _encoded({"after": [[True, 1]], "query": 1}), _encoded({"after": [[0, True]], "query": 1}),
        _encoded({"after": [[0, math.nan]], "query": 1}),
        _encoded({"after": [[0, 1], [0, 1]], "query": 1}),
        base64.b64encode(pickle.dumps({"offset": 1})).decode(),
        base64.b64encode(b"[" * 40_000).decode(),
    ],
)  # fmt: skip
def test_damaged_tokens_are_refused(token):
    """Whatever arrives, the answer is a 400 that says what to do."""
    with pytest.raises(MlflowException, match="Invalid page token") as error:
        read_token(token, 1, (float,))
    assert "INVALID_PARAMETER_VALUE" == error.value.error_code


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_or_read(data):
    """Nothing but an `MlflowException` comes out."""
    try:
        read_token(base64.b64encode(data).decode(), 1, (float,))
    except MlflowException as error:
        assert "Invalid page token" in error.message


def test_fingerprints_tell_queries_apart():
    """Every part of a query counts; the number is the same in every process."""
    assert fingerprint("runs", None, (1,)) != fingerprint("runs", None, (2,))
    assert 451421352 == fingerprint(1)
    assert fingerprint("\ud800") == fingerprint("\ud800")
