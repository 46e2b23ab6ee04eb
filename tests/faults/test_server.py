"""A real server under overload, slow clients, kills and signals keeps what it acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import sqlite3
import threading

import pytest

import mlflow
from mlflow.entities import Metric
from tests.server.running import free_port, server, text_of

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals"),
    pytest.mark.timeout(600),
]

API = "/api/2.0/mlflow/runs/log-metric"
URI = "sqlite:///mlflow.db"
QUEUE = 8


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Clients that try again soon, and for long."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0.2")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5000")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "memory:")


def new_run(address):
    client = mlflow.MlflowClient(address)
    return client, client.create_run("0").info.run_id


def request(run_id, step):
    point = {"run_id": run_id, "key": "m", "value": step, "timestamp": 1, "step": step}
    body = json.dumps(point).encode()
    head = (
        f"POST {API} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def answer(reader):
    """Return (status, headers) of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers


def steps_of(client, run_id):
    """Return the steps of the series, each as often as it is there."""
    return sorted(int(point.step) for point in client.get_metric_history(run_id, "m"))


@contextlib.contextmanager
def held(folder):
    """Hold the write lock of the database: nothing is committed meanwhile."""
    connection = sqlite3.connect(folder / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        connection.close()


# --- overload ------------------------------------------------------------------------------------


def test_ten_times_the_writers_that_may_wait(tmp_path):
    """Those beyond the queue are told when to come again; all that was acknowledged is there."""
    environment = {"MILLSTREAM_SERVER_QUEUE": str(QUEUE)}
    writers = 10 * QUEUE

    async def attack(address, run_id):
        port = int(address.rpartition(":")[2])
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(writers)]
        with held(tmp_path):
            for step, (_, writer) in enumerate(pairs):
                writer.write(request(run_id, step))
            waiting = {
                asyncio.ensure_future(answer(reader)): step
                for step, (reader, _) in enumerate(pairs)
            }
            # The queue is full and nothing moves: all others are refused, none is left hanging.
            refused = []
            while len(refused) < writers - QUEUE:
                done, _ = await asyncio.wait(
                    waiting.keys() - refused, return_when=asyncio.FIRST_COMPLETED, timeout=120
                )
                assert done, "nobody is answered"
                refused += done
            reads = await asyncio.to_thread(mlflow.MlflowClient(address).get_run, run_id)
            assert reads.info.run_id == run_id
        rest = waiting.keys() - refused
        found = {waiting[one]: await one for one in (*refused, *rest)}
        again = [step for step, (status, _) in found.items() if status == 503]
        # They come again, as they were told, until they are heard.
        for step in again:
            reader, writer = pairs[step]
            while True:
                writer.write(request(run_id, step))
                status, _ = await answer(reader)
                if status == 200:
                    break
                assert status == 503
        for _, writer in pairs:
            writer.close()
        return found

    with server(tmp_path, "--backend-store-uri", URI, environment=environment) as (_, address):
        client, run_id = new_run(address)
        found = asyncio.run(asyncio.wait_for(attack(address, run_id), 300))
        statuses = [status for status, _ in found.values()]
        assert (statuses.count(200), statuses.count(503)) == (QUEUE, writers - QUEUE)
        assert {"1"} == {said["retry-after"] for status, said in found.values() if status == 503}
        # Each once: what was refused was not done.
        assert list(range(writers)) == steps_of(client, run_id)
    assert "Traceback" not in text_of(tmp_path / "server.log")


# --- slow clients --------------------------------------------------------------------------------


def test_slow_clients_hold_nobody_up(tmp_path):
    """Half heads, half bodies and answers that nobody reads, many more than there are threads."""
    environment = {"MILLSTREAM_SERVER_BODY_TIMEOUT": "2"}
    with (
        server(tmp_path, "--backend-store-uri", URI, environment=environment) as (_, address),
        contextlib.ExitStack() as slow,
    ):
        client, run_id = new_run(address)
        port = int(address.rpartition(":")[2])
        places = {"heads": 40, "bodies": -5, "answers": None}
        sockets = {
            name: [slow.enter_context(socket.create_connection(("127.0.0.1", port)))
                   for _ in range(60)]
            for name in places
        }  # fmt: skip
        for name, place in places.items():
            for step, one in enumerate(sockets[name]):
                one.sendall(request(run_id, step)[:place])
        for step in range(100, 150):
            client.log_metric(run_id, "m", 1, step=step)
        # What is not read was done all the same.
        assert [*range(60), *range(100, 150)] == steps_of(client, run_id)
        # A body that does not come is given up, and its connection with it.
        for one in sockets["bodies"]:
            one.settimeout(120)
            found = b"".join(iter(lambda one=one: one.recv(4096), b""))
            assert found.startswith(b"HTTP/1.1 408")


