"""Tokens that open a server: read from a file, presented by programs and, once, by browsers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
import time
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from mlflow.exceptions import UNAUTHENTICATED, MlflowException, invalid
from mlflow.server.dispatch import CALLER
from mlflow.server.guards import answer_with, headers_of, path_of, probed
from mlflow.server.messages import HTML, Answer, error_answer
from mlflow.web.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from mlflow.server.guards import Headers

SIGN_IN = "/login"
SIGN_OUT = "/logout"
#: A token is what keeps strangers out: as long as one that cannot be guessed.
SHORTEST = 20
_SESSION = 30 * 24 * 3600
_LINK = 600
_MAX_FORM = 4096
_MAX_SECRETS = 1 << 20
_KNOWN_BAD = ("password1234", "password", "changeme")


def check_exposure(host: str, *, has_tokens: bool, is_insecure: bool) -> None:
    """Check that a server which other machines reach asks who they are.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when it would not.
    """
    if has_tokens or is_insecure or is_loopback(host):
        return
    raise invalid(
        f"--host {host} lets other machines reach this server, and it asks nobody for a token. "
        "Give --token-file FILE (made with a random token when it does not exist), or "
        "--app-name basic-auth for users with names and permissions, or, where everybody who "
        "reaches it may read and change everything, --insecure-no-auth (or "
        "MILLSTREAM_INSECURE_NO_AUTH=true)."
    )


def read_tokens(path: str) -> tuple[list[str], bool]:
    """Return the tokens in a file, one a line, and whether the file was made just now.

    A file that does not exist is made, for its owner only, with one random token. Empty lines and
    those that start with `#` are passed over.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a file without tokens, with one that can be
            guessed, or that other users may read.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _tokens_of(path), False
    except OSError as error:
        raise invalid(f"The token file '{path}' cannot be made: {error.strerror}.") from None
    token = secrets.token_urlsafe(32)
    with os.fdopen(file, "w", encoding="ascii") as made:
        made.write(f"{token}\n")
    return [token], True


