"""Runs as one page: a file of HTML with the pages' program and the data in it, that needs no server."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import os
import time
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from mlflow.api.messages import RUN
from mlflow.api.op import EXPERIMENT, READ, Permission
from mlflow.exceptions import ENDPOINT_NOT_FOUND, MlflowException
from mlflow.server.dispatch import check_json_type
from mlflow.server.messages import HTML, Answer, encode, parse_as
from mlflow.server.sampling import thinned
from mlflow.server.ui.columns import wire
from mlflow.server.ui.experiments import written
from mlflow.server.ui.pages import BUNDLE
from mlflow.server.ui.routes import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities.run import Run
    from mlflow.server.dispatch import Calls
    from mlflow.server.messages import Request
    from mlflow.server.roots import ArtifactRoots, Spot
    from mlflow.server.routes import Routes
    from mlflow.server.transfer import Work
    from mlflow.store.artifact.tree import Opened
    from mlflow.store.base import AbstractStore

#: What one page holds at most: runs, points of all series and of one, names of files.
MAX_RUNS, MAX_POINTS, MAX_OF_SERIES, MAX_NAMES = 1_000, 400_000, 1_000, 10_000
#: Bytes of one file that is in the page, and of all.
MAX_FILE, MAX_FILES = 256 * 1024, 8 * 2**20
_FEWEST_POINTS = 20
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
_OF_EXPERIMENTS = Permission(READ, EXPERIMENT, "experiment_ids")
_TEMPLATE = "onefile.html"


class FileBody(msgspec.Struct):
    """Which runs, and which page of them is shown first."""

    experiments: list[str]
    where: str = ""
    view: int = 1
    order_by: list[str] = []
    place: str = ""


class OneFile:
    """The endpoint that makes such files, one at a time.

    Args:
        store: where the runs are.
        roots: the folders of artifacts; None when this server has none.
        calls: whether it is permitted.
        work: has the work done by a thread.
    """

    def __init__(
        self, store: AbstractStore, roots: ArtifactRoots | None, calls: Calls, work: Work
    ) -> None:
        self._store = store
        self._roots = roots
        self._calls = calls
        self._work = work
        self._one = asyncio.Lock()

    def add_to(self, routes: Routes) -> None:
        """Add the route."""
        routes.add("POST", f"{PREFIX}file", self.answer, _OF_EXPERIMENTS)

    async def answer(self, request: Request) -> Answer:
        """Answer with the page.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a request or filter that cannot be read;
                ENDPOINT_NOT_FOUND where the pages are not built.
        """
        check_json_type(request)
        asked = parse_as(await request.body(), FileBody, f"{PREFIX}file")
        named = {"experiment_ids": asked.experiments}
        seen = await self._calls.permits(request, _OF_EXPERIMENTS, named)
        asked.experiments = seen["experiment_ids"]
        async with self._one:
            content = await self._work(partial(page, self._store, self._roots, asked))
        kept = (b"cache-control", b"no-store")
        return Answer(200, content, (HTML, kept, (b"content-disposition", b"attachment")))


def page(store: AbstractStore, roots: ArtifactRoots | None, asked: FileBody) -> bytes:
    """Return the page.

    Args:
        store: where the runs are.
        roots: the folders of artifacts; None for a page without files.
        asked: which runs, the first 1 000 of them.

    Raises:
        MlflowException: as `OneFile.answer`.
    """
    try:
        with open(os.path.join(BUNDLE, _TEMPLATE), encoding="utf-8") as file:
            template = file.read()
    except OSError:
        raise MlflowException("The pages are not built.", ENDPOINT_NOT_FOUND) from None
    found = store.search_runs(
        asked.experiments, asked.where, asked.view, MAX_RUNS, asked.order_by or None
    )
    experiments = [store.get_experiment(one) for one in dict.fromkeys(asked.experiments)]
    files = _files(roots, found)
    data = {
        "made": int(time.time() * 1000),
        "place": asked.place,
        "more": bool(found.token),
        "experiments": [written(one) for one in experiments],
        "runs": [RUN.write(run) for run in found],
        "series": _series(store, found),
        "files": files.names,
        "contents": files.contents,
    }
    title = ", ".join(one.name for one in experiments)[:200] or "Runs"
    head, middle, tail = _parts(template)
    # Nothing that users wrote can end the element that holds it, or begin another.
    text = encode(data).replace(b"<", b"\\u003c")
    return b"".join((head, html.escape(title).encode(), middle, text, tail))


def _parts(template: str) -> tuple[bytes, bytes, bytes]:
    head, _, rest = template.partition("{{title}}")
    middle, _, tail = rest.partition("{{data}}")
    return head.encode(), middle.encode(), tail.encode()


def _series(store: AbstractStore, runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Return for each run and metric the points that show its course: (count, steps, times, values)."""
    count = sum(len(run.data.metrics) for run in runs)
    most = max(_FEWEST_POINTS, min(MAX_OF_SERIES, MAX_POINTS // max(1, count)))
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        own = found[run.info.run_id] = {}
        for key in run.data.metrics:
            steps, times, values = store.metric_series(run.info.run_id, key).columns()
            kept = thinned(values, most)
            own[key] = [
                len(values),
                [int(steps[at]) for at in kept],
                [int(times[at]) for at in kept],
                [wire(float(values[at])) for at in kept],
            ]
    return found


class _Files:
    """Names and sizes of the files of runs, and what is in the small ones, while there is room."""

    def __init__(self) -> None:
        self.names: dict[str, list[tuple[str, int | None]]] = {}
        self.contents: dict[str, dict[str, str]] = {}
        self._left, self._room = MAX_NAMES, MAX_FILES

    def take(self, run_id: str, spot: Spot) -> None:
        """Take what is at a place of a run."""
        names = self.names.setdefault(run_id, [])
        contents = self.contents.setdefault(run_id, {})
        for path, size in islice(spot.root.walk(spot.path), self._left):
            self._left -= 1
            name = "/".join(path.parts[len(spot.path.parts) :])
            names.append((name, size))
            if size is None or size > min(MAX_FILE, self._room):
                continue
            body = _small(spot.root.opened(path), size, name)
            if body is not None:
                contents[name] = base64.b64encode(body).decode("ascii")
                self._room -= len(body)


def _files(roots: ArtifactRoots | None, runs: Sequence[Run]) -> _Files:
    found = _Files()
    for run in runs if roots is not None else ():
        # What is elsewhere, or gone meanwhile, is left out.
        with contextlib.suppress(MlflowException, OSError):
            found.take(run.info.run_id, roots.find(run.info.artifact_uri or ""))  # type: ignore[union-attr]
    return found


def _small(file: Opened, size: int, name: str) -> bytes | None:
    """Return what is in a picture or text; None for anything else."""
    try:
        body = b"".join(file.parts(0, size))
    finally:
        file.close()
    if name.lower().endswith(_PICTURES):
        return body
    try:
        return None if "\0" in body.decode("utf-8") else body
    except UnicodeDecodeError:
        return None
