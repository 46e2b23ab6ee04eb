"""What a request must get past before it is looked at: the name of the server, the asking page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow.exceptions import PERMISSION_DENIED, MlflowException, invalid
from mlflow.server.messages import Answer, error_answer
from mlflow.web.origins import is_same_origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mlflow.web.hosts import AllowedHosts

Headers = dict[bytes, bytes]

#: Paths that probes ask, under whatever name they find the server.
PROBED = ("/health", "/version")
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_MAX_AGE = b"600"
_FOREIGN_SITES = (b"cross-site", b"same-site")
_FRAMES = {"SAMEORIGIN": "'self'", "DENY": "'none'"}
# A page loads what this server gives it, and nothing that was written into it.
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'"
)


async def answer_with(answer: Answer, send: Send) -> None:
    """Send an answer instead of passing the request on."""
    length = (b"content-length", str(len(answer.body)).encode())
    start = {"status": answer.status, "headers": [*answer.headers, length]}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": answer.body})


def headers_of(scope: Scope, *once: bytes) -> Headers:
    """Return the headers of a request.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for one of `once` that is given twice.
    """
    headers = dict(scope["headers"])
    if len(headers) != len(scope["headers"]):
        names = [name for name, _ in scope["headers"]]
        for name in once:
            if names.count(name) > 1:
                raise invalid(f"The header {name.decode()} is given twice.")
    return headers


def probed(prefix: str) -> set[str]:
    """Return the paths that probes ask of a server whose own paths have a prefix."""
    return {*PROBED, *(prefix + path for path in PROBED)}


def path_of(scope: Scope) -> str:
    """Return the path of a request as it was sent, not decoded."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return path.decode("latin-1")


class PageHeaders:
    """Adds the headers that tell a browser what pages of this server may do.

    Args:
        app: what comes next.
        framing: which pages may frame these: SAMEORIGIN, DENY or NONE for all.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for another word.
    """

    def __init__(self, app: ASGIApp, framing: str = "SAMEORIGIN") -> None:
        self._app = app
        word = framing.upper()
        policy = _POLICY
        headers = [(b"referrer-policy", b"same-origin")]
        if word in _FRAMES:
            policy += f"; frame-ancestors {_FRAMES[word]}"
            headers.append((b"x-frame-options", word.encode()))
        elif word != "NONE":
            raise invalid(f"--x-frame-options must be SAMEORIGIN, DENY or NONE, not '{framing}'.")
        self._headers = [*headers, (b"content-security-policy", policy.encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                extra = [one for one in self._headers if one[0] not in said]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HostGuard:
    """Refuses requests for a name that is not this server's.

    Args:
        app: what comes next.
        hosts: the names.
        prefix: stands in front of all paths.
    """

    def __init__(self, app: ASGIApp, hosts: AllowedHosts, prefix: str = "") -> None:
        self._app = app
        self._hosts = hosts
        self._exempt = probed(prefix)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = None if path_of(scope) in self._exempt else self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await answer_with(error_answer(refusal), send)

    def _refusal(self, scope: Scope) -> MlflowException | None:
        try:
            host = headers_of(scope, b"host").get(b"host")
        except MlflowException as error:
            return error
        if host is None:
            return invalid("The header Host is missing.")
        if self._hosts.allow(host.decode("latin-1")):
            return None
        return MlflowException(
            "Invalid Host header: the server is not known under this name. If it is right, start "
            "the server with --allowed-hosts NAME (or MLFLOW_SERVER_ALLOWED_HOSTS=NAME).",
            PERMISSION_DENIED,
        )


class OriginGuard:
    """Refuses requests that pages of other sites make in a user's browser.

    Args:
        app: what comes next.
        origins: further origins that may ask, such as `https://example.org`; `*` for all.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str] = ()) -> None:
        self._app = app
        self._origins = frozenset(one.strip().rstrip("/").lower() for one in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; answer what browsers ask beforehand."""
        try:
            headers = headers_of(scope, b"origin", b"host", b"sec-fetch-site")
            origin = self._checked(scope["method"], headers)
        except MlflowException as error:
            await answer_with(error_answer(error), send)
            return
        if origin is None:
            await self._app(scope, receive, send)
            return
        told = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            asked = headers.get(b"access-control-request-headers", b"content-type")
            told += [
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-allow-headers", asked),
                (b"access-control-max-age", _MAX_AGE),
            ]
            await answer_with(Answer(204, b"", tuple(told)), send)
            return

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *told]}
            await send(message)

        await self._app(scope, receive, send_with_origin)

    def _checked(self, method: str, headers: Headers) -> bytes | None:
        """Return the origin of a page of another site that may ask; None for all others.

        Raises:
            MlflowException: PERMISSION_DENIED for a page that may not.
        """
        given = headers.get(b"origin")
        if given is None:
            self._check_site(method, headers)
            return None
        origin = given.decode("latin-1")
        if is_same_origin(origin, headers.get(b"host", b"").decode("latin-1")):
            return None
        if "*" in self._origins or origin.lower() in self._origins:
            return given
        raise _blocked()

    def _check_site(self, method: str, headers: Headers) -> None:
        # Browsers leave the origin out of some requests; newer ones tell where they come from.
        if headers.get(b"sec-fetch-site") not in _FOREIGN_SITES:
            return
        # Somebody followed a link to a page of ours: the page that held it sees nothing of it.
        is_link = headers.get(b"sec-fetch-mode") == b"navigate" and method in ("GET", "HEAD")
        if not is_link or headers.get(b"sec-fetch-dest", b"document") != b"document":
            raise _blocked()


def _blocked() -> MlflowException:
    return MlflowException(
        "Cross-origin request blocked: pages of this origin may not ask here. If they should, "
        "start the server with --cors-allowed-origins ORIGIN "
        "(or MLFLOW_SERVER_CORS_ALLOWED_ORIGINS=ORIGIN).",
        PERMISSION_DENIED,
    )
