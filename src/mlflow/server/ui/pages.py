"""The pages themselves: files of the bundle, or a line that says how to build it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlflow.exceptions import ENDPOINT_NOT_FOUND, MlflowException
from mlflow.server.messages import HTML, Answer
from mlflow.server.routes import PUBLIC

if TYPE_CHECKING:
    from mlflow.server.messages import Request
    from mlflow.server.routes import Routes

BUNDLE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "static")
_INDEX = "index.html"
_TYPES = {
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
}
# What pages may load is said by the guards, for every answer.
_PAGE = (HTML, (b"cache-control", b"no-cache"), (b"vary", b"accept-encoding"))
# Names hold a digest of their content, so what they name never changes.
_FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")

_WITHOUT = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Millstream</title></head>
<body>
<h1>The tracking server is up</h1>
<p>Programs reach it with <code>mlflow.set_tracking_uri("&lt;this address&gt;")</code> or the
variable <code>MLFLOW_TRACKING_URI</code>.</p>
<p>The pages are not built in this clone: run <code>./scripts/ui</code> and load this again.</p>
<p><a href="openapi.json">The API as an OpenAPI document</a></p>
</body>
</html>
"""


class Pages:
    """The files of the bundle.

    Args:
        folder: where they are; the package's own when None.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder or BUNDLE

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        routes.add("GET", "/", self.index, PUBLIC)
        routes.add("GET", "/static/{name}", self.file, PUBLIC)

    async def index(self, request: Request) -> Answer:
        """Return the page in which all others are shown."""
        found = self._read(_INDEX, request)
        if found is None:
            return Answer(200, _WITHOUT, _PAGE)
        body, encoding = found
        return Answer(200, body, (*_PAGE, *encoding))

    async def file(self, request: Request) -> Answer:
        """Return a file of the bundle.

        Raises:
            MlflowException: ENDPOINT_NOT_FOUND.
        """
        name = request.names["name"]
        kind = _TYPES.get(os.path.splitext(name)[1])
        found = self._read(name, request) if kind is not None else None
        if kind is None or found is None:
            raise MlflowException(f"There is nothing at {request.path}.", ENDPOINT_NOT_FOUND)
        body, encoding = found
        vary = (b"vary", b"accept-encoding")
        return Answer(200, body, ((b"content-type", kind), _FOREVER, vary, *encoding))

    def _read(
        self, name: str, request: Request
    ) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]] | None:
        """Return the content and its encoding; None for what is not in the folder itself."""
        try:
            # Only names that the folder lists are opened, whatever the request says.
            names = frozenset(os.listdir(self._folder))
        except OSError:
            return None
        packed = f"{name}.gz"
        if packed in names and b"gzip" in request.headers.get(b"accept-encoding", b""):
            return self._content(packed), ((b"content-encoding", b"gzip"),)
        return (self._content(name), ()) if name in names else None

    def _content(self, name: str) -> bytes:
        with open(os.path.join(self._folder, name), "rb") as file:
            return file.read()
