"""Who comes back from a provider is let in, or hears why not; lies open nothing."""

from __future__ import annotations

import hashlib
import logging
import re
import time

import pytest

from mlflow.server.auth.openid import fetch
from mlflow.server.auth.throttle import FREE_OF_ADDRESS
from tests.server.auth.conftest import HTML, PASSWORD, basic

from .conftest import CALLBACK, House
from .lying import CLIENT, SECRET, Reply, b64, key, signed


def test_somebody_comes_for_the_first_time_and_again(house, guest):
    answer = guest.sign_in_there()
    assert (303, "/") == (answer.status, answer.headers["location"])
    assert "eve" == guest.name()
    again = house.guest()
    again.sign_in_there()
    assert "eve" == again.name()
    done = [(one.username, one.action, one.outcome) for one in house.team.access.audit.read()]
    assert [
        ("eve", "sign_in", "done"),
        ("eve", "sign_in", "done"),
        ("eve", "create_user", "done"),
    ] == done[:3]
    csrf = ("X-CSRF-Token", guest.cookies["millstream-csrf"])
    assert 303 == guest.ask("POST", "/logout", headers=[csrf]).status
    assert guest.name() is None
    assert "eve" == again.name()


def test_what_the_provider_is_asked(guest, provider):
    asked = guest.leave()
    assert guest.left.headers["location"].startswith(f"{provider.issuer}/authorize?tenant=1&")
    assert {
        "tenant": "1", "response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256",
        "scope": "openid profile email", "redirect_uri": "http://127.0.0.1:5000/login/openid/callback",
    } == {name: asked[name] for name in asked if name not in ("state", "nonce", "code_challenge")}  # fmt: skip
    guest.come_back(asked, code=provider.sign_in(asked))
    method, _, headers, form = provider.asked[-2]
    assert ("POST", "/token") == (method, provider.asked[-2][1])
    assert "client_secret" not in form
    assert headers["Authorization"].startswith("Basic ")
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == b64(digest)
    assert 3 == len({asked["state"], asked["nonce"], form["code_verifier"]})


def test_the_cookie_is_short_lived_and_for_this_host_alone(guest):
    answer = guest.ask("GET", "/login/openid", scheme="https")
    (cookie,) = answer.cookies
    assert cookie.startswith("__Host-millstream-openid=")
    for word in ("; Path=/;", "Max-Age=600", "HttpOnly", "SameSite=Lax", "Secure"):
        assert word in cookie
    assert "redirect_uri=https%3A%2F%2F127.0.0.1%3A5000%2Flogin" in answer.headers["location"]


def test_the_session_lasts_as_configured(tmp_path, provider, config):
    with House(tmp_path, provider, config._replace(session_hours=2)) as house:
        answer = house.guest().sign_in_there()
    assert ["", "-csrf"] == [
        re.match(r"millstream([\w-]*)=", one)[1] for one in answer.cookies if "=7200;" in one
    ]


def test_they_go_where_they_wanted(guest):
    refused = guest.ask("GET", "/explore", query={"a": "b c"}, headers=[HTML])
    link = re.search(rb'<a href="([^"]+)">Sign in with Example &amp; Co</a>', refused.body)[1]
    assert b"/login/openid?next=/explore%3Fa%3Db%2Bc" == link
    answer = guest.sign_in_there(next="/explore?a=b+c")
    assert "/explore?a=b+c" == answer.headers["location"]


def test_nobody_is_sent_to_another_server(guest):
    for place in ("//evil.example", "https://evil.example/", "/x\r\nSet-Cookie: a=b", "/é"):
        assert "/" == guest.sign_in_there(next=place).headers["location"]


def test_a_script_goes_on_with_a_token(house, guest):
    """Made by who signed in by the provider; their name has no password."""
    guest.sign_in_there()
    csrf = ("X-CSRF-Token", guest.cookies["millstream-csrf"])
    made = guest.ask("POST", "users/tokens/create", {"name": "laptop"}, headers=[csrf])
    bearer = ("Authorization", f"Bearer {made.json['token']}")
    ask = house.team.client.ask
    assert "eve" == ask("GET", "users/current", headers=[bearer]).json["user"]["username"]
    for password in ("0", PASSWORD):
        assert 401 == ask("GET", "users/current", headers=[basic("eve", password)]).status
    own = {"username": "eve", "password": "another long one", "current_password": "x"}
    changed = guest.ask("PATCH", "users/update-password", own, headers=[csrf])
    assert "You have no password here" in changed.json["message"]
    assert guest.ask("GET", "users/current").json["user"]["has_password"] is False
    assert house.team.get("admin", "users/current").json["user"]["has_password"] is True
    assert 200 == ask("GET", "users/current", headers=[basic("ann")]).status


