"""`mlflow backup` and `mlflow restore`."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

import mlflow
from mlflow.cli import cli
from mlflow.store import locate


@pytest.fixture(autouse=True)
def nothing_open():
    yield
    locate.forget()


@pytest.fixture
def database(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    with mlflow.start_run():
        mlflow.log_metric("loss", 0.5)
        mlflow.log_text("content", "a/b.txt")
    return uri


def run(*args, **options):
    return CliRunner().invoke(cli, list(args), **options)


def test_there_and_back(database, tmp_path):
    saved, new = str(tmp_path / "saved"), f"sqlite:///{tmp_path}/new.db"

    made = run("backup", database, saved)
    checked = run("restore", saved, new, "--check")
    refused = run("restore", saved, new)
    shutil.rmtree("mlruns")
    restored = run("restore", saved, new, "--yes")

    assert made.exit_code == 0, made.output
    assert f"The backup is in {saved}." in made.stdout
    assert "Every file is what it was." in checked.stdout
    assert refused.exit_code == 1
    assert "--no-artifacts" in refused.stderr
    assert restored.exit_code == 0, restored.output
    mlflow.set_tracking_uri(new)
    (found,) = mlflow.search_runs(output_format="list")
    assert found.data.metrics == {"loss": 0.5}
    assert mlflow.artifacts.load_text(f"{found.info.artifact_uri}/a/b.txt") == "content"


def test_without_artifacts(database, tmp_path):
    run("backup", database, str(tmp_path / "saved"))

    found = run(
        "restore", str(tmp_path / "saved"), f"sqlite:///{tmp_path}/new.db", "--no-artifacts"
    )

    assert found.exit_code == 0, found.output
    assert "Artifacts will be written" not in found.stderr


def test_damage(database, tmp_path):
    run("backup", database, str(tmp_path / "saved"))
    (tmp_path / "saved" / "records" / "store.db").write_bytes(b"other")

    found = run("restore", str(tmp_path / "saved"), f"sqlite:///{tmp_path}/new.db", "--yes")

    assert found.exit_code == 1
    assert "is damaged: records/store.db is not what it was" in found.stderr
    assert not (tmp_path / "new.db").exists()


def test_artifacts_elsewhere_are_told(tmp_path):
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.MlflowClient().create_run(mlflow.create_experiment("x", "s3://bucket/x"))

    found = run("backup", f"sqlite:///{tmp_path}/mlflow.db", str(tmp_path / "saved"))

    assert found.exit_code == 0, found.output
    assert "not in the backup: artifacts of 1 run(s), models or experiments at s3:" in found.stderr
