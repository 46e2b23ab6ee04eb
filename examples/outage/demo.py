"""Kills a tracking server under a training loop and starts it again, for one MLflow and another."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

TRAIN = Path(__file__).with_name("train.py")
AFTER, AWAY = 3.0, 4.0
"""Seconds until the server is killed, and for which it is away."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A tracking server over a SQLite file, of one interpreter's MLflow."""

    def __init__(self, python: str, folder: str) -> None:
        self.address = f"http://127.0.0.1:{free_port()}"
        self._command = [python, "-m", "mlflow", "server", "--port", self.address.rpartition(":")[2],
                         "--backend-store-uri", "sqlite:///runs.db", "--workers", "1"]  # fmt: skip
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/health", timeout=5).close()
                return
            if self._process.poll() is not None:
                raise SystemExit("the server ended")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it, and the processes it started, without a word."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def points(self) -> int:
        """Return how many points of the loss it has."""
        api = f"{self.address}/api/2.0/mlflow"
        asked = urllib.request.Request(
            f"{api}/runs/search", b'{"experiment_ids": ["1"]}', {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked) as answer:
            run = json.load(answer)["runs"][0]["info"]["run_id"]
        query = f"run_id={run}&metric_key=loss&max_results=25000"
        with urllib.request.urlopen(f"{api}/metrics/get-history?{query}") as answer:
            return len(json.load(answer)["metrics"])


def show(name: str, python: str, **environment: str) -> None:
    """Train beside a server that goes away, and tell what became of it."""
    print(f"\n{name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(python, folder)
        server.start()
        train = subprocess.Popen(
            [python, str(TRAIN)], cwd=folder,
            env={**os.environ, "MLFLOW_TRACKING_URI": server.address, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert train.stdout is not None
        outage = threading.Timer(0, _outage, (server,))
        trace: list[str] = []
        for line in train.stdout:
            if line.strip() == "step 0":
                outage.start()
            if trace or line.startswith("Traceback"):
                trace.append(line)
            elif line.strip():
                print(f"  {line.strip()[:150]}", flush=True)
        if trace:
            print(
                f"  {trace[0].strip()} ... {len(trace) - 2} lines ...\n  {trace[-1].strip()[:150]}"
            )
        code = train.wait()
        outage.join()
        print(f"  exit code {code}; the server has {server.points()} of 400 points", flush=True)
        server.kill()


def _outage(server: Server) -> None:
    time.sleep(AFTER)
    print("  -- the server is killed --", flush=True)
    server.kill()
    time.sleep(AWAY)
    server.start()
    print("  -- the server is back --", flush=True)


if __name__ == "__main__":
    show("Millstream, MLFLOW_TRACKING_FAILOVER=journal", sys.executable,
         MLFLOW_TRACKING_FAILOVER="journal")  # fmt: skip
    stock = os.environ.get("MILLSTREAM_STOCK_PYTHON")
    if stock:
        # By default it tries for some four minutes, in which training stands still.
        show("MLflow 3.17.2", stock, MLFLOW_HTTP_REQUEST_MAX_RETRIES="2")
