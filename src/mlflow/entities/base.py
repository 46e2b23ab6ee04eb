"""What all entities share: fields named in `_fields`, equality by value, a repr, iteration."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Entity:
    """A thing the store keeps.

    An entity holds each field in an instance attribute of the same name with a leading underscore
    (clients that copy entities read `__dict__`), and shows it through a read-only property.
    Entities hold no rules and do no I/O.
    """

    # Public field names in alphabetical order, the order of `repr` and iteration.
    _fields: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name in self._fields:
            yield name, getattr(self, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._shown(self._fields)}>"

    def _shown(self, fields: tuple[str, ...]) -> str:
        return ", ".join(f"{name}={_text_of(getattr(self, name))}" for name in fields)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def from_dictionary(cls, the_dict: dict[str, Any]) -> Any:
        """Build an entity from its fields; keys that are not fields are ignored."""
        return cls(**{key: value for key, value in the_dict.items() if key in cls._fields})


def _text_of(value: object) -> str:
    """Return the repr of a value; that of a dict is in the order of the keys."""
    if type(value) is dict:
        value = dict(sorted(value.items(), key=lambda pair: str(pair[0])))
    return repr(value)


class KeyValue(Entity):
    """A named piece of text; the base of params, tags and their kin."""

    _fields = ("key", "value")

    def __init__(self, key: str, value: str) -> None:
        self._key = key
        self._value = value

    @property
    def key(self) -> str:
        """The name."""
        return self._key

    @property
    def value(self) -> str:
        """The text."""
        return self._value

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((type(self), self._key, self._value))
