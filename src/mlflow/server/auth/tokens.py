"""Tokens: personal ones of programs and the sessions of browsers; only digests are kept."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, select

from mlflow.exceptions import invalid, not_found
from mlflow.server.auth.caller import SCOPES
from mlflow.server.auth.entities import Token
from mlflow.server.auth.tables import inserted, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.store.backends.sql.engine import Database

TOKEN, SESSION = "token", "session"
#: What tokens begin with, so that people and scanners know one that lies about.
PREFIX = "mls_"
SESSION_SECONDS = 30 * 24 * 3600
_LONGEST_NAME = 255
_DAY = 24 * 3600 * 1000
_MOST_DAYS = 3650


class Shown(NamedTuple):
    """What a token says: whose it is, and how far it goes."""

    user_id: int
    scope: str
    #: ms since the epoch; None for one that does not end.
    expires: int | None


class Tokens:
    """The tokens of one database.

    Args:
        database: where they are.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(
        self, user_id: int, name: str, scope: str = "manage", days: int | None = None
    ) -> tuple[str, Token]:
        """Make a personal token.

        Args:
            user_id: whose it is.
            name: what they call it.
            scope: `read`, `edit` or `manage`: the most that it allows.
            days: how long it is good for; None for as long as nobody revokes it.

        Returns:
            The token, which is not kept, and what is.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE.
        """
        if not name.strip() or len(name) > _LONGEST_NAME:
            raise invalid(f"A token needs a name of at most {_LONGEST_NAME} characters.")
        if scope not in SCOPES:
            raise invalid(f"Invalid scope '{scope}'. It is one of {', '.join(SCOPES)}.")
        if days is not None and not 1 <= days <= _MOST_DAYS:
            raise invalid(f"days must be between 1 and {_MOST_DAYS}, not {days}.")
        expires = None if days is None else self._now() + days * _DAY
        return self._make(user_id, TOKEN, name, scope, expires)

    def begin_session(self, user_id: int, seconds: int = SESSION_SECONDS) -> str:
        """Return what a browser shows from now on, for some time."""
        self._database.write(
            lambda connection: connection.execute(
                tokens.delete().where(tokens.c.kind == SESSION, tokens.c.expires < self._now())
            )
        )
        expires = self._now() + seconds * 1000
        return self._make(user_id, SESSION, SESSION, "manage", expires)[0]

    def end_session(self, session: str) -> None:
        """Let a session end: it opens nothing any more."""
        where = (tokens.c.kind == SESSION) & (tokens.c.digest == _digest(session))
        self._database.write(lambda connection: connection.execute(tokens.delete().where(where)))

    def find(self, kind: str, token: str) -> Shown | None:
        """Return what a token or session says; None for one that is none, or none any more."""
        statement = select(tokens.c.user_id, tokens.c.scope, tokens.c.expires).where(
            tokens.c.digest == _digest(token), tokens.c.kind == kind
        )
        row = self._database.run(lambda connection: connection.execute(statement).first())
        if row is None or (row.expires is not None and row.expires <= self._now()):
            return None
        return Shown(row.user_id, row.scope, row.expires) if row.scope in SCOPES else None

    def of_user(self, user_id: int) -> list[Token]:
        """Return the personal tokens of a user."""
        kept = tokens.c
        statement = (
            select(kept.id, kept.user_id, kept.name, kept.scope, kept.created, kept.expires)
            .where(kept.user_id == user_id, kept.kind == TOKEN)
            .order_by(kept.id)
        )
        found = self._database.run(lambda connection: connection.execute(statement).all())
        return [Token(*row) for row in found]

    def revoke(self, user_id: int, token_id: int) -> None:
        """Remove a personal token of a user.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: the user has none of this id.
        """
        kept = tokens.c
        statement = delete(tokens).where(
            kept.id == token_id, kept.user_id == user_id, kept.kind == TOKEN
        )
        if not self._database.write(lambda connection: connection.execute(statement).rowcount):
            raise not_found(f"Token with id={token_id} not found")

    def _make(
        self, user_id: int, kind: str, name: str, scope: str, expires: int | None
    ) -> tuple[str, Token]:
        token = PREFIX + secrets.token_urlsafe(32)
        created = self._now()
        values = {
            "user_id": user_id,
            "kind": kind,
            "name": name,
            "digest": _digest(token),
            "scope": scope,
            "created": created,
            "expires": expires,
        }
        made = self._database.write(lambda connection: inserted(connection, tokens, values))
        return token, Token(made, user_id, name, scope, created, expires)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _digest(token: str) -> str:
    # Long and random: nothing slower is needed.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
