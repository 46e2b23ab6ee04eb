"""Train the wine models, list the runs, serve the best one, ask it, and show the pages.

The servers stay until Ctrl-C, unless `--once` is given, CI=true is set or stdin is no terminal.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import train_models
from query_server import ask

import mlflow

COLUMNS = ("rmse", "mae", "r2")


def print_runs(runs):
    """One line a run, the best first."""
    print(f"{'run':34} {'rmse':>8} {'mae':>8} {'r2':>8}  run id")
    for run in runs:
        values = " ".join(f"{run.data.metrics[name]:8.4f}" for name in COLUMNS)
        print(f"{run.info.run_name:34} {values}  {run.info.run_id}")


def free_port(wished):
    """The wished port, or any free one where that is taken."""
    for port in (wished, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise SystemExit("No port is free on this machine.")


def wait_until_up(server, address):
    """Wait for the first answer of a server; give up when the process has ended."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if server.poll() is not None:
            raise SystemExit(f"The server ended with status {server.returncode}.")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SystemExit("The server did not answer within two minutes.")


def stop(server):
    """End the server as Ctrl-C in its own terminal would."""
    if server.poll() is None:
        server.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def show_pages(servers, own):
    """Start the server of the pages, and return where they are."""
    port = free_port(5000)
    command = ["ui", "--backend-store-uri", "mlruns", "--port", str(port)]
    print(f"\nmlflow {' '.join(command)}")
    servers.append(
        subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **own,
        )
    )
    address = f"http://127.0.0.1:{port}"
    wait_until_up(servers[-1], f"{address}/health")
    return address


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=".demo", help="where the runs are kept")
    parser.add_argument("--port", type=int, default=5001)
    parser.add_argument("--once", action="store_true", help="stop after the answer")
    given = parser.parse_args()
    once = given.once or os.environ.get("CI") == "true" or not sys.stdin.isatty()

    os.makedirs(given.folder, exist_ok=True)
    os.chdir(given.folder)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME"):
        os.environ.pop(name, None)

    print(f"Training seven models; runs are kept in {os.path.join(given.folder, 'mlruns')}")
    started = int(time.time() * 1000)
    best = train_models.main()
    print_runs(
        mlflow.MlflowClient().search_runs(
            ["0"], f"attributes.start_time >= {started}", order_by=["metrics.rmse ASC"]
        )
    )

    model = f"mlruns/0/{best}/artifacts/random_forest_n_100"
    port = free_port(given.port)
    address = f"http://127.0.0.1:{port}"
    command = ["models", "serve", "-m", model, "-h", "127.0.0.1", "-p", str(port)]
    print(f"\nmlflow {' '.join(command)}")
    # A group of its own: Ctrl-C comes here first, and the server is then ended in order.
    own = {"start_new_session": True} if os.name != "nt" else {}
    servers = [subprocess.Popen([sys.executable, "-m", "mlflow", *command], **own)]
    try:
        wait_until_up(servers[0], f"{address}/ping")
        print(ask(address), flush=True)
        if not once:
            pages = show_pages(servers, own)
            print(f"\nThe model is served at {address}/invocations.")
            print(f"Look at the runs at {pages}; Ctrl-C stops both.", flush=True)
            servers[0].wait()
    except KeyboardInterrupt:
        print("\nStopping.")
    finally:
        # A second Ctrl-C is not to leave a server behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for server in servers:
            stop(server)


if __name__ == "__main__":
    # Asked to end in another way, it ends as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
