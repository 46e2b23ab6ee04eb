"""One provider: what it says of itself, its keys, and what it says of who has come back from it."""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from mlflow.server.auth.openid.errors import AwayError, RefusedError
from mlflow.server.auth.openid.fetch import Answer, ask, check_address, decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.server.auth.openid.config import OpenIdConfig
    from mlflow.server.auth.openid.fetch import Deadline

_WELL_KNOWN = "/.well-known/openid-configuration"
#: Seconds for which what a provider says of itself, and its keys, are used again.
FRESH = 3600.0
#: Seconds for which one that could not be asked is not asked again.
PAUSE = 5.0
_MOST_KEYS = 100
_LONGEST_TOKEN = 64 * 1024
# Codes of RFC 6749 for what this server sends, not for whoever comes.
_OURS = ("invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope")


class Metadata(NamedTuple):
    """What a provider says of itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    #: Whether the secret goes into the form, where the header is not taken.
    is_posted: bool
    #: Whether it names itself where it sends people back (RFC 9207).
    names_itself: bool


class Given(NamedTuple):
    """What is given for a code."""

    id_token: str
    access_token: str | None


class Provider:
    """Asks one provider.

    Args:
        config: which.
        clock: seconds.
    """

    def __init__(self, config: OpenIdConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, list[dict[str, Any]]] | None = None
        self._failed: tuple[float, str] | None = None

    def metadata(self, deadline: Deadline) -> Metadata:
        """Return what the provider says of itself.

        Raises:
            AwayError: it cannot be asked, or says what cannot be.
        """
        with self._lock:
            found, failed = self._metadata, self._failed
        if found is not None and found[0] > self._clock():
            return found[1]
        if failed is not None and failed[0] > self._clock():
            raise AwayError(failed[1])
        url = self._config.issuer.rstrip("/") + _WELL_KNOWN
        try:
            made = self._read(decoded(self._ask(url, deadline), "description of itself"))
        except AwayError as error:
            with self._lock:
                self._failed = (self._clock() + PAUSE, error.why)
            raise
        with self._lock:
            self._metadata = (self._clock() + FRESH, made)
        return made

    def keys(
        self, deadline: Deadline, *, is_anew: bool = False
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return the keys that the provider signs with, and whether they were fetched just now.

        Args:
            deadline: when they have to be there.
            is_anew: not those of before: there may be others by now.

        Raises:
            AwayError: as `metadata`.
        """
        with self._lock:
            found = self._keys
        if found is not None and found[0] > self._clock() and not is_anew:
            return found[1], False
        answer = self._ask(self.metadata(deadline).jwks_uri, deadline)
        keys = decoded(answer, "set of keys").get("keys")
        if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
            raise AwayError("its set of keys is none")
        made = [one for one in keys if isinstance(one, dict)]
        with self._lock:
            self._keys = (self._clock() + FRESH, made)
        return made, True

    def exchange(self, code: str, verifier: str, redirect_uri: str, deadline: Deadline) -> Given:
        """Return what the provider gives for the code with which somebody came back.

        Raises:
            AwayError: as `metadata`; or it does not know this server.
            RefusedError: it gives nothing for this code.
        """
        metadata, config = self.metadata(deadline), self._config
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if config.client_secret is None:
            form["client_id"] = config.client_id
        elif metadata.is_posted:
            form |= {"client_id": config.client_id, "client_secret": config.client_secret}
        else:
            pair = f"{quote(config.client_id, safe='')}:{quote(config.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body = urlencode(form).encode()
        answer = self._ask(metadata.token_endpoint, deadline, body, headers)
        if answer.status in (400, 401, 403):
            _raise_refusal(answer)
        given = decoded(answer, "token endpoint")
        token, access = given.get("id_token"), given.get("access_token")
        if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
            raise AwayError("it gives no id token; the scope 'openid' may be missing")
        return Given(token, access if isinstance(access, str) else None)

    def userinfo(self, given: Given, deadline: Deadline) -> dict[str, Any]:
        """Return what else the provider says of somebody; nothing where it says nothing.

        Raises:
            AwayError: as `metadata`.
        """
        url, token = self.metadata(deadline).userinfo_endpoint, given.access_token
        if url is None or token is None or not token.isascii() or not token.isprintable():
            return {}
        headers = {"Authorization": f"Bearer {token}"}
        return decoded(self._ask(url, deadline, None, headers), "userinfo endpoint")

    def _ask(
        self,
        url: str,
        deadline: Deadline,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        local = self._config.is_local
        return ask(url, deadline, is_local=local, body=body, headers=headers)

    def _read(self, said: dict[str, Any]) -> Metadata:
        issuer, expected = said.get("issuer"), self._config.issuer
        if issuer != expected:
            hint = ""
            if isinstance(issuer, str) and issuer.rstrip("/") == expected.rstrip("/"):
                hint = ": only the slash at the end differs; write it as the provider does"
            raise AwayError(f"it calls itself by another name than the configured issuer{hint}")
        local = self._config.is_local

        def address(name: str) -> str:
            return check_address(said.get(name), is_local=local)

        methods = said.get("token_endpoint_auth_methods_supported")
        if not isinstance(methods, list):
            methods = ["client_secret_basic"]  # what OpenID Connect Discovery says it means
        taken = {"client_secret_basic", "client_secret_post"} & {str(one) for one in methods}
        if self._config.client_secret is not None and not taken:
            raise AwayError("it takes client secrets neither in a header nor in a form")
        return Metadata(
            address("authorization_endpoint"),
            address("token_endpoint"),
            address("jwks_uri"),
            address("userinfo_endpoint") if said.get("userinfo_endpoint") else None,
            "client_secret_basic" not in taken,
            said.get("authorization_response_iss_parameter_supported") is True,
        )


def _raise_refusal(answer: Answer) -> None:
    code = decoded(Answer(200, answer.body), "token endpoint").get("error")
    if code in _OURS:
        raise AwayError(f"it does not take this server's client id or secret ({code})")
    raise RefusedError(
        "the provider gives nothing for the code",
        "The provider did not confirm this sign-in. Try again.",
    )
