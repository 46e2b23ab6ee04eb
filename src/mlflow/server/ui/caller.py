"""The frame that asks a scoring server for a page: the one place from which another address is reached."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from mlflow.api.op import READ, STORE, Permission
from mlflow.exceptions import ENDPOINT_NOT_FOUND, MlflowException, invalid
from mlflow.server.messages import HTML, Answer
from mlflow.server.ui.pages import BUNDLE
from mlflow.server.ui.routes import PREFIX

if TYPE_CHECKING:
    from mlflow.server.messages import Request
    from mlflow.server.routes import Routes

# Nothing but an origin: it is written into a policy.
_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?"
)
_SCRIPT = re.compile(r"caller-[A-Za-z0-9]+\.js")
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src {}; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
_BODY = '<!doctype html><meta charset="utf-8"><title>Caller</title><script type="module" src="{}"></script>'


class Caller:
    """The endpoint of this frame."""

    def add_to(self, routes: Routes) -> None:
        """Add the route."""
        routes.add("GET", f"{PREFIX}caller", self.frame, Permission(READ, STORE))

    async def frame(self, request: Request) -> Answer:
        """Return a page whose one program may ask one address, which somebody has typed.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what is no origin; ENDPOINT_NOT_FOUND
                where the pages are not built.
        """
        to = request.query.get("to", [""])[-1]
        if _ORIGIN.fullmatch(to) is None:
            raise invalid(f"{to[:200]!r} is no address of a server: write http://127.0.0.1:5001.")
        scripts = [name for name in self._names() if _SCRIPT.fullmatch(name)]
        if not scripts:
            raise MlflowException("The pages are not built.", ENDPOINT_NOT_FOUND)
        body = _BODY.format(f"../static/{scripts[0]}").encode()
        policy = (b"content-security-policy", _POLICY.format(to).encode())
        return Answer(200, body, (HTML, (b"cache-control", b"no-store"), policy))

    @staticmethod
    def _names() -> list[str]:
        try:
            return sorted(os.listdir(BUNDLE))
        except OSError:
            return []
