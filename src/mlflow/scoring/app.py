"""The scoring server's HTTP face: `/invocations`, `/ping`, `/health` and `/version`."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow import environment_variables as env
from mlflow.exceptions import BAD_REQUEST, MlflowException
from mlflow.scoring.payload import Unsupported, encode_reply, media_type
from mlflow.scoring.plan import Plan
from mlflow.scoring.runner import BusyError, ModelError, Runner, TooSlowError
from mlflow.version import VERSION
from mlflow.web.body import Bodies, BodyError, ClientGoneError
from mlflow.web.hosts import host_name, is_loopback
from mlflow.web.origins import origin_host

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_logger = logging.getLogger("mlflow.scoring")
_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_RETRY = (b"retry-after", b"1")
_CLOSING = (b"connection", b"close")
_SAFE = (b"x-content-type-options", b"nosniff")
_ROUTES = {"/invocations": "POST", "/ping": "GET", "/health": "GET", "/version": "GET"}
Gone = Callable[[], Awaitable[None]]


class Settings(NamedTuple):
    """What the environment says about one scoring server."""

    host: str = "127.0.0.1"
    timeout: float = 60
    max_body: int = 100 * 2**20
    threads: int = 4
    queue: int = 1024
    batch: bool = True
    token: str | None = None
    hosts: tuple[str, ...] | None = None
    origins: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, host: str = "127.0.0.1") -> Settings:
        """Return the settings that the environment variables give."""
        hosts = env.MILLSTREAM_SCORING_ALLOWED_HOSTS.get()
        return cls(
            host=host,
            timeout=env.MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT.get(),
            max_body=env.MILLSTREAM_SCORING_MAX_BODY.get(),
            threads=env.MILLSTREAM_SCORING_THREADS.get(),
            queue=env.MILLSTREAM_SCORING_QUEUE.get(),
            batch=bool(env.MILLSTREAM_SCORING_BATCH.get()),
            token=env.MILLSTREAM_SCORING_TOKEN.get(),
            hosts=_names(hosts) if hosts else None,
            origins=_names(env.MILLSTREAM_SCORING_ALLOWED_ORIGINS.get() or ""),
        )


class Reply(Exception):
    """An answer given instead of a prediction."""

    def __init__(
        self,
        status: int,
        body: bytes | str,
        *headers: tuple[bytes, bytes],
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else body.encode()
        self.headers = headers or (_TEXT,)


class ScoringApp:
    """An ASGI application that serves one model.

    Args:
        model: what `mlflow.pyfunc.load_model` returned.
        settings: limits, time limit, allowed hosts.
        on_stuck: called when the model hangs in every thread.
    """

    def __init__(
        self,
        model: Any,
        settings: Settings | None = None,
        on_stuck: Callable[[], None] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.plan = Plan(model)
        self.runner = Runner(
            self.plan,
            threads=self.settings.threads,
            queue=self.settings.queue,
            timeout=self.settings.timeout,
            batch=self.settings.batch,
            on_stuck=on_stuck,
        )
        self._open = 0
        self._bodies = Bodies(self.settings.max_body, self.settings.timeout)
        self._loopback = is_loopback(self.settings.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        shared = self._shared_with(scope["headers"])
        try:
            body = await self._answer(scope, receive)
        except Reply as reply:
            await _respond(send, reply.status, reply.body, (*reply.headers, *shared))
        except (asyncio.CancelledError, ClientGoneError):
            _logger.debug("the client left before its answer was ready")
        else:
            await _respond(send, 200, body, (_JSON, *shared))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.runner.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        path = scope["path"]
        method = _ROUTES.get(path)
        if method is None:
            raise Reply(404, b'{"detail":"Not Found"}', _JSON)
        if scope["method"] == "OPTIONS":
            self._say_what_pages_may_ask(scope, method)
        if scope["method"] != method and not (method == "GET" and scope["method"] == "HEAD"):
            allow = (b"allow", method.encode())
            raise Reply(405, b'{"detail":"Method Not Allowed"}', _JSON, allow)
        headers = _single_headers(scope["headers"])
        self._check_sender(headers)
        if path != "/invocations":
            if path == "/version":
                return VERSION.encode()
            if self.runner.stuck:
                raise Reply(503, "The model hangs.", _TEXT, _RETRY)
            return b"\n"
        self._check_token(headers)
        return await self._invoke(headers, receive)

    # ── who asks ─────────────────────────────────────────────────────────────────────────────────

    def _check_sender(self, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1")
        name = host_name(host)
        allowed = self.settings.hosts
        if allowed is None:
            if self._loopback and host and not is_loopback(name):
                raise Reply(403, "This Host is not served here.")
        elif "*" not in allowed and name not in allowed and host not in allowed:
            raise Reply(403, "This Host is not served here.")
        origin = headers.get(b"origin")
        if origin is not None and not self._may_ask(origin.decode("latin-1"), host):
            raise Reply(403, "Pages of this Origin may not ask here.")

    def _shared_with(self, raw: list[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
        """Return the headers that let a page of another origin read an answer, if it may ask."""
        origins = [value for name, value in raw if name == b"origin"]
        hosts = [value for name, value in raw if name == b"host"]
        if len(origins) != 1 or len(hosts) != 1:
            return ()
        if not self._may_ask(origins[0].decode("latin-1"), hosts[0].decode("latin-1")):
            return ()
        return (b"access-control-allow-origin", origins[0]), (b"vary", b"Origin")

    def _say_what_pages_may_ask(self, scope: Scope, method: str) -> None:
        """Answer a browser that asks before a page does; without an origin nobody asks so."""
        headers = _single_headers(scope["headers"])
        if b"origin" not in headers or b"access-control-request-method" not in headers:
            return
        self._check_sender(headers)
        raise Reply(
            204,
            b"",
            (b"access-control-allow-methods", method.encode()),
            (b"access-control-allow-headers", b"content-type, authorization"),
            (b"access-control-max-age", b"600"),
        )

    def _may_ask(self, origin: str, host: str) -> bool:
        if origin in self.settings.origins or "*" in self.settings.origins:
            return True
        there = origin_host(origin)
        if there is None:
            return False
        if there == host.lower():
            return True
        return is_loopback(host_name(there)) and is_loopback(host_name(host))

    def _check_token(self, headers: dict[bytes, bytes]) -> None:
        token = self.settings.token
        if token is None:
            return
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        right = hmac.compare_digest(given.strip(), token.encode())
        if scheme.lower() != b"bearer" or not right:
            asked = (b"www-authenticate", b"Bearer")
            raise Reply(401, "A bearer token is needed.", _TEXT, asked)

    # ── one prediction ───────────────────────────────────────────────────────────────────────────

    async def _invoke(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        try:
            kind = media_type(headers.get(b"content-type", b"").decode("latin-1"))
        except Unsupported as error:
            raise Reply(415, str(error)) from None
        coding = headers.get(b"content-encoding", b"identity").lower()
        if coding not in (b"", b"identity"):
            raise Reply(415, "Compressed bodies are not read; send the body as it is.")
        if self._open >= self.settings.queue:
            raise Reply(503, "The server is busy.", _TEXT, _RETRY)
        self._open += 1
        try:
            body = await self._bodies.read(headers, receive)
            return await self._score(body, kind, receive)
        except BodyError as error:
            extra = (_CLOSING,) if error.closing else (_RETRY,)
            raise Reply(error.status, error.message, _TEXT, *extra) from None
        finally:
            self._open -= 1

    async def _score(self, body: bytes, kind: str, receive: Receive) -> bytes:
        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        try:
            work = self.plan.read(body, kind)
            answer = await self.runner.run(work, gone)
        except MlflowException as error:
            raise _refused(error) from None
        except RecursionError:
            deep = MlflowException("Invalid input. Too deeply nested.", error_code=BAD_REQUEST)
            raise _refused(deep) from None
        except BusyError:
            raise Reply(503, "The server is busy.", _TEXT, _RETRY) from None
        except TooSlowError:
            raise Reply(504, "Request processing time exceeded limit", _JSON) from None
        except ModelError as error:
            raise _model_failed(error.reference) from None
        try:
            return encode_reply(answer, unwrapped=work.unwrapped)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            _logger.error("the model's answer has no JSON form: %s", error)  # noqa: TRY400
            message = "The model returned an answer that has no JSON form."
            raise Reply(500, MlflowException(message).serialize_as_json(), _JSON) from None


def _refused(error: MlflowException) -> Reply:
    status = error.get_http_status_code()
    return Reply(status, error.serialize_as_json(), _JSON)


def _model_failed(reference: str) -> Reply:
    message = (
        "Encountered an unexpected error while evaluating the model. Verify that the input is "
        f"compatible with the model. The server's log has the details under {reference}."
    )
    return Reply(500, MlflowException(message).serialize_as_json(), _JSON)


def _single_headers(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    headers = dict(raw)
    if len(headers) != len(raw):
        names = [name for name, _ in raw]
        for name in (b"content-type", b"host", b"origin", b"authorization", b"content-length"):
            if names.count(name) > 1:
                status = 415 if name == b"content-type" else 400
                raise Reply(status, f"The header {name.decode()} is given twice.")
    return headers


async def _respond(
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, _SAFE, length]}
    )
    await send({"type": "http.response.body", "body": body})


def _names(text: str) -> tuple[str, ...]:
    return tuple(item.strip().lower() for item in text.split(",") if item.strip())
