"""The store behind a tracking server: one method for each operation of the table, made from it."""

from __future__ import annotations

import functools
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from mlflow.api.table import OPERATIONS
from mlflow.api.wire import UnreadableError
from mlflow.exceptions import (
    MlflowException,
    RestException,
    invalid,
)
from mlflow.store.base import AbstractStore
from mlflow.transport.client import Answer, LostError, Transport, refusal, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.api.op import Op
    from mlflow.transport.credentials import HostCreds

API = "/api/2.0/mlflow/"
# By this header of its answers a server says that it does a write with a known key once.
_REPLAYS = "x-millstream-replay"
_KEY = "Idempotency-Key"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_ABSENT = "RESOURCE_DOES_NOT_EXIST"


class RestStore(AbstractStore):
    """Experiments, runs and models of a tracking server, ours or a stock MLflow's.

    Args:
        get_host_creds: the address of the server; or, in plug-ins, what returns the address and
            who we are to it.
        retries: how often a request is sent again at most; None for the environment's setting.
    """

    def __init__(
        self, get_host_creds: str | Callable[[], HostCreds], retries: int | None = None
    ) -> None:
        self._server = get_host_creds
        self._transport = Transport(get_host_creds, retries)
        self.artifact_server = get_host_creds if isinstance(get_host_creds, str) else None
        self._has_replays: bool | None = None

    def __repr__(self) -> str:
        return f"RestStore({self._transport.address.shown!r})"

    def impatient(self) -> RestStore:
        """See `AbstractStore`; once more is tried, as a connection may have grown old."""
        return type(self)(self._server, retries=1)

    def takes_ids(self) -> bool:
        """Tell whether the server is one that does, by what it says of itself.

        Raises:
            MlflowException: TEMPORARILY_UNAVAILABLE: it cannot be reached.
        """
        if self._has_replays is None:
            answer = self._noted(self._transport.request("GET", "/version", is_safe=True))
            if self._has_replays is None:
                raise refusal(answer, "/version")
        return self._has_replays

    def close(self) -> None:
        """Give back the connections; the store may be used again afterwards."""
        self._transport.close()

    def _call(self, op: Op, arguments: dict[str, Any]) -> Any:
        """Make the request of a call and return what its answer says.

        Raises:
            MlflowException: what the server refuses, or that it cannot be reached.
        """
        fields = op.request(arguments)
        route = op.routes[0]
        path = API + route.path
        for name in route.names:
            if not fields.get(name):
                raise invalid(f"Missing value for required parameter '{name}'.")
            path = path.replace(f"{{{name}}}", quote(str(fields[name]), safe=""))
        body, headers = b"", {}
        if route.method == "GET":
            query = {name: fields[name] for name in fields if name not in route.names}
            path += _query(query)
        else:
            # Stock servers want what is in the path in the body, too.
            body = _encoded(fields)
            headers["Content-Type"] = "application/json"
        answer = self._send(op, route.method, path, body, headers)
        try:
            return op.result(self._read(answer, path))
        except RestException as error:
            # Only where None is an answer: there the operation says how it is told.
            if error.error_code == _ABSENT and op.gives is not None and op.gives.absent is not None:
                return None
            raise
        except UnreadableError as error:
            raise MlflowException(
                f"The answer of {self._transport.address.shown} to {op.name} cannot be read: "
                f"{error.told().message}"
            ) from error

    def _send(self, op: Op, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        if not op.writes:
            return self._noted(self._transport.request(method, path, body, headers, is_safe=True))
        headers[_KEY] = secrets.token_hex(16)
        is_safe = op.repeats or self._has_replays is True
        try:
            answer = self._transport.request(method, path, body, headers, is_safe=is_safe)
        except LostError as error:
            # Not known yet what kind of server it is, or known to be one that would do it twice.
            if self._has_replays is None:
                self._noted(self._transport.request("GET", "/version", is_safe=True))
            if not self._has_replays:
                raise MlflowException(
                    f"The connection to {self._transport.address.shown} was lost after {op.name} "
                    f"was sent: {error}. It is not known whether the server did it."
                ) from error
            answer = self._transport.request(method, path, body, headers, is_safe=True)
        return self._noted(answer)

    def _noted(self, answer: Answer) -> Answer:
        # What stands in front of a server answers for it when it is away, and knows nothing of it.
        if self._has_replays is None and answer.status < 500:
            self._has_replays = answer.headers.get(_REPLAYS) is not None
        return answer

    def _read(self, answer: Answer, path: str) -> dict[str, Any]:
        """Return the JSON object of an answer.

        Raises:
            RestException: the server refused, and said why.
            MlflowException: it refused in another form, or the answer is none.
        """
        try:
            value = _decode(answer.body) if answer.body.strip() else {}
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            value = None
        if 200 <= answer.status < 300:
            if isinstance(value, dict):
                return value
            message = f"The answer to {path} is no JSON object: {shown(answer.body)}."
            raise MlflowException(message)
        raise refusal(answer, path)


def _encoded(fields: dict[str, Any]) -> bytes:
    try:
        return _encode(fields)
    except UnicodeEncodeError:
        raise invalid("A text contains characters that are not valid Unicode.") from None


def _query(fields: dict[str, Any]) -> str:
    said = {
        name: ("true" if value else "false") if isinstance(value, bool) else value
        for name, value in fields.items()
    }
    try:
        return "?" + urlencode(said, doseq=True) if said else ""
    except UnicodeEncodeError:
        raise invalid("A text contains characters that are not valid Unicode.") from None


def _method(op: Op) -> Callable[..., Any]:
    """Return the method of an operation; its signature is the one of the contract."""
    declared = getattr(AbstractStore, op.name)
    code = declared.__code__
    names = code.co_varnames[1 : code.co_argcount]
    defaults = dict(zip(reversed(names), reversed(declared.__defaults__ or ()), strict=False))
    count = len(names)

    @functools.wraps(declared)
    def method(self: RestStore, *args: Any, **kwargs: Any) -> Any:
        arguments = {**defaults, **dict(zip(names, args, strict=False)), **kwargs}
        is_known = not kwargs or kwargs.keys() <= {*names[len(args) :]}
        if not is_known or len(args) > count or len(arguments) != count:
            declared(self, *args, **kwargs)  # says which argument is wrong
        return self._call(op, arguments)

    return method


for _op in OPERATIONS:
    setattr(RestStore, _op.name, _method(_op))
