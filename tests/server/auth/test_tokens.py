"""Tokens: they end, they are revoked, and nothing that is kept opens anything."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mlflow.exceptions import MlflowException
from mlflow.server.auth.tables import tokens as table
from mlflow.server.auth.tokens import SESSION, SESSION_SECONDS, TOKEN, Tokens

DAY = 24 * 3600


@pytest.fixture
def tokens(people, clock):
    return Tokens(people.accounts.database, clock)


def test_only_a_digest_is_kept(people, tokens):
    token, _ = tokens.create(2, "laptop")
    rows = people.accounts.database.run(lambda c: c.execute(select(table)).all())
    assert token not in repr(rows)
    assert token.removeprefix("mls_") not in repr(rows)
    assert len(token) > 40


def test_a_token_ends(tokens, clock):
    """By this server's clock, whatever the client's says; and a clock that jumps back opens nothing new."""
    token, kept = tokens.create(2, "laptop", "edit", days=1)
    assert (2, "edit") == tokens.find(TOKEN, token)[:2]
    clock.now += DAY - 0.01
    assert tokens.find(TOKEN, token) is not None
    clock.now += 0.01
    assert tokens.find(TOKEN, token) is None
    assert kept.expires == int(clock.now * 1000)


def test_a_session_is_no_token_and_ends(tokens, clock):
    session = tokens.begin_session(2)
    assert tokens.find(TOKEN, session) is None
    assert 2 == tokens.find(SESSION, session).user_id
    clock.now += SESSION_SECONDS
    assert tokens.find(SESSION, session) is None
    again = tokens.begin_session(2)
    tokens.end_session(again)
    assert tokens.find(SESSION, again) is None


def test_nobody_revokes_anothers(tokens):
    token, kept = tokens.create(2, "laptop")
    with pytest.raises(MlflowException, match="not found"):
        tokens.revoke(3, kept.id)
    assert ["laptop"] == [one.name for one in tokens.of_user(2)]
    tokens.revoke(2, kept.id)
    assert tokens.find(TOKEN, token) is None
    assert [] == tokens.of_user(2)


@pytest.mark.parametrize("forged", ["", "mls_", "x" * 47, "mls_" + "x" * 43, "\ud800", "é" * 50])
def test_forged_ones_are_nobodys(tokens, forged):
    tokens.create(2, "laptop")
    assert tokens.find(TOKEN, forged) is None


@pytest.mark.parametrize(
    ("name", "scope", "days"),
    [("", "read", None), (" ", "read", 1), ("x" * 256, "read", 1), ("x", "root", 1), ("x", "read", 0),
     ("x", "read", -1), ("x", "read", 10**6)],
)  # fmt: skip
def test_what_no_token_can_be(tokens, name, scope, days):
    with pytest.raises(MlflowException):
        tokens.create(2, name, scope, days)


def test_a_new_password_ends_them(people, tokens):
    ann = people.accounts.get("ann")
    token, _ = tokens.create(ann.id, "laptop")
    session = tokens.begin_session(ann.id)
    people.accounts.set_password("ann", "quite another password")
    assert tokens.find(TOKEN, token) is None
    assert tokens.find(SESSION, session) is None
