"""Operations over HTTP: decode, check, authorise, call the store, encode."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from mlflow.api.wire import Many
from mlflow.exceptions import MlflowException, invalid
from mlflow.server.messages import Answer, json_answer
from mlflow.server.replay import KEY, MAX_KEY, UNIQUE

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping

    from mlflow.api.op import Made, Op, Permission, Route
    from mlflow.server.messages import Request
    from mlflow.server.replay import Replays
    from mlflow.store.base import AbstractStore

    Permits = Callable[[Request, Permission, dict[str, Any]], Awaitable[dict[str, Any]]]

_JSON_TYPE = "application/json"
#: The key of a scope under which a guard notes who asks.
CALLER = "millstream.caller"


class Calls:
    """How operations reach a store.

    Args:
        read: has a call that changes nothing made by a thread.
        submit: has a call that writes made by a thread.
        permits: returns what a request asks, narrowed to what its caller may see; raises when
            they may not do it. For what is no single call of a store: those are asked one by one
            where a server has users.
        replays: knows the writes that came before.
        checks: look at the arguments of some operations, in the thread that makes the call.
    """

    def __init__(
        self,
        read: Callable[[Callable[[], Any]], asyncio.Future[Any]],
        submit: Callable[[Callable[[], Any]], asyncio.Future[Any]],
        permits: Permits,
        replays: Replays,
        checks: Mapping[str, Callable[[dict[str, Any]], None]] | None = None,
    ) -> None:
        self.read = read
        self.submit = submit
        self.permits = permits
        self.replays = replays
        self.checks = checks or {}
        #: Hears of each write that was done: the operation, and its arguments.
        self.heard: Callable[[str, Mapping[str, Any]], None] | None = None


class Operation:
    """The handler of one operation on one of its routes.

    Args:
        op: the operation.
        route: the route.
        store: answers it.
        calls: how the store is reached.
    """

    def __init__(self, op: Op, route: Route, store: AbstractStore, calls: Calls) -> None:
        self.name = op.name
        self._op = op
        self._route = route
        self._store = store
        self._call = getattr(store, op.name)
        self._check = calls.checks.get(op.name)
        self._calls = calls
        self._work = calls.submit if op.writes else calls.read

    async def __call__(self, request: Request) -> Answer:
        """Answer a request.

        Raises:
            MlflowException: what the request or the store refuses.
        """
        fields = await self._fields(request)
        arguments = self._op.arguments(fields)
        if self._op.writes and KEY in request.headers:
            key = request.headers[KEY]
            if len(key) > MAX_KEY:
                raise invalid(f"The header Idempotency-Key is longer than {MAX_KEY} characters.")
            whole = (key, self._op.name, request.scope.get(CALLER))
            return await self._calls.replays.once(
                whole,
                partial(self._answer, arguments, whole if len(key) >= UNIQUE else None),
                shared=not self._op.repeats,
            )
        return await self._answer(arguments)

    async def _answer(
        self, arguments: dict[str, Any], key: tuple[object, ...] | None = None
    ) -> Answer:
        call = partial(self._call, **arguments)
        makes = self._op.makes
        if key is not None and makes is not None and arguments.get(makes.argument) is None:
            call = partial(self._make, makes, arguments, key)
        if self._check is not None:
            call = partial(_checked, partial(self._check, arguments), call)
        result = await self._work(call)
        if self._op.writes and self._calls.heard is not None:
            self._calls.heard(self._op.name, arguments)
        return json_answer(self._op.answer(result, arguments))

    def _make(self, makes: Made, arguments: dict[str, Any], key: tuple[object, ...]) -> Any:
        """Make a thing whose id follows from the key of the request.

        Another server may have made it, whose answer was lost: then it is there already.
        """
        if not self._store.takes_ids():
            return self._call(**arguments)
        chosen = makes.prefix + hashlib.sha256(repr(key).encode()).hexdigest()[:32]
        try:
            return self._call(**{**arguments, makes.argument: chosen})
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return getattr(self._store, makes.getter)(chosen)

    async def _fields(self, request: Request) -> dict[str, Any]:
        """Return the fields of a request, from wherever its method carries them."""
        if self._route.method == "GET":
            query = request.query
            fields = self._queried(query) if query else await request.fields()
        else:
            if self._route.method in ("POST", "PUT"):
                check_json_type(request)
            fields = await request.fields()
        if request.names:
            fields.update(request.names)
        for name, value in self._route.defaults.items():
            fields.setdefault(name, value)
        return fields

    def _queried(self, query: dict[str, list[str]]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for field in self._op.fields:
            for name in (field.name, *field.aliases):
                given = query.get(name)
                if given is not None:
                    fields[name] = given if isinstance(field.kind, Many) else given[-1]
        return fields


def _checked(check: Callable[[], None], call: Callable[[], Any]) -> Any:
    check()
    return call()


def check_json_type(request: Request) -> None:
    """Check that a request says that its body is JSON.

    A page of another site can make a browser send text and forms, but not this.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    given = request.headers.get(b"content-type")
    if given is None:
        raise invalid("Bad Request. Content-Type header is missing.")
    kind = given.decode("latin-1").partition(";")[0].strip().lower()
    if kind != _JSON_TYPE:
        raise invalid(f"Bad Request. Content-Type must be one of ['{_JSON_TYPE}'].")
