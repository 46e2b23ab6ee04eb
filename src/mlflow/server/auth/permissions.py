"""Levels of permission and the types of things they are given on: MLflow's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlflow.exceptions import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable


class Permission(NamedTuple):
    """What a level lets a user do."""

    name: str
    can_read: bool
    can_use: bool
    can_update: bool
    can_delete: bool
    can_manage: bool


READ = Permission("READ", True, False, False, False, False)
USE = Permission("USE", True, True, False, False, False)
EDIT = Permission("EDIT", True, True, True, False, False)
MANAGE = Permission("MANAGE", True, True, True, True, True)
NO_PERMISSIONS = Permission("NO_PERMISSIONS", False, False, False, False, False)
DENY = Permission("DENY", False, False, False, False, False)
ALL_PERMISSIONS = {one.name: one for one in (READ, USE, EDIT, MANAGE, NO_PERMISSIONS, DENY)}
PERMISSION_PRIORITY = {
    "DENY": -1, "NO_PERMISSIONS": 0, "READ": 1, "USE": 2, "EDIT": 3, "MANAGE": 4,
}  # fmt: skip

EXPERIMENT, RUN, LOGGED_MODEL = "experiment", "run", "logged_model"
REGISTERED_MODEL, VERSION, WORKSPACE = "registered_model", "registered_model_version", "workspace"
#: Every thing of a type.
ANY = "*"
# Types whose things are named one by one, and those that are granted as a whole.
_BY_NAME = (
    EXPERIMENT, REGISTERED_MODEL, "prompt", "scorer", "gateway_secret", "gateway_endpoint",
    "gateway_model_definition", "mcp_server",
)  # fmt: skip
_AS_A_WHOLE = (
    WORKSPACE, RUN, "trace", "assessment", LOGGED_MODEL, "review_queue", VERSION,
    "prompt_version", "scorer_version", "mcp_server_version",
)  # fmt: skip
VALID_RESOURCE_TYPES = frozenset({*_BY_NAME, *_AS_A_WHOLE})
_OF_WORKSPACES = ("MANAGE", "USE")
_OF_THINGS = ("DENY", "EDIT", "MANAGE", "READ", "USE")


def get_permission(name: str) -> Permission:
    """Return a level by its name.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for another name.
    """
    found = ALL_PERMISSIONS.get(name)
    if found is None:
        names = tuple(ALL_PERMISSIONS)
        raise invalid(f"Invalid permission '{name}'. Valid permissions are: {names}")
    return found


def check_grant(resource_type: str, pattern: str, permission: str) -> None:
    """Check what is about to be granted.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a type, a name or a level that does not exist,
            or not together.
    """
    check_type(resource_type)
    get_permission(permission)
    if resource_type == WORKSPACE and permission not in _OF_WORKSPACES:
        raise invalid(
            f"Invalid permission '{permission}' for resource_type='workspace'. Workspace-wide "
            f"grants accept only: {_OF_WORKSPACES}."
        )
    if permission not in _OF_THINGS:
        raise invalid(
            f"Invalid permission '{permission}' for resource_type='{resource_type}'. "
            f"Resource-level grants accept only: {_OF_THINGS}."
        )
    if not pattern or (pattern != ANY and resource_type in _AS_A_WHOLE):
        raise invalid(f"Grants on resource_type='{resource_type}' accept only the pattern '*'.")


def check_type(resource_type: str) -> None:
    """Check a type of things.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for one that does not exist.
    """
    if resource_type not in VALID_RESOURCE_TYPES:
        types = tuple(sorted(VALID_RESOURCE_TYPES))
        raise invalid(f"Invalid resource type '{resource_type}'. Valid resource types are: {types}")


def together(given: Iterable[str], default: str) -> str:
    """Return the level that several grants come to: DENY wins, else the highest; or the default."""
    names = [name for name in given if name in PERMISSION_PRIORITY]
    if not names:
        return default
    return "DENY" if "DENY" in names else max(names, key=PERMISSION_PRIORITY.__getitem__)
