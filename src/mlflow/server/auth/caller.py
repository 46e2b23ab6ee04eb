"""Who asks: a user, what they are granted, and how the threads that work for them know."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from mlflow.server.auth.permissions import ANY, PERMISSION_PRIORITY, together

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The most that a token of each scope allows, as a level.
SCOPES = {"read": "READ", "edit": "EDIT", "manage": "MANAGE"}


class Caller:
    """A user who was recognised.

    Args:
        user_id: which user.
        username: their name.
        is_admin: whether they may do everything.
        grants: the levels that they are given, by type and name of things.
        default: the level on what nothing is granted on.
        scope: the most that what they showed allows.
    """

    __slots__ = ("_ceiling", "_default", "_grants", "is_admin", "scope", "user_id", "username")

    def __init__(
        self,
        user_id: int,
        username: str,
        is_admin: bool,
        grants: Mapping[tuple[str, str], list[str]],
        default: str,
        scope: str = "manage",
    ) -> None:
        self.user_id = user_id
        self.username = username
        self.scope = scope
        # A token for less than everything is not an administrator's.
        self.is_admin = is_admin and scope == "manage"
        self._grants = grants
        self._default = "MANAGE" if is_admin else default
        self._ceiling = PERMISSION_PRIORITY[SCOPES[scope]]
        if is_admin:
            self._grants = {}

    def __repr__(self) -> str:
        return f"Caller({self.username!r})"

    def permission(self, *things: tuple[str, str]) -> str:
        """Return the level on a thing.

        Args:
            things: the (type, name) of everything that a grant on it may be about.
        """
        found: list[str] = []
        for kind, name in things:
            found += self._grants.get((kind, name), ())
            found += self._grants.get((kind, ANY), ())
        return together(found, self._default)

    def level(self, *things: tuple[str, str]) -> int:
        """Return the level on a thing as a number, which what they showed may have lowered."""
        return min(self._ceiling, PERMISSION_PRIORITY[self.permission(*things)])

    def sees_all(self, kind: str) -> bool:
        """Tell whether there is nothing of a type that is hidden from this caller."""
        given = [name for (one, _), names in self._grants.items() if one == kind for name in names]
        least = min(PERMISSION_PRIORITY.get(name, -1) for name in (*given, self._default))
        return least >= PERMISSION_PRIORITY["READ"]

    @property
    def may_write(self) -> bool:
        """Whether what they showed allows to change anything."""
        return self._ceiling >= PERMISSION_PRIORITY["EDIT"]


class Asking(NamedTuple):
    """One request: who asks, and from where."""

    caller: Caller
    address: str


#: Set for each request, and carried into the threads that work for it.
ASKING: ContextVar[Asking | None] = ContextVar("millstream_asking", default=None)
