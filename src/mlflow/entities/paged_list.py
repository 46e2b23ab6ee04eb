"""One page of a search."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")
else:
    # Importing `typing` costs more than all of this package; the bound is for type checkers only.
    T = object


class PagedList(list[T]):
    """The entities of one page, with the token of the next.

    Args:
        items: the entities.
        token: what to pass as `page_token` for the next page; None (or empty) at the end.
    """

    def __init__(self, items: list[T], token: str | None = None) -> None:
        super().__init__(items)
        self.token = token

    def to_list(self) -> list[T]:
        """Return the entities as a plain list."""
        return list(self)
