"""The addresses of the pages' data."""

from __future__ import annotations

import json

import pytest

from mlflow.exceptions import PERMISSION_DENIED, MlflowException

from ..asking import Client  # noqa: TID252 - tests are no package that could be named


@pytest.fixture
def client(sweep):
    with Client(sweep.store) as made:
        yield made


def ask(client, name, **body):
    return client.post(f"/ui-api/{name}", body)


def test_every_address_answers(client, sweep):
    """With JSON, never kept by a browser on its own account."""
    runs = {"experiments": [sweep.experiment], "columns": ["metrics.loss"], "by": ["params.lr"]}
    for name, body in (
        ("experiments", {}),
        ("activity", {"experiments": [sweep.experiment]}),
        ("runs", runs),
        ("summary", runs),
        ("groups", runs),
        ("points", runs),
        ("compare", {"runs": sweep.ids}),
        ("news", {"experiments": [sweep.experiment], "since": 0}),
        ("series", {"runs": sweep.ids, "keys": ["loss"]}),
    ):
        found = ask(client, name, **body)
        assert (200, "application/json", "no-store") == (
            found.status, found.headers["content-type"], found.headers["cache-control"],
        )  # fmt: skip
        assert found.json


def test_what_has_not_changed_is_not_sent(client, sweep):
    """The asker says what it has; the answer is empty until something happens."""
    body = {"experiments": [sweep.experiment], "columns": ["metrics.loss"]}
    first = client.post("/ui-api/runs", body)
    given = [("if-none-match", first.headers["etag"])]

    again = client.post("/ui-api/runs", body, headers=given)
    sweep.add(50)
    after = client.post("/ui-api/runs", body, headers=given)

    assert (304, b"") == (again.status, again.body)
    assert (200, 13) == (after.status, after.json["count"])


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"experiments": 5}', b'{"experiments": ["0"], "limit": "x"}',
     b"[" * 100_000, b'{"experiments": ["0"], "columns": ["nope"]}',
     b'{"experiments": ["0"], "where": "(("}', b"\xff\xfe"],
)  # fmt: skip
def test_nonsense_is_refused(client, body):
    """With the reason, and no stack trace."""
    found = client.post("/ui-api/runs", body=body)

    assert (400, "INVALID_PARAMETER_VALUE") == (found.status, found.code)
    assert "Traceback" not in found.json["message"]


def test_pages_of_other_sites_cannot_ask(client, sweep):
    """A form or plain text is no request of ours."""
    for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
        found = client.post("/ui-api/runs", {"experiments": ["0"]}, kind=kind)
        assert 400 == found.status
    assert 405 == client.get("/ui-api/runs").status


def test_permissions_are_asked(client, sweep):
    """With the experiments or runs that a request names."""
    asked = []

    async def refuse(request, permission, arguments):
        asked.append((permission.kind, json.dumps(arguments)))
        raise MlflowException("no", PERMISSION_DENIED)

    client.app.calls.permits = refuse

    assert 403 == ask(client, "summary", experiments=["7"]).status
    assert 403 == ask(client, "series", runs=["a"], keys=["b"]).status
    assert [("experiment", '{"experiment_ids": ["7"]}'), ("run", '{"run_ids": ["a"]}')] == asked


def test_one_screen_is_small(sweep):
    """A hundred rows of sixty columns are far below the budget of 150 kB, packed."""
    import zlib

    from mlflow.entities.run import Metric

    for number in range(100):
        run_id = sweep.add(200 + number)
        points = [Metric(f"m{at}", number / (at + 1), 1, 0) for at in range(60)]
        sweep.store.log_batch(run_id, points, [], [])
    with Client(sweep.store) as client:
        columns = [f"metrics.m{at}" for at in range(60)]
        found = ask(client, "runs", experiments=[sweep.experiment], columns=columns)

    assert 100 == found.json["count"]
    assert len(zlib.compress(found.body)) < 150_000
