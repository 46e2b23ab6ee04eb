"""`mlflow gc` removes what was deleted before, after saying so, and nothing else."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

import mlflow
from mlflow.cli import cli
from mlflow.cli.gc import age_in_millis, ids_of
from mlflow.entities.run import RunInfo
from mlflow.exceptions import MlflowException
from mlflow.store import locate
from mlflow.store.artifact.uris import local_path_of
from mlflow.tracking.active import tracking_store


def gc(*args, **options):
    return CliRunner().invoke(cli, ["gc", *args], **options)


@pytest.fixture(autouse=True, params=["files", "database"])
def store(request, tmp_path):
    """Everything here holds for every store."""
    if request.param == "database":
        mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    yield request.param
    locate.forget()


def runs(count, deleted=True):
    ids = []
    for _ in range(count):
        with mlflow.start_run() as run:
            mlflow.log_text("x", "a.txt")
        ids.append(run.info.run_id)
        if deleted:
            mlflow.delete_run(run.info.run_id)
    return ids


def exists(run_id):
    try:
        mlflow.get_run(run_id)
    except MlflowException:
        return False
    return True


def test_dry_run():
    """A dry run lists and keeps."""
    (gone,) = runs(1)
    found = gc("--dry-run")

    assert f"Run with ID {gone} will be permanently deleted." in found.stderr
    assert found.stdout == ""
    assert exists(gone)


def test_deleted_runs_go():
    """Deleted runs are removed; active ones stay."""
    gone, (kept,) = runs(2), runs(1, deleted=False)
    found = gc()

    assert sorted(
        f"Run with ID {run_id} has been permanently deleted." for run_id in gone
    ) == sorted(found.stdout.splitlines())
    assert [False, False, True] == [exists(run_id) for run_id in (*gone, kept)]


def test_named_runs():
    """Only the named ones go."""
    first, second = runs(2)
    gc("--run-ids", first)

    assert [False, True] == [exists(first), exists(second)]


def test_active_runs_are_refused():
    """What is not deleted cannot be removed; then nothing is."""
    (gone,), (active,) = runs(1), runs(1, deleted=False)
    found = gc("--run-ids", f"{gone},{active}")

    assert found.exit_code == 1
    assert exists(gone)
    assert exists(active)


def test_age():
    """What was deleted a moment ago is not old."""
    (gone,) = runs(1)
    gc("--older-than", "1d")

    assert exists(gone)


def test_experiments():
    """A deleted experiment goes with its runs."""
    number = mlflow.create_experiment("e")
    with mlflow.start_run(experiment_id=number) as run:
        pass
    mlflow.delete_experiment(number)
    listed = gc("--experiment-ids", number, "--dry-run").stderr.splitlines()
    found = gc("--experiment-ids", number, "--run-ids", run.info.run_id)

    gone = [f"Run with ID {run.info.run_id}", f"Experiment with ID {number}"]
    assert [f"{one} will be permanently deleted." for one in gone] == listed
    assert [f"{one} has been permanently deleted." for one in gone] == found.stdout.splitlines()
    assert not exists(run.info.run_id)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1d", 86_400_000), ("1d2h3m4s", 93_784_000), ("0.5h", 1_800_000), ("4s", 4000)],
)
def test_ages(text, expected):
    """Ages are days, hours, minutes and seconds."""
    assert expected == age_in_millis(text)


@pytest.mark.parametrize("text", ["", "1", "d", "-1d", "1d1d", "1h1d", "one day", "1d\n"])
def test_bad_ages(text):
    """Anything else is refused."""
    with pytest.raises(MlflowException):
        age_in_millis(text)


@pytest.mark.parametrize("text", ["../x", "1,../2", "/", "a/b", "a\\b", ".trash", "-x", "a\x00b"])
def test_what_is_no_id(text):
    """A path is not an id."""
    with pytest.raises(MlflowException, match="not an id"):
        ids_of(text)


def folder_of(run_id):
    return local_path_of(mlflow.get_run(run_id).info.artifact_uri)


def test_artifacts_go():
    """The artifacts of a run go with it, wherever its experiment keeps them."""
    (gone,), (kept,) = runs(1), runs(1, deleted=False)
    places = [folder_of(run_id) for run_id in (gone, kept)]
    gc()

    assert [False, True] == [os.path.exists(f"{place}/a.txt") for place in places]


def test_logged_models():
    """A deleted logged model goes with its files, and those of its run stay."""
    with mlflow.start_run() as run:
        mlflow.log_text("x", "a.txt")
        model = mlflow.initialize_logged_model("m")
    place = local_path_of(model.artifact_location)
    os.makedirs(place, exist_ok=True)
    with open(f"{place}/MLmodel", "w") as file:
        file.write("x")
    mlflow.MlflowClient().delete_logged_model(model.model_id)
    found = gc()

    assert f"Logged model with ID {model.model_id} has been permanently deleted.\n" == found.stdout
    assert not os.path.exists(f"{place}/MLmodel")
    assert os.path.exists(f"{folder_of(run.info.run_id)}/a.txt")


def strange_run(location):
    """Make a deleted run whose artifacts are said to be somewhere."""
    run_id = "e" * 32
    info = RunInfo(run_id, "0", "ada", "FINISHED", 1, 2, "active", location, "strange")
    tracking_store()._backend.insert_run(info, [])
    mlflow.delete_run(run_id)
    return run_id


def test_what_is_not_the_runs_stays(store, tmp_path):
    """A place that has nothing to do with the run is left alone, and the run goes."""
    if store == "files":  # which believes no such place
        mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/other.db")
    (tmp_path / "precious").write_text("x")
    run_id = strange_run(str(tmp_path))
    found = gc()

    assert found.exit_code == 0, found.output
    assert f"left alone: {tmp_path}" in found.stderr
    assert (tmp_path / "precious").exists()
    assert not exists(run_id)


def test_what_cannot_be_removed_stays(store):
    """Nobody would find the artifacts again once the run is gone."""
    run_id = strange_run(f"nowhere://x/{'e' * 32}/artifacts")
    found = gc()

    assert found.exit_code == 1
    assert f"Run with ID {run_id} stays" in found.stderr
    assert exists(run_id)


def test_artifacts_that_a_server_passes_on(tmp_path):
    """They are where the server keeps them."""
    run_id = strange_run(f"mlflow-artifacts:/0/{'e' * 32}/artifacts")
    place = tmp_path / "kept" / "0" / run_id / "artifacts"
    place.mkdir(parents=True)
    (place / "a.txt").write_text("x")
    found = gc("--artifacts-destination", str(tmp_path / "kept"))

    assert found.exit_code == 0, found.output
    assert not (place / "a.txt").exists()
    assert not exists(run_id)
