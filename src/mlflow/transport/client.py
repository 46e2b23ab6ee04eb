"""Requests to one server: written and read over kept connections, sent again where that is safe."""

from __future__ import annotations

import http.client
import itertools
import logging
import os
import random
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

import msgspec

from mlflow.environment_variables import (
    MILLSTREAM_HTTP_MAX_RESPONSE,
    MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
    MLFLOW_HTTP_REQUEST_BACKOFF_JITTER,
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_HTTP_REQUEST_TIMEOUT,
    MLFLOW_TRACKING_AUTH,
    MLFLOW_TRACKING_AWS_SIGV4,
    MLFLOW_TRACKING_PASSWORD,
    MLFLOW_TRACKING_TOKEN,
    MLFLOW_TRACKING_USERNAME,
)
from mlflow.exceptions import (
    HTTP_STATUS_TO_ERROR_CODE,
    TEMPORARILY_UNAVAILABLE,
    MlflowException,
    RestException,
    invalid,
)
from mlflow.transport.address import Address
from mlflow.transport.connections import Connections, Tls
from mlflow.transport.credentials import authorization, signer
from mlflow.transport.headers import resolve_request_headers
from mlflow.version import VERSION
from mlflow.web.hosts import is_loopback

if TYPE_CHECKING:
    import socket

    from urllib3.connection import HTTPConnection

    from mlflow.transport.credentials import HostCreds

_logger = logging.getLogger(__name__)
#: Answers that say nothing about the request itself: it may be sent again.
PASSING = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 120.0
# A server that was never reached is more likely not there than restarting.
_STRANGER_RETRIES = 3
_CHUNK = 1 << 20
_SHOWN = 300
_USER_AGENT = f"mlflow-python-client/{VERSION}"
# Variables by which credentials may change from one request to the next.
_WHO = tuple(
    one.name
    for one in (
        MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN,
        MLFLOW_TRACKING_AUTH, MLFLOW_TRACKING_AWS_SIGV4,
    )
)  # fmt: skip


#: What this process has sent to servers, heads and bodies, in bytes.
sent_bytes = 0


class NotSentError(Exception):
    """A request that certainly did not reach the server."""


class LostError(Exception):
    """A request whose answer did not come: it may or may not have been done."""


