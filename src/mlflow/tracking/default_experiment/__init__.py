"""Where new runs go when nothing says so: providers, which plug-ins offer, then experiment 0."""

from __future__ import annotations

from mlflow import _plugins as plugins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "mlflow.default_experiment_provider"
DEFAULT_EXPERIMENT_ID = "0"


class DefaultExperimentProvider:
    """Tells which experiment new runs of a program belong to; plug-ins subclass it.

    They are found by the entry-point group `mlflow.default_experiment_provider`.
    """

    def in_context(self) -> bool:
        """Tell whether this provider has something to say here."""
        raise NotImplementedError

    def get_experiment_id(self) -> str:
        """Return the id of the experiment."""
        raise NotImplementedError


class DefaultExperimentProviderRegistry(plugins.Registry):
    """Providers in the order in which they are asked; the first that answers is believed."""

    group = GROUP

    def register(
        self, default_experiment_provider_cls: Callable[[], DefaultExperimentProvider]
    ) -> None:
        """Add a provider, given its class."""
        self.add(default_experiment_provider_cls)

    def warn(self, name: str, error: Exception) -> None:
        """Say that a provider is passed over."""
        import logging

        logging.getLogger(__name__).warning("No default experiment from %s: %s", name, error)


_default_experiment_provider_registry = DefaultExperimentProviderRegistry()


def get_experiment_id() -> str:
    """Return the experiment of the first provider that knows one, `0` where none does.

    A provider that fails is passed over with a warning: no run is lost to it.
    """
    _default_experiment_provider_registry.register_entrypoints()
    for provider in _default_experiment_provider_registry:
        try:
            if provider.in_context():
                found = provider.get_experiment_id()
                if found is not None:
                    return str(found)
        except Exception as error:  # noqa: BLE001 - plug-ins raise anything
            _default_experiment_provider_registry.warn(type(provider).__name__, error)
    return DEFAULT_EXPERIMENT_ID
