"""A training loop goes on while its server is killed and started again; nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import mlflow
from mlflow.store import locate
from tests.conftest import ALL
from tests.server.running import free_port, server

# What the promise says, when everything is asked for.
POINTS, OUTAGES = (10_000, 10) if ALL else (2_000, 3)

PROGRAM = textwrap.dedent(
    """
    import sys, time, mlflow
    points, pause = int(sys.argv[1]), float(sys.argv[2])
    mlflow.set_experiment("outage")
    with mlflow.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(points):
            mlflow.log_metric("loss", step / points, step=step)
            if step % 500 == 0:
                mlflow.log_param(f"p{step}", step)
                mlflow.set_tag("at", step)
                mlflow.log_text(str(step), f"notes/{step}.txt")
            time.sleep(pause)
        print("done", flush=True)
    """
)


# Logs without waiting, and says of each call that it returned.
HASTY = textwrap.dedent(
    """
    import os, sys, time, mlflow
    points, pause = int(sys.argv[1]), float(sys.argv[2])
    mlflow.config.enable_async_logging()
    with mlflow.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(points):
            mlflow.log_metric("loss", step / points, step=step)
            os.write(1, b"%d\\n" % step)
            time.sleep(pause)
    """
)


class Outages:
    """A server at one address that comes and goes."""

    def __init__(self, folder, uri):
        self.port, self.folder = free_port(), folder
        self.address = f"http://127.0.0.1:{self.port}"
        self._arguments = ("--backend-store-uri", uri, "--artifacts-destination", str(folder / "a"))
        self._running = contextlib.ExitStack()

    def start(self):
        self._running = contextlib.ExitStack()
        return self._running.enter_context(server(self.folder, *self._arguments, port=self.port))[0]

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._running.close()


@pytest.fixture(params=["files", "sqlite"])
def outages(request, tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    made = Outages(folder, str(folder / "runs") if request.param == "files" else "sqlite:///x.db")
    yield made
    made._running.close()


@pytest.fixture
def program(tmp_path, outages):
    """Start the training loop; it is ended with the test."""
    started = []
    environment = {
        **os.environ, "MLFLOW_TRACKING_URI": outages.address, "MLFLOW_TRACKING_FAILOVER": "journal",
        "MILLSTREAM_JOURNAL_DIR": str(tmp_path / "journal"), "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    }  # fmt: skip

    def start(points, pause, text=PROGRAM, **settings):
        process = subprocess.Popen(
            [sys.executable, "-c", text, str(points), str(pause)],
            env={**environment, **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def check(address, run_id, points):
    client = mlflow.MlflowClient(tracking_uri=address)
    run = client.get_run(run_id)
    history = client.get_metric_history(run_id, "loss")
    assert list(range(points)) == sorted(one.step for one in history)
    assert [step / points for step in range(points)] == [
        one.value for one in sorted(history, key=lambda one: one.step)
    ]
    written = range(0, points, 500)
    assert {f"p{step}": str(step) for step in written} == run.data.params
    assert str(written[-1]) == run.data.tags["at"]
    assert sorted(f"notes/{step}.txt" for step in written) == sorted(
        one.path for one in client.list_artifacts(run_id, "notes")
    )
    return run.info


def test_a_server_that_is_killed_again_and_again(outages, program, tmp_path):
    """The loop ends well; each point is there once, and nothing waits any more."""
    luck = random.Random(0)
    running = outages.start()
    loop = program(POINTS, 0.002)
    run_id = loop.stdout.readline().strip()
    for _ in range(OUTAGES):
        time.sleep(luck.uniform(0.1, 0.8))
        outages.kill(running)
        time.sleep(luck.uniform(0.0, 0.8))
        running = outages.start()
    out, err = loop.communicate(timeout=300)

    assert (0, "done\n") == (loop.returncode, out), err
    assert "FINISHED" == check(outages.address, run_id, POINTS).status
    assert not os.path.exists(tmp_path / "journal") or [] == os.listdir(tmp_path / "journal")
    assert "Traceback" not in err


def test_a_server_that_is_away_all_the_time(outages, program, tmp_path):
    """A run gets its id at once and keeps it; the next program, or the command, brings it."""
    loop = program(600, 0.0)
    run_id = loop.stdout.readline().strip()
    assert 32 == len(run_id)
    assert "done\n" == loop.stdout.readline()
    loop.kill()  # it would wait for the server, for a while
    loop.communicate()
    (place,) = (tmp_path / "journal").glob("*/*/mlruns")
    outages.start()
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "sync", str(place), outages.address],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    # It was killed when it had logged everything, and before it was over.
    assert check(outages.address, run_id, 600).status in ("FINISHED", "KILLED", "RUNNING")
    locate.forget()


def test_the_next_program_brings_what_one_left_behind(outages, program):
    """By itself, while it logs its own."""
    loop = program(600, 0.0)
    first = loop.stdout.readline().strip()
    assert "done\n" == loop.stdout.readline()
    loop.kill()
    loop.communicate()
    outages.start()
    loop = program(600, 0.01)
    second = loop.stdout.readline().strip()
    _, err = loop.communicate(timeout=300)

    assert loop.returncode == 0, err
    assert "brought to the server" in err
    check(outages.address, first, 600)
    assert "FINISHED" == check(outages.address, second, 600).status


# --- logging that does not wait --------------------------------------------------------------


# Each store and each way once; all with all when everything is asked for.
@pytest.mark.parametrize(
    ("outages", "failover"),
    [
        ("files", ""),
        ("sqlite", "journal"),
        *([("files", "journal"), ("sqlite", "")] if ALL else []),
    ],
    indirect=["outages"],
)
def test_a_hasty_loop_whose_server_is_killed(outages, program, tmp_path, failover):
    """It never waits, ends well, and each point is there once."""
    luck = random.Random(1)
    running = outages.start()
    loop = program(POINTS, 0.001, HASTY, MLFLOW_TRACKING_FAILOVER=failover)
    run_id = loop.stdout.readline().strip()
    for _ in range(OUTAGES):
        time.sleep(luck.uniform(0.1, 0.5))
        outages.kill(running)
        time.sleep(luck.uniform(0.0, 0.5))
        running = outages.start()
    out, err = loop.communicate(timeout=300)

    assert (0, str(POINTS - 1)) == (loop.returncode, out.split()[-1]), err
    client = mlflow.MlflowClient(tracking_uri=outages.address)
    steps = sorted(one.step for one in client.get_metric_history(run_id, "loss"))
    assert list(range(POINTS)) == steps, err
    run = client.get_run(run_id)
    assert ["FINISHED", "os"] == [run.info.status, run.data.tags["millstream.acknowledged"]]
    assert not os.path.exists(tmp_path / "journal") or [] == os.listdir(tmp_path / "journal")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("outages", "level", "way"),
    [
        ("files", "memory", "command"),
        ("files", "os", "command"),
        ("files", "disk", "program"),
        ("files", "server", "command"),
        ("sqlite", "os", "program"),
        *([("sqlite", "disk", "command"), ("sqlite", "server", "command")] if ALL else []),
    ],
    indirect=["outages"],
)
def test_a_hasty_loop_that_is_killed(outages, program, tmp_path, level, way):
    """What it was told is kept is kept: the command brings it, or the next program does."""
    running = outages.start()
    loop = program(10**6, 0.0005, HASTY, MLFLOW_TRACKING_FAILOVER="", MILLSTREAM_DURABILITY=level)
    run_id = loop.stdout.readline().strip()
    client = mlflow.MlflowClient(tracking_uri=outages.address)
    while not client.get_metric_history(run_id, "loss"):
        time.sleep(0.01)
    if level != "server":
        outages.kill(running)
    said = [loop.stdout.readline().strip() for _ in range(300)]
    loop.kill()
    # The last line may have been cut off.
    said = [int(one) for one in [*said, *loop.stdout.read().split("\n")[:-1]]]
    loop.communicate()
    if level != "server":
        outages.start()
    places = [str(one.parent) for one in (tmp_path / "journal").glob("*/*/server")]
    assert (level in ("os", "disk")) == bool(places)
    if places and way == "command":
        subprocess.run(
            [sys.executable, "-m", "mlflow", "sync", places[0], outages.address], check=True
        )
    elif places:
        loop = program(1, 1.0, HASTY, MLFLOW_TRACKING_FAILOVER="")
        assert "brought to the server" in loop.communicate(timeout=60)[1]

    steps = sorted(one.step for one in client.get_metric_history(run_id, "loss"))
    assert steps == list(range(len(steps)))
    # One more may have been kept than was said.
    assert level == "memory" or len(said) <= len(steps) <= len(said) + 1
    assert not any(os.path.exists(one) for one in places)
