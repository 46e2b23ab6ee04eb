"""Object stores that throttle, refuse, cut off and damage: what arrives is right, or is an error."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import urllib3

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.artifact.objects import DIGEST
from tests.bucket_server import BUCKET, KEYS, bucket_server, cut, damage, flip, refuse, times

MIB = 1 << 20


@pytest.fixture(scope="module")
def running():
    with bucket_server() as made:
        yield made


@pytest.fixture
def bucket(running, monkeypatch):
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", running.address)
    running.fault = None
    running.asked.clear()
    yield running
    running.fault = None


@pytest.fixture
def files(bucket, request):
    name = request.node.name.translate(str.maketrans("[]", "__"))
    return artifact_repository(f"s3://{BUCKET}/objects/{name}")


@pytest.fixture
def parts(monkeypatch):
    """Small parts, so that a few megabytes are many."""
    for name in ("UPLOAD", "DOWNLOAD"):
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{name}_MINIMUM_FILE_SIZE", str(6 * MIB))
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{name}_CHUNK_SIZE", str(5 * MIB))


def write(folder, data, name="f.bin"):
    path = folder / name
    path.write_bytes(data)
    return str(path)


def kept(repository, name="f.bin"):
    """What is in the bucket, read past our code."""
    tree = repository.tree
    key = f"{tree.location.path}/{name}"
    return urllib3.request("GET", tree.bucket.account.signed("GET", key, {}, 60))


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests")]
)
def test_a_store_that_throttles_is_asked_again(bucket, files, tmp_path, status, code):
    data = os.urandom(5000)
    bucket.fault = times(2, refuse(status, code))
    files.log_artifact(write(tmp_path, data))
    assert [0] == bucket.fault.left

    bucket.fault = times(2, refuse(status, code))
    assert ["f.bin"] == [one.path for one in files.list_artifacts()]
    bucket.fault = times(2, refuse(status, code))
    assert data == Path(files.download_artifacts("f.bin", str(tmp_path / "copy"))).read_bytes()
    assert [0] == bucket.fault.left


def test_parts_of_a_large_file_are_asked_for_again(bucket, files, tmp_path, parts):
    data = os.urandom(MIB) * 12
    bucket.fault = times(2, refuse(503, "SlowDown"), only="PUT")
    files.log_artifact(write(tmp_path, data))
    puts = [one.query.get("partNumber") for one in bucket.asked if one.method == "PUT"]
    assert ({"1", "2", "3"}, 5) == (set(puts), len(puts))

    bucket.fault = times(2, refuse(503, "SlowDown"), only="GET")
    assert data == Path(files.download_artifacts("f.bin", str(tmp_path / "copy"))).read_bytes()


def test_a_store_that_never_answers_is_an_error(bucket, files, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    bucket.fault = times(99, refuse(503, "SlowDown"))

    with pytest.raises(MlflowException, match="does not answer .*SlowDown") as caught:
        files.log_artifact(write(tmp_path, b"1"))
    assert "TEMPORARILY_UNAVAILABLE" == caught.value.error_code
    assert 2 == len(bucket.asked)


@pytest.mark.parametrize("call", ["log", "list", "download", "delete"])
def test_a_refusal_is_told_at_once_and_without_secrets(bucket, files, tmp_path, call):
    path = write(tmp_path, b"1")
    calls = {
        "log": lambda: files.log_artifact(path),
        "list": files.list_artifacts,
        "download": lambda: files.download_artifacts("f.bin", str(tmp_path / "copy")),
        "delete": files.delete_artifacts,
    }
    bucket.fault = times(99, refuse(403, "AccessDenied"))

    with pytest.raises(
        MlflowException, match=f"'{BUCKET}' refuses access .*AccessDenied"
    ) as caught:
        calls[call]()
    assert "PERMISSION_DENIED" == caught.value.error_code
    assert 1 == len(bucket.asked)
    assert not any(value in caught.value.message for value in (*KEYS.values(), "http://"))
    assert not (tmp_path / "copy" / "f.bin").exists()


def test_a_bucket_that_is_not_there(bucket, tmp_path):
    files = artifact_repository("s3://no-such-bucket/x")
    for call in (
        lambda: files.log_artifact(write(tmp_path, b"1")),
        files.list_artifacts,
        lambda: files.download_artifacts("f.bin"),
    ):
        with pytest.raises(MlflowException, match="There is no bucket 'no-such-bucket'"):
            call()


@pytest.mark.parametrize("size", [3 * MIB, 12 * MIB])
def test_a_download_that_is_cut_off_goes_on(bucket, files, tmp_path, parts, size):
    data = os.urandom(MIB) * (size // MIB)
    files.log_artifact(write(tmp_path, data))
    # Listings are short; what is cut is the file.
    fault = times(2, cut)
    bucket.fault = lambda handler, asked: "list-type" not in asked.query and fault(handler, asked)

    assert data == Path(files.download_artifacts("f.bin", str(tmp_path / "copy"))).read_bytes()
    assert [0] == fault.left


@pytest.mark.parametrize("size", [1000, 12 * MIB])
def test_a_download_that_is_damaged_is_fetched_again(bucket, files, tmp_path, parts, size):
    data = os.urandom(500) * (size // 500)
    files.log_artifact(write(tmp_path, data))
    fault = times(1, flip)
    bucket.fault = lambda handler, asked: "list-type" not in asked.query and fault(handler, asked)

    assert data == Path(files.download_artifacts("f.bin", str(tmp_path / "copy"))).read_bytes()
    assert [0] == fault.left


def test_a_download_that_is_always_damaged_is_an_error(bucket, files, tmp_path):
    files.log_artifact(write(tmp_path, b"right"))
    bucket.fault = lambda handler, asked: (
        "list-type" not in asked.query and not flip(handler, asked)
    )

    with pytest.raises(MlflowException, match="SHA-256 was another"):
        files.download_artifacts("f.bin", str(tmp_path / "copy"))
    assert [] == list((tmp_path / "copy").iterdir())


@pytest.mark.parametrize("size", [1000, 12 * MIB])
def test_an_upload_that_is_damaged_is_sent_again(bucket, files, tmp_path, parts, size):
    """The store sees it, since what is signed includes the SHA-256 of what is sent."""
    data = b"a" * size
    bucket.fault = times(1, damage, only="PUT")
    files.log_artifact(write(tmp_path, data))

    assert data == kept(files).data


def test_an_upload_that_fails_is_seen_by_nobody_and_forgotten(bucket, files, tmp_path, parts):
    path = write(tmp_path, b"a" * 12 * MIB)
    bucket.fault = lambda handler, asked: (
        asked.query.get("partNumber") == "2" and not refuse(403, "AccessDenied")(handler, asked)
    )

    with pytest.raises(MlflowException, match="AccessDenied"):
        files.log_artifact(path)
    assert 404 == kept(files).status
    assert ["uploadId"] == [next(iter(one.query)) for one in bucket.asked if one.method == "DELETE"]


def test_what_others_wrote_is_read_where_it_lies(bucket, files, tmp_path):
    """Without a digest, with the folder markers of consoles, beside a folder of its own name."""
    base = f"{bucket.upstream}/{files.artifact_uri.removeprefix('s3://')}"
    for name, data in (("", b""), ("model/", b""), ("model/MLmodel", b"m"), ("model.txt", b"t")):
        urllib3.request("PUT", f"{base}/{name}", body=data)

    assert ["model", "model.txt"] == [one.path for one in files.list_artifacts()]
    assert ["model/MLmodel"] == [one.path for one in files.list_artifacts("model")]
    copy = Path(files.download_artifacts("", str(tmp_path / "copy")))
    assert (b"m", b"t") == (
        (copy / "model/MLmodel").read_bytes(),
        (copy / "model.txt").read_bytes(),
    )


def test_the_digest_and_the_type_are_kept_with_the_file(bucket, files, tmp_path):
    files.log_artifact(write(tmp_path, b"<p>", "page.html"))
    found = kept(files, "page.html").headers

    assert hashlib.sha256(b"<p>").hexdigest() == found[f"x-amz-meta-{DIGEST}"]
    assert "text/html" == found["content-type"]


def test_small_files_cost_one_request_each(bucket, files, tmp_path):
    for number in range(5):
        write(tmp_path, b"1", f"{number}.txt")
    files.log_artifacts(str(tmp_path))
    assert ["PUT"] * 5 == [one.method for one in bucket.asked]

    bucket.asked.clear()
    files.download_artifacts("", str(tmp_path / "copy"))
    assert 6 == len(bucket.asked)  # with the listing


def test_one_request_where_parts_are_not_wanted(bucket, files, tmp_path, parts, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_MULTIPART_UPLOAD", "false")
    monkeypatch.setenv("MLFLOW_ENABLE_MULTIPART_DOWNLOAD", "false")
    files.log_artifact(write(tmp_path, b"a" * 12 * MIB))
    assert [("PUT", {})] == [(one.method, one.query) for one in bucket.asked]

    bucket.asked.clear()
    files.download_artifacts("f.bin", str(tmp_path / "copy"))
    assert [None] == [one.headers.get("range") for one in bucket.asked if not one.query]


def test_the_lists_of_large_folders_have_several_pages(bucket, files, tmp_path):
    key = files.artifact_uri.removeprefix("s3://")
    for number in range(1005):
        urllib3.request("PUT", f"{bucket.upstream}/{key}/many/{number:04}")

    assert 1005 == len(files.list_artifacts("many"))
    files.delete_artifacts("many")
    assert [] == files.list_artifacts()
