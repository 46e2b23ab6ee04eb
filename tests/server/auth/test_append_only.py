"""The databases themselves refuse to change the audit log, and serve where they cannot be told to."""

from __future__ import annotations

import logging
import sqlite3

import pytest
import sqlalchemy

from mlflow.server.auth import append_only
from mlflow.server.auth.config import AuthConfig
from mlflow.server.auth.users import Users
from mlflow.store.backends.sql.urls import read_url
from tests.conftest import FULL

CHANGES = ["DELETE FROM millstream_audit", "UPDATE millstream_audit SET action = 'y'"]


def test_a_file_refuses(users, tmp_path):
    users.audit.add("ann", "x")
    with sqlite3.connect(tmp_path / "users.db") as file:
        for statement in CHANGES:
            with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
                file.execute(statement)
    file.close()


def refusals(uri, statements):
    """Return what a database says to statements of its owner, which another program might send."""
    engine = sqlalchemy.create_engine(read_url(uri))
    found = []
    try:
        for statement in statements:
            with engine.connect() as connection:
                try:
                    connection.exec_driver_sql(statement)
                    found.append("done")
                except sqlalchemy.exc.DBAPIError as error:
                    found.append(str(error.orig))
    finally:
        engine.dispose()
    return found


@pytest.mark.skipif(not FULL, reason="on servers of databases with MILLSTREAM_FULL=1")
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_a_server_of_databases_refuses(servers, dialect):
    """Also where the triggers were not there yet, as in databases that came before them."""
    uri = servers[dialect].make()
    statements = [*CHANGES, *(["TRUNCATE millstream_audit"] if dialect == "postgresql" else [])]
    for _ in range(2):  # made, then opened
        users = Users(AuthConfig(database_uri=uri))
        users.audit.add("ann", "x")
        users.close()
    for said in refusals(uri, statements):
        assert "only ever added to" in said
    if dialect == "mysql":
        drops = [f"DROP TRIGGER millstream_audit_{verb}" for verb in ("UPDATE", "DELETE")]
    else:
        drops = ["BEGIN; DROP FUNCTION millstream_audit_kept() CASCADE; COMMIT"]
    assert {"done"} == set(refusals(uri, drops))
    users = Users(AuthConfig(database_uri=uri))
    assert 2 == len(users.audit.read())
    users.close()
    for said in refusals(uri, statements):
        assert "only ever added to" in said


@pytest.mark.skipif(not FULL, reason="on servers of databases with MILLSTREAM_FULL=1")
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_without_the_right_to_make_triggers_it_serves_and_says_so(
    servers, dialect, caplog, monkeypatch
):
    """The statement is one that fails, as it does for users without the right."""
    broken = {"x": ["SELECT * FROM millstream_nowhere"]}
    monkeypatch.setitem(append_only._TRIGGERS, dialect, broken)
    with caplog.at_level(logging.WARNING, "mlflow.server"):
        users = Users(AuthConfig(database_uri=servers[dialect].make()))
        users.audit.add("ann", "x")
    assert ["x"] == [one.action for one in users.audit.read()]
    assert 1 == caplog.text.count("does not keep its audit log")
    users.close()
