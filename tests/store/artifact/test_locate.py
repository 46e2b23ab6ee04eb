"""From the URI of an artifact to the place that keeps it."""

from __future__ import annotations

import importlib.metadata
import os
import time
from pathlib import Path

import pytest

from mlflow.entities.registry import ModelVersion
from mlflow.entities.run import RunInfo
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local import LocalArtifactRepository
from mlflow.store.artifact.locate import LATER, artifact_repository, locate, source_of
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore


@pytest.fixture
def store(tmp_path):
    made = LocalStore(FileBackend(str(tmp_path / "mlruns")))
    yield made
    made.close()


@pytest.fixture
def run(store):
    return store.create_run("0", "u", 1, [], "name")


def find(store, uri):
    place = locate(uri, store, store)
    return place.root, str(place.path)


def test_paths_and_file_uris_are_looked_up_in_the_folder_that_holds_them(store, tmp_path):
    assert find(store, f"{tmp_path}/a/b") == (f"{tmp_path}/a", "b")
    assert find(store, f"file://{tmp_path}/a%20b") == (str(tmp_path), "a b")
    assert find(store, "x") == (os.getcwd(), "x")
    assert find(store, "/x") == ("/", "x")
    assert find(store, "/") == ("/", "")
    assert find(store, f"{tmp_path}/a/../b") == (str(tmp_path), "b")


def test_a_local_place_can_be_read(store, tmp_path):
    (tmp_path / "a b").write_text("x")
    place = locate(f"file://{tmp_path}/a%20b", store, store)
    found = place.repository().download_artifacts(str(place.path))

    assert Path(found).read_text() == "x"
    assert place.uri == f"{tmp_path}/a b"


def test_artifacts_of_runs(store, run):
    root = run.info.artifact_uri

    assert find(store, f"runs:/{run.info.run_id}") == (root, "")
    assert find(store, f"runs:/{run.info.run_id}/a/b") == (root, "a/b")
    assert locate(f"runs:/{run.info.run_id}/a/b", store, store).uri == f"{root}/a/b"


def test_a_name_of_a_logged_model_of_the_run_is_that_model(store, run):
    run_id = run.info.run_id
    old = store.create_logged_model("0", "model", run_id)
    # Of two that were made in one millisecond neither is the newer one.
    while time.time_ns() // 1_000_000 <= old.creation_timestamp:
        time.sleep(0.001)
    new = store.create_logged_model("0", "model", run_id)
    place = locate(f"runs:/{run_id}/model/MLmodel", store, store)

    assert place.model_id == new.model_id != old.model_id
    assert (place.root, str(place.path)) == (new.artifact_location, "MLmodel")
    assert find(store, f"runs:/{run_id}/other/MLmodel")[1] == "other/MLmodel"
    # A name that would end the quoted text of the search is no name of a model.
    odd = f"runs:/{run_id}/model' OR name = 'model"
    assert locate(odd, store, store).model_id is None


def test_a_run_that_is_not_there_is_reported(store):
    with pytest.raises(MlflowException) as caught:
        locate("runs:/" + "0" * 32 + "/a", store, store)

    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_run_without_a_root_does_not_mean_the_working_folder():
    backend = MemoryBackend()
    backend.insert_run(RunInfo("a" * 32, "0", "u", "RUNNING", 1, None, "active", None), [])
    store = LocalStore(backend)

    with pytest.raises(MlflowException, match="says not where") as caught:
        locate("runs:/" + "a" * 32 + "/secret", store, store)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_logged_models_and_versions(store, run):
    model = store.create_logged_model("0", "model", run.info.run_id)
    store.create_registered_model("name")
    store.create_model_version("name", f"models:/{model.model_id}", model_id=model.model_id)
    store.create_model_version("name", "s3://bucket/a b")
    store.set_registered_model_alias("name", "champion", "1")

    for uri in (f"models:/{model.model_id}", "models:/name/1", "models:/name@champion"):
        assert find(store, uri) == (model.artifact_location, "")
        assert find(store, f"{uri}/MLmodel") == (model.artifact_location, "MLmodel")
        assert locate(uri, store, store).model_id == model.model_id
    assert find(store, "models:/name/latest/MLmodel") == ("s3://bucket/a b", "MLmodel")


