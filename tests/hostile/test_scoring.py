"""Requests made to harm a scoring server: rows S01 to S12 of the threat list, as generators.

Each request must be refused with its own status, or be answered with the exact value; the answer
tells nothing of the server's inside, and the next request is answered as before.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.models.signature import ModelSignature
from mlflow.scoring.app import ScoringApp, Settings
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema
from tests.scoring.asgi import JSON, LOCAL, ask, get, post
from tests.scoring.served import NAMES, Served, sklearn_model

ROW = [1.0, 2.0, 3.0]
GOOD = json.dumps({"dataframe_split": {"columns": NAMES, "data": [ROW]}}).encode()
INSIDE = re.compile(rb"Traceback|site-packages|\.py\b|File \"|/home/|stack_trace|environ")
TYPED = Schema(
    [ColSpec("long", "n"), ColSpec("string", "s"), ColSpec("boolean", "b"),
     ColSpec("datetime", "d"), ColSpec("binary", "raw"), ColSpec("double", "x")]
)  # fmt: skip
CELLS = {"n": 1, "s": "a", "b": True, "d": "2024-01-01", "raw": "YWI=", "x": 0.5}


@pytest.fixture(scope="module")
def app():
    return ScoringApp(sklearn_model(), Settings(max_body=5_000_000))


def refused(app, body, statuses, *headers):
    """The request is refused in one of these ways, tells nothing, and harms nobody after it."""
    found = post(app, body, *(headers or (JSON, LOCAL)))

    assert found.status in statuses, found
    assert INSIDE.search(found.body) is None, found.body
    assert len(found.body) < 20_000
    assert post(app, GOOD).status == 200
    assert app._open == 0
    assert app._bodies.held == 0
    return found


# ── S01: content types ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind",
    ["application/x-python-pickle", "application/octet-stream", "application/json; charset=utf-7",
     "application/json; charset=utf-16", "text/html", "multipart/form-data; boundary=x", "*/*",
     "application/json\x00", "application/json/../x", "a" * 5000, ";", "\xff"],
)  # fmt: skip
def test_s01_content_types(app, kind):
    """Only three types are read, in UTF-8; nothing is ever unpickled."""
    import pickle

    refused(app, pickle.dumps({"inputs": [1]}), {415}, ("Content-Type", kind), LOCAL)


@pytest.mark.parametrize(
    "path", ["/../invocations", "//invocations", "/invocations/..", "/%2e%2e/etc/passwd",
             "/invocations;x", "/ping/../invocations", "", "\x00", "/openapi.json", "/metrics"]
)  # fmt: skip
def test_s01_paths(app, path):
    """Any other path is not there."""
    assert get(app, path).status == 404


# ── S02: bodies ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"[" * 100_000, {400}),
        (b'{"inputs":' + b"[" * 100_000, {400}),
        (b'{"inputs":' + b"[" * 5000 + b"]" * 5000 + b"}", {400, 500}),
        (b'{"a":' * 100_000, {400}),
        (b'{"instances": [[1]], "instances": [[2]]}', {400}),
        (b'{"inputs": ' + b"9" * 5000 + b"}", {400}),
        (b"\xef\xbb\xbf" + GOOD, {400}),
        (GOOD.decode().encode("utf-16"), {400}),
        (GOOD.decode().encode("utf-32"), {400}),
        (b" " * 5_000_001, {413}),
        (b"\x00" * 100, {400}),
        (b'{"inputs": "' + b"\xed\xa0\x80" + b'"}', {400}),
        (GOOD + b"\x00", {400}),
        (GOOD.replace(b"1.0", b"1e999"), {400}),
        (GOOD.replace(b"1.0", b"-1e999"), {400}),
    ],
    ids=range(15),
)
def test_s02_bodies(app, body, statuses):
    """Broken, deep, doubled, huge and mis-encoded bodies are refused."""
    refused(app, body, statuses)


def test_s02_compressed(app):
    """A compressed body is not opened."""
    bomb = gzip.compress(b" " * 50_000_000)
    refused(app, bomb, {415}, JSON, LOCAL, ("Content-Encoding", "gzip"))


@given(st.binary(max_size=200))
def test_s02_any_bytes(body):
    """Any bytes at all are answered with 400, or are a good request."""
    app = APP
    assert post(app, body).status in {400, 200}


@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=3))
def test_s02_one_damaged_place(place, junk):
    """A good request with one damaged place never breaks the server."""
    found = post(APP, GOOD[:place] + junk + GOOD[place + len(junk) :])

    assert found.status in {200, 400, 500}
    assert INSIDE.search(found.body) is None


APP = ScoringApp(sklearn_model())


# ── S03: shapes ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("split", "named"),
    [
        ({"columns": NAMES, "data": [ROW, [1.0]]}, "Row 1"),
        ({"columns": NAMES, "data": [[*ROW, 1.0]]}, "Row 0"),
        ({"columns": [*NAMES, "a"], "data": [[*ROW, 1.0]]}, "'a'"),
        ({"columns": ["a", "b"], "data": [[1, 2]]}, "'c'"),
        ({"columns": ["a", "b", "C"], "data": [ROW]}, "'c'"),
        ({"columns": ["a", "b", None], "data": [ROW]}, "None"),
        ({"columns": ["a", "b", {"c": 1}], "data": [ROW]}, "column name"),
        ({"columns": [*map(str, range(30_000))], "data": []}, "30000 columns"),
        ({"columns": NAMES, "index": [1, 2, 3], "data": [ROW]}, "index"),
        ({"columns": NAMES, "data": [ROW], "dtype": "object"}, "dtype"),
        ({"columns": NAMES, "data": {"a": 1}}, "list"),
        ({"columns": NAMES, "data": [["x", 1, 2]]}, "column a"),
        ({"columns": NAMES, "data": [[1, 2, {"$": 1}]]}, "column c"),
        ({"columns": NAMES, "data": [[1, [2], 3]]}, "column b"),
    ],
)
def test_s03_shapes(app, split, named):
    """Ragged, doubled, missing and renamed columns are refused by name."""
    found = refused(app, json.dumps({"dataframe_split": split}).encode(), {400})

    assert named in json.loads(found.body)["message"]


def test_s03_order_and_surplus(app):
    """Reordered columns are put in order; surplus ones are dropped."""
    body = {"columns": ["c", "zz", "a", "b"], "instances": [[3.0, 9.0, 1.0, 2.0]]}

    assert post(app, json.dumps(body).encode()).body == post(app, GOOD).body


# ── S04: documents ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"null", b"1", b'"x"', b"true", b'{"foo": 1}', b'{"instances": [[1]], "inputs": 1}',
     b'{"instances": []}', b'{"dataframe_records": []}', b'{"dataframe_split": null}',
     b'{"instances": null}', b'{"inputs": null}', b'{"__class__": "x"}'],
)  # fmt: skip
def test_s04_documents(app, body):
    """Anything but exactly one form of data is refused."""
    refused(app, body, {400})


# ── S05: types ───────────────────────────────────────────────────────────────────────────────────

WRONG = {
    "n": ["x", 1.5, True, None, 2**63, "1.5", [], {}, "1e3", "0x1", "１"],
    "b": ["yes", 2, None, [], "", -1],
    "d": ["x", "2024-13-01", "2024-01-01T00:00:00Z", "9999-01-01", "0000-01-01", 1.5, True, [],
          "2024-01-01T00:00:00+99:99", "now", "today", "NaT"],
    "raw": ["%%%", "YWI", 5, [], "YWI=YWI="],
    "s": [[], {}, {"__class__": "x"}],
    "x": ["x", True, "1e999", 2**53 + 1, [], {}, "nan(1)", "1_0", "٣"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_s05_types(column, value):
    """A cell that would have to be changed is refused, with the column's name."""
    app = ScoringApp(Served(lambda frame: [1], ModelSignature(TYPED)))
    body = json.dumps({"dataframe_records": [{**CELLS, column: value}]}).encode()
    found = post(app, body)

    assert found.status == 400
    assert f"column {column} " in json.loads(found.body)["message"]


