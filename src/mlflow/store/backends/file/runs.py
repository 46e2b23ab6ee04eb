"""Runs on files: a folder each, with metadata, metrics, params, tags, inputs and outputs."""

from __future__ import annotations

import errno
import os
from importlib import import_module

from mlflow.entities.paged_list import PagedList
from mlflow.entities.run import Metric, Param, Run, RunData, RunInfo, RunStatus, RunTag
from mlflow.store.backends.base import (
    RUN,
    TAG,
    Conflict,
    Corrupt,
    Duplicate,
    Missing,
    NotActive,
)
from mlflow.store.backends.disks import is_shared
from mlflow.store.backends.file import metadata
from mlflow.store.backends.file.active import ActiveRuns
from mlflow.store.backends.file.appender import Appender, append_lines
from mlflow.store.backends.file.experiments import ACTIVE, DELETED, Experiments, stage_of
from mlflow.store.backends.file.folding import Folding
from mlflow.store.backends.file.inputs import Inputs
from mlflow.store.backends.file.metadata import Malformed
from mlflow.store.backends.file.reading import (
    MAX_VALUE,
    Unreadable,
    check_folders,
    is_folder,
    key_path,
    make_parent,
    number_of,
    optional_text,
    read_file,
    text_of,
)
from mlflow.store.backends.file.series import Latest, extra_of, history, line, metric_of
from mlflow.store.backends.file.shared import SharedAppender
from mlflow.store.backends.file.tree import META, refused
from mlflow.store.backends.file.uris import believed
from mlflow.store.backends.file.writing import Locked, Making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from mlflow.store.backends.file.tree import Tree
    from mlflow.store.series.columns import Growth

# Loaded when a history is read in pages; logging has no use for it.
PAGING = "mlflow.search.page"
# Loaded when a chart is drawn.
GROWTH = "mlflow.store.backends.file.growth"

_LOCAL = 4


