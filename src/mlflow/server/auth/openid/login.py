"""Signing in by OpenID Connect from end to end: to the provider, back from it, and in."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from mlflow.server.auth.audit import DENIED
from mlflow.server.auth.openid.claims import lacking, person_of
from mlflow.server.auth.openid.errors import AwayError, RefusedError
from mlflow.server.auth.openid.fetch import Deadline
from mlflow.server.auth.openid.flow import Flow
from mlflow.server.auth.openid.id_token import UnknownKeyError, verify
from mlflow.server.auth.openid.provider import Provider
from mlflow.server.work import Threads

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from mlflow.server.auth.audit import Audit
    from mlflow.server.auth.openid.config import OpenIdConfig
    from mlflow.server.auth.openid.people import People
    from mlflow.server.auth.throttle import Throttle
    from mlflow.server.auth.tokens import Tokens

    T = TypeVar("T")

# A provider that is slow holds up those who sign in by it, and nobody else.
_THREADS, _WAITING = 4, 64
_LONGEST_CODE = 4096
_STALE = "This sign-in was begun in another window, or long ago. Try again."
# Of RFC 6749 and OpenID Connect: other words might be anybody's.
_SAID_BY_PROVIDERS = (
    "access_denied", "account_selection_required", "consent_required", "interaction_required",
    "invalid_request", "invalid_scope", "login_required", "server_error",
    "temporarily_unavailable", "unauthorized_client", "unsupported_response_type",
)  # fmt: skip
_logger = logging.getLogger("mlflow.server")


class Entered(NamedTuple):
    """Somebody who is in."""

    session: str
    #: How long it lasts.
    seconds: int


class OpenId:
    """Lets people in whom one provider knows.

    Args:
        config: the provider, and what its word counts for.
        people: who of the provider is which user.
        tokens: makes sessions.
        throttle: who has to wait.
        audit: told how it ended.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        config: OpenIdConfig,
        people: People,
        tokens: Tokens,
        throttle: Throttle,
        audit: Audit,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.provider = Provider(config)
        self._people = people
        self._tokens = tokens
        self._throttle = throttle
        self._audit = audit
        self._clock = clock
        self._threads = Threads(_THREADS, _WAITING, "openid")

    def close(self) -> None:
        """Give back threads."""
        self._threads.close()

    def begin(self, place: str, callback: str, address: str) -> asyncio.Future[tuple[str, Flow]]:
        """Return where a browser is sent to sign in, and what it keeps meanwhile.

        Args:
            place: where it goes afterwards.
            callback: the address at which it comes back.
            address: where the browser is.

        Raises:
            AwayError: the provider cannot be asked.
            MlflowException: RESOURCE_EXHAUSTED: too many failures.
        """
        return self._work(partial(self._begin, place, callback, address, Deadline()))

    def finish(
        self, flow: Flow | None, given: Mapping[str, str], callback: str, address: str
    ) -> asyncio.Future[Entered]:
        """Return the session of somebody who has come back.

        Args:
            flow: what their browser has kept; None for nothing.
            given: what the provider sent with them.
            callback: as when they left.
            address: where the browser is.

        Raises:
            AwayError: the provider cannot be asked.
            RefusedError: they are not let in.
            MlflowException: RESOURCE_EXHAUSTED: too many failures.
        """
        return self._work(partial(self._finish, flow, given, callback, address, Deadline()))

    def _work(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return self._threads.submit(call)

    # --- in the threads --------------------------------------------------------------------------

    def _begin(
        self, place: str, callback: str, address: str, deadline: Deadline
    ) -> tuple[str, Flow]:
        self._throttle.check("", address)
        try:
            endpoint = self.provider.metadata(deadline).authorization_endpoint
        except AwayError as error:
            raise self._noted(error) from None
        flow = Flow.begin(self._clock(), place)
        query = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": callback,
            "scope": " ".join(self.config.scopes),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", flow

    def _finish(
        self,
        flow: Flow | None,
        given: Mapping[str, str],
        callback: str,
        address: str,
        deadline: Deadline,
    ) -> Entered:
        self._throttle.check("", address)
        try:
            claims = self._claims(flow, given, callback, deadline)
            person = person_of(claims, self.config)
            user, is_new = self._people.admit(person, self.config)
        except RefusedError as error:
            self._throttle.failed("", address)
            about = f"openid: {error.why}"
            self._audit.try_to_add(error.username, "sign_in", about, DENIED, address)
            raise
        except AwayError as error:
            raise self._noted(error) from None
        seconds = self.config.session_hours * 3600
        session = self._tokens.begin_session(user.id, seconds)
        if is_new:
            about = f"username={user.username} openid subject={person.subject}"
            self._audit.add(user.username, "create_user", about, address=address)
        self._audit.add(user.username, "sign_in", "openid", address=address)
        return Entered(session, seconds)

    def _claims(
        self, flow: Flow | None, given: Mapping[str, str], callback: str, deadline: Deadline
    ) -> dict[str, Any]:
        """Return what the provider says of who has come back.

        Raises:
            AwayError, RefusedError: as `finish`.
        """
        if "error" in given:
            # First: some providers leave the state out here. Nothing comes of it but words.
            said = given["error"] if given["error"] in _SAID_BY_PROVIDERS else "an error"
            raise RefusedError(
                f"the provider says {said}", f"The provider did not sign you in: {said}."
            )
        if flow is None or not flow.fits(given.get("state", "")):
            raise RefusedError("the state is not the one of this browser", _STALE)
        issuer = given.get("iss")
        metadata = self.provider.metadata(deadline)
        if issuer != self.config.issuer and (issuer is not None or metadata.names_itself):
            raise RefusedError("the answer comes from another provider (iss)", _STALE)
        code = given.get("code", "")
        if not code or len(code) > _LONGEST_CODE:
            raise RefusedError("there is no code", _STALE)
        found = self.provider.exchange(code, flow.verifier, callback, deadline)
        claims = self._verified(found.id_token, flow.nonce, deadline)
        if lacking(claims, self.config):
            more = self.provider.userinfo(found, deadline)
            if more and more.get("sub") != claims["sub"]:
                raise RefusedError("userinfo is about somebody else", _STALE)
            claims = {**more, **claims}
        return claims

    def _verified(self, token: str, nonce: str, deadline: Deadline) -> dict[str, Any]:
        keys, is_fresh = self.provider.keys(deadline)
        try:
            return verify(token, keys, self.config, nonce, self._clock)
        except UnknownKeyError:
            if is_fresh:
                raise
        # Providers change their keys without a word.
        keys, _ = self.provider.keys(deadline, is_anew=True)
        return verify(token, keys, self.config, nonce, self._clock)

    def _noted(self, error: AwayError) -> AwayError:
        _logger.error(
            "Nobody can sign in by the OpenID Connect provider %s: %s.",
            self.config.issuer,
            error.why,
        )
        return error
