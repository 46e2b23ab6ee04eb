"""Requests to addresses that somebody signed: without credentials of ours, and with no way on."""

from __future__ import annotations

import http.client
import random
import threading
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from mlflow.environment_variables import (
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_HTTP_REQUEST_TIMEOUT,
    MLFLOW_S3_IGNORE_TLS,
)
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, MlflowException, invalid
from mlflow.transport.address import Address
from mlflow.transport.client import PASSING, Answer, Stream
from mlflow.transport.connections import Connections, Tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    T = TypeVar("T")

_MOST = 1 << 20
_LONGEST_WAIT = 15.0

_known: dict[tuple[str, bool], Connections] = {}
_lock = threading.Lock()


class Body(NamedTuple):
    """What is sent piece by piece.

    Attributes:
        size: bytes.
        pieces: yields them, from the start each time it is called.
    """

    size: int
    pieces: Callable[[], Iterable[bytes]]


def send(
    method: str, url: str, body: bytes | Body = b"", headers: dict[str, str] | None = None
) -> Answer:
    """Send a request, again while its server is busy, and return the answer; never follow it.

    Args:
        method: the HTTP method.
        url: the signed address.
        body: all of it, or where it comes from.
        headers: further headers.

    Raises:
        MlflowException: TEMPORARILY_UNAVAILABLE: the server cannot be reached, or stays busy.
    """

    def attempt() -> Answer:
        with _opened(method, url, body, headers or {}) as stream:
            return Answer(stream.status, stream.headers, stream.read(_MOST))

    return _tried(attempt, url)


def fetch(url: str, headers: dict[str, str]) -> Stream:
    """Begin to fetch a file, and return the answer to be read in parts.

    Raises:
        MlflowException: as `send`.
    """
    return _tried(lambda: _opened("GET", url, b"", headers), url)


def _tried(attempt: Callable[[], T], url: str) -> T:
    # The address itself is a secret for as long as it is good.
    host = urlsplit(url).netloc.rpartition("@")[2]
    most = MLFLOW_HTTP_REQUEST_MAX_RETRIES.get()
    cause: BaseException | None
    for tries in range(most + 1):
        try:
            answer = attempt()
        except (OSError, http.client.HTTPException, HTTPError) as error:
            why, cause = type(error).__name__, error
        else:
            status: int = answer.status  # type: ignore[attr-defined]
            if status not in PASSING:
                return answer
            if isinstance(answer, Stream):
                answer.close()
            why, cause = f"status {status}", None
        if tries < most:
            factor = MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR.get()
            time.sleep(min(_LONGEST_WAIT, 0.1 * factor * 2**tries) * random.uniform(0.5, 1))
    message = f"{host} does not answer ({why})."
    raise MlflowException(message, TEMPORARILY_UNAVAILABLE) from cause


def _opened(method: str, url: str, body: bytes | Body, headers: dict[str, str]) -> Stream:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("A server gave an address that is none of http: or https:.")
    connections = _connections(f"{parts.scheme}://{parts.netloc}")
    target = connections.absolute + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = connections.take()
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        whole = {"Host": parts.netloc, **connections.proxy_headers, **headers}
        if body or method != "GET":
            whole["Content-Length"] = str(body.size if isinstance(body, Body) else len(body))
        for name, value in whole.items():
            connection.putheader(name, value)
        connection.endheaders()
        for piece in body.pieces() if isinstance(body, Body) else [body] if body else ():
            connection.send(piece)
        response = http.client.HTTPResponse(connection.sock, method=method)
        response.begin()
    except BaseException:
        connection.close()
        raise
    return Stream(response, connection, connections)


def _connections(origin: str) -> Connections:
    key = (origin, bool(MLFLOW_S3_IGNORE_TLS.get()))
    with _lock:
        if key not in _known:
            if len(_known) >= 32:
                _known.clear()
            tls = Tls.from_environment()._replace(verify=not key[1], certificate=None)
            timeout = MLFLOW_HTTP_REQUEST_TIMEOUT.get()
            _known[key] = Connections(Address.parse(origin), timeout, tls)
        return _known[key]
