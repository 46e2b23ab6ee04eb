"""Experiments and runs in memory."""

from __future__ import annotations

import threading

from mlflow.entities.experiment import Experiment, LifecycleStage
from mlflow.entities.paged_list import PagedList
from mlflow.entities.run import (
    DatasetInput,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from mlflow.search.page import fingerprint, read_token, write_token
from mlflow.store.backends.base import (
    EXPERIMENT,
    RUN,
    Backend,
    Conflict,
    Duplicate,
    Missing,
    NotActive,
    Query,
)
from mlflow.store.backends.memory.records import (
    ACTIVE,
    ExperimentRecord,
    LoggedModelRecord,
    RunRecord,
    latest_of,
    page_of,
    write_tags,
)
from mlflow.store.series.columns import Growth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class MemoryRuns(Backend):
    """The part that keeps experiments and runs."""

    _root: str
    _lock: threading.RLock
    _experiments: dict[str, ExperimentRecord]
    _runs: dict[str, RunRecord]
    _logged: dict[str, LoggedModelRecord]
    _next_experiment: int
    _logged_model: Callable[..., LoggedModelRecord]

    # --- experiments -------------------------------------------------------------------------

    def insert_experiment(
        self,
        name: str,
        artifact_location: str | None,
        tags: Sequence[tuple[str, str]],
        time: int,
    ) -> str:
        with self._lock:
            if self._named(name):
                raise Duplicate(EXPERIMENT, name)
            experiment_id = str(self._next_experiment)
            self._next_experiment += 1
            location = artifact_location or f"{self._root}/{experiment_id}"
            experiment = ExperimentRecord(experiment_id, name, location, time)
            experiment.tags.update(tags)
            self._experiments[experiment_id] = experiment
            return experiment_id

    def _named(self, name: str) -> ExperimentRecord | None:
        return next((one for one in self._experiments.values() if one.name == name), None)

    def _experiment(self, experiment_id: str, *, active: bool = False) -> ExperimentRecord:
        found = self._experiments.get(experiment_id)
        if found is None:
            raise Missing(EXPERIMENT, experiment_id)
        if active and found.stage != ACTIVE:
            raise NotActive(EXPERIMENT, experiment_id)
        return found

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._lock:
            return _experiment_entity(self._experiment(experiment_id))

    def find_experiment(self, name: str) -> Experiment | None:
        with self._lock:
            found = self._named(name)
            return _experiment_entity(found) if found else None

    def rename_experiment(self, experiment_id: str, name: str, time: int) -> None:
        with self._lock:
            experiment = self._experiment(experiment_id, active=True)
            if self._named(name):
                raise Duplicate(EXPERIMENT, name)
            experiment.name, experiment.updated = name, time

    def move_experiment(self, experiment_id: str, stage: str, time: int) -> None:
        with self._lock:
            experiment = self._experiment(experiment_id)
            if experiment.stage == stage:
                raise Missing(EXPERIMENT, experiment_id)
            experiment.stage, experiment.updated, experiment.deleted_at = stage, time, time
            for run in self._runs.values():
                if run.info.experiment_id == experiment_id:
                    _move(run, stage, time)

    def write_experiment_tags(
        self,
        experiment_id: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        with self._lock:
            experiment = self._experiment(experiment_id, active=True)
            write_tags(experiment.tags, tags, removed)
            experiment.updated = experiment.updated if time is None else time

    def search_experiments(self, view_type: int, query: Query) -> PagedList[Experiment]:
        with self._lock:
            rows = [
                _experiment_entity(one)
                for one in self._experiments.values()
                if LifecycleStage.matches_view_type(view_type, one.stage)
            ]
        return page_of("experiments", rows, query, (view_type,))

    # --- runs --------------------------------------------------------------------------------

    def insert_run(self, info: RunInfo, tags: Sequence[RunTag]) -> None:
        with self._lock:
            self._experiment(info.experiment_id, active=True)
            if info.run_id in self._runs:
                raise Duplicate(RUN, info.run_id)
            run = self._runs[info.run_id] = RunRecord(info._copy_with_overrides())
            run.tags.update((tag.key, tag.value) for tag in tags)

    def _run(self, run_id: str, *, active: bool = False) -> RunRecord:
        found = self._runs.get(run_id)
        if found is None:
            raise Missing(RUN, run_id)
        if active and found.info.lifecycle_stage != ACTIVE:
            raise NotActive(RUN, run_id)
        return found

    def get_run(self, run_id: str) -> Run:
        with self._lock:
            return _run_entity(self._run(run_id))

    def get_run_info(self, run_id: str) -> RunInfo:
        with self._lock:
            return self._run(run_id).info._copy_with_overrides()

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
        tags: Sequence[RunTag] = (),
    ) -> RunInfo:
        with self._lock:
            run = self._run(run_id, active=True)
            run.info = run.info._copy_with_overrides(status, None, None, run_name)
            if end_time is not None:
                run.info._end_time = end_time
            run.tags.update((tag.key, tag.value) for tag in tags)
            return run.info._copy_with_overrides()

    def move_run(self, run_id: str, stage: str, time: int) -> None:
        with self._lock:
            _move(self._run(run_id), stage, time)

    def append_metric(self, run_id: str, key: str, value: float, timestamp: int, step: int) -> None:
        with self._lock:
            run = self._run(run_id, active=True)
            point = Metric(key, value, timestamp, step, run_id=run_id)
            run.metrics.setdefault(key, []).append(point)

    def write_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        with self._lock:
            for metric in metrics:
                if metric.model_id is not None:
                    self._logged_model(metric.model_id)
            run = self._run(run_id, active=True)
            fresh: dict[str, str] = {}
            for param in params:
                old = run.params.get(param.key, fresh.get(param.key))
                if old is not None and old != param.value:
                    raise Conflict(param.key, old, param.value)
                fresh[param.key] = param.value
            run.params.update(fresh)
            for metric in metrics:
                self._add(run, run_id, metric)
            run.tags.update((tag.key, tag.value) for tag in tags)

    def _add(self, run: RunRecord, run_id: str, metric: Metric) -> None:
        name, digest = metric.dataset_name, metric.dataset_digest
        where = (metric.key, metric.value, metric.timestamp, metric.step)
        if metric.model_id is None or metric.run_id != run_id:
            point = Metric(*where, None, name, digest, run_id)
            run.metrics.setdefault(metric.key, []).append(point)
        if metric.model_id is not None:
            of_model = Metric(*where, metric.model_id, name, digest, run_id)
            self._logged_model(metric.model_id).metrics.append(of_model)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        with self._lock:
            write_tags(self._run(run_id, active=True).tags, (), [key])

    def metric_history(
        self,
        run_id: str,
        key: str,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[Metric]:
        with self._lock:
            points = list(self._run(run_id).metrics.get(key, ()))
        mark = fingerprint("metric_history", run_id, key)
        start = read_token(page_token, mark, (float,))
        first = int(start.cells[0][1]) if start.cells else start.offset
        last = len(points) if max_results is None else first + max_results
        token = write_token(mark, ((0, last),)) if last < len(points) else None
        return PagedList(points[first:last], token)

    def series_since(self, run_id: str, key: str, mark: bytes) -> Growth:
        points = self.metric_history(run_id, key)
        return Growth([(one.step, one.timestamp, one.value) for one in points], b"", True)

    def search_runs(
        self, experiment_ids: Sequence[str], view_type: int, query: Query
    ) -> PagedList[Run]:
        wanted = frozenset(experiment_ids)
        with self._lock:
            rows = [
                _run_entity(one)
                for one in self._runs.values()
                if one.info.experiment_id in wanted
                and LifecycleStage.matches_view_type(view_type, one.info.lifecycle_stage)
            ]
            series = {one.info.run_id: dict(one.metrics) for one in self._runs.values()}

        def history(run: Run, key: str) -> list[Metric]:
            return series[run.info.run_id].get(key, [])

        return page_of("runs", rows, query, (sorted(wanted), view_type), history)

    def write_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput],
        models: Sequence[LoggedModelInput],
    ) -> None:
        with self._lock:
            run = self._run(run_id, active=True)
            known = self._experiment(run.info.experiment_id).datasets
            for used in datasets:
                key = (used.dataset.name, used.dataset.digest)
                dataset = known.setdefault(key, used.dataset)
                run.datasets.setdefault(key, DatasetInput(dataset, used.tags))
            for model in models:
                run.model_inputs.setdefault(model.model_id, model)

    def write_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        with self._lock:
            run = self._run(run_id, active=True)
            for model in models:
                run.model_outputs.setdefault(model.model_id, model)


def _move(run: RunRecord, stage: str, time: int) -> None:
    if run.info.lifecycle_stage != stage:
        run.info = run.info._copy_with_overrides(lifecycle_stage=stage)
        run.deleted_at = time


def _experiment_entity(kept: ExperimentRecord) -> Experiment:
    entity = Experiment(
        kept.id,
        kept.name,
        kept.location,
        kept.stage,
        creation_time=kept.created,
        last_update_time=kept.updated,
    )
    entity._tags = dict(kept.tags)
    return entity


def _run_entity(kept: RunRecord) -> Run:
    return Run(
        kept.info._copy_with_overrides(),
        RunData(
            [latest_of(points) for points in kept.metrics.values()],
            [Param(key, value) for key, value in kept.params.items()],
            [RunTag(key, value) for key, value in kept.tags.items()],
        ),
        RunInputs(list(kept.datasets.values()), list(kept.model_inputs.values())),
        RunOutputs(list(kept.model_outputs.values())),
    )