def test_s05_exact_values():
    """What is accepted arrives exactly: leading zeros, large numbers, nanoseconds."""
    model = Served(lambda frame: [1], ModelSignature(TYPED))
    exact = {**CELLS, "s": "0001", "n": 2**63 - 1, "d": "2024-01-01T00:00:00.000000001",
             "x": 5e-324}  # fmt: skip
    found = post(ScoringApp(model), json.dumps({"dataframe_records": [exact]}).encode())
    frame = model.seen[-1][0]

    assert found.status == 200
    assert ("0001", 2**63 - 1, 5e-324) == (frame["s"][0], int(frame["n"][0]), frame["x"][0])
    assert frame["d"][0].nanosecond == 1


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_s05_every_double_arrives(value):
    """Each double, NaN and the infinities included, reaches the model bit for bit."""
    model = Served(lambda frame: [1], ModelSignature(Schema([ColSpec("double", "x")])))
    post(ScoringApp(model), json.dumps({"dataframe_records": [{"x": value}]}).encode())
    found = float(model.seen[-1][0]["x"][0])

    assert math.isnan(found) if math.isnan(value) else value == found


# ── S06: CSV ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [b"a,b,c\n=cmd(),1,2\n", b'a,b,c\n"1,2,3\n', b"a,b,c\n1,2\n", b"a,b,c\n1,2,3,4\n",
     b"a,b,c\n1,2,\x00\n", b"a,b,c\n1,2,\xff\n", b"a,b,a\n1,2,3\n", b"", b"\n", b"a,b\n1,2\n",
     b",".join(b"c%d" % i for i in range(30_000)) + b"\n", b"a,b,c\n" + b"9" * 400_000 + b",1,2\n",
     b"#a,b,c\n1,2,3\n", b"a;b;c\n1;2;3\n", b"a,b,c\n1e999,1,1\n", b"a,b,c\n1,2,3\n\"x\"y,1,1\n"],
    ids=range(16),
)  # fmt: skip
def test_s06_csv(app, body):
    """Broken CSV is refused; formulas, comments and options are not a language here."""
    refused(app, body, {400}, ("Content-Type", "text/csv"), LOCAL)


