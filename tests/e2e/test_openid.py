"""Signing in by a real provider, in a browser, to two servers on one database."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from mlflow.server import get_app_client
from tests.conftest import ALL
from tests.server.running import free_port, server, wait_for

# Starting more takes long, and nothing is kept in a process.
WORKERS = "2" if ALL else "1"
ADMIN = "the first password"
EVE = {"sub": "sub-1", "email": "eve@example.org", "email_verified": True, "groups": ["ml"]}
MALLORY = {"sub": "sub-2", "email": "mallory@evil.example", "email_verified": True}
SIGN_IN = "Sign in with Example"


@pytest.fixture
def issuer(tmp_path):
    """The address of a provider that knows two people; they come in without a password."""
    port = free_port()
    people = [f"--user-claims={json.dumps(one)}" for one in (EVE, MALLORY)]
    # It warns of its own libraries.
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with open(tmp_path / "provider.log", "wb") as log:
        process = subprocess.Popen([*command, "--require-nonce", "true", *people], stdout=log, stderr=log)  # fmt: skip
    try:
        wait_for(f"http://localhost:{port}/jwks", process, tmp_path / "provider.log", 30)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def addresses(tmp_path, issuer):
    """Two servers on one database; people leave from the first and come back to the second."""
    ports = free_port(), free_port()
    config = tmp_path / "auth.ini"
    config.write_text(
        f"[mlflow]\ndatabase_uri = sqlite:///{tmp_path}/users.db\n"
        f"[openid]\nissuer = {issuer}\nclient_id = mlflow\nclient_secret = a secret\n"
        "username_claim = email\nemail_domains = example.org\ngroups_claim = groups\n"
        "role_groups = ml: researchers\nlabel = Example\n"
        f"redirect_uri = http://127.0.0.1:{ports[1]}/login/openid/callback\n"
    )
    environment = {"MLFLOW_AUTH_CONFIG_PATH": str(config), "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN}
    found = []
    with contextlib.ExitStack() as kept:
        for port in ports:
            folder = tmp_path / str(port)
            os.mkdir(folder)
            given = ("--app-name", "basic-auth", "--workers", WORKERS, "--backend-store-uri", f"sqlite:///{tmp_path}/runs.db")  # fmt: skip
            running = server(folder, *given, environment=environment, port=port)
            found.append(kept.enter_context(running)[1])
        yield found
    for port in ports:
        log = (tmp_path / str(port) / "server.log").read_text()
        assert "Traceback" not in log
        assert "a secret" not in log


@pytest.fixture
def page(browser):
    context = browser.new_context()
    # The provider's page has a style sheet elsewhere.
    context.route(
        lambda url: "//localhost" not in url and "//127.0.0.1" not in url,
        lambda route: route.abort(),
    )
    made = context.new_page()
    yield made
    context.close()


def test_signing_in_by_a_real_provider(page, addresses, monkeypatch):
    first, second = addresses
    page.goto(first)
    page.get_by_role("link", name=SIGN_IN).click()
    page.get_by_role("button", name="sub-2").click()
    expect(page.get_by_role("alert")).to_contain_text("Your account may not use this server")

    page.goto(first)
    page.get_by_role("link", name=SIGN_IN).click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text("access_denied")

    # A page that somebody sent is there after the way to the provider and back.
    page.goto(f"{first}/#/experiments/0")
    page.get_by_role("link", name=SIGN_IN).click()
    page.get_by_role("button", name="sub-1").click()
    expect(page).to_have_url(re.compile(f"^{second}/#/experiments/0"))
    for address in (second, first):
        page.goto(address)
        expect(page.get_by_text("eve@example.org", exact=True)).to_be_visible()
        expect(page.get_by_text("Default", exact=True).first).to_be_visible()
    csrf = {one["name"]: one["value"] for one in page.context.cookies()}["millstream-csrf"]
    made = page.request.post(
        f"{first}/api/2.0/mlflow/users/tokens/create",
        data={"name": "laptop"},
        headers={"X-CSRF-Token": csrf},
    )
    page.goto(f"{first}/#/account")
    expect(page.get_by_text("have no password here")).to_be_visible()
    expect(page.get_by_text("laptop")).to_be_visible()
    expect(page.get_by_label("Present password")).to_have_count(0)
    page.goto(f"{first}/#/models")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name=SIGN_IN)).to_be_visible()
    assert "#" not in page.url
    page.goto("about:blank")
    page.goto(f"{first}/#/models")
    for password in ("wrong", ADMIN):
        page.get_by_label("Name", exact=True).fill("admin")
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("admin", exact=True)).to_be_visible()
    assert page.url.endswith("/#/models")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name=SIGN_IN)).to_be_visible()
    page.goto(second)
    expect(page.get_by_role("link", name=SIGN_IN)).to_be_visible()

    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", made.json()["token"])
    users = get_app_client("basic-auth", tracking_uri=second)
    assert ["researchers"] == [one.name for one in users.list_user_roles("eve@example.org")]
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN)
    users = get_app_client("basic-auth", tracking_uri=second)
    assert [("eve@example.org", "sub-1")] == [
        (one.username, one.subject) for one in users.list_identities()
    ]
    lines = [(one.username, one.action, one.outcome) for one in users.list_audit()]
    for line in (("eve@example.org", "create_user", "done"), ("eve@example.org", "sign_in", "done"),
                 ("eve@example.org", "create_token", "done"), ("mallory@evil.example", "sign_in", "denied")):  # fmt: skip
        assert line in lines
