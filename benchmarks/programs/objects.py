"""Artifacts in an object store: up and down, by the client itself, through a server, and past it.

Stock MLflow needs boto3 for this: `BENCH_BOTO` names a folder that has it. By hand, with
`BENCH_LARGE=1`, one file of 5 GB is sent and fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time

from measure import begin, found, most_memory, skipped
from servers import free_port, resident, running

SIZES = {"64 MB": 64 << 20, "1 GB": 1 << 30}
if os.environ.get("BENCH_LARGE"):
    SIZES = {"5 GB": 5 << 30}
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    # The store of this measurement reads no trailers.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}  # fmt: skip
PAST = {
    f"MLFLOW_{name}_{way}": value
    for way in ("UPLOAD", "DOWNLOAD")
    for name, value in (("ENABLE_PROXY_MULTIPART", "true"),)
} | {
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "1000000",
    "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE": "1000000",
}


def transfer(what: str, uri: str, tracking: str | None, folder: str) -> None:
    """Send and fetch a file of each size."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    for label, size in SIZES.items():
        title = f"object store: {what}, {label}"
        if skipped(f"{title} up"):
            continue
        begin(f"{title} up", "MB/s")
        path = os.path.join(folder, "file.bin")
        with open(path, "wb") as file:
            file.truncate(size)
        files = get_artifact_repository(f"{uri}/{label[:1]}", tracking)
        start = time.perf_counter()
        files.log_artifact(path)
        middle = time.perf_counter()
        target = tempfile.mkdtemp(dir=folder)
        begin(f"{title} down", "MB/s")
        files.download_artifacts("file.bin", target)
        end = time.perf_counter()
        if size != os.path.getsize(os.path.join(target, "file.bin")):
            msg = "another file came back"
            raise RuntimeError(msg)
        shutil.rmtree(target)
        found(f"{title} up", "MB/s", [size / 1e6 / (middle - start)])
        found(f"{title} down", "MB/s", [size / 1e6 / (end - middle)])
    found(f"object store: {what}, most memory of the client", "MB", [most_memory()])


def _child(what: str, uri: str, tracking: str, folder: str, extra: dict[str, str]) -> None:
    """Measure in a process of its own, whose memory is its own."""
    command = [sys.executable, __file__, what, uri, tracking, folder]
    subprocess.run(command, env={**os.environ, **extra}, check=True)


def main() -> None:
    """Measure everything."""
    if boto := os.environ.get("BENCH_BOTO"):
        os.environ["PYTHONPATH"] = boto
    os.environ.update(KEYS)
    with tempfile.TemporaryDirectory() as folder:
        kept = os.path.join(folder, "kept")
        os.mkdir(kept)
        port, served = free_port(), free_port()
        store, address = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{served}"
        os.environ["MLFLOW_S3_ENDPOINT_URL"] = store
        bucket = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bucket.py")
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(served),
                   "--host", "127.0.0.1", "--workers", "1",
                   "--artifacts-destination", "s3://bucket/kept",
                   "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]  # fmt: skip
        with running([sys.executable, bucket, kept, str(port)], folder, f"{store}/x"):
            _child("by the client", "s3://bucket/own", "", folder, {})
            with running(command, folder, f"{address}/health") as server:
                through = "mlflow-artifacts:/through"
                _child("through a server", through, address, folder, {})
                most = resident(server.group, "VmHWM")
                found("object store: server, most memory", "MB", [most])
                _child("past a server", "mlflow-artifacts:/past", address, folder, PAST)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, place, server, below = sys.argv[1:]
        transfer(name, place, server or None, below)
    else:
        main()
