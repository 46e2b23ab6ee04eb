"""Addresses of servers are taken apart once, and shown without secrets."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.transport.address import Address


@pytest.mark.parametrize(
    ("uri", "expected"),
    [("http://h", ("http", "h", 80, "", None, None)),
     ("https://H.example/", ("https", "h.example", 443, "", None, None)),
     ("http://127.0.0.1:5000/a/b/", ("http", "127.0.0.1", 5000, "/a/b", None, None)),
     ("http://[::1]:5", ("http", "::1", 5, "", None, None)),
     ("http://ada:p%40ss@h", ("http", "h", 80, "", "ada", "p@ss")),
     ("http://ada:@h", ("http", "h", 80, "", "ada", "")),
     ("http://bücher.example", ("http", "xn--bcher-kva.example", 80, "", None, None))],
)  # fmt: skip
def test_parsed(uri, expected):
    """Every part, decoded."""
    assert expected == tuple(Address.parse(uri))


@pytest.mark.parametrize(
    "uri",
    ["ftp://h", "http://", "h:5000", "http://h:x", "http://h:70000", "http://h?a=b", "http://h#a",
     "http://h/a b", "http://h\r\nx", "http://[::1", ""],
)  # fmt: skip
def test_what_is_none(uri):
    """Is refused before anything is sent."""
    with pytest.raises(MlflowException) as caught:
        Address.parse(uri)

    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code


@pytest.mark.parametrize(
    ("uri", "netloc"),
    [("http://h", "h"), ("http://h:80", "h"), ("https://h:80", "h:80"), ("http://[::1]:5", "[::1]:5")],
)  # fmt: skip
def test_the_host_header(uri, netloc):
    """A usual port is left out."""
    assert netloc == Address.parse(uri).netloc


def test_shown():
    """Neither name nor password."""
    assert "http://h:5/a" == Address.parse("http://ada:secret@h:5/a").shown
