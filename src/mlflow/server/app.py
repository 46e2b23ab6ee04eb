"""The tracking server as an ASGI application: guards, then routes, then one door for errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow import environment_variables as env
from mlflow.api import registry as registry_api
from mlflow.api.table import OPERATIONS
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, MlflowException
from mlflow.server.artifacts import Artifacts, disabled
from mlflow.server.dispatch import Calls, Operation
from mlflow.server.messages import (
    CLOSING,
    JSON,
    RETRY,
    Answer,
    AnsweredError,
    Handler,
    Request,
    error_answer,
)
from mlflow.server.metrics import Metrics
from mlflow.server.observe import OPERATION, UNKNOWN, Observer
from mlflow.server.replay import UNDERSTOOD, Replays
from mlflow.server.routes import Routes
from mlflow.server.sources import checks
from mlflow.server.special import Special
from mlflow.server.trouble import error_of
from mlflow.server.ui.caller import Caller
from mlflow.server.ui.changes import Changes
from mlflow.server.ui.frame import Frames
from mlflow.server.ui.framed import FramedPages
from mlflow.server.ui.onefile import OneFile
from mlflow.server.ui.pages import Pages
from mlflow.server.ui.routes import PageData
from mlflow.server.ui.sizes import Sizes
from mlflow.server.ui.trash import Trash
from mlflow.server.work import BusyError, Job, Outcome, Threads, outcome_of
from mlflow.web.body import Bodies, BodyError, ClientGoneError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mlflow.api.op import Permission
    from mlflow.server.access_log import AccessLog
    from mlflow.server.auth.access import Access
    from mlflow.server.roots import ArtifactRoots
    from mlflow.store.base import AbstractStore

    # Wraps the application; what it lets through reaches the next guard, the last one the routes.
    Guard = Callable[[ASGIApp], ASGIApp]
    Work = Callable[[Callable[[], Any]], asyncio.Future[Any]]

_logger = logging.getLogger("mlflow.server")
_ALWAYS = ((b"x-content-type-options", b"nosniff"), UNDERSTOOD)
# Threads that read and write portions of files; a slow client holds none of them.
_FILE_THREADS = 8
# What a body is refused with, in words of the error form.
_BODY_CODES = {
    408: "DEADLINE_EXCEEDED",
    413: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


class Settings(NamedTuple):
    """How one server works."""

    prefix: str = ""
    store_type: str = "FileStore"
    max_body: int = 64 * 2**20
    body_timeout: float = 60
    threads: int = 4
    writers: int = 1
    queue: int = 1024
    serve_artifacts: bool = True
    artifacts_only: bool = False
    metrics_folder: str | None = None

    @classmethod
    def from_environment(cls, **said: Any) -> Settings:
        """Return the settings that the environment variables give, beside those that are said."""
        return cls(
            **said,
            max_body=env.MILLSTREAM_SERVER_MAX_BODY.get(),
            body_timeout=env.MILLSTREAM_SERVER_BODY_TIMEOUT.get(),
            threads=env.MILLSTREAM_SERVER_THREADS.get(),
            queue=env.MILLSTREAM_SERVER_QUEUE.get(),
        )


async def everybody(
    request: Request, permission: Permission, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Permit everything: the server has no users."""
    return arguments


