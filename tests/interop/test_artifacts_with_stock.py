"""Artifacts in one bucket, written and read by stock MLflow and by us: alone, and through servers."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

import mlflow
from tests.bucket_server import BUCKET, KEYS, bucket_server
from tests.conftest import ALL
from tests.server.running import server

from .stock_server import stock_server

SCRIPT = Path(__file__).with_name("stock_artifacts.py")
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")
MIB = 1 << 20
DIRECT = {
    f"MLFLOW_{name}": value
    for way in ("UPLOAD", "DOWNLOAD")
    for name, value in (
        (f"ENABLE_PROXY_MULTIPART_{way}", "true"),
        (f"MULTIPART_{way}_MINIMUM_FILE_SIZE", str(6 * MIB)),
        (f"MULTIPART_{way}_CHUNK_SIZE", str(5 * MIB)),
    )
}

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


@pytest.fixture(scope="module")
def bucket():
    with bucket_server() as made:
        yield made


@pytest.fixture(scope="module")
def boto(tmp_path_factory):
    """A folder with boto3 alone: stock MLflow is installed without it, and moto brings it here."""
    folder = tmp_path_factory.mktemp("boto")
    for name in ("boto3", "botocore", "s3transfer", "jmespath"):
        found = importlib.util.find_spec(name).origin
        (folder / name).symlink_to(Path(found).parent)
    return str(folder)


@pytest.fixture
def reached(bucket, boto, monkeypatch):
    """This process and stock's reach the bucket."""
    bucket.asked.clear()
    for variable, value in {**KEYS, "MLFLOW_S3_ENDPOINT_URL": bucket.address}.items():
        monkeypatch.setenv(variable, value)
    return bucket


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    for name, data in (
        ("MLmodel", b"flavors: {}\n"),
        ("data/sp ace/ü.txt", b"x"),
        ("empty", b""),
        ("large.bin", os.urandom(MIB) * 12),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def contents(folder):
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in Path(folder).rglob("*")
        if one.is_file()
    }


def stock_does(boto, *arguments):
    done = subprocess.run(
        [STOCK, "-W", "ignore", str(SCRIPT), *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": boto},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()[-1] if done.stdout.strip() else ""


def test_a_bucket(reached, boto, source, tmp_path):
    """What stock wrote is read where it lies, and the other way round."""
    stock_does(boto, "log", f"s3://{BUCKET}/by-stock", source)
    copy = mlflow.artifacts.download_artifacts(f"s3://{BUCKET}/by-stock/model")
    assert contents(source) == contents(copy)

    from mlflow.store.artifact.locate import artifact_repository

    artifact_repository(f"s3://{BUCKET}/by-us").log_artifacts(str(source), "model")
    stock_does(boto, "fetch", f"s3://{BUCKET}/by-us/model", tmp_path / "copy")
    assert contents(source) == contents(tmp_path / "copy" / "model")


def check_clients(bucket, boto, address, source, monkeypatch, tmp_path):
    """Both clients log to a server and fetch what the other logged, large files past it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    for variable, value in DIRECT.items():
        monkeypatch.setenv(variable, value)
    by_stock = stock_does(boto, "log", "runs", source)
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(source), "model")
    copy = mlflow.artifacts.download_artifacts(f"runs:/{by_stock}/model")
    assert contents(source) == contents(copy)
    by_us = f"runs:/{run.info.run_id}/model"
    stock_does(boto, "fetch", by_us, tmp_path / "copy")
    assert contents(source) == contents(tmp_path / "copy" / "model")

    signed = [one for one in bucket.asked if "X-Amz-Signature" in one.query]
    assert 6 == len([one for one in signed if one.query.get("partNumber")])  # three by each
    ranges = [one.headers.get("range") for one in signed if one.method == "GET"]
    assert 2 == ranges.count("bytes=0-5242879")


def test_clients_of_our_server(reached, boto, source, monkeypatch, tmp_path):
    destination = ("--artifacts-destination", f"s3://{BUCKET}/ours")
    with server(tmp_path, *destination) as (_, address):
        check_clients(reached, boto, address, source, monkeypatch, tmp_path)


@pytest.mark.skipif(not ALL, reason="MILLSTREAM_FULL=all asks for what starts a stock server")
def test_clients_of_a_stock_server(reached, boto, source, monkeypatch, tmp_path):
    (tmp_path / "stock").mkdir()
    monkeypatch.setenv("PYTHONPATH", boto)
    monkeypatch.setenv("MLFLOW_ARTIFACTS_DESTINATION", f"s3://{BUCKET}/stocks")
    with stock_server(STOCK, str(tmp_path / "stock"), "mlflow-artifacts:/") as stock:
        check_clients(reached, boto, stock.uri, source, monkeypatch, tmp_path)
