"""Who we are to a server: names, passwords and tokens, and where users keep them."""

from __future__ import annotations

import os
from base64 import b64encode

from mlflow import _plugins
from mlflow.environment_variables import (
    MLFLOW_TRACKING_AUTH,
    MLFLOW_TRACKING_AWS_SIGV4,
    MLFLOW_TRACKING_PASSWORD,
    MLFLOW_TRACKING_TOKEN,
    MLFLOW_TRACKING_USERNAME,
)
from mlflow.exceptions import MlflowException, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mlflow.transport.address import Address

AUTH_PLUGINS = "mlflow.request_auth_provider"
_FILE = "~/.mlflow/credentials"


def authorization(address: Address) -> str | None:
    """Return the Authorization header for a server, None where there are no credentials.

    They are looked for in the environment, in the address, in `~/.mlflow/credentials` and in
    `.netrc`; the first place that has some is believed.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a name without a password, or characters that
            no header may have.
    """
    user, password = MLFLOW_TRACKING_USERNAME.get(), MLFLOW_TRACKING_PASSWORD.get()
    if user and password is None and not MLFLOW_TRACKING_TOKEN.get():
        _, password = _of_file()
    if user and password is not None:
        return _basic(user, password)
    token = MLFLOW_TRACKING_TOKEN.get()
    if token:
        return f"Bearer {_clean(token.strip(), 'MLFLOW_TRACKING_TOKEN')}"
    if address.user is not None:
        return _basic(address.user, address.password or "")
    user, password = _of_file()
    if user and password:
        return _basic(user, password)
    found = _of_netrc(address.host)
    return _basic(*found) if found else None


def _basic(user: str, password: str) -> str:
    if ":" in user:
        raise invalid("The user name for the tracking server contains ':', which separates it from "
                      "the password.")  # fmt: skip
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def _clean(value: str, name: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise invalid(f"{name} contains characters that no header may have.")
    return value


def _of_file() -> tuple[str | None, str | None]:
    """Return name and password of the credentials file, as `mlflow login` writes it."""
    path = os.path.expanduser(_FILE)
    if not os.path.isfile(path):
        return None, None
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return None, None
    if not parser.has_section("mlflow"):
        return None, None
    section = parser["mlflow"]
    return section.get("mlflow_tracking_username"), section.get("mlflow_tracking_password")


def _of_netrc(host: str) -> tuple[str, str] | None:
    path = os.environ.get("NETRC") or next(
        (p for p in map(os.path.expanduser, ("~/.netrc", "~/_netrc")) if os.path.isfile(p)), None
    )
    if not path:
        return None
    import netrc

    try:
        entry = netrc.netrc(path).authenticators(host)
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError):
        return None
    return (entry[0] or "", entry[2] or "") if entry else None


# --- plug-ins ------------------------------------------------------------------------------------


def signer() -> (
    Callable[[str, str, dict[str, str], bytes], tuple[str, dict[str, str], bytes]] | None
):
    """Return what an auth plug-in makes of a request, None where none is asked for.

    The plug-in is named by `MLFLOW_TRACKING_AUTH` and gives an object of `requests`, which is
    called with a prepared request; what it changes is taken over.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a name that no installed plug-in has;
            NOT_IMPLEMENTED where a library is missing.
    """
    name = MLFLOW_TRACKING_AUTH.get()
    if name:
        auth = _provider(name).get_auth()
    elif MLFLOW_TRACKING_AWS_SIGV4.get():
        auth = _sigv4()
    else:
        return None
    requests = _needed("requests", "requests", "MLFLOW_TRACKING_AUTH")

    def sign(
        method: str, url: str, headers: dict[str, str], body: bytes
    ) -> tuple[str, dict[str, str], bytes]:
        prepared = requests.Request(method, url, headers=headers, data=body).prepare()
        # An object that signs may look at the request as `requests` would send it.
        signed = auth(prepared)
        whole = signed.body if signed.body is not None else b""
        data = whole.encode() if isinstance(whole, str) else whole
        return signed.url, dict(signed.headers), data

    return sign


def _provider(name: str) -> Any:
    known = []
    for label, target in _plugins.entry_points(AUTH_PLUGINS):
        made = _plugins.load(target)
        provider = made() if isinstance(made, type) else made
        called = provider.get_name() if hasattr(provider, "get_name") else label
        known.append(called)
        if name in (called, label):
            return provider
    raise invalid(
        f"MLFLOW_TRACKING_AUTH is {name!r}, which no installed plug-in offers (entry points "
        f"'{AUTH_PLUGINS}'; there are {known})."
    )


def _sigv4() -> Any:
    module = _needed(
        "requests_auth_aws_sigv4", "requests-auth-aws-sigv4", "MLFLOW_TRACKING_AWS_SIGV4"
    )
    return module.AWSSigV4("execute-api")


def _needed(module: str, package: str, asked_by: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        message = f"{asked_by} is set and needs {package}: pip install {package}"
        raise MlflowException(message, "NOT_IMPLEMENTED") from error
