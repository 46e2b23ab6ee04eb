"""The files of the pages: found by name only."""

from __future__ import annotations

import gzip

import pytest

from mlflow.server.routes import Routes
from mlflow.server.ui import pages
from mlflow.server.ui.pages import Pages

from ..asking import Client  # noqa: TID252 - tests are no package that could be named


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A server whose pages are in a folder of ours."""
    monkeypatch.setattr(pages, "BUNDLE", str(tmp_path / "static"))
    with Client() as made:
        yield made


@pytest.fixture
def bundle(tmp_path):
    """A bundle of three files, and a secret beside it."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "index.html").write_text("<p>here</p>")
    (folder / "main-ABC.js").write_text("run()")
    (folder / "main-ABC.js.gz").write_bytes(gzip.compress(b"run()"))
    (folder / "notes.txt").write_text("not for everybody")
    (tmp_path / "secret.js").write_text("secret")
    return folder


def test_the_page_is_asked_for_again(client, bundle):
    """It names the files of this build; nothing is written into it."""
    page = client.get("/")

    assert (200, b"<p>here</p>") == (page.status, page.body)
    assert ("text/html; charset=utf-8", "no-cache") == (
        page.headers["content-type"], page.headers["cache-control"],
    )  # fmt: skip
    assert "nosniff" == page.headers["x-content-type-options"]


def test_files_are_kept_and_packed(client, bundle):
    """Names change with the content, so a browser never asks twice."""
    plain = client.get("/static/main-ABC.js")
    packed = client.ask("GET", "/static/main-ABC.js", headers=[("accept-encoding", "gzip, br")])

    assert b"run()" == plain.body == gzip.decompress(packed.body)
    assert "gzip" == packed.headers["content-encoding"]
    assert "immutable" in plain.headers["cache-control"]
    assert "text/javascript; charset=utf-8" == packed.headers["content-type"]


@pytest.mark.parametrize(
    "name",
    ["none.js", "../secret.js", "..%2Fsecret.js", "%2e%2e%2fsecret.js", "notes.txt",
     "main-ABC.js.gz", "/etc/passwd", "main-ABC.js%00", "..\\secret.js"],
)  # fmt: skip
def test_nothing_else_is_found(client, bundle, name):
    """Only what the folder lists, of the kinds that pages are made of."""
    assert 404 == client.get(f"/static/{name}").status


def test_without_a_bundle_the_server_says_how_to_build_it(client):
    """The API works all the same."""
    page = client.get("/")

    assert 200 == page.status
    assert b"./scripts/ui" in page.body


def test_prefixes(tmp_path):
    """Pages are below the prefix of the server, as the API is."""
    routes = Routes("/mlflow")
    Pages(str(tmp_path)).add_to(routes)

    assert {("GET", "/mlflow/")} == {key for key in routes.exact if key[1].endswith("/")}
