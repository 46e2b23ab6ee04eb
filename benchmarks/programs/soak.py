"""Sixteen writers on one server for a minute: errors, latencies, memory.

By hand, `python benchmarks/programs/soak.py [SECONDS]`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading

from load import load
from served import metric, post
from servers import free_port, resident, running, tracking

CONNECTIONS = 16


def main(seconds: float) -> None:
    """Run it, and print what was found."""
    memory: list[float] = []
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        port = free_port()
        health = f"http://127.0.0.1:{port}/health"
        with running(tracking(folder, port), folder, health) as server:
            run = post(port, "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]

            def watch() -> None:
                while not stop.wait(seconds / 20):
                    memory.append(round(resident(server.group), 1))

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                did = load(port, metric(run), CONNECTIONS, seconds)  # raises at the first error
            finally:
                stop.set()
                watcher.join()
        os.chdir("/")
    json.dump({**did, "resident_mb": memory}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
