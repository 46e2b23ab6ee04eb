"""Where the calling code works: the tracking and registry URIs, their stores, the active runs."""

from __future__ import annotations

import os
import sys
from _thread import _local
from contextvars import ContextVar

from mlflow.environment_variables import (
    MLFLOW_ACTIVE_MODEL_ID,
    MLFLOW_REGISTRY_URI,
    MLFLOW_TRACKING_DIR,
    MLFLOW_TRACKING_URI,
)
from mlflow.store import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from mlflow.store.base import AbstractStore

_tracking_uri: str | None = None
_registry_uri: str | None = None

# --------------------------------------------------------------------------------------- URIs

_PLAIN_IN_PATHS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.~")


def path_to_uri(path: str | os.PathLike[str]) -> str:
    """Return the `file://` URI of a path, made absolute first."""
    full = os.path.abspath(path)
    if os.name != "nt" and _PLAIN_IN_PATHS.issuperset(full):
        return "file://" + full
    from pathlib import Path

    return Path(full).as_uri()


def set_tracking_uri(uri: str | os.PathLike[str] | None) -> None:
    """Say where runs are kept from now on, for this process and the processes it starts.

    Runs that are active go on in the store they were started in.

    Args:
        uri: a folder, `file:…`, `sqlite:///…`, `http(s)://…` and so on; a path object becomes a
            `file://` URI. None (or an empty string) goes back to the default.
    """
    global _tracking_uri
    if not uri:
        _tracking_uri = None
        MLFLOW_TRACKING_URI.unset()
        return
    text = uri if isinstance(uri, str) else path_to_uri(uri)
    _tracking_uri = text
    if MLFLOW_TRACKING_URI.get_raw() != text:
        MLFLOW_TRACKING_URI.set(text)


def get_tracking_uri() -> str:
    """Return where runs are kept.

    This is what `set_tracking_uri` said, else the variable `MLFLOW_TRACKING_URI`, else
    `./mlruns` as an absolute `file://` URI. (Where there is a `./mlflow.db` and no `./mlruns`, it
    is that database.)
    """
    return _tracking_uri or MLFLOW_TRACKING_URI.get_raw() or default_uri()


def is_tracking_uri_set() -> bool:
    """Tell whether the program or the environment says where runs are kept."""
    return bool(_tracking_uri or MLFLOW_TRACKING_URI.get_raw())


def set_registry_uri(uri: str | os.PathLike[str] | None) -> None:
    """Say where registered models are kept; None goes back to where runs are kept."""
    global _registry_uri
    _registry_uri = None if not uri else uri if isinstance(uri, str) else path_to_uri(uri)


def get_registry_uri() -> str:
    """Return where registered models are kept: by default where runs are."""
    return _registry_uri or MLFLOW_REGISTRY_URI.get_raw() or get_tracking_uri()


def is_registry_uri_set() -> bool:
    """Tell whether the program or the environment says where registered models are kept."""
    return bool(_registry_uri or MLFLOW_REGISTRY_URI.get_raw())


def resolve_tracking_uri(tracking_uri: str | os.PathLike[str] | None = None) -> str:
    """Return the given URI, or the current one where none is given."""
    if not tracking_uri:
        return get_tracking_uri()
    return tracking_uri if isinstance(tracking_uri, str) else path_to_uri(tracking_uri)


def default_uri() -> str:
    """Return where runs are kept when neither the program nor the environment says."""
    folder = MLFLOW_TRACKING_DIR.get_raw()
    if folder:
        return path_to_uri(folder)
    here = os.getcwd()
    root, database = os.path.join(here, "mlruns"), os.path.join(here, "mlflow.db")
    if not os.path.isdir(root) and os.path.isfile(database):
        return "sqlite:///" + database
    return path_to_uri(root)


# -------------------------------------------------------------------------------------- stores


def tracking_store(tracking_uri: str | None = None) -> AbstractStore:
    """Return the store of a URI, or of the current one; the same object for the same place."""
    return locate.tracking(tracking_uri or get_tracking_uri())


def registry_store(
    registry_uri: str | None = None, tracking_uri: str | None = None
) -> AbstractStore:
    """Return the store that keeps registered models of the runs at a tracking URI."""
    uri = registry_uri or get_registry_uri()
    return locate.registry(uri, tracking_uri or (uri if registry_uri else get_tracking_uri()))


# The name by which integrations know it.
_get_store = tracking_store


