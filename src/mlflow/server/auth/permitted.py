"""A store as one caller may use it: each call is checked, and searches return what they may see.

It is made from the operations table. What is in neither that table nor the ones here cannot be
called at all.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from mlflow.api import rules as limits
from mlflow.api.op import (
    CREATE,
    EDIT,
    LOGGED_MODEL,
    MANAGE,
    READ,
    RUN,
    STORE,
    Permission,
)
from mlflow.api.table import OPERATIONS
from mlflow.entities.paged_list import PagedList
from mlflow.exceptions import MlflowException
from mlflow.server.auth import permissions
from mlflow.server.auth.caller import ASKING
from mlflow.server.auth.policy import asking
from mlflow.store.backends.base import EXPERIMENT, Missing
from mlflow.store.base import AbstractStore
from mlflow.store.local.errors import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.auth.audit import Audit
    from mlflow.server.auth.caller import Caller
    from mlflow.server.auth.policy import Policy
    from mlflow.server.auth.roles import Roles

# Methods that are no operations, and what they need.
RULES = {op.name: op.permission for op in OPERATIONS} | {
    "metric_series": Permission(READ, RUN, "run_id"),
    # A grant on all logged models is about these, one on all runs is not.
    "search_logged_models": Permission(READ, LOGGED_MODEL, "experiment_ids"),
    **{
        f"{verb}_{noun}": Permission(MANAGE, STORE)
        for verb, nouns in (
            ("list_deleted", ("experiments", "logged_models", "runs")),
            ("purge", ("experiment", "logged_model", "run")),
        )
        for noun in nouns
    },
}
# What says nothing of any thing in the store, and changes none.
OPEN = frozenset(
    {
        "address", "artifact_server", "close", "moved_artifacts", "remembers_series", "takes_ids",
        "together",
    }
)  # fmt: skip
# Further things that a call names, and what it needs on them where it does.
ALSO = {
    "create_logged_model": (Permission(READ, RUN, "source_run_id"),),
    "create_model_version": (
        Permission(READ, RUN, "run_id"),
        Permission(READ, LOGGED_MODEL, "model_id"),
    ),
}
# Lists in arguments whose members may name a logged model, and what that needs.
_MODELS_IN = {
    "log_metric": ("metric", EDIT),
    "log_batch": ("metrics", EDIT),
    "log_inputs": ("models", READ),
    "log_outputs": ("models", READ),
}
_AUDITED = frozenset({MANAGE, CREATE})
# What searches find, and how many of it when nobody says.
_TYPES = {
    "search_experiments": permissions.EXPERIMENT,
    "search_registered_models": permissions.REGISTERED_MODEL,
    "search_model_versions": permissions.REGISTERED_MODEL,
}
_USUAL = {
    "search_experiments": limits.SEARCH_MAX_RESULTS_DEFAULT,
    "search_registered_models": limits.SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT,
    "search_model_versions": limits.SEARCH_MODEL_VERSION_MAX_RESULTS_DEFAULT,
}
# Few may be seen of many: they are looked for in steps of so many.
_CHUNK = 100


class PermittedStore:
    """A store behind the rules.

    Args:
        store: the store.
        policy: the rules.
        roles: what users are granted; told when things come and go.
        audit: told what was done.
        renewed: returns a caller with what they are granted now.
    """

    def __init__(
        self,
        store: AbstractStore,
        policy: Policy,
        roles: Roles,
        audit: Audit,
        renewed: Callable[[Caller], Caller],
    ) -> None:
        self._store = store
        self._policy = policy
        self._roles = roles
        self._audit = audit
        self._renewed = renewed

    def __getattr__(self, name: str) -> Any:
        """Return a method of the store, made once."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name in OPEN:
            return getattr(self._store, name)
        rule = RULES.get(name)
        if rule is None:
            msg = f"no rule says who may call {name}"
            raise AttributeError(msg)
        made = self._method(name, rule)
        setattr(self, name, made)
        return made

    def _method(self, name: str, rule: Permission) -> Callable[..., Any]:
        method = getattr(self._store, name)
        parameters = tuple(inspect.signature(getattr(AbstractStore, name)).parameters)[1:]
        special = _SPECIAL.get(name)
        is_audited = rule.action in _AUDITED

        def call(*args: Any, **kwargs: Any) -> Any:
            arguments = {**dict(zip(parameters, args, strict=False)), **kwargs}
            caller = asking()
            try:
                try:
                    found = self._admitted(name, rule, caller, arguments)
                except MlflowException:
                    # It may have been granted a moment ago, by another process of this server.
                    caller = self._renewed(caller)
                    found = self._admitted(name, rule, caller, arguments)
                result = (
                    method(**found) if special is None else special(self, caller, method, found)
                )
            except MlflowException as error:
                if rule.writes and error.error_code == "PERMISSION_DENIED":
                    self._note(self._audit.try_to_add, name, rule, arguments, "denied")
                raise
            if is_audited:
                self._note(self._audit.add, name, rule, arguments, "done")
            return result

        return call

    def _admitted(
        self, name: str, rule: Permission, caller: Caller, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        found = self._policy.admit(caller, rule, arguments)
        for further in ALSO.get(name, ()):
            if arguments.get(further.argument or ""):
                self._policy.admit(caller, further, arguments)
        where, action = _MODELS_IN.get(name, ("", READ))
        named = arguments.get(where) or ()
        for one in named if isinstance(named, (list, tuple)) else (named,):
            model_id = getattr(one, "model_id", None)
            if model_id:
                permission = Permission(action, LOGGED_MODEL, "model_id")
                self._policy.admit(caller, permission, {"model_id": model_id})
        return found

    def _note(
        self,
        add: Callable[..., None],
        name: str,
        rule: Permission,
        arguments: dict[str, Any],
        outcome: str,
    ) -> None:
        found = ASKING.get()
        who, address = (found.caller.username, found.address) if found else ("", "")
        thing = str(arguments.get(rule.argument or "name") or "")
        kind = rule.kind
        if rule.action == CREATE:
            kind = name.removeprefix("create_").replace("_", " ")
        add(who, name, f"{kind} {thing}".strip(), outcome, address)

    # --- calls that need more than a check -------------------------------------------------------

    def _create_experiment(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        self._policy.check_location(caller, arguments.get("artifact_location") or "")
        experiment_id = method(**arguments)
        self._roles.born(permissions.EXPERIMENT, str(experiment_id), caller.user_id)
        return experiment_id

    def _create_registered_model(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        made = method(**arguments)
        self._roles.born(permissions.REGISTERED_MODEL, made.name, caller.user_id)
        return made

    def _create_model_version(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        self._policy.check_source(caller, arguments["source"])
        return method(**arguments)

    def _rename_registered_model(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        made = method(**arguments)
        self._roles.renamed(permissions.REGISTERED_MODEL, arguments["name"], made.name)
        return made

    def _delete_registered_model(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        made = method(**arguments)
        self._roles.gone(permissions.REGISTERED_MODEL, arguments["name"])
        return made

    def _purge_experiment(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        made = method(**arguments)
        self._roles.gone(permissions.EXPERIMENT, str(arguments["experiment_id"]))
        return made

    def _moves(self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Make or purge a run or a logged model whose id may have been somewhere else before."""
        kind = "run_id" if "run_id" in arguments else "model_id"
        if arguments.get(kind):
            self._policy.forget("run" if kind == "run_id" else "logged model", arguments[kind])
        return method(**arguments)

    def _get_experiment_by_name(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        found = method(**arguments)
        if found is None or not self._policy.sees_experiment(caller, found.experiment_id):
            return None
        return found

    def _get_experiment(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        found = method(**arguments)
        if not self._policy.sees_experiment(caller, found.experiment_id):
            raise told(Missing(EXPERIMENT, arguments["experiment_id"]))
        return found

    def _search_some(
        self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        return method(**arguments) if arguments["experiment_ids"] else PagedList([], None)

    def _search(self, caller: Caller, method: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Search until a page is full of what the caller may see, and there is more of it."""
        wanted = arguments.get("max_results")
        if wanted is None:
            wanted = _USUAL[method.__name__]
        # What cannot be right is the store's to refuse.
        if caller.sees_all(_TYPES[method.__name__]) or not isinstance(wanted, int) or wanted < 1:
            return method(**arguments)
        found: list[Any] = []
        start, end = arguments.get("page_token"), (None, 0)
        while True:
            ask = {**arguments, "max_results": max(wanted, _CHUNK), "page_token": start}
            page = method(**ask)
            for place, one in enumerate(page, 1):
                if not self._sees(caller, one):
                    continue
                if len(found) == wanted:
                    # A token tells where its page ended: at something that was seen.
                    last = {**ask, "page_token": end[0], "max_results": end[1]}
                    return PagedList(found, method(**last).token)
                found.append(one)
                end = (start, place)
            if not page.token:
                return PagedList(found, None)
            start = page.token

    def _sees(self, caller: Caller, one: Any) -> bool:
        if hasattr(one, "experiment_id"):
            return self._policy.sees_experiment(caller, one.experiment_id)
        return self._policy.sees_model(caller, one.name)


_SPECIAL: dict[str, Callable[..., Any]] = {
    "create_experiment": PermittedStore._create_experiment,
    "create_logged_model": PermittedStore._moves,
    "create_model_version": PermittedStore._create_model_version,
    "create_registered_model": PermittedStore._create_registered_model,
    "create_run": PermittedStore._moves,
    "delete_registered_model": PermittedStore._delete_registered_model,
    "get_experiment": PermittedStore._get_experiment,
    "get_experiment_by_name": PermittedStore._get_experiment_by_name,
    "purge_experiment": PermittedStore._purge_experiment,
    "purge_logged_model": PermittedStore._moves,
    "purge_run": PermittedStore._moves,
    "rename_registered_model": PermittedStore._rename_registered_model,
    "search_experiments": PermittedStore._search,
    "search_logged_models": PermittedStore._search_some,
    "search_model_versions": PermittedStore._search,
    "search_registered_models": PermittedStore._search,
    "search_runs": PermittedStore._search_some,
}