# --- who is whom -------------------------------------------------------------------------------------


def test_a_user_of_the_same_name_is_not_taken_over(house, guest, provider):
    for name in ("ann", "admin", "Ann", "ＡＤＭＩＮ"):
        provider.claims["preferred_username"] = name
        answer = guest.sign_in_there(f"sub-of-{name}")
        assert 403 == answer.status
        assert b"Somebody else is called" in answer.body
        assert guest.name() is None
    assert "(subject=sub-of-ann)" in house.failures()[-1]


def test_the_subject_counts_and_not_the_name(house, guest, provider):
    """Who is called otherwise now is who they were; who has their name now is somebody else."""
    guest.sign_in_there("sub-1")
    provider.claims["preferred_username"] = "renamed"
    again = house.guest()
    again.sign_in_there("sub-1")
    assert "eve" == again.name()
    provider.claims["preferred_username"] = "eve"
    for subject in ("sub-2", "SUB-1", "sub-1 "):
        assert 403 == house.guest().sign_in_there(subject).status


def test_who_was_removed_stays_out_until_linked(house, guest):
    guest.sign_in_there()
    users = house.team.access
    users.accounts.delete("eve")
    assert guest.name() is None
    assert b"was removed" in house.guest().sign_in_there().body
    users.accounts.create("eve", PASSWORD)  # another one of that name
    assert 403 == house.guest().sign_in_there().status
    users.people.link("ann", house.provider.issuer, "sub-1")
    again = house.guest()
    again.sign_in_there()
    assert "ann" == again.name()


def test_an_administrator_links_by_the_api(house):
    """To the configured provider, when none is named."""
    assert (
        200
        == house.team.post(
            "admin", "users/identities/link", {"username": "ann", "subject": "sub-1"}
        ).status
    )
    (one,) = house.team.get("admin", "users/identities/list").json["identities"]
    assert {"username": "ann", "issuer": house.provider.issuer, "subject": "sub-1", "is_linked": True, "seen": None} == {
        name: value for name, value in one.items() if name not in ("id", "created")
    }  # fmt: skip
    guest = house.guest()
    guest.sign_in_there()
    assert "ann" == guest.name()
    gone = house.team.ask("admin", "DELETE", "users/identities/unlink", {"identity_id": one["id"]})
    assert 200 == gone.status
    assert guest.name() is None


def test_strangers_stay_out_where_nobody_is_made(tmp_path, provider, config):
    with House(tmp_path, provider, config._replace(create_users=False)) as house:
        answer = house.guest().sign_in_there()
        assert (403, True) == (answer.status, b"You have no account here" in answer.body)
        assert ["openid: no user is linked to subject=sub-1"] == house.failures()
        house.team.access.people.link("bob", provider.issuer, "sub-1")
        guest = house.guest()
        guest.sign_in_there()
        assert "bob" == guest.name()


def test_two_servers_are_one(tmp_path, provider, config):
    """A browser leaves from one and comes back to the other, which has seen neither before."""
    with House(tmp_path, provider, config) as here, House(tmp_path, provider, config) as there:
        guest = here.guest()
        asked = guest.leave()
        guest.team = there.team
        assert 303 == guest.come_back(asked, code=provider.sign_in(asked)).status
        guest.team = here.team
        assert "eve" == guest.name()


# --- what comes back ---------------------------------------------------------------------------------


def test_who_did_not_leave_from_here_does_not_come_in(house, guest, provider):
    """Without what the browser kept, with another's, with one that was made up, or too late."""
    asked = guest.leave()
    code = provider.sign_in(asked)
    mine = dict(guest.cookies)
    other = house.guest()
    other.leave()
    old = mine["millstream-openid"].split(".")
    old[1] = str(int(time.time()) - 601)
    for kept in ({}, other.cookies, {"millstream-openid": "x"}, {"millstream-openid": "." * 9},
                 {"millstream-openid": ".".join(old)}, {"millstream-openid": mine["millstream-openid"][:-4]}):  # fmt: skip
        guest.cookies = dict(kept)
        answer = guest.come_back(asked, code=code)
        assert (403, True) == (answer.status, b"in another window, or long ago" in answer.body)
    for state in ("", "x", other.left.headers["location"][-43:], asked["nonce"]):
        guest.cookies = dict(mine)
        assert 403 == guest.ask("GET", CALLBACK, query={"state": state, "code": code}).status
    assert "/token" not in provider.paths()
    guest.cookies = mine
    assert 303 == guest.come_back(asked, code=code).status