def add_version(store, source):
    """A version as another program may have written it, whatever its source."""
    version = ModelVersion("name", "1", 1, source=source)
    store._backend.insert_model_version(version, None)


def test_versions_made_from_runs_and_from_versions_are_found(store, run):
    store.create_registered_model("name")
    add_version(store, f"runs:/{run.info.run_id}/a")
    add_version(store, "models:/name/1")

    for uri in ("models:/name/1/x", "models:/name/2/x"):
        assert find(store, uri) == (f"{run.info.artifact_uri}/a", "x")


def test_a_version_that_leads_to_itself_is_refused(store):
    store.create_registered_model("name")
    add_version(store, "models:/name/2")
    add_version(store, "models:/name/1")

    with pytest.raises(MlflowException, match="leads to itself"):
        locate("models:/name/1", store, store)


def test_other_uris_of_storage_are_taken_apart(store):
    assert find(store, "s3://bucket/a/b/") == ("s3://bucket/a", "b")


@pytest.mark.parametrize("uri", ["s3://b/../c", "s3://b/./c", "s3://b/c?x=y", "s3://b/c#d"])
def test_uris_of_storage_that_lead_elsewhere_are_refused(store, uri):
    with pytest.raises(MlflowException) as caught:
        locate(uri, store, store)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_sources_of_versions_outlive_the_tracking_uri(store, run):
    model = store.create_logged_model("0", "model", run.info.run_id)
    root = run.info.artifact_uri

    assert source_of(f"runs:/{run.info.run_id}/a", store) == (f"{root}/a", None)
    assert source_of(f"runs:/{run.info.run_id}/model", store) == (
        model.artifact_location, model.model_id,
    )  # fmt: skip
    uri = f"models:/{model.model_id}"
    assert source_of(uri, store) == (uri, model.model_id)
    assert source_of("models:/name/1", store) == ("models:/name/1", None)
    assert source_of("s3://bucket/a", store) == ("s3://bucket/a", None)


# ── the table of schemes ──


def test_local_places_have_a_repository(tmp_path):
    for uri in (str(tmp_path), f"file://{tmp_path}"):
        repository = artifact_repository(uri)
        assert isinstance(repository, LocalArtifactRepository)
        assert repository.artifact_dir == str(tmp_path)


@pytest.mark.parametrize("scheme", sorted(LATER))
def test_schemes_of_later_versions_say_so(scheme):
    with pytest.raises(MlflowException, match="not in this version") as caught:
        artifact_repository(f"{scheme}://host/path")

    assert LATER[scheme] in caught.value.message


def test_other_schemes_are_not_known():
    with pytest.raises(MlflowException, match="Could not find a registered artifact repository"):
        artifact_repository("nothing://host/path")


@pytest.mark.parametrize("arity", [1, 3])
def test_a_plug_in_is_asked_for_its_scheme(tmp_path, monkeypatch, arity):
    """An installed distribution names a class; older ones take the URI alone."""
    info = tmp_path / "plug_in-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[mlflow.artifact_repository]\nplugged = plug_in_{arity}:Files\n"
    )
    arguments = "self, uri" if arity == 1 else "self, uri, tracking_uri, registry_uri"
    (tmp_path / f"plug_in_{arity}.py").write_text(
        f"class Files:\n    def __init__({arguments}):\n        self.uri = uri\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    assert [one.name for one in importlib.metadata.entry_points(name="plugged")] == ["plugged"]
    assert artifact_repository("plugged://x", "t", "r").uri == "plugged://x"
