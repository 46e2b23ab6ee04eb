"""What stands around everything a server answers, and notes each request when it is over."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from mlflow.server.dispatch import CALLER
from mlflow.server.guards import path_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mlflow.server.access_log import AccessLog
    from mlflow.server.metrics import Metrics

#: The key of a scope under which the routes note what was asked for.
OPERATION = "millstream.operation"
#: What is said of requests that no route has, and of those that a guard did not let through.
UNKNOWN, REFUSED = "unknown", "refused"
# What servers in front of others note when a client left before it was answered.
_LEFT = 499
_LONGEST_PATH = 2048
_KNOWN = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_SECONDS_BETWEEN_KEEPING = 1.0


class Observer:
    """Counts requests and writes the access log.

    Of a request it notes neither headers, nor the query, nor the body: these hold secrets.

    Args:
        app: what answers.
        metrics: counts.
        log: the access log, if there is one.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: AccessLog | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log
        self._is_keeping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        start = time.perf_counter()
        status, size = 0, 0

        async def noted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        self._metrics.began()
        try:
            await self._app(scope, receive, noted)
        finally:
            self._note(scope, status or _LEFT, size, time.perf_counter() - start)

    def _note(self, scope: Scope, status: int, size: int, seconds: float) -> None:
        operation = scope.get(OPERATION, REFUSED)
        # A client may make up any number of methods.
        method = scope["method"] if scope["method"] in _KNOWN else "other"
        self._metrics.ended(operation, method, status, seconds)
        if self._metrics.is_shared and not self._is_keeping:
            self._is_keeping = True
            asyncio.get_running_loop().call_later(_SECONDS_BETWEEN_KEEPING, self._keep)
        if self._log is not None:
            client = scope.get("client")
            self._log.write(
                {
                    "client": client[0] if client else None,
                    "caller": scope.get(CALLER),
                    "method": method,
                    "path": path_of(scope)[:_LONGEST_PATH],
                    "operation": operation,
                    "status": status,
                    "bytes": size,
                    "seconds": round(seconds, 6),
                }
            )

    def _keep(self) -> None:
        self._is_keeping = False
        self._metrics.keep()
