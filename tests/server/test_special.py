"""The endpoints that are no operations."""

from __future__ import annotations

import pytest

from mlflow.entities.run import Dataset, DatasetInput, InputTag, Metric
from mlflow.exceptions import MlflowException


@pytest.fixture
def runs(client):
    """Two runs with a series each, the second of 1 000 points."""
    made = []
    for count in (3, 1000):
        run = client.store.create_run("0", "ada", 1, [], None).info.run_id
        points = [Metric("m", float(step), 1, step) for step in range(count)]
        client.store.log_batch(run, points, [], [])
        made.append(run)
    return made


def test_facts(client):
    """Health, version, what is offered."""
    assert (200, b"OK") == client.get("/health")[::2]
    assert b"3.17.2" == client.get("/version").body
    info = client.get("/api/3.0/mlflow/server-info").json
    assert ("FileStore", False) == (info["store_type"], info["workspaces_enabled"])
    assert "3.1.0" == client.get("/openapi.json").json["openapi"]
    page = client.get("/")
    assert (200, "text/html; charset=utf-8") == (page.status, page.headers["content-type"])


def test_series_of_several_runs(client, runs):
    """Every point says which run it is of; a run that is not there has none."""
    found = client.get("metrics/get-history-bulk", run_id=[*runs, "none"], metric_key="m")

    metrics = found.json["metrics"]
    assert 1003 == len(metrics)
    assert {"key": "m", "value": 0.0, "timestamp": 1, "step": 0, "run_id": runs[0]} == metrics[0]
    few = client.get("metrics/get-history-bulk", run_id=runs, metric_key="m", max_results=5)
    assert 5 == len(few.json["metrics"])
    assert {"metrics": []} == client.get(
        "metrics/get-history-bulk", run_id="none", metric_key="m"
    ).json


def test_thinned_series(client, runs):
    """Says that it was thinned, and keeps the ends."""
    found = client.get(
        "metrics/get-history-bulk-interval", run_ids=runs, metric_key="m", max_results=100
    ).json

    assert found["sampled"] is True
    steps = [one["step"] for one in found["metrics"] if one["run_id"] == runs[1]]
    assert (0, 999) == (steps[0], steps[-1])
    assert len(steps) <= 100
    assert [0, 1, 2] == [one["step"] for one in found["metrics"] if one["run_id"] == runs[0]]


def test_a_part_of_a_series(client, runs):
    """Between two steps, both included."""
    found = client.get(
        "metrics/get-history-bulk-interval", run_ids=runs[1], metric_key="m", start_step=10,
        end_step=12,
    ).json  # fmt: skip

    assert [10, 11, 12] == [one["step"] for one in found["metrics"]]
    assert "sampled" not in found
    assert (
        {} == client.get("metrics/get-history-bulk-interval", run_ids="none", metric_key="m").json
    )


@pytest.mark.parametrize(
    "query",
    [{}, {"run_ids": "r"}, {"metric_key": "m"}, {"run_ids": ["r"] * 101, "metric_key": "m"},
     {"run_ids": "r", "metric_key": "m", "max_results": 0},
     {"run_ids": "r", "metric_key": "m", "max_results": 2501},
     {"run_ids": "r", "metric_key": "m", "start_step": 1},
     {"run_ids": "r", "metric_key": "m", "start_step": 2, "end_step": 1},
     {"run_ids": "r", "metric_key": "m", "start_step": "x", "end_step": 1}],
)  # fmt: skip
def test_what_is_refused(client, query):
    """Without runs or key, too many of them, intervals that are none."""
    answer = client.get("metrics/get-history-bulk-interval", **query)

    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)


def test_datasets(client, runs):
    """Each dataset and use once."""
    dataset = Dataset("d", "x", "local", "{}")
    for run in runs:
        client.store.log_inputs(
            run,
            [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")]),
             DatasetInput(Dataset("e", "y", "local", "{}"), [])],
        )  # fmt: skip
    found = client.post("experiments/search-datasets", {"experiment_ids": ["0"]}).json

    assert [
        {"experiment_id": "0", "name": "d", "digest": "x", "context": "train"},
        {"experiment_id": "0", "name": "e", "digest": "y"},
    ] == sorted(found["dataset_summaries"], key=lambda one: one["name"])
    other = client.store.create_experiment("other")
    assert {} == client.post("experiments/search-datasets", {"experiment_ids": [other]}).json
    many = {"experiment_ids": [str(n) for n in range(21)]}
    assert 400 == client.post("experiments/search-datasets", many).status


def test_permissions_are_asked(client, runs):
    """These endpoints are no way around."""

    async def nobody(request, permission, arguments):
        raise MlflowException("Permission denied", "PERMISSION_DENIED")

    client.app.calls.permits = nobody
    query = {"run_ids": runs, "metric_key": "m"}
    assert 403 == client.get("metrics/get-history-bulk-interval", **query).status
    assert 403 == client.get("metrics/get-history-bulk", run_id=runs, metric_key="m").status
    assert 403 == client.post("experiments/search-datasets", {"experiment_ids": ["0"]}).status
