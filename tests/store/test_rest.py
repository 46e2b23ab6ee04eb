"""The store behind a server: what it sends, and what it makes of answers."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

from mlflow.api.table import OPERATIONS
from mlflow.entities.run import Metric, RunTag
from mlflow.exceptions import MlflowException, RestException
from mlflow.server.app import ServerApp
from mlflow.store import locate
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.base import AbstractStore
from mlflow.store.local import LocalStore
from mlflow.store.rest import RestStore
from tests.server.serving import Served
from tests.transport.raw import OK, Raw, answer

RUN = json.dumps(
    {"run": {"info": {"run_id": "r", "experiment_id": "0", "status": "RUNNING"}}}
).encode()
REPLAYS = "X-Millstream-Replay: 1"


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    monkeypatch.setattr("mlflow.transport.client.time.sleep", lambda seconds: None)


@pytest.fixture
def store():
    """A store behind a real server, and the one in it."""
    local = LocalStore(MemoryBackend())
    with Served(ServerApp(local)) as server:
        made = RestStore(server.uri)
        made.local = local
        yield made
        made.close()


def sent(request):
    head, _, body = request.partition("\r\n\r\n")
    return head.split(" HTTP/1.1")[0], json.loads(body) if body else None


def key_of(request):
    return next(line for line in request.split("\r\n") if line.startswith("Idempotency-Key: "))


def create_run(store):
    return store.create_run("0", "ada", 1, [], "n")


# --- the methods ---------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_methods_look_like_those_of_the_contract(op):
    """Signature, name and words."""
    made, declared = getattr(RestStore, op.name), getattr(AbstractStore, op.name)

    assert made is not declared
    assert inspect.signature(declared) == inspect.signature(made)
    assert (declared.__name__, declared.__doc__) == (made.__name__, made.__doc__)


@pytest.mark.parametrize(
    "call",
    [lambda s: s.get_run(), lambda s: s.get_run("a", "b"), lambda s: s.get_run(run="a"),
     lambda s: s.get_run("a", run_id="a"), lambda s: s.set_tag("a"),
     lambda s: s.search_experiments(1, 2, 3, 4, 5, 6)],
)  # fmt: skip
def test_wrong_calls_are_wrong(call):
    """As with any method."""
    with pytest.raises(TypeError):
        call(RestStore("http://127.0.0.1:9"))


def test_no_operation_is_written_by_hand():
    """All are made from the table."""
    by_hand = {name for name in vars(RestStore) if not name.startswith("_")}

    assert {op.name for op in OPERATIONS} | {"close", "impatient", "takes_ids"} == by_hand


def test_requests():
    """A query for what is read, a body for what is written, names in the path in both places."""
    with Raw(answer(200, RUN), OK, OK, OK, answer(200, b"{}")) as server:
        store = RestStore(server.uri)
        store.get_run("r")
        store.set_logged_model_tags("m-1", [])
        store.delete_logged_model_tag("m-1", "a/b ä")
        store.log_batch("r", [Metric("m", 1.0, 2, 3)], [], [RunTag("a", 1)])
        store.search_experiments(max_results=5, order_by=["name ASC", "id"])
        store.close()

    assert [
        ("GET /api/2.0/mlflow/runs/get?run_id=r", None),
        ("PATCH /api/2.0/mlflow/logged-models/m-1/tags", {"model_id": "m-1", "tags": []}),
        ("DELETE /api/2.0/mlflow/logged-models/m-1/tags/a%2Fb%20%C3%A4",
         {"model_id": "m-1", "tag_key": "a/b ä"}),
        ("POST /api/2.0/mlflow/runs/log-batch",
         {"run_id": "r", "metrics": [{"key": "m", "value": 1.0, "timestamp": 2, "step": 3}],
          "params": [], "tags": [{"key": "a", "value": "1"}]}),
        ("POST /api/2.0/mlflow/experiments/search",
         {"max_results": 5, "order_by": ["name ASC", "id"], "view_type": "ACTIVE_ONLY"}),
    ] == [
        (line, json.loads(body.encode("latin-1").decode()) if body else None)
        for line, body in ((sent(r)[0], r.partition("\r\n\r\n")[2]) for r in server.requests)
    ]  # fmt: skip


def test_one_request_a_call(store, monkeypatch):
    """Neither look-ups before nor looks after."""
    run = create_run(store).info.run_id
    asked = []
    real = store._transport.request
    monkeypatch.setattr(
        store._transport, "request", lambda *a, **k: asked.append(a[1]) or real(*a, **k)
    )
    store.log_metric_value(run, "m", 1.0, 1, 0)
    store.log_batch(run, [Metric("m", 2.0, 2, 1)], [], [])
    store.set_tag(run, RunTag("a", "b"))
    store.get_run(run)

    assert 4 == len(asked)


# --- answers -------------------------------------------------------------------------------------


def test_refusals_are_those_of_the_server(store):
    """An exception of MLflow, with the code in its text, as its clients expect."""
    store.create_experiment("x")
    with pytest.raises(RestException, match="^RESOURCE_ALREADY_EXISTS: ") as caught:
        store.create_experiment("x")

    assert "RESOURCE_ALREADY_EXISTS" == caught.value.error_code
    assert store.get_experiment_by_name("nobody") is None
    with pytest.raises(RestException, match="RESOURCE_DOES_NOT_EXIST"):
        store.get_experiment("77")


@pytest.mark.parametrize(
    ("reply", "words", "code"),
    [(answer(404, b"<html>"), "failed with error code 404 != 200", "ENDPOINT_NOT_FOUND"),
     (answer(401, b""), "failed with error code 401", "UNAUTHENTICATED"),
     (answer(418, b"{}"), "failed with error code 418", "INTERNAL_ERROR"),
     (answer(200, b"<html>"), "no JSON object", "INTERNAL_ERROR"),
     (answer(200, b"[]"), "no JSON object", "INTERNAL_ERROR"),
     (answer(200, b"{}"), "cannot be read", "INTERNAL_ERROR"),
     (answer(200, b'{"run": {"info": {"run_id": 3}}}'), "run.info.run_id", "INTERNAL_ERROR"),
     (answer(200, b"[" * 100_000), "no JSON object", "INTERNAL_ERROR"),
     (answer(302, b"", "Location: https://other.example/"), "https://other.example/",
      "INTERNAL_ERROR")],
)  # fmt: skip
def test_answers_that_are_none(reply, words, code):
    """Are told apart from refusals, whatever a server sends."""
    with Raw(reply) as server:
        store = RestStore(server.uri)
        with pytest.raises(MlflowException) as caught:
            store.get_run("r")
        store.close()

    assert words in caught.value.message
    assert code == caught.value.error_code


@pytest.mark.parametrize("body", [b"", b"  ", b"{}"])
def test_nothing_to_say(body):
    """An empty answer is an empty object."""
    with Raw(answer(200, body)) as server:
        store = RestStore(server.uri)
        assert store.delete_run("r") is None
        store.close()


def test_credentials_do_not_follow_to_another_server(monkeypatch):
    """A redirect is told, not followed."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")
    with Raw(OK) as other:
        moved = answer(307, b"", f"Location: {other.uri}/api")
        with Raw(moved) as server:
            store = RestStore(server.uri)
            with pytest.raises(MlflowException, match="use that address"):
                store.get_run("r")
            store.close()
        assert [] == other.requests


