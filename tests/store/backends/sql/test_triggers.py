"""MLflow's trigger: the id and the name of a secret do not change, and nothing else is refused."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy

from mlflow.store.backends.sql import triggers
from mlflow.store.backends.sql.engine import Database
from tests.databases import on_every_database

SECRET = {
    "secret_id": "s-1", "secret_name": "key", "encrypted_value": b"1", "wrapped_dek": b"2",
    "kek_version": 1, "masked_value": "***", "created_at": 1, "last_updated_at": 1,
}  # fmt: skip


def refusals(connection):
    """What is said to changes of a secret, one by one; empty for those that are made."""
    columns = ", ".join(SECRET)
    values = ", ".join(f":{name}" for name in SECRET)
    connection.execute(
        sqlalchemy.text(f"INSERT INTO secrets ({columns}) VALUES ({values})"), SECRET
    )
    said = []
    for change in ("secret_name = 'other'", "secret_id = 's-2'", "masked_value = '*'",
                   "secret_name = 'key', kek_version = 2"):  # fmt: skip
        connection.exec_driver_sql("SAVEPOINT attempt")
        try:
            connection.exec_driver_sql(f"UPDATE secrets SET {change}")
            said.append("")
        except sqlalchemy.exc.DBAPIError as error:
            said.append(str(error.orig))
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT attempt")
    return said


@pytest.fixture
def database(sql_uri):
    database = Database(sql_uri)
    yield database
    database.close()


@on_every_database
def test_names_of_secrets_stay(database):
    """Renaming is refused in MLflow's words; other changes are made."""
    assert database.run(triggers.has_trigger)
    name, identity, *others = database.write(refusals)
    assert triggers.MESSAGE in name
    assert triggers.MESSAGE in identity
    assert ["", ""] == others


@on_every_database
def test_made_where_it_is_missing(database):
    """Once, however often it is asked for."""
    place = " ON secrets" if database.dialect == "postgresql" else ""
    database.run(lambda one: one.exec_driver_sql(f"DROP TRIGGER {triggers.TRIGGER}{place}"))
    assert not database.run(triggers.has_trigger)
    database.write(triggers.create_trigger)
    database.write(triggers.create_trigger)
    assert database.run(triggers.has_trigger)


@pytest.mark.parametrize("sql_uri", ["mysql"], indirect=True)
def test_a_user_who_may_not_make_it(database, monkeypatch, caplog):
    """Of what a server of MySQL keeps to itself it is said that it is missing; else it is raised."""
    signal = "SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = {}, MESSAGE_TEXT = 'no'"
    monkeypatch.setattr(triggers, "has_trigger", lambda connection: False)
    monkeypatch.setitem(triggers._STATEMENTS, "mysql", signal.format(1419))
    with caplog.at_level(logging.WARNING):
        database.run(triggers.create_trigger)
    assert "log_bin_trust_function_creators" in caplog.text
    monkeypatch.setitem(triggers._STATEMENTS, "mysql", signal.format(1644))
    with (
        database.engine.connect() as connection,
        pytest.raises(sqlalchemy.exc.DBAPIError, match="no"),
    ):
        triggers.create_trigger(connection)
