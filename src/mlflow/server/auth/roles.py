"""Roles and what they are given; what one user is given is a role of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from mlflow.exceptions import already_exists, invalid, not_found
from mlflow.server.auth.accounts import Accounts
from mlflow.server.auth.entities import Role, RolePermission, UserRoleAssignment
from mlflow.server.auth.permissions import ANY, check_grant
from mlflow.server.auth.tables import (
    inserted,
    own_role,
    role_permissions,
    roles,
    user_role_assignments,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from mlflow.store.backends.sql.engine import Database

_OWN = "__user_"
_LONGEST = 255


class GivenOn(NamedTuple):
    """What one user is given on a thing, and through which role."""

    user_id: int
    role_id: int
    #: None for what was given to this user alone.
    role: str | None
    pattern: str
    permission: str


class Roles:
    """The roles of one database.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- roles -----------------------------------------------------------------------------------

    def create(self, workspace: str, name: str, description: str | None = None) -> Role:
        """Make a role.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_ALREADY_EXISTS.
        """
        _check_name(name)

        def work(connection: Connection) -> Role:
            _check_free(connection, workspace, name)
            values = {"workspace": workspace, "name": name, "description": description}
            made = inserted(connection, roles, values)
            return Role(made, name, workspace, description, [])

        return self._database.write(work)

    def get(self, role_id: int) -> Role:
        """Return a role.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        return self._database.run(lambda connection: _one(connection, role_id))

    def all(self, workspace: str | None = None) -> list[Role]:
        """Return the roles of a workspace; those of all when it is None."""
        where = None if workspace is None else roles.c.workspace == workspace
        return self._database.run(lambda connection: _roles(connection, where))

    def update(self, role_id: int, name: str | None, description: str | None) -> Role:
        """Change name or description of a role; None leaves it.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST;
                RESOURCE_ALREADY_EXISTS.
        """
        if name is not None:
            _check_name(name)

        def work(connection: Connection) -> Role:
            role = _shared(connection, role_id)
            changed = {
                key: value
                for key, value in (("name", name), ("description", description))
                if value is not None
            }
            if name is not None and name != role.name:
                _check_free(connection, role.workspace, name)
            if changed:
                connection.execute(roles.update().where(roles.c.id == role_id).values(changed))
            return _one(connection, role_id)

        return self._database.write(work)

    def delete(self, role_id: int) -> None:
        """Remove a role from all who have it.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> None:
            _shared(connection, role_id)
            for table in (role_permissions, user_role_assignments):
                connection.execute(table.delete().where(table.c.role_id == role_id))
            connection.execute(roles.delete().where(roles.c.id == role_id))

        self._database.write(work)

    # --- who has them ----------------------------------------------------------------------------

    def assign(self, username: str, role_id: int) -> UserRoleAssignment:
        """Give a role to a user.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; RESOURCE_ALREADY_EXISTS.
        """

        def work(connection: Connection) -> UserRoleAssignment:
            user = Accounts.named(connection, username)
            _shared(connection, role_id)
            pair = {"user_id": user.id, "role_id": role_id}
            table = user_role_assignments
            if connection.execute(select(table.c.id).filter_by(**pair)).first() is not None:
                raise already_exists(
                    f"User role assignment (user_id={user.id}, role_id={role_id}) already exists"
                )
            made = inserted(connection, table, pair)
            return UserRoleAssignment(made, user.id, role_id)

        return self._database.write(work)

    def unassign(self, username: str, role_id: int) -> None:
        """Take a role from a user.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> None:
            user = Accounts.named(connection, username)
            given = user_role_assignments.c
            where = (given.user_id == user.id) & (given.role_id == role_id)
            if not connection.execute(user_role_assignments.delete().where(where)).rowcount:
                raise not_found(
                    f"User role assignment (user_id={user.id}, role_id={role_id}) not found"
                )

        self._database.write(work)

    def assignments(self, role_id: int) -> list[UserRoleAssignment]:
        """Return who has a role.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> list[UserRoleAssignment]:
            _one(connection, role_id)
            given = user_role_assignments.c
            statement = select(given.id, given.user_id, given.role_id)
            found = connection.execute(statement.where(given.role_id == role_id))
            return [UserRoleAssignment(*row) for row in found]

        return self._database.run(work)

    def of_user(self, user_id: int) -> list[Role]:
        """Return the roles of a user, their own included."""
        given = user_role_assignments.c
        mine = roles.c.id.in_(select(given.role_id).where(given.user_id == user_id))
        return self._database.run(lambda connection: _roles(connection, mine))

    # --- what they are given ---------------------------------------------------------------------

    def add(self, role_id: int, kind: str, pattern: str, permission: str) -> RolePermission:
        """Give something to a role.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST;
                RESOURCE_ALREADY_EXISTS.
        """
        check_grant(kind, pattern, permission)

        def work(connection: Connection) -> RolePermission:
            _one(connection, role_id)
            if _given(connection, role_id, kind, pattern) is not None:
                raise already_exists(
                    f"Role permission (role_id={role_id}, resource_type={kind}, "
                    f"resource_pattern={pattern}) already exists."
                )
            return _insert(connection, role_id, kind, pattern, permission)

        return self._database.write(work)

    def change(self, permission_id: int, permission: str) -> RolePermission:
        """Change the level of something that a role was given.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> RolePermission:
            found = _by_id(connection, permission_id)
            check_grant(found.resource_type, found.resource_pattern, permission)
            where = role_permissions.c.id == permission_id
            connection.execute(role_permissions.update().where(where).values(permission=permission))
            return found._replace(permission=permission)

        return self._database.write(work)

    def remove(self, permission_id: int) -> RolePermission:
        """Take something from a role; return what it was.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> RolePermission:
            found = _by_id(connection, permission_id)
            where = role_permissions.c.id == permission_id
            connection.execute(role_permissions.delete().where(where))
            return found

        return self._database.write(work)

    def permission(self, permission_id: int) -> RolePermission:
        """Return something that a role was given.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        return self._database.run(lambda connection: _by_id(connection, permission_id))

    # --- what one user is given ------------------------------------------------------------------

    def grant(
        self, username: str, kind: str, pattern: str, permission: str, *, replaces: bool = False
    ) -> None:
        """Give something to one user.

        Args:
            username: to whom.
            kind: the type of the thing.
            pattern: its name, or `*` for all.
            permission: the level.
            replaces: whether what was given before is replaced; else it must not be there.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST;
                RESOURCE_ALREADY_EXISTS.
        """
        check_grant(kind, pattern, permission)

        def work(connection: Connection) -> None:
            user = Accounts.named(connection, username)
            role_id = own_role(connection, user.id)
            found = _given(connection, role_id, kind, pattern)
            if found is None:
                _insert(connection, role_id, kind, pattern, permission)
                return
            if not replaces:
                raise already_exists(
                    f"Permission for user={username} on resource_type={kind}, "
                    f"resource_id={pattern} already exists. Revoke it first."
                )
            where = role_permissions.c.id == found.id
            connection.execute(role_permissions.update().where(where).values(permission=permission))

        self._database.write(work)

    def revoke(self, username: str, kind: str, pattern: str) -> None:
        """Take something that one user was given.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> None:
            user = Accounts.named(connection, username)
            found = _given(connection, own_role(connection, user.id), kind, pattern)
            if found is None:
                raise _not_granted(username, kind, pattern)
            connection.execute(role_permissions.delete().where(role_permissions.c.id == found.id))

        self._database.write(work)

    def granted(self, username: str, kind: str, pattern: str) -> str:
        """Return the level that one user was given on exactly one thing.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """

        def work(connection: Connection) -> str:
            user = Accounts.named(connection, username)
            found = _given(connection, own_role(connection, user.id), kind, pattern)
            if found is None:
                raise _not_granted(username, kind, pattern)
            return found.permission

        return self._database.write(work)

    def about(self, kind: str, names: Sequence[str]) -> list[GivenOn]:
        """Return what whoever is granted on some things of a type, or on all of it.

        Args:
            kind: the type of the things.
            names: which things.
        """
        given, who = role_permissions.c, user_role_assignments.c
        statement = (
            select(who.user_id, roles.c.id, roles.c.name, given.resource_pattern, given.permission)
            .join(roles, roles.c.id == given.role_id)
            .join(user_role_assignments, who.role_id == given.role_id)
            .where(given.resource_type == kind, given.resource_pattern.in_([*names, ANY]))
            .order_by(given.id, who.id)
        )
        found = self._database.run(lambda connection: connection.execute(statement).all())
        # Some databases take names in other letters for these.
        wanted = {*names, ANY}
        return [
            GivenOn(row[0], row[1], None if row[2].startswith(_OWN) else row[2], row[3], row[4])
            for row in found
            if row[3] in wanted
        ]

    # --- when things come and go -----------------------------------------------------------------

    def born(self, kind: str, name: str, user_id: int) -> None:
        """Note that a user has made something: it is theirs, and nobody inherits an older one's."""

        def work(connection: Connection) -> None:
            _forget(connection, kind, name)
            _insert(connection, own_role(connection, user_id), kind, name, "MANAGE")

        self._database.write(work)

    def gone(self, kind: str, name: str) -> None:
        """Forget what was given on something that is no more."""
        self._database.write(lambda connection: _forget(connection, kind, name))

    def renamed(self, kind: str, name: str, new_name: str) -> None:
        """Let what was given on something follow its name."""

        def work(connection: Connection) -> None:
            _forget(connection, kind, new_name)
            where = role_permissions.c.id.in_(_ids_about(connection, kind, name))
            connection.execute(
                role_permissions.update().where(where).values(resource_pattern=new_name)
            )

        self._database.write(work)


