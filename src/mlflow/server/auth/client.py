"""The client of a server's users: who there are, their roles and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from mlflow.exceptions import MlflowException
from mlflow.server.auth.entities import (
    Event,
    ExperimentPermission,
    GetUserPermissionResult,
    Identity,
    RegisteredModelPermission,
    Role,
    RolePermission,
    Token,
    User,
    UserRoleAssignment,
)
from mlflow.transport.client import LostError, Transport, refusal, shown

if TYPE_CHECKING:
    from typing import Any

_OLD, _NEW = "/api/2.0/mlflow/", "/api/3.0/mlflow/"


class AuthServiceClient:
    """Asks a server that was started with `--app-name basic-auth`, ours or a stock MLflow's.

    Who asks is said by `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or by
    `MLFLOW_TRACKING_TOKEN`. Each method raises `MlflowException` for what the server refuses:
    PERMISSION_DENIED to who may not, RESOURCE_DOES_NOT_EXIST, RESOURCE_ALREADY_EXISTS and
    INVALID_PARAMETER_VALUE.

    Args:
        tracking_uri: the address of the server.
    """

    def __init__(self, tracking_uri: str) -> None:
        self.tracking_uri = tracking_uri
        self._transport = Transport(tracking_uri)

    def _ask(self, method: str, path: str, fields: dict[str, Any], base: str = _OLD) -> Any:
        given = {name: value for name, value in fields.items() if value is not None}
        body, headers = b"", {}
        where = base + path
        if method == "GET":
            where += f"?{urlencode(given)}" if given else ""
        else:
            body, headers = msgspec.json.encode(given), {"Content-Type": "application/json"}
        # Asked twice, what was made is refused: no request of these is repeated blindly.
        try:
            answer = self._transport.request(method, where, body, headers, is_safe=method == "GET")
        except LostError as error:
            raise MlflowException(
                f"The connection to {self.tracking_uri} was lost after a request to {path} was "
                f"sent: {error}. It is not known whether the server did it."
            ) from error
        if answer.status != 200:
            raise refusal(answer, base + path)
        try:
            return msgspec.json.decode(answer.body or b"{}")
        except msgspec.DecodeError:
            raise MlflowException(
                f"The answer of {self.tracking_uri} cannot be read: {shown(answer.body)}"
            ) from None

    # --- users -----------------------------------------------------------------------------------

    def create_user(self, username: str, password: str) -> User:
        """Make a user; the password has at least 12 characters."""
        given = {"username": username, "password": password}
        return User.from_json(self._ask("POST", "users/create", given)["user"])

    def get_user(self, username: str) -> User:
        """Return a user."""
        return User.from_json(self._ask("GET", "users/get", {"username": username})["user"])

    def list_users(self) -> list[User]:
        """Return all users."""
        return [User.from_json(one) for one in self._ask("GET", "users/list", {})["users"]]

    def get_current_user(self) -> User:
        """Return who asks."""
        return User.from_json(self._ask("GET", "users/current", {})["user"])

    def update_user_password(
        self, username: str, password: str, current_password: str | None = None
    ) -> None:
        """Change a password; one's own needs the present one."""
        given = {
            "username": username,
            "password": password,
            "current_password": current_password,
        }
        self._ask("PATCH", "users/update-password", given)

    def update_user_admin(self, username: str, is_admin: bool) -> None:
        """Make a user an administrator, or one no longer."""
        self._ask("PATCH", "users/update-admin", {"username": username, "is_admin": is_admin})

    def update_user_active(self, username: str, is_active: bool) -> None:
        """Let a user in, or no longer; a stock MLflow's server does not know this."""
        self._ask("PATCH", "users/update-active", {"username": username, "is_active": is_active})

    def delete_user(self, username: str) -> None:
        """Remove a user."""
        self._ask("DELETE", "users/delete", {"username": username})

    # --- what a user may -------------------------------------------------------------------------

    def grant_user_permission(
        self, username: str, resource_type: str, resource_id: str, permission: str
    ) -> None:
        """Give a user something: READ, USE, EDIT, MANAGE, or DENY, on a thing or on `*`."""
        given = {"username": username, "resource_type": resource_type, "resource_id": resource_id}
        path = "users/permissions/grant"
        self._ask("POST", path, {**given, "permission": permission}, _NEW)

    def revoke_user_permission(self, username: str, resource_type: str, resource_id: str) -> None:
        """Take something from a user."""
        given = {"username": username, "resource_type": resource_type, "resource_id": resource_id}
        self._ask("POST", "users/permissions/revoke", given, _NEW)

    def get_user_permission(
        self, username: str, resource_type: str, resource_id: str
    ) -> GetUserPermissionResult:
        """Return the level of a user on a thing."""
        given = {"username": username, "resource_type": resource_type, "resource_id": resource_id}
        found = self._ask("GET", "users/permissions/get", given, _NEW)
        return GetUserPermissionResult(found["allowed"], found["permission"])

    def list_user_roles(self, username: str) -> list[Role]:
        """Return the roles of a user."""
        found = self._ask("GET", "users/roles/list", {"username": username}, _NEW)
        return [Role.from_json(one) for one in found["roles"]]

    # --- roles -----------------------------------------------------------------------------------

    def create_role(self, workspace: str, name: str, description: str | None = None) -> Role:
        """Make a role."""
        given = {"workspace": workspace, "name": name, "description": description}
        return Role.from_json(self._ask("POST", "roles/create", given, _NEW)["role"])

    def get_role(self, role_id: int) -> Role:
        """Return a role."""
        return Role.from_json(self._ask("GET", "roles/get", {"role_id": role_id}, _NEW)["role"])

    def list_roles(self, workspace: str) -> list[Role]:
        """Return the roles of a workspace; without workspaces there is one, `default`."""
        found = self._ask("GET", "roles/list", {"workspace": workspace}, _NEW)
        return [Role.from_json(one) for one in found["roles"]]

    def list_all_roles(self) -> list[Role]:
        """Return the roles of all workspaces."""
        found = self._ask("GET", "roles/list", {}, _NEW)
        return [Role.from_json(one) for one in found["roles"]]

    def update_role(
        self, role_id: int, name: str | None = None, description: str | None = None
    ) -> Role:
        """Change name or description of a role."""
        given = {"role_id": role_id, "name": name, "description": description}
        return Role.from_json(self._ask("PATCH", "roles/update", given, _NEW)["role"])

    def delete_role(self, role_id: int) -> None:
        """Remove a role."""
        self._ask("DELETE", "roles/delete", {"role_id": role_id}, _NEW)

    def add_role_permission(
        self, role_id: int, resource_type: str, resource_pattern: str, permission: str
    ) -> RolePermission:
        """Give something to a role."""
        given = {
            "role_id": role_id,
            "resource_type": resource_type,
            "resource_pattern": resource_pattern,
            "permission": permission,
        }
        found = self._ask("POST", "roles/permissions/add", given, _NEW)
        return RolePermission.from_json(found["role_permission"])

    def remove_role_permission(self, role_permission_id: int) -> None:
        """Take something from a role."""
        given = {"role_permission_id": role_permission_id}
        self._ask("DELETE", "roles/permissions/remove", given, _NEW)

    def list_role_permissions(self, role_id: int) -> list[RolePermission]:
        """Return what a role is given."""
        found = self._ask("GET", "roles/permissions/list", {"role_id": role_id}, _NEW)
        return [RolePermission.from_json(one) for one in found["role_permissions"]]

    def update_role_permission(self, role_permission_id: int, permission: str) -> RolePermission:
        """Change the level of something that a role was given."""
        given = {"role_permission_id": role_permission_id, "permission": permission}
        found = self._ask("PATCH", "roles/permissions/update", given, _NEW)
        return RolePermission.from_json(found["role_permission"])

    def assign_role(self, username: str, role_id: int) -> UserRoleAssignment:
        """Give a role to a user."""
        given = {"username": username, "role_id": role_id}
        found = self._ask("POST", "roles/assign", given, _NEW)
        return UserRoleAssignment.from_json(found["assignment"])

    def unassign_role(self, username: str, role_id: int) -> None:
        """Take a role from a user."""
        self._ask("DELETE", "roles/unassign", {"username": username, "role_id": role_id}, _NEW)

    def list_role_users(self, role_id: int) -> list[UserRoleAssignment]:
        """Return who has a role."""
        found = self._ask("GET", "roles/users/list", {"role_id": role_id}, _NEW)
        return [UserRoleAssignment.from_json(one) for one in found["assignments"]]

    # --- as MLflow 2 had it ----------------------------------------------------------------------

    def create_experiment_permission(
        self, experiment_id: str, username: str, permission: str
    ) -> ExperimentPermission:
        """Give a user something on an experiment."""
        given = {"experiment_id": experiment_id, "username": username, "permission": permission}
        found = self._ask("POST", "experiments/permissions/create", given)
        return ExperimentPermission.from_json(found["experiment_permission"])

    def get_experiment_permission(self, experiment_id: str, username: str) -> ExperimentPermission:
        """Return what a user is given on an experiment."""
        given = {"experiment_id": experiment_id, "username": username}
        found = self._ask("GET", "experiments/permissions/get", given)
        return ExperimentPermission.from_json(found["experiment_permission"])

    def update_experiment_permission(
        self, experiment_id: str, username: str, permission: str
    ) -> None:
        """Change what a user is given on an experiment."""
        given = {"experiment_id": experiment_id, "username": username, "permission": permission}
        self._ask("PATCH", "experiments/permissions/update", given)

    def delete_experiment_permission(self, experiment_id: str, username: str) -> None:
        """Take from a user what they were given on an experiment."""
        given = {"experiment_id": experiment_id, "username": username}
        self._ask("DELETE", "experiments/permissions/delete", given)

    def create_registered_model_permission(
        self, name: str, username: str, permission: str
    ) -> RegisteredModelPermission:
        """Give a user something on a registered model."""
        given = {"name": name, "username": username, "permission": permission}
        found = self._ask("POST", "registered-models/permissions/create", given)
        return RegisteredModelPermission.from_json(found["registered_model_permission"])

    def get_registered_model_permission(
        self, name: str, username: str
    ) -> RegisteredModelPermission:
        """Return what a user is given on a registered model."""
        given = {"name": name, "username": username}
        found = self._ask("GET", "registered-models/permissions/get", given)
        return RegisteredModelPermission.from_json(found["registered_model_permission"])

    def update_registered_model_permission(self, name: str, username: str, permission: str) -> None:
        """Change what a user is given on a registered model."""
        given = {"name": name, "username": username, "permission": permission}
        self._ask("PATCH", "registered-models/permissions/update", given)

    def delete_registered_model_permission(self, name: str, username: str) -> None:
        """Take from a user what they were given on a registered model."""
        given = {"name": name, "username": username}
        self._ask("DELETE", "registered-models/permissions/delete", given)

    # --- Millstream's own ------------------------------------------------------------------------

    def create_token(
        self, name: str, scope: str = "manage", days: int | None = None
    ) -> tuple[str, Token]:
        """Make a token of one's own.

        Args:
            name: what it is called.
            scope: `read`, `edit` or `manage`: the most that it allows.
            days: how long it is good for; None until it is revoked.

        Returns:
            The token, which nobody can ask for again, and what is kept of it.
        """
        given = {"name": name, "scope": scope, "days": days}
        found = self._ask("POST", "users/tokens/create", given)
        return found["token"], Token(**found["info"])

    def list_tokens(self) -> list[Token]:
        """Return one's own tokens, without the tokens themselves."""
        return [Token(**one) for one in self._ask("GET", "users/tokens/list", {})["tokens"]]

    def revoke_token(self, token_id: int) -> None:
        """Remove a token of one's own."""
        self._ask("DELETE", "users/tokens/revoke", {"token_id": token_id})

    def list_identities(self) -> list[Identity]:
        """Return who signs in by OpenID Connect; for administrators."""
        found = self._ask("GET", "users/identities/list", {})["identities"]
        return [Identity(**{name: one[name] for name in Identity._fields}) for one in found]

    def link_identity(self, username: str, subject: str, issuer: str | None = None) -> None:
        """Let somebody of a provider sign in as a user.

        Args:
            username: the user.
            subject: what the provider calls them: the claim `sub`.
            issuer: the provider; the one that the server is configured with when absent.
        """
        given = {"username": username, "subject": subject, "issuer": issuer}
        self._ask("POST", "users/identities/link", given)

    def unlink_identity(self, identity_id: int) -> None:
        """Forget somebody of a provider: they are a stranger again, and their sessions end."""
        self._ask("DELETE", "users/identities/unlink", {"identity_id": identity_id})

    def list_audit(
        self,
        username: str | None = None,
        action: str | None = None,
        since: int | None = None,
        before: int | None = None,
        max_results: int = 100,
    ) -> list[Event]:
        """Return lines of the audit log, the newest first.

        Args:
            username: only what this user did.
            action: only this operation.
            since: only from this time on, ms since the epoch.
            before: only lines with smaller ids: where the last page ended.
            max_results: how many, at most 1 000.
        """
        given = {
            "username": username,
            "action": action,
            "since": since,
            "before": before,
            "max_results": max_results,
        }
        return [Event(**one) for one in self._ask("GET", "audit/list", given)["events"]]
