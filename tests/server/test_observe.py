"""Each request is noted once, with what it was and what became of it, and no secrets."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest

from mlflow.server.access import AccessGuard, Tokens
from mlflow.server.access_log import AccessLog
from mlflow.server.metrics import Metrics
from mlflow.server.observe import Observer

from .asking import Client

TOKEN = "a-token-of-more-than-20-characters"


@pytest.fixture
def noted(tmp_path):
    """A server with a token and a log; what it notes."""
    guards = [partial(AccessGuard, tokens=Tokens([TOKEN]))]
    log = AccessLog(str(tmp_path / "log"))
    with Client(guards=guards, log=log) as client:
        yield client, lambda: (client.app.close(), (tmp_path / "log").read_text())[1]


def test_a_line_a_request(noted):
    client, read = noted
    bearer = ("Authorization", f"Bearer {TOKEN}")
    body = {"name": "a secret name"}
    assert 200 == client.post("experiments/create", body, headers=[bearer]).status
    assert 401 == client.get("experiments/get", experiment_id="0").status
    assert 200 == client.get("/health").status
    answer = client.ask("GET", "/no/such", headers=[bearer], query={"password": "hush"})
    text = read()
    found = [json.loads(line) for line in text.splitlines()]

    assert [
        ("POST", "/api/2.0/mlflow/experiments/create", "create_experiment", 200),
        ("GET", "/api/2.0/mlflow/experiments/get", "refused", 401),
        ("GET", "/health", "/health", 200),
        ("GET", "/no/such", "unknown", 404),
    ] == [(one["method"], one["path"], one["operation"], one["status"]) for one in found]
    assert found[3]["bytes"] == len(answer.body)
    assert [True, False, False, True] == [bool(one["caller"]) for one in found]
    assert all(one["seconds"] >= 0 and one["client"] is None for one in found)
    assert not any(word in text for word in (TOKEN, "hush", "a secret name"))


def test_the_link_that_signs_in(noted):
    """What signs a browser in is in the query, which is not noted."""
    client, read = noted
    client.get("/login", code="one-time-code")
    text = read()

    assert '"path":"/login"' in text
    assert "one-time-code" not in text


def test_a_client_that_left():
    """A request that nobody waits for any more counts as one that was not answered."""
    metrics = Metrics()

    async def stuck(scope, receive, send):
        await asyncio.sleep(3600)

    async def main():
        scope = {"method": "GET", "type": "http", "path": "/", "raw_path": b"/"}
        asked = asyncio.ensure_future(Observer(stuck, metrics)(scope, None, None))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    asyncio.run(main())
    counts = metrics.counts()
    assert counts["mlflow_http_request_total"] == {("refused", "GET", "499"): 1}
    assert counts["mlflow_http_requests_in_progress"] == {(): 0}
