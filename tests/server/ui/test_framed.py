"""Pages and documents of runs: shown without an origin, and only such files."""

from __future__ import annotations

import io

import pytest

from mlflow.server.roots import ArtifactRoots
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.backends.file import FileBackend
from mlflow.store.local import LocalStore

from ..asking import Client  # noqa: TID252 - tests are no package that could be named


@pytest.fixture
def store(tmp_path):
    return LocalStore(FileBackend(str(tmp_path / "mlruns")))


@pytest.fixture
def run_id(store):
    """A run with a page and a script."""
    info = store.create_run("0", "u", 1, [], None).info
    repository = artifact_repository(info.artifact_uri)
    repository.log_stream(io.BytesIO(b"<script>1</script>"), "plots/page.html")
    repository.log_stream(io.BytesIO(b"<script>1</script>"), "plots/paper.PDF")
    repository.log_stream(io.BytesIO(b"1"), "program.js")
    return info.run_id


@pytest.fixture
def client(store, tmp_path):
    roots = ArtifactRoots(str(tmp_path / "kept"), [str(tmp_path / "mlruns")])
    with Client(store, roots=roots) as made:
        yield made


def test_a_page_has_no_origin_and_no_network(client, run_id):
    """Its own programs run; nothing of the server is within their reach."""
    found = client.get("/ui-api/page", run_id=run_id, path="plots/page.html")

    assert (200, b"<script>1</script>") == (found.status, found.body)
    policy = found.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert ("text/html; charset=utf-8", "nosniff") == (
        found.headers["content-type"], found.headers["x-content-type-options"],
    )  # fmt: skip
    assert "content-disposition" not in found.headers


def test_a_document_is_one_whatever_is_in_it(client, run_id):
    """A page that calls itself a document is given to the viewer of documents, without programs."""
    found = client.get("/ui-api/page", run_id=run_id, path="plots/paper.PDF")

    assert (200, "application/pdf", "nosniff") == (
        found.status, found.headers["content-type"], found.headers["x-content-type-options"],
    )  # fmt: skip
    policy = found.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow" not in policy
    assert "frame-ancestors 'self'" in policy
    assert "content-disposition" not in found.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [("program.js", 400), ("", 400), ("none.html", 404), ("../x.html", 400),
     ("plots/page.html/", 400), ("%2e%2e/x.html", 404)],
)  # fmt: skip
def test_other_files_are_no_pages(client, run_id, path, status):
    """Nor is what leads elsewhere."""
    assert status == client.get("/ui-api/page", run_id=run_id, path=path).status


def test_pages_of_logged_models(store, client):
    """Are shown in the same way; other files of theirs are not."""
    model = store.create_logged_model("0", "forest")
    repository = artifact_repository(model.artifact_location)
    for name in ("card.html", "MLmodel"):
        repository.log_stream(io.BytesIO(b"<script>1</script>"), name)
    place = f"/ui-api/model-page/{model.model_id}"
    found = client.get(place, artifact_file_path="card.html")
    assert (200, b"<script>1</script>") == (found.status, found.body)
    assert found.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src")
    assert 400 == client.get(place, artifact_file_path="MLmodel").status
    assert 404 == client.get(place, artifact_file_path="none.html").status
