"""Host names as requests give them, read as names and addresses rather than as patterns."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

from mlflow.exceptions import invalid

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_ADDRESS_START = re.compile(r"([0-9]{1,3}\.){1,3}\*", re.ASCII)
_MAX_LENGTH = 255
# Addresses that mean every interface of a machine.
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


def host_name(host: str) -> str:
    """Return the name in a Host header without its port, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def is_loopback(name: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    name = name.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def read_host(host: str) -> str | None:
    """Return the name or address in a Host header.

    Args:
        host: `name`, `name:port`, `address:port` or `[address]:port`.

    Returns:
        It, in lower case, without the dot that a full name may end with; None for anything else.
    """
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        try:
            ipaddress.IPv6Address(name)
        except ValueError:
            return None
        is_read = (
            bracket
            and "%" not in name
            and (not port or (port[0] == ":" and _PORT.fullmatch(port[1:])))
        )
        return name.lower() if is_read else None
    name, colon, port = host.partition(":")
    name = name.lower()
    if len(name) > _MAX_LENGTH or not _NAME.fullmatch(name):
        return None
    if colon and not _PORT.fullmatch(port):
        return None
    return name.removesuffix(".")


class AllowedHosts:
    """The host names under which a server answers.

    A page of a stranger can make its own name mean this machine, and then ask in the user's
    browser; what it cannot do is name this machine as its users do. So a name has to be known. An
    address in figures is nobody's name: a server that other machines reach answers under any.

    Args:
        bound: the address that the server listens on.
        named: further names; an address, a network such as `10.0.0.0/8` or `10.*`, `*.name` for
            all names below one, or `*` for every name. A port is not compared.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what is none of these.
    """

    def __init__(self, bound: str, named: Iterable[str] = ()) -> None:
        self.is_open = False
        self._addresses = not is_loopback(bound)
        self._names: set[str] = set()
        self._suffixes: tuple[str, ...] = ()
        self._networks: list[Network] = []
        if bound in EVERYWHERE:
            self._names.add(socket.gethostname().lower())
        elif self._addresses:
            self._names.add(bound.lower())
        for one in named:
            self._add(one.strip().lower())

    def _add(self, text: str) -> None:
        if text == "*":
            self.is_open = True
        elif text.startswith("*.") and _NAME.fullmatch(text[2:]):
            self._suffixes += (text[1:],)
        elif (network := _network(text)) is not None:
            self._networks.append(network)
        elif (name := read_host(text)) is not None:
            self._names.add(name)
        else:
            raise invalid(
                f"'{text}' is no host name: write a name, an address, a network such as 10.0.0.0/8,"
                " '*.example.org' for all names below one, or '*' for every name."
            )

    def allow(self, host: str) -> bool:
        """Tell whether the server answers under the name in a Host header."""
        name = read_host(host)
        if name is None:
            return False
        if self.is_open or is_loopback(name) or name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name.endswith(self._suffixes)
        return self._addresses or any(address in network for network in self._networks)


def _network(text: str) -> Network | None:
    if _ADDRESS_START.fullmatch(text):
        parts = text.split(".")[:-1]
        text = ".".join([*parts, *["0"] * (4 - len(parts))]) + f"/{8 * len(parts)}"
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None