def _check_name(name: str) -> None:
    if not name.strip():
        raise invalid("Role name cannot be empty.")
    if len(name) > _LONGEST:
        raise invalid(f"Role name is longer than {_LONGEST} characters.")
    if name.startswith(_OWN):
        raise invalid(f"Names of roles that begin with '{_OWN}' belong to single users.")


def _check_free(connection: Connection, workspace: str, name: str) -> None:
    where = (roles.c.workspace == workspace) & (roles.c.name == name)
    if connection.execute(select(roles.c.id).where(where)).first() is not None:
        raise already_exists(f"Role (name={name}, workspace={workspace}) already exists.")


def _one(connection: Connection, role_id: int) -> Role:
    found = _roles(connection, roles.c.id == role_id)
    if not found:
        raise not_found(f"Role with id={role_id} not found")
    return found[0]


def _shared(connection: Connection, role_id: int) -> Role:
    """Return a role that several users may have."""
    role = _one(connection, role_id)
    if role.name.startswith(_OWN):
        raise invalid("This role belongs to one user: grant and revoke that user's permissions.")
    return role


def _roles(connection: Connection, where: ColumnElement[bool] | None) -> list[Role]:
    statement = select(roles).order_by(roles.c.id)
    found = connection.execute(statement if where is None else statement.where(where)).all()
    given: dict[int, list[RolePermission]] = {row.id: [] for row in found}
    about = role_permissions.c.role_id.in_(list(given))
    for row in connection.execute(select(role_permissions).where(about).order_by("id")):
        given[row.role_id].append(_permission(row))
    return [Role(row.id, row.name, row.workspace, row.description, given[row.id]) for row in found]


