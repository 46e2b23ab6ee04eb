"""One wine-like row through `mlflow models serve`: start, latency, throughput, memory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from load import load, request
from measure import Result, report

COLUMNS = 11
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))


def _save(folder: str) -> tuple[str, bytes]:
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import ElasticNet

    import mlflow
    from mlflow.models import infer_signature

    mlflow.set_tracking_uri(f"file://{folder}/mlruns")
    names = [f"feature {i}" for i in range(COLUMNS)]
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(500, COLUMNS)), columns=names)
    model = ElasticNet(alpha=0.1).fit(frame, frame.sum(axis=1))
    path = os.path.join(folder, "model")
    mlflow.sklearn.save_model(model, path, signature=infer_signature(frame, model.predict(frame)))
    body = {"dataframe_split": {"columns": names, "data": [frame.iloc[0].tolist()]}}
    return path, json.dumps(body).encode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(path: str, port: int) -> tuple[subprocess.Popen[bytes], float]:
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", path, "-p", str(port),
         "--env-manager", "local"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while time.perf_counter() - start < 180:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5)
            return process, time.perf_counter() - start
        if process.poll() is not None:
            break
        time.sleep(0.02)
    msg = "the server did not start"
    raise RuntimeError(msg)


def _resident(group: int) -> float:
    """Return the megabytes of all processes of a session."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                fields = file.read().rpartition(")")[2].split()
            if int(fields[3]) == group:
                total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total / 1e6


def _single(name: str, unit: str, value: float) -> Result:
    return {"name": name, "unit": unit, "n": 1, "min": value, "value": value, "p95": value}


def main() -> None:
    """Measure a server of one worker."""
    with tempfile.TemporaryDirectory() as folder:
        path, body = _save(folder)
        port = _free_port()
        warm, _ = _start(path, port)
        os.killpg(warm.pid, 15)
        warm.wait()
        port = _free_port()
        process, started = _start(path, port)
        try:
            message = request("/invocations", body)
            load(port, message, 1, min(1.0, SECONDS))
            alone = load(port, message, 1, SECONDS)
            many = load(port, message, 16, SECONDS)
            resident = _resident(process.pid)
        finally:
            os.killpg(process.pid, 15)
            process.wait()
    report(
        [
            _single("scoring: start to /ping", "s", started),
            _single("scoring: one row, alone", "ms", alone["median_ms"]),
            _single("scoring: one row, 1 connection", "requests/s", alone["per_second"]),
            _single("scoring: one row, 16 connections", "requests/s", many["per_second"]),
            _single("scoring: resident memory", "MB", resident),
        ]
    )


main()