def test_a_code_is_good_once_and_for_one_browser(house, guest, provider):
    asked = guest.leave()
    code = provider.sign_in(asked)
    thief = house.guest()
    stolen = thief.leave()
    assert 403 == thief.come_back(stolen, code=code).status  # its verifier is another
    assert 403 == guest.come_back(asked, code=code).status
    assert guest.name() is None
    assert ["openid: the provider gives nothing for the code"] * 2 == house.failures()


def test_coming_back_twice_is_once(guest, provider):
    asked = guest.leave()
    code = provider.sign_in(asked)
    assert 303 == guest.come_back(asked, code=code).status
    assert 403 == guest.come_back(asked, code=code).status
    assert "eve" == guest.name()


@pytest.mark.parametrize(
    ("code", "shown"), [("access_denied", b"access_denied"), ("<script>alert(1)", b"an error"), ("x" * 99, b"an error")]
)  # fmt: skip
def test_what_the_provider_says_is_told(house, guest, code, shown):
    asked = guest.leave()
    answer = guest.come_back(asked, error=code, error_description="<b>call 555-1234</b>")
    assert 403 == answer.status
    assert shown in answer.body
    assert b"555" not in answer.body
    assert b"alert(1)" not in answer.body


@pytest.mark.parametrize("given", [{}, {"code": ""}, {"code": "x" * 5000}])
def test_without_a_code_nobody_is_asked(guest, provider, given):
    asked = guest.leave()
    assert 403 == guest.come_back(asked, **given).status
    assert "/token" not in provider.paths()


def test_an_answer_of_another_provider(guest, provider):
    """RFC 9207: it names itself, and has to where it says that it does."""
    asked = guest.leave()
    assert (
        403
        == guest.come_back(asked, code=provider.sign_in(asked), iss="https://evil.example").status
    )
    asked = guest.leave()
    assert 303 == guest.come_back(asked, code=provider.sign_in(asked), iss=provider.issuer).status


def test_one_that_says_it_names_itself_does(guest, provider):
    provider.said["authorization_response_iss_parameter_supported"] = True
    asked = guest.leave()
    assert 403 == guest.come_back(asked, code=provider.sign_in(asked)).status


def test_other_methods_do_nothing(guest, provider):
    asked = guest.leave()
    for path in ("/login/openid", CALLBACK):
        for method in ("POST", "HEAD", "PUT", "DELETE"):
            assert (
                405 == guest.ask(method, path, query={"state": asked["state"], "code": "x"}).status
            )
    assert ["/.well-known/openid-configuration"] == provider.paths()


def test_failures_of_one_address_wait(house, guest):
    for _ in range(FREE_OF_ADDRESS):
        assert 403 == guest.ask("GET", CALLBACK).status
    for path in (CALLBACK, "/login/openid"):
        answer = guest.ask("GET", path)
        assert (429, True) == (answer.status, b"Try again in" in answer.body)
    assert FREE_OF_ADDRESS == len(house.failures())


def test_a_server_without_a_provider_has_no_such_address(team):
    for path in ("/login/openid", CALLBACK):
        assert 401 == team.client.ask("GET", path).status
    assert b"Sign in with" not in team.client.ask("GET", "/login").body


# --- lies: what a token may say, and who may sign it, is tested where it is verified -----------------


@pytest.mark.parametrize("claims", [{"nonce": "another"}, {"aud": "another"}, {"sub": "a\x00b"},
                                    {"preferred_username": None}, {"preferred_username": "a:b"}], ids=str)  # fmt: skip
def test_tokens_that_say_something_wrong(house, guest, provider, claims):
    provider.claims.update(claims)
    assert 403 == guest.sign_in_there().status
    assert guest.name() is None
    assert 3 == house.team.access.accounts.count()
    assert 1 == len(house.failures())


def test_a_token_that_somebody_else_signed(guest, provider, monkeypatch):
    """The keys are asked for once more, and no more often."""
    monkeypatch.setattr(provider, "sign", lambda claims: signed(claims, key("other"), kid="one"))
    assert 403 == guest.sign_in_there().status
    assert 1 == provider.paths().count("/keys")
    assert 403 == guest.sign_in_there().status
    assert 2 == provider.paths().count("/keys")
    assert guest.name() is None


