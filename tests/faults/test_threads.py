"""Many threads log, some fork, and a signal ends it all: nothing acknowledged is lost, nothing hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import mlflow

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

THREADS = 100
PROGRAM = """
import mlflow, os, sys, threading, time
root, kind, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
mlflow.set_tracking_uri(root)
run_id = mlflow.start_run().info.run_id
acknowledged = os.open(root + "-acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
logged = threading.Semaphore(0)

def work(number):
    for step in range(1_000_000):
        wait = mlflow.log_metric(
            f"k{number % 10}", number, step=step, run_id=run_id,
            synchronous=False if kind == "queue" else None,
        )
        if wait is not None:
            wait.wait()
        os.write(acknowledged, f"{number} {step}\\n".encode())
        logged.release()

for number in range(threads):
    threading.Thread(target=work, args=(number,), daemon=True).start()
if kind == "fork":
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            mlflow.log_metric("child", 1.0)
            os._exit(0)
        os.waitpid(pid, 0)
for _ in range(2000):
    logged.acquire()
print(run_id, flush=True)
if kind == "exit":
    sys.exit(3)
while True:
    time.sleep(0.1)  # one long sleep would miss a signal that comes just before it
"""
ENDINGS = {
    "threads": (signal.SIGTERM, "KILLED"),
    "queue": (signal.SIGTERM, "KILLED"),
    "fork": (signal.SIGTERM, "KILLED"),
    "exit": (None, "FAILED"),
    "interrupt": (signal.SIGINT, "KILLED"),
    # Nobody says it; a reader sees that the process is gone.
    "kill": (signal.SIGKILL, "KILLED"),
}


@pytest.mark.parametrize("kind", ENDINGS)
def test_what_was_acknowledged_is_there_and_the_process_ends(kind, tmp_path):
    root = str(tmp_path / "mlruns")
    number, status = ENDINGS[kind]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, root, kind, str(THREADS)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        if number is not None:
            process.send_signal(number)
        # A hang is the failure that is looked for; the limit is no measure of speed.
        try:
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()

    mlflow.set_tracking_uri(root)
    assert run_id, said
    assert mlflow.get_run(run_id).info.status == status
    client = mlflow.MlflowClient()
    kept = {
        (int(point.value), point.step)
        for key in range(10)
        for point in client.get_metric_history(run_id, f"k{key}")
    }
    with open(root + "-acknowledged", encoding="utf-8") as file:
        done = {tuple(map(int, line.split())) for line in file if line.endswith("\n")}
    assert len(done) >= 2000
    assert done - kept == set()
