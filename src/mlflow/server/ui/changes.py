"""Telling pages that something has changed: a stream of events for each browser that looks.

An event says that runs of the experiments on show are not what they were; what they are, the page
asks as always. Runs change in stores without a word to this server (other programs, other
processes), so one look a second is taken for everybody who watches the same experiments, and none
when nobody does. It sees running and new runs; of an older one that somebody edits through this
process, the edit itself tells. A stream holds a connection and a few hundred bytes, but no thread.
"""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from mlflow.api.op import EXPERIMENT, READ, Permission
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, MlflowException, invalid, not_found
from mlflow.server.messages import Answer, encode
from mlflow.server.ui.frame import DROPPED
from mlflow.server.ui.routes import PREFIX
from mlflow.web.parser import ENDLESS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from typing import Any

    from mlflow.entities.run import Run
    from mlflow.server.dispatch import Calls
    from mlflow.server.messages import Request
    from mlflow.server.routes import Routes
    from mlflow.store.base import AbstractStore

#: Streams that one process keeps open, and sets of experiments that it looks at.
MOST_STREAMS, MOST_WATCHED = 256, 32
_MOST_EXPERIMENTS = 100
# Between two looks; after one that took long, so many times what it took. After one that failed.
_EVERY, _REST, _AFTER_FAILURE = 1.0, 15.0, 5.0
# Something is sent at least as often: whoever hears less asks again, and proxies do not hang up.
_BEAT = 10.0
# Then the page connects again, with whatever permits it by then.
_LONGEST = 900.0
_MOST_OPEN, _NEWEST = 200, 20
_OPEN = "attributes.status IN ('RUNNING', 'SCHEDULED')"
# What people do to runs that are over.
_EDITS = frozenset({"set_tag", "delete_tag", "update_run_info", "delete_run", "restore_run"})
_BROWSER = re.compile(r"[A-Za-z0-9]{1,40}")
_HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store, no-transform"),
    # A proxy that keeps answers back until they are complete would keep these for ever.
    (b"x-accel-buffering", b"no"),
)
_OF_EXPERIMENTS = Permission(READ, EXPERIMENT, "experiment_ids")


class _Seat:
    """One stream: woken when there is something to tell."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.is_over = False
        self.is_elsewhere = False

    def end(self) -> None:
        """End the stream, with the server."""
        self.is_over = True
        self.woken.set()

    def move(self) -> None:
        """End the stream as another page of the browser is told now."""
        self.is_elsewhere = True
        self.end()


class _Watched:
    """Experiments that somebody watches, and how they were at the last look."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids
        self.mark = ""
        self.edits = 0
        self.seats: set[_Seat] = set()
        self.looking: asyncio.Task[None] | None = None


