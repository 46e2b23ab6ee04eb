"""Origins are read as a scheme, a name and a port, and compared whole."""

from __future__ import annotations

import pytest

from mlflow.web.origins import is_same_origin, origin_host


@pytest.mark.parametrize(
    ("origin", "expected"),
    [("http://localhost:5000", "localhost:5000"), ("HTTPS://A.example", "a.example"),
     ("null", None), ("", None), ("file://", None), ("http://u@h", None), ("http://h/", None),
     ("http://h?x", None), ("http://h#x", None), ("//h", None), ("http://[::1", None),
     ("chrome-extension://abc", None)],
)  # fmt: skip
def test_the_host_of_an_origin(origin, expected):
    assert expected == origin_host(origin)


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [("http://localhost:5000", "localhost:5000", True), ("https://ml.example", "ml.example", True),
     ("https://ml.example", "ml.example:443", True), ("http://ml.example", "ml.example:80", True),
     ("http://localhost:1234", "localhost:5000", False), ("http://localhost", "localhost:5000", False),
     ("https://good.example.evil.example", "good.example", False),
     ("https://good.example:9999", "good.example", False), ("null", "null", False)],
)  # fmt: skip
def test_same_origin(origin, host, expected):
    """A proxy may add TLS; another port is another program."""
    assert expected is is_same_origin(origin, host)
