"""Clients that leave, disks that fail, clocks that jump and crowds, before a tracking server."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from mlflow.entities.run import Metric
from tests.server.serving import Served

from .server_requests import Asked, filled, target
from .server_rig import BACKENDS, make_rig

API = "/api/2.0/mlflow"
BATCH = Asked(
    "POST",
    f"{API}/runs/log-batch",
    fields={
        "run_id": "<run>",
        "metrics": [{"key": "m", "value": 1.5, "timestamp": 1, "step": 1}],
        "params": [{"key": "p", "value": "1"}],
        "tags": [{"key": "t", "value": "1"}],
    },
)
WRITES = {
    "batch": BATCH,
    "run": Asked(
        "POST", f"{API}/runs/create", fields={"experiment_id": "<experiment>", "start_time": 1}
    ),
    "experiment": Asked("POST", f"{API}/experiments/create", fields={"name": "<new>"}),
    "model": Asked("POST", f"{API}/registered-models/create", fields={"name": "<new>"}),
    "version": Asked(
        "POST",
        f"{API}/model-versions/create",
        fields={"name": "<model>", "source": "mlflow-artifacts:/<home>/model"},
    ),
    "file": Asked(
        "PUT",
        "/api/2.0/mlflow-artifacts/artifacts/<=path>",
        {"path": "<home>/deep/file"},
        body=b"data",
    ),
}


@pytest.fixture(params=BACKENDS)
def rig(request, tmp_path, servers):
    made = make_rig(request.param, tmp_path / request.param, servers)
    yield made
    made.close()


@pytest.fixture(params=["files", "sqlite"])
def local(request, tmp_path, servers):
    """Those whose files are ours to break."""
    made = make_rig(request.param, tmp_path / request.param, servers)
    yield made
    made.close()


def seen(rig):
    """Return what there is, by the server's own answers."""
    counted = {}
    for what, path, fields in (
        ("runs", "runs/search", {"experiment_ids": [rig.things["<experiment>"]]}),
        ("experiments", "experiments/search", {"max_results": 1000}),
        ("registered_models", "registered-models/search", {"max_results": 1000}),
        ("model_versions", "model-versions/search", {"max_results": 1000}),
    ):
        method = "GET" if "model" in what else "POST"
        asked = Asked(method, f"{API}/{path}")
        part = {"query": fields} if method == "GET" else {"fields": fields}
        found = rig.ask(asked._replace(**part))
        assert 200 == found.status, found
        counted[what] = len(json.loads(found.body).get(what, []))
    run = json.loads(rig.ask(Asked("GET", f"{API}/runs/get", {"run_id": "<run>"})).body)["run"]
    counted |= {kind: len(run["data"].get(kind, [])) for kind in ("metrics", "params")}
    counted["tags"] = sum(tag["key"] == "t" for tag in run["data"]["tags"])
    listed = rig.ask(Asked("GET", f"{API}/artifacts/list", {"run_id": "<run>", "path": "deep"}))
    counted["files"] = len(json.loads(listed.body).get("files", []))
    return counted


def wire(rig, asked, port):
    """Return the bytes of a request."""
    path, query, body = target(asked, {**rig.things, "<new>": "left alone"})
    at = path + (b"?" + query if query else b"")
    kind = asked.kind or "application/octet-stream"
    head = f"Host: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return asked.method.encode() + b" " + at + b" HTTP/1.1\r\n" + head.encode() + body


@contextmanager
def served(rig):
    """Give a real server of a rig's things."""
    app = rig.new_app()
    try:
        with Served(app) as server:
            yield server
    finally:
        app.close()


# --- clients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", WRITES)
def test_d16_clients_that_leave_at_any_byte(local, what):
    """Of a request that did not come whole, nothing is done."""
    before = seen(local)
    with served(local) as server:
        whole = wire(local, WRITES[what], server.port)
        for end in [*range(0, len(whole) - 1, 7), len(whole) - 1]:
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
                connection.sendall(whole[:end])
                if end % 2:  # half of them break off, the others end
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        address = f"{server.uri}/health"
        assert 200 == urllib.request.urlopen(address, timeout=60).status

    assert before == seen(local)


@pytest.mark.parametrize("what", WRITES)
def test_d16_clients_that_do_not_wait_for_the_answer(local, what):
    """It is done wholly, or not at all."""
    before = seen(local)
    with served(local) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(wire(local, WRITES[what], server.port))
        changed = {"batch": ("metrics", "params", "tags"), "run": ("runs",), "file": ("files",),
                   "experiment": ("experiments",), "model": ("registered_models",),
                   "version": ("model_versions",)}[what]  # fmt: skip
        done = {**before, **{kind: before[kind] + 1 for kind in changed}}
        until = time.monotonic() + 0.3
        while (after := seen(local)) != done and time.monotonic() < until:
            time.sleep(0.02)

    assert after in (before, done)