def test_a_provider_changes_its_keys(guest, provider):
    assert 303 == guest.sign_in_there().status
    assert 303 == guest.sign_in_there().status
    assert 1 == provider.paths().count("/keys")
    provider.keys = [key("two", "EC"), key("one")]
    assert 303 == guest.sign_in_there().status
    assert 2 == provider.paths().count("/keys")
    assert 1 == provider.paths().count("/.well-known/openid-configuration")


def test_userinfo_about_somebody_else(house, guest, provider):
    provider.claims["preferred_username"] = None
    provider.userinfo = {"sub": "sub-9", "preferred_username": "eve"}
    assert 403 == guest.sign_in_there().status
    assert "openid: userinfo is about somebody else" in house.failures()


def test_userinfo_says_what_the_token_does_not(guest, provider):
    provider.claims["preferred_username"] = None
    provider.userinfo = {"preferred_username": "eve", "iss": "https://evil.example"}
    assert 303 == guest.sign_in_there().status
    assert "eve" == guest.name()


# --- a provider in trouble ---------------------------------------------------------------------------


def test_a_server_starts_and_serves_while_its_provider_is_away(tmp_path, provider, config):
    away = config._replace(issuer="http://127.0.0.1:1")
    with House(tmp_path, provider, away) as house:
        answer = house.guest().ask("GET", "/login/openid")
        assert (503, True) == (
            answer.status,
            b"Example &amp; Co cannot be asked now" in answer.body,
        )
        assert 303 == house.guest().sign_in().status


@pytest.mark.parametrize("path", ["/token", "/keys", "/userinfo"])
def test_odd_answers_let_nobody_in(house, guest, provider, path):
    provider.claims["preferred_username"] = None  # so that userinfo is asked
    provider.userinfo = {"preferred_username": "eve"}
    provider.replies[path] = Reply(b"<html>", 500)
    assert 503 == guest.sign_in_there().status
    assert guest.name() is None
    assert [] == house.failures()


def test_a_client_that_the_provider_does_not_know(house, guest, provider, caplog):
    provider.secret = "another"
    with caplog.at_level(logging.ERROR, "mlflow.server"):
        assert 503 == guest.sign_in_there().status
    assert "does not take this server's client id or secret (invalid_client)" in caplog.text


def test_a_provider_that_drips_is_cut_off(guest, provider, monkeypatch):
    monkeypatch.setattr("mlflow.server.auth.openid.login.Deadline", lambda: fetch.Deadline(0.4))

    def drips(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
        for _ in range(200):
            handler.wfile.write(b"X")
            time.sleep(0.05)

    asked = guest.leave()
    provider.replies["/token"] = drips
    start = time.monotonic()
    assert 503 == guest.come_back(asked, code=provider.sign_in(asked)).status
    assert 5 > time.monotonic() - start  # not the ten seconds that it would take


def test_nothing_that_opens_anything_is_in_a_log(house, guest, provider, caplog, monkeypatch):
    """Nor on a page: not of those who come in, nor of those who do not."""
    secrets, bodies = {SECRET, "access-sub-1"}, []
    sign = provider.sign

    def seen(claims):
        token = sign(claims)
        secrets.add(token)
        return token

    def come(reply=None):
        guest.cookies.clear()
        provider.replies = {} if reply is None else reply
        asked = guest.leave()
        code = provider.sign_in(asked)
        secrets.update(
            {code, asked["state"], asked["nonce"], guest.cookies["millstream-openid"][:43]}
        )
        answer = guest.come_back(asked, code=code)
        secrets.update(form["code_verifier"] for _, _, _, form in provider.asked if form)
        bodies.append(answer.body.decode())

    monkeypatch.setattr(provider, "sign", seen)
    with caplog.at_level(logging.DEBUG):
        come()
        come({"/token": Reply({"error": "invalid_grant", "error_description": "code-1"}, 400)})
        come({"/token": Reply({"error": SECRET}, 401)})
        come({"/token": Reply(SECRET.encode(), 500)})
        provider.claims["nonce"] = "another"
        come()
    audit = repr(house.team.access.audit.read())
    for secret in secrets:
        for text in (caplog.text, audit, *bodies):
            assert secret not in text
    assert "Traceback" not in caplog.text
