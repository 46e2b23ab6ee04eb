"""URIs that programs may write into records, and those that they may not."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException

from .asking import Client

API = "/api/2.0/mlflow/"

LOCATIONS = [
    "http:///?/../../../etc/", "http:///#/../../etc/", "http://host#/../../etc/",
    "http://h/;/../../etc", "http://u:p@h/", "http://h:99999/", "http://[::1/", "ht\ttp://h",
    "s3://b/a\nb", "s3://b/../../x", "s3://b/%2e%2e/x", "s3://b/%252e%252e/x", "gs://b//x",
    "wasbs://evil@acct/..", "mlflow-artifacts://evil/x", "mlflow-artifacts:/../..",
    "file:///a/../etc", "/a/../etc", "a\\..\\etc", "s3://b/%5c..%5cx",
]  # fmt: skip
LEGAL = ["s3://bucket/path", "wasbs://box@account.blob.core.windows.net/path", "/data/artifacts",
         "file:///data/a%20b", "http://host:5000/api/2.0/mlflow-artifacts/artifacts/x",
         "mlflow-artifacts:/x", "dbfs:/x", "hdfs://name:8020/x", "s3://bucket"]  # fmt: skip
SOURCES = [
    "file:///etc", "file:etc", "FILE:///etc", "file://localhost/etc", "file://evil/etc", "/etc",
    "//proc/self/root", "//./etc", " ", ".", "..", "gopher://x", "jar:file:/x", "{home}/../x",
    "{home}2", "s3://other/../x", "mlflow-artifacts:/../..", "runs:/r/../x", "runs://evil/r/x",
    "models:/a/1/../../b/1", "models:/", "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("uri", LOCATIONS)
def test_locations_that_lead_elsewhere(client, uri):
    answer = client.post("experiments/create", {"name": "theirs", "artifact_location": uri})

    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)
    assert ["Default"] == [one.name for one in client.store.search_experiments()]


@pytest.mark.parametrize("uri", LEGAL)
def test_locations_that_people_have(client, uri):
    made = client.post("experiments/create", {"name": "ours", "artifact_location": uri})

    assert uri == client.store.get_experiment(made.json["experiment_id"]).artifact_location


@pytest.fixture
def run(client, tmp_path):
    """A run whose artifacts are in a local folder."""
    uri = str(tmp_path / "home")
    made = client.post("experiments/create", {"name": "local", "artifact_location": uri})
    run = client.post("runs/create", {"experiment_id": made.json["experiment_id"]}).json["run"]
    client.post("registered-models/create", {"name": "m"})
    return run["info"]


@pytest.mark.parametrize("tags", [[], [{"key": "mlflow.prompt.is_prompt", "value": "true"}]])
@pytest.mark.parametrize("source", SOURCES)
def test_sources_outside_of_the_run(client, run, source, tags):
    """No tag changes what is checked."""
    body = {"name": "m", "source": source.format(home=run["artifact_uri"]), "tags": tags}
    for extra in ({}, {"run_id": run["run_id"]}):
        answer = client.post("model-versions/create", {**body, **extra})
        assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.code)
    assert [] == client.store.search_model_versions("name = 'm'", 10)


def test_sources_that_people_have(client, run):
    inside = f"{run['artifact_uri']}/model"
    given = {"name": "m", "run_id": run["run_id"]}
    for source in (inside, f"file://{inside}", "s3://bucket/model", "mlflow-artifacts:/0/r/model",
                   f"runs:/{run['run_id']}/model"):  # fmt: skip
        answer = client.post("model-versions/create", {**given, "source": source})
        assert 200 == answer.status, answer.body


def test_sources_that_an_operator_wants(monkeypatch):
    monkeypatch.setenv("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX", r"bucket/\d+")
    with Client() as client:
        client.post("registered-models/create", {"name": "m"})
        told = [
            client.post("model-versions/create", {"name": "m", "source": source})
            for source in ("s3://bucket/x", "s3://bucket/7/model", "runs:/r/bucket/7")
        ]

    assert [400, 200, 200] == [answer.status for answer in told]
    assert "Invalid model version source: 's3://bucket/x'" in told[0].json["message"]


def test_a_pattern_that_is_none(monkeypatch):
    """The server does not start, instead of taking everything."""
    monkeypatch.setenv("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX", "(")
    with pytest.raises(MlflowException, match=r"no regular expression: '\('"), Client():
        pass
