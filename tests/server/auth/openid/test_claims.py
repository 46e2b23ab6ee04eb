"""What claims say of somebody, and whether they may come."""

from __future__ import annotations

import pytest

from mlflow.server.auth.openid.claims import Person, lacking, person_of
from mlflow.server.auth.openid.config import OpenIdConfig
from mlflow.server.auth.openid.errors import RefusedError

CONFIG = OpenIdConfig("https://id.example.org", "mlflow")
GROUPS = CONFIG._replace(groups_claim="groups")
MAIL = CONFIG._replace(email_domains=("example.org", "example.com"))
EVE = {"sub": "sub-1", "preferred_username": "eve"}


def refused(claims, config, words):
    with pytest.raises(RefusedError, match=words) as caught:
        person_of({**EVE, **claims}, config)
    return caught.value


def groups(claims, config=GROUPS):
    return person_of({**EVE, **claims}, config).groups


def test_a_name():
    assert Person(CONFIG.issuer, "sub-1", "eve") == person_of(EVE, CONFIG)
    other = CONFIG._replace(username_claim="https://example.org/name")
    assert "eva" == person_of({**EVE, "https://example.org/name": "eva"}, other).username


@pytest.mark.parametrize(
    "name", [None, 7, ["eve"], "", " eve", "e:ve", "e\nve", "x" * 300, "еve", "e\u200bve"]
)
def test_names_that_are_none(name):
    assert "sub-1" in refused({"preferred_username": name}, CONFIG, "preferred_username").why


def test_addresses_count_when_the_provider_has_verified_them():
    for address in ("eve@example.org", "eve@EXAMPLE.com", '"a@evil.example"@example.org'):
        assert "eve" == person_of({**EVE, "email": address, "email_verified": True}, MAIL).username
    for verified in (False, None, "true", 1):
        refused({"email": "eve@example.org", "email_verified": verified}, MAIL, "verified")
    refused({"email_verified": True}, MAIL, "verified")
    for address in ("eve@evil.example", "eve@example.org.evil", "eve@x.example.org", "eve", "",
                    "eve@example.org@evil.example"):  # fmt: skip
        assert "eve" == refused({"email": address, "email_verified": True}, MAIL, "domain").username
    named = CONFIG._replace(username_claim="email")
    refused({"email": "admin@example.org"}, named, "verified")
    assert (
        "eve@x.example"
        == person_of({**EVE, "email": "eve@x.example", "email_verified": True}, named).username
    )


def test_groups():
    assert {"a", "b"} == groups({"groups": ["a", "b", 7, None]})
    assert {"a"} == groups({"groups": "a"})
    assert set() == groups({})
    nested = CONFIG._replace(groups_claim="realm_access.roles")
    assert {"a"} == groups({"realm_access": {"roles": ["a"]}}, nested)
    assert {"b"} == groups({"realm_access": {"roles": ["a"]}, "realm_access.roles": ["b"]}, nested)
    for claims in ({"realm_access": ["roles"]}, {"realm_access": "roles"}, {"realm_access": {}}):
        assert set() == groups(claims, nested)


def test_groups_that_cannot_be_read():
    """Nobody loses what their groups give them because there are too many to be told."""
    refused({"_claim_names": {"groups": "src1"}}, GROUPS, "elsewhere")
    assert {"a"} == groups({"_claim_names": {"groups": "src1"}, "groups": ["a"]})
    for given in ({"a": 1}, 7, ["a"] * 2001):
        refused({"groups": given}, GROUPS, "no list of groups")


def test_only_some_groups_may_come():
    some = GROUPS._replace(allowed_groups=("ml", "ops"))
    assert {"ops", "x"} == groups({"groups": ["x", "ops"]}, some)
    for given in (["x"], [], "ML", None):
        refused({"groups": given}, some, "allowed groups")


def test_what_has_to_be_asked_for():
    assert not lacking(EVE, CONFIG)
    assert lacking({"sub": "sub-1"}, CONFIG)
    assert lacking(EVE, GROUPS)
    assert not lacking({**EVE, "groups": []}, GROUPS)
    assert lacking({**EVE, "email": "eve@example.org"}, MAIL)
    assert not lacking({**EVE, "email": "eve@example.org", "email_verified": False}, MAIL)