class Changes:
    """The endpoint of these streams; everything in it happens in the event loop.

    Args:
        store: where the runs are; looked at for all who watch, each of whom was permitted to.
        calls: how it is reached.
    """

    def __init__(self, store: AbstractStore, calls: Calls) -> None:
        self._store = store
        self._calls = calls
        self._watched: dict[tuple[str, ...], _Watched] = {}
        self._browsers: dict[str, _Seat] = {}
        self._noting: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """How many streams are open."""
        return sum(len(one.seats) for one in self._watched.values())

    def add_to(self, routes: Routes) -> None:
        """Add the route."""
        routes.add("GET", f"{PREFIX}changes", self.stream, _OF_EXPERIMENTS)

    async def stream(self, request: Request) -> Answer:
        """Answer with a stream that tells of changes until the page is closed.

        The query names `experiments`, separated by commas, and the `browser`: of a browser one
        page is told, the last that asked, as browsers open few connections to one server.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a query of another form;
                TEMPORARILY_UNAVAILABLE when there are too many streams: the page asks by itself;
            RESOURCE_DOES_NOT_EXIST where there is nothing to see.
        """
        query = request.query
        ids = [one for one in ",".join(query.get("experiments", [])).split(",") if one]
        browser = query.get("browser", [""])[-1]
        if not 0 < len(ids) <= _MOST_EXPERIMENTS:
            raise invalid(f"experiments: 1 to {_MOST_EXPERIMENTS} are watched, not {len(ids)}.")
        if _BROWSER.fullmatch(browser) is None:
            raise invalid(f"browser: 1 to 40 letters and digits, not {browser[:60]!r}.")
        seen = await self._calls.permits(request, _OF_EXPERIMENTS, {"experiment_ids": ids})
        key = tuple(sorted(set(seen["experiment_ids"])))
        if not key:
            raise not_found("There are no such experiments.")
        is_full = key not in self._watched and len(self._watched) >= MOST_WATCHED
        if is_full or (self.open >= MOST_STREAMS and browser not in self._browsers):
            raise MlflowException("Too many pages are told of changes.", TEMPORARILY_UNAVAILABLE)
        if request.method == "HEAD":
            return Answer(200, b"", _HEADERS)
        seat = _Seat()
        request.scope[ENDLESS] = seat.end
        known = request.headers.get(b"last-event-id", b"").decode("latin-1")
        return Answer(200, b"", _HEADERS, self._events(seat, key, browser, known), live=True)

    async def _events(
        self, seat: _Seat, key: tuple[str, ...], browser: str, known: str
    ) -> AsyncGenerator[bytes]:
        watched = self._sit(key, browser, seat)
        end = time.monotonic() + _LONGEST
        try:
            yield b"retry: 3000\nevent: beat\ndata:\n\n"
            while time.monotonic() < end:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_BEAT):
                        await seat.woken.wait()
                seat.woken.clear()
                if seat.is_elsewhere:
                    yield b"event: over\ndata:\n\n"
                if seat.is_over:
                    return
                event = b"beat"
                if watched.mark and watched.mark != known:
                    # The first mark is news only to who knows another one.
                    event = b"change" if known else b"beat"
                    known = watched.mark
                yield b"id: %s\nevent: %s\ndata:\n\n" % (known.encode("latin-1"), event)
        finally:
            watched.seats.discard(seat)
            if self._browsers.get(browser) is seat:
                del self._browsers[browser]

    def _sit(self, key: tuple[str, ...], browser: str, seat: _Seat) -> _Watched:
        before = self._browsers.get(browser)
        if before is not None:
            before.move()
        self._browsers[browser] = seat
        watched = self._watched.setdefault(key, _Watched(key))
        watched.seats.add(seat)
        if watched.looking is None:
            watched.looking = asyncio.ensure_future(self._look(watched))
        elif watched.mark:
            seat.woken.set()
        return watched

    def heard(self, operation: str, arguments: Mapping[str, Any]) -> None:
        """Hear of a write that this process has done: edits of runs are told to who watches them."""
        if self._watched and operation in _EDITS:
            task = asyncio.ensure_future(self._note(arguments["run_id"]))
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)

    async def _note(self, run_id: str) -> None:
        # Who cannot be told now asks in a while.
        with suppress(Exception):
            run = await self._calls.read(partial(self._store.get_run, run_id))
            for watched in self._watched.values():
                watched.edits += run.info.experiment_id in watched.ids

    async def _look(self, watched: _Watched) -> None:
        """Look again and again, while anybody watches."""
        while watched.seats:
            began = time.monotonic()
            pause = _EVERY
            try:
                mark = await self._calls.read(partial(mark_of, self._store, watched.ids))
                mark += f"e{watched.edits}" if watched.edits else ""
            except Exception:  # noqa: BLE001 - whoever asks for the runs is told
                mark, pause = watched.mark, _AFTER_FAILURE
            if mark != watched.mark:
                watched.mark = mark
                for seat in watched.seats:
                    seat.woken.set()
            await asyncio.sleep(max(pause, _REST * (time.monotonic() - began)))
        del self._watched[tuple(watched.ids)]


def mark_of(store: AbstractStore, experiment_ids: Sequence[str]) -> str:
    """Return a text that is another one when running or new runs have changed.

    Args:
        store: where they are.
        experiment_ids: of which experiments.
    """
    ids = list(experiment_ids)
    running = store.search_runs(ids, _OPEN, 1, _MOST_OPEN)
    newest = store.search_runs(ids, "", 1, _NEWEST)
    content = encode([_seen(run) for run in (*running, *newest)])
    return f"{zlib.crc32(content):08x}{len(content):x}"


def _seen(run: Run) -> list[object]:
    info, data = run.info, run.data
    points = [(one.key, one.step, one.timestamp) for one in data._metric_objs]
    tags = {key: value for key, value in data.tags.items() if key not in DROPPED}
    return [info.run_id, info.run_name, info.status, info.end_time, points, data.params, tags]
