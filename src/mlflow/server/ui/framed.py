"""Pages and PDF documents of runs and models inside a page: with no origin and no network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlflow.api.op import LOGGED_MODEL, READ, RUN, Permission
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
# The browser's viewer draws a document; nothing in it may do anything else.
_STILL = (
    b"sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
    b"base-uri 'none'; frame-ancestors 'self'"
)
_PAGE = (b"text/html; charset=utf-8", _POLICY)
_KINDS = {".html": _PAGE, ".htm": _PAGE, ".pdf": (b"application/pdf", _STILL)}
_OURS = (b"content-type", b"content-disposition", b"content-security-policy")


class FramedPages:
    """The endpoint of such files.

    Args:
        of_run: answers with a file of a run, after asking whether that is permitted.
        of_model: the same for a logged model.
    """

    def __init__(self, of_run: SendFile, of_model: SendFile) -> None:
        self._of_run = of_run
        self._of_model = of_model

    def add_to(self, routes: Routes) -> None:
        """Add the route."""
        routes.add("GET", PREFIX + "page", self.page, Permission(READ, RUN, "run_id"))
        of_model = Permission(READ, LOGGED_MODEL, "model_id")
        routes.add("GET", PREFIX + "model-page/{model_id}", self.page_of_model, of_model)

    async def page(self, request: Request) -> Answer:
        """Send an HTML file or a PDF document of a run as a page.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a file of another kind.
        """
        return await self._page(request, "path", self._of_run)

    async def page_of_model(self, request: Request) -> Answer:
        """Send such a file of a logged model.

        Raises:
            MlflowException: as `page`.
        """
        return await self._page(request, "artifact_file_path", self._of_model)

    async def _page(self, request: Request, argument: str, send: SendFile) -> Answer:
        path = request.query.get(argument, [""])[-1]
        found = _KINDS.get(os.path.splitext(path.lower())[1])
        if found is None:
            endings = ", ".join(_KINDS)
            raise invalid(f"'{path[:200]}' is no page: its name ends with none of {endings}.")
        answer = await send(request)
        if answer.status not in (200, 206):
            return answer
        kind, policy = found
        kept = [one for one in answer.headers if one[0] not in _OURS]
        told = ((b"content-type", kind), (b"content-security-policy", policy))
        return answer._replace(headers=(*kept, *told))