# ----------------------------------------------------------------------------- the active runs

# Each thread starts without runs; an asyncio task starts with those of the code that made it, and
# what it starts is its own. The tuples are never changed, so sharing them is harmless.
_runs: ContextVar[tuple[Any, ...] | None] = ContextVar("mlflow_active_runs", default=None)

# Cells of a notebook may each run in a task of their own, whose context is thrown away; a run
# started in one cell must be there in the next. So in a notebook kernel the thread keeps the runs,
# and contexts count only in tasks that the user's code made.
_of_thread = _local()


def active_runs() -> tuple[Any, ...]:
    """Return the active runs of the calling code, outermost first."""
    runs = _runs.get()
    if not in_kernel():
        return runs or ()
    if runs is not None and _in_users_task():
        return runs
    return getattr(_of_thread, "runs", ())


def set_active_runs(runs: Iterable[Any]) -> None:
    """Replace the active runs of the calling code."""
    runs = tuple(runs)
    if in_kernel() and not _in_users_task():
        _of_thread.runs = runs
    else:
        _runs.set(runs)


def in_kernel() -> bool:
    """Tell whether the code runs in the kernel of a notebook."""
    # Programs that drive notebooks import the package, too; in them it has no application.
    kernel = getattr(sys.modules.get("ipykernel.kernelapp"), "IPKernelApp", None)
    return kernel is not None and kernel.initialized()


def _in_users_task() -> bool:
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio else None
    except RuntimeError:
        return False
    code = getattr(task.get_coro(), "cr_code", None) if task else None
    if code is None:
        return False
    parts = code.co_filename.replace("\\", "/").split("/")
    return not {"ipykernel", "IPython", "tornado"}.intersection(parts)


class RunStack:
    """The active runs as a list that integrations change in place.

    Reading and writing go to the runs of the calling thread or task.
    """

    def get(self) -> list[Any]:
        """Return the runs, outermost first, as a new list."""
        return list(active_runs())

    copy = get

    def set(self, value: Iterable[Any]) -> None:
        """Replace the runs."""
        set_active_runs(value)

    def append(self, run: Any) -> None:
        """Make a run the innermost one."""
        set_active_runs((*active_runs(), run))

    def extend(self, runs: Iterable[Any]) -> None:
        """Make runs the innermost ones."""
        set_active_runs((*active_runs(), *runs))

    def pop(self, index: int = -1) -> Any:
        """Take a run off and return it, without ending it."""
        runs = self.get()
        run = runs.pop(index)
        set_active_runs(runs)
        return run

    def remove(self, run: Any) -> None:
        """Take the run off, without ending it."""
        runs = self.get()
        runs.remove(run)
        set_active_runs(runs)

    def clear(self) -> None:
        """Take all runs off, without ending them."""
        set_active_runs(())

    reset = clear

    def __len__(self) -> int:
        return len(active_runs())

    def __iter__(self) -> Iterator[Any]:
        return iter(active_runs())

    def __getitem__(self, index: int | slice) -> Any:
        return self.get()[index]

    def __contains__(self, run: object) -> bool:
        return run in active_runs()

    def __repr__(self) -> str:
        return repr(self.get())


# ------------------------------------------------------------------------------ logged models

# The model that metrics describe, unless they say otherwise; each thread and task has its own, and
# begins with the one that the environment named when the program started.
_model_id: ContextVar[str | None] = ContextVar(
    "mlflow_active_model", default=MLFLOW_ACTIVE_MODEL_ID.get_raw() or None
)

# What runs of this process produced: run → step → the first model.
_produced: dict[str, dict[int, str]] = {}

#: False until a model is active or was produced: the hot path then has nothing to look up.
models_in_use = _model_id.get() is not None


def active_model_id() -> str | None:
    """Return the logged model that new metrics describe, or None."""
    return _model_id.get()


def set_active_model_id(model_id: str | None) -> None:
    """Say which logged model new metrics describe."""
    global models_in_use
    models_in_use = models_in_use or model_id is not None
    _model_id.set(model_id)


def note_produced(run_id: str, model_id: str, step: int) -> None:
    """Remember that a run produced a model at a step: its metrics of that step describe it."""
    global models_in_use
    models_in_use = True
    _produced.setdefault(run_id, {}).setdefault(step, model_id)


def produced_at(run_id: str, step: int) -> str | None:
    """Return the model that a run of this process produced at a step, the first of several."""
    return _produced.get(run_id, {}).get(step)
