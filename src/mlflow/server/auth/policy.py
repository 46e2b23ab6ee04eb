"""What a caller may do: one rule for each kind of thing, and what is said to who may not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mlflow.api import op as api
from mlflow.exceptions import (
    PERMISSION_DENIED,
    UNAUTHENTICATED,
    MlflowException,
    not_found,
)
from mlflow.server.auth import permissions
from mlflow.server.auth.caller import ASKING
from mlflow.server.direct import ARTIFACT
from mlflow.store.artifact.uris import PROXY_SCHEME, scheme_of
from mlflow.store.backends.base import EXPERIMENT, LOGGED_MODEL, REGISTERED_MODEL, RUN, Missing
from mlflow.store.local.errors import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow.api.op import Permission
    from mlflow.server.auth.caller import Caller
    from mlflow.server.roots import ArtifactRoots
    from mlflow.store.base import AbstractStore

    Check = Callable[[Caller, str, Any], Any]

_READ = permissions.PERMISSION_PRIORITY["READ"]
# What an action needs. What makes something new is asked of the place where it is made.
LEVELS = {
    api.READ: _READ,
    api.EDIT: permissions.PERMISSION_PRIORITY["EDIT"],
    api.MANAGE: permissions.PERMISSION_PRIORITY["MANAGE"],
    api.CREATE: permissions.PERMISSION_PRIORITY["EDIT"],
}
# What is on the server itself, whichever places of others it reaches.
_HERE = ("", "file", PROXY_SCHEME)
_ALL = 3
_PAGE = 1000
_MOST_REMEMBERED = 50_000


def asking() -> Caller:
    """Return who asks, in the request that this thread works for.

    Raises:
        MlflowException: UNAUTHENTICATED: nobody does. Nothing is answered without a caller.
    """
    found = ASKING.get()
    if found is None:
        raise MlflowException("You are not authenticated.", UNAUTHENTICATED)
    return found.caller


def denied() -> MlflowException:
    """Return the error for somebody who may know of a thing, and not do this with it."""
    return MlflowException("Permission denied", PERMISSION_DENIED)


class Policy:
    """The rules, over the stores that know what belongs to what.

    A thing that a caller may not read is answered like one that does not exist.

    Args:
        store: knows experiments, runs and logged models.
        registry: knows registered models.
        roots: the places of artifacts that the server itself reaches.
    """

    def __init__(
        self,
        store: AbstractStore,
        registry: AbstractStore,
        roots: ArtifactRoots | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._roots = roots
        # Runs and logged models stay in their experiment as long as they are.
        self._homes: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()
        # What is not in here is refused.
        self._checks: dict[tuple[str, str | None], Check] = {
            (api.EXPERIMENT, "experiment_id"): self._experiment,
            (api.EXPERIMENT, "experiment_ids"): self._experiments,
            (api.EXPERIMENT, "experiment_name"): self._nothing_yet,
            (api.RUN, "run_id"): self._run,
            (api.RUN, "source_run_id"): self._run,
            (api.RUN, "run_ids"): self._nothing_yet,
            (api.LOGGED_MODEL, "model_id"): self._logged_model,
            (api.LOGGED_MODEL, "experiment_ids"): self._experiments_of_models,
            (api.REGISTERED_MODEL, "name"): self._registered_model,
            (api.STORE, None): self._whole,
            (ARTIFACT, "path"): self._path,
        }

    def admit(
        self, caller: Caller, permission: Permission, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments of what a caller asks, lists narrowed to what they may see.

        Args:
            caller: who asks.
            permission: what they need.
            arguments: those of the call.

        Raises:
            MlflowException: PERMISSION_DENIED; RESOURCE_DOES_NOT_EXIST for what they may not see.
        """
        kind, argument = permission.kind, permission.argument
        check = self._checks.get((kind, argument))
        if check is None or permission.action not in LEVELS:
            raise denied()
        if argument is None:
            check(caller, permission.action, None)
            return dict(arguments)
        value = check(caller, permission.action, arguments.get(argument))
        return {**arguments, argument: value}

    # --- one rule for each kind ------------------------------------------------------------------

    def _whole(self, caller: Caller, action: str, _: None) -> None:
        """What names no thing: searches are for all, and filtered; maintenance is not."""
        if action == api.MANAGE and not caller.is_admin:
            raise denied()
        if action in (api.EDIT, api.CREATE) and not caller.may_write:
            raise denied()

    def _nothing_yet(self, caller: Caller, action: str, value: Any) -> Any:
        """What the call itself finds is looked at then; only reading is asked in this way."""
        if action != api.READ:
            raise denied()
        return value

    def _experiment(self, caller: Caller, action: str, experiment_id: Any) -> Any:
        key = str(experiment_id)
        if not _is_plain(key):
            raise told(Missing(EXPERIMENT, key))
        return _passed(self._level_of_experiment(caller, key), action, experiment_id, EXPERIMENT)

    def _experiments(self, caller: Caller, action: str, ids: Any) -> list[str]:
        if action != api.READ:
            raise denied()
        return [key for key in map(str, ids or ()) if self.sees_runs_of(caller, key)]

    def _experiments_of_models(self, caller: Caller, action: str, ids: Any) -> list[str]:
        if action != api.READ:
            raise denied()
        return [key for key in map(str, ids or ()) if self._sees_logged_models_of(caller, key)]

    def _run(self, caller: Caller, action: str, run_id: Any) -> Any:
        home = self._home(RUN, run_id)
        return _passed(self._level_of_runs(caller, home), action, run_id, RUN)

    def _logged_model(self, caller: Caller, action: str, model_id: Any) -> Any:
        home = self._home(LOGGED_MODEL, model_id)
        level = self._level_of_logged_models(caller, home)
        return _passed(level, action, model_id, LOGGED_MODEL)

    def _registered_model(self, caller: Caller, action: str, name: Any) -> Any:
        # Some databases find a name in another spelling, too: permissions are about the one there.
        found = self._registry.get_registered_model(name).name
        return _passed(self.level_of_model(caller, found), action, name, REGISTERED_MODEL)

    def _path(self, caller: Caller, action: str, path: str) -> str:
        if caller.is_admin:
            return path
        home = self._home_of_path(path)
        level = -1 if home is None else self._level_of_runs(caller, home)
        if level < _READ:
            raise not_found(f"There are no artifacts at '{path}' that you may see.")
        return str(_passed(level, action, path, ARTIFACT))

    # --- what a caller sees ----------------------------------------------------------------------

    def sees_experiment(self, caller: Caller, experiment_id: str) -> bool:
        """Tell whether a caller may read an experiment."""
        return self._level_of_experiment(caller, experiment_id) >= _READ

    def sees_runs_of(self, caller: Caller, experiment_id: str) -> bool:
        """Tell whether a caller may read the runs of an experiment."""
        return _is_plain(experiment_id) and self._level_of_runs(caller, experiment_id) >= _READ

    def _sees_logged_models_of(self, caller: Caller, experiment_id: str) -> bool:
        return (
            _is_plain(experiment_id)
            and self._level_of_logged_models(caller, experiment_id) >= _READ
        )

    def sees_model(self, caller: Caller, name: str) -> bool:
        """Tell whether a caller may read a registered model."""
        return self.level_of_model(caller, name) >= _READ

    def level_of_model(self, caller: Caller, name: str) -> int:
        """Return what a caller may do with a registered model."""
        return caller.level((permissions.REGISTERED_MODEL, name))

    def levels_in(self, caller: Caller, experiment_id: str) -> dict[str, int]:
        """Return what a caller may do with an experiment and what belongs to it, by kind of thing."""
        return {
            api.EXPERIMENT: self._level_of_experiment(caller, experiment_id),
            api.RUN: self._level_of_runs(caller, experiment_id),
            api.LOGGED_MODEL: self._level_of_logged_models(caller, experiment_id),
        }

    @staticmethod
    def _level_of_experiment(caller: Caller, experiment_id: str) -> int:
        return caller.level((permissions.EXPERIMENT, experiment_id))

    @staticmethod
    def _level_of_runs(caller: Caller, experiment_id: str) -> int:
        things = ((permissions.EXPERIMENT, experiment_id), (permissions.RUN, permissions.ANY))
        return caller.level(*things)

    @staticmethod
    def _level_of_logged_models(caller: Caller, experiment_id: str) -> int:
        things = (
            (permissions.EXPERIMENT, experiment_id),
            (permissions.LOGGED_MODEL, permissions.ANY),
        )
        return caller.level(*things)

    # --- what belongs to what --------------------------------------------------------------------

    def forget(self, kind: str, key: str) -> None:
        """Forget where a run or a logged model was: it is gone, or somebody is making it."""
        with self._lock:
            self._homes.pop((kind, key), None)

    def _home(self, kind: str, key: Any) -> str:
        """Return the experiment of a run or a logged model.

        Raises:
            MlflowException: as the store, for what does not exist.
        """
        found = self._homes.get((kind, key))
        if found is not None:
            return found
        if kind == RUN:
            found = str(self._store.get_run(key).info.experiment_id)
        else:
            found = str(self._store.get_logged_model(key, allow_deleted=True).experiment_id)
        with self._lock:
            if len(self._homes) >= _MOST_REMEMBERED:
                self._homes.pop(next(iter(self._homes)))
            self._homes[kind, key] = found
        return found

    def _home_of_path(self, path: str) -> str | None:
        """Return the experiment whose artifacts are kept at a path of the proxy."""
        first = path.partition("/")[0]
        if not first:
            return None
        if _is_plain(first):
            try:
                location = self._store.get_experiment(first).artifact_location
            except MlflowException:
                location = ""
            if _proxied(location) == first:
                return first
        return self._home_below(path, _proxied)

    def _home_below(self, place: str, place_of: Callable[[str | None], str]) -> str | None:
        """Return the experiment whose artifacts are closest around a place; None for no such one."""
        best: tuple[int, str] | None = None
        token = None
        while True:
            page = self._store.search_experiments(_ALL, _PAGE, page_token=token)
            for one in page:
                around = place_of(one.artifact_location)
                if around and f"{place}/".startswith(f"{around}/"):
                    best = max(best or (0, ""), (len(around), one.experiment_id))
            token = page.token
            if not token:
                return None if best is None else best[1]

    def check_location(self, caller: Caller, uri: str) -> None:
        """Check where somebody wants an experiment to keep its artifacts.

        Raises:
            MlflowException: PERMISSION_DENIED: the server itself would read and write there, and
                others may have their artifacts there.
        """
        if uri and not caller.is_admin and (scheme_of(uri) in _HERE or self._reaches(uri)):
            raise MlflowException(
                "Only administrators choose where on this server artifacts are kept: leave "
                "artifact_location out.",
                PERMISSION_DENIED,
            )

    def check_source(self, caller: Caller, uri: str) -> None:
        """Check what somebody wants to be the files of a model version.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: files that they may not read themselves.
        """
        if caller.is_admin:
            return
        if scheme_of(uri) == PROXY_SCHEME:
            self._path(caller, api.READ, _proxied(uri))
        # Local paths have to be inside of a run or logged model, which is asked for by itself.
        elif scheme_of(uri) not in _HERE and self._reaches(uri):
            home = self._home_below(uri, _plain)
            if home is None or self._level_of_runs(caller, home) < _READ:
                raise not_found(f"There are no artifacts at '{uri}' that you may see.")

    def _reaches(self, uri: str) -> bool:
        return self._roots is not None and self._roots.reaches(uri)


def _passed(level: int, action: str, value: Any, kind: str) -> Any:
    """Return the value of an argument, if the level is high enough for the action."""
    if level >= LEVELS[action]:
        return value
    raise denied() if level >= _READ else told(Missing(kind, value))


def _is_plain(key: str) -> bool:
    """Tell whether a store cannot take an experiment's id for another one's: `01` is no `1`."""
    try:
        return str(int(key)) == key
    except ValueError:
        return True


def _plain(uri: str | None) -> str:
    return (uri or "").rstrip("/")


def _proxied(uri: str | None) -> str:
    """Return the path of a URI below what the proxy keeps; an empty one for other URIs."""
    if not uri or scheme_of(uri) != PROXY_SCHEME:
        return ""
    return uri[len(PROXY_SCHEME) + 1 :].strip("/")
