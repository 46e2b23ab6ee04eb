"""HTML files of runs as pages inside a page: their programs run, with no origin and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow.api.op import READ, RUN, Permission
from mlflow.exceptions import invalid
from mlflow.server.ui.routes import PREFIX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mlflow.server.messages import Answer, Request
    from mlflow.server.routes import Routes

    SendFile = Callable[[Request], Awaitable[Answer]]

# What a chart saved as HTML needs: its own scripts and styles, pictures that are in the file. The
# sandbox gives it an origin of its own, so cookies, storage and answers of this server are not
# within its reach; `default-src` leaves it no way to send anything anywhere.
_POLICY = (
    b"sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: "
    b"blob:; style-src 'unsafe-inline' data:; img-src data: blob:; font-src data:; media-src data: "
    b"blob:; worker-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_OURS = (b"content-type", b"content-disposition", b"content-security-policy")
_ENDINGS = (".html", ".htm")


class FramedPages:
    """The endpoint of such files.

    Args:
        send: answers with a file of a run, after asking whether that is permitted.
    """

    def __init__(self, send: SendFile) -> None:
        self._send = send

    def add_to(self, routes: Routes) -> None:
        """Add the route."""
        routes.add("GET", PREFIX + "page", self.page, Permission(READ, RUN, "run_id"))

    async def page(self, request: Request) -> Answer:
        """Send an HTML file of a run as a page.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a file of another kind.
        """
        path = request.query.get("path", [""])[-1]
        if not path.lower().endswith(_ENDINGS):
            raise invalid(f"'{path[:200]}' is no page: its name does not end with .html.")
        answer = await self._send(request)
        if answer.status not in (200, 206):
            return answer
        kept = [one for one in answer.headers if one[0] not in _OURS]
        kind = (b"content-type", b"text/html; charset=utf-8")
        return answer._replace(headers=(*kept, kind, (b"content-security-policy", _POLICY)))
