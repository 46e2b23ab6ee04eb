"""Databases of users: new ones, those of MLflow, and what is none."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.auth.config import AuthConfig
from mlflow.server.auth.tables import HEAD
from mlflow.server.auth.users import Users
from tests.conftest import FULL

DATA = Path(__file__).resolve().parents[2] / "data" / "auth"


def opened(path, name):
    """Return users of a database that a stock MLflow wrote."""
    with sqlite3.connect(path / "users.db") as file:
        file.executescript((DATA / name).read_text(encoding="utf-8"))
    file.close()
    return Users(AuthConfig(database_uri=f"sqlite:///{path}/users.db"))


def test_a_database_of_mlflow_3_opens(tmp_path):
    """Users, hashes, roles and grants are there; nothing is made anew."""
    users = opened(tmp_path, "stock-3.17.2.sql")

    assert users.first_admin() is None
    assert [("admin", True), ("u1", False), ("u2", False)] == [
        (one.username, one.is_admin) for one in users.accounts.all()[:3]
    ]
    assert users.accounts.with_password("admin", "correct-horse-battery") is not None
    assert users.accounts.with_password("u2", "a-long-password-1") is not None
    caller, _ = users.accounts.caller(3)
    assert "DENY" == caller.permission(("experiment", "1"))
    assert "EDIT" == caller.permission(("experiment", "99"))
    users.close()


def test_a_database_of_mlflow_2_opens(tmp_path):
    """What it granted on single things becomes what roles of single users give."""
    users = opened(tmp_path, "stock-2.sql")

    given = {
        (one.resource_type, one.resource_pattern, one.permission)
        for role in users.roles.of_user(2)
        for one in role.permissions
    }
    assert {("experiment", "1", "EDIT"), ("experiment", "2", "DENY"),
            ("registered_model", "m", "MANAGE")} == given  # fmt: skip
    users.close()
    with sqlite3.connect(tmp_path / "users.db") as file:
        assert [(HEAD,)] == file.execute("SELECT * FROM alembic_version_auth").fetchall()
    file.close()


def test_other_letters_are_another_thing(tmp_path):
    """Where the database takes `M` for `m`: nobody undoes a grant by making something of that name."""
    text = (DATA / "stock-3.17.2.sql").read_text(encoding="utf-8")
    with sqlite3.connect(tmp_path / "users.db") as file:
        pattern = "resource_pattern VARCHAR(255) NOT NULL"
        assert pattern in text
        file.executescript(text.replace(pattern, f"{pattern} COLLATE NOCASE"))
    file.close()
    users = Users(AuthConfig(database_uri=f"sqlite:///{tmp_path}/users.db"))
    users.roles.grant("u1", "registered_model", "m", "DENY")
    users.roles.born("registered_model", "M", 3)
    users.roles.gone("registered_model", "M")
    users.roles.renamed("registered_model", "M", "other")
    assert "DENY" == users.roles.granted("u1", "registered_model", "m")
    with pytest.raises(MlflowException, match="not found"):
        users.roles.granted("u1", "registered_model", "M")
    users.close()


def test_another_programs_database_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "users.db") as file:
        file.execute("CREATE TABLE users (id INTEGER, mail TEXT)")
    file.close()
    users = Users(AuthConfig(database_uri=f"sqlite:///{tmp_path}/users.db"))
    with pytest.raises(MlflowException, match="not MLflow's"):
        users.accounts.count()
    users.close()


def test_a_database_from_before_a_table_has_it(users, tmp_path):
    """What came with a later version is made where users are already."""
    with sqlite3.connect(tmp_path / "users.db") as file:
        for table in ("millstream_identities", "millstream_failures"):
            file.execute(f"DROP TABLE {table}")
    file.close()
    again = Users(AuthConfig(database_uri=f"sqlite:///{tmp_path}/users.db"))
    assert [] == again.people.all()
    again.throttle.failed("ann", "1.2.3.4")
    assert ["admin"] == [one.username for one in again.accounts.all()]
    again.close()


@pytest.mark.skipif(not FULL, reason="on servers of databases with MILLSTREAM_FULL=1")
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_users_on_a_server_of_databases(servers, dialect):
    """Every kind of row is made, read, changed and removed."""
    uri = servers[dialect].make()
    for _ in range(2):  # made, then opened
        users = Users(AuthConfig(database_uri=uri, admin_password="a long enough one"))
        users.first_admin()
        users.close()
    users = Users(AuthConfig(database_uri=uri))
    ann = users.accounts.create("ann", "a long enough one")
    assert users.accounts.with_password("ann", "a long enough one") is not None
    assert users.accounts.with_password("ANN", "a long enough one") is None
    users.roles.grant("ann", "experiment", "1", "EDIT")
    role = users.roles.create("default", "r")
    users.roles.add(role.id, "experiment", "*", "READ")
    users.roles.assign("ann", role.id)
    token, _ = users.tokens.create(ann.id, "t", days=1)
    assert users.tokens.find("token", token).user_id == ann.id
    users.audit.add("ann", "x")
    assert "x" == users.audit.read()[0].action
    users.roles.renamed("experiment", "1", "2")
    assert "EDIT" == users.roles.granted("ann", "experiment", "2")
    users.accounts.delete("ann")
    assert 1 == users.accounts.count()
    users.close()


def started_at_one_time(uri):
    """Return the passwords that four servers tell of the first administrator of a new database."""
    opened = [Users(AuthConfig(database_uri=uri)) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda one: one.first_admin(), opened))
    assert {1} == {one.accounts.count() for one in opened}
    (password,) = [one for one in found if one is not None]
    assert opened[0].accounts.with_password("admin", password) is not None
    for one in opened:
        one.close()


def test_servers_that_start_at_one_time(tmp_path, caplog):
    started_at_one_time(f"sqlite:///{tmp_path}/new.db")
    assert "" == caplog.text


@pytest.mark.skipif(not FULL, reason="on servers of databases with MILLSTREAM_FULL=1")
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_servers_that_start_at_one_time_on_one_database(servers, dialect, caplog):
    for _ in range(3):
        started_at_one_time(servers[dialect].make())
    assert "" == caplog.text
