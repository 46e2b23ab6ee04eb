"""The address of a server, as a user gives it, taken apart once."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from mlflow.exceptions import invalid

_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """Where a server is.

    Attributes:
        scheme: `http` or `https`.
        host: a name or an address, without brackets.
        port: the port.
        prefix: what stands in front of all paths, without a slash at the end.
        user: the name in the URI, if there is one.
        password: the password in the URI.
    """

    scheme: str
    host: str
    port: int
    prefix: str
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, uri: str) -> Address:
        """Return the address of a URI.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what is no address of a server.
        """
        try:
            parts = urlsplit(uri.strip())
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise invalid(f"Invalid address of a server: {error}.") from None
        scheme = parts.scheme.lower()
        if scheme not in _PORTS or not host:
            raise invalid("The address of a server is http://<host>:<port> or https://<host>.")
        if parts.query or parts.fragment:
            raise invalid("The address of a server has neither '?' nor '#'.")
        if any(ord(one) <= 0x20 or ord(one) == 0x7F for one in uri.strip()):
            raise invalid("The address of a server contains no spaces and no control characters.")
        return cls(
            scheme, _ascii(host), port or _PORTS[scheme], _prefix(parts),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password is not None else None,
        )  # fmt: skip

    @property
    def netloc(self) -> str:
        """Host and port as a Host header has them: a usual port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address as messages show it: without name and password."""
        return f"{self.scheme}://{self.netloc}{self.prefix}"


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise invalid(f"Invalid address of a server: {host!r} is no name of a host.") from None


def _prefix(parts: SplitResult) -> str:
    return quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
