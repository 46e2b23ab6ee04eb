"""The routes of the server: exact ones in a dict, those with names in their path beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from mlflow.api.op import Permission
from mlflow.exceptions import ENDPOINT_NOT_FOUND, NOT_IMPLEMENTED, MlflowException, invalid
from mlflow.server.messages import AnsweredError, error_answer

if TYPE_CHECKING:
    from mlflow.server.messages import Handler, Request

#: Routes that everybody may use, signed in or not; said in so many words.
PUBLIC = Permission("public", "server")
# Each operation is found below all of these; the UI of MLflow asks the second half.
BASES = tuple(
    f"/{door}/{version}/"
    for door in ("api", "ajax-api")
    for version in ("2.0", "2.0/preview", "3.0")
)


# First names below `mlflow/`, or whole paths, of what MLflow has and this version has not.
LATER = {
    "/graphql": "GraphQL",
    "/v1/traces": "traces",
    "assistant": "the assistant",
    "datasets": "evaluation datasets",
    "demo": "demo data",
    "gateway": "the AI gateway",
    "gateway-proxy": "the AI gateway",
    "genai": "evaluation jobs",
    "get-online-trace-details": "traces",
    "get-trace-artifact": "traces",
    "issues": "issues",
    "jobs": "jobs",
    "label-schemas": "label schemas",
    "mcp-servers": "the MCP registry",
    "prompt-optimization": "prompt optimization",
    "review-queues": "review queues",
    "roles": "users and roles without --app-name basic-auth",
    "scorer": "scorers",
    "scorers": "scorers",
    "traces": "traces",
    "ui-telemetry": "telemetry",
    "unified-traces": "traces",
    "users": "users and roles without --app-name basic-auth",
    "webhooks": "webhooks",
    "workspaces": "workspaces",
}


class Endpoint(NamedTuple):
    """What answers a route, and what its callers need."""

    handler: Handler
    permission: Permission
    #: What logs and counts call it.
    name: str = ""


class _Pattern(NamedTuple):
    parts: tuple[str, ...]
    endpoint: Endpoint


class Routes:
    """The routes of one server.

    Args:
        prefix: stands in front of all of them, such as `/mlflow`.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.exact: dict[tuple[str, str], Endpoint] = {}
        self._patterns: dict[tuple[str, int], list[_Pattern]] = {}

    def add(
        self,
        method: str,
        path: str,
        handler: Handler,
        permission: Permission | None,
        *,
        is_prefixed: bool = True,
        name: str | None = None,
    ) -> None:
        """Add a route.

        Args:
            method: the HTTP method; GET answers HEAD too.
            path: `{name}` stands for one segment, `{name...}` at the end for all that follow.
            handler: answers it.
            permission: what its callers need; `PUBLIC` for nothing at all.
            is_prefixed: whether the prefix stands in front of it.
            name: what logs and counts call it, unless the handler has a name; the path if absent.

        Raises:
            TypeError: no permission is declared.
        """
        if permission is None:
            msg = f"the route {method} {path} declares no permission"
            raise TypeError(msg)
        full = self.prefix + path if is_prefixed else path
        endpoint = Endpoint(handler, permission, getattr(handler, "name", name or path))
        if "{" not in path:
            self.exact[method, full] = endpoint
            return
        parts = tuple(full.split("/"))
        rest = -1 if parts[-1].endswith("...}") else len(parts)
        self._patterns.setdefault((method, rest), []).append(_Pattern(parts, endpoint))

    def add_api(
        self, method: str, path: str, handler: Handler, permission: Permission | None
    ) -> None:
        """Add a route below each of the bases of the API."""
        for base in BASES:
            self.add(method, base + path, handler, permission, name=path)

    def find(self, request: Request) -> Endpoint:
        """Return what answers a request, and note the names in its path.

        Raises:
            MlflowException: ENDPOINT_NOT_FOUND; NOT_IMPLEMENTED for what a later version has.
            AnsweredError: the path is known, but not with this method.
        """
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self.exact.get((method, request.path))
        if endpoint is None:
            endpoint = self._named(method, request)
        if endpoint is not None:
            return endpoint
        allowed = self._methods(request)
        if allowed:
            message = f"{request.method} is not answered at {request.path}."
            error = MlflowException(message, ENDPOINT_NOT_FOUND)
            allow = (b"allow", ", ".join(allowed).encode())
            raise AnsweredError(error_answer(error, allow)._replace(status=405))
        later = self._later(request.path)
        if later is not None:
            message = f"This server does not offer {later}; see docs/compatibility.md."
            raise MlflowException(message, NOT_IMPLEMENTED)
        raise MlflowException(f"There is nothing at {request.path}.", ENDPOINT_NOT_FOUND)

    def _later(self, path: str) -> str | None:
        path = path.removeprefix(self.prefix)
        for base in BASES:
            below = f"{base}mlflow/"
            if path.startswith(below):
                return LATER.get(path[len(below) :].partition("/")[0])
        return LATER.get(path)

    def all(self) -> list[tuple[str, str, Endpoint]]:
        """Return (method, path, endpoint) of all routes."""
        found = [(method, path, endpoint) for (method, path), endpoint in self.exact.items()]
        for (method, _), patterns in self._patterns.items():
            found += [(method, "/".join(one.parts), one.endpoint) for one in patterns]
        return found

    def _named(self, method: str, request: Request) -> Endpoint | None:
        segments = request.path.split("/")
        for size in (len(segments), -1):
            for pattern in self._patterns.get((method, size), ()):
                names = _match(pattern.parts, segments)
                if names is not None:
                    request.names = names
                    return pattern.endpoint
        return None

    def _methods(self, request: Request) -> list[str]:
        methods = {method for method, _ in self.exact} | {method for method, _ in self._patterns}
        return sorted(
            method
            for method in methods
            if (method, request.path) in self.exact or self._named(method, request) is not None
        )


def _match(parts: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    names: dict[str, str] = {}
    for place, part in enumerate(parts):
        if part.endswith("...}"):
            names[part[1:-4]] = _decoded("/".join(segments[place:]))
            return names if len(segments) > place else None
        if place >= len(segments):
            return None
        if part.startswith("{"):
            if not segments[place]:
                return None
            names[part[1:-1]] = segments[place]
        elif part != segments[place]:
            return None
    return {name: _decoded(text) for name, text in names.items()}


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise invalid("The path of the request is no UTF-8.") from None
