"""Azure and Google Cloud Storage at servers of their protocols: refusals, ranges, signed addresses, stock."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import urllib3

from mlflow.exceptions import MlflowException
from mlflow.store.artifact import multipart
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.artifact.paths import ArtifactPath
from tests.bucket_server import BUCKET, cut, flip, refuse, times
from tests.cloud_servers import (
    ACCOUNT,
    KEY,
    LIBRARIES,
    MISSING,
    ROOTS,
    cloud_server,
    connection,
    environment,
)
from tests.conftest import ROOT
from tests.server.running import server

MIB = 1 << 20
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")
SCRIPT = ROOT / "tests/interop/stock_artifacts.py"


CLOUDS = [
    pytest.param(cloud, marks=pytest.mark.skipif(bool(MISSING[cloud]), reason=MISSING[cloud]))
    for cloud in ROOTS
]


@pytest.fixture(scope="module", params=CLOUDS)
def running(request, tmp_path_factory):
    with cloud_server(request.param, tmp_path_factory.mktemp("cloud")) as made:
        made.cloud = request.param
        yield made


@pytest.fixture
def cloud(running, monkeypatch):
    for variable, value in environment(running.cloud, running).items():
        monkeypatch.setenv(variable, value)
    running.fault = None
    running.asked.clear()
    yield running
    running.fault = None


@pytest.fixture
def files(cloud, request):
    return artifact_repository(f"{ROOTS[cloud.cloud]}/{request.node.name.partition('[')[0]}")


@pytest.fixture
def parts(monkeypatch):
    for way in ("UPLOAD", "DOWNLOAD"):
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{way}_MINIMUM_FILE_SIZE", str(6 * MIB))
        monkeypatch.setenv(f"MLFLOW_MULTIPART_{way}_CHUNK_SIZE", str(5 * MIB))


def write(folder, data, name="f.bin"):
    path = folder / name
    path.write_bytes(data)
    return str(path)


def fetched(files, folder, name="f.bin"):
    return Path(files.download_artifacts(name, str(folder / "copy"))).read_bytes()


def contents(folder):
    found = (one for one in Path(folder).rglob("*") if one.is_file())
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in found}


def test_twenty_megabytes_by_parts(cloud, files, tmp_path, parts):
    """Each part is asked for again where the store throttles; the SHA-256 is kept and compared."""
    data = os.urandom(MIB) * 20 + b"the end"
    cloud.fault = times(2, refuse(503, "SlowDown"), only="PUT")
    files.log_artifact(write(tmp_path, data))
    sent = [one for one in cloud.asked if one.method == "PUT" and len(one.body) > 1000]
    assert {5 * MIB, 7} >= {len(one.body) for one in sent} and len(sent) >= 4

    cloud.asked.clear()
    cloud.fault = times(2, refuse(503, "SlowDown"), only="GET")
    assert data == fetched(files, tmp_path)
    assert 5 == len({one.headers["range"] for one in cloud.asked if "range" in one.headers})
    assert 32 == len(files.tree.opened(ArtifactPath.new("f.bin")).digest())


def test_ranges(cloud, files, tmp_path):
    data = os.urandom(70_000)
    files.log_artifact(write(tmp_path, data))
    opened = files.tree.opened(ArtifactPath.new("f.bin"))

    assert data[1:70_000] == b"".join(opened.parts(1, 70_000))
    assert data[5:6] == b"".join(opened.parts(5, 6))


def test_throttling_and_damage(cloud, files, tmp_path):
    data = os.urandom(5000)
    for status in (429, 500, 503):
        cloud.fault = times(2, refuse(status, "ServerBusy"))
        files.log_artifact(write(tmp_path, data))
        assert [0] == cloud.fault.left
        cloud.fault = times(2, refuse(status, "ServerBusy"))
        assert ["f.bin"] == [one.path for one in files.list_artifacts()]
    for fault in (cut, flip):
        cloud.fault = times(1, fault, only="GET")
        assert data == b"".join(_straight(files, tmp_path))
        assert [0] == cloud.fault.left


def _straight(files, folder):
    """Yield a file, without the listing that comes before a download."""
    with open(folder / "straight", "w+b", buffering=0) as file:
        files.tree.fetch(ArtifactPath.new("f.bin"), file)
        file.seek(0)
        yield file.read()


def test_a_refusal_is_told_at_once_and_without_secrets(cloud, files, tmp_path):
    cloud.fault = times(99, refuse(403, "AuthorizationFailure"))
    for call in (lambda: files.log_artifact(write(tmp_path, b"1")), files.list_artifacts):
        cloud.asked.clear()
        with pytest.raises(MlflowException, match="refuses access") as caught:
            call()
        assert ("PERMISSION_DENIED", 1) == (caught.value.error_code, len(cloud.asked))
        assert KEY not in caught.value.message and "http://" not in caught.value.message


def test_a_bucket_that_is_not_there(cloud, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    nowhere = artifact_repository(ROOTS[cloud.cloud].replace(BUCKET, "nowhere") + "/x")

    with pytest.raises(MlflowException, match="There is no bucket 'nowhere'|no bucket named"):
        nowhere.list_artifacts()
    with pytest.raises(MlflowException):
        nowhere.log_artifact(write(tmp_path, b"1"))


@pytest.mark.parametrize("running", CLOUDS[:1], indirect=True)
class TestAzure:
    def test_wrong_credentials(self, cloud, files, monkeypatch):
        wrong = KEY.replace("Eby8", "Aby8")
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(cloud, wrong))
        with pytest.raises(MlflowException, match="refuses access") as caught:
            files.list_artifacts()
        assert "PERMISSION_DENIED" == caught.value.error_code
        assert "RequestId" not in caught.value.message

    def test_all_schemes_mean_the_same_place(self, cloud, files, tmp_path):
        files.log_artifact(write(tmp_path, b"1"))
        for scheme, kind in (("wasb", "blob"), ("abfs", "dfs"), ("abfss", "dfs")):
            host = f"{ACCOUNT}.{kind}.core.windows.net"
            same = artifact_repository(f"{scheme}://{BUCKET}@{host}/{files.tree.location.path}")
            assert b"1" == fetched(same, tmp_path / scheme)

    def test_signed_addresses(self, cloud, files):
        place = ArtifactPath.new("in/a-b_c.~1.bin")
        address = multipart.address_to_send(files.tree, place, 60)
        answer = urllib3.request("PUT", address.url, body=b"data", headers=address.headers)
        assert 201 == answer.status
        address = multipart.address_to_fetch(files.tree, place, 60)
        assert (b"data", 4) == (urllib3.request("GET", address.url).data, address.size)
        headers = {"x-ms-blob-type": "BlockBlob"}
        assert 403 == urllib3.request("PUT", address.url, body=b"2", headers=headers).status
        assert 403 == urllib3.request("GET", address.url.replace("sig=", "sig=a")).status

    @pytest.mark.parametrize("name", ["sp ace", "ü", "a%20b", "a+b"])
    def test_names_that_addresses_write_otherwise_have_none(self, cloud, files, tmp_path, name):
        files.log_artifact(write(tmp_path, b"1", name))
        for call in (multipart.address_to_fetch, multipart.address_to_send):
            with pytest.raises(MlflowException, match="no signed address") as caught:
                call(files.tree, ArtifactPath.new(name), 60)
            assert "NOT_IMPLEMENTED" == caught.value.error_code

    def test_a_signature_in_place_of_a_key(self, cloud, files, tmp_path, monkeypatch):
        files.log_artifact(write(tmp_path, b"1"))
        address = multipart.address_to_fetch(files.tree, ArtifactPath.new("f.bin"), 60).url
        text = f"BlobEndpoint={cloud.address}/{ACCOUNT};SharedAccessSignature="
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text + address.partition("?")[2])
        opened = files.tree.opened(ArtifactPath.new("f.bin"))
        assert b"1" == b"".join(opened.parts(0, 1))
        with pytest.raises(MlflowException, match="refuses access"):
            files.log_artifact(write(tmp_path, b"2"))
        with pytest.raises(MlflowException, match="cannot sign"):
            multipart.address_to_fetch(files.tree, ArtifactPath.new("f.bin"), 60)

    def test_past_a_server(self, cloud, parts, tmp_path, monkeypatch):
        """Fetched at a signed address where the name has one, and compared; else by the server."""
        data = os.urandom(MIB) * 7
        monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
        monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
        destination = ("--artifacts-destination", f"{ROOTS['azure']}/past")
        with server(tmp_path, *destination) as (_, address):
            files = artifact_repository("mlflow-artifacts:/x", address)
            for name, count in (("plain.bin", 2), ("sp ace.bin", 0)):
                files.log_artifact(write(tmp_path, data, name))
                cloud.asked.clear()
                assert data == fetched(files, tmp_path, name)
                assert count == len([one for one in cloud.asked if "sig" in one.query])
            kept = artifact_repository(f"{ROOTS['azure']}/past/x").tree
            kept.put(ArtifactPath.new("plain.bin"), data, bytes(32))
            with pytest.raises(MlflowException, match="its SHA-256 was another"):
                fetched(files, tmp_path, "plain.bin")


def stock_does(*arguments):
    done = subprocess.run(
        [STOCK, "-W", "ignore", str(SCRIPT), *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": LIBRARIES},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.skipif(not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no stock MLflow")
def test_stock_and_we_read_what_the_other_wrote(cloud, files, tmp_path):
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    write(source, b"flavors: {}\n", "MLmodel")
    write(source / "data", b"x", "sp ace ü.txt")
    write(source, b"", "empty")
    write(source, os.urandom(MIB) * 12, "large.bin")
    uri = f"{ROOTS[cloud.cloud]}/stock"

    stock_does("log", f"{uri}/theirs", source)
    theirs = artifact_repository(f"{uri}/theirs").download_artifacts("model")
    assert contents(source) == contents(theirs)

    artifact_repository(f"{uri}/ours").log_artifacts(str(source), "model")
    stock_does("fetch", f"{uri}/ours/model", tmp_path / "copy")
    assert contents(source) == contents(tmp_path / "copy" / "model")
