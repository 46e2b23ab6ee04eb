"""The file of MLflow is read; what is not meant is said."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.auth.config import AuthConfig, read_auth_config


def said(tmp_path, monkeypatch, text):
    path = tmp_path / "auth.ini"
    path.write_text(text)
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(path))
    return read_auth_config()


def test_without_a_file():
    assert AuthConfig("READ", "sqlite:///basic_auth.db", "admin", None) == read_auth_config()


def test_a_file_of_mlflow(tmp_path, monkeypatch):
    text = (
        "[mlflow]\ndefault_permission = NO_PERMISSIONS\ndatabase_uri = sqlite:///other.db\n"
        "admin_username = root\nadmin_password = 100% of a long one\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "grant_default_workspace_access = false\n"
    )
    expected = AuthConfig("NO_PERMISSIONS", "sqlite:///other.db", "root", "100% of a long one")
    assert expected == said(tmp_path, monkeypatch, text)
    monkeypatch.setenv("MLFLOW_AUTH_ADMIN_USERNAME", "boss")
    monkeypatch.setenv("MLFLOW_AUTH_ADMIN_PASSWORD", "from the environment")
    assert ("boss", "from the environment") == read_auth_config()[2:4]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no section"), ("nonsense", "MLFLOW_AUTH_CONFIG_PATH"), ("[mlflow]\ndefault_permission=ALL", "ALL"),
     ("[mlflow]\ndefault_permission=DENY", "DENY"), ("[mlflow]\nadmin_password=password1234", "everybody knows"),
     ("[mlflow]\nauthorization_function=a:b", "a:b")],
)  # fmt: skip
def test_what_cannot_be(tmp_path, monkeypatch, text, words):
    with pytest.raises(MlflowException, match=words):
        said(tmp_path, monkeypatch, text)


def test_a_file_that_is_not_there(monkeypatch):
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", "/nowhere/auth.ini")
    with pytest.raises(MlflowException, match="No such file"):
        read_auth_config()
