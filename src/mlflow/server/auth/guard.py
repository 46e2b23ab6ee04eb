"""What stands in front of a server with users: who asks is recognised, or refused."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from mlflow.exceptions import PERMISSION_DENIED, UNAUTHENTICATED, MlflowException
from mlflow.server.access import (
    SIGN_IN,
    SIGN_OUT,
    STYLE,
    STYLE_POLICY,
    cookie,
    cookie_name,
    cookies_of,
    form_fields,
    read_form,
)
from mlflow.server.auth.caller import ASKING, Asking
from mlflow.server.auth.tokens import SESSION_SECONDS
from mlflow.server.dispatch import CALLER
from mlflow.server.guards import PROBED, answer_with, headers_of, path_of
from mlflow.server.messages import HTML, Answer, error_answer
from mlflow.server.work import BusyError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mlflow.server.auth.users import Users
    from mlflow.server.guards import Headers

#: The header in which pages give back what they read from the cookie of this suffix.
CSRF_HEADER, CSRF = b"x-csrf-token", "-csrf"
_FORM = "-form"
_READS = ("GET", "HEAD", "OPTIONS")
_BROWSERS = b"sec-fetch-mode"
_AGAIN = (b"retry-after", b"1")
_AWAY = MlflowException(
    "The users of this server cannot be looked up now.", "TEMPORARILY_UNAVAILABLE"
)
_SAID = ("INVALID_PARAMETER_VALUE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED")
_logger = logging.getLogger("mlflow.server")


class UserGuard:
    """Lets through who is recognised: by name and password, by a token, by a browser's session.

    Args:
        app: what comes next.
        users: the users.
        prefix: stands in front of all paths.
    """

    def __init__(self, app: ASGIApp, users: Users, prefix: str = "") -> None:
        self._app = app
        self._users = users
        self._prefix = prefix
        self._home = f"{prefix}/"
        self._exempt = {*PROBED, *(prefix + path for path in PROBED)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, answer it, or refuse it."""
        path = path_of(scope)
        if path in self._exempt:
            await self._app(scope, receive, send)
            return
        try:
            headers = headers_of(scope, b"authorization", b"cookie", CSRF_HEADER)
            if path == self._prefix + SIGN_IN:
                await answer_with(await self._sign_in(scope, receive, headers), send)
                return
            caller = await self._caller(headers, scope)
        except MlflowException as error:
            await answer_with(_told(error), send)
            return
        except BusyError:
            busy = MlflowException("The server is busy; try again.", "TEMPORARILY_UNAVAILABLE")
            await answer_with(error_answer(busy, _AGAIN), send)
            return
        except Exception:
            # Nobody is let in whom nobody could look up.
            _logger.exception("the users cannot be looked up")
            await answer_with(error_answer(_AWAY, _AGAIN), send)
            return
        if caller is None:
            await answer_with(self._refusal(headers, scope), send)
        elif path == self._prefix + SIGN_OUT and scope["method"] == "POST":
            await answer_with(await self._sign_out(headers, scope), send)
        else:
            scope[CALLER] = caller.caller.username
            before = ASKING.set(caller)
            try:
                await self._app(scope, receive, send)
            finally:
                ASKING.reset(before)

    async def _caller(self, headers: Headers, scope: Scope) -> Asking | None:
        address = _address(scope)
        sign_in = self._users.sign_in
        given = headers.get(b"authorization")
        if given is not None:
            found = sign_in.known(given)
            if found is None:
                found = await self._users.work(partial(sign_in.by_header, given, address))
            return None if found is None else Asking(found, address)
        session = cookies_of(headers).get(cookie_name(scope, self._home))
        if session is None:
            return None
        found = sign_in.known(b"session " + session.encode("latin-1", "replace"))
        if found is None:
            found = await self._users.work(partial(sign_in.by_session, session))
        if found is not None and scope["method"] not in _READS:
            _check_csrf(session, headers)
        return None if found is None else Asking(found, address)

    def _refusal(self, headers: Headers, scope: Scope) -> Answer:
        if b"text/html" in headers.get(b"accept", b""):
            return self._page(scope, 401)
        error = MlflowException(
            "You are not authenticated. Set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
            UNAUTHENTICATED,
        )
        # To the programs of pages it would have the browser ask, in a window of its own.
        is_page = _BROWSERS in headers
        challenge = () if is_page else ((b"www-authenticate", b'Basic realm="mlflow"'),)
        return error_answer(error, *challenge)

    # --- browsers --------------------------------------------------------------------------------

    async def _sign_in(self, scope: Scope, receive: Receive, headers: Headers) -> Answer:
        if scope["method"] != "POST":
            return self._page(scope, 200)
        form = form_fields(await read_form(receive))
        expected = cookies_of(headers).get(cookie_name(scope, self._home, _FORM), "")
        if not expected or not hmac.compare_digest(
            expected.encode(), form.get("form", "").encode()
        ):
            return self._page(scope, 403, "This page was open for long. Sign in again.")
        address, name = _address(scope), form.get("username", "")
        try:
            session = await self._users.work(
                partial(self._begin, name, form.get("password", ""), address)
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_EXHAUSTED":
                raise
            return self._page(scope, 429, error.message)
        if session is None:
            return self._page(scope, 403, "The name or the password is wrong.")
        kept = (
            cookie(scope, session, self._home, SESSION_SECONDS),
            cookie(scope, csrf_of(session), self._home, SESSION_SECONDS, CSRF, is_hidden=False),
            cookie(scope, "", self._home, 0, _FORM),
        )
        return self._redirect(*kept)

    def _begin(self, username: str, password: str, address: str) -> str | None:
        user = self._users.sign_in.user(username, password, address)
        if user is None:
            return None
        session = self._users.tokens.begin_session(user.id)
        self._users.audit.add(username, "sign_in", address=address)
        return session

    async def _sign_out(self, headers: Headers, scope: Scope) -> Answer:
        session = cookies_of(headers).get(cookie_name(scope, self._home))
        if session is not None:
            await self._users.work(partial(self._users.tokens.end_session, session))
            self._users.sign_in.forget()
        suffixes = ("", CSRF)
        return self._redirect(*(cookie(scope, "", self._home, 0, one) for one in suffixes))

    def _redirect(self, *cookies: bytes) -> Answer:
        location = (b"location", self._home.encode())
        return Answer(303, b"", (location, *((b"set-cookie", one) for one in cookies)))

    def _page(self, scope: Scope, status: int, said: str = "") -> Answer:
        form = secrets.token_urlsafe(24)
        page = _PAGE.format(
            style=STYLE,
            action=escape(self._prefix + SIGN_IN),
            note=f'<p role="alert">{escape(said)}</p>' if said else "",
            form=form,
        )
        headers = (
            HTML,
            (b"content-security-policy", STYLE_POLICY.encode()),
            (b"cache-control", b"no-store"),
            (b"set-cookie", cookie(scope, form, self._home, 3600, _FORM)),
        )
        return Answer(status, page.encode(), headers)


def csrf_of(session: str) -> str:
    """Return what a page gives back with each write: known to those who can read its cookies."""
    return hashlib.sha256(b"csrf " + session.encode("latin-1", "replace")).hexdigest()[:40]


def _check_csrf(session: str, headers: Headers) -> None:
    given = headers.get(CSRF_HEADER, b"")
    if not hmac.compare_digest(given, csrf_of(session).encode()):
        raise MlflowException(
            "The header X-CSRF-Token is missing or wrong. Load the page again.", PERMISSION_DENIED
        )


def _told(error: MlflowException) -> Answer:
    """Return the answer to who is not known yet: of the server's own trouble they hear nothing."""
    if error.error_code in _SAID:
        return error_answer(error)
    _logger.error("the users cannot be looked up: %s", error.message)
    return error_answer(_AWAY, _AGAIN)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title>'
    '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
    '<style>{style}</style></head><body><form method="post" action="{action}">'
    '<h1>Sign in</h1>{note}<input type="hidden" name="form" value="{form}">'
    '<input name="username" required autofocus autocomplete="username" placeholder="Name" '
    'aria-label="Name"><input type="password" name="password" required placeholder="Password" '
    'autocomplete="current-password" aria-label="Password"><button>Sign in</button>'
    "</form></body></html>"
)
