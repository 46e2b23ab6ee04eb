"""The scoring server over HTTP: routes, who may ask, bounds, and what its errors tell."""

from __future__ import annotations

import asyncio
import json
import threading

import numpy as np
import pytest

from mlflow.scoring.app import ScoringApp, Settings
from mlflow.version import VERSION

from .asgi import JSON, LOCAL, ask, get, post
from .served import NAMES, Served, answers, sklearn_model, table

ROW = b'{"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1.0, 2.0, 3.0]]}}'


def test_one_prediction():
    """The document's request: columns beside instances, for a model with a signature."""
    model = sklearn_model()
    frame, _ = table(rows=2)
    body = json.dumps({"columns": NAMES, "instances": frame.values.tolist()}).encode()
    found = post(ScoringApp(model), body)

    assert found.status == 200
    assert b"application/json" == found.headers[b"content-type"]
    assert np.allclose(model._raw.predict(frame), json.loads(found.body)["predictions"])


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/ping", 200, b"\n"),
        ("/health", 200, b"\n"),
        ("/version", 200, VERSION.encode()),
        ("/", 404, b'{"detail":"Not Found"}'),
        ("/invocations/", 404, None),
        ("/../etc/passwd", 404, None),
        ("/docs", 404, None),
    ],
)
def test_routes(path, status, body):
    """Four routes and no others."""
    found = get(ScoringApp(answers(1)), path)

    assert status == found.status
    if body is not None:
        assert body == found.body


def test_methods():
    """A route answers its own method only, and names it."""
    app = ScoringApp(answers(1))
    found = asyncio.run(ask(app, "/invocations", headers=[LOCAL], method="GET"))

    assert found.status == 405
    assert b"POST" == found.headers[b"allow"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Content-Type", "application/xml")], 415),
        ([], 415),
        ([JSON, JSON], 415),
        ([("Content-Type", "application/json; charset=utf-7")], 415),
        ([JSON, ("Content-Encoding", "gzip")], 415),
        ([JSON, ("Content-Length", "999999999999")], 413),
        ([JSON, ("Content-Length", "x")], 413),
        ([JSON, ("Host", "a"), ("Host", "b")], 400),
    ],
)
def test_headers(headers, status):
    """Bodies that are not read are refused by their headers."""
    app = ScoringApp(answers(1))
    local = [] if any(name == "Host" for name, _ in headers) else [LOCAL]

    assert status == post(app, b'{"inputs": [1]}', *headers, *local).status


def test_a_body_in_pieces():
    """A body may come in pieces, up to its bound."""
    app = ScoringApp(answers([7]), Settings(max_body=100))
    whole = b'{"inputs": [1]}'
    pieces = [whole[:3], whole[3:9], whole[9:]]

    assert post(app, b"", chunks=pieces).status == 200
    assert post(app, b"", chunks=[b" " * 60, b" " * 60]).status == 413
    assert app._bodies.held == 0


def test_a_body_that_never_ends():
    """A client that stops sending is told so, and its place is free again."""
    app = ScoringApp(answers(1), Settings(timeout=0.05))

    assert post(app, b"{", hang=True).status == 408
    assert app._open == 0


@pytest.mark.parametrize(
    ("host", "given", "status"),
    [
        ("127.0.0.1", "localhost:5000", 200),
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.1", "[::1]:5000", 200),
        ("127.0.0.1", "evil.example", 403),
        ("127.0.0.1", "localhost.evil.example", 403),
        ("localhost", "192.168.0.1", 403),
        ("0.0.0.0", "any.example:5001", 200),
        ("10.0.0.7", "models.example", 200),
    ],
)
def test_hosts(host, given, status):
    """A server on the loopback address answers loopback names only; others answer any."""
    app = ScoringApp(answers(1), Settings(host=host))

    assert status == post(app, b'{"inputs": [1]}', JSON, ("Host", given)).status
    assert status == get(app, "/ping", ("Host", given)).status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:5000", 200),
        ("http://localhost:3000", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
        ("http://[", 403),
        ("https://friend.example", 200),
    ],
)
def test_origins(origin, status):
    """Pages of other places may not ask."""
    app = ScoringApp(answers(1), Settings(origins=("https://friend.example",)))

    assert status == post(app, b'{"inputs": [1]}', JSON, LOCAL, ("Origin", origin)).status


