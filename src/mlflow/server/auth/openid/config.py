"""How people sign in by OpenID Connect: the section [openid] of the file, and its variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from mlflow import environment_variables
from mlflow.exceptions import invalid
from mlflow.server.access import read_private
from mlflow.web.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The section of the configuration file.
SECTION = "openid"
#: Where a provider sends people back to, below the address of the server.
BEGIN, CALLBACK = "/login/openid", "/login/openid/callback"
_NAMES = (
    "issuer", "client_id", "client_secret", "client_secret_file", "scopes", "username_claim",
    "groups_claim", "allowed_groups", "admin_groups", "role_groups", "email_domains", "label",
    "create_users", "redirect_uri", "session_hours",
)  # fmt: skip
_MOST_HOURS = 24 * 30
_LONGEST_LABEL = 60
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class OpenIdConfig(NamedTuple):
    """One provider, and what its word counts for."""

    #: As the provider calls itself; its other addresses are found below it.
    issuer: str
    client_id: str
    #: None for a client without one, which PKCE alone protects.
    client_secret: str | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    #: The claim that a user is named by when they first come.
    username_claim: str = "preferred_username"
    #: The claim that holds groups; a dot leads into an object.
    groups_claim: str | None = None
    #: Who else comes is refused; empty for everybody.
    allowed_groups: tuple[str, ...] = ()
    #: Whose members are administrators, and nobody else who signs in so; empty to leave that alone.
    admin_groups: tuple[str, ...] = ()
    #: (group, name of the role that its members have).
    role_groups: tuple[tuple[str, str], ...] = ()
    #: In which their verified addresses must be; empty for any or none.
    email_domains: tuple[str, ...] = ()
    #: What the button says after "Sign in with".
    label: str = "OpenID Connect"
    #: Whether who comes for the first time is made a user.
    create_users: bool = True
    #: The address of the callback, where a proxy hides it from the server.
    redirect_uri: str | None = None
    session_hours: int = 24

    @property
    def is_local(self) -> bool:
        """Whether the provider is on this machine, where TLS protects nothing."""
        return is_loopback(urlsplit(self.issuer).hostname or "")


def read_openid_config(section: Mapping[str, str]) -> OpenIdConfig | None:
    """Return what the section of the file and the environment say; variables win.

    Args:
        section: the lines of the section; empty where there is none.

    Returns:
        None where nothing is said.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it cannot be.
    """
    unknown = sorted({*section} - {*_NAMES})
    if unknown:
        raise invalid(
            f"[{SECTION}] has no '{unknown[0]}'. What may stand there: {', '.join(_NAMES)}."
        )
    given = {name: section.get(name, "").strip() for name in _NAMES}
    for name in _NAMES:
        variable = getattr(environment_variables, f"MILLSTREAM_OPENID_{name.upper()}")
        given[name] = (variable.get() or "").strip() or given[name]
    if not any(given.values()):
        return None
    for name in ("issuer", "client_id"):
        if not given[name]:
            raise invalid(f"OpenID Connect needs {_called(name)}.")
    _check_address("issuer", given["issuer"])
    config = OpenIdConfig(
        issuer=given["issuer"],
        client_id=given["client_id"],
        client_secret=_secret(given),
        groups_claim=given["groups_claim"] or None,
        allowed_groups=_listed(given["allowed_groups"]),
        admin_groups=_listed(given["admin_groups"]),
        role_groups=tuple(_role(one) for one in _listed(given["role_groups"])),
        email_domains=tuple(
            one.lower().removeprefix("@") for one in _listed(given["email_domains"])
        ),
        create_users=_boolean("create_users", given["create_users"] or "true"),
        session_hours=_hours(given["session_hours"] or "24"),
    )
    return _with_rest(config, given)


def _with_rest(config: OpenIdConfig, given: Mapping[str, str]) -> OpenIdConfig:
    """Return the configuration with what has a default of its own, checked as a whole."""
    groups = ("allowed_groups", "admin_groups", "role_groups")
    for name in groups:
        if given[name] and not config.groups_claim:
            raise invalid(f"{_called(name)} needs {_called('groups_claim')}, too.")
    if given["redirect_uri"]:
        _check_address("redirect_uri", given["redirect_uri"])
        if not given["redirect_uri"].endswith(CALLBACK):
            raise invalid(f"{_called('redirect_uri')} must end with {CALLBACK}.")
        config = config._replace(redirect_uri=given["redirect_uri"])
    if given["scopes"]:
        scopes = tuple(given["scopes"].replace(",", " ").split())
        config = config._replace(scopes=scopes if "openid" in scopes else ("openid", *scopes))
    if given["username_claim"]:
        config = config._replace(username_claim=given["username_claim"])
    label = given["label"] or urlsplit(config.issuer).hostname or config.label
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        raise invalid(f"{_called('label')} is longer than {_LONGEST_LABEL} characters, or odd.")
    return config._replace(label=label)


def _called(name: str) -> str:
    return f"'{name}' in [{SECTION}] (or MILLSTREAM_OPENID_{name.upper()})"


def _listed(text: str) -> tuple[str, ...]:
    # Names of groups in directories have commas in them: then there is one a line.
    parts = text.splitlines() if "\n" in text else text.split(",")
    return tuple(one.strip() for one in parts if one.strip())


def _role(text: str) -> tuple[str, str]:
    group, colon, role = text.rpartition(":")
    if not colon or not group.strip() or not role.strip() or role.strip().startswith("__user_"):
        raise invalid(f"{_called('role_groups')}: '{text}' is no 'group: role'.")
    return group.strip(), role.strip()


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in _WORDS:
        raise invalid(f"{_called(name)} must be true or false, not '{text}'.")
    return _WORDS[text.lower()]


def _hours(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_HOURS:
        raise invalid(
            f"{_called('session_hours')} must be between 1 and {_MOST_HOURS}, not '{text}'."
        )
    return int(text)


def _secret(given: Mapping[str, str]) -> str | None:
    path = given["client_secret_file"]
    if not path:
        return given["client_secret"] or None
    if given["client_secret"]:
        raise invalid(f"Give {_called('client_secret')} or client_secret_file, not both.")
    secret = read_private(path, "client secret").strip()
    if not secret:
        raise invalid(f"{_called('client_secret_file')} names '{path}', which is empty.")
    return secret


def _check_address(name: str, text: str) -> None:
    """Check an address that this server is configured with.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is none, or would send secrets in the clear.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    is_plain = re.fullmatch(r"[!-~]+", text) and not {*"?#@\\"} & {*text}
    if not host or not is_plain or parts.scheme not in ("http", "https"):
        raise invalid(f"{_called(name)} must be an address such as https://id.example.org.")
    if parts.scheme == "http" and not is_loopback(host):
        raise invalid(
            f"{_called(name)} must begin with https://: over http anybody on the way could sign in "
            "as anybody. Only on this machine (localhost) http will do."
        )
