"""Starting servers, waiting for them, what they take, and ending them."""

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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 120.0


@dataclass(frozen=True)
class Server:
    """A server that answers: the group of its processes, and the seconds to its first answer."""

    group: int
    started: float


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tracking(folder: str, port: int, uri: str = "") -> list[str]:
    """Return the command of a tracking server with one worker, which suits a stock MLflow best here.

    `BENCH_FML` names the program of FastTrackML, for its own.

    Args:
        folder: where a database is made.
        port: of this machine.
        uri: of a store that is there already.
    """
    fml = os.environ.get("BENCH_FML")
    if fml:
        return [fml, "server", "--listen-address", f"127.0.0.1:{port}", "--database-uri",
                f"sqlite://{folder}/fasttrackml.db", "--default-artifact-root",
                f"{folder}/artifacts", "--log-level", "error"]  # fmt: skip
    return [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--backend-store-uri", uri or f"sqlite:///{folder}/mlflow.db", "--workers", "1"]  # fmt: skip


@contextlib.contextmanager
def running(command: list[str], folder: str, url: str) -> Iterator[Server]:
    """Run a server until the block ends.

    Args:
        command: of the server.
        folder: where it runs.
        url: what is asked until it is answered, whatever the answer.

    Raises:
        RuntimeError: it ended, or did not answer in time; with the end of what it said.
    """
    start = time.perf_counter()
    log = Path(folder) / "server.log"
    with log.open("wb") as said:
        # In a group of its own, and in the session of the program, which ends with it.
        process = subprocess.Popen(
            command, cwd=folder, process_group=0, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        while not _answers(url):
            if process.poll() is not None or time.perf_counter() - start > PATIENCE:
                end = log.read_text(errors="replace")[-300:]
                msg = f"{command[0]} did not answer at {url}: {end}"
                raise RuntimeError(msg)
            time.sleep(0.005)
        yield Server(process.pid, time.perf_counter() - start)
    finally:
        _stop(process)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def resident(group: int, field: str = "VmRSS") -> float:
    """Return the megabytes of all processes of a group; of `VmHWM`, the most they ever had."""
    total = 0
    for one in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if one.name.isdigit() and os.getpgid(int(one.name)) == group:
                text = (one / "status").read_text().partition(f"{field}:")[2]
                total += int(text.split()[0])
    return total / 1024
