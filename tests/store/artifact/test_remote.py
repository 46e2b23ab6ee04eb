"""What users do, with artifacts in a bucket: models, commands, and their removal for good."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import mlflow
from mlflow.cli import cli
from tests.bucket_server import BUCKET, KEYS, bucket_server


@pytest.fixture(scope="module")
def running():
    with bucket_server() as made:
        yield made


@pytest.fixture
def experiment(running, monkeypatch):
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", running.address)
    return mlflow.create_experiment("bucket", artifact_location=f"s3://{BUCKET}/e")


def done(*arguments):
    result = CliRunner().invoke(cli, arguments)
    assert 0 == result.exit_code, result.output
    return result.output


def test_a_model_in_a_bucket(experiment):
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.pyfunc.log_model(
            name="double", python_model=lambda model_input: [2 * one for one in model_input]
        )
        mlflow.log_text("hello", "notes/a.txt")
    root = f"s3://{BUCKET}/e/{run.info.run_id}/artifacts"
    assert root == run.info.artifact_uri

    for uri in (f"{root}/double", f"runs:/{run.info.run_id}/double"):
        assert [2, 4] == list(mlflow.pyfunc.load_model(uri).predict([1, 2]))
    assert "hello" == mlflow.artifacts.load_text(f"{root}/notes/a.txt")
    listed = [one.path for one in mlflow.artifacts.list_artifacts(root)]
    assert ["artifacts/double", "artifacts/notes"] == listed


def test_commands(experiment, tmp_path):
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_text("hello", "notes/a.txt")
    run_id = run.info.run_id
    assert "notes/a.txt" in done("artifacts", "list", "-r", run_id, "-a", "notes")
    done("artifacts", "download", "-u", f"{run.info.artifact_uri}/notes", "-d", str(tmp_path))
    assert "hello" == (tmp_path / "notes" / "a.txt").read_text()

    mlflow.delete_run(run_id)
    done("gc", "--yes", "--run-ids", run_id)
    assert [] == mlflow.artifacts.list_artifacts(run.info.artifact_uri)
    done("doctor")
