"""Users: who there are, their passwords, and everything that is known of one who asks."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from mlflow.exceptions import BAD_REQUEST, MlflowException, already_exists, invalid, not_found
from mlflow.server.auth.caller import Caller
from mlflow.server.auth.entities import User
from mlflow.server.auth.passwords import (
    NOBODY,
    check_password,
    hash_password,
    is_current,
    verify,
)
from mlflow.server.auth.tables import (
    disabled,
    identities,
    inserted,
    own_role_name,
    role_permissions,
    roles,
    tokens,
    user_role_assignments,
    users,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from mlflow.store.backends.sql.engine import Database

_LONGEST_NAME = 255
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


class Accounts:
    """The users of one database.

    Args:
        database: where they are.
        default: the level of a user on what nothing is granted on.
    """

    def __init__(self, database: Database, default: str = "READ") -> None:
        self.database = database
        self.default = default

    # --- users -----------------------------------------------------------------------------------

    def count(self) -> int:
        """Return how many users there are."""
        statement = select(func.count()).select_from(users)
        return int(self.database.run(lambda c: c.execute(statement).scalar()) or 0)

    def all(self) -> list[User]:
        """Return all users."""
        statement = select(users).order_by(users.c.id)
        return [_user(row) for row in self.database.run(lambda c: c.execute(statement).all())]

    def get(self, username: str) -> User:
        """Return a user.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        return self.database.run(lambda connection: self.named(connection, username))

    def create(self, username: str, password: str, *, is_admin: bool = False) -> User:
        """Make a user.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a name or password that will not do;
                RESOURCE_ALREADY_EXISTS for a name that is taken, or looks like one that is.
        """
        check_name(username)
        check_password(password)
        kept = hash_password(password)
        return self.database.write(
            lambda connection: self.add(connection, username, kept, is_admin=is_admin)
        )

    @staticmethod
    def add(connection: Connection, username: str, kept: str, *, is_admin: bool = False) -> User:
        """Add a user whose name was checked, within work that has a connection.

        Raises:
            MlflowException: RESOURCE_ALREADY_EXISTS for a name that is taken, or looks like one
                that is.
        """
        for taken in connection.execute(select(users.c.username)).scalars():
            if taken is not None and _shape(taken) == _shape(username):
                raise already_exists(f"User (username={taken}) already exists.")
        values = {"username": username, "password_hash": kept, "is_admin": is_admin}
        made = inserted(connection, users, values)
        return User(made, username, kept, is_admin)

    def set_password(self, username: str, password: str) -> None:
        """Change a password, and end what the user is signed in by: sessions and tokens.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        check_password(password)
        kept = hash_password(password)

        def work(connection: Connection) -> None:
            user = self.named(connection, username)
            connection.execute(
                users.update().where(users.c.id == user.id).values(password_hash=kept)
            )
            connection.execute(tokens.delete().where(tokens.c.user_id == user.id))

        self.database.write(work)

    def set_admin(self, username: str, is_admin: bool) -> None:
        """Make a user an administrator, or one no longer.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; BAD_REQUEST: nobody would be left.
        """

        def work(connection: Connection) -> None:
            user = self.named(connection, username)
            if user.is_admin and not is_admin:
                self._check_other_admin(connection, user)
            connection.execute(
                users.update().where(users.c.id == user.id).values(is_admin=is_admin)
            )

        self.database.write(work)

    def disabled(self) -> set[int]:
        """Return the ids of the users who cannot sign in for now."""
        statement = select(disabled.c.user_id)
        return set(self.database.run(lambda c: c.execute(statement).scalars().all()))

    def set_active(self, username: str, is_active: bool) -> None:
        """Let a user in, or no longer: what they are granted and own stays, sessions end.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; BAD_REQUEST: no administrator would be left.
        """

        def work(connection: Connection) -> None:
            user = self.named(connection, username)
            if user.is_admin and not is_active:
                self._check_other_admin(connection, user)
            connection.execute(disabled.delete().where(disabled.c.user_id == user.id))
            if not is_active:
                connection.execute(disabled.insert().values(user_id=user.id))
                connection.execute(
                    tokens.delete().where(tokens.c.user_id == user.id, tokens.c.kind == "session")
                )

        self.database.write(work)

    def delete(self, username: str) -> None:
        """Remove a user with all that is theirs: sessions, tokens and what they are granted.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; BAD_REQUEST: nobody would be left.
        """

        def work(connection: Connection) -> None:
            user = self.named(connection, username)
            if user.is_admin:
                self._check_other_admin(connection, user)
            own = select(roles.c.id).where(roles.c.name == own_role_name(user.id))
            role_ids = list(connection.execute(own).scalars())
            given = user_role_assignments.c
            connection.execute(
                user_role_assignments.delete().where(
                    (given.user_id == user.id) | given.role_id.in_(role_ids)
                )
            )
            connection.execute(
                role_permissions.delete().where(role_permissions.c.role_id.in_(role_ids))
            )
            connection.execute(roles.delete().where(roles.c.id.in_(role_ids)))
            for table in (tokens, disabled):
                connection.execute(table.delete().where(table.c.user_id == user.id))
            # Who signed in by a provider does not come back by it as a new user.
            connection.execute(
                identities.update().where(identities.c.user_id == user.id).values(user_id=None)
            )
            connection.execute(users.delete().where(users.c.id == user.id))

        self.database.write(work)

    @staticmethod
    def named(connection: Connection, username: str) -> User:
        """Return a user, within work that has a connection.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        row = connection.execute(select(users).where(users.c.username == username)).first()
        # Some databases do not tell upper case from lower: whoever signs in spells it right.
        if row is None or row.username != username:
            raise not_found(f"User with username={username} not found")
        return _user(row)

    @staticmethod
    def _check_other_admin(connection: Connection, user: User) -> None:
        others = select(users.c.id).where(
            users.c.is_admin.is_(True),
            users.c.id != user.id,
            users.c.id.not_in(select(disabled.c.user_id)),
        )
        if connection.execute(others).first() is None:
            raise MlflowException(
                f"'{user.username}' is the only administrator. Make another one first.",
                BAD_REQUEST,
            )

    # --- signing in ------------------------------------------------------------------------------

    def with_password(self, username: str, password: str) -> User | None:
        """Return the user whose name and password these are; None for anybody else.

        Who is disabled is nobody, too. Takes as long for a name that does not exist. A password
        that is kept in an older way is kept as new ones are from now on.
        """
        statement = select(users).where(users.c.username == username)
        row = self.database.run(lambda connection: connection.execute(statement).first())
        known = row is not None and row.username == username
        kept = row.password_hash if row is not None and known else NOBODY
        if not verify(password, kept or NOBODY) or row is None or not known:
            return None
        user = _user(row)
        if user.id in self.disabled():
            return None
        if is_current(kept):
            return user
        renewed = hash_password(password)
        change = users.update().where(users.c.id == user.id, users.c.password_hash == kept)
        self.database.write(lambda c: c.execute(change.values(password_hash=renewed)))
        return user._replace(password_hash=renewed)

    def caller(self, user_id: int, scope: str = "manage") -> tuple[Caller, str] | None:
        """Return who asks, with all that they may, and what is kept of their password.

        Args:
            user_id: which user.
            scope: the most that what they showed allows.

        Returns:
            None for a user who is not there any more, or is disabled.
        """

        def work(connection: Connection) -> tuple[Any, list[tuple[str, str, str]]]:
            is_active = users.c.id.not_in(select(disabled.c.user_id))
            row = connection.execute(select(users).where(users.c.id == user_id, is_active)).first()
            given = role_permissions.c
            found = connection.execute(
                select(given.resource_type, given.resource_pattern, given.permission)
                .join(user_role_assignments, user_role_assignments.c.role_id == given.role_id)
                .where(user_role_assignments.c.user_id == user_id)
            )
            return row, [(one[0], one[1], one[2]) for one in found]

        row, given = self.database.run(work)
        if row is None:
            return None
        grants: dict[tuple[str, str], list[str]] = {}
        for kind, pattern, permission in given:
            grants.setdefault((kind, pattern), []).append(permission)
        user = _user(row)
        made = Caller(user.id, user.username, user.is_admin, grants, self.default, scope)
        return made, user.password_hash


def _user(row: Row[Any]) -> User:
    return User(row.id, row.username or "", row.password_hash or "", bool(row.is_admin))


def check_name(username: str) -> None:
    """Check the name of a new user.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for one that is empty, too long, cannot be sent, or
            could be taken for another's.
    """
    if not username:
        raise invalid("Username cannot be empty.")
    if len(username) > _LONGEST_NAME:
        raise invalid(f"Username is longer than {_LONGEST_NAME} characters.")
    if username != username.strip() or ":" in username or not username.isprintable():
        raise invalid(
            f"Invalid username {username!r}: no colon, no control characters, and no space at "
            "either end."
        )
    if any(unicodedata.category(one) in ("Cf", "Mn", "Me") for one in username):
        raise invalid(f"Invalid username {username!r}: it has characters that cannot be seen.")
    scripts = {unicodedata.name(one, "").partition(" ")[0] for one in username}
    if len(scripts & {*_SCRIPTS}) > 1:
        raise invalid(f"Invalid username {username!r}: its letters are of several alphabets.")


def _shape(username: str) -> str:
    return unicodedata.normalize("NFKC", username).casefold().strip()
