"""Verifying id tokens: who signed them, for whom, when, and for which sign-in."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from mlflow.server.auth.openid.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow.server.auth.openid.config import OpenIdConfig

#: What a provider may sign with: nothing that needs a secret, and never nothing.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip
#: Seconds by which the clocks of a provider and of this server may differ.
LEEWAY = 60
_KINDS = ("RSA", "EC", "OKP")
#: Bits of the modulus of a key of RSA.
_LEAST_BITS, _MOST_BITS = 2048, 8192
_SAID = "The provider's answer cannot be trusted. Tell who runs this server."


class UnknownKeyError(RefusedError):
    """It was signed with none of the keys: there may be others by now."""


def verify(
    token: str,
    keys: Sequence[dict[str, Any]],
    config: OpenIdConfig,
    nonce: str,
    clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Return the claims of an id token that is good.

    Args:
        token: the token.
        keys: those of the provider, as JSON has them.
        config: whose token it has to be, and for whom.
        nonce: that of the sign-in which it has to be about.
        clock: seconds since the epoch.

    Raises:
        UnknownKeyError: it was signed with none of the keys.
        RefusedError: it is not good, for another reason.
    """
    try:
        found = jwt.decode(token, _usable(keys), algorithms=ALGORITHMS)
        claims: dict[str, Any] = found.claims
        jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=LEEWAY,
            iss={"essential": True},
            aud={"essential": True, "value": config.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True},
        ).validate(claims)
    except (BadSignatureError, InvalidKeyIdError) as error:
        raise UnknownKeyError(_why(error), _SAID) from None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RefusedError(_why(error), _SAID) from None
    # To the library a list with the right one in it is right, too.
    _check(claims["iss"] == config.issuer, "its id token is not good: iss")
    is_nonce = isinstance(claims["nonce"], str) and hmac.compare_digest(
        claims["nonce"].encode("utf-8", "replace"), nonce.encode()
    )
    _check(is_nonce, "its id token is not good: nonce")
    audience, party = claims["aud"], claims.get("azp")
    if (isinstance(audience, list) and len(audience) > 1) or party is not None:
        # Meant for several, or given to one of them: that has to be this server.
        _check(party == config.client_id, "its id token was given to another client (azp)")
    subject = claims["sub"]
    is_name = isinstance(subject, str) and 0 < len(subject) <= 255 and subject.isprintable()
    _check(is_name, "the subject is no short text")
    return claims


def _why(error: Exception) -> str:
    # Its words may repeat what the provider made up; its code does not.
    code = getattr(error, "error", type(error).__name__)
    claim = getattr(error, "claim", None)
    about = f" ({claim})" if isinstance(claim, str) and claim.isalpha() else ""
    return f"its id token is not good: {code}{about}"


def _check(is_right: bool, why: str) -> None:
    if not is_right:
        raise RefusedError(why, _SAID)


def _usable(keys: Sequence[dict[str, Any]]) -> KeySet:
    """Return the keys that a signature may be checked with; others may be there, too.

    Raises:
        InvalidKeyIdError: there is none.
    """
    found = []
    for key in keys:
        if key.get("kty") not in _KINDS or key.get("use", "sig") != "sig":
            continue
        bits = len(str(key.get("n", ""))) * 6
        # Text of base 64 may stand for up to five bits more than there are.
        if key["kty"] == "RSA" and not _LEAST_BITS - 5 <= bits <= _MOST_BITS + 5:
            continue
        try:
            found += KeySet.import_key_set({"keys": [_public(key)]}).keys
        except (JoseError, ValueError, TypeError):
            continue  # of a kind that came later
    if not found:
        raise InvalidKeyIdError
    return KeySet(found)


def _public(key: dict[str, Any]) -> Any:
    # Whoever publishes the private part has made a mistake that is not ours to use.
    return {
        name: key[name] for name in ("kty", "kid", "alg", "n", "e", "crv", "x", "y") if name in key
    }
