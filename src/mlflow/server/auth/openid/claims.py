"""Reading claims: the name, the groups and the address of who comes, and whether they may come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow.exceptions import MlflowException
from mlflow.server.auth.accounts import check_name
from mlflow.server.auth.openid.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow.server.auth.openid.config import OpenIdConfig

_MOST_GROUPS = 2000
_EMAIL, _VERIFIED = "email", "email_verified"


class Person(NamedTuple):
    """Who a provider says has come."""

    issuer: str
    subject: str
    username: str
    groups: frozenset[str] = frozenset()


def lacking(claims: Mapping[str, Any], config: OpenIdConfig) -> bool:
    """Tell whether something is not said that has to be asked for."""
    wanted = {config.username_claim, config.groups_claim or config.username_claim}
    if config.email_domains or config.username_claim == _EMAIL:
        wanted |= {_EMAIL, _VERIFIED}
    return any(_claim(claims, name) is None for name in wanted)


def person_of(claims: Mapping[str, Any], config: OpenIdConfig) -> Person:
    """Return who claims are about.

    Raises:
        RefusedError: they may not come, or it is not said who they are.
    """
    subject = str(claims["sub"])
    name = _claim(claims, config.username_claim)
    if not isinstance(name, str):
        raise RefusedError(
            f"the claim '{config.username_claim}' is missing (subject={subject})",
            "The provider does not say what you are called here. Tell who runs this server.",
        )
    try:
        check_name(name)
    except MlflowException:
        raise RefusedError(
            f"the claim '{config.username_claim}' cannot be a name here (subject={subject})",
            "What the provider calls you cannot be a name here. Tell who runs this server.",
        ) from None
    _check_email(claims, config, name)
    groups = _groups(claims, config, name)
    if config.allowed_groups and not groups & {*config.allowed_groups}:
        raise RefusedError("in none of the allowed groups", _CLOSED, name)
    return Person(config.issuer, subject, name, groups)


_CLOSED = "Your account may not use this server. Tell who runs it if it should."


def _check_email(claims: Mapping[str, Any], config: OpenIdConfig, name: str) -> None:
    if not config.email_domains and config.username_claim != _EMAIL:
        return
    address = claims.get(_EMAIL)
    # Some providers let people write there what they like.
    if not isinstance(address, str) or claims.get(_VERIFIED) is not True:
        raise RefusedError(
            "no e-mail address that the provider has verified (email_verified)",
            "The provider has not verified your e-mail address.",
            name,
        )
    domain = address.rpartition("@")[2].lower()
    if config.email_domains and domain not in config.email_domains:
        raise RefusedError("an e-mail address of another domain", _CLOSED, name)


def _groups(claims: Mapping[str, Any], config: OpenIdConfig, name: str) -> frozenset[str]:
    if config.groups_claim is None:
        return frozenset()
    found = _claim(claims, config.groups_claim)
    elsewhere = claims.get("_claim_names")
    if found is None and isinstance(elsewhere, dict) and config.groups_claim in elsewhere:
        # They are in too many groups to be listed: none of them may be taken from them for that.
        raise RefusedError(
            "the provider lists the groups elsewhere; have it list those of this server only",
            "You are in more groups than the provider tells. Tell who runs this server.",
            name,
        )
    listed = [found] if isinstance(found, str) else found
    if listed is None:
        return frozenset()
    if not isinstance(listed, list) or len(listed) > _MOST_GROUPS:
        raise RefusedError(
            f"the claim '{config.groups_claim}' is no list of groups",
            "The provider does not say which groups you are in. Tell who runs this server.",
            name,
        )
    return frozenset(one for one in listed if isinstance(one, str))


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim; where there is none of that name, what the dots in it lead to."""
    if name in claims or "." not in name:
        return claims.get(name)
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
