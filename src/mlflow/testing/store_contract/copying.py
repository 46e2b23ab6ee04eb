"""The suite of exact copies, which every backend passes in both directions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.experiment import Experiment
from mlflow.entities.logged_models import LoggedModel, LoggedModelStatus
from mlflow.entities.registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunInfo,
    RunTag,
)
from mlflow.store.backends.base import Duplicate, Missing
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.migrate import Migration

if TYPE_CHECKING:
    from mlflow.store.backends.base import Backend

RUN, KILLED, GONE = "a" * 32, "b" * 32, "c" * 32
MODEL, OLD_MODEL = "m-" + "1" * 32, "m-" + "2" * 32
POINTS = [
    (0.5, 10, 0), (math.nan, 11, 1), (math.inf, 12, 2), (-math.inf, 13, 3), (1e-300, 14, 4),
    (3.0, 9, 4), (2.0, 20, -(2**62)), (0.1 + 0.2, 21, 2**62),
]  # fmt: skip


def fill(backend: Backend) -> str:
    """Put something of everything into a backend; return the id of its second experiment."""
    backend.write_experiment_tags("0", [("team", "a b"), ("größe", "1\n2")], time=77)
    other = backend.insert_experiment("wine", "s3://bucket/wine", [("k", "v")], 5_000)
    trashed = backend.insert_experiment("trashed", "s3://bucket/trashed", [], 6_000)
    _add_run(backend, RUN, other, "FINISHED")
    _add_run(backend, KILLED, "0", "KILLED")
    _add_run(backend, GONE, trashed, "RUNNING")
    _fill_run(backend, other)
    backend.move_run(KILLED, "deleted", 4_444)
    backend.move_experiment(trashed, "deleted", 5_555)
    _fill_registry(backend)
    return other


def _add_run(backend: Backend, run_id: str, experiment_id: str, status: str) -> None:
    end = None if status == "RUNNING" else 2_000
    where = f"s3://bucket/{experiment_id}/{run_id}/artifacts"
    name = f"run {run_id[0]}"
    info = RunInfo(run_id, experiment_id, "ada", status, 1_000, end, "active", where, name)
    backend.insert_run(info, [RunTag("mlflow.user", "ada"), RunTag("mlflow.runName", name)])


def _fill_run(backend: Backend, experiment_id: str) -> None:
    model = LoggedModel(
        experiment_id, MODEL, "model", f"s3://bucket/{MODEL}", 100, 200, "sklearn", RUN,
        LoggedModelStatus.READY, "fine", {"t": "1"}, {"alpha": "0.5"},
    )  # fmt: skip
    backend.insert_logged_model(model)
    old = LoggedModel(experiment_id, OLD_MODEL, "old", "s3://bucket/old", 100, 200)
    backend.insert_logged_model(old)
    backend.move_logged_model(OLD_MODEL, "deleted", 300)
    metrics = [Metric("loss", *point) for point in POINTS]
    metrics.append(Metric("val/acc", 0.9, 1, 1, MODEL, "wine", "d1"))
    params = [Param("lr", "0.1"), Param("long", "x" * 500)]
    backend.write_batch(RUN, metrics, params, [RunTag("mlflow.note.content", "# title\n\nüñ")])
    data = Dataset("wine", "d1", "local", '{"path": "x"}', '{"s": 1}', None)
    used = DatasetInput(data, [InputTag("mlflow.data.context", "train")])
    backend.write_inputs(RUN, [used], [LoggedModelInput(OLD_MODEL)])
    backend.write_outputs(RUN, [LoggedModelOutput(MODEL, 3)])


def _fill_registry(backend: Backend) -> None:
    tags = [RegisteredModelTag("a/b", "c")]
    backend.insert_registered_model(RegisteredModel("wine model", 1, 2, "about", None, tags))
    for number in range(1, 5):
        version = ModelVersion(
            "wine model", "", 10 + number, 20, f"version {number}", "ada", "None",
            f"models:/{MODEL}", RUN, "READY", None, [ModelVersionTag("n", str(number))],
            model_id=MODEL,
        )  # fmt: skip
        location = "s3://bucket/storage" if number == 2 else None
        assert str(number) == backend.insert_model_version(version, location)
    backend.set_alias("wine model", "champion", "2", 30)
    backend.set_alias("wine model", "gone", "3", 31)
    backend.move_model_version("wine model", "1", "Staging", archive_existing=False, time=32)
    backend.delete_model_version("wine model", "3", 33)
    backend.delete_model_version("wine model", "4", 34)
    backend.insert_registered_model(RegisteredModel("empty", 1, 2))


def moved(source: Backend, target: Backend, **options: Any) -> Migration:
    """Copy everything from one backend to another; fail unless all of it went."""
    migration = Migration(source, target, **options)
    report = migration.copy()
    assert report.failed == []
    assert {noun: n for noun, n in report.left_out.items() if noun not in LOSSES} == {}
    return migration


# What some formats cannot hold, by their own account.
LOSSES = frozenset({"dataset names of points"})


class CopyingContract:
    """Everything that is promised of copies; inherit it and give it a `backend` fixture."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Return an empty backend; override it."""
        raise NotImplementedError

    def test_in_and_out(self, backend: Backend) -> None:
        """What comes in goes out again, all of it."""
        source, last = MemoryBackend("s3://bucket/memory"), MemoryBackend("s3://bucket/other")
        fill(source)

        into, out = moved(source, backend), moved(backend, last)

        assert list(into.verify()) == []
        assert list(out.verify()) == []
        assert dict(into.report.copied) == {
            "experiment": 3,
            "run": 3,
            "logged model": 2,
            "registered model": 2,
        }
        assert last.copying().run_deletion_time(KILLED) == 4_444
        assert last.insert_model_version(ModelVersion("wine model", "", 1), None) == "5"

    def test_new_ids_are_new(self, backend: Backend) -> None:
        """What is made after a copy gets no id that came with it, in whatever order they came."""
        copying = backend.copying()
        for number in ("500", "498"):
            copying.import_experiment(
                Experiment(number, f"experiment {number}", "s3://bucket/x", "active", [], 1, 1)
            )

        made = [backend.insert_experiment(f"new {n}", "s3://bucket/x", [], 1) for n in range(3)]

        assert len({"500", "498", *made}) == 5
        for number in ("500", "498"):
            assert backend.get_experiment(number).name == f"experiment {number}"

    def test_out_of_its_own(self, backend: Backend) -> None:
        """What was written the ordinary way is copied out."""
        fill(backend)
        target = MemoryBackend()

        migration = moved(backend, target)

        assert list(migration.verify()) == []
        assert target.copying().last_version_number("wine model") == 4
        assert migration.report.copied["run"] == 3

    def test_again(self, backend: Backend) -> None:
        """A second copy adds nothing."""
        source = MemoryBackend("s3://bucket/memory")
        fill(source)
        moved(source, backend)

        again = moved(source, backend)

        assert dict(again.report.copied) == {}
        assert dict(again.report.completed) == {}
        assert again.report.present["run"] == 3
        assert list(again.verify()) == []

    def test_what_came_later(self, backend: Backend) -> None:
        """What was written in the source after a copy is added by the next one."""
        source = MemoryBackend("s3://bucket/memory")
        other = fill(source)
        _add_run(source, "d" * 32, other, "RUNNING")
        source.append_metric("d" * 32, "loss", 1.0, 1, 1)
        moved(source, backend)
        source.append_metric("d" * 32, "loss", 0.5, 2, 2)
        batch = ([Param("late", "1")], [RunTag("late", "2")])
        source.write_batch("d" * 32, [Metric("new", 1.0, 1, 1)], *batch)
        source.update_run("d" * 32, status="FAILED", end_time=9_000, run_name="renamed")
        later = ModelVersion("wine model", "", 1, current_stage="None", source="s3://b/m")
        for _ in range(2):
            source.insert_model_version(later, None)
        source.delete_model_version("wine model", "5", 50)
        source.set_alias("wine model", "late", "6", 60)

        again = moved(source, backend)

        assert dict(again.report.completed) == {"run": 1, "registered model": 1}
        late = backend.get_run("d" * 32)
        assert (
            late.info.status, late.info.end_time, late.info.run_name,
        ) == ("FAILED", 9_000, "renamed")  # fmt: skip
        assert (late.data.metrics, late.data.params) == ({"loss": 0.5, "new": 1.0}, {"late": "1"})
        assert len(backend.metric_history("d" * 32, "loss")) == 2
        assert backend.get_registered_model("wine model").aliases["late"] == "6"
        with pytest.raises(Missing):
            backend.get_model_version("wine model", "5")

    def test_nothing_is_overwritten(self, backend: Backend) -> None:
        """What the target has stays; differences are found by the comparison."""
        source = MemoryBackend("s3://bucket/memory")
        fill(source)
        moved(source, backend)
        backend.write_batch(RUN, [], [], [RunTag("mlflow.note.content", "mine")])

        again = moved(source, backend)

        assert backend.get_run(RUN).data.tags["mlflow.note.content"] == "mine"
        lines = list(again.verify())
        assert len(lines) == 1
        assert f"run {RUN}: tag mlflow.note.content: " in lines[0]

    def test_taken(self, backend: Backend) -> None:
        """An id or name that is taken is refused, and the store is as it was."""
        source = MemoryBackend("s3://bucket/memory")
        fill(source)
        moved(source, backend)
        copying, out = backend.copying(), source.copying()
        taken = backend.get_experiment("0")
        taken._experiment_id = "77"
        run = source.get_run(RUN)
        model = source.get_logged_model(MODEL)

        for work in (
            lambda: copying.import_experiment(source.get_experiment("0")),
            lambda: copying.import_experiment(taken),
            lambda: copying.import_run(run, list, None),
            lambda: copying.import_logged_model(model, [], "active"),
            lambda: copying.import_registered_model(RegisteredModel("empty"), [], 0),
        ):
            with pytest.raises(Duplicate):
                work()
        assert len(backend.metric_history(RUN, "loss")) == 8
        assert out.last_version_number("wine model") == copying.last_version_number("wine model")

    def test_no_experiment(self, backend: Backend) -> None:
        """Runs and logged models need their experiment; what is not there has no copy."""
        source = MemoryBackend("s3://bucket/memory")
        fill(source)
        copying = backend.copying()

        for work in (
            lambda: copying.import_run(source.get_run(RUN), list, None),
            lambda: copying.import_logged_model(source.get_logged_model(MODEL), [], "active"),
            lambda: copying.run_deletion_time(RUN),
            lambda: copying.logged_model_points(MODEL),
            lambda: copying.last_version_number("wine model"),
        ):
            with pytest.raises(Missing):
                work()

    def test_failed_halfway(self, backend: Backend) -> None:
        """An import that fails leaves nothing, and can be repeated."""
        source = MemoryBackend("s3://bucket/memory")
        fill(source)
        copying = backend.copying()
        for experiment_id in ("0", "1"):
            copying.import_experiment(source.get_experiment(experiment_id))
        run = source.get_run(RUN)

        def breaking() -> Any:
            yield [Metric("loss", 1.0, 1, 1)]
            raise RuntimeError

        with pytest.raises(RuntimeError):
            copying.import_run(run, breaking, None)
        with pytest.raises(Missing):
            backend.get_run(RUN)
        copying.import_run(run, lambda: [list(source.metric_history(RUN, "loss"))], None)

        assert len(backend.metric_history(RUN, "loss")) == 8

    def test_chosen_id(self, backend: Backend) -> None:
        """An experiment without an id gets a new one."""
        backend.insert_experiment("first", None, [], 1)
        experiment = Experiment("", "second", "s3://bucket/second", "deleted", None, 3, 4)

        made = backend.copying().import_experiment(experiment)

        kept = backend.get_experiment(made)
        assert (
            kept.name, kept.lifecycle_stage, kept.creation_time, kept.last_update_time,
        ) == ("second", "deleted", 3, 4)  # fmt: skip
        assert kept.artifact_location == "s3://bucket/second"