def test_named_hosts():
    """Hosts may be named."""
    app = ScoringApp(answers(1), Settings(hosts=("models.example",)))

    assert post(app, b'{"inputs": [1]}', JSON, ("Host", "models.example:80")).status == 200
    assert post(app, b'{"inputs": [1]}', JSON, LOCAL).status == 403


def test_pages_that_may_ask_may_read_the_answer():
    """A browser asks first, and is told; a page that may not ask learns nothing."""
    app = ScoringApp(answers(1), Settings(origins=("https://friend.example",)))
    first = ("Access-Control-Request-Method", "POST")
    for origin in ("https://friend.example", "http://localhost:5000"):
        asked = post(app, b"", LOCAL, ("Origin", origin), first, method="OPTIONS")
        assert (204, b"") == (asked.status, asked.body)
        assert b"POST" == asked.headers[b"access-control-allow-methods"]
        for found in (asked, post(app, b'{"inputs": [1]}', JSON, LOCAL, ("Origin", origin))):
            assert origin.encode() == found.headers[b"access-control-allow-origin"]
            assert b"access-control-allow-credentials" not in found.headers
    for stranger in (("Origin", "https://other.example"), ("Origin", "null")):
        asked = post(app, b"", LOCAL, stranger, first, method="OPTIONS")
        assert 403 == asked.status
        assert b"access-control-allow-origin" not in asked.headers
    assert 405 == post(app, b"", LOCAL, first, method="OPTIONS").status


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("Bearer wrong", 401), ("Basic secret", 401), ("secret", 401),
     ("bearer secret", 200), ("Bearer secret", 200)],
)  # fmt: skip
def test_token(header, status):
    """A configured token is asked for, in its scheme; the health check needs none."""
    app = ScoringApp(answers(1), Settings(token="secret"))  # noqa: S106
    headers = [JSON, LOCAL] + ([("Authorization", header)] if header else [])

    assert status == post(app, b'{"inputs": [1]}', *headers).status
    assert get(app, "/ping").status == 200


def _raises(error):
    def predict(data, params=None):
        raise error

    return Served(predict)


@pytest.mark.parametrize(
    "error",
    [ValueError("secret /etc/passwd"), SystemExit(1), KeyboardInterrupt(), MemoryError(),
     RecursionError("secret")],
)  # fmt: skip
def test_model_errors_tell_nothing(error, caplog):
    """A model's error is 500 with a reference; text, trace and path stay in the log."""
    found = post(ScoringApp(_raises(error)), b'{"inputs": [1]}')
    body = json.loads(found.body)

    assert found.status == 500
    assert "INTERNAL_ERROR" == body["error_code"]
    for word in ("secret", "passwd", "Traceback", ".py", "stack_trace"):
        assert word not in found.body.decode()
    assert body["message"].rsplit(" ", 1)[1].rstrip(".") in caplog.text


def test_array_models_too():
    """The same holds for models that are called with arrays."""
    body = ROW.replace(b"1.0", b"NaN")
    found = post(ScoringApp(sklearn_model()), body)

    assert found.status == 500
    assert b"NaN" not in found.body


def test_answers_without_json_form():
    """An answer that JSON cannot hold is 500."""
    assert post(ScoringApp(answers(object())), b'{"inputs": [1]}').status == 500


def test_time_limit():
    """A model that does not answer in time is 504; the server goes on answering."""
    release = threading.Event()
    model = Served(lambda data: release.wait(60) if data[0] else [1])
    app = ScoringApp(model, Settings(timeout=2, threads=2))

    async def main():
        slow = await ask(app, "/invocations", b'{"inputs": [1]}', [JSON, LOCAL])
        quick = await ask(app, "/invocations", b'{"inputs": [0]}', [JSON, LOCAL])
        release.set()
        return slow, quick

    slow, quick = asyncio.run(main())

    assert (504, 200) == (slow.status, quick.status)


