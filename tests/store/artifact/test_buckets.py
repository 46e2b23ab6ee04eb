"""How URIs and the environment name buckets: endpoints, extra arguments, accounts."""

from __future__ import annotations

import json
import sys
import threading

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.artifact import buckets
from mlflow.store.artifact.buckets import bucket_of, location_of
from mlflow.store.artifact.locate import artifact_repository
from tests.bucket_server import BUCKET, KEYS, Proxy, bucket_server, refuse, times


@pytest.fixture
def keys(monkeypatch):
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)


def opened(uri):
    return bucket_of(location_of(uri))


@pytest.mark.parametrize(
    ("uri", "host", "bucket", "path"),
    [
        ("s3://b", "", "b", ""),
        ("s3://b/a/b/", "", "b", "a/b"),
        ("gs://b/x", "", "b", "x"),
        ("wasbs://c@acc.blob.core.windows.net/p/q", "acc.blob.core.windows.net", "c", "p/q"),
        ("abfss://c@acc.dfs.core.windows.net/p", "acc.dfs.core.windows.net", "c", "p"),
        ("r2://b@id.r2.cloudflarestorage.com/p", "id.r2.cloudflarestorage.com", "b", "p"),
    ],
)
def test_uris(uri, host, bucket, path):
    found = location_of(uri)

    assert (host, bucket, path) == (found.host, found.bucket, str(found.path))


@pytest.mark.parametrize(
    "uri",
    ["s3:/b/x", "s3:///x", "s3://", "s3://b/x?y", "s3://b/x#y", "s3://user@b/x", "s3://b:80/x",
     "s3://b//x", "s3://b/../x", "gs://u@b/x", "wasbs://c/x", "abfss://c@/x", "r2://b/p"],
)  # fmt: skip
def test_uris_that_are_none(uri):
    with pytest.raises(MlflowException, match="must be written|Invalid artifact path"):
        location_of(uri)


def test_a_missing_library_is_named(keys, monkeypatch):
    for name in ("obstore", "obstore.store"):
        monkeypatch.setitem(sys.modules, name, None)
    for uri, extra in (("s3://b/x", "s3"), ("gs://b/x", "gcs"), ("abfss://c@a.b/x", "azure")):
        files = artifact_repository(uri)
        for call in (files.list_artifacts, files.delete_artifacts, files.download_artifacts):
            with pytest.raises(MlflowException, match=rf"pip install 'millstream\[{extra}\]'"):
                call("f")


