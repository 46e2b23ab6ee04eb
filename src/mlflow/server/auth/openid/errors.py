"""How a sign-in by OpenID Connect fails: what its person is told, and what the operator reads."""

from __future__ import annotations


class AwayError(Exception):
    """The provider could not be asked, or answered what cannot be used; nobody is to blame here.

    Args:
        why: for the log of the server: no codes, no tokens, nothing that the provider made up.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class RefusedError(Exception):
    """Somebody is not let in.

    Args:
        why: for the audit log.
        said: for the person.
        username: who they would have been, where that is known.
    """

    def __init__(self, why: str, said: str, username: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.said = said
        self.username = username
