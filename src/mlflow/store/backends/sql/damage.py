"""Rows that make no sense: a `get` reports them, a search leaves them out and says so once."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DBAPIError

from mlflow.store.backends.base import Corrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    T = TypeVar("T")

_LIMIT = 1000
_told: set[tuple[str, object]] = set()


def is_damage(error: BaseException) -> bool:
    """Tell whether reading failed on what a row holds, such as text where a number belongs."""
    if isinstance(error, DBAPIError):
        return "decode" in str(error.orig).lower()
    return isinstance(error, (TypeError, ValueError, ArithmeticError))


def read_whole(
    read: Callable[[Sequence[Any]], list[T]], kind: str, ids: Sequence[Any], *, strict: bool
) -> list[T]:
    """Return what is read of things, without those that cannot be read.

    Args:
        read: from ids to entities, in order.
        kind: of the things, one of the constants of `backends.base`.
        ids: which ones.
        strict: raise for the first one that cannot be read, instead of leaving it out.

    Raises:
        Corrupt: see `strict`.
    """
    try:
        return read(ids)
    except Exception as error:
        if not is_damage(error):
            raise
        if len(ids) > 1:
            return [one for each in ids for one in read_whole(read, kind, [each], strict=strict)]
        if strict:
            raise Corrupt(kind, ids[0], str(getattr(error, "orig", error))) from error
        _tell(kind, ids[0], error)
        return []


def _tell(kind: str, one: object, error: Exception) -> None:
    if (kind, one) in _told or len(_told) >= _LIMIT:
        return
    _told.add((kind, one))
    text = f"{kind} {one!r} cannot be read: {getattr(error, 'orig', error)}"
    shown = text if text.isprintable() else ascii(text)
    warnings.warn(f"Left out of the store: {shown}", stacklevel=5)
