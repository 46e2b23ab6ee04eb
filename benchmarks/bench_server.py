"""The tracking server over SQLite: start, memory, the client's calls, raw requests."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from load import load, request
from measure import Result, report
from workload import measured

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
API = "/api/2.0/mlflow"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: str, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server with one worker, which suits stock MLflow best here."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--backend-store-uri",
         f"sqlite:///{folder}/mlflow.db", "--host", "127.0.0.1", "--port", str(port),
         "--workers", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=folder,
    )  # fmt: skip
    while time.perf_counter() - start < 240:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
            return process, time.perf_counter() - start
        if process.poll() is not None:
            break
        time.sleep(0.01)
    msg = "the server did not start"
    raise RuntimeError(msg)


def _resident(group: int) -> float:
    """Return the resident megabytes of a process and all it started."""
    total = 0
    for one in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if one.name.isdigit() and os.getpgid(int(one.name)) == group:
                pages = int((one / "statm").read_text().split()[1])
                total += pages * os.sysconf("SC_PAGE_SIZE")
    return total / 2**20


def _post(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    message = urllib.request.Request(
        f"http://127.0.0.1:{port}{API}/{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(message, timeout=60) as answer:
        return json.load(answer)


def _raw(port: int) -> list[Result]:
    run = _post(port, "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    searched = json.dumps({"experiment_ids": ["1"], "max_results": 50}).encode()
    steps = itertools.count()

    def metric() -> bytes:
        body = {"run_id": run, "key": "m", "value": 0.5, "timestamp": 1, "step": next(steps)}
        return request(f"{API}/runs/log-metric", json.dumps(body).encode())

    def batch() -> bytes:
        first = next(steps) * 1000 + 10**9
        points = [
            {"key": f"k{i % 10}", "value": 0.5, "timestamp": 1, "step": first + i}
            for i in range(1000)
        ]
        body = {"run_id": run, "metrics": points}
        return request(f"{API}/runs/log-batch", json.dumps(body).encode())

    rows: list[Result] = []
    for name, make in (
        ("log-metric", metric),
        ("search 50 of 300", lambda: request(f"{API}/runs/search", searched)),
        ("log-batch of 1,000", batch),
    ):
        for connections in (1, 16):
            found = load(port, make, connections, SECONDS)
            title = f"server, {name}, {connections} connection{'s' * (connections > 1)}"
            rows.append(_row(title, "requests/s", found["per_second"]))
    return rows


def _row(name: str, unit: str, value: float) -> Result:
    return {"name": name, "unit": unit, "n": 1, "min": value, "value": value, "p95": value}


def main() -> None:
    """Measure one server."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        port = _free_port()
        _start_and_stop(folder, port)  # makes the database
        process, first = _start(folder, port)
        try:
            rows = [
                _row("server: start to first answer", "s", first),
                _row("server: resident when idle", "MB", _resident(process.pid)),
                *measured(f"http://127.0.0.1:{port}", "HTTP"),
                *_raw(port),
            ]
        finally:
            _stop(process)
    report(rows)


def _start_and_stop(folder: str, port: int) -> None:
    process, _ = _start(folder, port)
    _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    main()
