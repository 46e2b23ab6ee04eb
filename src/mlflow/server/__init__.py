"""The tracking server: operations over HTTP."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLIENTS = {"basic-auth": "mlflow.server.auth.client:AuthServiceClient"}


def get_app_client(app_name: str, *args: Any, **kwargs: Any) -> Any:
    """Return the client of what `mlflow server --app-name` adds to a server.

    Args:
        app_name: `basic-auth`.
        args: of the client: the address of the server.
        kwargs: the same, by name.

    Raises:
        ValueError: there is no app of this name.
    """
    if app_name not in _CLIENTS:
        msg = f"There is no app '{app_name}': it is one of {', '.join(_CLIENTS)}."
        raise ValueError(msg)
    module, _, name = _CLIENTS[app_name].partition(":")
    return getattr(import_module(module), name)(*args, **kwargs)