# --- disks -----------------------------------------------------------------------------------------

CALLS = ("open", "write", "fsync", "replace", "rename", "mkdir", "link")


@contextmanager
def failing(at, number):
    """Let one system call after `at` others fail; give the list of those that did."""
    real = {name: getattr(os, name) for name in CALLS if hasattr(os, name)}
    count = iter(range(10**9))
    failed = []

    def broken(name):
        def call(*arguments, **options):
            if next(count) == at:
                failed.append(name)
                raise OSError(number, os.strerror(number))
            return real[name](*arguments, **options)

        return call

    for name in real:
        setattr(os, name, broken(name))
    try:
        yield failed
    finally:
        for name, call in real.items():
            setattr(os, name, call)


@pytest.mark.filterwarnings("ignore:Left out of the store")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EMFILE], ids=str)
@pytest.mark.parametrize("what", ["batch", "run", "model", "file"])
def test_d17_each_call_fails_once(tmp_path, what, number):
    """It is said what is wrong and not where; the next one goes through; nothing is half there."""
    rig = make_rig("files", tmp_path / "files")
    hits = 0
    for at in range(60):
        before = seen(rig)
        with failing(at, number) as failed:
            found = rig.ask(WRITES[what])
        if not failed:
            break
        hits += 1
        assert found.status in (200, 429, 500, 503), (failed, found)
        assert str(rig.folder).encode() not in found.body
        if found.status == 200:
            rig.refresh()
            continue
        if number == errno.ENOSPC and failed == ["write"]:
            assert b"its disk or quota is full" in found.body
        # All lines of a batch are in files of their own; it may be sent again.
        if what != "batch":
            assert before == seen(rig), failed
    assert hits > 2
    assert 200 == rig.ask(WRITES[what]).status
    rig.close()


@pytest.mark.parametrize("what", ["batch", "run", "experiment", "model", "version"])
def test_d17_a_database_that_cannot_grow(tmp_path, what):
    """The same, of SQLite; with room again it goes on by itself."""
    rig = make_rig("sqlite", tmp_path / "sqlite")
    with connections(rig, "PRAGMA max_page_count = 1"):  # which means: no page more
        found = rig.ask(WRITES[what])
        for _ in range(2000):
            if found.status != 200:
                break
            found = rig.ask(filling(what))
        assert 429 == found.status
        assert b"its disk or quota is full" in found.body
        before = seen(rig)
        assert 429 == rig.ask(filling(what)).status
        assert before == seen(rig)

    with connections(rig):
        rig.refresh()
        assert 200 == rig.ask(WRITES[what]).status
    rig.close()


def filling(what):
    """Return a request that needs room."""
    if what != "batch":
        return WRITES[what]
    points = [
        {"key": f"m{n}", "value": n, "timestamp": time.time_ns(), "step": n} for n in range(9)
    ]
    return BATCH._replace(fields={**BATCH.fields, "metrics": points, "params": []})


@contextmanager
def connections(rig, *statements):
    """Open the connections of a database anew, each with some statements first."""

    def opened(connection, _):
        for statement in statements:
            connection.execute(statement)

    rig.store.close()
    event.listen(Engine, "connect", opened)
    try:
        yield
    finally:
        event.remove(Engine, "connect", opened)
        rig.store.close()


def test_d17_a_server_whose_connections_are_cut(rig, servers):
    """Those of a database server may end at any moment; it goes on with others."""
    if rig.kind in ("postgresql", "mysql"):
        servers[rig.kind].cut()
    else:
        rig.store.close()
    for asked in WRITES.values():
        assert 200 == rig.ask(asked).status, asked


# --- clocks ----------------------------------------------------------------------------------------


def test_d20_clocks_that_jump(rig, monkeypatch):
    """An hour back and ten years ahead: everything is written, found and ended."""
    real = time.time
    for jump in (-3600, 10 * 365 * 86400, 0):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        monkeypatch.setattr(time, "time_ns", lambda jump=jump: int((real() + jump) * 1e9))
        rig.refresh()
        for asked in WRITES.values():
            assert 200 == rig.ask(asked).status, asked
        end = {"run_id": "<run>", "status": "FINISHED", "end_time": 1}
        assert 200 == rig.ask(Asked("POST", f"{API}/runs/update", fields=end)).status
        assert 0 < seen(rig)["runs"]
        for order in ("attributes.start_time DESC", "attributes.end_time ASC"):
            fields = {"experiment_ids": ["<experiment>"], "order_by": [order]}
            found = rig.ask(Asked("POST", f"{API}/runs/search", fields=fields))
            assert 2 == len(json.loads(found.body)["runs"])
        page = {"experiments": ["<experiment>"], "view": 1, "columns": [], "offset": 0, "limit": 9}
        for name in ("runs", "activity", "summary"):
            assert 200 == rig.ask(Asked("POST", f"/ui-api/{name}", fields=page)).status, name