def _permission(row: Row[Any]) -> RolePermission:
    return RolePermission(
        row.id, row.role_id, row.resource_type, row.resource_pattern, row.permission
    )


def _by_id(connection: Connection, permission_id: int) -> RolePermission:
    where = role_permissions.c.id == permission_id
    row = connection.execute(select(role_permissions).where(where)).first()
    if row is None:
        raise not_found(f"Role permission with id={permission_id} not found")
    return _permission(row)


def _about(kind: str, name: str) -> ColumnElement[bool]:
    given = role_permissions.c
    return (given.resource_type == kind) & (given.resource_pattern == name)


def _ids_about(connection: Connection, kind: str, name: str) -> list[int]:
    """Return what was given on a thing; some databases take names in other letters for its own."""
    given = role_permissions.c
    found = connection.execute(select(given.id, given.resource_pattern).where(_about(kind, name)))
    return [row[0] for row in found if row[1] == name]


def _given(connection: Connection, role_id: int, kind: str, name: str) -> RolePermission | None:
    where = (role_permissions.c.role_id == role_id) & _about(kind, name)
    found = map(_permission, connection.execute(select(role_permissions).where(where)))
    return next((one for one in found if one.resource_pattern == name), None)


def _insert(
    connection: Connection, role_id: int, kind: str, name: str, permission: str
) -> RolePermission:
    values = {
        "role_id": role_id,
        "resource_type": kind,
        "resource_pattern": name,
        "permission": permission,
    }
    made = inserted(connection, role_permissions, values)
    return RolePermission(made, role_id, kind, name, permission)


def _forget(connection: Connection, kind: str, name: str) -> None:
    ids = _ids_about(connection, kind, name)
    connection.execute(role_permissions.delete().where(role_permissions.c.id.in_(ids)))


def _not_granted(username: str, kind: str, pattern: str) -> Exception:
    return not_found(
        f"Permission for user={username} on resource_type={kind}, resource_id={pattern} not found."
    )
