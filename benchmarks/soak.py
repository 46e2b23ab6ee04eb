"""Sixteen writers on one server for a minute: errors, latencies, memory. `python benchmarks/soak.py`."""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
import threading

from bench_server import API, _free_port, _post, _resident, _start, _start_and_stop, _stop
from load import load, request

SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
CONNECTIONS = 16


def main() -> None:
    """Run it, and print what was found."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        port = _free_port()
        _start_and_stop(folder, port)  # makes the database
        process, _ = _start(folder, port)
        try:
            run = _post(port, "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
            steps = itertools.count()

            def point() -> bytes:
                body = {
                    "run_id": run,
                    "key": "m",
                    "value": 0.5,
                    "timestamp": 1,
                    "step": next(steps),
                }
                return request(f"{API}/runs/log-metric", json.dumps(body).encode())

            memory: list[float] = []
            stop = threading.Event()

            def watch() -> None:
                while not stop.wait(SECONDS / 20):
                    memory.append(round(_resident(process.pid), 1))

            watcher = threading.Thread(target=watch)
            watcher.start()
            found = load(port, point, CONNECTIONS, SECONDS)  # raises at the first error
            stop.set()
            watcher.join()
        finally:
            _stop(process)
    json.dump({**found, "resident_mb": memory}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
