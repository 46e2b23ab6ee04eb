"""What stands in front of a server with users: who asks is recognised, or refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
import time
from functools import partial
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlflow.exceptions import PERMISSION_DENIED, UNAUTHENTICATED, MlflowException, invalid
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
from mlflow.server.auth.openid.config import BEGIN, CALLBACK
from mlflow.server.auth.openid.errors import AwayError, RefusedError
from mlflow.server.auth.openid.fetch import PATIENCE
from mlflow.server.auth.openid.flow import LIFETIME, Flow, safe_place
from mlflow.server.auth.tokens import SESSION_SECONDS
from mlflow.server.dispatch import CALLER
from mlflow.server.guards import answer_with, headers_of, path_of, probed
from mlflow.server.messages import HTML, Answer, error_answer
from mlflow.server.work import BusyError
from mlflow.web.hosts import read_host

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mlflow.server.auth.openid.login import OpenId
    from mlflow.server.auth.users import Users
    from mlflow.server.guards import Headers

#: The header in which pages give back what they read from the cookie of this suffix.
CSRF_HEADER, CSRF = b"x-csrf-token", "-csrf"
_FORM, _FLOW = "-form", "-openid"
# Every part of a sign-in is bounded; this is for what is not ours, such as names of hosts.
_WAIT = PATIENCE + 5
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
        self._exempt = probed(prefix)

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
            openid = self._users.openid
            if openid is not None and path in (self._prefix + BEGIN, self._prefix + CALLBACK):
                await answer_with(await self._by_provider(openid, path, scope, headers), send)
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
            return self._page(scope, 401, place=_asked(scope))
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
        kept = self._session_cookies(scope, session, SESSION_SECONDS)
        return self._redirect(self._home, *kept)

    def _session_cookies(self, scope: Scope, session: str, seconds: int) -> tuple[bytes, ...]:
        return (
            cookie(scope, session, self._home, seconds),
            cookie(scope, csrf_of(session), self._home, seconds, CSRF, is_hidden=False),
            cookie(scope, "", self._home, 0, _FORM),
        )

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
        ended = (cookie(scope, "", self._home, 0, one) for one in suffixes)
        return self._redirect(self._home, *ended)

    async def _by_provider(
        self, openid: OpenId, path: str, scope: Scope, headers: Headers
    ) -> Answer:
        """Send a browser to the provider, or let in who has come back from there."""
        if scope["method"] != "GET":
            return self._page(scope, 405)
        given, address = form_fields(scope["query_string"]), _address(scope)
        callback = openid.config.redirect_uri or self._callback(scope, headers)
        # Browsers take `__Host-` for the first page alone; this cookie has no other's name.
        ended = cookie(scope, "", "/", 0, _FLOW)
        try:
            if path == self._prefix + BEGIN:
                place = safe_place(given.get("next", ""), self._prefix)
                begun = openid.begin(place, callback, address)
                where, flow = await asyncio.wait_for(begun, _WAIT)
                return self._redirect(where, cookie(scope, flow.kept, "/", LIFETIME, _FLOW))
            kept = cookies_of(headers).get(cookie_name(scope, "/", _FLOW), "")
            begun_before = Flow.read(kept, time.time())
            finished = openid.finish(begun_before, given, callback, address)
            session, seconds = await asyncio.wait_for(finished, _WAIT)
        except RefusedError as error:
            return self._page(scope, 403, error.said, ended)
        except (AwayError, TimeoutError):
            said = f"{openid.config.label} cannot be asked now. Try again in a minute."
            return self._page(scope, 503, said, ended)
        except MlflowException as error:
            if error.error_code != "RESOURCE_EXHAUSTED":
                raise
            return self._page(scope, 429, error.message, ended)
        place = safe_place("" if begun_before is None else begun_before.place, self._prefix)
        return self._redirect(place, ended, *self._session_cookies(scope, session, seconds))

    def _callback(self, scope: Scope, headers: Headers) -> str:
        host = headers.get(b"host", b"").decode("latin-1")
        if read_host(host) is None:
            raise invalid("The header Host is none.")
        return f"{scope['scheme']}://{host}{self._prefix}{CALLBACK}"

    def _redirect(self, place: str, *cookies: bytes) -> Answer:
        kept = [(b"set-cookie", one) for one in cookies]
        headers = ((b"location", place.encode("ascii")), (b"cache-control", b"no-store"))
        return Answer(303, b"", (*headers, *kept))

    def _page(
        self, scope: Scope, status: int, said: str = "", *cookies: bytes, place: str = ""
    ) -> Answer:
        form, openid = secrets.token_urlsafe(24), self._users.openid
        link = ""
        if openid is not None:
            where = self._prefix + BEGIN
            if place not in ("", self._home):
                where += f"?next={quote(place, safe='/')}"
            link = f'<a href="{escape(where)}">Sign in with {escape(openid.config.label)}</a>'
        page = _PAGE.format(
            style=STYLE,
            action=escape(self._prefix + SIGN_IN),
            note=f'<p role="alert">{escape(said)}</p>' if said else "",
            link=link,
            form=form,
            script=_SCRIPT,
        )
        headers = (
            HTML,
            (b"content-security-policy", _POLICY.encode()),
            (b"cache-control", b"no-store"),
            (b"set-cookie", cookie(scope, form, self._home, 3600, _FORM)),
            *((b"set-cookie", one) for one in cookies),
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


def _asked(scope: Scope) -> str:
    """Return what a browser asked to see."""
    if scope["method"] != "GET":
        return ""
    query = scope["query_string"].decode("latin-1")
    return path_of(scope) + (f"?{query}" if query else "")


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


# Pages are told apart by what follows `#`, which no server sees: it is taken along through the
# sign-in, by the form as browsers take it through redirects, by the link as the place to go.
_SCRIPT = (
    "const h=location.hash,f=document.forms[0];if(h){const p=new URL('.',f.action).pathname;"
    "f.action+=h;for(const a of f.querySelectorAll('a'))"
    "a.search='next='+encodeURIComponent(p+h)}"
)
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = f"{STYLE_POLICY}; script-src 'sha256-{_SCRIPT_HASH}'"
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title>'
    '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
    '<style>{style}</style></head><body><form method="post" action="{action}">'
    '<h1>Sign in</h1>{note}{link}<input type="hidden" name="form" value="{form}">'
    '<input name="username" required autofocus autocomplete="username" placeholder="Name" '
    'aria-label="Name"><input type="password" name="password" required placeholder="Password" '
    'autocomplete="current-password" aria-label="Password"><button>Sign in</button>'
    "</form><script>{script}</script></body></html>"
)
