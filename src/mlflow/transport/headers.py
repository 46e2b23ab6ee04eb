"""Providers of headers for requests to a tracking server; plug-ins and programs add theirs."""

from __future__ import annotations

from mlflow import _plugins as plugins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GROUP = "mlflow.request_header_provider"


class RequestHeaderProvider:
    """Tells headers to send; plug-ins subclass it."""

    def in_context(self) -> bool:
        """Tell whether this provider has something to say here."""
        raise NotImplementedError

    def request_headers(self) -> dict[str, str]:
        """Return headers."""
        raise NotImplementedError


class RequestHeaderProviderRegistry:
    """Providers in the order in which they are asked; their values of one header are joined."""

    def __init__(self) -> None:
        self._registry: list[RequestHeaderProvider] = []
        self._has_plugins = False

    def register(self, request_header_provider: Callable[[], RequestHeaderProvider]) -> None:
        """Add a provider, given what makes it."""
        self._registry.append(request_header_provider())

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

    def __iter__(self) -> Iterator[RequestHeaderProvider]:
        return iter(self._registry)


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
            _warn(type(provider).__name__, error)
            continue
        for name, value in said.items():
            found[name] = f"{found[name]} {value}" if name in found else value
    found.update(request_headers or {})
    return found


def _warn(name: str, error: Exception) -> None:
    import logging

    # What the provider raised may hold a credential; its kind is enough to look for.
    logging.getLogger(__name__).warning("No headers from %s: %s", name, type(error).__name__)
