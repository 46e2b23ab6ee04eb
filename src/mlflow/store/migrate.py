"""Moving a store: every record copied to another place, as it is; and the proof that it is there."""

from __future__ import annotations

import os
from collections import Counter
from copy import copy
from importlib import import_module

from mlflow.entities.experiment import LifecycleStage, ViewType
from mlflow.entities.registry import STAGE_NONE, ModelVersion
from mlflow.entities.run import Param, RunStatus, RunTag
from mlflow.exceptions import RESOURCE_DOES_NOT_EXIST, MlflowException, invalid, without_password
from mlflow.store import describe, locate
from mlflow.store.backends.base import (
    EXPERIMENT,
    LOGGED_MODEL,
    REGISTERED_MODEL,
    RUN,
    BackendError,
    Duplicate,
    Missing,
    NotActive,
    Query,
)
from mlflow.store.backends.copying import CannotHold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.registry import RegisteredModel
    from mlflow.entities.run import Metric, Run
    from mlflow.store.backends.base import Backend
    from mlflow.store.describe import Description

PARSING = "mlflow.search.parse"
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
_PAGE = 200
_CHUNK = 1000


class Report:
    """What a migration did.

    Attributes:
        copied: how many things were added, by kind.
        completed: how many were there and lacked something.
        present: how many were there as they are.
        left_out: what the target has no place for: counts by noun.
        failed: one line for each thing that could not be copied.
    """

    def __init__(self) -> None:
        self.copied: Counter[str] = Counter()
        self.completed: Counter[str] = Counter()
        self.present: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.failed: list[str] = []


def backend_of(uri: str, *, must_exist: bool = False) -> Backend:
    """Return the backend of the store at a URI.

    Args:
        uri: a folder or a database.
        must_exist: whether a store that is not there yet is refused, and not made.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when it is no store whose records can be copied;
            RESOURCE_DOES_NOT_EXIST when it must be there and is not.
    """
    path = locate.file_of(uri)
    if must_exist and path is not None and not os.path.exists(path):
        raise MlflowException(f"There is no store at {path}.", RESOURCE_DOES_NOT_EXIST)
    store = locate.tracking(uri)
    backend: Backend | None = getattr(store, "_backend", None)
    if backend is None:
        raise invalid(
            f"The records of {without_password(uri)} cannot be copied as they are. Name a folder or a "
            "database."
        )
    return backend