class Runs:
    """The runs of a store.

    Args:
        tree: where they are.
        experiments: the experiments they belong to.
    """

    def __init__(self, tree: Tree, experiments: Experiments) -> None:
        self._tree = tree
        self._experiments = experiments
        self._latest = Latest()
        self._known_active = ActiveRuns(tree)
        appender = SharedAppender if is_shared(tree.root) else Appender
        self.appender: Appender | SharedAppender = appender(tree, self._known_active)
        self._folding = Folding(tree)
        self.inputs = Inputs(tree)

    # --- making ------------------------------------------------------------------------------

    def insert(self, info: RunInfo, tags: Sequence[RunTag]) -> None:
        """See `Backend.insert_run`.

        The folder becomes a run, for us and for stock MLflow, when its last sub-folder appears;
        what comes before needs no care of its own.
        """
        tree = self._tree
        experiment = self._experiments.active_place(info.experiment_id)
        place = f"{experiment}/{info.run_id}"
        writer = tree.writer
        record = run_record(info)
        data = metadata.emit(record)
        try:
            with Making(place, lambda: tree.is_run(place)):
                for name in ("metrics", "params"):
                    os.mkdir(f"{place}/{name}")
                tree.publish_values(f"{place}/tags", {tag.key: tag.value for tag in tags})
                writer.publish(f"{place}/{META}", data)
                writer.settle(place)
                os.mkdir(f"{place}/artifacts")
            writer.settle(place)
            writer.settle(experiment)
        except FileExistsError:
            raise Duplicate(RUN, info.run_id) from None
        except OSError as error:
            raise refused(error) from error
        tree.remember_run(info.run_id, place)
        tree.records.note(f"{place}/{META}", data, record)
        self._known_active.made(info.run_id, place)

    # --- reading -----------------------------------------------------------------------------

    def get(self, run_id: str) -> Run:
        """See `Backend.get_run`."""
        return self.read(run_id, self._tree.run_place(run_id))

    def read(self, run_id: str, place: str, info: RunInfo | None = None) -> Run:
        """Return the run of a folder; `info` is what was read of it already.

        Raises:
            Missing: there is no metadata.
            Corrupt: it cannot be read.
        """
        info = info or self.read_info(run_id, place)
        self._folding.fold(place)
        texts = self._tree.listings.texts
        data = RunData(
            self._latest_metrics(run_id, place),
            [Param(*pair) for pair in texts(f"{place}/params", written_once=True).items()],
            [RunTag(*pair) for pair in texts(f"{place}/tags").items()],
        )
        return Run(info, data, *self.inputs.read(place))

    def _latest_metrics(self, run_id: str, place: str) -> list[Metric]:
        metrics = []
        for key, path in self._tree.listings.files(f"{place}/metrics")[0]:
            try:
                points, bad = self._latest.points(path)
            except FileNotFoundError:
                continue
            except Unreadable as error:
                self._tree.problems.report(path, str(error))
                continue
            if bad:
                self._tree.problems.report(path, f"{bad} lines that are no points")
            metrics.extend([metric_of(key, point, run_id, None) for point in points])
        return metrics

    def info(self, run_id: str) -> RunInfo:
        """See `Backend.get_run_info`."""
        return self.read_info(run_id, self._tree.run_place(run_id))

    def read_info(self, run_id: str, place: str) -> RunInfo:
        """Return identity and state of the run in a folder.

        The names of the folders count, whatever the metadata says of them.

        Raises:
            Missing: there is no metadata.
            Corrupt: it cannot be read.
        """
        record = self._tree.record(place, RUN, run_id)
        try:
            return self._info(run_id, place, record)
        except Malformed as error:
            raise Corrupt(RUN, run_id, f"{place}: {error}") from None

    def _info(self, run_id: str, place: str, record: dict[str, Any]) -> RunInfo:
        tree = self._tree
        experiment_id = place.rsplit("/", 2)[1]
        below = (experiment_id, run_id, "artifacts")
        tail = "/".join(below)
        recorded = text_of(record, "artifact_uri")
        return RunInfo(
            run_id,
            experiment_id,
            text_of(record, "user_id"),
            _status_of(record),
            number_of(record, "start_time"),
            number_of(record, "end_time"),
            stage_of(record),
            believed(recorded, f"{tree.root}/{tail}", f"{tree.uri}/{tail}", below),
            optional_text(record, "run_name") or text_of(record, "name") or None,
        )

    def history(
        self, run_id: str, key: str, max_results: int | None, page_token: str | None
    ) -> PagedList[Metric]:
        """See `Backend.metric_history`; a page starts at a byte, so appending moves none."""
        folder = self._folded(run_id)
        path = key_path(folder, key)
        mark, offset = 0, 0
        if page_token:
            paging = import_module(PAGING)
            mark = paging.fingerprint("metric_history", run_id, key)
            start = paging.read_token(page_token, mark, (float,))
            offset = int(start.cells[0][1]) if start.cells else 0
        try:
            if not check_folders(folder, path):
                return PagedList([], None)
            points, following, bad = history(path, key, run_id, max_results, max(offset, 0))
        except FileNotFoundError:
            return PagedList([], None)
        except Unreadable as error:
            self._tree.problems.report(path, str(error))
            return PagedList([], None)
        if bad:
            self._tree.problems.report(path, f"{bad} lines that are no points")
        return PagedList(points, None if following is None else _token(run_id, key, following))

    def _folded(self, run_id: str) -> str:
        """Return the folder of the metrics of a run, with all that was logged to it in there."""
        place = self._tree.run_place(run_id)
        self._folding.fold(place)
        return f"{place}/metrics"

    def series_since(self, run_id: str, key: str, mark: bytes) -> Growth:
        """See `Backend.series_since`; a mark is a byte, and what stands before it."""
        growth = import_module(GROWTH)
        nothing: Growth = growth.NOTHING
        found: Growth
        folder = self._folded(run_id)
        path = key_path(folder, key)
        try:
            if not check_folders(folder, path):
                return nothing
            found, bad = growth.growth_of(path, mark)
        except FileNotFoundError:
            return nothing
        except Unreadable as error:
            self._tree.problems.report(path, str(error))
            return nothing
        if bad:
            self._tree.problems.report(path, f"{bad} lines that are no points")
        return found

    # --- changing ----------------------------------------------------------------------------

    def update(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
        tags: Sequence[RunTag] = (),
    ) -> RunInfo:
        """See `Backend.update_run`."""
        place = self._tree.run_place(run_id)
        changes: dict[str, Any] = {}
        if status is not None:
            changes["status"] = RunStatus.from_string(status)
        if end_time is not None:
            changes["end_time"] = end_time
        if run_name is not None:
            changes["run_name"] = run_name
        with Locked(place):
            record = self._tree.record(place, RUN, run_id)
            if stage_of(record) != ACTIVE:
                raise NotActive(RUN, run_id)
            self._tree.write_values(place, "tags", [(tag.key, tag.value) for tag in tags])
            if any(record.get(name) != value for name, value in changes.items()):
                record = record | changes
                self._tree.rewrite(place, record)
        if status is not None and RunStatus.is_terminated(changes["status"]):
            self.appender.finish(run_id)
            self._folding.fold(place)
        try:
            return self._info(run_id, place, record)
        except Malformed as error:
            raise Corrupt(RUN, run_id, f"{place}: {error}") from None

    def move(self, run_id: str, stage: str, time: int) -> None:
        """See `Backend.move_run`."""
        self._move(run_id, self._tree.run_place(run_id), stage, time)

    def move_place(self, run_id: str, place: str, stage: str, time: int) -> None:
        """Change the stage of the run in a folder; one that cannot be read is left as it is."""
        try:
            self._move(run_id, place, stage, time)
        except Corrupt as error:
            self._tree.problems.report(place, error.detail)

    def _move(self, run_id: str, place: str, stage: str, time: int) -> None:
        with Locked(place):
            record = dict(self._tree.record(place, RUN, run_id))
            if stage_of(record) == stage:
                return
            record["lifecycle_stage"] = stage
            record.pop("deleted_time", None)
            if stage == DELETED:
                record["deleted_time"] = time
            self._tree.rewrite(place, record)

    def write_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
        models: dict[str, str],
    ) -> None:
        """See `Backend.write_batch`.

        Args:
            run_id: the run.
            metrics: the points.
            params: the params.
            tags: the tags.
            models: the folders of the logged models that points name.
        """
        place = self._known_active.find(run_id).place
        if not params and not tags:
            self._write_points(run_id, metrics, models)
            return
        with Locked(place):
            self._known_active.find(run_id)
            self._write_params(place, self._fresh_params(place, params))
            self._write_points(run_id, metrics, models)
            self._tree.write_values(place, "tags", {tag.key: tag.value for tag in tags}.items())

    def _fresh_params(self, place: str, params: Sequence[Param]) -> dict[str, str]:
        """Return the params that are not there yet.

        Raises:
            Conflict: one is there with another value.
        """
        fresh: dict[str, str] = {}
        for param in params:
            old = fresh.get(param.key)
            if old is None:
                old = self._param(place, param.key)
            if old is not None and old != param.value:
                raise Conflict(param.key, old, param.value)
            if old is None:
                fresh[param.key] = param.value
        return fresh

    def _param(self, place: str, key: str) -> str | None:
        folder = f"{place}/params"
        path = key_path(folder, key)
        try:
            if "/" in key and not check_folders(folder, path):
                return None
            return read_file(path, MAX_VALUE).decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except Unreadable as error:
            if is_folder(path):
                raise refused(IsADirectoryError(errno.EISDIR, "", path)) from None
            raise Corrupt("param", key, str(error)) from None

    def _write_params(self, place: str, params: dict[str, str]) -> None:
        folder = f"{place}/params"
        for key, value in params.items():
            path = key_path(folder, key)
            try:
                make_parent(folder, path, self._tree.writer)
                if self._tree.writer.create(path, value.encode("utf-8"), place):
                    continue
            except OSError as error:
                raise refused(error) from error
            # Another process, without locks, was first.
            old = self._param(place, key)
            if old is not None and old != value:
                raise Conflict(key, old, value)

    def _write_points(self, run_id: str, metrics: Sequence[Metric], models: dict[str, str]) -> None:
        if not metrics:
            return
        lines: dict[str, list[str]] = {}
        of_models: dict[tuple[str, str], list[str]] = {}
        for one in metrics:
            value, timestamp, step = one._value, one._timestamp, one._step
            if one._dataset_name is None and one._model_id is None:
                text = f"{timestamp} {value} {step}\n"
            else:
                extra = extra_of(one._dataset_name, one._dataset_digest)
                text = line(value, timestamp, step, extra)
                if one._model_id is not None:
                    of_models.setdefault((one._model_id, one._key), []).append(
                        line(value, timestamp, step, (run_id, *extra))
                    )
                    if one._run_id == run_id:
                        continue
            known = lines.get(one._key)
            if known is None:
                lines[one._key] = [text]
            else:
                known.append(text)
        for (model_id, key), some in of_models.items():
            self._write_model_points(models[model_id], key, some)
        self.appender.append_all(run_id, {key: "".join(some) for key, some in lines.items()})

    def _write_model_points(self, place: str, key: str, lines: list[str]) -> None:
        folder = f"{place}/metrics"
        path = key_path(folder, key)
        try:
            make_parent(folder, path, self._tree.writer)
            append_lines(path, key, "".join(lines), durable=self._tree.writer.durable)
        except OSError as error:
            raise refused(error) from error

    def delete_tag(self, run_id: str, key: str) -> None:
        """See `Backend.delete_run_tag`."""
        place = self._known_active.find(run_id).place
        if not self._tree.remove_value(place, "tags", key):
            raise Missing(TAG, key)

    def write_inputs(self, run_id: str, datasets: Sequence[Any], models: Sequence[Any]) -> None:
        """See `Backend.write_inputs`."""
        place = self._known_active.find(run_id).place
        with Locked(place):
            self._known_active.find(run_id)
            self.inputs.write(place, datasets, models)

    def write_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        """See `Backend.write_outputs`."""
        place = self._known_active.find(run_id).place
        with Locked(place):
            self._known_active.find(run_id)
            self.inputs.write_outputs(place, models)


