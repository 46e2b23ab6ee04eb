"""What is configured is read; what cannot be is said, before anybody signs in."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.auth.config import read_auth_config
from mlflow.server.auth.openid.config import OpenIdConfig, read_openid_config
from mlflow.server.auth.users import Users

GOOD = {"issuer": "https://id.example.org", "client_id": "mlflow"}


def test_nothing_is_nobody():
    assert read_openid_config({}) is None
    assert read_auth_config().openid is None


def test_the_least():
    assert OpenIdConfig(
        "https://id.example.org", "mlflow", label="id.example.org"
    ) == read_openid_config(GOOD)


def test_a_file(tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("a secret: 100%\n")
    secret.chmod(0o600)
    path = tmp_path / "auth.ini"
    path.write_text(
        "[mlflow]\ndefault_permission = READ\n[openid]\nissuer = https://id.example.org/realms/a\n"
        f"client_id = mlflow\nclient_secret_file = {secret}\nscopes = email groups\n"
        "username_claim = email\ngroups_claim = realm_access.roles\nallowed_groups = a, b\n"
        "admin_groups =\n    cn=admins,dc=example\n    root\n"
        "role_groups =\n    cn=ml,dc=example: writers\n    cn=x: readers\n"
        "email_domains = Example.org, @example.com\nlabel = Example 100%\ncreate_users = no\n"
        "redirect_uri = https://ml.example.org/login/openid/callback\nsession_hours = 8\n"
    )
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(path))
    expected = OpenIdConfig(
        "https://id.example.org/realms/a", "mlflow", "a secret: 100%",
        ("openid", "email", "groups"), "email", "realm_access.roles", ("a", "b"),
        ("cn=admins,dc=example", "root"),
        (("cn=ml,dc=example", "writers"), ("cn=x", "readers")),
        ("example.org", "example.com"), "Example 100%", False,
        "https://ml.example.org/login/openid/callback", 8,
    )  # fmt: skip
    assert expected == read_auth_config().openid


def test_variables_win(monkeypatch):
    for name, value in (("ISSUER", "http://localhost:9400"), ("CLIENT_SECRET", "s"), ("CREATE_USERS", "0"),
                        ("GROUPS_CLAIM", "g"), ("ROLE_GROUPS", "a:b: writers, c: readers")):  # fmt: skip
        monkeypatch.setenv(f"MILLSTREAM_OPENID_{name}", value)
    found = read_openid_config(GOOD)
    assert ("http://localhost:9400", "mlflow", "s") == found[:3]
    assert not found.create_users
    assert found.is_local
    assert (("a:b", "writers"), ("c", "readers")) == found.role_groups


@pytest.mark.parametrize(
    ("given", "words"),
    [({"issuer": ""}, "issuer"), ({"client_id": " "}, "client_id"), ({"isuer": "x"}, "has no 'isuer'"),
     *(({"issuer": one}, "issuer") for one in (
         "http://id.example.org", "ftp://id.example.org", "id.example.org", "https://", "https://id.example.org?x=1",
         "https://u:p@id.example.org", "https://id.example.org#x", "https://id.example.org/ x", "https://id.example.org:x",
         "http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://10.0.0.1", "https://é.example",
         "https://[::1", "https://id.example.org\\@evil")),
     ({"redirect_uri": "https://ml.example.org/"}, "must end with"), ({"redirect_uri": "//x/login/openid/callback"}, "redirect_uri"),
     ({"redirect_uri": "http://ml.example.org/login/openid/callback"}, "https"),
     ({"allowed_groups": "a"}, "groups_claim"), ({"admin_groups": "a"}, "groups_claim"), ({"role_groups": "a: b"}, "groups_claim"),
     *(({"groups_claim": "g", "role_groups": one}, "group: role") for one in ("a", "a:", ": b", "a: __user_1__")),
     ({"create_users": "maybe"}, "true or false"), ({"session_hours": "0"}, "between 1 and 720"), ({"session_hours": "x"}, "between"),
     ({"session_hours": "721"}, "between"), ({"label": "x" * 61}, "label"), ({"label": "a\x07"}, "label"),
     ({"client_secret": "a", "client_secret_file": "/x"}, "not both"), ({"client_secret_file": "/nowhere/x"}, "No such file")],
)  # fmt: skip
def test_what_cannot_be(given, words):
    with pytest.raises(MlflowException, match=words) as caught:
        read_openid_config({**GOOD, **given})
    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code


@pytest.mark.parametrize(
    ("text", "mode", "words"), [("s", 0o644, "chmod 600"), (" \n", 0o600, "empty")]
)
def test_a_secret_that_is_none(tmp_path, text, mode, words):
    path = tmp_path / "secret"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(MlflowException, match=words):
        read_openid_config({**GOOD, "client_secret_file": str(path)})


def test_without_the_library_it_says_so(tmp_path, monkeypatch):
    """When the server starts, and not when somebody signs in."""
    from tests.server.auth.conftest import config

    monkeypatch.setitem(__import__("sys").modules, "joserfc", None)
    for name in ("login", "id_token"):
        monkeypatch.delitem(
            __import__("sys").modules, f"mlflow.server.auth.openid.{name}", raising=False
        )
    wanted = config(tmp_path)._replace(openid=read_openid_config(GOOD))
    with pytest.raises(MlflowException, match=r"pip install 'millstream\[oidc\]'"):
        Users(wanted)
    Users(config(tmp_path)).close()
