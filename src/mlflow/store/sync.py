"""Bringing what was logged without a server to it: ids stay, and twice is once."""

from __future__ import annotations

import logging
import os
from collections import Counter
from itertools import islice

from mlflow.api import rules
from mlflow.entities.experiment import ExperimentTag, ViewType
from mlflow.entities.logged_models import LoggedModelParameter, LoggedModelTag
from mlflow.entities.run import Metric, Param, RunInputs, RunOutputs, RunStatus, RunTag
from mlflow.exceptions import MlflowException, invalid
from mlflow.store import calls, delivery
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.backends.base import EXPERIMENT, LOGGED_MODEL, RUN
from mlflow.store.base import history
from mlflow.store.delivery import is_ended, point, taken
from mlflow.store.migrate import Report
from mlflow.tags import MLFLOW_LOGGED_MODELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.run import Run
    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.store.base import AbstractStore
    from mlflow.store.journal import Journal

    T = TypeVar("T")

_logger = logging.getLogger(__name__)

_PAGE = 200
# Calls that are compared at a time: each time, their series are read.
_CALLS = 50_000
_ABSENT, _TAKEN = "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"
_CONFLICTS = "params, whose values there are others"
_REGISTERED = "registered models: register their versions at the server"


def bring(
    journal: Journal, target: AbstractStore, target_uri: str, *, only_files: bool = False
) -> Report:
    """Bring what is in a journal and not in a store: the runs in it, and the calls.

    Args:
        journal: which belongs to the caller.
        target: where to.
        target_uri: its address.
        only_files: whether the records are known to be there already.

    Raises:
        MlflowException: TEMPORARILY_UNAVAILABLE: the store is away; INVALID_PARAMETER_VALUE: it is
            one that runs with ids of their own cannot be brought to.
    """
    report = Report()
    if os.path.isdir(journal.runs):
        sync = Sync(journal.store, target, target_uri)
        report = sync.copy_files() if only_files else sync.copy()
        if sync.lost is not None:
            raise sync.lost
    waiting = calls.left_in(journal.place)
    while found := list(islice(waiting, _CALLS)):
        _bring_calls(found, target, report)
    return report


def _bring_calls(found: list[calls.Call], target: AbstractStore, report: Report) -> None:
    lacking = delivery.missing(target, found)
    results = delivery.deliver(target, lacking)
    report.completed[RUN] += len({one.run_id for one in lacking if one.size})
    for call, error in zip(lacking, results, strict=True):
        if isinstance(error, MlflowException) and error.error_code != _ABSENT:
            # As if it had been made now: whoever waited for it is gone.
            _logger.error("Run %s: not logged: %s", call.run_id, error)
        elif error is not None:
            report.failed.append(f"{RUN} {call.run_id}: {error}")


