"""Origins of web pages as browsers tell them."""

from __future__ import annotations

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def origin_host(origin: str) -> str | None:
    """Return the host and port of an Origin header, None for what names no web page.

    An origin is a scheme, a name and a port; a user or a path in it is somebody's trick.
    """
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or "@" in origin or not parts.netloc:
        return None
    if origin.lower() != f"{parts.scheme}://{parts.netloc.lower()}":
        return None
    return parts.netloc.lower()


def is_same_origin(origin: str, host: str) -> bool:
    """Tell whether a page was served under the host that it asks.

    The scheme is not compared: a proxy in front may speak TLS where the server does not.
    """
    there = origin_host(origin)
    if there is None:
        return False
    here = host.lower()
    port = _DEFAULT_PORTS[origin.partition(":")[0].lower()]
    return there == here or there == here.removesuffix(port)