class ServerApp:
    """An ASGI application that answers MLflow's REST API from a store.

    Args:
        store: keeps the runs.
        registry: keeps the registered models; the same store when absent.
        roots: the folders of artifacts; without them there are no endpoints of artifacts.
        settings: limits, threads, the prefix of all paths.
        guards: wrap the routes; the first one sees a request first.
        log: the access log, if one is kept.
        replays: knows the writes that came before; those of this process when absent.
        access: the users and what they may do; everybody may do everything when absent.
    """

    def __init__(
        self,
        store: AbstractStore,
        registry: AbstractStore | None = None,
        roots: ArtifactRoots | None = None,
        settings: Settings | None = None,
        guards: Sequence[Guard] = (),
        log: AccessLog | None = None,
        replays: Replays | None = None,
        access: Access | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self._stores = (store, registry or store)
        self._roots = roots
        self._bodies = Bodies(self.settings.max_body, self.settings.body_timeout)
        self._readers = Threads(self.settings.threads, self.settings.queue, "read")
        together = self._together if self.settings.writers == 1 else None
        self._writers = Threads(self.settings.writers, self.settings.queue, "write", together)
        self._files = Threads(_FILE_THREADS, self.settings.queue, "file")
        self._log = log
        self.metrics = self._counted()
        self._replays = replays or Replays()
        self._access = access
        # Remembered for all; what a request may see of it is looked at with the request.
        self._frames = Frames(store)
        self.routes = Routes(self.settings.prefix)
        read: Work = self._readers.submit
        write: Work = self._writers.submit
        file: Work = self._files.submit
        self._seen = self._stores
        if access is not None:
            read, write, file = access.carried(read), access.carried(write), access.carried(file)
            self._seen = access.protect(*self._stores, roots)
            access.add_to(self.routes)
        self._file_work = file
        permits = everybody if access is None else access.permits
        self.calls = Calls(read, write, permits, self._replays, checks(self._seen[0]))
        self._add_routes()
        self._app: ASGIApp = self._serve
        for guard in reversed(guards):
            self._app = guard(self._app)
        self._app = Observer(self._app, self.metrics, log)

    def _counted(self) -> Metrics:
        metrics = Metrics(self.settings.metrics_folder)
        queues = {"read": self._readers, "write": self._writers, "file": self._files}
        for name, threads in queues.items():
            metrics.watch("mlflow_queue_depth", (name,), partial(getattr, threads, "open"))
        log = self._log
        if log is not None:
            metrics.watch("mlflow_access_log_dropped_total", (), lambda: log.dropped)
        return metrics

    def _add_routes(self) -> None:
        store, registry = self._seen
        is_tracking = not self.settings.artifacts_only
        for op in OPERATIONS:
            kept = registry if op in registry_api.OPERATIONS else store
            for route in op.routes:
                handler: Handler = Operation(op, route, kept, self.calls)
                if not is_tracking:
                    handler = disabled("--artifacts-only")
                self.routes.add_api(route.method, f"mlflow/{route.path}", handler, op.permission)
        special = Special(store, self.calls, self._facts())
        special.add_to(self.routes)
        self.metrics.add_to(self.routes)
        if is_tracking:
            special.add_series_to(self.routes)
            pages = PageData(store, self.calls, self._frames, Sizes(self._roots))
            pages.add_to(self.routes)
            work = self._file_work
            Trash(store, self._roots, self.calls, work, self._frames).add_to(self.routes)
            OneFile(store, self._roots, self.calls, work).add_to(self.routes)
            changes = Changes(self._stores[0], self.calls)
            changes.add_to(self.routes)
            self.calls.heard = changes.heard
            self.metrics.watch("mlflow_event_streams", (), lambda: changes.open)
            Pages().add_to(self.routes)
            Caller().add_to(self.routes)
        if self._roots is not None:
            work = self._file_work
            artifacts = Artifacts(store, registry, self._roots, self.calls, work)
            if is_tracking:
                artifacts.add_to(self.routes)
                framed = FramedPages(artifacts.file_of_run, artifacts.file_of_model)
                framed.add_to(self.routes)
            artifacts.add_proxy_to(self.routes, is_served=self.settings.serve_artifacts)

    def _facts(self) -> dict[str, Any]:
        is_direct = self._roots is not None and self._roots.is_direct()
        return {
            "store_type": self.settings.store_type,
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": is_direct,
            "multipart_downloads_enabled": is_direct,
            "presigned_upload_run_id_supported": True,
            "presigned_upload_model_id_supported": True,
            "features_enabled": {"gateway": False},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def close(self) -> None:
        """Finish the calls that were accepted and close the stores."""
        self._writers.close()
        self._readers.close()
        self._files.close()
        self._frames.close()
        self.metrics.keep()
        if self._log is not None:
            self._log.close()
        self._replays.close()
        if self._access is not None:
            self._access.close()
        for store in dict.fromkeys(self._stores):
            close = getattr(store, "close", None)
            if close is not None:
                close()

    def _together(self, jobs: list[Job]) -> list[Outcome]:
        """Make the writes that wait; a store that can keeps them in one transaction."""
        self.metrics.committed(len(jobs))
        if len(jobs) == 1:
            return [outcome_of(jobs[0])]
        try:
            with contextlib.ExitStack() as blocks:
                for store in dict.fromkeys(self._stores):
                    blocks.enter_context(store.together())
                return [outcome_of(job) for job in jobs]
        except Exception:
            # It was not kept, so nobody was answered: each by itself, to its own end.
            _logger.warning("writes are made one by one", exc_info=True)
            return [outcome_of(job) for job in jobs]

    # --- one request -----------------------------------------------------------------------------

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except (asyncio.CancelledError, ClientGoneError):
            _logger.debug("the client left before its request was answered")
            return
        headers = [*answer.headers, *_ALWAYS]
        # Parts whose number is not known beforehand are sent in chunks.
        if answer.parts is None or answer.length is not None:
            size = len(answer.body) if answer.length is None else answer.length
            headers.append((b"content-length", b"%d" % size))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.parts is None:
            await send({"type": "http.response.body", "body": answer.body})
        elif answer.live:
            await _send_live(answer.parts, receive, send)
        else:
            await self._send_parts(answer.parts, receive, send)

    async def _send_parts(self, parts: AsyncGenerator[bytes], receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_left(receive))
        try:
            async with contextlib.aclosing(parts):
                async for part in parts:
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        """Return the answer of a request, whatever happens; the one place that reports errors."""
        scope[OPERATION] = UNKNOWN
        try:
            request = Request(scope, receive, self._bodies)
            endpoint = self.routes.find(request)
            scope[OPERATION] = endpoint.name
            return await endpoint.handler(request)
        except MlflowException as error:
            return error_answer(self._without_addresses(error))
        except AnsweredError as error:
            return error.answer
        except BusyError:
            busy = MlflowException("The server is busy; try again.", TEMPORARILY_UNAVAILABLE)
            return error_answer(busy, RETRY)
        except BodyError as error:
            code = _BODY_CODES.get(error.status, "INVALID_PARAMETER_VALUE")
            body = MlflowException(error.message, code).serialize_as_json().encode()
            extra = CLOSING if error.closing else RETRY
            return Answer(error.status, body, (JSON, extra))
        except ClientGoneError:
            raise
        except Exception as failure:
            reference = secrets.token_hex(6)
            _logger.exception("a request failed, reference %s", reference)
            return error_answer(error_of(failure, reference))

    def _without_addresses(self, error: MlflowException) -> MlflowException:
        """Return an error without the paths and addresses that are the operator's own business."""
        message = error.message
        for store in (*self._stores, self._access):
            address = getattr(store, "address", "")
            if address and address in message:
                message = message.replace(address, "of this server")
        if message == error.message:
            return error
        _logger.warning("%s", error.message)
        return MlflowException(message, error.error_code)


async def _send_live(parts: AsyncGenerator[bytes], receive: Receive, send: Send) -> None:
    """Send parts as they come, until there are no more or the client leaves."""
    gone = asyncio.ensure_future(_left(receive))
    try:
        async with contextlib.aclosing(parts):
            while part := await _unless(gone, anext(parts, b"")):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _unless(gone: asyncio.Future[None], awaited: Awaitable[bytes]) -> bytes:
    """Return what is awaited; nothing when something else happens first."""
    work = asyncio.ensure_future(awaited)
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not work.done():
            work.cancel()
            await asyncio.wait((work,))
    return b"" if work.cancelled() else work.result()


async def _left(receive: Receive) -> None:
    """Wait until the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