class Sync:
    """Adds to a store what another one holds and it lacks.

    Experiments are the same when they have the same name; runs and logged models keep their ids.
    It may be interrupted and started again, any number of times: what is there is compared, and
    only what is missing is sent. Nothing that the target has is changed or removed, but a run that
    has not ended there gets the tags and the end it has here.

    Args:
        source: where the records are.
        target: where they shall be; a store that takes ids which were made elsewhere.
        target_uri: the address of the target, where its artifacts are asked for.
        watch: told of every thing that was looked at: its kind.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when the target gives everything ids of its own.
    """

    def __init__(
        self,
        source: AbstractStore,
        target: AbstractStore,
        target_uri: str,
        watch: Callable[[str], None] | None = None,
    ) -> None:
        if not target.takes_ids():
            raise invalid(
                f"{target!r} gives runs ids of its own, so what is brought to it twice would be "
                "there twice. Name a Millstream server, a folder or a database."
            )
        self._from, self._to = source, target
        self._uri = target_uri
        self._watch = watch or _ignore
        self.report = Report()
        #: Why the target could not be asked any more; None when it was asked for everything.
        self.lost: MlflowException | None = None

    def copy(self) -> Report:
        """Bring everything.

        Returns:
            What was done; a thing that could not be brought is named in it, and the others are.
        """
        for experiment in _all(self._from.search_experiments, ViewType.ACTIVE_ONLY):
            self._try(EXPERIMENT, experiment.name, self._experiment, experiment)
            if self.lost is not None:
                return self.report
        count = sum(1 for _ in _all(self._from.search_registered_models, None))
        if count:
            self.report.left_out[_REGISTERED] = count
        return self.report

    def copy_files(self) -> Report:
        """Bring the files of runs and models that are there already.

        Returns:
            What was done.
        """
        for experiment in _all(self._from.search_experiments, ViewType.ACTIVE_ONLY):
            ids = [experiment.experiment_id]
            for run in _all(self._from.search_runs, ids, "", ViewType.ACTIVE_ONLY):
                self._try(RUN, run.info.run_id, self._files_of_run, run)
            for model in _all(self._from.search_logged_models, ids, None, None):
                self._try(LOGGED_MODEL, model.model_id, self._files_of_model, model)
        return self.report

    def _files_of_run(self, run: Run) -> None:
        there = self._to.get_run(run.info.run_id)
        changed = self._files(run.info.artifact_uri, there.info.artifact_uri)
        (self.report.completed if changed else self.report.present)[RUN] += 1

    def _files_of_model(self, model: LoggedModel) -> None:
        there = self._to.get_logged_model(model.model_id)
        self._files(model.artifact_location, there.artifact_location)

    def _try(self, kind: str, key: str, work: Callable[[T], None], thing: T) -> None:
        self._watch(kind)
        try:
            work(thing)
        except (MlflowException, OSError) as error:
            self._failed(kind, key, error)

    def _failed(self, kind: str, key: str, error: Exception) -> None:
        if isinstance(error, MlflowException) and delivery.is_away(error):
            self.lost = error
        self.report.failed.append(f"{kind} {key}: {error}")

    def _experiment(self, experiment: Experiment) -> None:
        there = self._to.get_experiment_by_name(experiment.name)
        if there is None:
            tags = [ExperimentTag(*pair) for pair in experiment.tags.items()]
            try:
                self._to.create_experiment(experiment.name, None, tags)
                self.report.copied[EXPERIMENT] += 1
            except MlflowException as error:
                if error.error_code != _TAKEN:  # somebody else was quicker
                    raise
            there = self._to.get_experiment_by_name(experiment.name)
        assert there is not None  # noqa: S101 - a name that is taken is somebody's
        ids = [experiment.experiment_id]
        # Models name runs, and points name models.
        runs = list(_all(self._from.search_runs, ids, "", ViewType.ACTIVE_ONLY))
        started = []
        for run in runs:
            started.append((run, self._started(run, there.experiment_id)))
            if self.lost is not None:
                return
        models = _all(self._from.search_logged_models, ids, None, None)
        for model in models:
            if self.lost is not None:
                return
            self._try(
                LOGGED_MODEL,
                model.model_id,
                lambda one: self._model(one, there.experiment_id),
                model,
            )
        for run, at_target in started:
            if self.lost is not None:
                return
            if at_target is not None:
                self._try(RUN, run.info.run_id, self._run, (run, at_target))

    # --- runs --------------------------------------------------------------------------------

    def _started(self, run: Run, experiment_id: str) -> Run | None:
        """Have a run in the target and return it; None when it cannot be there."""
        info = run.info
        try:
            there = self._found(self._to.get_run, info.run_id)
            if there is None:
                tags = [RunTag(*pair) for pair in run.data.tags.items()]
                there = self._to.create_run(
                    experiment_id, info.user_id, info.start_time, tags, info.run_name, info.run_id
                )
                self.report.copied[RUN] += 1
        except MlflowException as error:
            self._failed(RUN, info.run_id, error)
            return None
        return there

    def _found(self, get: Callable[[str], T], key: str) -> T | None:
        try:
            return get(key)
        except MlflowException as error:
            if error.error_code != _ABSENT:
                raise
            return None

    def _run(self, both: tuple[Run, Run]) -> None:
        run, there = both
        run_id, data = run.info.run_id, run.data
        known = there.data.tags
        tags = [
            tag
            for tag in delivery.lacking_tags(there, [RunTag(*one) for one in data.tags.items()])
            if tag.key != MLFLOW_LOGGED_MODELS or tag.key not in known
        ]
        params = [Param(*pair) for pair in data.params.items() if pair[0] not in there.data.params]
        for key, value in data.params.items():
            if there.data.params.get(key, value) != value:
                self.report.left_out[_CONFLICTS] += 1
        changed = self._batches(run_id, [], params, tags)
        for key in data.metrics:
            changed |= self._series(run_id, key, is_new=key not in there.data.metrics)
        changed |= self._inputs(run, there)
        changed |= self._files(run.info.artifact_uri, there.info.artifact_uri)
        if is_ended(run) and not is_ended(there):
            status = RunStatus.from_string(run.info.status)
            self._to.update_run_info(run_id, status, run.info.end_time, None)
            changed = True
        self.report.completed[RUN] += changed
        self.report.present[RUN] += not changed

    def _series(self, run_id: str, key: str, *, is_new: bool) -> bool:
        """Add the points of a series that are missing, each as often as it is here."""
        found = history(self._from, run_id, key)
        points = [Metric(one.key, one.value, one.timestamp, one.step) for one in found]
        if not is_new:
            there = Counter(map(point, history(self._to, run_id, key)))
            points = [one for one in points if not taken(there, point(one))]
        return self._batches(run_id, points, [], [])

    def _batches(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> bool:
        for at in range(0, len(metrics), rules.MAX_ENTITIES_PER_BATCH):
            self._to.log_batch(run_id, metrics[at : at + rules.MAX_ENTITIES_PER_BATCH], [], [])
        few = rules.MAX_PARAMS_TAGS_PER_BATCH
        for at in range(0, max(len(params), len(tags)), few):
            self._to.log_batch(run_id, [], params[at : at + few], tags[at : at + few])
        return bool(metrics or params or tags)

    def _inputs(self, run: Run, there: Run) -> bool:
        given, known = run.inputs or RunInputs([]), there.inputs or RunInputs([])
        datasets = {_dataset(one) for one in known.dataset_inputs}
        models = {one.model_id for one in known.model_inputs}
        fresh = [one for one in given.dataset_inputs if _dataset(one) not in datasets]
        read = [one for one in given.model_inputs if one.model_id not in models]
        if fresh or read:
            self._to.log_inputs(run.info.run_id, fresh, read)
        outputs, found = run.outputs or RunOutputs([]), there.outputs or RunOutputs([])
        models = {one.model_id for one in found.model_outputs}
        made = [one for one in outputs.model_outputs if one.model_id not in models]
        if made:
            self._to.log_outputs(run.info.run_id, made)
        return bool(fresh or read or made)

    # --- models and files --------------------------------------------------------------------

    def _model(self, model: LoggedModel, experiment_id: str) -> None:
        model_id = model.model_id
        there = self._found(self._to.get_logged_model, model_id)
        is_new = there is None
        if there is None:
            there = self._to.create_logged_model(
                experiment_id, model.name, model.source_run_id,
                [LoggedModelTag(*pair) for pair in model.tags.items()],
                [LoggedModelParameter(*pair) for pair in model.params.items()],
                model.model_type, model_id,
            )  # fmt: skip
        known = {(one.key, one.run_id, *point(one)) for one in there.metrics or ()}
        for one in model.metrics or ():
            # A point that names its run is in the run already, or comes with it.
            if (one.key, one.run_id, *point(one)) not in known and one.run_id:
                self._to.log_batch(one.run_id, [one], [], [])
        self._files(model.artifact_location, there.artifact_location)
        if there.status != model.status:
            self._to.finalize_logged_model(model_id, model.status)
        (self.report.copied if is_new else self.report.present)[LOGGED_MODEL] += 1

    def _files(self, source: str | None, target: str | None) -> bool:
        """Send the files that are missing or of another size; tell whether there were any."""
        if not source or not target:
            return False
        here = artifact_repository(source)
        there = artifact_repository(target, self._uri)
        changed = False
        for folder, names in _missing(here, there, ""):
            for path in names:
                there.log_artifact(here.download_artifacts(path), folder or None)
                changed = True
        return changed


def _missing(
    here: ArtifactRepository, there: ArtifactRepository, folder: str
) -> Iterator[tuple[str, list[str]]]:
    """Yield folders with the files in them that are not there, or of another size."""
    found = here.list_artifacts(folder or None)
    if not found:
        return
    known = {one.path: one.file_size for one in there.list_artifacts(folder or None)}
    yield (
        folder,
        [one.path for one in found if not one.is_dir and known.get(one.path) != one.file_size],
    )
    for one in found:
        if one.is_dir:
            yield from _missing(here, there, one.path)


def _all(search: Callable[..., PagedList[T]], *arguments: Any) -> Iterator[T]:
    """Yield what is found on all pages."""
    token: str | None = None
    while True:
        page = search(*arguments, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _dataset(given: Any) -> tuple[str, str]:
    return given.dataset.name, given.dataset.digest


def _ignore(_: str) -> None:
    pass
