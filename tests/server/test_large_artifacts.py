"""Five gigabytes through a server and past it, up and down, in constant memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mlflow.store.artifact.locate import artifact_repository
from tests.bucket_server import KEYS
from tests.conftest import ALL

from .running import free_port, server, wait_for

ROOT = Path(__file__).resolve().parents[2]
SIZE = 5 << 30

pytestmark = pytest.mark.skipif(not ALL, reason="MILLSTREAM_FULL=all asks for transfers of 5 GB")


@pytest.fixture
def store(tmp_path):
    """An object store on files: moto would have all of it in memory."""
    (tmp_path / "kept").mkdir()
    port = free_port()
    bucket = ROOT / "benchmarks" / "programs" / "bucket.py"
    command = [sys.executable, bucket, tmp_path / "kept", str(port)]
    process = subprocess.Popen(command)
    wait_for(f"http://127.0.0.1:{port}/x", process)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


def most_memory(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) << 10


@pytest.mark.parametrize("way", ["through", "past"])
def test_five_gigabytes(store, tmp_path, monkeypatch, way):
    environment = {**KEYS, "MLFLOW_S3_ENDPOINT_URL": store}
    if way == "past":
        for name in ("UPLOAD", "DOWNLOAD"):
            monkeypatch.setenv(f"MLFLOW_ENABLE_PROXY_MULTIPART_{name}", "true")
    large = tmp_path / "large.bin"
    with open(large, "wb") as file:
        file.truncate(SIZE)
    destination = ("--artifacts-destination", "s3://bucket/kept")
    with server(tmp_path, *destination, environment=environment) as (process, address):
        files = artifact_repository("mlflow-artifacts:/x", address)
        before, before_here = most_memory(process.pid), psutil.Process().memory_info().rss
        files.log_artifact(str(large))
        assert [SIZE] == [one.file_size for one in files.list_artifacts()]
        copy = Path(files.download_artifacts("large.bin", str(tmp_path / "copy")))
        assert SIZE == copy.stat().st_size
        here = most_memory("self") - before_here
        there = most_memory(process.pid) - before
    print(f"{way}: server +{there >> 20} MiB, client +{here >> 20} MiB")
    assert there < 128 << 20
    assert here < 96 << 20
