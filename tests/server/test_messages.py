"""What a request may carry."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.messages import parse_object


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"{}", {}), (b'{"a":1}', {"a": 1}), (b"null", {}), (b'"{\\"a\\":1}"', {"a": 1}),
     (b'{"a":Infinity}', {"a": float("inf")}), (b'{"a":"\\u00e4"}', {"a": "\u00e4"})],
)  # fmt: skip
def test_objects(body, expected):
    """JSON objects, also inside a string, also with the literals Python writes."""
    assert expected == parse_object(body)


@pytest.mark.parametrize(
    "body",
    [b"[1]", b"3", b"x", b"{", b'{"a":1}x', b"\xff", b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"),
     b'{"a":' * 100_000, b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}", b'"x"', b'"3"'],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_object(body):
    """Is refused, however deep or long."""
    with pytest.raises(MlflowException) as caught:
        parse_object(body)

    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code


@pytest.mark.parametrize("name", ["Content-Type", "Host", "Authorization", "Origin"])
def test_headers_given_twice(client, name):
    """Of two, a guard and a handler might see different ones."""
    twice = [(name, "application/json"), (name, "text/plain")]
    answer = client.ask("GET", "experiments/search", headers=twice, kind=None)

    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)


def test_compressed_bodies(client):
    """A small body that is a large one is not read."""
    answer = client.post(
        "experiments/create", {"name": "x"}, headers=[("Content-Encoding", "gzip")]
    )

    assert 415 == answer.status


def test_a_query_that_cannot_be_read(client):
    """Bytes that are no UTF-8, or parameters without end."""
    assert 400 == client.get("experiments/get", experiment_id=b"\xff").status
    many = [("experiment_id", "0")] * 10_001
    assert 400 == client.ask("GET", "experiments/get", query=many).status
