"""Operations over HTTP, asked as clients of all ages ask them."""

from __future__ import annotations

import json

import pytest

from .asking import ask


def make_run(client, **fields):
    body = {"experiment_id": "0", **fields}
    return client.post("runs/create", body).json["run"]["info"]["run_id"]


def test_fields_of_queries_and_bodies(client):
    """A GET is asked by query, or without one by body; the rest by body."""
    for found in (
        client.get("experiments/get", experiment_id="0"),
        client.ask("GET", "experiments/get", {"experiment_id": "0"}),
        client.ask("GET", "experiments/get", {"experimentId": "0"}),
    ):
        assert "Default" == found.json["experiment"]["name"]


def test_queries_are_in_snake_case_only(client):
    """As in MLflow."""
    answer = client.get("experiments/get", experimentId="0")

    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)


def test_repeated_parameters(client):
    """A list in a query is a parameter given several times."""
    client.post("registered-models/create", {"name": "M"})
    for stage in ("None", "Staging", "Production"):
        client.post("model-versions/create", {"name": "M", "source": "s3://b/x"})
        version = client.store.search_model_versions()[0].version
        client.store.transition_model_version_stage("M", version, stage, False)
    found = client.get(
        "registered-models/get-latest-versions", name="M", stages=["Staging", "Production"]
    )

    assert ["Production", "Staging"] == sorted(
        one["current_stage"] for one in found.json["model_versions"]
    )


def test_old_endpoints_and_names(client):
    """What clients of MLflow 1.x ask."""
    run_id = make_run(client)
    client.post("registered-models/create", {"name": "M"})

    assert ["Default"] == [
        one["name"] for one in client.get("experiments/list").json["experiments"]
    ]
    assert 200 == client.post("runs/log-metric", {
        "run_uuid": run_id, "key": "m", "value": 1, "timestamp": 1,
    }).status  # fmt: skip
    found = client.get("/api/2.0/preview/mlflow/runs/get", run_uuid=run_id).json["run"]
    assert run_id == found["info"]["run_uuid"] == found["info"]["run_id"]
    assert 1 == len(client.get("registered-models/list").json["registered_models"])


def test_metrics_in_every_form(client):
    """Numbers, text, NaN and infinities, and the literals that Python writes."""
    run_id = make_run(client)
    for step, value in enumerate(["1", "1.5", '"1.5"', '"NaN"', '"Infinity"', "NaN", "-Infinity"]):
        body = f'{{"run_id":"{run_id}","key":"m","value":{value},"timestamp":"1","step":"{step}"}}'
        assert 200 == client.post("runs/log-metric", body=body.encode()).status
    found = client.get("metrics/get-history", run_id=run_id, metric_key="m").json["metrics"]

    assert [1.0, 1.5, 1.5, "NaN", "Infinity", "NaN", "-Infinity"] == [one["value"] for one in found]
    assert {"key", "value", "timestamp", "step"} == found[0].keys()


@pytest.mark.parametrize("value", ["true", "[1]", '"x"', "{}", "1e999999999999999999999x"])
def test_bad_metrics_are_refused(client, value):
    """A value that is no number is not bent into one."""
    run_id = make_run(client)
    body = f'{{"run_id":"{run_id}","key":"m","value":{value},"timestamp":1}}'
    answer = client.post("runs/log-metric", body=body.encode())

    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)
    assert {} == client.get("metrics/get-history", run_id=run_id, metric_key="m").json


def test_a_bad_batch_writes_nothing(client):
    """One bad point refuses all."""
    run_id = make_run(client)
    good = {"key": "m", "value": 1, "timestamp": 1}
    answer = client.post("runs/log-batch", {
        "run_id": run_id, "metrics": [good, {**good, "timestamp": "x"}],
        "params": [{"key": "p", "value": "1"}],
    })  # fmt: skip

    assert "parameter 'metrics[1].timestamp'" in answer.json["message"]
    data = client.store.get_run(run_id).data
    assert ({}, {}) == (data.metrics, data.params)