# --- crowds ----------------------------------------------------------------------------------------


@contextmanager
def crowd(rig, size=24):
    """Give what asks a real server of a rig, `times` times at the same moment."""
    with served(rig) as server, ThreadPoolExecutor(size) as pool:
        start = threading.Barrier(size)

        def one(path, fields):
            body = json.dumps(filled(fields, rig.things)).encode()
            request = urllib.request.Request(f"{server.uri}{API}/{path}", body)
            request.add_header("Content-Type", "application/json")
            start.wait(60)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    return answer.status, json.loads(answer.read())
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read())

        def ask(path, *fields):
            given = [fields[number % len(fields)] for number in range(size)]
            return list(pool.map(one, [path] * size, given))

        yield ask


def test_d19_crowds_that_want_the_same(rig):
    """One makes it, the others are told that it is there; numbers are given once."""
    with crowd(rig) as ask:
        for path in ("experiments/create", "registered-models/create"):
            found = ask(path, {"name": "of all"})
            assert [200] == [status for status, _ in found if status == 200]
            codes = {body.get("error_code") for status, body in found if status != 200}
            assert {"RESOURCE_ALREADY_EXISTS"} == codes
        source = "mlflow-artifacts:/<home>/model"
        found = ask("model-versions/create", {"name": "<model>", "source": source})
        numbers = [body["model_version"]["version"] for _, body in found]
        assert sorted(map(int, numbers)) == list(range(2, 2 + len(found)))
        run = {"run_id": "<run>"}
        assert {200} == {status for status, _ in ask("runs/delete", run)} | {200}
        found = ask("runs/restore", run)
        assert {status for status, _ in found} <= {200, 400}
        # A param has one value, which those who came first all gave.
        found = ask("runs/log-parameter", *({**run, "key": "p", "value": str(n)} for n in range(3)))
        assert {status for status, _ in found} == {200, 400}
        ask("registered-models/alias", {"name": "<model>", "alias": "a", "version": "1"},
            {"name": "<model>", "alias": "a", "version": "2"})  # fmt: skip
    kept = json.loads(rig.ask(Asked("GET", f"{API}/runs/get", run)).body)["run"]["data"]["params"]
    assert 1 == len(kept)
    alias = Asked("GET", f"{API}/registered-models/alias", {"name": "<model>", "alias": "a"})
    assert json.loads(rig.ask(alias).body)["model_version"]["version"] in ("1", "2")


def test_d11_the_same_points_many_times(rig):
    """They are there; a database, where a point is its own key, has each once."""
    points = [{"key": "m", "value": n, "timestamp": n, "step": n} for n in range(200)]
    with crowd(rig) as ask:
        found = ask("runs/log-batch", {"run_id": "<run>", "metrics": points})
        assert {200} == {status for status, _ in found}
    query = {"run_id": "<run>", "metric_key": "m", "max_results": 25000}
    kept = json.loads(rig.ask(Asked("GET", f"{API}/metrics/get-history", query)).body)["metrics"]
    assert {n for point in points for n in (point["step"],)} == {int(one["step"]) for one in kept}
    if rig.kind not in ("files", "memory"):
        assert len(points) == len(kept)


def test_d12_histories_of_many_runs_at_once(rig):
    """So many runs and points, and no more, however many are asked for."""
    query = {"run_id": ["a" * 32] * 10_000, "metric_key": "m", "max_results": 10}
    path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
    assert 400 == rig.ask(Asked("GET", path, query)).status
    points = [{"key": "m", "value": n, "timestamp": n, "step": n} for n in range(1000)]
    for start in range(0, 26_000, 1000):
        part = [{**point, "step": point["step"] + start} for point in points]
        rig.store.log_batch(rig.things["<run>"], [Metric(**one) for one in part], [], [])
    found = rig.ask(Asked("GET", path, {"run_id": ["<run>"], "metric_key": "m"}))
    assert 25_000 == len(json.loads(found.body)["metrics"])
    asked = Asked("GET", path, {"run_id": ["<run>"], "metric_key": "m", "max_results": 10**9})
    found = rig.ask(asked)
    assert found.status == 400 or 25_000 >= len(json.loads(found.body)["metrics"])
