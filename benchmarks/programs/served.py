"""A tracking server over SQLite: start, memory, the client's calls, raw requests, the pages."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import urllib.request
from typing import Any

from load import load, request
from measure import begin, found, pick, skipped
from pages import first_paint
from servers import Server, free_port, resident, running, tracking
from workload import LISTED, measured

SECONDS = pick(1.5, 0.7)
API = "/api/2.0/mlflow"


def post(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask the server, and return its answer."""
    message = urllib.request.Request(
        f"http://127.0.0.1:{port}{API}/{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(message, timeout=60) as answer:
        return json.load(answer)


def metric(run: str) -> Any:
    """Return what makes requests that log a point each."""
    steps = itertools.count()

    def make() -> bytes:
        body = {"run_id": run, "key": "m", "value": 0.5, "timestamp": 1, "step": next(steps)}
        return request(f"{API}/runs/log-metric", json.dumps(body).encode())

    return make


def _batch(run: str) -> Any:
    steps = itertools.count(10**6, 1000)

    def make() -> bytes:
        first = next(steps)
        points = [
            {"key": f"k{i % 10}", "value": 0.5, "timestamp": 1, "step": first + i}
            for i in range(1000)
        ]
        body = {"run_id": run, "metrics": points}
        return request(f"{API}/runs/log-batch", json.dumps(body).encode())

    return make


def _raw(port: int) -> None:
    """Measure requests as they go over the wire, with one connection and with many."""
    run = post(port, "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    experiments = post(port, "experiments/search", {"max_results": 10})["experiments"]
    searched = next(one["experiment_id"] for one in experiments if one["name"] == "search")
    search = json.dumps({"experiment_ids": [searched], "max_results": 50}).encode()
    for name, make in (
        ("log-metric", metric(run)),
        (f"search 50 of {LISTED}", request(f"{API}/runs/search", search)),
        ("log-batch of 1,000", _batch(run)),
    ):
        for connections in (1, 16):
            title = f"server, {name}, {connections} connection{'s' * (connections > 1)}"
            if skipped(title):
                continue
            begin(title, "requests/s")
            did = load(port, make, connections, SECONDS)
            found(title, "requests/s", [did["per_second"]], waits_ms=did["waits_ms"])


def _itself(port: int, server: Server) -> None:
    """Measure what does not depend on the client that speaks to the server."""
    found("server: start to first answer", "s", [server.started])
    found("server: resident when idle", "MB", [resident(server.group)])
    if "BENCH_FML" not in os.environ:  # its first page asks which of its two is wanted
        painted = first_paint(port)
        if painted:
            found("pages: fetched before the first paint, gzipped", "kB", [painted])


def main() -> None:
    """Measure one server, or, with `BENCH_CLIENT`, how the client gets on with it.

    The first of two starts makes the database.
    """
    client_alone = bool(os.environ.get("BENCH_CLIENT"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        port = free_port()
        command, health = tracking(folder, port), f"http://127.0.0.1:{port}/health"
        with running(command, folder, health) as server:
            if not client_alone:
                found("server: first start, with a new database", "s", [server.started])
        with running(command, folder, health) as server:
            if not client_alone:
                _itself(port, server)
            measured(f"http://127.0.0.1:{port}", "HTTP")
            if not client_alone:
                _raw(port)
                found("server: resident afterwards", "MB", [resident(server.group)])
        os.chdir("/")


if __name__ == "__main__":
    main()