def test_answers_have_the_shape_of_stock(client):
    """One field, in the protocol's order; nothing for what answers nothing."""
    run_id = make_run(client, run_name="n", tags=[{"key": "a", "value": "b"}])

    assert {} == client.post("runs/set-tag", {"run_id": run_id, "key": "k", "value": "v"}).json
    update = client.post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": "9"})
    assert ["run_uuid", "experiment_id", "run_name", "user_id", "status", "start_time", "end_time",
            "artifact_uri", "lifecycle_stage", "run_id"] == list(update.json["run_info"])  # fmt: skip
    assert "application/json" == update.headers["content-type"]
    assert "nosniff" == update.headers["x-content-type-options"]


def test_names_in_the_path(client):
    """They are fields; a body may repeat them, and does not overrule them."""
    model = client.post("logged-models", {"experiment_id": "0", "name": "n"}).json["model"]["info"]
    path = f"logged-models/{model['model_id']}"

    assert (
        200 == client.ask("PATCH", f"{path}/tags", {"tags": [{"key": "a/b", "value": "1"}]}).status
    )
    ready = {"status": "LOGGED_MODEL_READY", "model_id": "m-0"}
    assert model["model_id"] == client.ask("PATCH", path, ready).json["model"]["info"]["model_id"]
    assert 200 == client.ask("DELETE", f"{path}/tags/a%2Fb").status
    assert {} == client.store.get_logged_model(model["model_id"]).tags


@pytest.mark.parametrize(
    ("kind", "message"),
    [(None, "Content-Type header is missing."), ("text/plain", "must be one of"),
     ("application/jsonx", "must be one of")],
)  # fmt: skip
def test_bodies_say_that_they_are_json(client, kind, message):
    """What a form or a page of another site can send is refused."""
    answer = client.post("experiments/create", {"name": "x"}, kind=kind)

    assert 400 == answer.status
    assert message in answer.json["message"]
    assert client.store.get_experiment_by_name("x") is None


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_in_other_words(client, kind):
    """Parameters and case do not matter."""
    assert 200 == client.post("experiments/create", {"name": "x"}, kind=kind).status


def test_errors_are_those_of_mlflow(client):
    """Status, code, class and state."""
    answer = client.get("experiments/get-by-name", experiment_name="zz")

    assert 404 == answer.status
    assert {
        "error_code": "RESOURCE_DOES_NOT_EXIST",
        "message": "Could not find experiment with name 'zz'",
        "sqlstate": "KAM00",
        "error_class": "RESOURCE_NOT_FOUND",
    } == answer.json
    twice = [client.post("experiments/create", {"name": "x"}) for _ in range(2)][1]
    assert (400, "RESOURCE_ALREADY_EXISTS") == (twice.status, twice.code)


def test_many_at_once(client):
    """Requests do not wait for each other, and none is lost."""
    run_id = make_run(client)

    async def main():
        import asyncio

        return await asyncio.gather(*(
            ask(client.app, "POST", "runs/log-metric", {
                "run_id": run_id, "key": "m", "value": step, "timestamp": 1, "step": step,
            })
            for step in range(200)
        ))  # fmt: skip

    assert {200} == {answer.status for answer in client.run(main())}
    found = client.get("metrics/get-history", run_id=run_id, metric_key="m").json["metrics"]
    assert list(range(200)) == sorted(one["step"] for one in found)


def test_text_of_all_kinds(client):
    """What users write comes back as they wrote it."""
    text = "ä\u202e<script>\x1b[0m损失 ' \" \\ \u0000"
    run_id = make_run(client)
    client.post("runs/set-tag", {"run_id": run_id, "key": "t", "value": text})
    tags = client.get("runs/get", run_id=run_id).json["run"]["data"]["tags"]

    assert text in [tag["value"] for tag in tags]
    lone = json.dumps({"run_id": run_id, "key": "t", "value": "\ud800"}).encode()
    assert 400 == client.post("runs/set-tag", body=lone).status
