"""Moving a store; what every backend promises of it is in the contract."""

from __future__ import annotations

import os

import pytest

from mlflow.entities.logged_models import LoggedModel
from mlflow.entities.run import Metric, RunInfo
from mlflow.exceptions import MlflowException
from mlflow.store import migrate
from mlflow.store.backends.base import Missing
from mlflow.store.backends.copying import CannotHold
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.memory.copying import MemoryCopying
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.migrate import Migration
from mlflow.testing.store_contract.copying import MODEL, RUN, fill


class SmallCopying(MemoryCopying):
    """Copies into a store that has no place for long ids and no names for datasets."""

    def import_experiment(self, experiment):
        if len(experiment.experiment_id) > 9:
            raise CannotHold(f"{experiment.experiment_id} is no 32-bit number")
        return super().import_experiment(experiment)


class SmallBackend(MemoryBackend):
    """A backend with that copying."""

    def copying(self):
        return SmallCopying(self)


@pytest.fixture
def files(tmp_path):
    made = FileBackend(str(tmp_path / "mlruns"))
    yield made
    made.close()


def test_ids_that_do_not_fit(files):
    other = fill(files)
    migration = Migration(files, SmallBackend())

    report = migration.copy()

    assert 2 == len(report.failed)
    assert f"experiment {other}: {other} is no 32-bit number" in report.failed
    assert {"experiment": 1, "run": 1, "registered model": 2} == dict(report.copied)


def test_new_ids(files):
    other, target = fill(files), SmallBackend()
    migration = Migration(files, target, new_ids=True)

    report = migration.copy()
    again = Migration(files, target, new_ids=True)

    assert [] == report.failed
    assert 3 == report.copied["run"]
    made = target.find_experiment("wine").experiment_id
    assert made != other
    assert made == target.get_run(RUN).info.experiment_id
    assert made == target.get_logged_model(MODEL).experiment_id
    assert [] == list(migration.verify())
    assert {} == dict(again.copy().copied)
    assert 3 == again.report.present["run"]


def test_a_name_that_is_taken():
    source, target = MemoryBackend(), MemoryBackend()
    fill(source)
    target.insert_experiment("other", None, [], 1)
    target.insert_experiment("x", None, [], 1)
    target.insert_experiment("wine", None, [], 1)

    report = Migration(source, target).copy()

    assert ["experiment 1: experiment 1 is taken in the target"] == [
        line for line in report.failed if line.startswith("experiment 1")
    ]
    assert 1 == report.copied["run"]


def test_what_cannot_be_read_is_told(files):
    other = fill(files)
    with open(f"{files.tree.root}/{other}/{RUN}/meta.yaml", "w", encoding="utf-8") as file:
        file.write("status: [\n")

    with pytest.warns(UserWarning, match="Left out of the store"):
        report = Migration(files, MemoryBackend()).copy()

    assert any(RUN in line for line in report.failed)
    assert 2 == report.copied["run"]


def test_what_has_no_place_is_counted(files):
    other = fill(files)
    for number in range(3):
        os.makedirs(f"{files.tree.root}/{other}/traces/tr-{number}")

    report = Migration(files, MemoryBackend()).copy()

    assert {"traces": 3} == dict(report.left_out)


def test_artifacts_of_another_file_store_come_along(files, tmp_path):
    """A file store does not believe that its artifacts are in another one: they are copied."""
    files.get_experiment("0")
    source = SqlBackend(f"sqlite:///{tmp_path}/a.db", artifact_root=files.tree.uri)
    where = f"{files.tree.uri}/0/{RUN}/artifacts"
    source.insert_run(RunInfo(RUN, "0", "ada", "FINISHED", 1, 2, "active", where, "name"), [])
    model = LoggedModel("0", MODEL, "m", f"{files.tree.uri}/0/models/{MODEL}/artifacts", 1, 1)
    source.insert_logged_model(model)
    for place in (f"{RUN}/artifacts/a", f"models/{MODEL}/artifacts"):
        os.makedirs(f"{files.tree.root}/0/{place}")
        with open(f"{files.tree.root}/0/{place}/b.txt", "w", encoding="utf-8") as file:
            file.write("content")
    target = FileBackend(str(tmp_path / "other"))

    migration = Migration(source, target)
    report = migration.copy()

    assert [] == report.failed
    assert [] == list(migration.verify())
    for place in (f"{RUN}/artifacts/a", f"models/{MODEL}/artifacts"):
        with open(f"{target.tree.root}/0/{place}/b.txt", encoding="utf-8") as file:
            assert "content" == file.read()
    assert f"{target.tree.uri}/0/{RUN}/artifacts" == target.get_run(RUN).info.artifact_uri
    source.close()
    target.close()


def test_artifacts_in_a_strange_place(files):
    """A file store does not take what has nothing to do with the run."""
    source = MemoryBackend()
    info = RunInfo(RUN, "0", "ada", "FINISHED", 1, 2, "active", "/etc", "name")
    source.insert_run(info, [])

    report = Migration(source, files).copy()

    (line,) = report.failed
    assert line.startswith(f"run {RUN}: its artifacts are at '/etc'")
    with pytest.raises(Missing):
        files.get_run(RUN)


def test_a_torn_copy_is_made_again(files, tmp_path):
    """What a process that died left behind is not in the way."""
    source, target = MemoryBackend("s3://bucket/x"), files
    fill(source)
    Migration(source, target).copy()
    place = target.tree.run_place(RUN)
    experiment = os.path.dirname(place)
    whole = dict(target.get_run(RUN).data.params)
    # As it is when the process dies before the folder gets its name.
    copying = target.copying()
    with pytest.raises(KeyboardInterrupt), copying._draft(experiment, place) as draft:
        os.rename(place, f"{draft}/half")
        os.rename(draft, f"{draft}-kept")
        raise KeyboardInterrupt
    os.rename(f"{experiment}/{os.path.basename(draft)}-kept", draft)
    other = FileBackend(target.tree.root)

    report = Migration(source, other).copy()

    assert 1 == report.copied["run"]
    assert whole == other.get_run(RUN).data.params
    assert [] == [name for name in os.listdir(experiment) if name.startswith(".")]
    other.close()


def test_everything_is_watched():
    source, seen = MemoryBackend(), []
    fill(source)

    Migration(source, MemoryBackend(), watch=seen.append).copy()

    assert 10 == len(seen)
    assert {"experiment", "run", "logged model", "registered model"} == set(seen)


def test_a_long_series_is_copied_in_pieces(monkeypatch):
    monkeypatch.setattr(migrate.describe, "PAGE", 7)
    source, target = MemoryBackend(), MemoryBackend()
    fill(source)
    source.write_batch(RUN, [Metric("long", float(n), n, n) for n in range(100)], [], [])

    migration = Migration(source, target)
    migration.copy()

    assert 100 == len(target.metric_history(RUN, "long"))
    assert [] == list(migration.verify())


def test_backend_of(tmp_path):
    assert isinstance(migrate.backend_of(str(tmp_path / "m")), FileBackend)
    with pytest.raises(MlflowException, match="cannot be copied as they are"):
        migrate.backend_of("http://localhost:1")
