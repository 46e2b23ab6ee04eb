"""The trash: what was deleted, how many bytes it holds, and its removal for good."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from mlflow.api.op import MANAGE, READ, STORE, Permission
from mlflow.exceptions import MlflowException
from mlflow.server.dispatch import check_json_type
from mlflow.server.messages import json_answer, parse_as
from mlflow.server.ui.routes import PREFIX
from mlflow.server.ui.sizes import size_at
from mlflow.store.trash import EXPERIMENT, KINDS, RUN, Item, files_of, planned, purge, runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.dispatch import Calls
    from mlflow.server.messages import Answer, Request
    from mlflow.server.roots import ArtifactRoots
    from mlflow.server.routes import Routes
    from mlflow.server.transfer import Work
    from mlflow.server.ui.frame import Frames
    from mlflow.store.base import AbstractStore

# A page lists so many; the rest is counted.
_LISTED = 500
# Counting bytes, and removing, stop after so many seconds; the answer says so.
_PATIENCE = 10.0
# So many go in one request; who asked asks again until nothing is left.
_AT_ONCE = 500
_GONE = "RESOURCE_DOES_NOT_EXIST"
_NAMES = dict(zip(KINDS, ("run", "model", "experiment"), strict=True))

_LOOK, _EMPTY = Permission(READ, STORE), Permission(MANAGE, STORE)


# A word that is not known may be one that was to keep something.
class TrashBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is meant: everything, or what is named; nothing that was deleted after `until` (ms)."""

    until: int | None = None
    runs: list[str] | None = None
    models: list[str] | None = None
    experiments: list[str] | None = None
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0


class Trash:
    """What pages ask of the trash of a store.

    Args:
        store: where it is.
        roots: the folders of artifacts; None when this server has none.
        calls: how the store is reached.
        work: has files removed by a thread.
        frames: what is remembered of runs.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: AbstractStore,
        roots: ArtifactRoots | None,
        calls: Calls,
        work: Work,
        frames: Frames,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._roots = roots
        self._calls = calls
        self._work = work
        self._frames = frames
        self._clock = clock

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        routes.add("POST", f"{PREFIX}trash", self.look, _LOOK)
        routes.add("POST", f"{PREFIX}trash/empty", self.empty, _EMPTY)

    async def look(self, request: Request) -> Answer:
        """Say what would go, with counts and bytes, and remove nothing."""
        asked = await self._asked(request, _LOOK)
        return json_answer(await self._work(partial(self._seen, asked)))

    async def empty(self, request: Request) -> Answer:
        """Remove some of it for good, files first; what has files that cannot be removed stays."""
        asked = await self._asked(request, _EMPTY)
        plan = await self._calls.read(partial(self._plan, asked))
        # What is named is finished: its names could not be said again once a part of it is gone.
        is_all = asked.runs is None and asked.models is None
        end = self._clock() + _PATIENCE if is_all else math.inf
        part: list[Item] = []
        stays = []
        for item in plan[asked.skip : asked.skip + _AT_ONCE]:
            if part and self._clock() > end:
                break
            part.append(item)
            reason = await self._remove(item)
            if reason is not None:
                stays.append({"kind": _NAMES[item.kind], "id": item.id, "reason": reason})
        self._frames.forget([item.id for item in part if item.kind == RUN])
        left = max(0, len(plan) - asked.skip - len(part))
        return json_answer({"removed": len(part) - len(stays), "stays": stays, "left": left})

    async def _asked(self, request: Request, permission: Permission) -> TrashBody:
        check_json_type(request)
        asked = parse_as(await request.body(), TrashBody, request.path)
        await self._calls.permits(request, permission, {})
        return asked

    def _plan(self, asked: TrashBody) -> list[Item]:
        # What came into the trash after somebody looked is not what they agreed to.
        now = int(self._clock() * 1000)
        age = 0 if asked.until is None else max(0, now - asked.until)
        plan = planned(self._store, age, asked.runs, asked.models, asked.experiments)
        # In one order every time: who empties it in parts passes over what stayed.
        return sorted(plan, key=lambda item: (KINDS.index(item.kind), item.id))

    def _seen(self, asked: TrashBody) -> dict[str, Any]:
        until = int(self._clock() * 1000)
        plan = self._plan(asked)
        end = self._clock() + _PATIENCE
        listed: list[dict[str, Any]] = []
        total, measured = 0, 0
        for item in plan:
            if self._clock() > end:
                break
            line = self._line(item)
            measured += 1
            if line is None:
                continue
            total += line["bytes"]
            if len(listed) < _LISTED:
                listed.append(line)
        counts = {name: sum(item.kind == kind for item in plan) for kind, name in _NAMES.items()}
        return {
            "until": until,
            "counts": counts,
            "bytes": total,
            "measured": measured == len(plan),
            "items": listed,
        }

    def _line(self, item: Item) -> dict[str, Any] | None:
        """Return what a page says of an item; None when it is gone by now."""
        try:
            named = self._named(item)
            size, reason = self._size(item)
        except MlflowException as error:
            if error.error_code != _GONE:
                raise
            return None
        return {"kind": _NAMES[item.kind], "id": item.id, **named, "bytes": size, "stays": reason}

    def _named(self, item: Item) -> dict[str, Any]:
        if item.kind == EXPERIMENT:
            return {"name": self._store.get_experiment(item.id).name, "experiment": item.id}
        if item.kind == RUN:
            info = self._store.get_run(item.id).info
            return {"name": info.run_name, "experiment": info.experiment_id}
        model = self._store.get_logged_model(item.id, allow_deleted=True)
        return {"name": model.name, "experiment": model.experiment_id}

    def _size(self, item: Item) -> tuple[int, str | None]:
        """Return the bytes of the files that go with an item, or why it stays with them."""
        files = files_of(self._store, item)
        if not files.location or not files.are_its_own:
            return 0, None
        try:
            return size_at(self._reached(), files.location), None
        except (MlflowException, OSError) as error:
            return 0, str(error)

    async def _remove(self, item: Item) -> str | None:
        """Remove an item; return the reason when it stays."""
        try:
            await self._work(partial(self._remove_files, item))
            await self._calls.submit(partial(purge, self._store, item))
        except (MlflowException, OSError) as error:
            return None if getattr(error, "error_code", "") == _GONE else str(error)
        return None

    def _remove_files(self, item: Item) -> None:
        if item.kind == EXPERIMENT and runs_of(self._store, item.id):
            msg = "Some of its runs stay."
            raise MlflowException(msg)
        files = files_of(self._store, item)
        if files.location and files.are_its_own:
            spot = self._reached().find(files.location)
            spot.root.delete(spot.path)

    def _reached(self) -> ArtifactRoots:
        if self._roots is None:
            msg = "This server does not reach artifacts: use mlflow gc where it does."
            raise MlflowException(msg)
        return self._roots
