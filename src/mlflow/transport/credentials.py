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
from mlflow.exceptions import MlflowException, invalid, without_password

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mlflow.transport.address import Address

AUTH_PLUGINS = "mlflow.request_auth_provider"
_FILE = "~/.mlflow/credentials"


class HostCreds:
    """Where a server is and who we are to it, as plug-ins say it.

    Args:
        host: the address of the server.
        username: with `password`, for basic authentication.
        password: belongs to the name.
        token: instead of a name and a password.
        aws_sigv4: whether requests are signed for AWS.
        auth: the name of the auth plug-in that signs requests.
        ignore_tls_verification: whether any certificate will do.
        client_cert_path: the certificate by which we show who we are.
        server_cert_path: the certificates that are trusted.
        others: what MLflow's class has beside these, and nothing here uses.
    """

    def __init__(
        self,
        host: str,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        aws_sigv4: bool = False,
        auth: str | None = None,
        ignore_tls_verification: bool = False,
        client_cert_path: str | None = None,
        server_cert_path: str | None = None,
        **others: Any,
    ) -> None:
        self.host = host
        self.username = username
        self.password = password
        self.token = token
        self.aws_sigv4 = aws_sigv4
        self.auth = auth
        self.ignore_tls_verification = ignore_tls_verification
        self.client_cert_path = client_cert_path
        self.server_cert_path = server_cert_path
        self.others = others

    def __repr__(self) -> str:
        return f"HostCreds({without_password(self.host)!r})"

    def authorization(self) -> str | None:
        """Return the Authorization header.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for characters that no header may have.
        """
        if self.username and self.password is not None:
            return _basic(self.username, self.password)
        return f"Bearer {_clean(self.token.strip(), 'token')}" if self.token else None


class RequestAuthProvider:
    """Offers an object of `requests` that signs requests; plug-ins subclass it."""

    def get_name(self) -> str:
        """Return the name under which `MLFLOW_TRACKING_AUTH` asks for it."""
        raise NotImplementedError

    def get_auth(self) -> Any:
        """Return what is called with each prepared request, and returns it signed."""
        raise NotImplementedError


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


def signer(
    name: str | None = None, *, is_aws: bool = False
) -> Callable[[str, str, dict[str, str], bytes], tuple[str, dict[str, str], bytes]] | None:
    """Return what an auth plug-in makes of a request, None where none is asked for.

    The plug-in gives an object of `requests`, which is called with a prepared request; what it
    changes is taken over.

    Args:
        name: the plug-in; `MLFLOW_TRACKING_AUTH` when absent.
        is_aws: whether AWS's signature is asked for, as `MLFLOW_TRACKING_AWS_SIGV4` does.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a name that no installed plug-in has;
            NOT_IMPLEMENTED where a library is missing.
    """
    name = name or MLFLOW_TRACKING_AUTH.get()
    if name:
        auth = fetch_auth(name)
    elif is_aws or MLFLOW_TRACKING_AWS_SIGV4.get():
        auth = _sigv4()
    else:
        return None
    requests = _needed("requests", "requests", "MLFLOW_TRACKING_AUTH")

    def sign(
        method: str, url: str, headers: dict[str, str], body: bytes
    ) -> tuple[str, dict[str, str], bytes]:
        # An object that signs may look at the request as `requests` would send it.
        whole = {"Connection": "keep-alive", **headers}
        prepared = requests.Request(method, url, headers=whole, data=body).prepare()
        signed = auth(prepared)
        content = signed.body if signed.body is not None else b""
        data = content.encode() if isinstance(content, str) else content
        return signed.url, dict(signed.headers), data

    return sign


def fetch_auth(name: str) -> Any:
    """Return what signs requests, of the installed plug-in of a name.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: no plug-in has this name.
    """
    known = []
    for label, target in _plugins.entry_points(AUTH_PLUGINS):
        made = _plugins.load(target)
        provider = made() if isinstance(made, type) else made
        called = provider.get_name() if hasattr(provider, "get_name") else label
        known.append(called)
        if name in (called, label):
            return provider.get_auth()
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
