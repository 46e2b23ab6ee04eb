"""Rules for runs: lifecycle, names, batch limits, and the thin way of a metric."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from mlflow.api import rules
from mlflow.entities.paged_list import PagedList
from mlflow.entities.run import Metric, Param, Run, RunData, RunInfo, RunStatus, RunTag
from mlflow.exceptions import INVALID_STATE, MlflowException, invalid, not_found
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store import heartbeat
from mlflow.store.backends.base import (
    RUN,
    TAG,
    BackendError,
    Conflict,
    Duplicate,
    Missing,
    NotActive,
    Query,
)
from mlflow.store.base import ACTIVE_ONLY, AbstractStore
from mlflow.store.local.errors import changed_param, reports, told
from mlflow.store.local.experiments import now
from mlflow.store.local.names import new_id, random_name
from mlflow.tags import MILLSTREAM_ERROR_MESSAGE, MLFLOW_LOGGED_MODELS, MLFLOW_RUN_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from mlflow.entities.run import DatasetInput, LoggedModelInput, LoggedModelOutput
    from mlflow.store.backends.base import Backend
    from mlflow.store.series.columns import Series
    from mlflow.store.series.remembered import Remembered

_MIN, _MAX = rules.MIN_INT64, rules.MAX_INT64
# Checked names that are remembered; a program that makes up more starts over.
_MAX_CHECKED = 10_000
_DEAD = "The process that logged to this run ended without a word; it was killed."


class RunRules(AbstractStore):
    """Operations on runs over a backend."""

    _backend: Backend
    # Metric keys and run ids that have passed their checks: looking them up is the fast path.
    _checked_keys: set[str]
    _checked_runs: set[str]
    _append_metric: Callable[[str, str, float, int, int], None]
    _series: Remembered | None = None
    remembers_series = True

    # --- runs --------------------------------------------------------------------------------

    @reports
    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: list[RunTag] | None,
        run_name: str | None,
        run_id: str | None = None,
    ) -> Run:
        run_id = new_id() if run_id is None else self._chosen(run_id)
        experiment_id = rules.experiment_id(experiment_id)
        rules.free_texts(user_id=user_id)
        checked = _checked_tags(tags or ())
        run_name, checked = _named(run_name, checked)
        experiment = self._backend.get_experiment(experiment_id)
        info = RunInfo(
            run_id,
            experiment_id,
            user_id or "",
            "RUNNING",
            now() if start_time is None else int(start_time),
            None,
            "active",
            below(experiment.artifact_location, f"{run_id}/artifacts"),
            run_name,
        )
        try:
            self._backend.insert_run(info, checked)
        except NotActive as error:
            message = f"Could not create run under non-active experiment with ID {experiment_id}."
            raise MlflowException(message, INVALID_STATE) from error
        return Run(info, RunData(tags=checked))

    def _chosen(self, run_id: str) -> str:
        """Return an id that the caller made; in files, runs of other experiments could have it."""
        rules.chosen_id(run_id, "run_id")
        with suppress(Missing):
            raise Duplicate(RUN, self._backend.get_run_info(run_id).run_id)
        return run_id

    @reports
    def get_run(self, run_id: str) -> Run:
        run = self._backend.get_run(rules.run_id(run_id))
        return self._backend.get_run(run.info.run_id) if self._ended_if_dead(run) else run

    def _ended_if_dead(self, run: Run) -> bool:
        """End a run whose process is gone and can no longer do so; tell whether it was one."""
        if run.info.status != "RUNNING":
            return False
        with heartbeat.Orphan(run.info) as orphan:
            if not orphan.found:
                return False
            run_id = run.info.run_id
            try:
                # It may have ended between the first look and this one.
                run = self._backend.get_run(run_id)
                if run.info.status == "RUNNING":
                    tags = [RunTag(MILLSTREAM_ERROR_MESSAGE, _DEAD)]
                    end = _last_sign(run)
                    self._backend.update_run(run_id, status="KILLED", end_time=end, tags=tags)
            except BackendError:
                return False  # such as a store that is only read
            orphan.is_settled = True
            return True

    @reports
    def update_run_info(
        self,
        run_id: str,
        run_status: int | None,
        end_time: int | None,
        run_name: str | None,
    ) -> RunInfo:
        run_id = rules.run_id(run_id)
        status = None
        if run_status is not None:
            if run_status not in RunStatus.all_status():
                known = ", ".join(RunStatus._STRING_TO_STATUS)
                raise invalid(f"Invalid run status {run_status!r}; it is one of {known}.")
            status = RunStatus.to_string(run_status)
        tags = []
        if run_name:
            tags.append(RunTag(MLFLOW_RUN_NAME, rules.tag_value(run_name)))
        end = None if end_time is None else int(end_time)
        return self._backend.update_run(
            run_id, status=status, end_time=end, run_name=run_name or None, tags=tags
        )

    @reports
    def delete_run(self, run_id: str) -> None:
        self._backend.move_run(rules.run_id(run_id), "deleted", now())

    @reports
    def restore_run(self, run_id: str) -> None:
        self._backend.move_run(rules.run_id(run_id), "active", now())

    # --- what runs log -----------------------------------------------------------------------

    def log_metric_value(
        self, run_id: str, key: str, value: float, timestamp: int, step: int
    ) -> None:
        # The plain way is below; a point whose every part is known to pass needs none of it.
        if (
            value.__class__ is float
            and key.__class__ is str
            and key in self._checked_keys
            and run_id in self._checked_runs
            and timestamp.__class__ is int
            and step.__class__ is int
            and 0 <= timestamp <= _MAX
            and _MIN <= step <= _MAX
        ):
            try:
                self._append_metric(run_id, key, value, timestamp, step)
            except BackendError as error:
                raise told(error) from error
            return
        self._log_metric_plainly(run_id, key, value, timestamp, step)

    @reports
    def _log_metric_plainly(
        self, run_id: str, key: Any, value: Any, timestamp: Any, step: Any
    ) -> None:
        run_id = rules.run_id(run_id)
        key = rules.metric_key(key)
        number = rules.metric_value(value, timestamp)
        when = rules.metric_timestamp(timestamp, key, value)
        place = rules.metric_step(step, key, value)
        self._append_metric(run_id, key, number, when, place)
        self._remember(run_id, [key])

    def _remember(self, run_id: str, keys: Iterable[str]) -> None:
        # Sets that another thread may be reading are replaced, not emptied.
        if len(self._checked_keys) > _MAX_CHECKED:
            self._checked_keys = set()
        if len(self._checked_runs) > _MAX_CHECKED:
            self._checked_runs = set()
        self._checked_keys.update(keys)
        self._checked_runs.add(run_id)

    @reports
    def log_metric(self, run_id: str, metric: Metric) -> None:
        if metric.model_id is None and not metric.dataset_name and not metric.dataset_digest:
            timestamp, step = metric.timestamp, metric.step
            self.log_metric_value(run_id, metric.key, metric.value, timestamp, step)
            return
        run_id = rules.run_id(run_id)
        self._backend.write_batch(run_id, [_checked_metric(metric, "")], (), ())

    @reports
    def log_param(self, run_id: str, param: Param) -> Param:
        run_id = rules.run_id(run_id)
        checked = Param(rules.param_key(param.key), rules.param_value(param.value))
        self._write(run_id, (), [checked], ())
        return checked

    @reports
    def set_tag(self, run_id: str, tag: RunTag) -> None:
        self._write(rules.run_id(run_id), (), (), _checked_tags([tag], "key", "value"))

    @reports
    def delete_tag(self, run_id: str, key: str) -> None:
        run_id = rules.run_id(run_id)
        key = rules.tag_key(key)
        try:
            self._backend.delete_run_tag(run_id, key)
        except Missing as error:
            if error.kind != TAG:
                raise
            raise not_found(f"No tag with name: {key} in run with id {run_id}") from error

    @reports
    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        run_id = rules.run_id(run_id)
        rules.batch_size(len(metrics), len(params), len(tags))
        known = self._checked_keys
        points = [
            # As in `log_metric_value`: a point whose every part is known to pass is not checked.
            metric
            if metric._key in known
            and metric._value.__class__ is float
            and metric._timestamp.__class__ is int
            and metric._step.__class__ is int
            and 0 <= metric._timestamp <= _MAX
            and _MIN <= metric._step <= _MAX
            and metric._model_id is None
            else _checked_metric(metric, f"metrics[{place}].")
            for place, metric in enumerate(metrics)
        ]
        pairs = [
            Param(
                rules.param_key(param.key, f"params[{place}].key"),
                rules.param_value(param.value, f"params[{place}].value"),
            )
            for place, param in enumerate(params)
        ]
        rules.distinct_params([param.key for param in pairs])
        self._write(run_id, points, pairs, _checked_tags(tags))
        if points:
            self._remember(run_id, {metric._key for metric in points})

    def _write(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        # The name of a run is kept twice, so its tag is written together with the field.
        renamed = [tag for tag in tags if tag._key == MLFLOW_RUN_NAME and tag._value]
        if renamed:
            tags = [tag for tag in tags if tag._key != MLFLOW_RUN_NAME]
        if metrics or params or tags or not renamed:
            try:
                self._backend.write_batch(run_id, metrics, params, tags)
            except Conflict as error:
                raise changed_param(run_id, error) from error
        if renamed:
            self._backend.update_run(run_id, run_name=renamed[-1]._value, tags=renamed[-1:])

    @reports
    def get_metric_history(
        self,
        run_id: str,
        metric_key: str,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[Metric]:
        run_id = rules.run_id(run_id)
        key = rules.metric_key(metric_key)
        limit = None if max_results is None else rules.max_results(max_results)
        return self._backend.metric_history(run_id, key, limit, page_token or None)

    @reports
    def metric_series(self, run_id: str, metric_key: str) -> Series:
        run_id, key = rules.run_id(run_id), rules.metric_key(metric_key)
        if self._series is None:
            folder = import_module("mlflow.store.backends.disks").series_folder(self._backend.place)
            remembered = import_module("mlflow.store.series.remembered").Remembered
            self._series = remembered(self._backend.series_since, folder)
        series: Series = self._series.get(run_id, key)
        return series

    @reports
    def search_runs(
        self,
        experiment_ids: list[str],
        filter_string: str | None,
        run_view_type: int,
        max_results: int = rules.SEARCH_MAX_RESULTS_DEFAULT,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        ids = rules.experiment_ids(experiment_ids)
        limit, usual = rules.SEARCH_MAX_RESULTS_THRESHOLD, rules.SEARCH_MAX_RESULTS_DEFAULT
        size = 0 if max_results == 0 else rules.max_results(max_results, limit, usual)
        query = Query(
            parse_filter("runs", filter_string),
            parse_order_by("runs", order_by),
            size,
            page_token,
        )
        view = rules.view_type(run_view_type or ACTIVE_ONLY)
        if size == 0:
            return PagedList([], None)
        found = self._backend.search_runs(ids, view, query)
        dead = [run for run in found if self._ended_if_dead(run)]
        if dead:
            # Whether they still match, and where they stand, may have changed.
            found = self._backend.search_runs(ids, view, query)
        return found

    # --- what goes in and comes out ------------------------------------------------------------

    @reports
    def log_inputs(
        self,
        run_id: str,
        datasets: list[DatasetInput] | None = None,
        models: list[LoggedModelInput] | None = None,
    ) -> None:
        run_id = rules.run_id(run_id)
        for used in datasets or ():
            _check_dataset(used)
        for model in models or ():
            rules.model_id(model.model_id)
        self._backend.write_inputs(run_id, datasets or (), models or ())

    @reports
    def log_outputs(self, run_id: str, models: list[LoggedModelOutput]) -> None:
        run_id = rules.run_id(run_id)
        for model in models:
            rules.model_id(model.model_id)
            rules.metric_step(model.step, model.model_id, None)
        self._backend.write_outputs(run_id, models)

    @reports
    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        import json

        run = self.get_run(run_id)
        try:
            history = json.loads(run.data.tags.get(MLFLOW_LOGGED_MODELS) or "[]")
        except ValueError:
            history = []  # cut at the length limit: what is left cannot be added to
        history.append(mlflow_model.get_tags_dict())
        self.set_tag(run_id, RunTag(MLFLOW_LOGGED_MODELS, json.dumps(history)))

    # --- maintenance -------------------------------------------------------------------------

    @reports
    def list_deleted_runs(self, older_than: int = 0) -> list[str]:
        return self._backend.list_deleted(RUN, now() - older_than)

    @reports
    def purge_run(self, run_id: str) -> None:
        run_id = rules.run_id(run_id)
        if self._backend.get_run_info(run_id).lifecycle_stage == "active":
            raise invalid(f"The run {run_id} is active; delete it first.")
        self._backend.purge(RUN, [run_id])


def _last_sign(run: Run) -> int:
    """Return when a run was last seen to do something, as far as it wrote that down."""
    start = run.info.start_time or 0
    times = [point.timestamp for point in run.data._metric_objs]
    return max(start, min(max(times, default=start), now()))


def below(root: str, path: str) -> str:
    """Return the URI of a path below a root, leaving a query (`?…`) where it is."""
    if "?" in root and "://" in root:
        address, mark, query = root.partition("?")
        return f"{address.rstrip('/')}/{path}{mark}{query}"
    return f"{root.rstrip('/')}/{path}"


def _named(run_name: str | None, tags: list[RunTag]) -> tuple[str, list[RunTag]]:
    tagged = next((tag.value for tag in reversed(tags) if tag.key == MLFLOW_RUN_NAME), None)
    if run_name and tagged and run_name != tagged:
        message = (
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different "
            f"values (run_name='{run_name}', mlflow.runName='{tagged}')."
        )
        raise invalid(message)
    name = rules.tag_value(run_name or tagged or random_name())
    kept = [tag for tag in tags if tag.key != MLFLOW_RUN_NAME]
    return name, [*kept, RunTag(MLFLOW_RUN_NAME, name)]


def _checked_tags(
    tags: Sequence[RunTag], key_path: str | None = None, value_path: str | None = None
) -> list[RunTag]:
    checked = {}
    for place, tag in enumerate(tags):
        key = rules.tag_key(tag.key, key_path or f"tags[{place}].key")
        checked[key] = rules.tag_value(tag.value, value_path or f"tags[{place}].value")
    return [RunTag(key, value) for key, value in checked.items()]


def _checked_metric(metric: Metric, path: str) -> Metric:
    key = rules.metric_key(metric.key, f"{path}name")
    timestamp = metric.timestamp
    value = rules.metric_value(metric.value, timestamp, f"{path}value")
    name, digest = metric.dataset_name or None, metric.dataset_digest or None
    if metric.model_id is not None:
        rules.model_id(metric.model_id)
    if name is not None or digest is not None:
        rules.dataset_field("dataset_name", name, rules.MAX_DATASET_NAME_SIZE, required=True)
        rules.dataset_field("dataset_digest", digest, rules.MAX_DATASET_DIGEST_SIZE, required=True)
    return Metric(
        key,
        value,
        rules.metric_timestamp(timestamp, key, metric.value, f"{path}timestamp"),
        rules.metric_step(metric.step, key, metric.value, f"{path}step"),
        metric.model_id,
        name,
        digest,
        metric.run_id,
    )


def _check_dataset(used: DatasetInput) -> None:
    dataset = used.dataset
    for name, value, limit, required in (
        ("name", dataset.name, rules.MAX_DATASET_NAME_SIZE, True),
        ("digest", dataset.digest, rules.MAX_DATASET_DIGEST_SIZE, True),
        ("source_type", dataset.source_type, rules.MAX_DATASET_NAME_SIZE, True),
        ("source", dataset.source, rules.MAX_DATASET_SOURCE_SIZE, True),
        ("schema", dataset.schema, rules.MAX_DATASET_SCHEMA_SIZE, False),
        ("profile", dataset.profile, rules.MAX_DATASET_PROFILE_SIZE, False),
    ):
        rules.dataset_field(name, value, limit, required=required)
    for tag in used.tags:
        rules.dataset_field("key", tag.key, rules.MAX_INPUT_TAG_KEY_SIZE, required=True)
        rules.dataset_field("value", tag.value, rules.MAX_INPUT_TAG_VALUE_SIZE, required=False)
