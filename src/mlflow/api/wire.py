"""The wire format: kinds of values, how each is read from JSON and how it is written to it.

The JSON is that of MLflow's protocol buffers: names in snake case (camel case is read too), 64-bit
integers as numbers (text is read too), NaN and infinities as text, enums by name, fields without a
value left out. Reading is exact: a value that is not of its kind is refused, with its path.
"""

from __future__ import annotations

import math

from mlflow.exceptions import MlflowException, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

_SEE = "See the API docs for more information about request parameters."
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LONGEST_NUMBER = 400
_SHOWN = 200


class UnreadableError(Exception):
    """A value that is not of its kind, or is missing; its path grows on the way out.

    Args:
        value: what was found.
        missing: whether it was nothing at all.
        reason: what to say instead of the usual words.
    """

    def __init__(self, value: object = None, *, missing: bool = False, reason: str = "") -> None:
        super().__init__(value)
        self.value = value
        self.missing = missing
        self.reason = reason
        self.path = ""

    def below(self, part: str | int) -> UnreadableError:
        """Return the error with a field name or a list index in front of its path."""
        step = f"[{part}]" if isinstance(part, int) else part
        dot = "." if self.path and not self.path.startswith("[") else ""
        self.path = f"{step}{dot}{self.path}"
        return self

    def told(self) -> MlflowException:
        """Return what the sender is told, in the words that MLflow's clients know."""
        if self.reason:
            return invalid(self.reason)
        if self.missing:
            return invalid(f"Missing value for required parameter '{self.path}'. {_SEE}")
        import json

        shown = json.dumps(self.value, default=str)
        if len(shown) > _SHOWN:
            shown = f"{shown[:_SHOWN]}..."
        kind = type(self.value).__name__
        return invalid(
            f"Invalid value {shown} for parameter '{self.path}' supplied:  Hint: Value was of "
            f"type '{kind}'. {_SEE}"
        )


# --- scalars -------------------------------------------------------------------------------------


class Kind:
    """A kind of value.

    `read` turns decoded JSON, or the text of a query, into what a store takes; `write` does the
    reverse. Both raise `UnreadableError` for a value that is none. `name` is how documents call it.
    """

    name = ""

    def read(self, value: Any) -> Any:
        """Return the value as a store takes it."""
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        """Return the value as it goes into JSON."""
        raise NotImplementedError


def _is_no_number(value: object) -> bool:
    # What `int` and `float` would take, and stores refuse; numpy's bool is no subclass of bool.
    return isinstance(value, (str, bytes, bytearray)) or type(value).__name__ in ("bool", "bool_")


class Text(Kind):
    """Text.

    Args:
        is_free: whether what programs hold may be anything, of which the text is meant: values of
            params and tags are.
    """

    name = "string"

    def __init__(self, *, is_free: bool = False) -> None:
        self._is_free = is_free

    def read(self, value: Any) -> str:
        if value.__class__ is str:
            return value
        raise UnreadableError(value)

    def write(self, value: Any) -> str:
        if value.__class__ is str:
            return value
        if self._is_free or isinstance(value, str):
            return str(value)
        raise UnreadableError(value)


class Integer(Kind):
    """A signed integer of so many bits; text of digits and whole floats are read too."""

    def __init__(self, bits: int) -> None:
        self.name = f"int{bits}"
        self._low, self._high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def read(self, value: Any) -> int:
        number = value
        if value.__class__ is str:
            digits = value[1:] if value[:1] == "-" else value
            if not digits.isascii() or not digits.isdecimal() or len(digits) > _LONGEST_NUMBER:
                raise UnreadableError(value)
            number = int(value)
        elif value.__class__ is float and value.is_integer():
            number = int(value)
        if number.__class__ is int and self._low <= number <= self._high:
            return number
        raise UnreadableError(value)

    def write(self, value: Any) -> int:
        number = value
        if value.__class__ is not int and not _is_no_number(value):
            try:
                number = int(value)
            except (TypeError, ValueError, OverflowError):
                raise UnreadableError(value) from None
        if number.__class__ is int and number == value and self._low <= number <= self._high:
            return number
        raise UnreadableError(value)


