"""A server with users, in a browser: in and out, the page of users, and what others are not shown."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.server.running import server

ADMIN, PASSWORD = "the first password", "a long enough one"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("users")
    config = tmp_path / "auth.ini"
    config.write_text("[mlflow]\ndefault_permission = NO_PERMISSIONS\n")
    environment = {"MLFLOW_AUTH_CONFIG_PATH": str(config), "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN}
    with server(tmp_path, "--app-name", "basic-auth", environment=environment) as (_, found):
        yield found


@pytest.fixture
def page(browser, address):
    context = browser.new_context()
    made = context.new_page()
    made.goto(address)
    yield made
    context.close()


def sign_in(page, name, password):
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_an_administrator_makes_a_user_who_sees_nothing_of_others(page):
    sign_in(page, "admin", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    sign_in(page, "admin", ADMIN)
    page.get_by_role("link", name="People").click()
    page.get_by_role("button", name="New user…").click()
    page.get_by_label("Name", exact=True).fill("ann")
    page.get_by_label("Password, 12 characters at least").fill(PASSWORD)
    page.get_by_role("button", name="Make the user").click()
    expect(page.get_by_text("ann may sign in.")).to_be_visible()
    page.get_by_role("link", name="Experiments").click()
    expect(page.get_by_role("main").get_by_text("Default").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, "ann", PASSWORD)
    expect(page.get_by_text("ann", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    expect(page.get_by_role("link", name="Trash")).to_have_count(0)
    expect(page.get_by_text("Default", exact=True)).to_have_count(0)


def toast(page, text):
    expect(page.get_by_role("status").get_by_text(text)).to_be_visible()


def make_user(page, name):
    page.get_by_role("link", name="People").click()
    page.get_by_role("button", name="New user…").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password, 12 characters at least").fill(PASSWORD)
    page.keyboard.press("Enter")
    toast(page, f"{name} may sign in.")


def test_a_role_lets_its_members_in_and_the_log_says_so(page, address):
    """A role with a grant, a member, a level on one experiment; each is told in the audit log."""
    sign_in(page, "admin", ADMIN)
    make_user(page, "amy")
    make_user(page, "bob")
    page.get_by_role("tab", name="Roles").click()
    page.get_by_role("button", name="New role…").first.click()
    page.get_by_label("Name of the role").fill("readers")
    page.get_by_role("button", name="Make the role").click()
    page.get_by_role("button", name="Give", exact=True).click()
    toast(page, "The role gives READ now.")
    page.get_by_label("Who gets the role").select_option("amy")
    page.get_by_role("button", name="Add", exact=True).click()
    toast(page, "amy has this role.")

    page.goto(f"{address}/#/experiments/0/access")
    row = page.get_by_role("row")
    expect(row.filter(has_text="amy")).to_contain_text("role readers")
    page.get_by_label("Who", exact=True).select_option("bob")
    page.get_by_label("Level to give").select_option("EDIT")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(row.filter(has_text="bob").locator(".level")).to_have_text("EDIT")
    page.get_by_label("Level of bob").select_option("MANAGE")
    expect(row.filter(has_text="bob").locator(".level")).to_have_text("MANAGE")
    page.get_by_role("button", name="Take the level from bob").click()
    toast(page, "Taken from bob.")
    expect(row.filter(has_text="bob")).to_have_count(0)
    page.get_by_role("button", name="Undo").last.click()
    expect(row.filter(has_text="bob").locator(".level")).to_have_text("MANAGE")

    page.goto(f"{address}/#/audit")
    page.get_by_label("What", exact=True).select_option("assign_role")
    lines = page.locator("table.audit tbody tr")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("username=amy")
    expect(lines).to_contain_text("127.0.0.1")
    page.goto(f"{address}/#/users")
    page.get_by_role("button", name="Actions for bob").click()
    page.get_by_role("menuitem", name="Disable").click()
    expect(row.filter(has_text="bob")).to_contain_text("disabled")
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, "bob", PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    sign_in(page, "amy", PASSWORD)
    expect(page.get_by_role("main").get_by_role("link", name="Default")).to_be_visible()


def answers(address, token):
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/users/current", headers={"authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_ones_own_account(page, address):
    """A token that is shown once and opens the server until it is revoked; another password."""
    sign_in(page, "admin", ADMIN)
    page.get_by_role("link", name="admin").click()
    page.get_by_role("button", name="New token…").click()
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_label("Read").check()
    page.get_by_role("button", name="Make the token").click()
    token = page.locator(".secret code").inner_text()
    assert 200 == answers(address, token)
    page.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_role("row").filter(has_text="laptop")).to_contain_text("read")
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_role("button", name="Revoke laptop").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    toast(page, "laptop opens nothing any more.")
    assert 401 == answers(address, token)

    page.get_by_label("Present password").fill(ADMIN)
    page.get_by_label("New password, 12 characters at least").fill(PASSWORD)
    page.get_by_label("The new one again").fill("another one, too")
    expect(page.get_by_text("The two are not the same.")).to_be_visible()
    page.get_by_label("The new one again").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    sign_in(page, "admin", PASSWORD)
    expect(page.get_by_role("heading", name="Your account", exact=True)).to_be_visible()
