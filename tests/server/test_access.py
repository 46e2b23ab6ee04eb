"""Tokens open the server to programs and browsers, and nothing else does."""

from __future__ import annotations

import base64
import os
from functools import partial

import pytest

from mlflow.api.op import Permission
from mlflow.exceptions import MlflowException
from mlflow.server.access import (
    SHORTEST,
    SIGN_IN,
    SIGN_OUT,
    AccessGuard,
    Tokens,
    check_exposure,
    read_tokens,
)
from mlflow.server.app import Settings

from .asking import Client

TOKEN, OTHER = "t" * 40, "o" * 40
BEARER = ("Authorization", f"Bearer {TOKEN}")
HTML = ("Accept", "text/html,*/*")


@pytest.fixture
def tokens(clock):
    return Tokens([TOKEN, OTHER], clock)


@pytest.fixture
def client(tokens):
    guard = partial(AccessGuard, tokens=tokens, prefix="/ml")
    with Client(settings=Settings(prefix="/ml"), guards=[guard]) as made:
        yield made


def get(client, *headers, path="/ml/openapi.json", **options):
    return client.ask("GET", path, headers=headers, **options)


def basic(text):
    return ("Authorization", "Basic " + base64.b64encode(text.encode()).decode())


def test_every_route_is_closed(client):
    """Enumerated from the router, with each method; only those of probes are open."""
    found = client.app.routes.all()
    assert len(found) > 100
    for method, path, endpoint in found:
        assert isinstance(endpoint.permission, Permission)
        for one in {method, "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"}:
            answer = client.ask(one, path, headers=[("Authorization", f"Bearer {TOKEN[1:]}")])
            probed = path in ("/health", "/version", "/ml/health", "/ml/version")
            assert (answer.status != 401) is probed, (one, path)


@pytest.mark.parametrize(
    "path", ["//ml/health", "/ml/../health", "/ml/health/", "/ML/health", "/%6dl/health",
             "/ml/health;x", "/ml//login", "/ml/login/", "/login", "/openapi.json", "/metrics"]
)  # fmt: skip
def test_other_spellings_are_closed(client, path):
    assert 401 == get(client, path=path).status


@pytest.mark.parametrize(
    "header", [BEARER, ("Authorization", f"bearer  {OTHER} "), basic(f"any:{TOKEN}"),
               ("authorization", basic(f":{OTHER}")[1].replace("Basic", "basic"))]
)  # fmt: skip
def test_tokens_open(client, header):
    assert 200 == get(client, header).status


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN.upper()}", TOKEN,
              f"Token {TOKEN}", "Basic", "Basic !!!", "Basic " + "A" * 10_000, "Bearer \u00ff",
              basic(TOKEN)[1], basic(f"{TOKEN}:")[1], basic(f"a:{TOKEN}")[1] + "junk",
              basic("admin:password1234")[1], f"Digest {TOKEN}"]
)  # fmt: skip
def test_anything_else_does_not(client, value):
    answer = client.run(_raw(client, value.encode("latin-1")))

    assert 401 == answer.status
    assert 'Bearer realm="mlflow"' == answer.headers["www-authenticate"]
    assert TOKEN not in answer.body.decode()


async def _raw(client, value):
    from .asking import ask

    return await ask(
        client.app, "GET", "/ml/openapi.json", headers=[("Authorization", value.decode("latin-1"))]
    )


def test_a_token_in_the_address_or_given_twice(client):
    """Addresses end up in logs; two headers are two answers."""
    assert 401 == get(client, query={"token": TOKEN, "access_token": TOKEN}).status
    assert 400 == get(client, BEARER, BEARER).status


def sign_in(client, body, **options):
    return client.ask("POST", f"/ml{SIGN_IN}", body=body.encode(), **options)


def test_a_browser_signs_in_and_out(client):
    """With the token once; afterwards its cookie counts, for reading by no script."""
    page = get(client, HTML, path="/ml/")
    assert (401, "text/html; charset=utf-8") == (page.status, page.headers["content-type"])
    assert f'action="/ml{SIGN_IN}"' in page.body.decode()

    answer = sign_in(client, f"token={TOKEN}")
    assert (303, "/ml/") == (answer.status, answer.headers["location"])
    cookie = answer.headers["set-cookie"]
    assert "; HttpOnly; SameSite=Lax" in cookie
    assert "Path=/ml/" in cookie
    assert TOKEN not in cookie

    signed_in = ("Cookie", cookie.partition(";")[0])
    assert 200 == get(client, signed_in).status
    out = client.ask("POST", f"/ml{SIGN_OUT}", headers=[signed_in])
    assert "Max-Age=0" in out.headers["set-cookie"]


