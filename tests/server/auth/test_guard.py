"""Who asks is recognised or refused: programs, browsers, and those who only try."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from mlflow.server.auth.guard import csrf_of
from mlflow.server.auth.throttle import FREE_OF_NAME

from .conftest import HTML, PASSWORD, Browser, basic


def bearer(token):
    return ("Authorization", f"Bearer {token}")


def header(text):
    return ("Authorization", text)


def status(team, *headers, path="users/current", method="GET"):
    return team.client.ask(method, path, headers=headers).status


def test_every_route_is_closed(team):
    """Enumerated from the router, with each method; only those of probes and the form are open."""
    found = team.client.app.routes.all()
    assert len(found) > 200
    wrong = basic("ann", "wrong")
    for method, path, _ in found:
        if path in ("/health", "/version"):
            continue
        for headers in ((), (bearer("mls_" + "x" * 43),), (bearer(""),)):
            assert 401 == status(team, *headers, path=path, method=method), path
    assert 401 == status(team, wrong, path="/openapi.json")
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        assert 401 == status(team, path="/api/2.0/mlflow/runs/get", method=method)


@pytest.mark.parametrize(
    "path", ["//health", "/../health", "/health/", "/HEALTH", "/%68ealth", "/health;x", "//login",
             "/login/", "/api/2.0/preview/mlflow/experiments/list", "/metrics", "/openapi.json", "/"]
)  # fmt: skip
def test_other_spellings_are_closed(team, path):
    assert 401 == status(team, path=path)


@pytest.mark.parametrize(
    "given",
    ["", "Basic", "Basic ", "Basic x", "Basic =", "Basic YW5u", "Bearer", "Bearer x", "Digest x", "x" * 100_000,
     "Basic " + base64.b64encode(b"ann").decode(), "Basic " + base64.b64encode(b":" + PASSWORD.encode()).decode(),
     "Basic " + base64.b64encode(b"ann:").decode(), "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
     "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode() + " x", f"Bearer {PASSWORD}",
     f"Bearer ann:{PASSWORD}"],
)  # fmt: skip
def test_odd_headers_are_nobody(team, given):
    assert 401 == status(team, header(given))


def test_names_and_passwords(team):
    assert 200 == status(team, basic("ann"))
    pair = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
    assert 200 == status(team, header(f"basic {pair}"))
    team.access.accounts.create("col", "with:a:colon:in it")
    assert 200 == status(team, basic("col", "with:a:colon:in it"))
    for name in ("Ann", "ann ", "bob2", "admin\x00"):
        assert 401 == status(team, basic(name))
    twice = team.client.ask("GET", "users/current", headers=[basic("ann"), basic("bob")])
    assert 400 == twice.status


@pytest.mark.parametrize(
    "pair", [("admin", "admin"), ("admin", "password"), ("admin", "password1234")]
)
def test_well_known_ones_open_nothing(team, pair):
    assert 401 == status(team, basic(*pair))


def test_guessing_is_throttled(team):
    for _ in range(FREE_OF_NAME):
        assert 401 == status(team, basic("ann", "wrong"))
    assert 429 == status(team, basic("ann", "wrong"))
    assert 429 == status(team, basic("ann"))
    assert 200 == status(team, basic("bob"))
    failed = team.access.audit.read(username="ann", action="sign_in")
    assert FREE_OF_NAME == len(failed)
    assert PASSWORD not in repr(failed)


def test_who_was_in_stays_in_while_others_guess(team):
    assert 200 == status(team, basic("ann"))
    for _ in range(FREE_OF_NAME + 1):
        status(team, basic("ann", "wrong"))
    team.access.sign_in.forget()
    assert 200 == status(team, basic("ann"))


def test_tokens(team):
    token, kept = team.access.tokens.create(team.access.accounts.get("ann").id, "t")
    assert (
        "ann"
        == team.client.ask("GET", "users/current", headers=[bearer(token)]).json["user"]["username"]
    )
    assert 200 == status(team, basic("ann", token))
    assert 401 == status(team, basic("bob", token))
    team.access.tokens.revoke(kept.user_id, kept.id)
    assert 401 == status(team, bearer(token))


def test_changes_count_at_once(team):
    """In this process, whatever is remembered of a caller."""
    token, _ = team.access.tokens.create(team.access.accounts.get("ann").id, "t")
    ask = {"experiment_id": "0", "key": "k", "value": "v"}
    path = "experiments/set-experiment-tag"
    assert 403 == team.post("ann", path, ask).status
    team.access.roles.grant("ann", "experiment", "0", "EDIT")
    assert 200 == team.post("ann", path, ask).status
    team.access.roles.revoke("ann", "experiment", "0")
    assert 403 == team.post("ann", path, ask).status
    team.access.accounts.delete("ann")
    assert 401 == status(team, basic("ann"))
    assert 401 == status(team, bearer(token))


def test_another_process_is_believed_within_a_second(team):
    """What it granted at once, where this one would have refused."""
    ask = {"experiment_id": "0", "key": "k", "value": "v"}
    path = "experiments/set-experiment-tag"
    assert 403 == team.post("ann", path, ask).status
    team.access._database.changed = None  # as if somebody else wrote
    team.access.roles.grant("ann", "experiment", "0", "EDIT")
    assert 200 == team.post("ann", path, ask).status


def test_a_database_that_fails_lets_nobody_in(team, monkeypatch):
    """Neither who was never seen nor who was in a moment ago, and says nothing of itself."""
    assert 200 == status(team, basic("ann"))
    team.access.sign_in.forget()

    def fails(*_):
        msg = "the disk of u.db is gone"
        raise OSError(msg)

    monkeypatch.setattr(team.access.accounts.database, "run", fails)
    for who in (basic("ann"), basic("bob"), bearer("mls_" + "x" * 43)):
        answer = team.client.ask("GET", "users/current", headers=[who])
        assert answer.status >= 500
        assert b"u.db" not in answer.body


# --- browsers ----------------------------------------------------------------------------------------


@pytest.fixture
def browser(team):
    return Browser(team)


def test_a_browser_is_shown_the_form(team):
    answer = team.client.ask("GET", "/", headers=[HTML])
    assert 401 == answer.status
    assert b'type="password"' in answer.body
    assert "www-authenticate" not in answer.headers
    assert "no-store" == answer.headers["cache-control"]


def test_programs_of_pages_are_not_challenged(team):
    """The browser would ask in a window of its own."""
    fetch = ("Sec-Fetch-Mode", "cors")
    assert (
        "www-authenticate" not in team.client.ask("GET", "users/current", headers=[fetch]).headers
    )
    assert "Basic" in team.client.ask("GET", "users/current").headers["www-authenticate"]


def test_signing_in_and_out(browser):
    assert 303 == browser.sign_in().status
    session = browser.cookies["millstream"]
    answer = browser.ask("GET", "users/current")
    assert (200, "ann") == (answer.status, answer.json["user"]["username"])
    csrf = ("X-CSRF-Token", browser.cookies["millstream-csrf"])
    assert 303 == browser.ask("POST", "/logout", headers=[csrf]).status
    assert "millstream" not in browser.cookies
    browser.cookies["millstream"] = session
    assert 401 == browser.ask("GET", "users/current").status


def test_writes_need_what_the_page_read(browser):
    browser.sign_in()
    for headers in ((), [("X-CSRF-Token", "")], [("X-CSRF-Token", "x" * 40)],
                    [("X-CSRF-Token", csrf_of("another"))]):  # fmt: skip
        made = browser.ask("POST", "experiments/create", {"name": "x"}, headers=headers)
        assert (403, "PERMISSION_DENIED") == (made.status, made.code)
        assert 403 == browser.ask("POST", "/logout", headers=headers).status
    csrf = ("X-CSRF-Token", browser.cookies["millstream-csrf"])
    assert 200 == browser.ask("POST", "experiments/create", {"name": "x"}, headers=[csrf]).status


def test_the_form_is_not_filled_in_by_other_sites(browser):
    assert 403 == browser.sign_in(form="x" * 32).status
    browser.cookies.clear()
    assert 403 == browser.sign_in(form="x").status
    assert 403 == browser.sign_in(password="wrong").status
    assert "millstream" not in browser.cookies


def test_the_form_is_throttled_too(browser):
    for _ in range(FREE_OF_NAME):
        assert 403 == browser.sign_in(password="wrong").status
    answer = browser.sign_in()
    assert 429 == answer.status
    assert b"Try again" in answer.body


@pytest.mark.parametrize("name", ["<script>alert(1)", '"><img src=x>', "x" * 3000])
def test_the_form_shows_nothing_of_what_was_given(browser, name):
    assert name.encode() not in browser.sign_in(name=name).body


def test_a_session_that_was_made_up_opens_nothing(team):
    for made_up in ("x", "mls_" + "x" * 43, "", "admin"):
        answer = team.client.ask(
            "GET", "users/current", headers=[("Cookie", f"millstream={made_up}")]
        )
        assert 401 == answer.status


def test_cookies_are_hidden_from_pages_and_other_sites(browser, team):
    answer = browser.sign_in()
    session, csrf, _ = answer.cookies
    assert "HttpOnly" in session
    assert "HttpOnly" not in csrf
    assert "SameSite=Lax" in session


def test_the_form_runs_its_own_program_and_no_other(team):
    answer = team.client.ask("GET", "/", headers=[HTML])
    (program,) = re.findall(rb"<script>(.*?)</script>", answer.body)
    digest = base64.b64encode(hashlib.sha256(program).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.endswith(f"; script-src 'sha256-{digest}'")
    assert policy.startswith("default-src 'none'; ")