class Migration:
    """Copies the records of one backend to another one, which keeps what it has.

    It may be interrupted and started again, any number of times: what is there is not copied
    again. A run that went on in the source meanwhile is completed: points, params, tags, inputs
    and outputs that are missing are added, and while the target's run has not ended, so is how
    the source's did. Nothing in the target is ever removed, and nothing else in it changed.

    Args:
        source: where the records are.
        target: where they shall be.
        new_ids: whether an experiment whose id the target cannot hold gets another one.
        watch: told of every thing that was looked at: its kind.
    """

    def __init__(
        self,
        source: Backend,
        target: Backend,
        *,
        new_ids: bool = False,
        watch: Callable[[str], None] | None = None,
    ) -> None:
        self._from, self._to = source, target
        self._out, self._in = source.copying(), target.copying()
        self._new_ids = new_ids
        self.watch = watch or _ignore
        # Ids of experiments in the source and in the target.
        self._ids: dict[str, str] = {}
        self._deleted_models = describe.deleted_models(source)
        self.report = Report()

    # --- copying -----------------------------------------------------------------------------

    def copy(self) -> Report:
        """Copy everything.

        Returns:
            What was done; a thing that could not be copied is named in it, and the others are.
        """
        experiments = self._experiments()
        for experiment in experiments:
            self._try(EXPERIMENT, experiment.experiment_id, self._copy_experiment, experiment)
        copied = [one.experiment_id for one in experiments if one.experiment_id in self._ids]
        for run in self._runs(copied):
            self._try(RUN, run.info.run_id, self._copy_run, run)
        # After all runs: their points name runs, of any experiment.
        for model in self._logged_models(copied):
            self._try(LOGGED_MODEL, model.model_id, self._copy_logged_model, model)
        self._copy_rest()
        versions = self._versions()
        for registered in self._registered():
            name = registered.name
            row = (registered, versions.get(name, []))
            self._try(REGISTERED_MODEL, name, self._copy_registered_model, row)
        for place, reason in self._out.unreadable().items():
            self.report.failed.append(f"{place}: {reason}")
        return self.report

    def _copy_rest(self) -> None:
        """Copy what backends give no access to, where both have the same format."""
        if any(there != here for here, there in self._ids.items()):
            # What names experiments would name others.
            self.report.left_out.update(self._out.beyond_contract())
            return
        try:
            self.report.left_out.update(self._in.import_rest(self._out))
        except MlflowException as error:
            self.report.failed.append(f"what belongs to traces and the gateway: {error}")

    def _try(self, kind: str, key: str, work: Callable[[Any], None], thing: Any) -> None:
        self.watch(kind)
        try:
            work(thing)
        except (BackendError, CannotHold, MlflowException) as error:
            self.report.failed.append(f"{kind} {key}: {_reason(error)}")

    def _copy_experiment(self, experiment: Experiment) -> None:
        source_id = experiment.experiment_id
        try:
            self._ids[source_id] = self._import_experiment(experiment)
        except Duplicate:
            there = self._to.find_experiment(experiment.name)
            if there is None or not (self._new_ids or there.experiment_id == source_id):
                raise
            self._ids[source_id] = there.experiment_id
            self._complete_experiment(experiment, there)
        else:
            self.report.copied[EXPERIMENT] += 1

    def _import_experiment(self, experiment: Experiment) -> str:
        try:
            return self._in.import_experiment(experiment)
        except CannotHold:
            if not self._new_ids:
                raise
        renumbered = copy(experiment)
        renumbered._experiment_id = ""
        return self._in.import_experiment(renumbered)

    def _complete_experiment(self, experiment: Experiment, there: Experiment) -> None:
        missing = [pair for pair in experiment.tags.items() if pair[0] not in there.tags]
        if missing and there.lifecycle_stage == ACTIVE:
            self._to.write_experiment_tags(there.experiment_id, missing)
            self.report.completed[EXPERIMENT] += 1
        else:
            self.report.present[EXPERIMENT] += 1

    def _copy_run(self, run: Run) -> None:
        run_id = run.info.run_id
        run = self._renumbered(run)
        try:
            there = self._to.get_run(run_id)
        except Missing:
            keys = list(run.data.metrics)

            def pages() -> Iterator[Sequence[Metric]]:
                for key in keys:
                    yield from describe.history(self._from, run_id, key)

            deleted = self._out.run_deletion_time(run_id)
            self.report.left_out.update(self._in.import_run(run, pages, deleted))
            self.report.copied[RUN] += 1
            return
        outline = describe.run_outline(run)
        outline["artifact_uri"] = repr(self._in.location_of(run))
        if outline == describe.run_outline(there):
            self.report.present[RUN] += 1
            return
        self.report.completed[RUN] += 1
        if there.info.lifecycle_stage == ACTIVE:
            self._complete_run(run, there)

    def _renumbered(self, run: Run) -> Run:
        target_id = self._ids[run.info.experiment_id]
        if target_id != run.info.experiment_id:
            run._info = run.info._copy_with_overrides()
            run._info._experiment_id = target_id
        return run

    def _complete_run(self, run: Run, there: Run) -> None:
        """Add to a run of the target what it lacks."""
        info, run_id = run.info, run.info.run_id
        open_still = not RunStatus.is_terminated(RunStatus.from_string(there.info.status))
        known = there.data.tags
        tags = [
            RunTag(key, value)
            for key, value in run.data.tags.items()
            if key not in known or (open_still and value != known[key])
        ]
        params = [
            Param(key, value)
            for key, value in run.data.params.items()
            if key not in there.data.params
        ]
        self._to.write_batch(run_id, [], params, tags)
        for key in run.data.metrics:
            self._complete_series(run_id, key)
        if run.inputs:
            self._to.write_inputs(run_id, run.inputs.dataset_inputs, run.inputs.model_inputs)
        if run.outputs:
            self._to.write_outputs(run_id, run.outputs.model_outputs)
        if open_still:
            status, name = info.status, info.run_name
            self._to.update_run(run_id, status=status, end_time=info.end_time, run_name=name)

    def _complete_series(self, run_id: str, key: str) -> None:
        there = {
            describe.point_of(one)
            for page in describe.history(self._to, run_id, key)
            for one in page
        }
        for page in describe.history(self._from, run_id, key):
            fresh = [one for one in page if describe.point_of(one) not in there]
            for at in range(0, len(fresh), _CHUNK):
                self._to.write_batch(run_id, fresh[at : at + _CHUNK], [], [])

    def _copy_logged_model(self, model: LoggedModel) -> None:
        model_id = model.model_id
        stage = DELETED if model_id in self._deleted_models else ACTIVE
        model._experiment_id = self._ids[model.experiment_id]
        try:
            there = self._to.get_logged_model(model_id, allow_deleted=True)
        except Missing:
            points = self._out.logged_model_points(model_id)
            self.report.left_out.update(self._in.import_logged_model(model, points, stage))
            self.report.copied[LOGGED_MODEL] += 1
            return
        tags = [pair for pair in model.tags.items() if pair[0] not in there.tags]
        params = [pair for pair in model.params.items() if pair[0] not in there.params]
        if not tags and not params:
            self.report.present[LOGGED_MODEL] += 1
            return
        try:
            self._to.write_logged_model(model_id, tags=tags, params=params)
            self.report.completed[LOGGED_MODEL] += 1
        except NotActive:  # what is deleted in the target stays as it is
            self.report.present[LOGGED_MODEL] += 1

    def _copy_registered_model(self, row: tuple[RegisteredModel, list[ModelVersion]]) -> None:
        model, name = row[0], row[0].name
        last = self._out.last_version_number(name)
        versions = [(one, self._from.model_version_location(name, one.version)) for one in row[1]]
        try:
            there = self._to.get_registered_model(name)
        except Missing:
            self.report.left_out.update(self._in.import_registered_model(model, versions, last))
            self.report.copied[REGISTERED_MODEL] += 1
            return
        known = self._in.last_version_number(name)
        self._add_versions(name, known, last, {int(one.version): (one, at) for one, at in versions})
        tags = [pair for pair in model.tags.items() if pair[0] not in there.tags]
        if tags:
            self._to.write_registered_model_tags(name, tags)
        aliases = [pair for pair in model.aliases.items() if pair[0] not in there.aliases]
        for alias, number in aliases:
            self._to.set_alias(name, alias, number, model.last_updated_timestamp or 0)
        changed = last > known or tags or aliases
        (self.report.completed if changed else self.report.present)[REGISTERED_MODEL] += 1

    def _add_versions(
        self, name: str, known: int, last: int, versions: dict[int, tuple[ModelVersion, str | None]]
    ) -> None:
        """Add the versions that came after those the target knows, with their numbers."""
        for number in range(known + 1, last + 1):
            version, location = versions.get(number) or (None, None)
            kept = version or ModelVersion(name, str(number), 0, current_stage=STAGE_NONE)
            made = self._to.insert_model_version(kept, location)
            if int(made) != number:
                raise invalid(f"version {number} became {made}: somebody else adds versions")
            if version is None:
                self._to.delete_model_version(name, made, 0)

    # --- proving -----------------------------------------------------------------------------

    def verify(self) -> Iterator[str]:
        """Compare everything in the source with the target; call it after `copy`.

        Yields:
            A line for each difference: what, which field, what it is here and there.
        """
        for experiment in self._experiments():
            source_id = experiment.experiment_id
            here = describe.experiment(experiment)
            here["artifact_location"] = repr(self._in.location_of(experiment))
            yield from self._compare(EXPERIMENT, source_id, here, self._experiment_there)
        known = list(self._ids)
        skipped = self._in.leaves_out
        for run in self._runs(known):
            here = describe.run(self._from, self._renumbered(run), skipped)
            here["artifact_uri"] = repr(self._in.location_of(run))
            yield from self._compare(
                RUN, run.info.run_id, here,
                lambda key: describe.run(self._to, self._to.get_run(key), skipped),
            )  # fmt: skip
        for model in self._logged_models(known):
            model._experiment_id = self._ids[model.experiment_id]
            here = describe.logged_model(self._from, model, skipped)
            here["artifact_location"] = self._in.location_of(model)
            yield from self._compare(LOGGED_MODEL, model.model_id, here, self._model_there)
        yield from self._verify_counts()
        versions = self._versions()
        for found in self._registered():
            yield from self._verify_registered_model(found.name, versions.get(found.name, []))

    def _verify_counts(self) -> Iterator[str]:
        here = self._out.counts() | self._out.beyond_contract()
        there = self._in.counts() | self._in.beyond_contract()
        for noun, count in here.items():
            if there.get(noun, 0) < count - self.report.left_out.get(noun, 0):
                yield f"{noun}: {count} / {there.get(noun, 0)}"

    def _compare(
        self, kind: str, key: str, here: Description, there: Callable[[str], Description]
    ) -> Iterator[str]:
        self.watch(kind)
        try:
            found = there(key)
        except BackendError as error:
            yield f"{kind} {key}: {_reason(error)}"
            return
        for line in describe.differences(here, found):
            yield f"{kind} {key}: {line}"

    def _experiment_there(self, source_id: str) -> Description:
        target_id = self._ids.get(source_id, source_id)
        return describe.experiment(self._to.get_experiment(target_id))

    def _model_there(self, model_id: str) -> Description:
        found = self._to.get_logged_model(model_id, allow_deleted=True)
        return describe.logged_model(self._to, found, self._in.leaves_out)

    def _verify_registered_model(self, name: str, versions: list[ModelVersion]) -> Iterator[str]:
        skipped = self._in.leaves_out
        yield from self._compare(
            REGISTERED_MODEL, name, describe.registered_model(self._from, name, skipped),
            lambda key: describe.registered_model(self._to, key, skipped),
        )  # fmt: skip
        for version in versions:
            yield from self._compare(
                "model version", f"{name}/{version.version}",
                describe.model_version(self._from, name, version.version),
                lambda key: describe.model_version(self._to, *key.rsplit("/", 1)),
            )  # fmt: skip

    # --- reading the source ------------------------------------------------------------------

    def _experiments(self) -> list[Experiment]:
        return all_experiments(self._from)

    def _runs(self, experiment_ids: list[str]) -> Iterator[Run]:
        return all_runs(self._from, experiment_ids)

    def _logged_models(self, experiment_ids: list[str]) -> Iterator[LoggedModel]:
        return all_logged_models(self._from, experiment_ids)

    def _registered(self) -> Iterator[RegisteredModel]:
        yield from _all("registered_models", self._from.search_registered_models)

    def _versions(self) -> dict[str, list[ModelVersion]]:
        found: dict[str, list[ModelVersion]] = {}
        for one in _all("model_versions", self._from.search_model_versions):
            found.setdefault(one.name, []).append(one)
        return found