# --- the end of a server -------------------------------------------------------------------------


class Writers:
    """Clients that write for as long as they are let, each a series of its own steps."""

    def __init__(self, address, run_id, count):
        self.acknowledged = [[] for _ in range(count)]
        self.errors = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(address, run_id, number, count))
            for number in range(count)
        ]

    def _write(self, address, run_id, number, count):
        client = mlflow.MlflowClient(address)
        try:
            for step in itertools.count(number, count):
                if self._stop.is_set():
                    return
                if step % 2:
                    client.log_metric(run_id, "m", step, step=step)
                else:
                    client.log_batch(run_id, [Metric("m", step, 1, step)])
                self.acknowledged[number].append(step)
        except Exception as error:  # noqa: BLE001 - told to the test
            self.errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(300)

    def until(self, more):
        """Wait until each writer has been acknowledged so many more writes."""
        goals = [len(one) + more for one in self.acknowledged]
        while any(len(one) < goal for one, goal in zip(self.acknowledged, goals, strict=True)):
            assert not self.errors, self.errors
            assert all(thread.is_alive() for thread in self._threads)
            self._stop.wait(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("uri", [URI, "./mlruns"], ids=["sqlite", "files"])
def test_a_server_that_is_killed_under_its_writers(tmp_path, uri):
    """Its clients wait for the next one and go on; what was acknowledged is there."""
    count, kills = 6, 3
    port = free_port()
    options = ("--backend-store-uri", uri)
    with server(tmp_path, *options, port=port) as (process, address):
        client, run_id = new_run(address)
        writers = Writers(address, run_id, count)
        writers.__enter__()
        try:
            writers.until(5)
            process.kill()
            process.wait()
            for _ in range(kills - 1):
                with server(tmp_path, *options, port=port) as (following, _):
                    writers.until(5)
                    following.kill()
                    following.wait()
        except BaseException:
            writers._stop.set()
            raise
        with server(tmp_path, *options, port=port):
            writers.until(1)
            writers.__exit__()
            steps = steps_of(client, run_id)
    assert not writers.errors
    assert {step for one in writers.acknowledged for step in one} == {*steps}
    # A point whose answer was lost is sent again: in a database it is the same point; in a file it
    # may be there twice, for each of the writes that were on their way (decision 41).
    most = 0 if uri == URI else count * kills
    assert len(steps) - len({*steps}) <= most


def test_a_server_that_is_told_to_end_answers_what_it_took(tmp_path):
    """SIGTERM: no new connections, every request that came before is answered, the end is clean."""
    with server(tmp_path, "--backend-store-uri", URI) as (process, address):
        _, run_id = new_run(address)
        port = int(address.rpartition(":")[2])
        with contextlib.ExitStack() as stack:
            sockets = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                for _ in range(20)
            ]
            with held(tmp_path):
                for step, one in enumerate(sockets):
                    one.settimeout(120)
                    one.sendall(request(run_id, step))
                # The queue of writes has them all.
                depth = 'mlflow_queue_depth{queue="write"} 20\n'
                while depth not in metrics_of(port):
                    assert process.poll() is None
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(ConnectionError):
                    while True:
                        socket.create_connection(("127.0.0.1", port)).close()
            answers = [b"".join(iter(lambda one=one: one.recv(4096), b"")) for one in sockets]
        code = process.wait(60)
    assert [b"HTTP/1.1 200"] * 20 == [one[:12] for one in answers]
    assert code in (0, -signal.SIGTERM), text_of(tmp_path / "server.log")
    assert "Traceback" not in text_of(tmp_path / "server.log")
    store = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    assert list(range(20)) == steps_of(store, run_id)


def metrics_of(port):
    with socket.create_connection(("127.0.0.1", port), 60) as one:
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: one.recv(65536), b"")).decode()


# --- soak ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sixteen_writers(tmp_path):
    """No error, every point there once; `benchmarks/programs/soak.py` does this for a minute, and measures."""
    with server(tmp_path, "--backend-store-uri", URI) as (_, address):
        client, run_id = new_run(address)
        with Writers(address, run_id, 16) as writers:
            writers.until(20)
        assert not writers.errors
        steps = steps_of(client, run_id)
    acknowledged = sorted(step for one in writers.acknowledged for step in one)
    assert acknowledged == steps
    assert len(steps) >= 16 * 20
