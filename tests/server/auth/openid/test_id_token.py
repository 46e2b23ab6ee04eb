"""Id tokens: what they have to say, and who may have signed them."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from joserfc import jwk

from mlflow.server.auth.openid.config import OpenIdConfig
from mlflow.server.auth.openid.errors import RefusedError
from mlflow.server.auth.openid.id_token import UnknownKeyError, verify

from .lying import CLIENT, SECRET, b64, key, signed

NOW = 1_700_000_000
CONFIG = OpenIdConfig("https://id.example.org", CLIENT, SECRET)
GOOD = {
    "iss": "https://id.example.org", "aud": CLIENT, "sub": "sub-1", "exp": NOW + 300, "iat": NOW,
    "nonce": "n",
}  # fmt: skip


def public(*keys):
    return [one.as_dict(private=False) for one in keys]


def verified(token, keys=None):
    return verify(token, keys or public(key("one")), CONFIG, "n", lambda: NOW)


def changed(claims):
    return {name: value for name, value in {**GOOD, **claims}.items() if value is not None}


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example"}, {"iss": "https://id.example.org/"}, {"iss": None}, {"iss": ["https://id.example.org"]},
     {"aud": "another"}, {"aud": []}, {"aud": None}, {"aud": [CLIENT, "another"]}, {"aud": {CLIENT: 1}},
     {"aud": [CLIENT, "another"], "azp": "another"}, {"azp": "another"}, {"azp": [CLIENT]},
     {"exp": NOW - 61}, {"exp": None}, {"exp": "soon"}, {"exp": True}, {"exp": -1}, {"iat": NOW + 3600},
     {"iat": None}, {"iat": "now"}, {"nbf": NOW + 3600}, {"nbf": "x"}, {"nonce": "another"}, {"nonce": None},
     {"nonce": ["n"]}, {"nonce": {"n": 1}}, {"nonce": ""}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256},
     {"sub": "a\x00b"}, {"sub": ["sub-1"]}], ids=str,
)  # fmt: skip
def test_what_is_wrong(claims):
    with pytest.raises(RefusedError, match="id token|subject"):
        verified(signed(changed(claims), key("one")))


@pytest.mark.parametrize(
    "claims", [{}, {"exp": NOW - 20}, {"iat": NOW + 30, "nbf": NOW + 30}, {"aud": [CLIENT]}, {"azp": CLIENT},
               {"aud": ["another", CLIENT], "azp": CLIENT}, {"sub": "x" * 255}], ids=str
)  # fmt: skip
def test_what_is_right(claims):
    """Clocks differ a little, and a token may be for several."""
    assert changed(claims) == verified(signed(changed(claims), key("one")))


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
def test_kinds_of_keys(kind):
    one = key(f"one-{kind}", kind)
    assert "sub-1" == verified(signed(GOOD, one), public(key("two"), one))["sub"]


def test_a_key_without_a_name():
    """Some providers have one key, which they do not name."""
    bare = {name: value for name, value in public(key("one"))[0].items() if name != "kid"}
    one = jwk.RSAKey.import_key({**key("one").as_dict(private=True), "kid": "one"})
    token = signed(GOOD, one)
    with pytest.raises(UnknownKeyError):
        verified(token, [bare])  # it says which, and there is none of that name
    header = b64({"alg": "RS256"})
    assert "sub-1" == verified(resigned(header, b64(GOOD), one), [bare])["sub"]


def resigned(header, payload, by):
    text = f"{header}.{payload}".encode()
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signature = by.private_key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return f"{text.decode()}.{b64(signature)}"


def forged(header, payload=GOOD, signature=b""):
    return f"{b64(header)}.{b64(payload)}.{b64(signature)}"


def shared(secret):
    header = {"alg": "HS256", "kid": "one"}
    text = f"{b64(header)}.{b64(GOOD)}".encode()
    return f"{text.decode()}.{b64(hmac.new(secret, text, hashlib.sha256).digest())}"


FORGERIES = {
    "none": lambda: forged({"alg": "none"}),
    "None": lambda: forged({"alg": "None", "kid": "one"}),
    "no algorithm": lambda: forged({"kid": "one"}),
    "the client's secret": lambda: shared(SECRET.encode()),
    "the public key as a secret": lambda: shared(key("one").as_pem(private=False)),
    "an algorithm of another kind of key": lambda: forged({"alg": "ES256", "kid": "one"}, GOOD, b"x" * 64),
    "another key": lambda: signed(GOOD, key("other"), kid="one"),
    "an unknown key": lambda: signed(GOOD, key("other")),
    "a key of no name": lambda: resigned(b64({"alg": "RS256"}), b64(GOOD), key("other")),
    "a key in the token": lambda: signed(GOOD, key("other"), jwk=public(key("other"))[0]),
    "a key at an address": lambda: signed(GOOD, key("other"), kid="one", jku="https://evil.example/keys"),
    "no signature": lambda: forged({"alg": "RS256", "kid": "one"}),
    "another's claims": lambda: ".".join(
        [*signed(GOOD, key("one")).split(".")[:1], b64(changed({"sub": "sub-2"})), signed(GOOD, key("one")).split(".")[2]]
    ),
    "an odd header": lambda: forged({"alg": "RS256", "kid": ["one"]}),
    "a critical header": lambda: resigned(b64({"alg": "RS256", "kid": "one", "crit": ["x"], "x": 1}), b64(GOOD), key("one")),
    "no object": lambda: resigned(b64({"alg": "RS256", "kid": "one"}), b64(["x"]), key("one")),
    "no JSON": lambda: resigned(b64({"alg": "RS256", "kid": "one"}), b64(b"\xff{"), key("one")),
    "deep": lambda: resigned(b64({"alg": "RS256", "kid": "one"}), b64(b"[" * 40_000), key("one")),
    "a deep header": lambda: f"{b64(b'[' * 40_000)}.{b64(GOOD)}.x",
    "two parts": lambda: "a.b",
    "five parts": lambda: "a.b.c.d.e",
    "nothing": lambda: "",
    "dots": lambda: "." * 3000,
    "no text": lambda: "é.é.é",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_what_somebody_else_made(name):
    with pytest.raises(RefusedError) as caught:
        verified(FORGERIES[name]())
    assert "evil" not in caught.value.why


ODD = [{}, {"kty": "RSA"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "oct", "k": "c2VjcmV0"},
       {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}, {"kty": "EC", "crv": "none"}, {"kty": ["RSA"]},
       {"kty": "RSA", "n": "A" * 100_000, "e": "AQAB"}, {"kty": "ML-DSA", "pub": "x"}, {"kty": "RSA", "n": 7, "e": 7}]  # fmt: skip


def test_odd_keys_are_passed_over():
    """A provider may have some that came later; they are in nobody's way."""
    assert "sub-1" == verified(signed(GOOD, key("one")), [*ODD, *public(key("one"))])["sub"]
    for keys in (ODD, [{**public(key("one"))[0], "use": "enc"}]):
        with pytest.raises(UnknownKeyError):
            verified(signed(GOOD, key("one")), keys)


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_key_that_can_be_computed_signs_nothing():
    small = jwk.RSAKey.generate_key(1024, parameters={"kid": "small"})
    with pytest.raises(UnknownKeyError):
        verified(signed(GOOD, small), public(small))
