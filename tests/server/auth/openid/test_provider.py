"""What a provider says of itself is believed as far as it can be, and asked for seldom."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mlflow.server.auth.openid.errors import AwayError, RefusedError
from mlflow.server.auth.openid.fetch import Deadline
from mlflow.server.auth.openid.provider import FRESH, PAUSE, Given, Provider

from .lying import CLIENT, SECRET, Reply, key

WELL_KNOWN = "/.well-known/openid-configuration"


@pytest.fixture
def asking(config, clock):
    return Provider(config, clock)


def test_what_it_says_is_kept(asking, provider, clock):
    for _ in range(3):
        found = asking.metadata(Deadline())
        assert f"{provider.issuer}/keys?p=1" == found.jwks_uri
        assert (False, False) == (found.is_posted, found.names_itself)
    assert 1 == len(provider.asked)
    clock.now += FRESH + 1
    asking.metadata(Deadline())
    assert 2 == len(provider.asked)


def test_a_path_in_the_issuer_stays(provider, config):
    provider.said["issuer"] = f"{provider.issuer}/realms/a/"
    provider.replies[f"/realms/a{WELL_KNOWN}"] = Reply(provider._metadata())
    Provider(config._replace(issuer=provider.said["issuer"])).metadata(Deadline())
    assert [f"/realms/a{WELL_KNOWN}"] == provider.paths()


def test_one_that_is_away_is_left_alone_for_a_moment(asking, provider, clock):
    provider.replies[WELL_KNOWN] = Reply({}, 503)
    for _ in range(5):
        with pytest.raises(AwayError, match="answers 503"):
            asking.metadata(Deadline())
    assert 1 == len(provider.asked)
    provider.replies.clear()
    clock.now += PAUSE + 1
    asking.metadata(Deadline())


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
@pytest.mark.parametrize(
    "value", ["http://169.254.169.254/", "http://id.example.org/", "file:///etc/passwd", "javascript:alert(1)",
              "https://u:p@id.example.org/", "/token", 7, "https://id.example.org/\r\nSet-Cookie: a=b"], ids=str
)  # fmt: skip
def test_addresses_that_it_may_not_name(asking, provider, name, value):
    provider.said[name] = value
    with pytest.raises(AwayError, match="address"):
        asking.metadata(Deadline())
    assert [WELL_KNOWN] == provider.paths()


@pytest.mark.parametrize(
    ("said", "words"),
    [({"issuer": "https://evil.example"}, "another name"), ({"issuer": None}, "another name"), ({"issuer": ["x"]}, "another name"),
     ({"token_endpoint": None}, "address"), ({"jwks_uri": None}, "address"),
     ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "neither in a header nor in a form")],
)  # fmt: skip
def test_what_it_may_not_say(asking, provider, said, words):
    provider.said.update(said)
    with pytest.raises(AwayError, match=words):
        asking.metadata(Deadline())


def test_a_slash_is_named(provider, config):
    with pytest.raises(AwayError, match="only the slash at the end differs"):
        Provider(config._replace(issuer=provider.issuer + "/")).metadata(Deadline())


def test_without_userinfo_there_is_nothing_more(asking, provider):
    provider.said["userinfo_endpoint"] = None
    assert {} == asking.userinfo(Given("x", "access-1"), Deadline())
    assert [WELL_KNOWN] == provider.paths()


def test_access_tokens_are_sent_as_they_are_or_not_at_all(asking, provider):
    assert "1" == asking.userinfo(Given("x", "access-1"), Deadline())["sub"]
    for token in (None, "a\r\nX: y", "é"):
        assert {} == asking.userinfo(Given("x", token), Deadline())
    assert 1 == provider.paths().count("/userinfo")


@pytest.mark.parametrize("keys", [None, "x", {}, [{}] * 101])
def test_sets_of_keys_that_are_none(asking, provider, keys):
    provider.replies["/keys"] = Reply({"keys": keys})
    with pytest.raises(AwayError, match="set of keys"):
        asking.keys(Deadline())


def test_keys_are_kept(asking, provider, clock):
    provider.replies["/keys"] = Reply({"keys": [key("one").as_dict(private=False), "x", 7]})
    (found, is_fresh) = asking.keys(Deadline())
    assert (1, True) == (len(found), is_fresh)
    assert not asking.keys(Deadline())[1]
    assert asking.keys(Deadline(), is_anew=True)[1]
    clock.now += FRESH + 1
    assert asking.keys(Deadline())[1]


def exchanged(provider, config):
    """Return how the client was named in what was sent."""
    made = {"code_challenge": "x", "redirect_uri": "r", "nonce": "n"}
    provider._codes["c"] = (made, "sub-1")
    provider.replies["/token"] = Reply({"id_token": "t", "access_token": 7})
    assert Given("t", None) == Provider(config).exchange("c", "v", "r", Deadline())
    _, _, headers, form = provider.asked[-1]
    return headers.get("Authorization"), form.get("client_id"), form.get("client_secret")


def test_ways_to_show_the_secret(provider, config):
    pair = b64encode(b"mlflow:a%20client%27s%20secret%3A%20100%25%20%26c.").decode()
    assert (f"Basic {pair}", None, None) == exchanged(provider, config)
    provider.said["token_endpoint_auth_methods_supported"] = ["client_secret_post", "none"]
    assert (None, CLIENT, SECRET) == exchanged(provider, config)
    assert (None, CLIENT, None) == exchanged(provider, config._replace(client_secret=None))


@pytest.mark.parametrize(
    ("reply", "error"),
    [(Reply({"error": "invalid_grant"}, 400), RefusedError), (Reply({"error": "x" * 999}, 400), RefusedError),
     (Reply({"error": "invalid_client"}, 401), AwayError), (Reply({"error": "unauthorized_client"}, 400), AwayError),
     (Reply(b"<html>", 403), AwayError), (Reply({}, 200), AwayError), (Reply({"id_token": 7}), AwayError),
     (Reply({"id_token": "x" * 70_000}), AwayError), (Reply({"id_token": "t"}, 201), AwayError)],
)  # fmt: skip
def test_what_is_given_for_a_code(asking, provider, reply, error):
    provider.replies["/token"] = reply
    with pytest.raises(error):
        asking.exchange("c", "v", "r", Deadline())
