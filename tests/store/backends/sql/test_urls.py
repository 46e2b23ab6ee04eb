"""The spellings of database addresses that people have in their configuration."""

from __future__ import annotations

import os

import pytest

from mlflow.exceptions import MlflowException, without_password
from mlflow.store.backends.sql.urls import read_url


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:///a.db", "sqlite+pysqlite"),
        ("postgresql://u@h/d", "postgresql+psycopg"),
        ("postgres://u@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg"),
        ("POSTGRESQL+psycopg://u@h/d", "postgresql+psycopg"),
        ("postgresql+pg8000://u@h/d", "postgresql+psycopg"),
        ("mysql://u@h/d", "mysql+pymysql"),
        ("mysql+mysqldb://u@h/d", "mysql+pymysql"),
        ("mysql+pymysql://u@h/d", "mysql+pymysql"),
        ("mariadb+mysqlconnector://u@h/d", "mysql+pymysql"),
    ],
)
def test_drivers(text, driver):
    """Every spelling of a supported database maps to the driver that is installed."""
    assert driver == read_url(text).drivername


def test_the_rest_is_kept():
    """User, password, host, port, database and options are what was written."""
    url = read_url("postgresql+psycopg2://u:p%40ss@h:5433/d?sslmode=require")

    assert (url.username, url.password, url.host, url.port, url.database) == (
        "u", "p@ss", "h", 5433, "d",
    )  # fmt: skip
    assert dict(url.query) == {"sslmode": "require"}


def test_files_have_absolute_paths():
    """A SQLite file is where it was when it was named, whatever folder is entered later."""
    assert read_url("sqlite:///x/a.db").database == os.path.join(os.getcwd(), "x", "a.db")
    assert read_url("sqlite:////x/a.db").database == os.path.abspath("/x/a.db")
    assert read_url("sqlite://").database in (None, "")
    assert read_url("sqlite:///:memory:").database == ":memory:"


@pytest.mark.parametrize("text", ["mssql+pyodbc://u:secret@h/d", "oracle://u:secret@h/d", "x://h"])
def test_other_databases(text):
    """They are refused by name, and the password is not shown."""
    with pytest.raises(MlflowException, match="not supported") as caught:
        read_url(text)
    assert caught.value.error_code == "NOT_IMPLEMENTED"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("text", ["sqlite", "postgresql://u:secret@h:port/d"])
def test_no_address(text):
    """What is no address is refused with an example of one."""
    with pytest.raises(MlflowException, match="Invalid database URI") as caught:
        read_url(text)
    assert "secret" not in caught.value.message


def test_missing_driver(monkeypatch):
    """The command that installs it is named."""
    monkeypatch.setattr("mlflow.store.backends.sql.urls.find_spec", lambda name: None)
    with pytest.raises(MlflowException, match=r"pip install 'millstream\[postgresql\]'"):
        read_url("postgresql://h/d")


def test_hidden():
    """Neither user nor password is shown, even when they contain an '@'."""
    assert without_password("postgresql://u:p@ss@h/d") == "postgresql://***@h/d"
    assert without_password("sqlite:///a.db") == "sqlite:///a.db"