def test_cookies_over_tls_are_bound_to_the_host():
    scope = {"scheme": "https"}
    from mlflow.server.access import cookie

    assert cookie(scope, "s", "/", 9).startswith(b"__Host-millstream=s; Path=/;")
    assert cookie(scope, "s", "/ml/", 9).endswith(b"; HttpOnly; SameSite=Lax; Secure")
    assert b"HttpOnly" not in cookie(scope, "s", "/", 9, "-csrf", is_hidden=False)


@pytest.mark.parametrize(
    "body", ["", "token=", "token=wrong", f"token={TOKEN}x", f"Token={TOKEN}", "a&" * 3000,
             "%ff", f"token={'x' * 5000}"]
)  # fmt: skip
def test_a_wrong_token_signs_nobody_in(client, body):
    answer = sign_in(client, body)

    assert 403 == answer.status
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/%09/evil.example"])
def test_signing_in_leads_nowhere_else(client, to):
    answer = sign_in(client, f"token={TOKEN}&next={to}", query={"next": to})
    assert "/ml/" == answer.headers["location"]


def test_a_session_cannot_be_made_up(client, tokens, clock):
    """Its parts are signed, it ends, and it ends with its token."""
    good = tokens.session(tokens.caller(TOKEN))
    caller, until, signature = good.split(".")
    assert caller == tokens.caller_of_session(good)
    others = [
        "", "..", caller, f"{caller}.{until}", f"{caller}.{until}.", f"{caller}.{int(until) + 1}.{signature}",
        f"{tokens.caller(OTHER)}.{until}.{signature}", f"{caller}.x.{signature}", f"x.{until}.{signature}",
        f"{caller}.{until}.{signature[:-1]}", good + "0", f".{until}.", "a.b.c.d",
    ]  # fmt: skip
    for one in others:
        assert tokens.caller_of_session(one) is None, one
        assert 401 == get(client, ("Cookie", f"millstream={one}")).status
    assert Tokens([OTHER], clock).caller_of_session(good) is None
    clock.now += 31 * 24 * 3600
    assert tokens.caller_of_session(good) is None


@pytest.mark.parametrize("cookie", ["millstream", "=", "millstream=\x01", "a" * 9000, "a=b;;;"])
def test_odd_cookies(client, cookie):
    assert 401 == get(client, ("Cookie", cookie)).status


def test_a_link_signs_in_once(client, tokens, clock):
    path = f"/ml{SIGN_IN}"
    code = tokens.make_link()
    assert 303 == client.ask("GET", path, query={"code": code}).status
    assert 403 == client.ask("GET", path, query={"code": code}).status
    late = tokens.make_link()
    clock.now += 601
    assert 403 == client.ask("GET", path, query={"code": late}).status
    assert 200 == client.ask("GET", path).status


# --- the file ------------------------------------------------------------------------------------


def test_a_token_file_is_made_once(tmp_path):
    path = str(tmp_path / "tokens")
    (first,), is_new = read_tokens(path)

    assert is_new
    assert len(first) >= 40
    assert ([first], False) == read_tokens(path)
    if os.name != "nt":
        assert 0o600 == os.stat(path).st_mode & 0o777


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize(("mode", "is_read"), [(0o440, True), (0o460, False), (0o444, False)])
def test_a_file_of_the_keeper_of_the_machine(tmp_path, monkeypatch, mode, is_read):
    """As containers are given their secrets: another user's, to be read by the group alone."""
    path = tmp_path / "tokens"
    path.write_text(TOKEN)
    path.chmod(mode)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    if is_read:
        assert ([TOKEN], False) == read_tokens(str(path))
    else:
        with pytest.raises(MlflowException, match="Other users may read"):
            read_tokens(str(path))


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [("", 0o600, "no token in it"), ("# only words\n", 0o600, "no token in it"),
     ("short\n", 0o600, f"shorter than {SHORTEST}"), ("password1234\n", 0o600, "could be guessed"),
     (TOKEN, 0o640, "chmod 600"), (TOKEN, 0o604, "chmod 600"), ("\udcff", 0o600, "no UTF-8")],
)  # fmt: skip
@pytest.mark.skipif(os.name == "nt", reason="files have no such modes on Windows")
def test_token_files_that_are_refused(tmp_path, text, mode, said):
    path = tmp_path / "tokens"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(mode)

    with pytest.raises(MlflowException, match=said) as caught:
        read_tokens(str(path))
    assert TOKEN not in caught.value.message


def test_a_token_file_that_cannot_be(tmp_path):
    for path in (tmp_path, tmp_path / "no" / "such"):
        with pytest.raises(MlflowException, match="token file"):
            read_tokens(str(path))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "ml.example"])
def test_an_open_server_is_not_started_by_accident(host):
    with pytest.raises(MlflowException, match="MILLSTREAM_INSECURE_NO_AUTH=true"):
        check_exposure(host, has_tokens=False, is_insecure=False)
    check_exposure(host, has_tokens=True, is_insecure=False)
    check_exposure(host, has_tokens=False, is_insecure=True)
    check_exposure("127.0.0.1", has_tokens=False, is_insecure=False)
