"""What pages may offer: what their reader may do with what they show, and who may say who may."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mlflow.api import op as api
from mlflow.api.table import OPERATIONS
from mlflow.server.auth import permissions
from mlflow.server.auth.caller import Caller
from mlflow.server.auth.policy import LEVELS, asking
from mlflow.server.dispatch import check_json_type
from mlflow.server.messages import json_answer, parse_as
from mlflow.server.ui.routes import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow.api.op import Permission
    from mlflow.server.auth.users import Users
    from mlflow.server.messages import Answer, Request
    from mlflow.server.routes import Routes

_ANYBODY = api.Permission(api.READ, api.STORE)
_OF_EXPERIMENT = api.Permission(api.MANAGE, api.EXPERIMENT, "experiment_id")
_ADMIN = api.Permission(api.MANAGE, api.STORE)
_OF_MODEL = api.Permission(api.MANAGE, api.REGISTERED_MODEL, "name")
_NAMES = {level: name for name, level in permissions.PERMISSION_PRIORITY.items() if level >= 0}
_READ, _MANAGE = LEVELS[api.READ], LEVELS[api.MANAGE]
# As many names as a hint of a button holds.
_MOST_NAMES = 3


class RightsBody(msgspec.Struct):
    """What is shown."""

    experiments: list[str] = []
    models: list[str] = []


class ExperimentBody(msgspec.Struct):
    """Which experiment."""

    experiment_id: str


class ModelBody(msgspec.Struct):
    """Which registered model."""

    name: str


class ActionsBody(msgspec.Struct):
    """Nothing: there is one log."""


class _Door(NamedTuple):
    """One address: what it is sent, who may ask, what answers."""

    body: Any
    permission: Permission
    give: Callable[[Any], dict[str, Any]]


class Rights:
    """The endpoints of pages about permissions.

    Hiding a control is a comfort: what is asked of a store is checked there, whatever pages show.

    Args:
        users: the users of the server.
    """

    def __init__(self, users: Users) -> None:
        self._users = users
        self._doors = {
            "rights": _Door(RightsBody, _ANYBODY, self.rights),
            "access/experiment": _Door(ExperimentBody, _OF_EXPERIMENT, self._on_experiment),
            "access/model": _Door(ModelBody, _OF_MODEL, self._on_model),
            "audit-actions": _Door(ActionsBody, _ADMIN, self._actions),
        }

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        for name, door in self._doors.items():
            handler = partial(self._answer, door)
            routes.add("POST", PREFIX + name, handler, door.permission, name=f"ui-api/{name}")

    async def _answer(self, door: _Door, request: Request) -> Answer:
        check_json_type(request)
        asked = parse_as(await request.body(), door.body, request.path)
        given = msgspec.structs.asdict(asked) if door.permission.argument else {}
        await self._users.permits(request, door.permission, given)
        return json_answer(await self._users.work(partial(door.give, asked)))

    def rights(self, asked: RightsBody) -> dict[str, Any]:
        """Return what the caller may not do with some things, and whom they can ask for it.

        Args:
            asked: the things; those that the caller may not see are left out.

        Returns:
            `experiments` and `models`, each by id or name: `denied` has for each operation that is
            refused the level that the caller has and the one that it needs, `ask` the names of
            some who can grant it, and `manages` tells whether the caller can.
        """
        caller, policy = asking(), self._users.policy
        assert policy is not None  # noqa: S101 - `protect` comes first
        models = {
            name: {api.REGISTERED_MODEL: policy.level_of_model(caller, name)}
            for name in asked.models
        }
        experiments = {one: policy.levels_in(caller, one) for one in asked.experiments}
        return {
            "experiments": self._told(permissions.EXPERIMENT, api.EXPERIMENT, experiments),
            "models": self._told(permissions.REGISTERED_MODEL, api.REGISTERED_MODEL, models),
        }

    def _told(
        self, kind: str, own: str, things: Mapping[str, Mapping[str, int]]
    ) -> dict[str, dict[str, Any]]:
        seen = {key: levels for key, levels in things.items() if max(levels.values()) >= _READ}
        denied = {key: _denied(levels) for key, levels in seen.items()}
        lacking = [key for key, found in denied.items() if found]
        managers = self._managers(kind, lacking) if lacking else {}
        return {
            key: {
                "denied": denied[key],
                "ask": managers.get(key, []),
                "manages": levels[own] >= _MANAGE,
            }
            for key, levels in seen.items()
        }

    def _managers(self, kind: str, keys: list[str]) -> dict[str, list[str]]:
        """Return for each thing the names of some who manage it; of administrators where nobody does."""
        accounts = self._users.accounts
        gone = accounts.disabled()
        people = {one.id: one for one in accounts.all() if one.id not in gone}
        admins = [one.username for one in people.values() if one.is_admin]
        found: dict[str, list[str]] = {key: [] for key in keys}
        for given in self._users.roles.about(kind, keys):
            user = people.get(given.user_id)
            if user is None or _level_of(given.permission) < _MANAGE:
                continue
            for key in keys if given.pattern == permissions.ANY else (given.pattern,):
                if user.username not in found[key]:
                    found[key].append(user.username)
        return {key: (names or admins)[:_MOST_NAMES] for key, names in found.items()}

    # --- who may what on one thing ---------------------------------------------------------------

    def _on_experiment(self, asked: ExperimentBody) -> dict[str, Any]:
        return self.access(permissions.EXPERIMENT, asked.experiment_id)

    def _on_model(self, asked: ModelBody) -> dict[str, Any]:
        return self.access(permissions.REGISTERED_MODEL, asked.name)

    def _actions(self, _: ActionsBody) -> dict[str, Any]:
        return {"actions": self._users.audit.actions()}

    def access(self, kind: str, key: str) -> dict[str, Any]:
        """Return who may do what with one thing.

        Returns:
            `default`, the level where nothing is granted, and `people`: of each user the level that
            all grants come to, `own`, the one that was given to them on this thing, or None, and
            `through`, the other grants: their level and role (None for one of their own on all
            things).
        """
        accounts = self._users.accounts
        gone = accounts.disabled()
        given = self._users.roles.about(kind, [key])
        people = []
        for user in accounts.all():
            mine = [one for one in given if one.user_id == user.id]
            own = [one for one in mine if one.role is None and one.pattern == key]
            grants: dict[tuple[str, str], list[str]] = {}
            for one in mine:
                grants.setdefault((kind, one.pattern), []).append(one.permission)
            caller = Caller(user.id, user.username, user.is_admin, grants, accounts.default)
            people.append(
                {
                    "username": user.username,
                    "is_admin": user.is_admin,
                    "is_active": user.id not in gone,
                    "level": caller.permission((kind, key)),
                    "own": own[0].permission if own else None,
                    "through": [
                        {
                            "role_id": one.role_id,
                            "role": one.role,
                            "is_all": one.pattern == permissions.ANY,
                            "permission": one.permission,
                        }
                        for one in mine
                        if one not in own
                    ],
                }
            )
        return {"default": accounts.default, "people": people}


def _denied(levels: Mapping[str, int]) -> dict[str, list[str]]:
    """Return the operations on some kinds of things that the levels on them do not reach."""
    return {
        op.name: [_NAMES[max(levels[kind], 0)], _NAMES[needed]]
        for op in OPERATIONS
        if (kind := op.permission.kind) in levels
        and op.permission.writes
        and levels[kind] < (needed := LEVELS[op.permission.action])
    }


def _level_of(name: str) -> int:
    return permissions.PERMISSION_PRIORITY.get(name, -1)
