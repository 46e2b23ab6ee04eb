"""One sign-in under way: what its browser keeps, and what the provider is shown of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

#: Seconds that somebody may take at the provider.
LIFETIME = 600
_LONGEST_PLACE = 1000
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


class Flow(NamedTuple):
    """A sign-in that a browser has begun.

    The browser keeps a random secret in a cookie. State, nonce and the verifier of PKCE are digests
    of it under different words, so what one sees says nothing of the others, every process of every
    server can check them, and there is nothing to keep here: no key, no row, no memory.
    """

    secret: str
    #: Seconds since the epoch.
    started: int
    #: Where on this server they wanted to go.
    place: str

    @classmethod
    def begin(cls, now: float, place: str) -> Flow:
        """Return a new one."""
        return cls(secrets.token_urlsafe(32), int(now), place)

    @classmethod
    def read(cls, kept: str, now: float) -> Flow | None:
        """Return the one that a browser has kept; None for one that is none, or too old."""
        secret, _, rest = kept.partition(".")
        started, _, place = rest.partition(".")
        if not _SECRET.fullmatch(secret) or not _DIGITS.fullmatch(started):
            return None
        # A little before now: another server's clock.
        if not -LIFETIME <= now - int(started) <= LIFETIME:
            return None
        try:
            text = base64.urlsafe_b64decode(place.encode("ascii")).decode("ascii")
        except (binascii.Error, ValueError):
            return None
        return cls(secret, int(started), text)

    @property
    def kept(self) -> str:
        """What the browser keeps."""
        place = base64.urlsafe_b64encode(self.place.encode("ascii")).decode("ascii")
        return f"{self.secret}.{self.started}.{place}"

    @property
    def state(self) -> str:
        """What the provider sends back with the browser."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the provider writes into the id token."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What proves, when the code is exchanged, who asked for it (RFC 7636)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What the provider holds the verifier against."""
        return _text(hashlib.sha256(self.verifier.encode("ascii")).digest())

    def fits(self, state: str) -> bool:
        """Tell whether a browser came back from this sign-in."""
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))

    def _derived(self, word: str) -> str:
        said = f"{word}.{self.started}.{self.place}".encode()
        return _text(hmac.new(self.secret.encode("ascii"), said, hashlib.sha256).digest())


def safe_place(text: str, prefix: str) -> str:
    """Return where somebody goes after signing in: a path of this server, the first page otherwise.

    Args:
        text: where they say.
        prefix: stands in front of all paths of this server.
    """
    home = f"{prefix}/"
    is_plain = len(text) <= _LONGEST_PLACE and re.fullmatch(r"[!-~]+", text, re.ASCII)
    if not is_plain or "\\" in text or not text.startswith(home):
        return home
    # Two slashes in front name another server.
    return home if text.startswith("//") else text


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
