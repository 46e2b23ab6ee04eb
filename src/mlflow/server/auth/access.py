"""A server with users, put together: what stands in front of it, and its further endpoints."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mlflow.exceptions import invalid
from mlflow.server.auth.config import read_auth_config
from mlflow.server.auth.endpoints import Endpoints
from mlflow.server.auth.guard import UserGuard
from mlflow.server.auth.rights import Rights
from mlflow.server.auth.users import Users

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from mlflow.server.routes import Routes


class Access(Users):
    """The users of one server, and how they reach it."""

    def guard(self, prefix: str) -> Callable[[ASGIApp], ASGIApp]:
        """Return what stands in front of the routes."""
        return partial(UserGuard, users=self, prefix=prefix)

    def add_to(self, routes: Routes) -> None:
        """Add the routes of users, roles, tokens and the audit log, and of what pages may offer."""
        Endpoints(self).add_to(routes)
        Rights(self).add_to(routes)


def open_access(backend_store_uri: str) -> Access:
    """Return the users that the configuration names.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it cannot be; or the database cannot be used.
    """
    config = read_auth_config()
    if config.database_uri == backend_store_uri and backend_store_uri.startswith("sqlite"):
        raise invalid(
            "database_uri of the users is the backend store itself: give them a file of their own."
        )
    return Access(config)
