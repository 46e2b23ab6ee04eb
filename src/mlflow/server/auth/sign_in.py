"""Recognising who asks: passwords, tokens and sessions, remembered for a second."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
from typing import TYPE_CHECKING

from mlflow.server.auth.audit import DENIED
from mlflow.server.auth.tokens import PREFIX, SESSION, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.auth.accounts import Accounts
    from mlflow.server.auth.audit import Audit
    from mlflow.server.auth.caller import Caller
    from mlflow.server.auth.entities import User
    from mlflow.server.auth.throttle import Throttle
    from mlflow.server.auth.tokens import Tokens

#: Seconds for which what is known of a caller may be old, where another process changes it.
FRESH = 1.0
_KEPT = 5_000
_LONGEST = 4096


class SignIn:
    """Recognises the users of one database.

    Args:
        accounts: the users.
        tokens: their tokens and sessions.
        throttle: who has to wait.
        audit: told of failures.
        clock: seconds.
    """

    def __init__(
        self,
        accounts: Accounts,
        tokens: Tokens,
        throttle: Throttle,
        audit: Audit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._throttle = throttle
        self._audit = audit
        self._clock = clock
        self._lock = threading.Lock()
        # What callers show is remembered under this key, which is nowhere else.
        self._key = secrets.token_bytes(32)
        self._fresh: dict[bytes, tuple[Caller, float]] = {}
        # Passwords that were right, with what was kept of them then: to compute one takes long.
        self._right: dict[bytes, tuple[int, str]] = {}
        self._changes = 0

    def known(self, shown: bytes) -> Caller | None:
        """Return who shows something that was looked at a moment ago; None when it has to be."""
        found = self._fresh.get(self._name(shown))
        return found[0] if found is not None and found[1] > self._clock() else None

    def forget(self) -> None:
        """Look at everything anew: something has changed."""
        with self._lock:
            self._changes += 1
            self._fresh.clear()

    def by_header(self, given: bytes, address: str) -> Caller | None:
        """Return who sent an Authorization header; None for nobody.

        Raises:
            MlflowException: RESOURCE_EXHAUSTED: too many failures.
        """
        scheme, _, rest = given.partition(b" ")
        rest = rest.strip()
        if len(given) > _LONGEST:
            return None
        if scheme.lower() == b"bearer":
            return self._by_token(TOKEN, rest.decode("latin-1"), given)
        pair = _pair(rest) if scheme.lower() == b"basic" else None
        if pair is None:
            return None
        if pair[1].startswith(PREFIX):
            # A token as a password, for programs that know no other way; the name is its owner's.
            caller = self._by_token(TOKEN, pair[1], given)
            return caller if caller is not None and caller.username == pair[0] else None
        return self._by_password(*pair, given, address)

    def by_session(self, session: str) -> Caller | None:
        """Return whose browser shows a session; None for nobody's."""
        return self._by_token(SESSION, session, b"session " + session.encode("latin-1", "replace"))

    def user(self, username: str, password: str, address: str) -> User | None:
        """Return the user with a name and a password; None for nobody, which is noted.

        Raises:
            MlflowException: RESOURCE_EXHAUSTED: too many failures.
        """
        self._throttle.check(username, address)
        found = self._accounts.with_password(username, password)
        if found is None:
            self._throttle.failed(username, address)
            self._audit.try_to_add(username, "sign_in", "", DENIED, address)
        else:
            self._throttle.succeeded(username, address)
        return found

    def _by_password(
        self, username: str, password: str, given: bytes, address: str
    ) -> Caller | None:
        name, changes = self._name(given), self._changes
        right = self._right.get(name)
        if right is not None:
            found = self._accounts.caller(right[0])
            if found is not None and found[1] == right[1]:
                return self._remembered(name, found[0], changes)
        user = self.user(username, password, address)
        found = None if user is None else self._accounts.caller(user.id)
        if user is None or found is None:
            return None
        with self._lock:
            while len(self._right) >= _KEPT:
                self._right.pop(next(iter(self._right)))
            self._right[name] = (user.id, user.password_hash)
        return self._remembered(name, found[0], changes)

    def _by_token(self, kind: str, token: str, given: bytes) -> Caller | None:
        changes = self._changes
        shown = self._tokens.find(kind, token)
        found = None if shown is None else self._accounts.caller(shown.user_id, shown.scope)
        return None if found is None else self._remembered(self._name(given), found[0], changes)

    def _remembered(self, name: bytes, caller: Caller, changes: int) -> Caller:
        with self._lock:
            if changes != self._changes:
                return caller  # something changed while it was looked at
            while len(self._fresh) >= _KEPT:
                self._fresh.pop(next(iter(self._fresh)))
            self._fresh[name] = (caller, self._clock() + FRESH)
        return caller

    def _name(self, shown: bytes) -> bytes:
        return hmac.new(self._key, shown, hashlib.sha256).digest()


def _pair(encoded: bytes) -> tuple[str, str] | None:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon and name and password else None
