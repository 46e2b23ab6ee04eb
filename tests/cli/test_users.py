"""Users, tokens and the audit log from a terminal."""

from __future__ import annotations

import json
from functools import partial

import pytest
from click.testing import CliRunner

from mlflow.cli import cli
from mlflow.server.app import ServerApp
from mlflow.server.auth import passwords
from mlflow.server.auth.access import Access
from mlflow.server.auth.config import AuthConfig
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from tests.server.serving import Served

PASSWORD = "a long enough one"


@pytest.fixture(autouse=True)
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "_METHOD", "scrypt:16:8:1")
    access = Access(AuthConfig("READ", f"sqlite:///{tmp_path}/u.db", "admin", PASSWORD))
    access.first_admin()
    app = ServerApp(LocalStore(MemoryBackend()), access=access, guards=[access.guard("")])
    with Served(app) as served:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", served.uri)
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
        yield
    app.close()


def run(*words, stdin=None, code=0):
    done = CliRunner().invoke(cli, list(words), input=stdin)
    assert code == done.exit_code, done.output
    return done.output


auth, token = partial(run, "auth"), partial(run, "token")


def test_users():
    assert "Made the user 'ann'" in auth("create", "ann", stdin=f"{PASSWORD}\n")
    auth("create", "bob", "--admin", stdin=f"{PASSWORD}\n")
    assert "12 characters" in auth("create", "col", stdin="short\n", code=1)
    listed = auth("list")
    assert ["admin", "yes"] in [line.split() for line in listed.splitlines()]
    assert ["ann"] in [line.split() for line in listed.splitlines()]
    auth("admin", "bob", "--off")
    auth("grant", "ann", "experiment", "0", "edit")
    assert "EDIT" in auth("show", "ann")
    assert "Invalid permission" in auth("grant", "ann", "experiment", "0", "all", code=1)
    auth("revoke", "ann", "experiment", "0")
    assert "EDIT" not in auth("show", "ann")
    auth("password", "ann", stdin="another long one\n")
    auth("delete", "ann")
    assert "not found" in auth("delete", "ann", code=1)


def test_tokens(monkeypatch):
    made = token("create", "laptop", "--scope", "read", "--days", "3").split()[-1]
    assert made.startswith("mls_")
    listed = token("list")
    assert "laptop" in listed
    assert made not in listed
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", made)
    assert "admin" in auth("list")
    assert "Permission denied" in auth("delete", "admin", code=1)


def test_what_was_done():
    auth("create", "ann", stdin=f"{PASSWORD}\n")
    auth("delete", "ann")
    lines = [json.loads(line) for line in run("audit", "--json", "--limit", "2").splitlines()]
    assert [("delete_user", "done"), ("create_user", "done")] == [
        (one["action"], one["outcome"]) for one in lines
    ]
    assert "127.0.0.1" in run("audit", "--action", "delete_user")
    assert "delete_user" not in run("audit", "--since", "2100-01-01")
    assert "no time" in run("audit", "--since", "yesterday", code=1)


def test_a_server_has_to_be_named(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "./mlruns")
    assert "MLFLOW_TRACKING_URI" in auth("list", code=1)


def test_who_signs_in_by_a_provider():
    auth("create", "ann", stdin=f"{PASSWORD}\n")
    assert "name the issuer" in auth("link", "ann", "sub-1", code=1)
    issuer = "https://id.example.org"
    assert "'sub-1' signs in as 'ann'" in auth("link", "ann", "sub-1", "--issuer", issuer)
    listed = auth("identities")
    assert "ann" in listed
    assert issuer in listed
    auth("delete", "ann")
    assert "(ann was removed)" in auth("identities")
    assert "Removed identity 1" in auth("unlink", "1")
    assert "sub-1" not in auth("identities")
    assert "not found" in auth("unlink", "1", code=1)
