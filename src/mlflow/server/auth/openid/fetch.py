"""Requests to a provider: to addresses that it may name, with a bound on time and on bytes."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from urllib3.exceptions import HTTPError

from mlflow.exceptions import MlflowException
from mlflow.server.auth.openid.errors import AwayError
from mlflow.transport.address import Address
from mlflow.transport.connections import Connections, Tls
from mlflow.web.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3.connection import HTTPConnection

#: Seconds that all requests of one step of a sign-in may take together.
PATIENCE = 10.0
#: Bytes that an answer may have. The largest are sets of keys; those of large providers have 20 kB.
MOST = 256 * 1024
_READ = 16 * 1024
_LONGEST = 2048
_CUT_AGAIN = 0.2


class Answer(NamedTuple):
    """What a provider answered."""

    status: int
    body: bytes


class Deadline:
    """When a step of a sign-in has to have ended.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; none when it has passed."""
        return max(0.0, self._end - time.monotonic())


def check_address(url: object, *, is_local: bool) -> str:
    """Return an address that a provider names, when this server may ask it.

    Args:
        url: what it says.
        is_local: whether the provider itself is on this machine.

    Raises:
        AwayError: it is no address; not of TLS; or means this machine, where the provider is not.
    """
    text = url if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or len(text) > _LONGEST or not re.fullmatch(r"[!-~]+", text):
        raise AwayError("it names an address that is none")
    if {*"@\\#"} & {*text}:
        raise AwayError("it names an address with a user, a backslash or a fragment in it")
    if is_loopback(host) and not is_local:
        raise AwayError("it names an address on this machine")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise AwayError("it names an address that does not begin with https://")
    return text


def ask(
    url: str,
    deadline: Deadline,
    *,
    is_local: bool,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Return what is answered at an address; no redirect is followed.

    Args:
        url: the address.
        deadline: when the answer has to be there.
        is_local: as in `check_address`.
        body: a form to be sent; None to only read.
        headers: further headers.

    Raises:
        AwayError: it cannot be asked, or answers too slowly, too much, or no HTTP.
    """
    parts = urlsplit(check_address(url, is_local=is_local))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    given = {"Accept": "application/json", "Connection": "close", **(headers or {})}
    if body is not None:
        given["Content-Type"] = "application/x-www-form-urlencoded"
    if not deadline.left:
        raise AwayError("it takes too long")
    try:
        address = Address.parse(f"{parts.scheme}://{parts.netloc}")
        # The variables of clients may say not to look at certificates: here they are looked at.
        connections = Connections(address, deadline.left, Tls())
        with _cut_off(connections.new(), deadline) as connection:
            connection.connect()
            connection.request(
                "GET" if body is None else "POST",
                connections.absolute + target,
                body,
                {**given, **connections.proxy_headers},
                preload_content=False,
                decode_content=False,
            )
            answer = _read(connection)
    except (OSError, http.client.HTTPException, HTTPError, ValueError, MlflowException) as error:
        if not deadline.left:
            raise AwayError("it takes too long") from None
        raise AwayError(f"it cannot be asked ({type(error).__name__})") from None
    if not deadline.left:
        raise AwayError("it takes too long")  # what was cut off may look like a whole answer
    return answer


def decoded(answer: Answer, what: str) -> dict[str, Any]:
    """Return the object in an answer.

    Raises:
        AwayError: there is none.
    """
    if answer.status != http.client.OK:
        raise AwayError(f"its {what} answers {answer.status}")
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AwayError(f"its {what} answers no object of JSON")
    return found


def _read(connection: HTTPConnection) -> Answer:
    response = connection.getresponse()
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise AwayError("it packs answers that were not to be packed")
    found = b""
    while chunk := response.read(_READ, decode_content=False):
        found += chunk
        if len(found) > MOST:
            raise AwayError(f"its answer has more than {MOST} bytes")
    return Answer(response.status, found)


@contextmanager
def _cut_off(connection: HTTPConnection, deadline: Deadline) -> Iterator[HTTPConnection]:
    """Give a connection that is cut when the time is over, wherever it waits then.

    The timeout of a socket is about each wait: one byte a second never meets it.
    """
    done = threading.Event()

    def watch() -> None:
        left = deadline.left
        while not done.wait(left):
            left = _CUT_AGAIN  # it may not have had its socket yet
            sock = connection.sock
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    watcher = threading.Thread(target=watch, name="openid-watch", daemon=True)
    watcher.start()
    try:
        yield connection
    finally:
        done.set()
        watcher.join()
        connection.close()
