"""Artifacts of the active run."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException


def _read(run, path: str) -> str:
    return mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/{path}")


def test_files_and_folders():
    os.makedirs("data/in")
    Path("data/in/a.txt").write_text("a")
    Path("b.txt").write_text("b")
    with mlflow.start_run() as run:
        mlflow.log_artifact("b.txt")
        mlflow.log_artifact(Path("b.txt"), "deep/er")
        mlflow.log_artifact("data")
        mlflow.log_artifact("data/", "under")
        mlflow.log_artifacts("data", "flat")

    for path in ("b.txt", "deep/er/b.txt"):
        assert _read(run, path) == "b"
    for path in ("data/in/a.txt", "under/data/in/a.txt", "flat/in/a.txt"):
        assert _read(run, path) == "a"
    client = mlflow.MlflowClient()
    assert [one.path for one in client.list_artifacts(run.info.run_id, "deep")] == ["deep/er"]


def test_text_dicts_and_streams():
    value = {"b": 1, "a": [1, "ä"]}
    with mlflow.start_run() as run:
        mlflow.log_text("ä\r\n", "t.txt")
        mlflow.log_stream(BytesIO(b"bytes"), "s.bin")
        for name in ("d.json", "d.yaml", "d.yml", "d.other", "d"):
            mlflow.log_dict(value, name)

    assert _read(run, "t.txt") == "ä\r\n"
    assert _read(run, "s.bin") == "bytes"
    assert _read(run, "d.json") == _read(run, "d.other") == _read(run, "d")
    assert _read(run, "d.json").startswith('{\n  "b": 1,')
    assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/d.json") == value
    assert yaml.safe_load(_read(run, "d.yaml")) == yaml.safe_load(_read(run, "d.yml")) == value
    assert _read(run, "d.yaml").startswith("a:\n- 1\n")


def test_another_run_may_be_named():
    with mlflow.start_run() as one:
        pass
    mlflow.log_text("x", "t.txt", run_id=one.info.run_id)

    assert mlflow.active_run() is None
    assert _read(one, "t.txt") == "x"


def test_the_uri_of_artifacts():
    with mlflow.start_run() as run:
        assert mlflow.get_artifact_uri() == run.info.artifact_uri
        assert mlflow.get_artifact_uri("a/b") == f"{run.info.artifact_uri}/a/b"
        with pytest.raises(MlflowException):
            mlflow.get_artifact_uri("../x")


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "..", "a\\b"])
def test_paths_that_lead_elsewhere_are_refused(path):
    Path("f").write_text("x")
    with mlflow.start_run() as run:
        client = mlflow.MlflowClient()
        for call in (
            lambda: mlflow.log_text("x", path),
            lambda: mlflow.log_artifact("f", path),
            lambda: mlflow.log_dict({}, path),
            lambda: client.list_artifacts(run.info.run_id, path),
            lambda: client.download_artifacts(run.info.run_id, path),
        ):
            with pytest.raises(MlflowException) as caught:
                call()
            assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_missing_files_are_reported():
    with mlflow.start_run(), pytest.raises(FileNotFoundError):
        mlflow.log_artifact("nowhere")
