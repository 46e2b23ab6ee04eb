"""The providers of tags for new runs, asked in order."""

from __future__ import annotations

from mlflow import _plugins as plugins
from mlflow.tracking.context.default_context import DefaultRunContext
from mlflow.tracking.context.git_context import GitRunContext
from mlflow.tracking.context.system_environment_context import SystemEnvironmentContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlflow.tracking.context.abstract_context import RunContextProvider

GROUP = "mlflow.run_context_provider"


class RunContextProviderRegistry:
    """Providers in the order in which they are asked; a later one's tags win."""

    def __init__(self) -> None:
        self._registry: list[RunContextProvider] = []
        self._has_plugins = False

    def register(self, run_context_provider_cls: Callable[[], RunContextProvider]) -> None:
        """Add a provider, given its class."""
        self._registry.append(run_context_provider_cls())

    def register_entrypoints(self) -> None:
        """Add the providers that installed plug-ins offer, once."""
        if self._has_plugins:
            return
        self._has_plugins = True
        for name, target in plugins.entry_points(GROUP):
            try:
                self.register(plugins.load(target))
            except Exception as error:  # noqa: BLE001 - plug-ins raise anything
                _warn(name, error)

    def __iter__(self) -> Iterator[RunContextProvider]:
        return iter(self._registry)


_run_context_provider_registry = RunContextProviderRegistry()
_run_context_provider_registry.register(DefaultRunContext)
_run_context_provider_registry.register(GitRunContext)
_run_context_provider_registry.register(SystemEnvironmentContext)


def resolve_tags(
    tags: Mapping[str, str] | None = None,
    ignore: list[type[RunContextProvider]] | None = None,
) -> dict[str, str]:
    """Return the tags that a new run gets: those of all providers, then those given.

    A provider that fails is left out with a warning: no run is lost to a tag.

    Args:
        tags: tags of the caller, which win.
        ignore: provider classes to leave out.
    """
    _run_context_provider_registry.register_entrypoints()
    found: dict[str, str] = {}
    for provider in _run_context_provider_registry:
        if ignore and isinstance(provider, tuple(ignore)):
            continue
        try:
            if provider.in_context():
                found.update(provider.tags())
        except Exception as error:  # noqa: BLE001 - plug-ins raise anything
            _warn(type(provider).__name__, error)
    if tags is not None:
        found.update(tags)
    return found


def _warn(name: str, error: Exception) -> None:
    import logging

    logging.getLogger(__name__).warning("No tags from %s: %s", name, error)