def all_experiments(backend: Backend) -> list[Experiment]:
    """Return the experiments of a store in every stage, the default first."""
    rows = _all("experiments", lambda query: backend.search_experiments(ViewType.ALL, query))
    # Another one may have the default's name by now.
    return sorted(rows, key=lambda one: one.experiment_id != "0")


def all_runs(backend: Backend, experiment_ids: list[str]) -> Iterator[Run]:
    """Yield the runs of experiments in every stage."""
    for experiment_id in experiment_ids:

        def search(query: Query, experiment_id: str = experiment_id) -> PagedList[Run]:
            return backend.search_runs([experiment_id], ViewType.ALL, query)

        yield from _all("runs", search)


def all_logged_models(backend: Backend, experiment_ids: list[str]) -> Iterator[LoggedModel]:
    """Yield the logged models of experiments in every stage."""
    yield from _all(
        "logged_models", lambda query: backend.search_logged_models(experiment_ids, query)
    )
    for model_id in describe.deleted_models(backend):
        model = backend.get_logged_model(model_id, allow_deleted=True)
        if model.experiment_id in experiment_ids:
            yield model


def _all(noun: str, search: Callable[[Query], PagedList[Any]]) -> Iterator[Any]:
    """Yield all rows of a search."""
    order = import_module(PARSING).parse_order_by(noun, [])
    token = None
    while True:
        page = search(Query(None, order, _PAGE, token))
        yield from page
        token = page.token
        if not token:
            return


def _ignore(kind: str) -> None:
    pass


def _reason(error: Exception) -> str:
    if isinstance(error, BackendError):
        words = {"Missing": "is not there", "Duplicate": "is taken in the target"}
        said = words.get(type(error).__name__, type(error).__name__)
        return f"{error.kind} {error.key} {said} {error.detail}".strip()
    return str(error)
