"""The local store: the rules over one backend."""

from __future__ import annotations

from mlflow.store.local.experiments import ExperimentRules
from mlflow.store.local.models import LoggedModelRules, RegistryRules
from mlflow.store.local.runs import RunRules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mlflow.store.backends.base import Backend
    from mlflow.store.base import AbstractStore


class LocalStore(ExperimentRules, RunRules, LoggedModelRules, RegistryRules):
    """Everything that is asked of a store, decided here and kept by a backend.

    Args:
        backend: where the records are kept.
        tracking: the store of the runs, when this one is only their registry.
    """

    def __init__(self, backend: Backend, tracking: AbstractStore | None = None) -> None:
        self._backend = backend
        self._tracking = tracking or self
        self._append_metric = backend.append_metric
        self._checked_keys: set[str] = set()
        self._checked_runs: set[str] = set()

    @property
    def address(self) -> str:
        """Where it keeps things, as its messages call it; empty when they do not."""
        return self._backend.address

    def __repr__(self) -> str:
        return f"LocalStore({self._backend!r})"

    def together(self) -> AbstractContextManager[None]:
        """Return a block of calls that the backend may keep together; see `Backend.together`."""
        return self._backend.together()

    def takes_ids(self) -> bool:
        """Tell that it does."""
        return True

    def close(self) -> None:
        """Give back descriptors and connections; the store may be used again afterwards."""
        self._backend.close()
