"""The vocabulary of operations: what one declaration says, and how calls become requests.

An operation is declared once, in a table beside this file. The server dispatches by it, the client
of a server is made from it, permissions are checked by it, and the reference is written from it.
"""

from __future__ import annotations

from typing import NamedTuple

from mlflow.api.wire import TEXT, Field, Kind, Many, Message, UnreadableError, read_field
from mlflow.entities.paged_list import PagedList
from mlflow.exceptions import RESOURCE_DOES_NOT_EXIST, MlflowException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# What a caller may do with a thing, weakest first.
READ, EDIT, MANAGE, CREATE = "read", "edit", "manage", "create"
# The things that permissions are about.
EXPERIMENT, RUN, LOGGED_MODEL = "experiment", "run", "logged model"
REGISTERED_MODEL, STORE = "registered model", "store"


class Permission:
    """What a caller needs for an operation.

    Args:
        action: READ, EDIT, MANAGE or CREATE.
        kind: the kind of thing it is needed on; STORE for what names none.
        argument: the argument of the store's method that holds its id or name, or a list of them.
    """

    __slots__ = ("action", "argument", "kind")

    def __init__(self, action: str, kind: str, argument: str | None = None) -> None:
        self.action = action
        self.kind = kind
        self.argument = argument

    def __repr__(self) -> str:
        return f"Permission({self.action!r}, {self.kind!r}, {self.argument!r})"

    @property
    def writes(self) -> bool:
        """Whether the operation changes anything."""
        return self.action != READ


class Route:
    """Where an operation is found.

    Args:
        method: the HTTP method.
        path: the path below `/api/2.0/mlflow/`; `{name}` stands for one segment.
        since: the version of MLflow that first had it.
        until: the last version that had it; None when it is still there.
        defaults: fields that requests of this route leave out.
    """

    __slots__ = ("defaults", "method", "path", "since", "until")

    def __init__(
        self,
        method: str,
        path: str,
        since: str = "1.0",
        until: str | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.since = since
        self.until = until
        self.defaults = dict(defaults or {})

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names that stand in the path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


class Whole:
    """Several fields of a request that are one argument of the store's method.

    Args:
        argument: the argument.
        message: its fields.
    """

    __slots__ = ("argument", "message")

    def __init__(self, argument: str, message: Message) -> None:
        self.argument = argument
        self.message = message


class Reply:
    """What an operation answers: an object with one field.

    Args:
        name: the name of the field.
        kind: what is in it.
        absent: for methods that return None: what is said of the missing thing, with the names of
            arguments in braces.
    """

    __slots__ = ("absent", "kind", "name")

    #: Whether the token of a next page stands beside the field.
    is_paged = False

    def __init__(self, name: str, kind: Kind, absent: str | None = None) -> None:
        self.name = name
        self.kind = kind
        self.absent = absent

    def write(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of a result.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for a result that is None.
        """
        if result is None and self.absent is not None:
            raise MlflowException(self.absent.format_map(arguments), RESOURCE_DOES_NOT_EXIST)
        written = self.kind.write(result)
        return {} if written == [] else {self.name: written}

    def read(self, answer: Mapping[str, Any]) -> Any:
        """Return the result that an answer holds.

        Raises:
            UnreadableError: it holds none.
        """
        raw = answer.get(self.name)
        if raw is None:
            if isinstance(self.kind, Many):
                return []
            raise UnreadableError(missing=True).below(self.name)
        try:
            return self.kind.read(raw)
        except UnreadableError as error:
            raise error.below(self.name) from None


class Page(Reply):
    """One page of things and the token of the next."""

    __slots__ = ()

    is_paged = True

    def __init__(self, name: str, kind: Kind) -> None:
        super().__init__(name, Many(kind))

    def write(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of a page."""
        made = super().write(result, arguments)
        if result.token:
            made["next_page_token"] = result.token
        return made

    def read(self, answer: Mapping[str, Any]) -> PagedList[Any]:
        """Return the page that an answer holds."""
        token = answer.get("next_page_token")
        return PagedList(super().read(answer), None if not token else TEXT.read(token))


class Made(NamedTuple):
    """What an operation makes whose id its caller may choose.

    Attributes:
        argument: the argument of the id.
        prefix: what ids start with.
        getter: the operation that returns the thing, in the same form.
    """

    argument: str
    prefix: str
    getter: str


class Op:
    """One operation.

    Args:
        name: the method of `AbstractStore`.
        routes: where it is found; a client takes the first.
        takes: its fields, in the order of the documents.
        gives: what it answers; an empty object when None.
        permission: what the caller needs.
        title: one line for the reference.
        repeats: whether doing it twice does what doing it once does, and answers the same.
        makes: what it makes, when the caller may choose the id.
    """

    __slots__ = (
        "fields",
        "gives",
        "makes",
        "name",
        "permission",
        "repeats",
        "routes",
        "takes",
        "title",
    )

    def __init__(
        self,
        name: str,
        title: str,
        routes: Route | tuple[Route, ...],
        takes: tuple[Field | Whole, ...],
        gives: Reply | None,
        permission: Permission,
        *,
        repeats: bool = False,
        makes: Made | None = None,
    ) -> None:
        self.name = name
        self.makes = makes
        self.title = title
        self.routes = (routes,) if isinstance(routes, Route) else routes
        self.takes = takes
        self.gives = gives
        self.permission = permission
        self.repeats = repeats or not permission.writes
        self.fields = tuple(
            field
            for one in takes
            for field in (one.message.fields if isinstance(one, Whole) else (one,))
        )

    def __repr__(self) -> str:
        return f"Op({self.name!r})"

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.permission.writes

    # --- the server's side -----------------------------------------------------------------------

    def arguments(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the store's method is called with for the fields of a request.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a field that is missing or unreadable.
        """
        found: dict[str, Any] = {}
        try:
            for one in self.takes:
                if isinstance(one, Whole):
                    found[one.argument] = one.message.read(fields)
                    continue
                value = read_field(one, fields)
                # What the request does not say is the store's to choose.
                if value is not None or one.default is None:
                    found[one.argument] = value
        except UnreadableError as error:
            raise error.told() from None
        return found

    def answer(self, result: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON of a result."""
        return {} if self.gives is None else self.gives.write(result, arguments)

    # --- the client's side -----------------------------------------------------------------------

    def request(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of the request for a call of the method.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for an argument that has no place on the wire.
        """
        made: dict[str, Any] = {}
        try:
            for one in self.takes:
                if isinstance(one, Whole):
                    made.update(one.message.write(arguments[one.argument]))
                    continue
                value = arguments.get(one.argument)
                if value is None and not one.required:
                    continue
                try:
                    made[one.name] = one.kind.write(value)
                except UnreadableError as error:
                    raise error.below(one.name) from None
        except UnreadableError as error:
            raise error.told() from None
        return made

    def result(self, answer: Mapping[str, Any]) -> Any:
        """Return what the method returns for the JSON of an answer.

        Raises:
            UnreadableError: it is not the answer of this operation.
        """
        return None if self.gives is None else self.gives.read(answer)
