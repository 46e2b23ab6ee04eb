"""What the memory backend keeps, and what all its parts use."""

from __future__ import annotations

from mlflow.entities.experiment import LifecycleStage
from mlflow.entities.logged_models import LoggedModel
from mlflow.entities.paged_list import PagedList
from mlflow.entities.registry import (
    ModelVersion,
    RegisteredModel,
)
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    RunInfo,
)
from mlflow.search.match import page
from mlflow.store.backends.base import (
    TAG,
    Missing,
    Query,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class ExperimentRecord:
    """An experiment."""

    def __init__(self, experiment_id: str, name: str, location: str, time: int | None) -> None:
        self.id = experiment_id
        self.name = name
        self.location = location
        self.stage = ACTIVE
        self.created = self.updated = time
        self.deleted_at = 0
        self.tags: dict[str, str] = {}
        self.datasets: dict[tuple[str, str], Dataset] = {}


class RunRecord:
    """A run with its series."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.deleted_at = 0
        self.metrics: dict[str, list[Metric]] = {}
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.datasets: dict[tuple[str, str], DatasetInput] = {}
        self.model_inputs: dict[str, LoggedModelInput] = {}
        self.model_outputs: dict[str, LoggedModelOutput] = {}


class LoggedModelRecord:
    """A logged model."""

    def __init__(self, model: LoggedModel) -> None:
        self.fields = {key: value for key, value in model if key not in ("tags", "params")}
        self.stage = ACTIVE
        self.deleted_at = 0
        self.metrics: list[Metric] = []
        self.tags = dict(model.tags)
        self.params = dict(model.params)


class RegisteredRecord:
    """A registered model with its versions."""

    def __init__(self, model: RegisteredModel) -> None:
        self.fields = dict(model)
        self.tags = dict(model.tags)
        self.aliases: dict[str, str] = {}
        self.last_number = 0
        self.versions: dict[str, VersionRecord] = {}


class VersionRecord:
    """A model version."""

    def __init__(self, version: ModelVersion, number: str, location: str | None) -> None:
        self.fields = dict(version) | {"version": number}
        self.tags = dict(version.tags)
        self.location = location


def write_tags(
    kept: dict[str, str], tags: Sequence[tuple[str, str]], removed: Sequence[str]
) -> None:
    """Set and remove tags; raise `Missing` before anything when one to remove is not there."""
    for key in removed:
        if key not in kept:
            raise Missing(TAG, key)
    kept.update(tags)
    for key in removed:
        del kept[key]


def latest_of(points: Iterable[Metric]) -> Metric:
    """Return the latest point: the largest by (step, timestamp, value), NaN below all numbers."""
    return max(
        points,
        key=lambda one: (one.step, one.timestamp, one.value == one.value, one.value),
    )


def page_of(
    noun: str, rows: list[Any], query: Query, narrowed: tuple[object, ...], history: Any = None
) -> PagedList[Any]:
    """Return one page of rows; `narrowed` is what else chose them."""
    found, token = page(
        noun,
        rows,
        query.where,
        query.order_by,
        query.max_results,
        query.page_token,
        history=history,
        query=narrowed,
    )
    return PagedList(found, token)
