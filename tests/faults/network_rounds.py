"""A server and a training loop in a network of their own, which is cut under them.

Run in a network namespace, `unshare --net python -m tests.faults.network_rounds FOLDER`; prints what
became of it as JSON. While the loopback device is down packets go nowhere and nobody is told.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import time

import mlflow
from mlflow.exceptions import MlflowException
from tests.server.running import server

POINTS, CUTS = 3_000, 5

PROGRAM = textwrap.dedent(
    """
    import sys, time, mlflow
    with mlflow.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(int(sys.argv[1])):
            mlflow.log_metric("loss", step, step=step)
            time.sleep(0.002)
    """
)


def turn(state: str) -> None:
    """Connect the network of this namespace, or cut it."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def cut_again_and_again(address: str) -> dict:
    """Return how a loop ended under whose feet the network went away."""
    luck = random.Random(0)
    loop = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(POINTS)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "MLFLOW_TRACKING_URI": address},
    )  # fmt: skip
    run_id = loop.stdout.readline().strip()
    for _ in range(CUTS):
        time.sleep(luck.uniform(0.3, 1.0))
        turn("down")
        time.sleep(luck.uniform(0.5, 3.0))
        turn("up")
    _, error = loop.communicate(timeout=240)
    client = mlflow.MlflowClient(tracking_uri=address)
    steps = sorted(one.step for one in client.get_metric_history(run_id, "loss"))
    return {
        "code": loop.returncode,
        "error": error,
        "status": client.get_run(run_id).info.status,
        "whole": steps == list(range(POINTS)),
    }


def cut_for_good(address: str) -> dict:
    """Return what a call says when the network does not come back, and after how long."""
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    client = mlflow.MlflowClient(tracking_uri=address)
    run_id = client.create_run("0").info.run_id
    turn("down")
    start = time.monotonic()
    try:
        client.log_metric(run_id, "loss", 1.0)
        said = ""
    except MlflowException as error:
        said = str(error)
    waited = time.monotonic() - start
    turn("up")
    return {"said": said, "bounded": waited < 30}


def main() -> None:
    """Start the network and a server, cut, and tell."""
    turn("up")
    # An answer that does not come is given up after two seconds; the request is then sent again.
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "2"
    folder = sys.argv[1]
    with server(folder, "--backend-store-uri", "sqlite:///runs.db") as (_, address):
        told = {"again": cut_again_and_again(address), "good": cut_for_good(address)}
        told["address"] = address
    print(json.dumps(told))


if __name__ == "__main__":
    main()
