"""From a URI to its store: entry points, then a table of schemes; one store a place and process."""

from __future__ import annotations

import os
from _thread import allocate_lock
from importlib import import_module

from mlflow import _plugins
from mlflow.environment_variables import MLFLOW_TRACKING_FAILOVER
from mlflow.exceptions import (
    INVALID_PARAMETER_VALUE,
    NOT_IMPLEMENTED,
    MlflowException,
    invalid,
    without_password,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from mlflow.store.backends.base import Backend
    from mlflow.store.base import AbstractStore

STORE = "mlflow.store.local:LocalStore"
# Scheme: the backend that is made from what the URI names.
BACKENDS = {
    "file": "mlflow.store.backends.file:FileBackend",
    "memory": "mlflow.store.backends.memory:MemoryBackend",
    # Databases that are not supported too: what refuses them knows which are.
    **dict.fromkeys(
        ("sqlite", "postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle"),
        "mlflow.store.backends.sql:SqlBackend",
    ),
}
# Scheme: the store itself, elsewhere; it is made from the URI.
STORES = {
    "http": "mlflow.store.rest:RestStore",
    "https": "mlflow.store.rest:RestStore",
}
# Scheme: what it will be. Programs learn that they are early, not that they are wrong.
LATER = {
    "databricks": "Databricks",
    "databricks-uc": "Databricks",
    "uc": "Databricks",
}
# What stands alone and is no folder.
WORDS = ("databricks", "databricks-uc")
TRACKING_PLUGINS = "mlflow.tracking_store"
REGISTRY_PLUGINS = "mlflow.model_registry_store"
DEFAULT_FOLDER = "./mlruns"

_stores: dict[tuple[str, ...], AbstractStore] = {}
_lock = allocate_lock()


def _renew_lock() -> None:
    # The thread that held it does not exist in a forked child.
    global _lock
    _lock = allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def tracking(uri: str, artifact_root: str | None = None) -> AbstractStore:
    """Return the store of runs at a URI.

    Args:
        uri: a folder, `file:…`, `memory:…`, a database such as `sqlite:///mlflow.db`, or a server,
            `http(s)://…`; installed plug-ins offer other schemes, and may replace these, as in
            MLflow. An empty one is `./mlruns`.
        artifact_root: the URI below which experiments made from now on keep their artifacts; the
            store's own choice when None. A store that is open already keeps what it was opened
            with.

    Returns:
        The store; the same object for the same place, from any thread.

    Raises:
        MlflowException: NOT_IMPLEMENTED for what this version does not offer yet;
            INVALID_PARAMETER_VALUE for what nobody offers.
    """
    key = _place(uri)
    found = _stores.get(key)
    if found is not None:
        return found
    plugin = _from_plugin(TRACKING_PLUGINS, uri, {"artifact_uri": artifact_root})
    made = plugin or _make(key, uri, artifact_root) or _refuse(TRACKING_PLUGINS, uri)
    return _keep(key, made)


def registry(uri: str, tracking_uri: str | None = None) -> AbstractStore:
    """Return the store of registered models at a URI.

    Args:
        uri: as in `tracking`.
        tracking_uri: where the runs and logged models are, when they are elsewhere: sources such
            as `models:/m-…` are looked up there.

    Returns:
        The store; where runs are kept in the same place, the one of `tracking`.

    Raises:
        MlflowException: as `tracking`.
    """
    place = _place(uri)
    runs = _place(tracking_uri) if tracking_uri else place
    key = place if runs == place else (*place, *runs)
    # A plug-in's registry is not its tracking store, though they share a URI.
    plugged = (REGISTRY_PLUGINS, *key)
    found = _stores.get(plugged)
    if found is not None:
        return found
    plugin = _from_plugin(REGISTRY_PLUGINS, uri, {"tracking_uri": tracking_uri or uri})
    if plugin is not None:
        return _keep(plugged, plugin)
    found = _stores.get(key)
    if found is not None:
        return found
    if key == place:
        made = _make(place, uri)
    else:
        kept = tracking(uri) if place[0] in BACKENDS else None
        backend = getattr(kept, "_backend", None)
        elsewhere = tracking(tracking_uri or uri)
        made = _resolve(STORE)(backend, elsewhere) if backend is not None else _make(place, uri)
    return _keep(key, made or _refuse(REGISTRY_PLUGINS, uri))


def uri_of(store: AbstractStore) -> str | None:
    """Return where a store of `tracking` is; None when that is not known."""
    for key, one in _stores.items():
        if one is store:
            return key[1] if len(key) == 2 else None
    return None


def forget() -> None:
    """Close all stores and start over; for tests and for programs that move a store away."""
    with _lock:
        stores = list(_stores.values())
        _stores.clear()
    for store in stores:
        close = getattr(store, "close", None)  # a plug-in's may have none
        if close is not None:
            close()


def scheme_of(uri: str) -> str:
    r"""Return the scheme of a URI without its driver; plain paths (`C:\x` too) are `file`."""
    scheme, colon, _ = uri.partition(":")
    if scheme in WORDS and not colon:
        return scheme
    if not colon or len(scheme) < 2 or not scheme[:1].isalpha():
        return "file"
    name = scheme.lower()
    if not all(one.isalnum() or one in "+-." for one in name):
        return "file"
    return name.partition("+")[0]


def path_of(uri: str) -> str:
    """Return the absolute path of a plain path or `file:` URI.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when the URI names another machine, or has a part
            that no path has.
    """
    if not uri.lower().startswith("file:"):
        return os.path.abspath(uri or DEFAULT_FOLDER)
    path = uri[len("file:") :]
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        if host not in ("", "localhost"):
            raise invalid(
                f"Invalid URI '{uri}': it names the machine '{host}'. Write file:///{rest} for an "
                "absolute path, or a plain path."
            )
        path = slash + rest
    if "#" in path or "?" in path:
        raise invalid(f"Invalid URI '{uri}': write '#' as %23 and '?' as %3F.")
    if "%" in path:
        from urllib.parse import unquote

        path = unquote(path)
    if "\0" in path:
        raise invalid(f"Invalid URI {uri!r}: it contains a NUL character.")
    if os.name == "nt" and path[:1] == "/" and path[2:3] == ":":
        path = path[1:]
    return os.path.abspath(path or DEFAULT_FOLDER)


def file_of(uri: str) -> str | None:
    """Return the file or folder that a store's records are in; None when they are elsewhere."""
    scheme = scheme_of(uri)
    if scheme == "file":
        return path_of(uri)
    _, separator, path = uri.partition(":///")
    if scheme != "sqlite" or not separator or path.startswith((":memory:", "file:")):
        return None
    return os.path.abspath(path.partition("?")[0])


def _place(uri: str) -> tuple[str, ...]:
    scheme = scheme_of(uri)
    if scheme == "sqlite":
        return (scheme, _anchored(uri))
    return (scheme, path_of(uri) if scheme == "file" else uri)


def _anchored(uri: str) -> str:
    """Return the URI of a SQLite file with an absolute path: the working folder may change."""
    start, slashes, path = uri.partition(":///")
    if not slashes or not path or path.startswith((":memory:", "file:")):
        return uri
    path, mark, options = path.partition("?")
    return f"{start}{slashes}{os.path.abspath(path)}{mark}{options}"


def _make(
    place: tuple[str, ...], uri: str, artifact_root: str | None = None
) -> AbstractStore | None:
    scheme = place[0]
    target = BACKENDS.get(scheme)
    if target is not None:
        options = {} if artifact_root is None else {"artifact_root": artifact_root}
        backend: Backend = _resolve(target)(place[1], **options)
        store: AbstractStore = _resolve(STORE)(backend)
        return store
    if scheme in STORES:
        target = STORES[scheme]
        if MLFLOW_TRACKING_FAILOVER.get():
            target = _failover(MLFLOW_TRACKING_FAILOVER.get())
        elsewhere: AbstractStore = _resolve(target)(uri)
        return elsewhere
    if scheme in LATER:
        message = (
            f"The store '{without_password(uri)}' cannot be used: {LATER[scheme]} are not in this "
            "version. Use a folder, such as ./mlruns, or a database, such as sqlite:///mlflow.db."
        )
        raise MlflowException(message, NOT_IMPLEMENTED)
    return None


def _failover(chosen: str) -> str:
    if chosen != "journal":
        raise invalid(f"MLFLOW_TRACKING_FAILOVER is {chosen!r}; it is 'journal', or not set.")
    return "mlflow.store.failover:FailoverStore"


def _resolve(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def _from_plugin(group: str, uri: str, options: dict[str, Any]) -> AbstractStore | None:
    """Return the store that an installed plug-in offers for the scheme of a URI, if one does."""
    full = uri.partition(":")[0].lower()
    build = _plugins.offered(group, full, scheme_of(uri))
    if build is None:
        return None
    # Not every builder takes all that it may be told.
    store: AbstractStore = build(store_uri=uri, **_taken(build, options))
    return store


def _taken(build: Any, options: dict[str, Any]) -> dict[str, Any]:
    from inspect import Parameter, signature

    try:
        known = signature(build).parameters
    except (TypeError, ValueError):
        return options
    if any(one.kind == Parameter.VAR_KEYWORD for one in known.values()):
        return options
    return {name: value for name, value in options.items() if name in known}


def _refuse(group: str, uri: str) -> NoReturn:
    known = ", ".join(sorted(BACKENDS))
    message = (
        f"No store for URI '{without_password(uri)}': its scheme '{scheme_of(uri)}' is none of {known}, "
        f"and no installed plug-in offers it (entry points '{group}')."
    )
    raise MlflowException(message, INVALID_PARAMETER_VALUE)


def _keep(key: tuple[str, ...], made: AbstractStore) -> AbstractStore:
    # Two threads may have made one each; the first stays, the other holds nothing yet.
    with _lock:
        return _stores.setdefault(key, made)
