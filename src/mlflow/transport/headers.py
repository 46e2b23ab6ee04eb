"""Providers of headers for requests to a tracking server; plug-ins and programs add theirs."""

from __future__ import annotations

from mlflow import _plugins as plugins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "mlflow.request_header_provider"


class RequestHeaderProvider:
    """Tells headers to send; plug-ins subclass it."""

    def in_context(self) -> bool:
        """Tell whether this provider has something to say here."""
        raise NotImplementedError

    def request_headers(self) -> dict[str, str]:
        """Return headers."""
        raise NotImplementedError


class RequestHeaderProviderRegistry(plugins.Registry):
    """Providers in the order in which they are asked; their values of one header are joined."""

    group = GROUP

    def register(self, request_header_provider: Callable[[], RequestHeaderProvider]) -> None:
        """Add a provider, given what makes it."""
        self.add(request_header_provider)

    def warn(self, name: str, error: Exception) -> None:
        """Say that a provider is passed over."""
        import logging

        # What the provider raised may hold a credential; its kind is enough to look for.
        logging.getLogger(__name__).warning("No headers from %s: %s", name, type(error).__name__)


_request_header_provider_registry = RequestHeaderProviderRegistry()


def resolve_request_headers(request_headers: dict[str, str] | None = None) -> dict[str, str]:
    """Return the headers of a request: those of all providers, then those given.

    A provider that fails is left out with a warning: no training ends for a header. A server that
    needs the header refuses the request in its own words.

    Args:
        request_headers: headers of the caller, which replace those of providers.
    """
    _request_header_provider_registry.register_entrypoints()
    found: dict[str, str] = {}
    for provider in _request_header_provider_registry:
        try:
            said = dict(provider.request_headers()) if provider.in_context() else {}
        except Exception as error:  # noqa: BLE001 - plug-ins raise anything
            _request_header_provider_registry.warn(type(provider).__name__, error)
            continue
        for name, value in said.items():
            found[name] = f"{found[name]} {value}" if name in found else value
    found.update(request_headers or {})
    return found
