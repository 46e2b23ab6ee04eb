"""A small use of a store, step by step, and what has to be there after each step."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from mlflow.entities.experiment import ExperimentTag
from mlflow.entities.logged_models import LoggedModelParameter, LoggedModelTag
from mlflow.entities.registry import ModelVersionTag, RegisteredModelTag
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)
from mlflow.entities.view_type import ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local import LocalArtifactRepository
from mlflow.store.base import AbstractStore

RUN, MODEL = "a" * 32, "m-" + "c" * 32
ALL = ViewType.ALL


class Step(NamedTuple):
    """One call of a store.

    Args:
        name: its name.
        do: makes the call.
        check: asserts that what it did is there; it is told which steps were begun.
    """

    name: str
    do: Callable[[AbstractStore], object]
    check: Callable[[AbstractStore, Collection[str]], None]


def _experiment(store: AbstractStore, *names: str):
    for name in names or ("first", "renamed"):
        found = store.get_experiment_by_name(name)
        if found is not None:
            return found
    raise LookupError("there is no experiment of this name")


def _values(store: AbstractStore, key: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in store.get_metric_history(RUN, key)]


def _artifacts(store: AbstractStore) -> LocalArtifactRepository:
    return LocalArtifactRepository(store.get_run(RUN).info.artifact_uri)


def _log_artifact(store: AbstractStore, source: str) -> None:
    with open(source, "wb") as file:
        file.write(b"artifact\n" * 500)
    _artifacts(store).log_artifact(source, "notes/deep")


def _has_artifact(store: AbstractStore, begun: Collection[str]) -> None:
    path = _artifacts(store).download_artifacts("notes/deep/x.txt")
    with open(path, "rb") as file:
        assert file.read() == b"artifact\n" * 500


def _batch(store: AbstractStore) -> None:
    points = [Metric("in batch", float(step), 1, step) for step in range(5)]
    params = [Param("b1", "x" * 600), Param("folder/b2", "y")]
    store.log_batch(RUN, [*points, Metric("loss", 7.0, 1, 7)], params, [RunTag("b", "z")])


def _has_batch(store: AbstractStore, begun: Collection[str]) -> None:
    data = store.get_run(RUN).data
    assert set(_values(store, "in batch")) >= {(step, float(step)) for step in range(5)}
    assert (7, 7.0) in _values(store, "loss")
    assert (data.params["b1"], data.params["folder/b2"]) == ("x" * 600, "y")
    assert data.tags["b"] == "z"


def _logged_model(store: AbstractStore) -> None:
    store.create_logged_model(
        _experiment(store).experiment_id, "model", RUN, [LoggedModelTag("t", "v")],
        [LoggedModelParameter("p", "v")], model_id=MODEL,
    )  # fmt: skip


def _has_logged_model(store: AbstractStore, begun: Collection[str]) -> None:
    found = store.get_logged_model(MODEL)
    assert (found.name, found.tags["t"], found.params["p"]) == ("model", "v", "v")
    if "finalize" not in begun:
        assert str(found.status) == "PENDING"


def _has_version(store: AbstractStore, begun: Collection[str]) -> None:
    found = store.get_model_version(_registered(store, begun), "1")
    assert (found.source, found.tags) == ("s3://x/y", {"t": "v"})


def _registered(store: AbstractStore, begun: Collection[str]) -> str:
    if "rename model" in begun:
        names = {one.name for one in store.search_registered_models()} & {"one", "two"}
        assert len(names) == 1, "a registered model that is renamed has one name"
        return names.pop()
    return "one"


def _has_registered(store: AbstractStore, begun: Collection[str]) -> None:
    found = store.get_registered_model(_registered(store, begun))
    assert (found.description, found.tags) == ("d", {"t": "v"})


def _has_alias(store: AbstractStore, begun: Collection[str]) -> None:
    found = store.get_registered_model(_registered(store, begun))
    assert found.aliases == {"best": "1"}


def _is_gone(store: AbstractStore, begun: Collection[str]) -> None:
    assert "gone" not in [one.name for one in store.search_registered_models()]


def _equal(find: Callable[[AbstractStore], object], *values: object) -> Callable:
    def check(store: AbstractStore, begun: Collection[str]) -> None:
        assert find(store) in values, find(store)

    return check


def _until(later: str, check: Callable) -> Callable:
    """Return a check that is left out when a later step may have undone what it looks at."""

    def unless(store: AbstractStore, begun: Collection[str]) -> None:
        if later not in begun:
            check(store, begun)

    return unless


def _point(step: int, key: str = "loss") -> Step:
    return Step(
        f"{key} {step}",
        lambda store: store.log_metric(RUN, Metric(key, step / 2, 1, step)),
        lambda store, begun: _assert_in((step, step / 2), _values(store, key)),
    )


def _assert_in(one: object, those: Collection) -> None:
    assert one in those, f"{one} is not in {those}"


def _tag(value: str, later: str) -> Step:
    return Step(
        f"tag {value}",
        lambda store: store.set_tag(RUN, RunTag("t", value)),
        _until(later, _equal(lambda store: store.get_run(RUN).data.tags.get("t"), value)),
    )


def _stage(run_id: str) -> Callable:
    return lambda store: store.get_run(run_id).info.lifecycle_stage


def _dataset() -> DatasetInput:
    return DatasetInput(Dataset("data", "d1gest", "code", "{}"), [])


def steps(source: str) -> list[Step]:
    """Return the steps, in order.

    Args:
        source: where a file may be made whose copy becomes an artifact.
    """
    return [*_of_runs(source), *_of_models(), *_of_endings()]


def _of_runs(source: str) -> list[Step]:
    return [
        Step(
            "experiment",
            lambda store: store.create_experiment("first", None, [ExperimentTag("t", "v")]),
            lambda store, begun: _assert_in(("t", "v"), _experiment(store).tags.items()),
        ),
        Step(
            "run",
            lambda store: store.create_run(
                _experiment(store).experiment_id,
                "u",
                1,
                [RunTag("first", "v"), RunTag("t", "0")],
                "name",
                RUN,
            ),
            _equal(
                lambda store: (
                    store.get_run(RUN).info.run_name,
                    store.get_run(RUN).data.tags["first"],
                ),
                ("name", "v"),
            ),
        ),
        _point(1),
        _point(2),
        _point(3, "deep/er/acc"),
        Step(
            "param",
            lambda store: store.log_param(RUN, Param("p", "v")),
            _equal(lambda store: store.get_run(RUN).data.params["p"], "v"),
        ),
        _tag("1", "tag 2"),
        Step("batch", _batch, _has_batch),
        _tag("2", "delete tag"),
        Step(
            "delete tag",
            lambda store: store.delete_tag(RUN, "t"),
            _equal(lambda store: "t" in store.get_run(RUN).data.tags, False),
        ),
        Step(
            "inputs",
            lambda store: store.log_inputs(RUN, [_dataset()]),
            _equal(
                lambda store: [
                    one.dataset.digest for one in store.get_run(RUN).inputs.dataset_inputs
                ],
                ["d1gest"],
            ),
        ),
        Step("artifact", lambda store: _log_artifact(store, source), _has_artifact),
    ]


def _of_models() -> list[Step]:
    return [
        Step("logged model", _logged_model, _has_logged_model),
        Step(
            "finalize",
            lambda store: store.finalize_logged_model(MODEL, "READY"),
            _equal(lambda store: str(store.get_logged_model(MODEL).status), "READY"),
        ),
        Step(
            "outputs",
            lambda store: store.log_outputs(RUN, [LoggedModelOutput(MODEL, 1)]),
            _equal(
                lambda store: [one.model_id for one in store.get_run(RUN).outputs.model_outputs],
                [MODEL],
            ),
        ),
        Step(
            "registered model",
            lambda store: store.create_registered_model("one", [RegisteredModelTag("t", "v")], "d"),
            _has_registered,
        ),
        Step(
            "version",
            lambda store: store.create_model_version(
                "one", "s3://x/y", RUN, [ModelVersionTag("t", "v")]
            ),
            _has_version,
        ),
        Step(
            "alias", lambda store: store.set_registered_model_alias("one", "best", "1"), _has_alias
        ),
        Step(
            "rename model",
            lambda store: store.rename_registered_model("one", "two"),
            lambda store, begun: store.get_model_version("two", "1") and None,
        ),
        Step(
            "model to delete",
            lambda store: store.create_registered_model("gone"),
            _until(
                "delete model", lambda store, begun: store.get_registered_model("gone") and None
            ),
        ),
        Step("delete model", lambda store: store.delete_registered_model("gone"), _is_gone),
    ]


def _of_endings() -> list[Step]:
    return [
        Step(
            "end",
            lambda store: store.update_run_info(RUN, 3, 5, None),
            _equal(
                lambda store: (store.get_run(RUN).info.status, store.get_run(RUN).info.end_time),
                ("FINISHED", 5),
            ),
        ),
        Step(
            "delete run",
            lambda store: store.delete_run(RUN),
            _until("restore run", _equal(_stage(RUN), "deleted")),
        ),
        Step("restore run", lambda store: store.restore_run(RUN), _equal(_stage(RUN), "active")),
        _point(9),
        Step(
            "rename experiment",
            lambda store: store.rename_experiment(_experiment(store).experiment_id, "renamed"),
            _equal(lambda store: store.get_experiment_by_name("first"), None),
        ),
        Step(
            "other experiment",
            lambda store: store.create_experiment("other", None, []),
            _equal(lambda store: _experiment(store, "other").name, "other"),
        ),
        Step(
            "delete experiment",
            lambda store: store.delete_experiment(_experiment(store, "other").experiment_id),
            _until(
                "restore experiment",
                _equal(lambda store: _experiment(store, "other").lifecycle_stage, "deleted"),
            ),
        ),
        Step(
            "restore experiment",
            lambda store: store.restore_experiment(_experiment(store, "other").experiment_id),
            _equal(lambda store: _experiment(store, "other").lifecycle_stage, "active"),
        ),
    ]


# --- what has to be true at any moment ---------------------------------------------------------


def read_all(store: AbstractStore) -> None:
    """Read everything there is; what cannot be read is left out of listings, and told."""
    found = store.search_experiments(ALL)
    ids = [one.experiment_id for one in found]
    for run in store.search_runs(ids, "", ALL):
        assert run.info.status in ("RUNNING", "FINISHED")
        assert set(run.data.tags) >= {"first"}, "a run is there with all of its first tags"
        for key in run.data.metrics:
            assert store.get_metric_history(run.info.run_id, key)
        store.get_run(run.info.run_id)
    store.search_logged_models(ids)
    for model in store.search_registered_models():
        store.get_registered_model(model.name)
    for version in store.search_model_versions():
        assert version.tags == {"t": "v"}, "a version is there with all of its first tags"


def is_repeated(error: Exception) -> bool:
    """Tell whether an error says that a step was done already, or what it needs is so already."""
    codes = ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE",
             "INVALID_STATE")  # fmt: skip
    return isinstance(error, MlflowException) and error.error_code in codes


def check(
    plan: list[Step], store: AbstractStore, done: Collection[str], begun: Collection[str]
) -> None:
    """Assert that all that was done is there; say which step is missing."""
    for step in plan:
        if step.name not in done:
            continue
        try:
            step.check(store, begun)
        except Exception as error:
            raise AssertionError(f"lost: {step.name}: {type(error).__name__}: {error}") from error


def go_on(plan: list[Step], store: AbstractStore, done: Collection[str]) -> None:
    """Do what was not done; of a step that was cut off, what was done of it may be in the way."""
    rest = [step for step in plan if step.name not in done]
    names = set(done)
    for place, step in enumerate(rest):
        names.add(step.name)
        try:
            step.do(store)
        except MlflowException as error:
            if place or not is_repeated(error):
                raise AssertionError(f"{step.name} cannot be done any more: {error}") from error
    check(plan, store, names, names)
