"""Artifacts in an object store: up and down, by the client itself, through a server, and past it.

Stock MLflow needs boto3 for this: `BENCH_BOTO` names a folder that has it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import Result, report, row

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


@contextlib.contextmanager
def running(command: list[str], folder: str, path: str, port: int) -> Iterator[int]:
    """Run a server until the block ends; give the id of its group."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=folder, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(6000):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.05)
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def peak(group: int) -> float:
    """Return the most megabytes that a process and what it started ever had."""
    total = 0
    for one in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if one.name.isdigit() and os.getpgid(int(one.name)) == group:
                text = (one / "status").read_text().partition("VmHWM:")[2]
                total += int(text.split()[0])
    return total / 1000


def transfer(what: str, uri: str, tracking: str | None, folder: str, times: int) -> list[Result]:
    """Send and fetch a file of each size; return the rows."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    rows = []
    for label, size in SIZES.items():
        path = os.path.join(folder, "file.bin")
        with open(path, "wb") as file:
            file.truncate(size)
        found: dict[str, list[float]] = {"up": [], "down": []}
        for number in range(times):
            files = get_artifact_repository(f"{uri}/{label[:1]}{number}", tracking)
            start = time.perf_counter()
            files.log_artifact(path)
            middle = time.perf_counter()
            target = tempfile.mkdtemp(dir=folder)
            files.download_artifacts("file.bin", target)
            end = time.perf_counter()
            assert size == os.path.getsize(os.path.join(target, "file.bin"))
            shutil.rmtree(target)
            found["up"].append(size / 1e6 / (middle - start))
            found["down"].append(size / 1e6 / (end - middle))
        rows += [
            row(f"object store: {what}, {label} {way}", "MB/s", sorted(values))
            for way, values in found.items()
        ]
    return rows


def child(what: str, uri: str, tracking: str | None, folder: str, extra: dict[str, str]) -> Any:
    """Measure in a process of its own; return the rows, and its own peak of memory."""
    import json

    times = "1" if os.environ.get("BENCH_LARGE") else "3"
    done = subprocess.run(
        [sys.executable, __file__, what, uri, tracking or "", folder, times],
        env={**os.environ, **extra}, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure everything."""
    if boto := os.environ.get("BENCH_BOTO"):
        os.environ["PYTHONPATH"] = boto
    os.environ.update(KEYS)
    rows: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        kept = os.path.join(folder, "kept")
        os.mkdir(kept)
        port, served = free_port(), free_port()
        os.environ["MLFLOW_S3_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        bucket = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bucket.py")
        command = ["-m", "mlflow", "server", "--port", str(served), "--host", "127.0.0.1",
                   "--workers", "1", "--artifacts-destination", "s3://bucket/kept",
                   "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]  # fmt: skip
        with running([bucket, kept, str(port)], folder, "/x", port):
            rows += child("by the client", "s3://bucket/own", None, folder, {})
            with running(command, folder, "/health", served) as group:
                address = f"http://127.0.0.1:{served}"
                through = "mlflow-artifacts:/through"
                rows += child("through a server", through, address, folder, {})
                size = peak(group)
                rows.append(row("object store: server, most memory", "MB", [size]))
                rows += child("past a server", "mlflow-artifacts:/past", address, folder, PAST)
    report(rows)


def one() -> None:
    """Measure one way, and this process."""
    import resource

    what, uri, tracking, folder, times = sys.argv[1:]
    rows = transfer(what, uri, tracking or None, folder, int(times))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    report([*rows, row(f"object store: {what}, most memory of the client", "MB", [most])])


if len(sys.argv) > 1:
    one()
else:
    main()