def run_record(info: RunInfo) -> dict[str, Any]:
    """Return the metadata of a new run, with the fields that MLflow's readers expect."""
    record: dict[str, Any] = {
        "artifact_uri": info.artifact_uri,
        "end_time": info.end_time,
        "entry_point_name": "",
        "experiment_id": info.experiment_id,
        "lifecycle_stage": info.lifecycle_stage,
        "run_id": info.run_id,
        "run_name": info.run_name,
        # What MLflow 2 calls the run; MLflow 3 reads past it.
        "run_uuid": info.run_id,
        "source_name": "",
        "source_type": _LOCAL,
        "source_version": "",
        "start_time": info.start_time,
        "status": RunStatus.from_string(info.status),
        "tags": [],
        "user_id": info.user_id,
    }
    return record


def _status_of(record: dict[str, Any]) -> str:
    """Return the name of the state that a record holds, as a number or (very old) a name."""
    status = record.get("status")
    if type(status) is int and status in RunStatus._STATUS_TO_STRING:
        return RunStatus._STATUS_TO_STRING[status]
    if type(status) is str and status in RunStatus._STRING_TO_STATUS:
        return status
    raise Malformed(f"status is {status!r}, which is none")


def _token(run_id: str, key: str, offset: int) -> str:
    paging = import_module(PAGING)
    token: str = paging.write_token(
        paging.fingerprint("metric_history", run_id, key), ((0, offset),)
    )
    return token
