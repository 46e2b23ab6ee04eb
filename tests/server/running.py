"""Servers in processes of their own, for tests that need real ones."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(folder, *arguments, command="server", environment=None, port=None):
    """Run `mlflow server` in a folder; give (process, address) when it answers."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    output = os.path.join(folder, "server.log")
    with open(output, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", command, "--port", str(port), *arguments],
            cwd=folder, stdout=log, stderr=log, env={**os.environ, **(environment or {})},
        )  # fmt: skip
    try:
        wait_for(f"{address}/health", process, output)
        yield process, address
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url, process, output=None, seconds=120):
    """Wait until a server answers at all."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert process.poll() is None, text_of(output)
            time.sleep(0.05)
    raise AssertionError(text_of(output))


def text_of(path):
    if path is None:
        return "the server does not answer"
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
