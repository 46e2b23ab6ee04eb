"""The endpoints of signed addresses: what they take, and that paths stay where they belong."""

from __future__ import annotations

import pytest
import urllib3

from mlflow.server.roots import ArtifactRoots
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from tests.bucket_server import BUCKET, KEYS, bucket_server

from .asking import Client

MPU = "/api/2.0/mlflow-artifacts/mpu"


@pytest.fixture(scope="module")
def bucket():
    with bucket_server() as made:
        yield made


@pytest.fixture
def served(bucket, monkeypatch):
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", bucket.address)
    store = LocalStore(MemoryBackend(f"s3://{BUCKET}/direct"))
    roots = ArtifactRoots(f"s3://{BUCKET}/kept", [f"s3://{BUCKET}/direct"])
    with Client(store, roots=roots) as client:
        yield client


@pytest.fixture
def run_id(served):
    return served.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]["run_id"]


def test_an_upload_in_parts(served):
    asked = {"path": "f ü.bin", "num_parts": "1"}
    begun = served.post(f"{MPU}/create/0/folder", asked).json
    (part,) = begun["credentials"]
    assert {"url", "part_number"} == set(part)
    etag = urllib3.request("PUT", part["url"], body=b"data").headers["etag"]
    done = {"path": "f ü.bin", "upload_id": begun["upload_id"],
            "parts": [{"part_number": 1, "etag": etag, "url": part["url"]}]}  # fmt: skip
    assert {} == served.post(f"{MPU}/complete/0/folder", done).json

    path = "/api/2.0/mlflow-artifacts/presigned/0/folder/f%20%C3%BC.bin"
    found = served.get(path).json
    assert (4, {}) == (found["file_size"], found["headers"])
    answer = urllib3.request("GET", found["url"])
    assert b"data" == answer.data
    assert answer.headers["content-disposition"].startswith("attachment")
    assert b"data" == served.get("/api/2.0/mlflow-artifacts/artifacts/0/folder/f%20%C3%BC.bin").body
    assert 404 == served.get("/api/2.0/mlflow-artifacts/presigned/0/none").status


@pytest.mark.parametrize("path", ["/tmp/run 1/f.bin", "C:\\run\\f.bin", "../../f.bin", "f.bin"])
def test_only_the_name_of_a_local_file_counts(served, path):
    """Which is what MLflow's client sends when it logs a folder."""
    begun = served.post(f"{MPU}/create/0/folder", {"path": path, "num_parts": 1}).json
    assert f"/{BUCKET}/kept/0/folder/f.bin?" in begun["credentials"][0]["url"]


def test_an_upload_that_is_given_up(served):
    begun = served.post(f"{MPU}/create/0", {"path": "f", "num_parts": 2}).json
    asked = {"path": "f", "upload_id": begun["upload_id"]}
    assert {} == served.post(f"{MPU}/abort/0", asked).json


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"path": ".."},
        {"path": "/tmp/.."},
        {"path": "a/"},
        {"path": "a\0b"},
        {"path": ["f"]},
        {"path": "f", "num_parts": 0},
        {"path": "f", "num_parts": 10_001},
        {"path": "f", "num_parts": True},
        {"path": "f", "num_parts": "x"},
        {"path": "f", "num_parts": 1e99},
    ],
)
def test_requests_that_are_none(served, fields):
    answer = served.post(f"{MPU}/create/0", fields)
    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"upload_id": "u"},
        {"upload_id": "u", "parts": []},
        {"upload_id": "u", "parts": "x"},
        {"upload_id": "u", "parts": [1]},
        {"upload_id": "u", "parts": [{"part_number": 1}]},
        {"upload_id": "u", "parts": [{"part_number": 1, "etag": "a\nb"}]},
        {"upload_id": "u\r\nx: y", "parts": [{"part_number": 1, "etag": "a"}]},
    ],
)
def test_completions_that_are_none(served, fields):
    answer = served.post(f"{MPU}/complete/0", {"path": "f", **fields})
    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)


def test_addresses_for_runs_and_models(served, run_id):
    made = served.post("logged-models", {"experiment_id": "0", "name": "l"}).json["model"]["info"]
    for owner in ({"run_id": run_id}, {"model_id": made["model_id"]}):
        found = served.post("artifacts/presigned-upload-url", {**owner, "path": "a/b.txt"}).json
        assert {} == found["headers"]
        assert 200 == urllib3.request("PUT", found["presigned_url"], body=b"of it").status

    asked = {"run_id": run_id, "path": "a/b.txt", "expiration": 60}
    found = served.post("artifacts/presigned-download-url", asked).json
    assert (5, b"of it") == (
        found["file_size"], urllib3.request("GET", found["presigned_url"]).data,
    )  # fmt: skip
    assert "X-Amz-Expires=60&" in found["presigned_url"]
    assert b"of it" == served.get("/get-artifact", run_id=run_id, path="a/b.txt").body


@pytest.mark.parametrize(
    "fields",
    [{}, {"run_id": "r", "model_id": "m", "path": "a"}, {"run_id": "<run>"},
     {"run_id": "<run>", "path": "../a"}, {"run_id": "<run>", "path": "a", "expiration": 604_801},
     {"run_id": "<run>", "path": "a", "expiration": -1},
     {"run_id": "<run>", "path": "a", "expiration": "x"}],
)  # fmt: skip
def test_addresses_that_are_none(served, run_id, fields):
    asked = {name: run_id if value == "<run>" else value for name, value in fields.items()}
    answer = served.post("artifacts/presigned-upload-url", asked)
    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)


def test_what_a_server_passes_on_has_no_address_of_its_own(bucket, served, monkeypatch):
    store = LocalStore(MemoryBackend("mlflow-artifacts:"))
    with Client(store, roots=ArtifactRoots(f"s3://{BUCKET}/kept")) as client:
        info = client.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]
        asked = {"run_id": info["run_id"], "path": "a"}
        answer = client.post("artifacts/presigned-download-url", asked)
        assert 400 == answer.status
        assert "not supported for proxied artifact storage" in answer.json["message"]


def test_servers_say_what_they_offer(served, tmp_path):
    facts = served.get("/api/3.0/mlflow/server-info").json
    assert facts["multipart_uploads_enabled"]
    with Client(roots=ArtifactRoots(str(tmp_path))) as client:
        assert not client.get("/api/3.0/mlflow/server-info").json["multipart_uploads_enabled"]
