"""Users, roles and what they are given, as MLflow's client returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class User(NamedTuple):
    """Somebody who may sign in."""

    id: int
    username: str
    password_hash: str
    is_admin: bool

    def to_json(self) -> dict[str, Any]:
        """Return what others may see of it."""
        return {"id": self.id, "username": self.username, "is_admin": self.is_admin}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> User:
        """Return the user in an answer, which holds no hash."""
        return cls(given["id"], given["username"], "REDACTED", given["is_admin"])


class RolePermission(NamedTuple):
    """What one role is given on a thing, or on all of a type."""

    id: int
    role_id: int
    resource_type: str
    resource_pattern: str
    permission: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> RolePermission:
        """Return the one in an answer."""
        return cls(**{name: given[name] for name in cls._fields})


class Role(NamedTuple):
    """A set of permissions under a name."""

    id: int
    name: str
    workspace: str
    description: str | None = None
    permissions: list[RolePermission] = []

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        given = [one.to_json() for one in self.permissions]
        return {**self._asdict(), "permissions": given}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Role:
        """Return the one in an answer."""
        permissions = [RolePermission.from_json(one) for one in given.get("permissions", ())]
        description = given.get("description")
        return cls(given["id"], given["name"], given["workspace"], description, permissions)


class UserRoleAssignment(NamedTuple):
    """That a user has a role."""

    id: int
    user_id: int
    role_id: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> UserRoleAssignment:
        """Return the one in an answer."""
        return cls(given["id"], given["user_id"], given["role_id"])


class GetUserPermissionResult(NamedTuple):
    """What a user may do with one thing."""

    allowed: bool
    permission: str


class ExperimentPermission(NamedTuple):
    """What a user is given on an experiment, as MLflow 2 says it."""

    experiment_id: str
    user_id: int
    permission: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> ExperimentPermission:
        """Return the one in an answer."""
        return cls(given["experiment_id"], given["user_id"], given["permission"])


class RegisteredModelPermission(NamedTuple):
    """What a user is given on a registered model, as MLflow 2 says it."""

    name: str
    user_id: int
    permission: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> RegisteredModelPermission:
        """Return the one in an answer."""
        return cls(given["name"], given["user_id"], given["permission"])


class Token(NamedTuple):
    """A personal access token, without the token itself."""

    id: int
    user_id: int
    name: str
    scope: str
    created: int
    expires: int | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


class Identity(NamedTuple):
    """Somebody of an OpenID Connect provider, and who they are here."""

    id: int
    username: str
    issuer: str
    subject: str
    #: Whether they may sign in; not when their user was removed.
    is_linked: bool
    #: ms since the epoch; `seen` None for who has not come yet.
    created: int
    seen: int | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()


class Event(NamedTuple):
    """One line of the audit log."""

    id: int
    time: int
    username: str
    action: str
    resource: str
    outcome: str
    address: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return self._asdict()