def test_text_that_is_none():
    """Is refused before it is sent."""
    with Raw() as server:
        store = RestStore(server.uri)
        for call in (
            lambda: store.set_tag("r", RunTag("a", "\ud800")),
            lambda: store.get_run("\ud800"),
        ):
            with pytest.raises(MlflowException, match="not valid Unicode"):
                call()


# --- writes that are sent again ------------------------------------------------------------------


def test_every_write_has_a_key_of_its_own(store):
    """A key is never used for two calls."""
    with Raw(answer(200, RUN), answer(200, RUN), OK) as server:
        other = RestStore(server.uri)
        create_run(other)
        create_run(other)
        other.log_metric("r", Metric("m", 1.0, 1, 0))
        other.close()

    assert 3 == len({key_of(request) for request in server.requests})


def test_a_lost_answer_of_our_server():
    """The write is sent again with its key, whatever it is."""
    with Raw(answer(200, RUN, REPLAYS), b"", answer(200, RUN)) as server:
        store = RestStore(server.uri)
        store.get_run("r")
        assert "r" == create_run(store).info.run_id
        store.close()

    assert key_of(server.requests[1]) == key_of(server.requests[2])


def test_a_lost_answer_of_a_server_that_is_not_known_yet():
    """It is asked what it is first."""
    with Raw(b"", answer(200, b"3.17.2", REPLAYS), answer(200, RUN)) as server:
        store = RestStore(server.uri)
        assert "r" == create_run(store).info.run_id
        store.close()

    assert "GET /version" == sent(server.requests[1].partition("\r\n\r\n")[0])[0]
    assert key_of(server.requests[0]) == key_of(server.requests[2])


def test_a_lost_answer_of_another_server():
    """A run is not started twice; a point is the same point however often it is sent."""
    with Raw(b"", answer(200, b"3.17.2"), b"", OK) as server:
        store = RestStore(server.uri)
        with pytest.raises(MlflowException, match="not known whether the server did it"):
            create_run(store)
        store.log_metric("r", Metric("m", 1.0, 1, 0))
        store.close()

    assert 4 == len(server.requests)


def test_no_run_is_doubled(store, monkeypatch):
    """The server did it, and the connection broke before it could say so."""
    real = store._transport._once
    broken = []

    def breaks(*arguments):
        answer = real(*arguments)
        if not broken and arguments[0] == "POST":
            broken.append(1)
            raise_lost()
        return answer

    monkeypatch.setattr(store._transport, "_once", breaks)
    run = create_run(store)

    assert [1] == broken
    assert [run.info.run_id] == [one.info.run_id for one in store.local.search_runs(["0"], None, 1)]


def raise_lost():
    from mlflow.transport.client import LostError

    raise LostError("broken")


# --- places --------------------------------------------------------------------------------------


def test_addresses_lead_here():
    """One store a server."""
    try:
        store = locate.tracking("http://127.0.0.1:9")
        assert isinstance(store, RestStore)
        assert store is locate.tracking("http://127.0.0.1:9")
        assert store is locate.registry("http://127.0.0.1:9")
        assert isinstance(locate.registry("https://h.example", "http://127.0.0.1:9"), RestStore)
        assert "RestStore('https://h.example')" == repr(locate.tracking("https://ada:pw@h.example"))
    finally:
        locate.forget()


def test_a_registry_here_of_runs_there(store):
    """A version may name a logged model of the server."""
    model = store.create_logged_model("0", "m")
    registry = LocalStore(MemoryBackend(), store)
    registry.create_registered_model("M")
    made = registry.create_model_version("M", f"models:/{model.model_id}", model_id=model.model_id)

    assert "1" == made.version
    tags = store.get_logged_model(model.model_id).tags
    assert '[{"name": "M", "version": 1}]' == tags["mlflow.modelVersions"]


def test_what_the_first_request_loads():
    """No data library and no second HTTP library."""
    script = (
        "import sys, mlflow.store.rest\n"
        "print(sorted({'numpy', 'pandas', 'requests', 'starlette', 'uvicorn', 'asyncio', 'yaml'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "[]" == done.stdout.strip()