def test_s06_one_huge_field():
    """A field of megabytes is text, or refused where a number is declared."""
    app = ScoringApp(Served(lambda frame: [len(frame["s"][0])],
                            ModelSignature(Schema([ColSpec("string", "s")]))))  # fmt: skip
    found = post(app, b"s\n" + b"x" * 1_000_000 + b"\n", ("Content-Type", "text/csv"), LOCAL)

    assert b'{"predictions": [1000000]}' == found.body


# ── S07: parameters ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("params", "expected"),
    [({"k": 7}, 7), ({}, 3), ({"__class__": "x", "check_input": False}, 3), ({"k": 7, "self": 1}, 7),
     (None, 3)],
)  # fmt: skip
def test_s07_only_declared_params_pass(params, expected):
    """What is not declared never reaches the model."""
    signature = ModelSignature(
        Schema([ColSpec("double", "x")]), None, ParamSchema([ParamSpec("k", "long", 3)])
    )
    model = Served(lambda frame, given: [given["k"]], signature)
    document = {"dataframe_records": [{"x": 1.0}], "params": params or {}}
    found = post(ScoringApp(model), json.dumps(document).encode())

    if found.status == 200 and model.seen[-1][1] is not None:
        assert [expected] == json.loads(found.body)["predictions"]
        assert {"k"} == set(model.seen[-1][1])


@pytest.mark.parametrize("params", [[1], "x", 5, {"k": "x"}, {"k": 1.5}, {"k": [1]}, {"k": {}}])
def test_s07_wrong_params(params):
    """A parameter of the wrong type is refused."""
    signature = ModelSignature(
        Schema([ColSpec("double", "x")]), None, ParamSchema([ParamSpec("k", "long", 3)])
    )
    model = Served(lambda frame, given: [1], signature)
    document = {"dataframe_records": [{"x": 1.0}], "params": params}

    assert post(ScoringApp(model), json.dumps(document).encode()).status == 400


# ── S09, S10: models that misbehave ──────────────────────────────────────────────────────────────


class Leaky(Exception):
    """An error whose text would give a secret away."""

    def __str__(self):
        return "password=hunter2 /home/u/model.py"


