"""The frame that may ask one address."""

from __future__ import annotations

import pytest

from ..asking import Client  # noqa: TID252 - tests are no package that could be named


@pytest.fixture
def client(tmp_path, monkeypatch):
    (tmp_path / "caller-ABC123.js").write_text("1")
    (tmp_path / "main-X.js").write_text("1")
    monkeypatch.setattr("mlflow.server.ui.caller.BUNDLE", str(tmp_path))
    with Client() as made:
        yield made


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:5001", "https://models.example.org", "http://[::1]:80", "http://a"]
)
def test_one_address_may_be_asked(client, to):
    """And nothing else; only the server's own program runs."""
    found = client.get("/ui-api/caller", to=to)

    assert 200 == found.status
    assert b'src="../static/caller-ABC123.js"' in found.body
    policy = found.headers["content-security-policy"].split("; ")
    assert {
        "default-src 'none'",
        "script-src 'self'",
        f"connect-src {to}",
        "frame-ancestors 'self'",
    } <= set(policy)
    assert 1 == sum(one.startswith("connect-src") for one in policy)


@pytest.mark.parametrize(
    "to",
    ["", "*", "http://a;script-src *", "http://a b", "http://a/path", "ftp://a", "http://u@a",
     "javascript:alert(1)", "http://a\n", "http://[::1", "http://a:123456", "//a", "'self'"],
)  # fmt: skip
def test_what_is_no_address(client, to):
    """Is refused before it is written anywhere."""
    assert 400 == client.get("/ui-api/caller", to=to).status


def test_pages_that_are_not_built(tmp_path, monkeypatch):
    """Have no such frame."""
    for folder in (tmp_path, tmp_path / "nothing"):
        monkeypatch.setattr("mlflow.server.ui.caller.BUNDLE", str(folder))
        with Client() as client:
            assert 404 == client.get("/ui-api/caller", to="http://a").status
