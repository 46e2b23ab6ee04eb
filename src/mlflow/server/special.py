"""The endpoints that are no operations of a store: series of many runs, datasets, facts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import partial
from typing import TYPE_CHECKING, Any

from mlflow.api.messages import EXPERIMENT_IDS, METRIC
from mlflow.api.op import EXPERIMENT, READ, RUN, Permission
from mlflow.api.openapi import document
from mlflow.api.wire import INT32, TEXT, Field, Many, UnreadableError, read_field
from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException, invalid
from mlflow.server.dispatch import check_json_type
from mlflow.server.messages import Answer, json_answer, text_answer
from mlflow.server.routes import PUBLIC
from mlflow.server.sampling import thinned
from mlflow.tags import MLFLOW_DATASET_CONTEXT
from mlflow.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow.server.dispatch import Calls
    from mlflow.server.messages import Request
    from mlflow.server.routes import Routes
    from mlflow.store.base import AbstractStore

_MAX_RUNS = 100
_MAX_POINTS = 25_000
_MAX_SAMPLED, _USUAL_SAMPLED = 2500, 320
_MAX_EXPERIMENTS, _MAX_SUMMARIES = 20, 1000
_PAGE = 1000

_RUN_IDS = Field("run_ids", Many(TEXT), required=True)
_RUN_ID = Field("run_id", Many(TEXT), required=True)
_METRIC_KEY = Field("metric_key", TEXT, required=True)
_MAX_RESULTS = Field("max_results", INT32)
_START, _END = Field("start_step", INT32), Field("end_step", INT32)
_EXPERIMENTS = Field("experiment_ids", EXPERIMENT_IDS, required=True)


class Special:
    """These endpoints over one store.

    Args:
        store: the tracking store.
        calls: how it is reached.
        facts: what `server-info` answers.
    """

    def __init__(self, store: AbstractStore, calls: Calls, facts: Mapping[str, Any]) -> None:
        self._store = store
        self._calls = calls
        self._facts = facts

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        routes.add_api("GET", "mlflow/server-info", self.info, PUBLIC)
        for path, handler in (("/health", self.health), ("/version", self.version)):
            routes.add("GET", path, handler, PUBLIC)
            # Probes know nothing of prefixes.
            routes.add("GET", path, handler, PUBLIC, is_prefixed=False)
        routes.add("GET", "/openapi.json", self.openapi, PUBLIC)

    def add_series_to(self, routes: Routes) -> None:
        """Add the routes that need a store of runs."""
        metrics = Permission(READ, RUN, "run_ids")
        routes.add_api("GET", "mlflow/metrics/get-history-bulk", self.bulk, metrics)
        routes.add_api("GET", "mlflow/metrics/get-history-bulk-interval", self.interval, metrics)
        of_experiments = Permission(READ, EXPERIMENT, "experiment_ids")
        routes.add_api("POST", "mlflow/experiments/search-datasets", self.datasets, of_experiments)

    # --- facts -----------------------------------------------------------------------------------

    async def health(self, request: Request) -> Answer:
        """Say that the server answers."""
        return text_answer(200, "OK")

    async def version(self, request: Request) -> Answer:
        """Say which MLflow this is."""
        return text_answer(200, VERSION)

    async def openapi(self, request: Request) -> Answer:
        """Return the description of the API."""
        return json_answer(document())

    async def info(self, request: Request) -> Answer:
        """Say what the server offers."""
        return json_answer(self._facts)

    # --- series ----------------------------------------------------------------------------------

    async def bulk(self, request: Request) -> Answer:
        """Return the points of one series of several runs."""
        query = request.query
        run_ids, key = _runs(query, _RUN_ID), _one(query, _METRIC_KEY)
        limit = _one(query, _MAX_RESULTS) or _MAX_POINTS
        await self._permit(request, run_ids)
        points = await self._calls.read(partial(self._bulk, run_ids, key, min(limit, _MAX_POINTS)))
        return json_answer({"metrics": points})

    def _bulk(self, run_ids: list[str], key: str, limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for run_id in run_ids:
            left = limit - len(found)
            if left <= 0:
                break
            found += _written(self._history(run_id, key)[:left], run_id)
        return found

    async def interval(self, request: Request) -> Answer:
        """Return the points of one series of several runs, thinned where they are many."""
        query = request.query
        run_ids, key = _runs(query, _RUN_IDS), _one(query, _METRIC_KEY)
        limit = _one(query, _MAX_RESULTS)
        if limit is not None and not 1 <= limit <= _MAX_SAMPLED:
            raise invalid(f"max_results must be between 1 and {_MAX_SAMPLED}.")
        start, end = _one(query, _START), _one(query, _END)
        if (start is None) != (end is None):
            raise invalid("If either start step or end step are specified, both must be specified.")
        if start is not None and start > end:
            raise invalid(f"end_step must be at least start_step, not {start} and {end}.")
        await self._permit(request, run_ids)
        work = partial(self._interval, run_ids, key, start, end, limit or _USUAL_SAMPLED)
        return json_answer(await self._calls.read(work))

    def _interval(
        self, run_ids: list[str], key: str, start: int | None, end: int | None, limit: int
    ) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        is_thinned = False
        for run_id in run_ids:
            steps, times, values = self._columns(run_id, key)
            if start is not None and end is not None:
                part = slice(bisect_left(steps, start), bisect_right(steps, end))
                steps, times, values = steps[part], times[part], values[part]
            kept = thinned(values, limit)
            is_thinned = is_thinned or len(kept) < len(values)
            points = [Metric(key, values[at], times[at], steps[at]) for at in kept]
            found += _written(points, run_id)
        if not found:
            return {}
        return {"metrics": found, "sampled": True} if is_thinned else {"metrics": found}

    def _columns(
        self, run_id: str, key: str
    ) -> tuple[Sequence[int], Sequence[int], Sequence[float]]:
        """Return (steps, times, values) of a series; a run that is not there has none."""
        try:
            return self._store.metric_series(run_id, key).columns()
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return [], [], []

    def _history(self, run_id: str, key: str) -> list[Metric]:
        """Return a series in the order of steps; a run that is not there has none."""
        try:
            points = self._store.get_metric_history(run_id, key)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return []
        return sorted(points, key=lambda point: (point.step, point.timestamp))

    async def _permit(self, request: Request, run_ids: list[str]) -> None:
        await self._calls.permits(request, Permission(READ, RUN, "run_ids"), {"run_ids": run_ids})

    # --- datasets --------------------------------------------------------------------------------

    async def datasets(self, request: Request) -> Answer:
        """Return the datasets that runs of some experiments used."""
        check_json_type(request)
        ids = _read(_EXPERIMENTS, await request.fields())
        if len(ids) > _MAX_EXPERIMENTS:
            raise invalid(f"At most {_MAX_EXPERIMENTS} experiments may be asked for.")
        permission = Permission(READ, EXPERIMENT, "experiment_ids")
        asked = await self._calls.permits(request, permission, {"experiment_ids": ids})
        work = partial(self._datasets, asked["experiment_ids"])
        return json_answer(await self._calls.read(work))

    def _datasets(self, ids: list[str]) -> dict[str, Any]:
        found: dict[tuple[str, ...], dict[str, str]] = {}
        token = None
        while True:
            page = self._store.search_runs(
                ids, "datasets.name LIKE '%'", 1, max_results=_PAGE, page_token=token
            )
            for run in page:
                for used in run.inputs.dataset_inputs if run.inputs else ():
                    contexts = [t.value for t in used.tags if t.key == MLFLOW_DATASET_CONTEXT]
                    summary = {
                        "experiment_id": run.info.experiment_id,
                        "name": used.dataset.name,
                        "digest": used.dataset.digest,
                        **({"context": contexts[0]} if contexts else {}),
                    }
                    found.setdefault(tuple(summary.values()), summary)
            token = page.token
            if not token or len(found) >= _MAX_SUMMARIES:
                break
        summaries = list(found.values())[:_MAX_SUMMARIES]
        return {"dataset_summaries": summaries} if summaries else {}


def _written(points: list[Metric], run_id: str) -> list[dict[str, Any]]:
    return [{**METRIC.write(point), "run_id": run_id} for point in points]


def _runs(query: dict[str, list[str]], field: Field) -> list[str]:
    run_ids: list[str] = _read(field, {field.name: query.get(field.name)})
    if len(run_ids) > _MAX_RUNS:
        raise invalid(f"At most {_MAX_RUNS} runs may be asked for, not {len(run_ids)}.")
    return run_ids


def _one(query: dict[str, list[str]], field: Field) -> Any:
    given = query.get(field.name)
    return _read(field, {field.name: given[-1]} if given else {})


def _read(field: Field, fields: Mapping[str, Any]) -> Any:
    try:
        return read_field(field, fields)
    except UnreadableError as error:
        raise error.told() from None
