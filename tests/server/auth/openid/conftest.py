"""A provider that lies when told to, and a server that people sign in to by it."""

from __future__ import annotations

import shutil
from urllib.parse import parse_qsl, urlsplit

import pytest

from mlflow.server.auth import passwords
from mlflow.server.auth.openid.config import OpenIdConfig
from tests.server.auth.conftest import Browser, Team

from .lying import CLIENT, SECRET, LyingProvider

HOST = ("Host", "127.0.0.1:5000")
CALLBACK = "/login/openid/callback"


@pytest.fixture
def provider():
    with LyingProvider() as made:
        yield made


@pytest.fixture
def config(provider):
    return OpenIdConfig(provider.issuer, CLIENT, SECRET, label="Example & Co")


class Guest(Browser):
    """A browser that is sent to the provider and back."""

    def __init__(self, team, provider):
        super().__init__(team)
        self.provider = provider

    def ask(self, method, path, json=..., headers=(), **options):
        return super().ask(method, path, json, headers=[*headers, HOST], **options)

    def leave(self, **query):
        """Return what the provider is asked."""
        self.left = answer = self.ask("GET", "/login/openid", query=query)
        assert 303 == answer.status, answer.body
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def come_back(self, asked, **given):
        return self.ask("GET", CALLBACK, query={"state": asked["state"], **given})

    def sign_in_there(self, subject="sub-1", **query):
        """Return the answer to who comes back with a code."""
        asked = self.leave(**query)
        return self.come_back(asked, code=self.provider.sign_in(asked, subject))

    def name(self):
        answer = self.ask("GET", "users/current")
        return answer.json["user"]["username"] if answer.status == 200 else None


@pytest.fixture(scope="session", autouse=True)
def template(tmp_path_factory):
    """A database of users: made once, and copied."""
    folder = tmp_path_factory.mktemp("users")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_METHOD", "scrypt:16:8:1")
        Team(folder).access.close()
    House.template = folder / "users.db"


class House:
    """A server with one provider."""

    template = None

    def __init__(self, tmp_path, provider, config):
        if not (tmp_path / "users.db").exists():
            shutil.copy(self.template, tmp_path)
        self.team = Team(tmp_path, openid=config)
        self.provider = provider

    def __enter__(self):
        self.team.__enter__()
        return self

    def __exit__(self, *_):
        self.team.__exit__()

    def guest(self):
        return Guest(self.team, self.provider)

    def failures(self):
        """Return what the audit log says of those who were not let in."""
        found = self.team.access.audit.read(action="sign_in")
        return [one.resource for one in found if one.outcome == "denied"]


@pytest.fixture
def house(tmp_path, provider, config):
    with House(tmp_path, provider, config) as made:
        yield made


@pytest.fixture
def guest(house):
    return house.guest()
