"""Passwords: which are accepted, and how they are kept: as scrypt, in the form that MLflow reads."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from mlflow.exceptions import invalid

SHORTEST = 12
_LONGEST = 1024
# What MLflow shipped for years as the password of its first administrator.
KNOWN = ("password1234",)
# 32 MiB of memory, three times over: what OWASP asks for. MLflow verifies it, too.
_METHOD = "scrypt:32768:8:3"
_MOST_MEMORY, _MOST_WORK = 256 * 2**20, 2**21
_MOST_ROUNDS = 10_000_000


def check_password(password: str) -> None:
    """Check a new password.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for one that is too short, or that everybody knows.
    """
    if len(password) < SHORTEST:
        raise invalid(f"Password must be at least {SHORTEST} characters.")
    if len(password) > _LONGEST:
        raise invalid(f"Password must be at most {_LONGEST} characters.")
    if password in KNOWN or len(set(password)) < 4:
        raise invalid("Password is one that can be guessed. Choose another.")


def hash_password(password: str) -> str:
    """Return what is kept of a password: `method$salt$digest`."""
    salt = secrets.token_hex(16)
    return f"{_METHOD}${salt}${_digest(_METHOD, salt, password)}"


def verify(password: str, kept: str) -> bool:
    """Tell whether a password is the one of which something was kept.

    Args:
        password: what somebody gave.
        kept: of `hash_password`, or of an MLflow (scrypt or PBKDF2). What cannot be read fits none.
    """
    method, _, rest = kept.partition("$")
    salt, _, expected = rest.partition("$")
    if len(password) > _LONGEST or password in KNOWN or not salt or not expected:
        return False
    try:
        found = _digest(method, salt, password)
    except (ValueError, TypeError, MemoryError, OverflowError):
        return False
    return hmac.compare_digest(found, expected)


def is_current(kept: str) -> bool:
    """Tell whether a password is kept as new ones are."""
    return kept.startswith(f"{_METHOD}$")


#: Fits no password: as much work as a real one, for names that do not exist.
NOBODY = f"{_METHOD}${'0' * 32}${'0' * 128}"


def _digest(method: str, salt: str, password: str) -> str:
    name, *figures = method.split(":")
    data = password.encode("utf-8", "surrogatepass")
    if name == "scrypt":
        n, r, p = (int(one) for one in figures or ("32768", "8", "1"))
        if n * r * p > _MOST_WORK:
            msg = "more work than any of ours"
            raise ValueError(msg)
        made = hashlib.scrypt(data, salt=salt.encode(), n=n, r=r, p=p, maxmem=_MOST_MEMORY)
    elif name == "pbkdf2":
        function = figures[0] if figures else "sha256"
        rounds = int(figures[1]) if len(figures) > 1 else 1_000_000
        if rounds > _MOST_ROUNDS:
            msg = "more rounds than any of ours"
            raise ValueError(msg)
        made = hashlib.pbkdf2_hmac(function, data, salt.encode(), rounds)
    else:
        msg = f"passwords are not kept as {name!r}"
        raise ValueError(msg)
    return made.hex()