class Answer:
    """The answer of a server.

    Args:
        status: the HTTP status.
        headers: by name in any case.
        body: all of it.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Stream:
    """The answer of a server, its body not yet read; close it, or use it in a `with`."""

    def __init__(
        self, response: http.client.HTTPResponse, connection: HTTPConnection, home: Connections
    ) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._connection: HTTPConnection | None = connection
        self._home = home

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, most: int) -> bytes:
        """Return the whole body.

        Raises:
            MlflowException: it has more than `most` bytes.
            LostError: it ends before it is complete.
        """
        # Without a length the reader would reserve all that may come.
        known = self._response.length is not None
        body = self._part(most + 1) if known else self._gathered(most)
        if len(body) > most:
            self.close()
            raise MlflowException(f"The answer of the server has more than {most} bytes.")
        self._done()
        return body

    def parts(self, size: int = _CHUNK) -> Iterator[bytes]:
        """Yield the body in parts of at most `size` bytes.

        Raises:
            LostError: it ends before it is complete.
        """
        while True:
            part = self._part(size)
            if not part:
                break
            yield part
        self._done()

    def _gathered(self, most: int) -> bytes:
        found = bytearray()
        while len(found) <= most:
            part = self._part(_CHUNK)
            if not part:
                break
            found += part
        return bytes(found)

    def _part(self, size: int) -> bytes:
        try:
            part = self._response.read(size)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise LostError(_reason(error)) from error
        if len(part) < size and self._response.length:
            self.close()
            raise LostError("the answer ended before it was complete")
        return part

    def _done(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._response.isclosed() and not self._response.will_close:
            self._home.give_back(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Give the connection up, unless all was read."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._response.close()
            connection.close()


class Transport:
    """Requests to one server.

    Args:
        uri: its address, `http://…` or `https://…`, with the prefix of its paths; or what tells
            it, and who we are to it, whenever credentials are asked for.
        retries: how often a request is sent again at most; None for
            `MLFLOW_HTTP_REQUEST_MAX_RETRIES`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what is no address.
    """

    def __init__(self, uri: str | Callable[[], HostCreds], retries: int | None = None) -> None:
        self._retries_said = retries
        self._creds = None if isinstance(uri, str) else uri
        found = None if isinstance(uri, str) else uri()
        self.address = Address.parse(found.host if found is not None else str(uri))
        self.timeout = float(MLFLOW_HTTP_REQUEST_TIMEOUT.get())
        tls = None if found is None else Tls.of(found)
        self._connections = Connections(self.address, self.timeout, tls)
        self._who: tuple[str | None, ...] | None = None
        self._authorization: str | None = None
        self._sign: Any = None
        self._is_known = False
        if not self._connections.is_verified:
            _logger.warning(
                "The certificate of %s is not checked (MLFLOW_TRACKING_INSECURE_TLS): who answers "
                "may be anybody.", self.address.shown,
            )  # fmt: skip

    def __repr__(self) -> str:
        return f"Transport({self.address.shown!r})"

    def close(self) -> None:
        """Close the connections; the transport may be used again afterwards."""
        self._connections.close()

    # --- requests --------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        is_safe: bool,
    ) -> Answer:
        """Send a request and return its answer, trying again where that is safe.

        A request that certainly did not arrive is always sent again.

        Args:
            method: the HTTP method.
            path: below the address, with its query.
            body: all of it.
            headers: further headers.
            is_safe: whether it may be sent again when it is not known whether it was done.

        Returns:
            The answer, whatever its status.

        Raises:
            LostError: it is not safe to send again, and the answer did not come.
            MlflowException: TEMPORARILY_UNAVAILABLE when the server cannot be reached.
        """
        tries = 0
        while True:
            try:
                answer = self._once(method, path, body, headers or {})
            except (NotSentError, LostError) as error:
                if isinstance(error, LostError) and not is_safe:
                    raise
                if tries >= self._retries(error):
                    raise self.unreachable(error) from error
                self.wait(tries, None, str(error))
            else:
                if not self._is_passing(answer, is_safe=is_safe) or tries >= self._most_retries():
                    return answer
                self.wait(tries, answer.headers.get("retry-after"), f"status {answer.status}")
            tries += 1

    def stream(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] = b"",
        headers: dict[str, str] | None = None,
    ) -> Stream:
        """Send a request once and return its answer to be read in parts.

        Args:
            method: the HTTP method.
            path: below the address, with its query.
            body: all of it, or its parts; then `headers` has a `Content-Length`.
            headers: further headers.

        Raises:
            NotSentError: it certainly did not arrive.
            LostError: it may or may not have arrived.
        """
        whole = self._headers(headers or {})
        target = self.address.prefix + path
        if isinstance(body, bytes):
            if self._sign is not None:
                target, whole, body = self._signed(method, target, whole, body)
            if body or method != "GET":
                whole["Content-Length"] = str(len(body))
        connection = self._connected()
        lines = [
            f"{method} {self._connections.absolute}{target} HTTP/1.1",
            f"Host: {self.address.netloc}",
        ]
        lines += [f"{name}: {value}" for name, value in whole.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        response = http.client.HTTPResponse(connection.sock, method=method)
        unsent: OSError | None = None
        try:
            unsent = _sent(connection.sock, head, body)
            # A server that wants no more of a body may have said why.
            response.begin()
        except BaseException as error:
            response.close()
            connection.close()
            if not isinstance(error, (OSError, http.client.HTTPException)):
                raise
            if unsent is not None:
                raise NotSentError(_reason(unsent)) from unsent
            raise LostError(_reason(error)) from error
        self._is_known = True
        return Stream(response, connection, self._connections)

    def _once(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        with self.stream(method, path, body, headers) as stream:
            answer = stream.read(MILLSTREAM_HTTP_MAX_RESPONSE.get())
            if stream.status == 401:
                self._who = None  # credentials may have been renewed where they are kept
            return Answer(stream.status, stream.headers, answer)

    def _connected(self) -> HTTPConnection:
        try:
            return self._connections.take()
        except ssl.SSLCertVerificationError as error:
            raise MlflowException(
                f"The certificate of {self.address.shown} is not trusted: {error.verify_message}. "
                "Name the certificates to trust in MLFLOW_TRACKING_SERVER_CERT_PATH."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise NotSentError(_reason(error)) from error
        except Exception as error:
            # urllib3's own errors of connecting are no OSErrors.
            if type(error).__module__.startswith("urllib3"):
                raise NotSentError(_reason(error)) from error
            raise

    # --- headers ---------------------------------------------------------------------------------

    def _headers(self, given: dict[str, str]) -> dict[str, str]:
        who = tuple(map(os.environ.get, _WHO))
        if who != self._who:
            self._identify(who)
        found = resolve_request_headers(given)
        for name, value in found.items():
            said = f"{name}{value}"
            if not said.isascii() or not said.isprintable() or ":" in name:
                raise invalid(f"The header {name!r} has a value that no header may have.")
        found.setdefault("User-Agent", _USER_AGENT)
        found.setdefault("X-MLflow-Client-Version", VERSION)
        if self._authorization is not None:
            found.setdefault("Authorization", self._authorization)
        found.update(self._connections.proxy_headers)
        return found

    def _identify(self, who: tuple[str | None, ...]) -> None:
        if self._creds is None:
            self._sign = signer()
            self._authorization = None if self._sign else authorization(self.address)
        else:
            creds = self._creds()
            self._sign = signer(creds.auth, is_aws=creds.aws_sigv4)
            self._authorization = None if self._sign else creds.authorization()
        self._who = who
        if (
            self._authorization
            and self.address.scheme == "http"
            and not is_loopback(self.address.host)
            and not self._is_known
        ):
            _logger.warning(
                "Credentials for %s travel unencrypted; use https://.", self.address.shown
            )

    def _signed(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[str, dict[str, str], bytes]:
        root = f"{self.address.scheme}://{self.address.netloc}"
        url, headers, body = self._sign(method, root + target, headers, body)
        if not url.startswith(f"{root}/"):
            raise invalid("The auth plug-in turned a request to another server.")
        headers.pop("Content-Length", None)
        headers.pop("Host", None)
        return url[len(root) :], headers, body

    # --- trying again ----------------------------------------------------------------------------

    def _is_passing(self, answer: Answer, *, is_safe: bool) -> bool:
        if answer.status not in PASSING:
            return False
        if answer.status in (429, 503):
            return True  # it was turned away, not begun
        if answer.status == 500:
            # With a code it is an answer; what was not expected comes without, or as this one.
            code = b'"error_code"' in answer.body
            return is_safe and (not code or b'"INTERNAL_ERROR"' in answer.body)
        return is_safe

    def _most_retries(self) -> int:
        said = self._retries_said
        return int(MLFLOW_HTTP_REQUEST_MAX_RETRIES.get()) if said is None else said

    def _retries(self, error: Exception) -> int:
        most = self._most_retries()
        if isinstance(error, NotSentError) and not self._is_known:
            return min(most, _STRANGER_RETRIES)
        return most

    def wait(self, tries: int, retry_after: str | None, why: str) -> None:
        """Wait before a request is sent again.

        Args:
            tries: how often it was sent again already.
            retry_after: what the server said about it.
            why: what went wrong.
        """
        seconds = 0.0  # the first time at once: most often a connection had grown old
        if tries:
            seconds = MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR.get() * 2.0**tries
            seconds += random.random() * MLFLOW_HTTP_REQUEST_BACKOFF_JITTER.get()
        if retry_after is not None and retry_after.strip().isdecimal():
            seconds = max(seconds, float(retry_after[:6]))
        seconds = min(seconds, _LONGEST_WAIT)
        if tries:
            _logger.warning(
                "%s does not answer (%s); trying again in %.0f s.", self.address.shown, why, seconds
            )
        time.sleep(seconds)

    def unreachable(self, error: Exception) -> MlflowException:
        """Return what users are told when a server did not answer."""
        message = f"API request to {self.address.shown} failed: {error}."
        if isinstance(error, NotSentError) and not self._is_known:
            message += " Is the server running, and is the address right?"
        return MlflowException(message, TEMPORARILY_UNAVAILABLE)


def _sent(sock: socket.socket, head: bytes, body: bytes | Iterator[bytes]) -> OSError | None:
    """Send a request; return what kept it from being sent whole: then it was not done."""
    global sent_bytes
    parts = iter((head + body,)) if isinstance(body, bytes) else itertools.chain((head,), body)
    for part in parts:
        try:
            sock.sendall(part)
        except OSError as error:
            return error
        sent_bytes += len(part)
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__


def refusal(answer: Answer, what: str) -> MlflowException:
    """Return what users are told when a server refuses.

    Args:
        answer: the server's.
        what: what was asked, such as a path.
    """
    try:
        value = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        value = None
    if isinstance(value, dict) and "error_code" in value:
        return RestException(value)
    moved = answer.headers.get("location")
    if 300 <= answer.status < 400 and moved:
        return MlflowException(
            f"The server sends requests for {what} on to {shown(moved.encode())}; use that address "
            "as the tracking URI."
        )
    return MlflowException(
        f"API request to endpoint {what} failed with error code {answer.status} != 200. "
        f"Response body: {shown(answer.body)}",
        HTTP_STATUS_TO_ERROR_CODE.get(answer.status, "INTERNAL_ERROR"),
    )


def shown(body: bytes) -> str:
    """Return a text that a server sent as messages show it."""
    text = body[:_SHOWN].decode("utf-8", "replace")
    return repr(text if len(body) <= _SHOWN else f"{text}...")
