"""The endpoints of users, roles, permissions, tokens and the audit log: one table of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow.api import op as api
from mlflow.api.op import EDIT, MANAGE, READ, STORE, Permission
from mlflow.api.wire import BOOL, INT64, TEXT, Field, UnreadableError, read_field
from mlflow.exceptions import BAD_REQUEST, MlflowException, invalid, not_found
from mlflow.server.auth import permissions
from mlflow.server.auth.entities import ExperimentPermission, RegisteredModelPermission
from mlflow.server.auth.passwords import NOBODY
from mlflow.server.auth.permissions import check_type, get_permission
from mlflow.server.auth.policy import asking, denied
from mlflow.server.dispatch import check_json_type
from mlflow.server.messages import json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.auth.caller import Caller
    from mlflow.server.auth.users import Users
    from mlflow.server.messages import Answer, Request
    from mlflow.server.routes import Routes

# What is asked of the caller before an endpoint looks closer.
ANYBODY, ADMIN = Permission(READ, STORE), Permission(MANAGE, STORE)
# Who changes something of their own, or of what they manage.
WRITER = Permission(EDIT, STORE)

_USERNAME = Field("username", TEXT, required=True)
_PASSWORD = Field("password", TEXT, required=True)
_ROLE_ID = Field("role_id", INT64, required=True)
_WORKSPACE = Field("workspace", TEXT, required=True)
_GIVEN_ID = Field("role_permission_id", INT64, required=True)
_TYPE = Field("resource_type", TEXT, required=True)
_ID = Field("resource_id", TEXT, required=True)
_LEVEL = Field("permission", TEXT, required=True)
_EXPERIMENT = Field("experiment_id", TEXT, required=True)
_MODEL = Field("name", TEXT, required=True)
# MLflow 2 says one thing where roles say the other.
_OLD_NAME = {"DENY": "NO_PERMISSIONS"}
_NEW_NAME = {"NO_PERMISSIONS": "DENY"}


class Row(NamedTuple):
    """One endpoint."""

    method: str
    path: str
    #: The method of `Endpoints` that answers it.
    name: str
    permission: Permission
    fields: tuple[Field, ...] = ()


def _of_things(noun: str, key: Field) -> tuple[Row, ...]:
    """Return the endpoints that MLFlow 2 had for permissions on one kind of thing."""
    path, name = f"{noun}/permissions", f"{noun.replace('-', '_')[:-1]}_permission"
    return (
        Row("POST", f"{path}/create", f"create_{name}", WRITER, (key, _USERNAME, _LEVEL)),
        Row("GET", f"{path}/get", f"get_{name}", ANYBODY, (key, _USERNAME)),
        Row("PATCH", f"{path}/update", f"update_{name}", WRITER, (key, _USERNAME, _LEVEL)),
        Row("DELETE", f"{path}/delete", f"delete_{name}", WRITER, (key, _USERNAME)),
    )


ROWS = (
    Row("POST", "users/create", "create_user", ADMIN, (_USERNAME, _PASSWORD)),
    Row("GET", "users/get", "get_user", ANYBODY, (_USERNAME,)),
    Row("GET", "users/list", "list_users", ANYBODY),
    Row("GET", "users/current", "current_user", ANYBODY),
    Row(
        "PATCH", "users/update-password", "update_user_password", WRITER,
        (_USERNAME, _PASSWORD, Field("current_password", TEXT)),
    ),
    Row(
        "PATCH", "users/update-admin", "update_user_admin", ADMIN,
        (_USERNAME, Field("is_admin", BOOL, required=True)),
    ),
    Row(
        "PATCH", "users/update-active", "update_user_active", ADMIN,
        (_USERNAME, Field("is_active", BOOL, required=True)),
    ),
    Row("DELETE", "users/delete", "delete_user", ADMIN, (_USERNAME,)),
    Row("GET", "users/current/permissions", "current_permissions", ANYBODY),
    Row("GET", "users/permissions/list", "list_user_permissions", ANYBODY, (_USERNAME,)),
    Row(
        "POST", "users/permissions/grant", "grant_user_permission", WRITER,
        (_USERNAME, _TYPE, _ID, _LEVEL),
    ),
    Row(
        "POST", "users/permissions/revoke", "revoke_user_permission", WRITER,
        (_USERNAME, _TYPE, _ID),
    ),
    Row(
        "GET", "users/permissions/get", "get_user_permission", ANYBODY, (_USERNAME, _TYPE, _ID)
    ),
    Row("GET", "users/roles/list", "list_user_roles", ANYBODY, (_USERNAME,)),
    Row(
        "POST", "roles/create", "create_role", ADMIN,
        (_WORKSPACE, Field("name", TEXT), Field("description", TEXT)),
    ),
    Row("GET", "roles/get", "get_role", ADMIN, (_ROLE_ID,)),
    Row("GET", "roles/list", "list_roles", ADMIN, (Field("workspace", TEXT),)),
    Row(
        "PATCH", "roles/update", "update_role", ADMIN,
        (_ROLE_ID, Field("name", TEXT), Field("description", TEXT)),
    ),
    Row("DELETE", "roles/delete", "delete_role", ADMIN, (_ROLE_ID,)),
    Row("POST", "roles/assign", "assign_role", ADMIN, (_USERNAME, _ROLE_ID)),
    Row("DELETE", "roles/unassign", "unassign_role", ADMIN, (_USERNAME, _ROLE_ID)),
    Row("GET", "roles/users/list", "list_role_users", ADMIN, (_ROLE_ID,)),
    Row(
        "POST", "roles/permissions/add", "add_role_permission", ADMIN,
        (_ROLE_ID, _TYPE, Field("resource_pattern", TEXT, required=True), _LEVEL),
    ),
    Row("DELETE", "roles/permissions/remove", "remove_role_permission", ADMIN, (_GIVEN_ID,)),
    Row("GET", "roles/permissions/list", "list_role_permissions", ADMIN, (_ROLE_ID,)),
    Row(
        "PATCH", "roles/permissions/update", "update_role_permission", ADMIN, (_GIVEN_ID, _LEVEL)
    ),
    *_of_things("experiments", _EXPERIMENT),
    *_of_things("registered-models", _MODEL),
    Row(
        "POST", "users/tokens/create", "create_token", WRITER,
        (Field("name", TEXT, required=True), Field("scope", TEXT), Field("days", INT64)),
    ),
    Row("GET", "users/tokens/list", "list_tokens", ANYBODY),
    Row(
        "DELETE", "users/tokens/revoke", "revoke_token", WRITER,
        (Field("token_id", INT64, required=True),),
    ),
    Row("GET", "users/identities/list", "list_identities", ADMIN),
    Row(
        "POST", "users/identities/link", "link_identity", ADMIN,
        (_USERNAME, Field("subject", TEXT, required=True), Field("issuer", TEXT)),
    ),
    Row(
        "DELETE", "users/identities/unlink", "unlink_identity", ADMIN,
        (Field("identity_id", INT64, required=True),),
    ),
    Row(
        "GET", "audit/list", "list_audit", ADMIN,
        (
            Field("username", TEXT), Field("action", TEXT), Field("since", INT64),
            Field("before", INT64), Field("max_results", INT64),
        ),
    ),
)  # fmt: skip


class Endpoints:
    """These endpoints over one server's users.

    Args:
        users: the users.
    """

    def __init__(self, users: Users) -> None:
        self._users = users
        self._accounts = users.accounts
        self._roles = users.roles

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        for row in ROWS:
            routes.add_api(
                row.method, f"mlflow/{row.path}", partial(self._answer, row), row.permission
            )

    async def _answer(self, row: Row, request: Request) -> Answer:
        """Answer a request: who may not even ask hears so before anything else."""
        await self._users.permits(request, row.permission, {})
        if row.method == "GET":
            given: dict[str, Any] = {name: all_[-1] for name, all_ in request.query.items()}
        else:
            check_json_type(request)
            given = await request.fields()
        try:
            values = {field.name: read_field(field, given) for field in row.fields}
        except UnreadableError as error:
            raise error.told() from None
        work = partial(self._done, row, getattr(self, row.name), values)
        return json_answer(await self._users.work(work))

    def _done(
        self, row: Row, method: Callable[..., dict[str, Any]], values: dict[str, Any]
    ) -> dict[str, Any]:
        caller, address = asking(), self._users.origin()
        audit = self._users.audit
        about = " ".join(
            f"{name}={value}"
            for name, value in values.items()
            if value is not None and name not in ("password", "current_password")
        )
        try:
            result = method(caller, **values)
        except MlflowException as error:
            if row.permission is not ANYBODY:
                outcome = "denied" if error.error_code == "PERMISSION_DENIED" else "refused"
                audit.try_to_add(caller.username, row.name, about, outcome, address)
            raise
        if row.permission is not ANYBODY and row.method != "GET":
            audit.add(caller.username, row.name, about, "done", address)
        return result

    # --- users -----------------------------------------------------------------------------------

    def create_user(self, caller: Caller, username: str, password: str) -> dict[str, Any]:
        """Make a user."""
        return {"user": self._accounts.create(username, password).to_json()}

    def get_user(self, caller: Caller, username: str) -> dict[str, Any]:
        """Return oneself; administrators, anybody."""
        _check_own(caller, username)
        return {"user": self._accounts.get(username).to_json()}

    def list_users(self, caller: Caller) -> dict[str, Any]:
        """Return all users, without what is kept of their passwords; their roles to administrators."""
        found, disabled = [], self._accounts.disabled()
        for user in self._accounts.all():
            roles = self._roles.of_user(user.id) if caller.is_admin else []
            further = {"roles": [one.to_json() for one in roles]}
            found.append({**user.to_json(), "is_active": user.id not in disabled, **further})
        return {"users": found}

    def current_user(self, caller: Caller) -> dict[str, Any]:
        """Return who asks."""
        user = self._accounts.get(caller.username)
        # Who came by a provider has none until an administrator gives them one.
        told = {**user.to_json(), "has_password": user.password_hash != NOBODY}
        return {"user": told, "is_basic_auth": True, "scope": caller.scope}

    def update_user_password(
        self, caller: Caller, username: str, password: str, current_password: str | None
    ) -> dict[str, Any]:
        """Change one's own password, with the present one; administrators, those of others."""
        _check_own(caller, username)
        _check_whole(caller)
        if username == caller.username:
            if not current_password:
                raise invalid("Current password is required when changing your own password.")
            address = self._users.origin()
            if self._accounts.get(username).password_hash == NOBODY:
                raise invalid("You have no password here. An administrator can give you one.")
            if self._users.sign_in.user(username, current_password, address) is None:
                raise invalid("Current password does not match.")
        self._accounts.set_password(username, password)
        return {}

    def update_user_admin(self, caller: Caller, username: str, is_admin: bool) -> dict[str, Any]:
        """Make a user an administrator, or one no longer."""
        self._accounts.set_admin(username, is_admin)
        return {}

    def update_user_active(self, caller: Caller, username: str, is_active: bool) -> dict[str, Any]:
        """Let another user in, or no longer."""
        if username == caller.username:
            raise MlflowException(
                "You cannot disable your own account. Another administrator can.", BAD_REQUEST
            )
        self._accounts.set_active(username, is_active)
        return {}

    def delete_user(self, caller: Caller, username: str) -> dict[str, Any]:
        """Remove another user."""
        if username == caller.username:
            raise MlflowException(
                "You cannot delete your own account. Another administrator can.", BAD_REQUEST
            )
        self._accounts.delete(username)
        return {}

    # --- what users may --------------------------------------------------------------------------

    def current_permissions(self, caller: Caller) -> dict[str, Any]:
        """Return what the caller is given."""
        return self._given(caller.username)

    def list_user_permissions(self, caller: Caller, username: str) -> dict[str, Any]:
        """Return what a user is given."""
        _check_own(caller, username)
        return self._given(username)

    def _given(self, username: str) -> dict[str, Any]:
        user = self._accounts.get(username)
        found = [
            {
                "resource_type": given.resource_type,
                "resource_pattern": given.resource_pattern,
                "permission": given.permission,
                "role_id": role.id,
                "role_name": role.name,
                "workspace": role.workspace,
            }
            for role in self._roles.of_user(user.id)
            for given in role.permissions
        ]
        return {"is_admin": user.is_admin, "permissions": found}

    def grant_user_permission(
        self, caller: Caller, username: str, resource_type: str, resource_id: str, permission: str
    ) -> dict[str, Any]:
        """Give a user something on a thing that the caller manages."""
        self._check_manages(caller, resource_type, resource_id)
        self._roles.grant(username, resource_type, resource_id, permission)
        return {}

    def revoke_user_permission(
        self, caller: Caller, username: str, resource_type: str, resource_id: str
    ) -> dict[str, Any]:
        """Take something from a user that they were given on a thing that the caller manages."""
        self._check_manages(caller, resource_type, resource_id)
        self._roles.revoke(username, resource_type, resource_id)
        return {}

    def get_user_permission(
        self, caller: Caller, username: str, resource_type: str, resource_id: str
    ) -> dict[str, Any]:
        """Return the level of a user on a thing."""
        if username != caller.username:
            self._check_manages(caller, resource_type, resource_id)
        check_type(resource_type)
        found = self._accounts.caller(self._accounts.get(username).id)
        if found is None:
            raise not_found(f"User with username={username} not found")
        name = found[0].permission((resource_type, resource_id))
        return {"permission": name, "allowed": get_permission(name).can_use}

    def list_user_roles(self, caller: Caller, username: str) -> dict[str, Any]:
        """Return the roles of a user."""
        _check_own(caller, username)
        user = self._accounts.get(username)
        return {"roles": [one.to_json() for one in self._roles.of_user(user.id)]}

    def _check_manages(self, caller: Caller, resource_type: str, resource_id: str) -> None:
        """Check that a caller may say what others may do with a thing.

        Raises:
            MlflowException: PERMISSION_DENIED; RESOURCE_DOES_NOT_EXIST for what they may not see.
        """
        if caller.is_admin:
            return
        policy = self._users.policy
        argument = _ARGUMENTS.get(resource_type)
        if policy is None or argument is None or resource_id == permissions.ANY:
            raise denied()
        kind = api.EXPERIMENT if argument == "experiment_id" else api.REGISTERED_MODEL
        policy.admit(caller, Permission(MANAGE, kind, argument), {argument: resource_id})

    # --- roles -----------------------------------------------------------------------------------

    def create_role(
        self, caller: Caller, workspace: str, name: str | None, description: str | None
    ) -> dict[str, Any]:
        """Make a role."""
        return {"role": self._roles.create(workspace, name or "", description).to_json()}

    def get_role(self, caller: Caller, role_id: int) -> dict[str, Any]:
        """Return a role."""
        return {"role": self._roles.get(role_id).to_json()}

    def list_roles(self, caller: Caller, workspace: str | None) -> dict[str, Any]:
        """Return roles."""
        return {"roles": [one.to_json() for one in self._roles.all(workspace)]}

    def update_role(
        self, caller: Caller, role_id: int, name: str | None, description: str | None
    ) -> dict[str, Any]:
        """Change name or description of a role."""
        return {"role": self._roles.update(role_id, name, description).to_json()}

    def delete_role(self, caller: Caller, role_id: int) -> dict[str, Any]:
        """Remove a role."""
        self._roles.delete(role_id)
        return {}

    def assign_role(self, caller: Caller, username: str, role_id: int) -> dict[str, Any]:
        """Give a role to a user."""
        return {"assignment": self._roles.assign(username, role_id).to_json()}

    def unassign_role(self, caller: Caller, username: str, role_id: int) -> dict[str, Any]:
        """Take a role from a user."""
        self._roles.unassign(username, role_id)
        return {}

    def list_role_users(self, caller: Caller, role_id: int) -> dict[str, Any]:
        """Return who has a role."""
        return {"assignments": [one.to_json() for one in self._roles.assignments(role_id)]}

    def add_role_permission(
        self,
        caller: Caller,
        role_id: int,
        resource_type: str,
        resource_pattern: str,
        permission: str,
    ) -> dict[str, Any]:
        """Give something to a role."""
        made = self._roles.add(role_id, resource_type, resource_pattern, permission)
        return {"role_permission": made.to_json()}

    def remove_role_permission(self, caller: Caller, role_permission_id: int) -> dict[str, Any]:
        """Take something from a role."""
        self._roles.remove(role_permission_id)
        return {}

    def list_role_permissions(self, caller: Caller, role_id: int) -> dict[str, Any]:
        """Return what a role is given."""
        found = self._roles.get(role_id).permissions
        return {"role_permissions": [one.to_json() for one in found]}

    def update_role_permission(
        self, caller: Caller, role_permission_id: int, permission: str
    ) -> dict[str, Any]:
        """Change the level of something that a role was given."""
        return {"role_permission": self._roles.change(role_permission_id, permission).to_json()}

    # --- as MLflow 2 had it ----------------------------------------------------------------------

    def _set_old(
        self, caller: Caller, kind: str, key: str, username: str, permission: str, *, is_new: bool
    ) -> dict[str, Any]:
        self._check_manages(caller, kind, key)
        get_permission(permission)
        if not is_new:
            self._roles.granted(username, kind, key)
        level = _NEW_NAME.get(permission, permission)
        self._roles.grant(username, kind, key, level, replaces=not is_new)
        return self._old(kind, key, username, level)

    def _get_old(self, caller: Caller, kind: str, key: str, username: str) -> dict[str, Any]:
        self._check_manages(caller, kind, key)
        return self._old(kind, key, username, self._roles.granted(username, kind, key))

    def _old(self, kind: str, key: str, username: str, level: str) -> dict[str, Any]:
        user_id = self._accounts.get(username).id
        named = _OLD_NAME.get(level, level)
        if kind == permissions.EXPERIMENT:
            return {"experiment_permission": ExperimentPermission(key, user_id, named).to_json()}
        made = RegisteredModelPermission(key, user_id, named)
        return {"registered_model_permission": made.to_json()}

    def create_experiment_permission(
        self, caller: Caller, experiment_id: str, username: str, permission: str
    ) -> dict[str, Any]:
        """Give a user something on an experiment."""
        kind = permissions.EXPERIMENT
        return self._set_old(caller, kind, experiment_id, username, permission, is_new=True)

    def get_experiment_permission(
        self, caller: Caller, experiment_id: str, username: str
    ) -> dict[str, Any]:
        """Return what a user is given on an experiment."""
        return self._get_old(caller, permissions.EXPERIMENT, experiment_id, username)

    def update_experiment_permission(
        self, caller: Caller, experiment_id: str, username: str, permission: str
    ) -> dict[str, Any]:
        """Change what a user is given on an experiment."""
        kind = permissions.EXPERIMENT
        self._set_old(caller, kind, experiment_id, username, permission, is_new=False)
        return {}

    def delete_experiment_permission(
        self, caller: Caller, experiment_id: str, username: str
    ) -> dict[str, Any]:
        """Take from a user what they were given on an experiment."""
        return self.revoke_user_permission(caller, username, permissions.EXPERIMENT, experiment_id)

    def create_registered_model_permission(
        self, caller: Caller, name: str, username: str, permission: str
    ) -> dict[str, Any]:
        """Give a user something on a registered model."""
        kind = permissions.REGISTERED_MODEL
        return self._set_old(caller, kind, name, username, permission, is_new=True)

    def get_registered_model_permission(
        self, caller: Caller, name: str, username: str
    ) -> dict[str, Any]:
        """Return what a user is given on a registered model."""
        return self._get_old(caller, permissions.REGISTERED_MODEL, name, username)

    def update_registered_model_permission(
        self, caller: Caller, name: str, username: str, permission: str
    ) -> dict[str, Any]:
        """Change what a user is given on a registered model."""
        self._set_old(
            caller, permissions.REGISTERED_MODEL, name, username, permission, is_new=False
        )
        return {}

    def delete_registered_model_permission(
        self, caller: Caller, name: str, username: str
    ) -> dict[str, Any]:
        """Take from a user what they were given on a registered model."""
        return self.revoke_user_permission(caller, username, permissions.REGISTERED_MODEL, name)

    # --- tokens, and what was done ---------------------------------------------------------------

    def create_token(
        self, caller: Caller, name: str, scope: str | None, days: int | None
    ) -> dict[str, Any]:
        """Make a token of one's own; this answer is the only one that holds it."""
        _check_whole(caller)
        token, kept = self._users.tokens.create(caller.user_id, name, scope or "manage", days)
        return {"token": token, "info": kept.to_json()}

    def list_tokens(self, caller: Caller) -> dict[str, Any]:
        """Return one's own tokens, without the tokens themselves."""
        found = self._users.tokens.of_user(caller.user_id)
        return {"tokens": [one.to_json() for one in found]}

    def revoke_token(self, caller: Caller, token_id: int) -> dict[str, Any]:
        """Remove a token of one's own."""
        _check_whole(caller)
        self._users.tokens.revoke(caller.user_id, token_id)
        return {}

    # --- who signs in by a provider --------------------------------------------------------------

    def list_identities(self, caller: Caller) -> dict[str, Any]:
        """Return who signs in by OpenID Connect."""
        return {"identities": [one.to_json() for one in self._users.people.all()]}

    def link_identity(
        self, caller: Caller, username: str, subject: str, issuer: str | None
    ) -> dict[str, Any]:
        """Let somebody of a provider, the configured one unless another is named, be a user."""
        openid = self._users.config.openid
        if not issuer and openid is None:
            raise invalid("This server has no OpenID Connect provider: name the issuer.")
        self._users.people.link(username, issuer or (openid.issuer if openid else ""), subject)
        return {}

    def unlink_identity(self, caller: Caller, identity_id: int) -> dict[str, Any]:
        """Forget somebody of a provider."""
        self._users.people.unlink(identity_id)
        return {}

    # --- what was done ---------------------------------------------------------------------------

    def list_audit(
        self,
        caller: Caller,
        username: str | None,
        action: str | None,
        since: int | None,
        before: int | None,
        max_results: int | None,
    ) -> dict[str, Any]:
        """Return lines of the audit log, the newest first."""
        size = 100 if max_results is None else max_results
        found = self._users.audit.read(username, action, since, before, size)
        return {"events": [one.to_json() for one in found]}


_ARGUMENTS = {permissions.EXPERIMENT: "experiment_id", permissions.REGISTERED_MODEL: "name"}


def _check_own(caller: Caller, username: str) -> None:
    """Check that somebody asks about themselves, or is an administrator."""
    if username != caller.username and not caller.is_admin:
        raise denied()


def _check_whole(caller: Caller) -> None:
    """Check that what somebody showed allows everything: a token for less makes no better one."""
    if caller.scope != "manage":
        raise denied()