def test_a_model_that_hangs_everywhere():
    """When every thread hangs, the server says so to its keeper and its clients."""
    release = threading.Event()
    told = []
    app = ScoringApp(
        Served(lambda data: release.wait(60)),
        Settings(timeout=0.05, threads=1),
        on_stuck=lambda: told.append(1),
    )

    async def main():
        first = await ask(app, "/invocations", b'{"inputs": [1]}', [JSON, LOCAL])
        second = await ask(app, "/invocations", b'{"inputs": [1]}', [JSON, LOCAL])
        ping = await ask(app, "/ping", headers=[LOCAL])
        assert told == []
        while not told:
            await asyncio.sleep(0.01)
        release.set()
        return first, second, ping

    first, second, ping = asyncio.run(main())

    assert (504, 503, 503) == (first.status, second.status, ping.status)
    assert b"1" == second.headers[b"retry-after"]
    assert [1] == told


def test_the_queue_is_bounded():
    """More waiting requests than the bound get 503 with Retry-After, none is lost."""
    release = threading.Event()
    app = ScoringApp(Served(lambda data: release.wait(60)), Settings(queue=3, threads=1))

    async def main():
        asked = [
            asyncio.ensure_future(ask(app, "/invocations", b'{"inputs": [1]}', [JSON, LOCAL]))
            for _ in range(10)
        ]
        while sum(task.done() for task in asked) < 7:
            await asyncio.sleep(0.01)
        release.set()
        return await asyncio.gather(*asked)

    statuses = sorted(answer.status for answer in asyncio.run(main()))

    assert [200] * 3 + [503] * 7 == statuses
    assert app._open == 0


def test_a_client_that_leaves_frees_its_place():
    """A request that waits for a thread is dropped when its client leaves."""
    release = threading.Event()
    calls = []
    app = ScoringApp(Served(lambda data: (calls.append(1), release.wait(60))), Settings(threads=1))

    async def leave(left):
        scope = {"type": "http", "method": "POST", "path": "/invocations",
                 "headers": [(b"content-type", b"application/json")]}  # fmt: skip
        messages = [{"type": "http.request", "body": b'{"inputs": [1]}'}]

        async def receive():
            if messages:
                return messages.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError(message)

        await app(scope, receive, send)

    async def main():
        left = asyncio.Event()
        first = asyncio.ensure_future(ask(app, "/invocations", b'{"inputs": [1]}', [JSON, LOCAL]))
        while not calls:
            await asyncio.sleep(0.01)
        second = asyncio.ensure_future(leave(left))
        await asyncio.sleep(0.01)
        left.set()
        await second
        release.set()
        return (await first).status

    assert asyncio.run(main()) == 200
    assert [1] == calls


def test_requests_at_one_moment_share_a_call():
    """Waiting requests of a row-wise model are answered together, each with its own rows."""
    model = sklearn_model()
    app = ScoringApp(model)
    frame, _ = table(rows=16)
    bodies = [
        json.dumps({"columns": NAMES, "instances": [row]}).encode() for row in frame.values.tolist()
    ]

    async def main():
        return await asyncio.gather(
            *(ask(app, "/invocations", body, [JSON, LOCAL]) for body in bodies)
        )

    found = [json.loads(answer.body)["predictions"][0] for answer in asyncio.run(main())]

    assert np.allclose(model._raw.predict(frame), found)
    assert app.runner._batcher.calls == 1


def test_settings_come_from_the_environment(monkeypatch):
    """Every bound can be set."""
    monkeypatch.setenv("MILLSTREAM_SCORING_MAX_BODY", "5")
    monkeypatch.setenv("MILLSTREAM_SCORING_TOKEN", "t")
    monkeypatch.setenv("MILLSTREAM_SCORING_ALLOWED_HOSTS", "a.example, B.example")
    monkeypatch.setenv("MILLSTREAM_SCORING_BATCH", "false")
    monkeypatch.setenv("MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", "7")
    found = Settings.from_environment("0.0.0.0")  # noqa: S104

    assert (5, "t", 7) == (found.max_body, found.token, found.timeout)
    assert ("a.example", "b.example") == found.hosts
    assert found.batch is False
