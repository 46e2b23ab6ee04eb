"""A training loop goes on while the database of its server crashes and comes back; nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import glob
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

import pytest

import mlflow
from mlflow.exceptions import MlflowException
from tests.conftest import ALL
from tests.server.running import free_port, server

pytestmark = pytest.mark.skipif(
    not ALL, reason="starts database servers of its own: MILLSTREAM_FULL=all"
)

POINTS, CRASHES = 3_000, 5

PROGRAM = textwrap.dedent(
    """
    import sys, time, mlflow
    points = int(sys.argv[1])
    with mlflow.start_run() as run:
        print(run.info.run_id, flush=True)
        for step in range(points):
            mlflow.log_metric("loss", step / points, step=step)
            if step % 500 == 0:
                mlflow.log_param(f"p{step}", step)
            time.sleep(0.002)
    """
)


class PostgreSQL:
    """A cluster in a folder of its own."""

    user = "postgres"
    path = "/postgres"
    scheme = "postgresql://postgres@"

    def __init__(self, folder: str, port: int) -> None:
        self.port = port
        tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]
        found = [shutil.which(name, path=os.pathsep.join([*tools, os.environ["PATH"]]))
                 for name in ("initdb", "postgres")]  # fmt: skip
        if None in found:
            pytest.skip("not run: initdb and postgres are not installed")
        self.prepare = [found[0], "-D", f"{folder}/data", "-A", "trust", "-U", "postgres"]
        self.serve = [found[1], "-D", f"{folder}/data", "-p", str(port), "-k", folder,
                      "-c", "listen_addresses=127.0.0.1"]  # fmt: skip
        # Ends at once, and recovers at its next start as after a crash.
        self.crash = signal.SIGQUIT


class MariaDB:
    """A server in a folder of its own."""

    user = "mysql"
    path = "/runs"
    scheme = "mysql://root@"

    def __init__(self, folder: str, port: int) -> None:
        self.port = port
        found = [shutil.which(name) for name in ("mariadb-install-db", "mariadbd")]
        if None in found:
            pytest.skip("not run: mariadb-install-db and mariadbd are not installed")
        self.prepare = [found[0], "--no-defaults", f"--datadir={folder}/data",
                        "--auth-root-authentication-method=normal"]  # fmt: skip
        with open(f"{folder}/first.sql", "w", encoding="utf-8") as file:
            file.write(
                "CREATE DATABASE IF NOT EXISTS runs CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
            )
        self.serve = [found[1], "--no-defaults", f"--datadir={folder}/data", f"--port={port}",
                      f"--socket={folder}/socket", "--bind-address=127.0.0.1",
                      f"--init-file={folder}/first.sql"]  # fmt: skip
        self.crash = signal.SIGKILL


class Crashing:
    """A database server that is ended without a word, and started again."""

    def __init__(self, kind, folder: str) -> None:
        self.server = kind(folder, free_port())
        self.uri = f"{kind.scheme}127.0.0.1:{self.server.port}{kind.path}"
        self._folder, self._process = folder, None
        # Neither runs as root.
        self._as = {"user": kind.user, "group": kind.user} if os.geteuid() == 0 else {}
        if self._as:
            shutil.chown(folder, kind.user, kind.user)
        self._run(self.server.prepare).wait()

    def _run(self, command):
        with open(f"{self._folder}/log", "ab") as log:
            return subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, **self._as)

    def start(self):
        self._process = self._run(self.server.serve)
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.server.port)).close()
                return
            with open(f"{self._folder}/log", encoding="utf-8", errors="replace") as log:
                assert self._process.poll() is None and time.monotonic() < until, log.read()
            time.sleep(0.05)

    def crash(self):
        self._process.send_signal(self.server.crash)
        self._process.wait(60)


@pytest.fixture(params=[PostgreSQL, MariaDB], ids=lambda kind: kind.__name__)
def database(request):
    # The user of the database must come through; it does not to the folders of tests.
    folder = tempfile.mkdtemp(prefix="database")
    made = Crashing(request.param, folder)
    made.start()
    yield made
    if made._process.poll() is None:
        made.crash()
    shutil.rmtree(folder)


def test_a_database_that_crashes_under_a_server(database, tmp_path):
    """The loop waits, nobody sees a stack trace, and each point is there once."""
    luck = random.Random(0)
    with server(tmp_path, "--backend-store-uri", database.uri) as (_, address):
        loop = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(POINTS)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "MLFLOW_TRACKING_URI": address},
        )  # fmt: skip
        run_id = loop.stdout.readline().strip()
        for _ in range(CRASHES):
            time.sleep(luck.uniform(0.5, 1.5))
            database.crash()
            time.sleep(luck.uniform(0.0, 1.5))
            database.start()
        _, err = loop.communicate(timeout=300)

        assert loop.returncode == 0, err
        client = mlflow.MlflowClient(tracking_uri=address)
        run = client.get_run(run_id)
        assert "FINISHED" == run.info.status
        history = client.get_metric_history(run_id, "loss")
        assert list(range(POINTS)) == sorted(one.step for one in history)
        assert {f"p{step}": str(step) for step in range(0, POINTS, 500)} == run.data.params
    assert "Traceback" not in err + (tmp_path / "server.log").read_text()


def test_a_database_that_crashes_under_a_program(database, tmp_path):
    """A call fails with a clear error, and the next one after the restart works, once."""
    client = mlflow.MlflowClient(tracking_uri=database.uri)
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "loss", 1.0, step=0)
    database.crash()
    with pytest.raises(MlflowException) as raised:
        client.log_metric(run_id, "loss", 2.0, step=1)
    assert str(database.server.port) in str(raised.value)
    database.start()
    until = time.monotonic() + 60
    while True:
        try:
            client.log_metric(run_id, "loss", 3.0, step=2)
            break
        except MlflowException:
            # It answers before it has recovered.
            assert time.monotonic() < until
            time.sleep(0.1)

    assert [0, 2] == [one.step for one in client.get_metric_history(run_id, "loss")]
