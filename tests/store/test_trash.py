"""What can be removed for good, in which order, with which files."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from mlflow.store.trash import EXPERIMENT, LOGGED_MODEL, RUN, Files, Item, files_of, planned, purge


@pytest.fixture
def store():
    return LocalStore(MemoryBackend())


def deleted_run(store, experiment="0"):
    run_id = store.create_run(experiment, "u", 1, [], "r").info.run_id
    store.delete_run(run_id)
    return run_id


def test_everything_that_was_deleted(store):
    """Experiments after what is in them; nothing that is active."""
    experiment = store.create_experiment("e")
    model = store.create_logged_model(experiment, "m").model_id
    run_id = store.create_run(experiment, "u", 1, [], "r").info.run_id
    store.create_run("0", "u", 1, [], "kept")
    store.delete_logged_model(model)
    store.delete_experiment(experiment)

    plan = planned(store)

    assert [Item(RUN, run_id), Item(LOGGED_MODEL, model), Item(EXPERIMENT, experiment)] == plan
    assert [] == planned(store, 60_000)
    for item in plan:
        purge(store, item)
    assert [] == planned(store)


def test_named_ones(store):
    """An experiment comes with its runs, each once; what is active is refused."""
    experiment = store.create_experiment("e")
    run_id = deleted_run(store, experiment)
    other = deleted_run(store)
    store.delete_experiment(experiment)

    plan = planned(store, runs=[run_id], experiments=[experiment])

    assert [Item(RUN, run_id), Item(EXPERIMENT, experiment)] == plan
    assert [] == planned(store, runs=[])
    with pytest.raises(MlflowException, match="Experiment 0 is not deleted"):
        planned(store, runs=[other], experiments=["0"])


def test_whose_files_they_are(store):
    """Those in a folder of the run itself go with it."""
    run_id = deleted_run(store)
    files = files_of(store, Item(RUN, run_id))

    assert files.location.endswith(f"/{run_id}/artifacts")
    assert files.are_its_own
    assert not Files("/data/all/artifacts", f"{run_id}/artifacts").are_its_own
    assert not Files(f"/data/{run_id}/artifacts/../..", f"{run_id}/artifacts").are_its_own
