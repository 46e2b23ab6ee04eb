"""A server with users, in a browser: in and out, the page of users, and what others are not shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.server.running import server

ADMIN, PASSWORD = "the first password", "a long enough one"


@pytest.fixture
def address(tmp_path):
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
    page.get_by_role("link", name="Users").click()
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
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    expect(page.get_by_role("link", name="Trash")).to_have_count(0)
    expect(page.get_by_text("Default", exact=True)).to_have_count(0)
