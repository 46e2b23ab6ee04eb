"""Uploads in parts by signed addresses, and single addresses, at a real S3 server."""

from __future__ import annotations

import hashlib
import os

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.artifact import multipart
from mlflow.store.artifact.locate import artifact_repository, tree_of
from mlflow.store.artifact.objects import DIGEST
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.transport import signed
from tests.bucket_server import BUCKET, KEYS, bucket_server, refuse, times

MIB = 1 << 20
FILE = ArtifactPath.new("in/ü f.bin")


@pytest.fixture(scope="module")
def running():
    with bucket_server() as made:
        yield made


@pytest.fixture
def tree(running, request, monkeypatch):
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", running.address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    running.fault = None
    running.asked.clear()
    return tree_of(f"s3://{BUCKET}/{request.node.name}")


def send(tree, data, step=5 * MIB, digest=None):
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    begun = multipart.begin(tree, FILE, len(pieces), digest)
    parts = []
    for number, (url, piece) in enumerate(zip(begun.addresses, pieces, strict=True), start=1):
        etag = signed.send("PUT", url, piece).headers["etag"]
        parts.append(multipart.Part(number, etag))
    return begun.upload_id, parts


def test_a_file_is_made_of_its_parts(tree):
    """In whatever order they are named; its digest is kept with it."""
    data = os.urandom(MIB) * 11
    upload_id, parts = send(tree, data, digest=hashlib.sha256(data).digest())
    assert None is tree.kind(FILE)

    multipart.complete(tree, FILE, upload_id, parts[::-1])
    one = tree.opened(FILE)
    assert data == b"".join(one.parts(0, one.size))
    assert hashlib.sha256(data).digest() == one.digest()


def test_an_upload_is_forgotten(tree, running):
    upload_id, parts = send(tree, b"a" * 6 * MIB)
    multipart.abort(tree, FILE, upload_id)
    multipart.abort(tree, FILE, upload_id)

    running.fault = times(99, refuse(404, "NoSuchUpload"))
    with pytest.raises(MlflowException, match="no such upload"):
        multipart.complete(tree, FILE, upload_id, parts)
    running.fault = None
    assert None is tree.kind(FILE)


def test_an_error_behind_a_good_status_is_an_error(tree, running):
    upload_id, parts = send(tree, b"a")
    running.fault = times(1, refuse(200, "InternalError"))
    with pytest.raises(MlflowException, match="InternalError"):
        multipart.complete(tree, FILE, upload_id, parts)


def test_a_busy_store_is_asked_again(tree, running):
    running.fault = times(2, refuse(503, "SlowDown"))
    assert 2 == len(multipart.begin(tree, FILE, 2).addresses)


def test_a_refusal_is_told(tree, running):
    running.fault = times(99, refuse(403, "AccessDenied"))
    with pytest.raises(MlflowException, match="AccessDenied") as caught:
        multipart.begin(tree, FILE, 2)
    assert "PERMISSION_DENIED" == caught.value.error_code
    assert "X-Amz" not in caught.value.message


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_numbers_of_parts(tree, count):
    with pytest.raises(MlflowException, match="1 to 10000 parts"):
        multipart.begin(tree, FILE, count)


def test_parts_that_are_none(tree):
    for parts in ([], [multipart.Part(1, "a"), multipart.Part(1, "b")]):
        with pytest.raises(MlflowException, match="each of another number"):
            multipart.complete(tree, FILE, "u", parts)


def test_single_addresses(tree, running):
    to_send = multipart.address_to_send(tree, FILE, 60)
    assert 200 == signed.send("PUT", to_send.url, b"data", to_send.headers).status

    to_fetch = multipart.address_to_fetch(tree, FILE, 60)
    answer = signed.send("GET", to_fetch.url)
    assert (b"data", 4) == (answer.body, to_fetch.size)
    with pytest.raises(MlflowException, match="No such artifact"):
        multipart.address_to_fetch(tree, ArtifactPath.new("none"), 60)


def test_what_is_said_of_uploads_is_signed(tree, running, monkeypatch):
    """Whoever got the address has to send it: encryption cannot be left out."""
    extra = '{"ServerSideEncryption": "AES256", "Metadata": {"team": "blue"}}'
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", extra)
    found = multipart.address_to_send(tree, FILE, 60)
    assert {"x-amz-server-side-encryption": "AES256", "x-amz-meta-team": "blue"} == found.headers
    assert "host%3Bx-amz-meta-team%3Bx-amz-server-side-encryption" in found.url

    multipart.begin(tree, FILE, 1, b"\1" * 32)
    headers = running.asked[-1].headers
    assert "AES256" == headers["x-amz-server-side-encryption"]
    assert "01" * 32 == headers[f"x-amz-meta-{DIGEST}"]


def test_places_without_addresses(tmp_path, monkeypatch):
    folder = tree_of(str(tmp_path))
    assert not multipart.is_offered(folder)
    for call in (
        lambda: multipart.begin(folder, FILE, 1),
        lambda: multipart.complete(folder, FILE, "u", []),
        lambda: multipart.abort(folder, FILE, "u"),
        lambda: multipart.address_to_send(folder, FILE, 1),
        lambda: multipart.address_to_fetch(folder, FILE, 1),
    ):
        with pytest.raises(MlflowException, match="not supported") as caught:
            call()
        assert "NOT_IMPLEMENTED" == caught.value.error_code


def test_addresses_of_azure(monkeypatch):
    """Signed by its key; uploads say which kind of blob they make."""
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", "c2VjcmV0")
    tree = artifact_repository("wasbs://c@acc.blob.core.windows.net/p").tree
    found = multipart.address_to_send(tree, ArtifactPath.new("in/a-b_c.~1"), 60)

    assert found.url.startswith("https://acc.blob.core.windows.net/c/p/in/a-b_c.~1?")
    assert "sig=" in found.url
    assert {"x-ms-blob-type": "BlockBlob"} == found.headers
    assert not multipart.is_offered(tree)


def test_names_that_azure_signs_otherwise_have_no_address(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", "c2VjcmV0")
    tree = tree_of("wasbs://c@acc.blob.core.windows.net/p")
    with pytest.raises(MlflowException, match="no signed address of 'in/ü f.bin'") as caught:
        multipart.address_to_send(tree, FILE, 60)
    assert "NOT_IMPLEMENTED" == caught.value.error_code
