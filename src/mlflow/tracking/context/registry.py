"""The providers of tags for new runs, asked in order."""

from __future__ import annotations

from mlflow import _plugins as plugins
from mlflow.tracking.context.default_context import DefaultRunContext
from mlflow.tracking.context.git_context import GitRunContext
from mlflow.tracking.context.system_environment_context import SystemEnvironmentContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow.tracking.context.abstract_context import RunContextProvider

GROUP = "mlflow.run_context_provider"


class RunContextProviderRegistry(plugins.Registry):
    """Providers in the order in which they are asked; a later one's tags win."""

    group = GROUP

    def register(self, run_context_provider_cls: Callable[[], RunContextProvider]) -> None:
        """Add a provider, given its class."""
        self.add(run_context_provider_cls)

    def warn(self, name: str, error: Exception) -> None:
        """Say that a provider is passed over."""
        import logging

        logging.getLogger(__name__).warning("No tags from %s: %s", name, error)


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
            _run_context_provider_registry.warn(type(provider).__name__, error)
    if tags is not None:
        found.update(tags)
    return found