class Double(Kind):
    """A floating-point number; NaN and infinities are text."""

    name = "double"

    def read(self, value: Any) -> float:
        if value.__class__ is float:
            return value
        if value.__class__ is int:
            try:
                return float(value)
            except OverflowError:
                raise UnreadableError(value) from None
        if value.__class__ is str and len(value) <= _LONGEST_NUMBER:
            known = _NUMBERS.get(value)
            if known is not None:
                return known
            try:
                if value.isascii() and "_" not in value:
                    return float(value)
            except ValueError:
                pass
        raise UnreadableError(value)

    def write(self, value: Any) -> float | str:
        if value.__class__ is not float:
            try:
                value = None if _is_no_number(value) else float(value)
            except (TypeError, ValueError, OverflowError):
                raise UnreadableError(value) from None
            if value is None:
                raise UnreadableError(value)
        number: float = value
        if math.isfinite(number):
            return number
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


class Boolean(Kind):
    """True or false; the words are read too, for queries."""

    name = "bool"

    def read(self, value: Any) -> bool:
        if value.__class__ is bool:
            return value
        word = value.lower() if value.__class__ is str else None
        if word in ("true", "false"):
            return word == "true"
        raise UnreadableError(value)

    def write(self, value: Any) -> bool:
        return bool(value)


class Choice(Kind):
    """One of a set of names, which may be sent as its number.

    Args:
        name: how documents call the set.
        numbers: the number of each name on the wire.
        values: what a store takes for each name; the number when absent.
    """

    def __init__(
        self, name: str, numbers: Mapping[str, int], values: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        self.names = tuple(numbers)
        taken: Mapping[str, Any] = numbers if values is None else values
        self._values: dict[object, Any] = dict(taken.items())
        self._values.update({number: taken[word] for word, number in numbers.items()})
        self._words = {value: word for word, value in taken.items()}

    def read(self, value: Any) -> Any:
        if value.__class__ is str and value.isdecimal() and len(value) < 9:
            found = self._values.get(int(value))
        elif value.__class__ is str or value.__class__ is int:
            found = self._values.get(value)
        else:
            found = None
        if found is None:
            raise UnreadableError(value)
        return found

    def write(self, value: Any) -> str:
        word = self._words.get(value)
        if word is None:
            raise UnreadableError(value)
        return word


# --- compounds -----------------------------------------------------------------------------------


class Many(Kind):
    """A list of values of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.name = f"{kind.name}[]"

    def read(self, value: Any) -> list[Any]:
        if value.__class__ is not list:
            raise UnreadableError(value)
        read = self.kind.read
        made: list[Any] = []
        try:
            for one in value:
                made.append(read(one))
        except UnreadableError as error:
            raise error.below(len(made)) from None
        return made

    def write(self, value: Any) -> list[Any]:
        write = self.kind.write
        made: list[Any] = []
        try:
            for one in value:
                made.append(write(one))
        except UnreadableError as error:
            raise error.below(len(made)) from None
        return made


class Field:
    """One field of a message or of a request.

    Args:
        name: its name on the wire.
        kind: its kind.
        required: whether a request without it is refused.
        argument: the argument of the store's method or of the entity; its name when absent.
        attribute: the attribute of the entity that holds it; the argument when absent.
        aliases: further names under which it is read.
        default: what a store gets when it is absent; nothing when not given.
        blank: whether None is written as empty text, and empty text read as None, as MLflow does
            for some fields.
        flat: whether its kind is a message that holds attributes of the same entity.
        extension: whether it is Millstream's own; other servers ignore it.
    """

    __slots__ = (
        "aliases", "argument", "attribute", "blank", "camel", "default", "extension", "flat",
        "kind", "name", "required",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: Kind,
        *,
        required: bool = False,
        argument: str | None = None,
        attribute: str | None = None,
        aliases: tuple[str, ...] = (),
        default: Any = ...,
        blank: bool = False,
        flat: bool = False,
        extension: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.required = required
        self.argument = argument or name
        self.attribute = attribute or self.argument
        self.default = default
        self.blank = blank
        self.flat = flat
        self.extension = extension
        spelled = camel_case(name)
        self.camel = spelled if spelled != name else None
        self.aliases = (*aliases, *(camel_case(one) for one in aliases if camel_case(one) != one))

    def found_in(self, fields: Mapping[str, Any]) -> Any:
        """Return the raw value of the field, None when there is none.

        Raises:
            UnreadableError: it is there in both spellings.
        """
        value = fields.get(self.name)
        if self.camel is not None and self.camel in fields:
            if self.name in fields:
                raise UnreadableError(
                    reason=f"Request specifies both '{self.name}' and '{self.camel}'; provide "
                    "only one of them."
                )
            value = fields[self.camel]
        if value is None:
            for alias in self.aliases:
                value = fields.get(alias)
                if value is not None:
                    break
        return value


def camel_case(name: str) -> str:
    """Return a name such as `run_id` as `runId`."""
    if "_" not in name:
        return name
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


class Message(Kind):
    """An object with named fields, made into an entity.

    Args:
        name: how MLflow's protocol calls it.
        make: what builds the entity from its arguments.
        fields: in the order of the protocol's field numbers, which is that of MLflow's answers.
    """

    def __init__(self, name: str, make: Callable[..., Any], fields: Iterable[Field]) -> None:
        self.name = name
        self.make = make
        self.fields = tuple(fields)

    def read(self, value: Any) -> Any:
        return self.make(**self.arguments(value))

    def arguments(self, value: Any) -> dict[str, Any]:
        """Return what `make` is called with: every field, None (or no items) for absent ones."""
        if value.__class__ is not dict:
            raise UnreadableError(value)
        found: dict[str, Any] = {}
        for field in self.fields:
            if field.flat:
                inner: Message = field.kind  # type: ignore[assignment]
                raw = field.found_in(value)
                try:
                    found.update(inner.arguments({} if raw is None else raw))
                except UnreadableError as error:
                    raise error.below(field.name) from None
            else:
                found[field.argument] = read_field(field, value)
        return found

    def write(self, value: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for field in self.fields:
            held = value if field.flat else getattr(value, field.attribute)
            if held is None:
                if field.blank:
                    made[field.name] = ""
                continue
            try:
                written = field.kind.write(held)
            except UnreadableError as error:
                raise error.below(field.name) from None
            if written != []:
                made[field.name] = written
        return made


class Pair(Message):
    """A message of a key and a value, both text; a value that is missing is empty.

    Args:
        name: how MLflow's protocol calls it.
        make: the class of a pair, called with both.
        key: the name of the key on the wire.
        value: the name of the value on the wire.
        attributes: the names of both in the entity.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[str, str], Any],
        key: str = "key",
        value: str = "value",
        attributes: tuple[str, str] = ("key", "value"),
    ) -> None:
        fields = (
            Field(key, TEXT, required=True, attribute=attributes[0]),
            Field(value, FREE_TEXT, default="", attribute=attributes[1]),
        )
        super().__init__(name, make, fields)

    def read(self, value: Any) -> Any:
        return self.make(*self.arguments(value).values())


