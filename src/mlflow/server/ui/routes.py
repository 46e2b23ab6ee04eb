"""The addresses of the pages' data: JSON in, columns out, nothing when nothing has changed."""

from __future__ import annotations

import time
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlflow.api.op import EXPERIMENT, READ, RUN, STORE, Permission
from mlflow.server.dispatch import check_json_type
from mlflow.server.messages import JSON, Answer, encode, parse_as
from mlflow.server.ui.columns import Reads
from mlflow.server.ui.experiments import activity, experiments
from mlflow.server.ui.news import news
from mlflow.server.ui.runs import Ask, compare, groups, points, summary, window
from mlflow.server.ui.series import Histories, series

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.dispatch import Calls
    from mlflow.server.messages import Request
    from mlflow.server.routes import Routes
    from mlflow.server.ui.frame import Frames
    from mlflow.server.ui.sizes import Sizes
    from mlflow.store.base import AbstractStore

PREFIX = "/ui-api/"
# How long an answer waits for a frame that is being filled; what is known then is returned.
_PATIENCE = 0.25
_NOT_KEPT = (b"cache-control", b"no-store")

_OF_EXPERIMENTS = Permission(READ, EXPERIMENT, "experiment_ids")
_OF_RUNS = Permission(READ, RUN, "run_ids")
_OF_STORE = Permission(READ, STORE)


class RunsBody(msgspec.Struct):
    """Which runs, and what of them."""

    experiments: list[str]
    where: str = ""
    view: int = 1
    order_by: list[str] = []
    columns: list[str] | None = None
    offset: int = 0
    limit: int = 100
    by: list[str] = []
    minimize: list[str] = []

    def ask(self) -> Ask:
        """Return which runs are meant."""
        return Ask(self.experiments, self.where, self.view, self.order_by)

    def named(self) -> dict[str, Any]:
        """Return what permissions are about."""
        return {"experiment_ids": self.experiments}


class SeriesBody(msgspec.Struct):
    """Which series, and how finely."""

    runs: list[str]
    keys: list[str]
    buckets: int = 600
    axis: str = "step"
    low: float | None = None
    high: float | None = None

    def named(self) -> dict[str, Any]:
        """Return what permissions are about."""
        return {"run_ids": self.runs}


class CompareBody(msgspec.Struct):
    """Which runs are laid side by side."""

    runs: list[str]

    def named(self) -> dict[str, Any]:
        """Return what permissions are about."""
        return {"run_ids": self.runs}


class ExperimentsBody(msgspec.Struct):
    """Which experiments."""

    view: int = 1

    def named(self) -> dict[str, Any]:
        """Return what permissions are about."""
        return {}


class ActivityBody(msgspec.Struct):
    """Which experiments."""

    experiments: list[str]

    def named(self) -> dict[str, Any]:
        """Return what permissions are about."""
        return {"experiment_ids": self.experiments}


class NewsBody(msgspec.Struct):
    """Which experiments, and since when (ms since the epoch)."""

    experiments: list[str]
    since: int

    def named(self) -> dict[str, Any]:
        """Return what permissions are about."""
        return {"experiment_ids": self.experiments}


class _Door(NamedTuple):
    """One address: what it is sent, who may ask, what answers."""

    body: Any
    permission: Permission
    give: Callable[[Any], dict[str, Any]]


class PageData:
    """What the pages ask of a store.

    Args:
        store: where experiments and runs are.
        calls: how it is reached.
        frames: what is remembered of its runs.
        sizes: how large their artifacts are.
    """

    def __init__(self, store: AbstractStore, calls: Calls, frames: Frames, sizes: Sizes) -> None:
        self._store = store
        self._calls = calls
        self._frames = frames
        self._histories = Histories(store)
        self._reads = Reads(self._histories.get, sizes.of)
        self._doors = {
            "experiments": _Door(ExperimentsBody, _OF_STORE, self._experiments),
            "activity": _Door(ActivityBody, _OF_EXPERIMENTS, self._activity),
            "runs": _Door(RunsBody, _OF_EXPERIMENTS, self._runs),
            "summary": _Door(RunsBody, _OF_EXPERIMENTS, self._summary),
            "groups": _Door(RunsBody, _OF_EXPERIMENTS, self._groups),
            "points": _Door(RunsBody, _OF_EXPERIMENTS, self._points),
            "compare": _Door(CompareBody, _OF_RUNS, self._compare),
            "news": _Door(NewsBody, _OF_EXPERIMENTS, self._news),
            "series": _Door(SeriesBody, _OF_RUNS, self._series),
        }

    def add_to(self, routes: Routes) -> None:
        """Add the routes. They are asked by POST: what is asked may be long."""
        for name, door in self._doors.items():
            routes.add("POST", PREFIX + name, partial(self._answer, name), door.permission)

    async def _answer(self, name: str, request: Request) -> Answer:
        """Answer a request; 304 when the asker has the same answer already."""
        check_json_type(request)
        door = self._doors[name]
        asked = parse_as(await request.body(), door.body, PREFIX + name)
        seen = await self._calls.permits(request, door.permission, asked.named())
        if "experiment_ids" in seen:
            asked.experiments = seen["experiment_ids"]
        content = await self._calls.read(lambda: encode(door.give(asked)))
        tag = f'"{zlib.crc32(content):08x}{len(content):x}"'.encode()
        if request.headers.get(b"if-none-match") == tag:
            return Answer(304, b"", ((b"etag", tag), _NOT_KEPT))
        return Answer(200, content, (JSON, (b"etag", tag), _NOT_KEPT))

    def _experiments(self, asked: ExperimentsBody) -> dict[str, Any]:
        return experiments(self._store, asked.view)

    def _activity(self, asked: ActivityBody) -> dict[str, Any]:
        return activity(self._store, self._frames, asked.experiments)

    def _runs(self, asked: RunsBody) -> dict[str, Any]:
        frame = self._frames.get(asked.experiments, asked.view)
        place = (asked.offset, asked.limit)
        rest = (self._reads, asked.minimize)
        return window(self._store, frame, asked.ask(), asked.columns, *place, *rest)

    def _summary(self, asked: RunsBody) -> dict[str, Any]:
        frame = self._frames.get(asked.experiments, asked.view)
        frame.refresh(_PATIENCE)
        return summary(frame, asked.ask())

    def _groups(self, asked: RunsBody) -> dict[str, Any]:
        frame = self._frames.get(asked.experiments, asked.view)
        frame.refresh(_PATIENCE)
        return groups(frame, asked.ask(), asked.by, asked.columns or [], asked.minimize)

    def _points(self, asked: RunsBody) -> dict[str, Any]:
        frame = self._frames.get(asked.experiments, asked.view)
        frame.refresh(_PATIENCE)
        return points(frame, asked.ask(), asked.columns or [])

    def _compare(self, asked: CompareBody) -> dict[str, Any]:
        return compare(self._store, asked.runs)

    def _news(self, asked: NewsBody) -> dict[str, Any]:
        frame = self._frames.get(asked.experiments, 1)
        frame.refresh(_PATIENCE)
        return news(self._store, frame, asked.since, int(time.time() * 1000))

    def _series(self, asked: SeriesBody) -> dict[str, Any]:
        return series(
            self._histories,
            self._store,
            asked.runs,
            asked.keys,
            buckets=asked.buckets,
            axis=asked.axis,
            low=asked.low,
            high=asked.high,
        )
