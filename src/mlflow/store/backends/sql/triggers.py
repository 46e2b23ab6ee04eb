"""The one trigger of MLflow's schema: a secret is encrypted together with its id and its name."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mlflow.store.backends.sql.urls import MYSQL, POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from sqlalchemy import Connection

_logger = logging.getLogger(__name__)

# The names and the message are MLflow's.
TRIGGER = "prevent_secrets_aad_mutation"
MESSAGE = "secret_id and secret_name are immutable (used as AAD in encryption)"
_CHANGED = "NEW.secret_id <> OLD.secret_id OR NEW.secret_name <> OLD.secret_name"
_HEAD = f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE ON secrets FOR EACH ROW"
_REFUSE = f"IF {_CHANGED} THEN {{}} '{MESSAGE}'; END IF;"
_STATEMENTS = {
    SQLITE: f"{_HEAD} WHEN {_CHANGED} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    POSTGRESQL: (
        f"CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {_REFUSE.format('RAISE EXCEPTION')} RETURN NEW; END; $$;"
        f" {_HEAD} EXECUTE FUNCTION {TRIGGER}()"
    ),
    MYSQL: _HEAD + f" BEGIN {_REFUSE} END".format("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT ="),
}
_PRESENT = {
    SQLITE: "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = :name",
    POSTGRESQL: "SELECT 1 FROM pg_trigger WHERE tgname = :name AND tgrelid = to_regclass('secrets')",
    MYSQL: (
        "SELECT 1 FROM information_schema.triggers"
        " WHERE trigger_schema = database() AND trigger_name = :name"
    ),
}
# What MySQL says to users who may make tables and no triggers: the right is not theirs, or the
# server keeps a binary log and wants more than the right.
_NOT_ALLOWED = frozenset({1142, 1227, 1419})


def has_trigger(connection: Connection) -> bool:
    """Tell whether the trigger is there."""
    found = connection.execute(text(_PRESENT[connection.dialect.name]), {"name": TRIGGER})
    return found.first() is not None


def create_trigger(connection: Connection) -> None:
    """Create the trigger if it is missing.

    It guards a table that nothing here writes. So where a user of MySQL may not make it, this says
    so and goes on.

    Args:
        connection: of a database with the table of secrets; on SQLite and PostgreSQL in a
            transaction.

    Raises:
        sqlalchemy.exc.DBAPIError: the database may not be changed, or is in use.
    """
    if has_trigger(connection):
        return
    try:
        connection.exec_driver_sql(_STATEMENTS[connection.dialect.name])
    except DBAPIError as error:
        if connection.dialect.name != MYSQL or _code(error) not in _NOT_ALLOWED:
            raise
        _logger.warning(
            "The database has no trigger %s, which MLflow's schema has: this user may not make it. "
            "Nothing but MLflow's gateway needs it. Grant TRIGGER, on servers with a binary log set "
            "log_bin_trust_function_creators = 1, and make it as another MLflow's database has it.",
            TRIGGER,
        )


def _code(error: DBAPIError) -> Any:
    return next(iter(getattr(error.orig, "args", ())), None)
