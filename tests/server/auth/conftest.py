"""Users of a server, and servers that have some."""

from __future__ import annotations

import base64
import re

import pytest

from mlflow.server.auth import passwords
from mlflow.server.auth.access import Access
from mlflow.server.auth.config import AuthConfig
from mlflow.server.auth.users import Users
from tests.server.asking import Client

PASSWORD = "a long enough one"
HTML = ("Accept", "text/html,*/*")


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch):
    """To compute one takes long on purpose; that is tested where passwords are."""
    monkeypatch.setattr(passwords, "_METHOD", "scrypt:16:8:1")


def config(tmp_path, default="READ"):
    return AuthConfig(default, f"sqlite:///{tmp_path}/users.db", "admin", PASSWORD)


@pytest.fixture
def users(tmp_path):
    made = Users(config(tmp_path))
    made.first_admin()
    yield made
    made.close()


@pytest.fixture
def people(users):
    """Two users beside the administrator."""
    for name in ("ann", "bob"):
        users.accounts.create(name, PASSWORD)
    return users


def basic(name, password=PASSWORD):
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return ("Authorization", f"Basic {text}")


class Team:
    """A server with users, and requests in their names."""

    def __init__(self, tmp_path, default="READ", openid=None, **options):
        self.access = Access(config(tmp_path, default)._replace(openid=openid))
        if not self.access.accounts.count():  # the second server on one database finds them
            self.access.first_admin()
            for name in ("ann", "bob"):
                self.access.accounts.create(name, PASSWORD)
        guard = self.access.guard("")
        self.client = Client(access=self.access, guards=[guard], **options)
        self.store = self.client.store

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.__exit__()

    def ask(self, who, method, path, json=..., headers=(), **options):
        found = [*headers, *([] if who is None else [basic(who)])]
        return self.client.ask(method, path, json, headers=found, **options)

    def get(self, who, path, /, **query):
        return self.ask(who, "GET", path, query=query)

    def post(self, who, path, json=..., **options):
        return self.ask(who, "POST", path, json, **options)


class Browser:
    """Keeps cookies and the field of the form."""

    def __init__(self, team):
        self.team = team
        self.cookies = {}

    def ask(self, method, path, json=..., headers=(), **options):
        found = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given = [*headers, ("Cookie", found)] if found else list(headers)
        answer = self.team.client.ask(method, path, json, headers=given, **options)
        for value in re.findall(r"millstream[\w-]*=[^;]*", " ".join(answer.cookies)):
            name, _, text = value.partition("=")
            if text:
                self.cookies[name] = text
            else:
                self.cookies.pop(name, None)
        return answer

    def form(self):
        page = self.ask("GET", "/login", headers=[HTML])
        return re.search(rb'name="form" value="([^"]+)"', page.body)[1].decode()

    def sign_in(self, name="ann", password=PASSWORD, form=None):
        body = f"username={name}&password={password}&form={form or self.form()}".replace(" ", "+")
        return self.ask(
            "POST", "/login", body=body.encode(), kind="application/x-www-form-urlencoded"
        )


@pytest.fixture
def team(tmp_path):
    with Team(tmp_path) as made:
        yield made


@pytest.fixture
def closed(tmp_path):
    """A server whose users see nothing that they were not granted."""
    with Team(tmp_path, "NO_PERMISSIONS") as made:
        yield made
