"""Files sent and fetched past a server that keeps them in a bucket."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.locate import artifact_repository
from tests.bucket_server import BUCKET, KEYS, bucket_server, cut, flip, refuse, times
from tests.server.running import server

MIB = 1 << 20


@pytest.fixture(scope="module")
def bucket():
    with bucket_server() as made:
        yield made


@pytest.fixture(scope="module")
def address(tmp_path_factory, bucket):
    environment = {**KEYS, "MLFLOW_S3_ENDPOINT_URL": bucket.address}
    destination = ("--artifacts-destination", f"s3://{BUCKET}/proxied")
    folder = tmp_path_factory.mktemp("server")
    with server(folder, *destination, environment=environment) as (_, found):
        yield found


@pytest.fixture
def files(address, bucket, request, monkeypatch):
    for way in ("UPLOAD", "DOWNLOAD"):
        monkeypatch.setenv(f"MLFLOW_ENABLE_PROXY_MULTIPART_{way}", "true")
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{way}_MINIMUM_FILE_SIZE", str(6 * MIB))
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{way}_CHUNK_SIZE", str(5 * MIB))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    bucket.fault = None
    bucket.asked.clear()
    return artifact_repository(f"mlflow-artifacts:/{request.node.name}", address)


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "f.bin"
    path.write_bytes(os.urandom(MIB) * 12)
    return path


def signed_requests(bucket):
    return [one for one in bucket.asked if "X-Amz-Signature" in one.query]


def parts_only(fault):
    """A fault of what clients send and fetch; the server's own requests pass."""
    return lambda handler, asked: (
        "X-Amz-Signature" in asked.query
        and asked.method in ("PUT", "GET")
        and fault(handler, asked)
    )


def test_a_large_file_goes_past_the_server(files, bucket, large, tmp_path):
    files.log_artifact(str(large))
    assert {"1", "2", "3"} == {
        one.query["partNumber"] for one in signed_requests(bucket) if one.method == "PUT"
    }
    # The way of the server: nothing but listings came over it.
    assert [] == [one for one in bucket.asked if one.method == "PUT" and one not in
                  signed_requests(bucket)]  # fmt: skip

    bucket.asked.clear()
    copy = files.download_artifacts("f.bin", str(tmp_path / "copy"))
    assert large.read_bytes() == Path(copy).read_bytes()
    assert 3 == len(signed_requests(bucket))


def test_a_small_file_goes_through_it(files, bucket, tmp_path):
    path = tmp_path / "s.bin"
    path.write_bytes(b"1")
    files.log_artifact(str(path))
    assert [] == signed_requests(bucket)


def test_it_has_to_be_asked_for(files, bucket, large, tmp_path, monkeypatch):
    for way in ("UPLOAD", "DOWNLOAD"):
        monkeypatch.delenv(f"MLFLOW_ENABLE_PROXY_MULTIPART_{way}")
    files.log_artifact(str(large))
    copy = files.download_artifacts("f.bin", str(tmp_path / "copy"))

    assert large.read_bytes() == Path(copy).read_bytes()
    assert [] == signed_requests(bucket)


def test_parts_are_sent_and_fetched_again(files, bucket, large, tmp_path):
    bucket.fault = parts_only(times(2, refuse(503, "SlowDown")))
    files.log_artifact(str(large))
    bucket.fault = parts_only(times(1, refuse(503, "SlowDown")))
    copy = files.download_artifacts("f.bin", str(tmp_path / "copy"))
    assert large.read_bytes() == Path(copy).read_bytes()

    for fault in (cut, flip):
        bucket.fault = parts_only(times(1, fault))
        copy = files.download_artifacts("f.bin", str(tmp_path / fault.__name__))
        assert large.read_bytes() == Path(copy).read_bytes()


def test_an_upload_that_fails_is_forgotten(files, bucket, large):
    bucket.fault = parts_only(times(99, refuse(403, "AccessDenied")))
    with pytest.raises(MlflowException, match=r"refuses a part of .*403") as caught:
        files.log_artifact(str(large))

    assert "X-Amz" not in caught.value.message
    assert ["DELETE"] == [one.method for one in bucket.asked if one.method == "DELETE"]
    bucket.fault = None
    assert [] == files.list_artifacts()


def test_a_damaged_download_is_an_error(files, bucket, large, tmp_path):
    files.log_artifact(str(large))
    bucket.fault = parts_only(times(99, flip))
    with pytest.raises(MlflowException, match="SHA-256 was another"):
        files.download_artifacts("f.bin", str(tmp_path / "copy"))
    assert [] == list((tmp_path / "copy").iterdir())


def test_a_server_of_folders_is_sent_the_file_itself(files, large, tmp_path, tmp_path_factory):
    with server(tmp_path_factory.mktemp("folders")) as (_, address):
        local = artifact_repository("mlflow-artifacts:/x", address)
        local.log_artifact(str(large))
        copy = local.download_artifacts("f.bin", str(tmp_path / "copy"))
    assert large.read_bytes() == Path(copy).read_bytes()
