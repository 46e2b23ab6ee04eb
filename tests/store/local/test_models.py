"""Rules for models that the contract suite does not see."""

from __future__ import annotations

import pytest

from mlflow.entities import LoggedModelTag
from mlflow.exceptions import MlflowException
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore


@pytest.fixture
def store():
    return LocalStore(MemoryBackend())


def test_location_is_the_runs_own_only_in_its_experiment(store):
    """A model of one experiment is not kept in the folder of a run of another."""
    other = store.create_experiment("other")
    run = store.create_run(other, "u", 1, [], "n").info
    there = store.create_logged_model("0", "m", run.run_id)
    here = store.create_logged_model(other, "m", run.run_id)

    assert there.artifact_location.endswith(f"/models/{there.model_id}/artifacts")
    assert here.artifact_location == f"{run.artifact_uri}/m"


def test_a_deleted_model_gives_its_folder_up(store):
    """Deleting asks for the name again; the files are the caller's."""
    run = store.create_run("0", "u", 1, [], "n").info
    first = store.create_logged_model("0", "m", run.run_id)
    store.delete_logged_model(first.model_id)
    again = store.create_logged_model("0", "m", run.run_id)
    assert again.artifact_location == first.artifact_location


def test_a_tag_that_cannot_be_read_starts_over(store):
    """A cut list of versions is replaced, not added to."""
    model = store.create_logged_model("0", "m").model_id
    store.set_logged_model_tags(model, [LoggedModelTag("mlflow.modelVersions", "[{cut")])
    store.set_model_versions_tags("r", "1", model)
    tag = store.get_logged_model(model).tags["mlflow.modelVersions"]
    assert tag == '[{"name": "r", "version": 1}]'


@pytest.mark.parametrize("source", ["models:/", "models:/a/b/c", "models:/x y/1/2"])
def test_sources_that_are_no_model_uri(store, source):
    store.create_registered_model("m")
    with pytest.raises(MlflowException):
        store.create_model_version("m", source)
    assert store.search_model_versions("name = 'm'") == []


@pytest.mark.parametrize("source", ["", None, "runs:/abc/model", "/a/b", "s3://x"])
def test_other_sources_are_kept(store, source):
    store.create_registered_model("m")
    assert store.create_model_version("m", source).source == source
    assert store.get_model_version_download_uri("m", "1") == (source or "")