@pytest.mark.parametrize(
    "error", [Leaky(), SystemExit("hunter2"), KeyboardInterrupt(), GeneratorExit(), MemoryError(),
              StopIteration(), RecursionError(), BaseException("hunter2")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_s09_errors(error):
    """Whatever a model raises is 500 without a word of it."""

    def predict(data):
        if data[0]:
            raise error
        return [1]

    app = ScoringApp(Served(predict))
    found = post(app, b'{"inputs": [1]}')

    assert found.status == 500
    assert b"hunter2" not in found.body
    assert INSIDE.search(found.body) is None
    assert post(app, b'{"inputs": [0]}').status == 200


# ── S11, S12: who asks ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:80",
             "0x7f000001", "2130706433", "[::ffff:1.2.3.4]", "localhost@evil.example", "a b", "@"]
)  # fmt: skip
@pytest.mark.parametrize("path", ["/invocations", "/ping", "/version"])
def test_s11_rebinding(app, host, path):
    """A name that was pointed at this machine does not reach a local server."""
    import asyncio

    found = asyncio.run(ask(app, path, GOOD, [JSON, ("Host", host)]))

    assert found.status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "file://",
        "https://localhost.x",
        "http://localhost:5000@evil.example",
        "javascript:",
        "",
        "x",
    ],
)
def test_s11_origins(app, origin):
    """A page of another place cannot ask a local server."""
    assert post(app, GOOD, JSON, LOCAL, ("Origin", origin)).status == 403


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic dDo=",
        "t",
        "Bearer t x",
        "Bearer tt",
        "Token t",
        "Bearer T",
    ],
)
def test_s12_token(value):
    """Without the configured token, in its scheme, nothing is predicted."""
    app = ScoringApp(Served(lambda data: [1]), Settings(token="t"))  # noqa: S106
    headers = [JSON, LOCAL] + ([("Authorization", value)] if value is not None else [])

    assert post(app, b'{"inputs": [1]}', *headers).status == 401


# ── S08: on the wire ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A server in a process of its own."""
    from tests.scoring.saved import saved_model

    path, _, _ = saved_model(tmp_path_factory.mktemp("model") / "m")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", path, "-p", str(number)],
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{number}/ping", timeout=5)  # noqa: S310
            break
        except OSError:
            time.sleep(0.1)
    yield number
    process.terminate()
    process.wait()


def _talk(port, data, answers=1):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        found = b""
        while found.count(b"HTTP/1.1 ") < answers or not found.endswith((b"}", b"\n", b".")):
            part = connection.recv(65536)
            if not part:
                break
            found += part
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", found)]


def _request(body=GOOD, extra=b""):
    return (
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n%s\r\n%s" % (len(body), extra, body)
    )


def test_s08_pipelining(port):
    """Requests sent at once are answered one by one, in order."""
    assert [200] * 5 == _talk(port, _request() * 5, answers=5)


@pytest.mark.parametrize(
    "data",
    [
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n0\r\n\r\n" + GOOD,
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Content-Length: 6\r\nContent-Type: application/json\r\n\r\n" + GOOD,
        b"GARBAGE\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    ],
    ids=["both-lengths", "two-lengths", "garbage", "long-header"],
)
def test_s08_smuggling(port, data):
    """Two lengths, garbage and endless headers give one refusal, and no second answer."""
    found = _talk(port, data)

    assert 200 not in found
    assert [200] == _talk(port, _request())


def test_s08_slow_and_absent_clients(port):
    """Clients that stall or leave do not keep the others from their answers."""
    stalled = []
    for _ in range(50):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.sendall(_request()[:120])
        stalled.append(connection)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(_request())

    assert [200] == _talk(port, _request())
    for connection in stalled:
        connection.close()
    assert [200] == _talk(port, _request())


def test_s08_many_rows(port):
    """A large request is answered whole."""
    rows = np.random.default_rng(0).normal(size=(20_000, 3)).tolist()
    body = json.dumps({"columns": NAMES, "instances": rows}).encode()
    request = urllib.request.Request(  # noqa: S310
        f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        assert 20_000 == len(json.loads(answer.read())["predictions"])
