"""Requests and answers as the server's handlers see them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import parse_qs

import msgspec

from mlflow.exceptions import MlflowException, invalid
from mlflow.web.body import BodyError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from mlflow.web.body import Bodies

JSON = (b"content-type", b"application/json")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
HTML = (b"content-type", b"text/html; charset=utf-8")
RETRY = (b"retry-after", b"1")
CLOSING = (b"connection", b"close")
# Query parameters that a request may have; further ones are refused.
_MAX_PARAMETERS = 10_000
# More fields than any request has: their names are not searched for one by one.
_FEW = 32
_SHOWN = 100
# Headers that say one thing: given twice, a guard and a handler could see different ones.
_SINGLE = (b"content-type", b"host", b"origin", b"authorization", b"content-length")

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

T = TypeVar("T")


class Answer(NamedTuple):
    """What the server answers: a body, or parts that are made while they are sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (JSON,)
    parts: AsyncGenerator[bytes] | None = None
    #: Bytes of all parts, where that is known; or of the body that a HEAD request is told about.
    length: int | None = None
    #: Whether parts come when something happens: then they end with the client, not with a part.
    live: bool = False


class AnsweredError(Exception):
    """An answer given from within, instead of a result."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(value: Any) -> Answer:
    """Return the answer with a JSON body."""
    return Answer(200, encode(value))


def text_answer(status: int, text: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Return the answer with a line of text."""
    return Answer(status, text.encode(), (TEXT, *headers))


def error_answer(error: MlflowException, *headers: tuple[bytes, bytes]) -> Answer:
    """Return the answer that reports an error, in the form of MLflow."""
    status = error.get_http_status_code()
    return Answer(status, error.serialize_as_json().encode(), (JSON, *headers))


class Request:
    """One request.

    Args:
        scope: of ASGI.
        receive: of ASGI.
        bodies: reads the body.
    """

    __slots__ = ("_bodies", "_receive", "headers", "method", "names", "path", "scope")

    def __init__(self, scope: Scope, receive: Receive, bodies: Bodies) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        # As it was sent: each segment is decoded once, after the route is chosen.
        self.path: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        self.headers = _headers(scope["headers"])
        self.names: dict[str, str] = {}
        self._receive = receive
        self._bodies = bodies

    async def body(self) -> bytes:
        """Return the body.

        Raises:
            BodyError: it is compressed, too long or too slow.
            ClientGoneError: the client left.
        """
        self._check_encoding()
        return await self._bodies.read(self.headers, self._receive)

    def stream(self) -> AsyncIterator[bytes]:
        """Yield the parts of the body, which may have any size.

        Raises:
            BodyError: it is compressed, or too slow.
            ClientGoneError: the client left.
        """
        self._check_encoding()
        return self._bodies.stream(self._receive)

    def _check_encoding(self) -> None:
        if self.headers.get(b"content-encoding", b"identity").lower() not in (b"", b"identity"):
            message = "Compressed bodies are not read; send the body as it is."
            raise BodyError(415, message, closing=True)

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters of the query; each may be given several times."""
        text = self.scope["query_string"].decode("latin-1")
        if not text:
            return {}
        try:
            return parse_qs(
                text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS, errors="strict"
            )
        except ValueError:
            raise invalid("The query of the request cannot be read.") from None

    async def fields(self) -> dict[str, Any]:
        """Return the JSON object in the body; an empty one for an empty body.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what is no JSON object.
        """
        body = await self.body()
        return parse_object(body) if body else {}


Handler = Callable[[Request], Awaitable[Answer]]


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body.

    Literal `NaN` and `Infinity`, which Python writes, are read; so is an object inside a string,
    which old clients send.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for anything else, for text that is no Unicode,
            and for an object that names a field twice: what looks at a request on its way here
            could have seen the other value.
    """
    try:
        value = _parse(body)
        if isinstance(value, str):
            body = value.encode()
            value = _parse(body)
        if isinstance(value, dict):
            _check_names(body, value)
    except (ValueError, RecursionError):
        raise invalid("The body of the request is no JSON that can be read.") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"The body of the request is a JSON {type(value).__name__}, not an object.")
    return value


def parse_as(body: bytes, kind: type[T], path: str) -> T:
    """Return the JSON object in a body as what it stands for.

    Args:
        body: the body; nothing is an empty object.
        kind: a class of msgspec's.
        path: where it was sent, for messages.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is none.
    """
    try:
        return msgspec.convert(parse_object(body or b"{}"), kind)
    except msgspec.ValidationError as error:
        raise invalid(f"Invalid request to {path}: {error}") from None


def _parse(body: bytes) -> Any:
    try:
        return _decode(body)
    except msgspec.DecodeError:
        # Slower, and it reads the literals that are no JSON.
        import json

        value = json.loads(body.decode("utf-8"))
        # It reads halves of surrogate pairs too, which nothing can keep.
        json.dumps(value, ensure_ascii=False).encode()
        return value


def _check_names(body: bytes, fields: dict[str, Any]) -> None:
    """Check that an object names none of its own fields twice; objects inside it may be as they are.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it does.
    """
    is_plain = len(fields) <= _FEW and b"\\u" not in body
    if is_plain and all(body.count(b'"%s"' % name.encode()) == 1 for name in fields):
        return
    # There are many, one stands somewhere else too, or could be spelled with escapes.
    import json

    names: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names[:] = [name for name, _ in pairs]  # objects end inside out: the last is the whole
        return {}

    json.loads(body.decode("utf-8"), object_pairs_hook=note)
    if len(names) > len(fields):
        name = next(one for place, one in enumerate(names) if one in names[:place])
        raise invalid(f"The field {name[:_SHOWN]!r} is given twice in the body of the request.")


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    headers = dict(raw)
    if len(headers) != len(raw):
        names = [name for name, _ in raw]
        for name in _SINGLE:
            if names.count(name) > 1:
                raise invalid(f"The header {name.decode()} is given twice.")
    return headers
