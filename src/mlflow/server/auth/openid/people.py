"""Who of a provider is which user: bound by issuer and subject, never by a name."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from mlflow.exceptions import MlflowException, already_exists, invalid, not_found
from mlflow.server.auth.accounts import Accounts
from mlflow.server.auth.entities import Identity
from mlflow.server.auth.openid.errors import RefusedError
from mlflow.server.auth.passwords import NOBODY
from mlflow.server.auth.tables import (
    DEFAULT_WORKSPACE,
    disabled,
    identities,
    inserted,
    roles,
    tokens,
    user_role_assignments,
    users,
)
from mlflow.server.auth.tokens import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from mlflow.server.auth.entities import User
    from mlflow.server.auth.openid.claims import Person
    from mlflow.server.auth.openid.config import OpenIdConfig
    from mlflow.store.backends.sql.engine import Database

_LONGEST_SUBJECT, _LONGEST_ISSUER = 255, 1000


class People:
    """The users of one database who sign in by a provider.

    Args:
        database: where they are.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def admit(self, person: Person, config: OpenIdConfig) -> tuple[User, bool]:
        """Return the user that somebody is, brought up to date, and whether they were made just now.

        Raises:
            RefusedError: they are none, or none any more.
        """

        def work(connection: Connection) -> tuple[User, bool]:
            digest = _digest(person.issuer, person.subject)
            found = connection.execute(
                select(identities).where(identities.c.digest == digest)
            ).first()
            is_new = found is None
            user = (
                self._made(connection, person, config)
                if found is None
                else _known(connection, found, person)
            )
            seen = identities.update().where(identities.c.digest == digest)
            connection.execute(seen.values(seen=self._now()))
            _set_roles(connection, user, person, config)
            if config.admin_groups:
                is_admin = bool(person.groups & {*config.admin_groups})
                change = users.update().where(users.c.id == user.id)
                connection.execute(change.values(is_admin=is_admin))
                user = user._replace(is_admin=is_admin)
            return user, is_new

        return self._database.write(work)

    def _made(self, connection: Connection, person: Person, config: OpenIdConfig) -> User:
        if not config.create_users:
            raise RefusedError(
                f"no user is linked to subject={person.subject}",
                "You have no account here. An administrator can link one to you.",
                person.username,
            )
        try:
            # Fits no password: only an administrator can give them one.
            user = Accounts.add(connection, person.username, NOBODY)
        except MlflowException:
            raise RefusedError(
                f"the name is another user's, or looks like it (subject={person.subject})",
                f"Somebody else is called '{person.username}' here. If it is you, an administrator "
                "can link that account to you.",
                person.username,
            ) from None
        self._add(connection, person.issuer, person.subject, user)
        return user

    def _add(self, connection: Connection, issuer: str, subject: str, user: User) -> int:
        values = {
            "digest": _digest(issuer, subject),
            "issuer": issuer,
            "subject": subject,
            "username": user.username,
            "user_id": user.id,
            "created": self._now(),
        }
        return inserted(connection, identities, values)

    # --- for administrators ----------------------------------------------------------------------

    def all(self) -> list[Identity]:
        """Return who signs in by a provider, those who may not any more included."""
        statement = select(identities).order_by(identities.c.id)
        found = self._database.run(lambda connection: connection.execute(statement).all())
        return [
            Identity(
                id=row.id, username=row.username, issuer=row.issuer, subject=row.subject,
                is_linked=row.user_id is not None, created=row.created, seen=row.seen,
            )
            for row in found
        ]  # fmt: skip

    def link(self, username: str, issuer: str, subject: str) -> None:
        """Let somebody of a provider sign in as a user.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such user; INVALID_PARAMETER_VALUE;
                RESOURCE_ALREADY_EXISTS: they sign in as another.
        """
        if not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise invalid(f"A subject has between 1 and {_LONGEST_SUBJECT} characters.")
        if not 0 < len(issuer) <= _LONGEST_ISSUER:
            raise invalid(f"An issuer has between 1 and {_LONGEST_ISSUER} characters.")

        def work(connection: Connection) -> None:
            user = Accounts.named(connection, username)
            where = identities.c.digest == _digest(issuer, subject)
            found = connection.execute(select(identities).where(where)).first()
            if found is None:
                self._add(connection, issuer, subject, user)
                return
            if found.user_id not in (None, user.id):
                raise already_exists(f"This subject signs in as '{found.username}' already.")
            change = identities.update().where(where)
            connection.execute(change.values(user_id=user.id, username=user.username))

        self._database.write(work)

    def unlink(self, identity_id: int) -> None:
        """Forget somebody of a provider: they are a stranger again, and their sessions end.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> None:
            where = identities.c.id == identity_id
            found = connection.execute(select(identities.c.user_id).where(where)).first()
            if found is None:
                raise not_found(f"Identity with id={identity_id} not found")
            connection.execute(identities.delete().where(where))
            shown = tokens.c
            connection.execute(
                tokens.delete().where(shown.user_id == found.user_id, shown.kind == SESSION)
            )

        self._database.write(work)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _digest(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()


def _known(connection: Connection, found: Any, person: Person) -> User:
    """Return the user that an identity is bound to.

    Raises:
        RefusedError: the user is disabled, or was removed, also by another program that knows of no
            identities.
    """
    try:
        user = Accounts.named(connection, found.username)
    except MlflowException:
        user = None
    # Ids are used again by some databases, and names by people.
    if user is None or user.id != found.user_id:
        raise RefusedError(
            f"the user was removed (subject={person.subject})",
            "Your account here was removed. An administrator can link another one to you.",
            found.username,
        )
    where = disabled.c.user_id == user.id
    if connection.execute(select(disabled.c.user_id).where(where)).first() is not None:
        raise RefusedError(
            "the user is disabled",
            "Your account here is disabled. An administrator can enable it.",
            user.username,
        )
    return user


def _set_roles(connection: Connection, user: User, person: Person, config: OpenIdConfig) -> None:
    """Give a user the roles of their groups, and take those of groups that they are not in."""
    due: dict[str, bool] = {}
    for group, role in config.role_groups:
        due[role] = due.get(role, False) or group in person.groups
    given = user_role_assignments.c
    for name, is_due in due.items():
        role_id = _role(connection, name)
        where = (given.user_id == user.id) & (given.role_id == role_id)
        is_given = connection.execute(select(given.id).where(where)).first() is not None
        if is_due and not is_given:
            inserted(connection, user_role_assignments, {"user_id": user.id, "role_id": role_id})
        elif is_given and not is_due:
            connection.execute(user_role_assignments.delete().where(where))


def _role(connection: Connection, name: str) -> int:
    """Return the id of a role; it is made, without permissions, when it is not there."""
    where = (roles.c.name == name) & (roles.c.workspace == DEFAULT_WORKSPACE)
    found = connection.execute(select(roles.c.id).where(where)).scalar()
    if found is None:
        found = inserted(connection, roles, {"name": name, "workspace": DEFAULT_WORKSPACE})
    return int(found)
