"""Triggers by which the databases themselves refuse to change or remove lines of the audit log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import Connection

_logger = logging.getLogger("mlflow.server")
_SAID = "the audit log is only ever added to"
_VERBS = ("UPDATE", "DELETE")
_ON_SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS millstream_audit_{verb} BEFORE {verb} ON millstream_audit "
    "BEGIN SELECT RAISE(ABORT, '{said}'); END"
)
_ON_MYSQL = (
    "CREATE TRIGGER millstream_audit_{verb} BEFORE {verb} ON millstream_audit "
    "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{said}'"
)
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION millstream_audit_kept() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_SAID}'; END $$"
)
_ON_POSTGRESQL = (
    "CREATE TRIGGER millstream_audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE "
    "ON millstream_audit FOR EACH STATEMENT EXECUTE PROCEDURE millstream_audit_kept()"
)


def _each_verb(statement: str) -> dict[str, list[str]]:
    return {
        f"millstream_audit_{verb}": [statement.format(verb=verb, said=_SAID)] for verb in _VERBS
    }


# What a trigger of each dialect is called, and how it is made.
_TRIGGERS = {
    "sqlite": _each_verb(_ON_SQLITE),
    "mysql": _each_verb(_ON_MYSQL),
    "postgresql": {"millstream_audit_kept": [_FUNCTION, _ON_POSTGRESQL]},
}
_PRESENT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "mysql": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS "
    "WHERE TRIGGER_SCHEMA = DATABASE()",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'millstream_audit'::regclass",
}


def keep_audit(connection: Connection) -> None:
    """Have a database refuse changes of its audit log.

    A user of the database who may not make triggers is told so in the log of the server, which
    serves all the same: the server itself changes nothing there.
    """
    dialect = connection.dialect.name
    present = set(connection.exec_driver_sql(_PRESENT[dialect]).scalars())
    for name, statements in _TRIGGERS[dialect].items():
        if name not in present:
            _make(connection, statements)


def _make(connection: Connection, statements: list[str]) -> None:
    connection.exec_driver_sql("SAVEPOINT millstream_audit")
    try:
        for statement in statements:
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        # MySQL has ended the transaction, and the mark with it.
        if connection.dialect.name != "mysql":
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT millstream_audit")
        _logger.warning(
            "The database of users does not keep its audit log from being changed: it does not let "
            "this server's user make the triggers (%s).", error.orig,
        )  # fmt: skip
