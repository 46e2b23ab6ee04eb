"""Connections to one server: opened with its TLS and proxy settings, kept, used again."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import is_connection_dropped

from mlflow.environment_variables import (
    MLFLOW_TRACKING_CLIENT_CERT_PATH,
    MLFLOW_TRACKING_INSECURE_TLS,
    MLFLOW_TRACKING_SERVER_CERT_PATH,
)
from mlflow.exceptions import invalid

if TYPE_CHECKING:
    from mlflow.transport.address import Address
    from mlflow.transport.credentials import HostCreds

# Requests are small and wait for their answer: delaying them to fill packets only costs time.
_SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
# Variables in which users keep the certificates that `requests` and others trust.
_TRUSTED = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_IDLE = 16
_LONGEST_CONNECT = 30.0


class Tls(NamedTuple):
    """How a server proves who it is, and how we do."""

    verify: bool = True
    trusted: str | None = None
    certificate: str | None = None

    @classmethod
    def from_environment(cls) -> Tls:
        """Return what the environment variables say.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE when they contradict each other or name what
                is not there.
        """
        return cls._checked(
            MLFLOW_TRACKING_INSECURE_TLS.get(),
            MLFLOW_TRACKING_SERVER_CERT_PATH.get(),
            MLFLOW_TRACKING_CLIENT_CERT_PATH.get(),
        )

    @classmethod
    def of(cls, creds: HostCreds) -> Tls:
        """Return what a plug-in says.

        Raises:
            MlflowException: as `from_environment`.
        """
        return cls._checked(
            creds.ignore_tls_verification, creds.server_cert_path, creds.client_cert_path
        )

    @classmethod
    def _checked(cls, insecure: bool, trusted: str | None, certificate: str | None) -> Tls:
        if insecure and trusted:
            raise invalid(
                "When 'MLFLOW_TRACKING_INSECURE_TLS' is true then 'MLFLOW_TRACKING_SERVER_CERT_PATH' "
                "must not be set: one says to trust any server, the other which."
            )
        trusted = trusted or next(filter(None, map(os.environ.get, _TRUSTED)), None)
        for path in (trusted, certificate):
            if path and not os.path.exists(path):
                raise invalid(f"There is no certificate at {path!r}.")
        return cls(not insecure, trusted, certificate)

    def context(self) -> ssl.SSLContext:
        """Return what connections are opened with."""
        made = ssl.create_default_context()
        if not self.verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        elif self.trusted:
            is_folder = os.path.isdir(self.trusted)
            made.load_verify_locations(
                cafile=None if is_folder else self.trusted,
                capath=self.trusted if is_folder else None,
            )
        if self.certificate:
            made.load_cert_chain(self.certificate)
        return made


class Connections:
    """The connections to one server that wait to be used, the last one used first.

    They may be taken from any thread; a forked child starts with none.

    Args:
        address: where the server is.
        timeout: seconds that it may take to answer.
        tls: how an `https` server is spoken to; as the environment says when absent.
    """

    def __init__(self, address: Address, timeout: float, tls: Tls | None = None) -> None:
        self.address = address
        self._timeout = timeout
        self._idle: list[HTTPConnection] = []
        self._lock = threading.Lock()
        is_secure = address.scheme == "https"
        self._tls = (tls or Tls.from_environment()) if is_secure else Tls()
        self._context: ssl.SSLContext | None = None
        self._proxy = _proxy_of(address)
        _ALL.add(self)

    def __del__(self) -> None:
        for connection in getattr(self, "_idle", ()):
            connection.close()

    @property
    def is_verified(self) -> bool:
        """Whether the server has to prove who it is."""
        return self._tls.verify

    @property
    def absolute(self) -> str:
        """What stands in front of a path in a request: the address, where a proxy has to see it."""
        return f"http://{self.address.netloc}" if self._is_seen else ""

    @property
    def proxy_headers(self) -> dict[str, str]:
        """Headers of each request that are meant for the proxy."""
        return self._proxy.headers if self._proxy is not None and self._is_seen else {}

    @property
    def _is_seen(self) -> bool:
        # What is encrypted passes through a proxy unseen.
        return self._proxy is not None and self.address.scheme == "http"

    def take(self) -> HTTPConnection:
        """Return an open connection.

        Raises:
            OSError: none can be opened.
        """
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._open()
            if not is_connection_dropped(connection):
                return connection
            connection.close()

    def give_back(self, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end."""
        with self._lock:
            if len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the connections that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _open(self) -> HTTPConnection:
        connection = self.new()
        connection.connect()
        connection.sock.settimeout(self._timeout)
        return connection

    def new(self) -> HTTPConnection:
        """Return a connection that is not open yet, and that nobody keeps."""
        options: dict[str, Any] = {
            "timeout": min(self._timeout, _LONGEST_CONNECT),
            "socket_options": _SOCKET_OPTIONS,
        }
        host, port = self.address.host, self.address.port
        via = self._proxy
        if self.address.scheme == "https":
            if self._context is None:
                self._context = self._tls.context()
            options["ssl_context"] = self._context
        made = HTTPSConnection if self.address.scheme == "https" else HTTPConnection
        connection = made(via.host if via else host, via.port if via else port, **options)
        if via is not None and self.address.scheme == "https":
            connection.set_tunnel(host, port, headers=via.headers)
        return connection

    def _forget(self) -> None:
        # Sockets of the parent: closing them here says nothing to the server.
        self._lock = threading.Lock()
        idle, self._idle = self._idle, []
        for connection in idle:
            if connection.sock is not None:
                connection.sock.close()


class Proxy(NamedTuple):
    """A server that passes requests on."""

    host: str
    port: int
    headers: dict[str, str]


def _proxy_of(address: Address) -> Proxy | None:
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass

    from urllib3.util import make_headers, parse_url

    uri = getproxies().get(address.scheme)
    if not uri or proxy_bypass(f"{address.host}:{address.port}"):
        return None
    parts = parse_url(uri if "://" in uri else f"http://{uri}")
    if parts.scheme != "http" or not parts.host:
        raise invalid(f"The proxy for {address.scheme} is no http:// address.")
    headers = make_headers(proxy_basic_auth=parts.auth) if parts.auth else {}
    return Proxy(parts.host, parts.port or 80, dict(headers))


_ALL: weakref.WeakSet[Connections] = weakref.WeakSet()


def _forget_all() -> None:
    for connections in list(_ALL):
        connections._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
