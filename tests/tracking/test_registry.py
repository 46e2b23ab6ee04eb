"""Registering models, finding them again by every kind of URI."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


@pytest.fixture
def run():
    with mlflow.start_run() as made:
        mlflow.log_text("model", "plain/MLmodel")
    return made


def _text(uri: str) -> str:
    return Path(mlflow.artifacts.download_artifacts(uri), "MLmodel").read_text()


def test_a_folder_of_a_run_becomes_version_after_version(run, capsys):
    uri = f"runs:/{run.info.run_id}/plain"
    first = mlflow.register_model(uri, "wine", tags={"a": 1})
    second = mlflow.register_model(uri, "wine")

    assert (first.version, second.version, first.tags) == ("1", "2", {"a": "1"})
    assert first.run_id == run.info.run_id
    err = capsys.readouterr().err
    assert "Successfully registered model 'wine'." in err
    assert "Registered model 'wine' already exists." in err
    assert _text("models:/wine/1") == "model"


def test_a_logged_model_is_registered_by_name_and_by_id():
    with mlflow.start_run() as run:
        model = mlflow.initialize_logged_model("forest")
        Path("MLmodel").write_text("forest")
        MlflowClient().log_model_artifact(model.model_id, "MLmodel")
        mlflow.finalize_logged_model(model.model_id, "READY")

    for uri in (f"runs:/{run.info.run_id}/forest", f"models:/{model.model_id}"):
        version = mlflow.register_model(uri, "wine")
        assert version.model_id == model.model_id
        assert version.source == f"models:/{model.model_id}"
        assert _text(f"models:/wine/{version.version}") == "forest"


def test_every_way_to_name_a_version(run):
    client = MlflowClient()
    uri = f"runs:/{run.info.run_id}/plain"
    for _ in range(3):
        mlflow.register_model(uri, "wine")
    client.set_registered_model_alias("wine", "best", "2")
    client.transition_model_version_stage("wine", "1", "production")

    for one in (
        "wine/1",
        "wine/latest",
        "wine/LATEST",
        "wine@best",
        "wine/Production",
        "wine/PRODUCTION",
    ):
        assert _text(f"models:/{one}") == "model"
    assert mlflow.artifacts.load_text("models:/wine@best/MLmodel") == "model"
    assert mlflow.artifacts.load_text("models:/wine/2/MLmodel") == "model"
    for one in ("wine/9", "wine/Staging", "none/1", "none"):
        with pytest.raises(MlflowException):
            _text(f"models:/{one}")
    with pytest.raises(MlflowException, match="alias"):
        _text("models:/wine@worst")


def test_nothing_is_registered_from_where_nothing_is(run):
    with pytest.raises(MlflowException, match="There is no model at"):
        mlflow.register_model(f"runs:/{run.info.run_id}/nothing", "wine")

    assert mlflow.search_registered_models() == []


def test_searches_and_tags(run):
    uri = f"runs:/{run.info.run_id}/plain"
    for name in ("a", "b"):
        mlflow.register_model(uri, name)
    mlflow.set_model_version_tag("a", "1", "k", "v")

    assert [one.name for one in mlflow.search_registered_models()] == ["a", "b"]
    assert [one.name for one in mlflow.search_registered_models(max_results=1)] == ["a"]
    found = mlflow.search_model_versions(filter_string="name = 'a'")
    assert [(one.name, one.tags) for one in found] == [("a", {"k": "v"})]
    with pytest.raises(MlflowException, match="version or stage must be set"):
        mlflow.set_model_version_tag("a")


def test_copies_and_removal(run):
    client = MlflowClient()
    mlflow.register_model(f"runs:/{run.info.run_id}/plain", "a")
    copy = client.copy_model_version("models:/a/1", "b")
    assert (copy.name, copy.version) == ("b", "1")
    assert _text("models:/b/1") == "model"
    client.delete_model_version("a", "1")
    assert client.search_model_versions("name = 'a'") == []
    client.delete_registered_model("a")
    with pytest.raises(MlflowException):
        client.get_registered_model("a")
    with pytest.raises(MlflowException, match="no new field values"):
        client.update_model_version("b", "1")


def _log_and_register() -> list[str]:
    """Register a folder of a run and a logged model; return the URIs that lead to them."""
    with mlflow.start_run() as run:
        mlflow.log_text("model", "plain/MLmodel")
        model = mlflow.initialize_logged_model("forest")
        Path("MLmodel").write_text("model")
        MlflowClient().log_model_artifact(model.model_id, "MLmodel")
        mlflow.finalize_logged_model(model.model_id, "READY")
    mlflow.register_model(f"runs:/{run.info.run_id}/plain", "wine")
    mlflow.register_model(f"models:/{model.model_id}", "wine")
    return ["models:/wine/1", "models:/wine/2", f"models:/{model.model_id}"]


@pytest.mark.parametrize("way", [shutil.move, shutil.copytree])
def test_versions_of_a_moved_or_copied_store_are_in_it(tmp_path, way):
    """Files keep absolute paths, as MLflow writes them; what counts is where the store is now."""
    old, new = tmp_path / "old" / "mlruns", tmp_path / "new" / "mlruns"
    mlflow.set_tracking_uri(old)
    uris = _log_and_register()
    way(old, new)
    mlflow.set_tracking_uri(new)

    for uri in uris:
        path = Path(mlflow.artifacts.download_artifacts(uri))
        assert path.is_relative_to(new)
        assert (path / "MLmodel").read_text() == "model"
    source = MlflowClient().get_model_version("wine", "1").source
    assert source is not None
    assert source.startswith(new.as_uri())