def read_private(path: str, what: str) -> str:
    """Return the text of a file that holds a secret.

    Args:
        path: the file.
        what: what it holds, for messages.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for one that cannot be read, or that others may.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            text = file.read(_MAX_SECRETS)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise invalid(f"The {what} file '{path}' cannot be read: {reason}.") from None
    # One that a machine's keeper has put there is read as a member of its group.
    ours = os.name == "nt" or found.st_uid == os.geteuid()
    others = stat.S_IRWXG | stat.S_IRWXO if ours else stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
    if os.name != "nt" and found.st_mode & others:
        raise invalid(f"Other users may read the {what} file '{path}': run chmod 600 on it.")
    return text


def _tokens_of(path: str) -> list[str]:
    lines = [line.strip() for line in read_private(path, "token").splitlines()]
    tokens = [line for line in lines if line and not line.startswith("#")]
    if not tokens:
        raise invalid(f"The token file '{path}' has no token in it; remove it to have one made.")
    for token in tokens:
        if len(token) < SHORTEST or token.lower() in _KNOWN_BAD:
            raise invalid(
                f"A token in '{path}' is shorter than {SHORTEST} characters and could be guessed; "
                "remove the file to have one made."
            )
    return tokens


class Tokens:
    """The tokens of a server, kept as digests, and what is derived from them.

    Args:
        tokens: the tokens.
        clock: seconds since the epoch.
    """

    def __init__(self, tokens: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._digests = [_digest(token) for token in tokens]
        self._clock = clock
        self._links: dict[bytes, float] = {}

    def caller(self, token: str) -> str | None:
        """Return a name for who presents a token, None for a wrong one."""
        given = _digest(token)
        # All are compared, so that the time tells nothing.
        found = [one for one in self._digests if hmac.compare_digest(one, given)]
        return found[0].hex()[:16] if found else None

    def session(self, caller: str) -> str:
        """Return what the browser of a caller presents from now on."""
        end = f"{caller}.{int(self._clock()) + _SESSION}"
        return f"{end}.{self._signature(caller, end)}"

    def caller_of_session(self, session: str) -> str | None:
        """Return who a browser belongs to, None when it was not signed in, or long ago."""
        end, _, signature = session.rpartition(".")
        caller, _, until = end.partition(".")
        expected = self._signature(caller, end)
        if not expected or not hmac.compare_digest(expected, signature):
            return None
        return caller if until.isdigit() and int(until) > self._clock() else None

    def _signature(self, caller: str, text: str) -> str:
        # Signed with the token: no further secret, and it ends with the token.
        for digest in self._digests:
            if digest.hex()[:16] == caller:
                return hmac.new(digest, text.encode(), hashlib.sha256).hexdigest()
        return ""

    def make_link(self) -> str:
        """Return the code of a link that signs a browser in, once, within ten minutes."""
        code = secrets.token_urlsafe(24)
        self._links[_digest(code)] = self._clock() + _LINK
        return code

    def caller_of_link(self, code: str) -> str | None:
        """Return who signs in with a link, None when it was used, or is too old."""
        until = self._links.pop(_digest(code), 0.0)
        return self._digests[0].hex()[:16] if until > self._clock() else None


class AccessGuard:
    """Lets through who presents a token, as a bearer, as a password or as a signed-in browser.

    Args:
        app: what comes next.
        tokens: the tokens.
        prefix: stands in front of all paths.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, prefix: str = "") -> None:
        self._app = app
        self._tokens = tokens
        self._prefix = prefix
        self._exempt = probed(prefix)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, answer it, or refuse it."""
        path = path_of(scope)
        if path in self._exempt:
            await self._app(scope, receive, send)
            return
        try:
            headers = headers_of(scope, b"authorization", b"cookie")
        except MlflowException as error:
            await answer_with(error_answer(error), send)
            return
        if path == self._prefix + SIGN_IN:
            await answer_with(await self._sign_in(scope, receive), send)
            return
        caller = self._caller(headers, scope)
        if caller is None:
            await answer_with(self._refusal(headers), send)
        elif path == self._prefix + SIGN_OUT and scope["method"] == "POST":
            await answer_with(self._redirect(cookie(scope, "", self._home, 0)), send)
        else:
            scope[CALLER] = caller
            await self._app(scope, receive, send)

    @property
    def _home(self) -> str:
        return f"{self._prefix}/"

    def _caller(self, headers: Headers, scope: Scope) -> str | None:
        given = headers.get(b"authorization")
        if given is not None:
            token = _token_in(given)
            return None if token is None else self._tokens.caller(token)
        session = cookies_of(headers).get(cookie_name(scope, self._home))
        return None if session is None else self._tokens.caller_of_session(session)

    def _refusal(self, headers: Headers) -> Answer:
        if b"text/html" in headers.get(b"accept", b""):
            return _page(f"{self._prefix}{SIGN_IN}", 401)
        error = MlflowException(
            "You are not authenticated. Give this server's token: set MLFLOW_TRACKING_TOKEN, or "
            "MLFLOW_TRACKING_PASSWORD with any MLFLOW_TRACKING_USERNAME.",
            UNAUTHENTICATED,
        )
        return error_answer(error, (b"www-authenticate", b'Bearer realm="mlflow"'))

    # --- browsers --------------------------------------------------------------------------------

    async def _sign_in(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] == "POST":
            form = form_fields(await read_form(receive))
            caller = self._tokens.caller(form.get("token", ""))
        else:
            code = form_fields(scope["query_string"]).get("code", "")
            caller = self._tokens.caller_of_link(code)
            if caller is None and not code:
                return _page(f"{self._prefix}{SIGN_IN}", 200)
        if caller is None:
            said = "That is not this server's token, or the link was used before."
            return _page(f"{self._prefix}{SIGN_IN}", 403, said)
        return self._redirect(cookie(scope, self._tokens.session(caller), self._home, _SESSION))

    def _redirect(self, cookie: bytes) -> Answer:
        location = (b"location", self._home.encode())
        return Answer(303, b"", (location, (b"set-cookie", cookie)))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _token_in(authorization: bytes) -> str | None:
    scheme, _, given = authorization.partition(b" ")
    given = given.strip()
    if scheme.lower() == b"bearer":
        return given.decode("latin-1")
    if scheme.lower() != b"basic":
        return None
    try:
        pair = base64.b64decode(given, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return pair.partition(":")[2] or None


def cookie_name(scope: Scope, home: str, suffix: str = "") -> str:
    """Return the name of a cookie of this server."""
    # A name that begins so is taken by browsers from this very host over TLS only.
    prefix = "__Host-" if scope["scheme"] == "https" and home == "/" else ""
    return f"{prefix}millstream{suffix}"


def cookie(
    scope: Scope, value: str, home: str, age: int, suffix: str = "", *, is_hidden: bool = True
) -> bytes:
    """Return the header that has a browser keep a cookie, which only this server gets back.

    Args:
        scope: of the request.
        value: what is kept.
        home: the path of the server.
        age: seconds; 0 to have it removed.
        suffix: tells this server's cookies apart.
        is_hidden: whether the programs of pages cannot read it.
    """
    hidden = "; HttpOnly" if is_hidden else ""
    secure = "; Secure" if scope["scheme"] == "https" else ""
    name = cookie_name(scope, home, suffix)
    text = f"{name}={value}; Path={home}; Max-Age={age}{hidden}; SameSite=Lax{secure}"
    return text.encode("ascii")


def cookies_of(headers: Headers) -> dict[str, str]:
    """Return the cookies of a request; none of them where one cannot be read."""
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return {}
    return {name: one.value for name, one in found.items()}


def form_fields(query: bytes) -> dict[str, str]:
    """Return the fields of a query or a form; none of them where it cannot be read."""
    try:
        found = parse_qs(query.decode("latin-1"), max_num_fields=16, errors="strict")
    except ValueError:
        return {}
    return {name: values[-1] for name, values in found.items()}


async def read_form(receive: Receive) -> bytes:
    """Return the body of a small form; an empty one instead of a large one."""
    body = b""
    while len(body) <= _MAX_FORM:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunk: bytes = message.get("body", b"")
        body += chunk
        if not message.get("more_body", False):
            return body
    return b""


STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh}"
    "form{display:grid;gap:.75rem;width:min(20rem,100vw - 2rem)}h1{font-size:1.1rem;margin:0}p{margin:0}"
    "input,button,a{font:inherit;padding:.5rem .6rem;border:1px solid #8888;border-radius:6px}"
    "a{color:inherit;text-align:center;text-decoration:none;overflow-wrap:anywhere}"
    "a:hover,button:hover{border-color:currentColor}form>a{margin-bottom:.5rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
STYLE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def _page(action: str, status: int, said: str = "") -> Answer:
    note = said or "Paste the token that the server printed, or that its operator gave you."
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f'<style>{STYLE}</style></head><body><form method="post" action="{escape(action)}">'
        f'<h1>Sign in</h1><p>{escape(note)}</p><input type="password" name="token" required '
        'autofocus autocomplete="current-password" aria-label="Token"><button>Sign in</button>'
        "</form></body></html>"
    )
    policy = (b"content-security-policy", STYLE_POLICY.encode())
    return Answer(status, page.encode(), (HTML, policy, (b"cache-control", b"no-store")))