def test_the_endpoint_of_mlflow_comes_first(keys, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://general")
    assert "https://general/b" == opened("s3://b").account.place
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://of.s3")
    assert "https://of.s3/b" == opened("s3://b").account.place
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", "http://mine:9000/")
    assert "http://mine:9000/b" == opened("s3://b").account.place
    monkeypatch.setenv("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "virtual")
    assert "http://b.mine:9000" == opened("s3://b").account.place
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", "mine:9000")
    with pytest.raises(MlflowException, match="must begin with http"):
        opened("s3://b")


def test_addresses_of_aws(keys, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert "https://b.s3.eu-west-1.amazonaws.com" == opened("s3://b").account.place
    assert "https://s3.eu-west-1.amazonaws.com/dotted.b" == opened("s3://dotted.b").account.place
    monkeypatch.setenv("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "sideways")
    with pytest.raises(MlflowException, match="'sideways'; it must be auto, path or virtual"):
        opened("s3://b")


def test_a_bucket_is_opened_once(keys, monkeypatch):
    first = opened("s3://b/one")
    assert first is opened("s3://b/two")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert first is not opened("s3://b/one")


def test_a_forked_process_is_told_and_does_not_wait(keys, monkeypatch):
    opened("s3://b/one")
    monkeypatch.setattr(buckets, "_process", buckets._process + 1)
    with pytest.raises(MlflowException, match="forked .* 'spawn'"):
        opened("s3://b/one")


def test_extra_arguments_are_sent(keys, monkeypatch, tmp_path):
    given = {
        "ACL": "bucket-owner-full-control",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "a-key",
        "StorageClass": "STANDARD_IA",
        "CacheControl": "no-cache",
        "Metadata": {"team": "blue"},
        "Tagging": "a=1&b=2",
    }
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", json.dumps(given))
    monkeypatch.setenv("MLFLOW_S3_EXPECTED_BUCKET_OWNER", "123456789012")
    path = tmp_path / "f.txt"
    path.write_bytes(b"1")
    with bucket_server() as server:
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", server.address)
        files = artifact_repository(f"s3://{BUCKET}/x")
        files.log_artifact(str(path))
        files.list_artifacts()
        bucket, sent, listed = (one.headers for one in server.asked)
    assert "bucket-owner-full-control" == sent["x-amz-acl"]
    assert ("aws:kms", "a-key") == (
        sent["x-amz-server-side-encryption"],
        sent["x-amz-server-side-encryption-aws-kms-key-id"],
    )
    assert ("STANDARD_IA", "no-cache") == (sent["x-amz-storage-class"], sent["cache-control"])
    assert ("blue", {"a=1", "b=2"}) == (
        sent["x-amz-meta-team"],
        {*sent["x-amz-tagging"].split("&")},
    )
    for headers in (bucket, sent):
        assert "123456789012" == headers["x-amz-expected-bucket-owner"]
    for headers in (sent, listed):
        # A header that is not signed would be refused, or could be changed on the way.
        signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
        assert {one for one in headers if one.startswith("x-amz-")} <= {*signed.split(";")}
    assert "x-amz-acl" not in listed


def test_a_bucket_of_another_account_is_left_alone(keys, monkeypatch):
    monkeypatch.setenv("MLFLOW_S3_EXPECTED_BUCKET_OWNER", "123456789012")
    with bucket_server() as server:
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", server.address)
        server.fault = times(1, refuse(403, "AccessDenied"))
        with pytest.raises(MlflowException, match="as one of the account 123456789012"):
            artifact_repository(f"s3://{BUCKET}/x").list_artifacts()
    assert 1 == len(server.asked)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "must be a JSON object"),
        ('{"Acl": "x"}', "has 'Acl'; known are"),
    ],
)
def test_extra_arguments_that_are_none(keys, monkeypatch, text, message):
    monkeypatch.setenv("MLFLOW_S3_UPLOAD_EXTRA_ARGS", text)
    with pytest.raises(MlflowException, match=message):
        opened("s3://b")


def test_certificates_that_are_not_checked_are_warned_of(keys, monkeypatch):
    monkeypatch.setenv("MLFLOW_S3_IGNORE_TLS", "true")
    with pytest.warns(UserWarning, match="MLFLOW_S3_IGNORE_TLS is on"):
        bucket = opened("s3://b")
    assert bucket.reader.client_options["allow_invalid_certificates"] in (True, "true")


URI = "wasbs://c@acc.blob.core.windows.net/p"


def test_azure_by_connection_string(monkeypatch):
    text = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=c2VjcmV0;EndpointSuffix=x"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    config = opened(URI).reader.config
    assert ("acc", "c2VjcmV0") == (config["account_name"], config["account_key"])

    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text.replace("=acc;", "=other;"))
    with pytest.raises(MlflowException, match="for the account 'other'") as caught:
        opened(URI)
    assert "c2VjcmV0" not in caught.value.message


def test_azure_by_key_and_by_signature(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", "c2VjcmV0")
    assert "c2VjcmV0" == opened(URI).reader.config["account_key"]
    text = "BlobEndpoint=http://127.0.0.1:10000/acc;SharedAccessSignature=?sv=1&sig=abc"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    config = opened(URI).reader.config
    assert "http://127.0.0.1:10000/acc" == config["endpoint"]
    assert "account_key" not in config


def test_google(monkeypatch, tmp_path):
    account = tmp_path / "account.json"
    account.write_text("{}")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    with pytest.raises(MlflowException, match="b cannot be opened"):
        opened("gs://b/x")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:4443")
    assert "http://127.0.0.1:4443" == opened("gs://b/x").reader.config["base_url"]


def test_uploads_to_an_emulator_of_google_ask_nobody_for_a_token(monkeypatch, tmp_path):
    path = tmp_path / "f.txt"
    path.write_bytes(b"1")
    emulator = Proxy("")
    emulator.fault = lambda handler, asked: handler.answer(200, [("etag", '"x"')], b"") or True
    threading.Thread(target=emulator.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.address)
    try:
        artifact_repository("gs://b/x").log_artifact(str(path))
    finally:
        emulator.shutdown()
        emulator.server_close()
    assert [("PUT", b"1")] == [(one.method, one.body) for one in emulator.asked]