def read_field(field: Field, fields: Mapping[str, Any]) -> Any:
    """Return the value of a field of a message.

    Raises:
        UnreadableError: it is required and missing, or not of its kind.
    """
    raw = field.found_in(fields)
    if raw is None or (raw == "" and (field.required or field.blank)):
        if field.required:
            raise UnreadableError(missing=True).below(field.name)
        if field.default is not ...:
            return field.default
        return [] if isinstance(field.kind, (Many, Pairs)) else None
    try:
        return field.kind.read(raw)
    except UnreadableError as error:
        raise error.below(field.name) from None


class Pairs(Kind):
    """A list of key and value, which an entity may hold as a dict.

    Args:
        item: one pair.
    """

    def __init__(self, item: Pair) -> None:
        self.name = f"{item.name}[]"
        self.item = item
        self._make = item.make
        self._key, self._value = (field.name for field in item.fields)

    def read(self, value: Any) -> list[Any]:
        if value.__class__ is not list:
            raise UnreadableError(value)
        make, made = self._make, []
        for place, one in enumerate(value):
            name, text = self._known(one)
            if name.__class__ is str and text.__class__ is str and name:
                made.append(make(name, text))
                continue
            try:
                made.append(self.item.read(one))
            except UnreadableError as error:
                raise error.below(place) from None
        return made

    def _known(self, one: Any) -> tuple[Any, Any]:
        # The usual form; whatever else there is goes the plain way.
        try:
            return one[self._key], one[self._value]
        except (KeyError, TypeError, IndexError):
            return None, None

    def write(self, value: Any) -> list[dict[str, str]]:
        if value.__class__ is dict:
            key, text = self._key, self._value
            return [{key: name, text: said} for name, said in value.items()]
        made: list[dict[str, str]] = []
        try:
            for one in value:
                made.append(self.item.write(one))
        except UnreadableError as error:
            raise error.below(len(made)) from None
        return made


TEXT, FREE_TEXT = Text(), Text(is_free=True)
INT32, INT64, DOUBLE, BOOL = Integer(32), Integer(64), Double(), Boolean()
