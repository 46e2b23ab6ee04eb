"""What the errors of drivers mean to users: the only place that knows their codes."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from mlflow.exceptions import (
    ABORTED,
    DATA_LOSS,
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    INVALID_STATE,
    PERMISSION_DENIED,
    RESOURCE_EXHAUSTED,
    TEMPORARILY_UNAVAILABLE,
    MlflowException,
)
from mlflow.store.backends.base import ReadOnly

# What a caller of the database layer may decide on.
AGAIN = "again"  # the transaction was chosen to fail for another's sake: repeat it
LOST = "lost"  # the connection is gone
TAKEN = "taken"  # a key that has to be unique exists
OTHER = "other"


class Trouble(NamedTuple):
    """What happened.

    Args:
        kind: one of the constants of this module.
        code: the error code for the user.
        words: what to tell, as the end of "The database … ".
    """

    kind: str
    code: int
    words: str


BUSY = Trouble(OTHER, TEMPORARILY_UNAVAILABLE, "is locked by another process; try again later")
FULL = Trouble(OTHER, RESOURCE_EXHAUSTED, "cannot grow: its disk or quota is full")
EXHAUSTED = Trouble(OTHER, RESOURCE_EXHAUSTED, "has no room or connections left; try again later")
READ_ONLY = Trouble(OTHER, PERMISSION_DENIED, "cannot be written")
DENIED = Trouble(OTHER, PERMISSION_DENIED, "denies access")
GONE = Trouble(LOST, TEMPORARILY_UNAVAILABLE, "cannot be reached, or ended the connection")
DAMAGED = Trouble(OTHER, DATA_LOSS, "is damaged")
FOREIGN = Trouble(OTHER, INVALID_PARAMETER_VALUE, "is no SQLite database")
REFUSED = Trouble(OTHER, INVALID_PARAMETER_VALUE, "refuses a value")
REPEAT = Trouble(AGAIN, ABORTED, "was too busy with conflicting changes; try again")
UNIQUE = Trouble(TAKEN, ABORTED, "has this key already")
MISSING_VALUE = Trouble(OTHER, INTERNAL_ERROR, "needs a value")
NO_TABLE = Trouble(OTHER, INVALID_STATE, "lacks a table or column")
NO_DATABASE = Trouble(OTHER, INVALID_PARAMETER_VALUE, "does not exist")
CANNOT_OPEN = Trouble(
    OTHER, PERMISSION_DENIED, "cannot be opened: its folder is missing, or may not be used"
)
UNKNOWN = Trouble(OTHER, INTERNAL_ERROR, "failed")

_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: DENIED,
    sqlite3.SQLITE_AUTH: DENIED,
    sqlite3.SQLITE_CANTOPEN: CANNOT_OPEN,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: FOREIGN,
    sqlite3.SQLITE_IOERR: Trouble(OTHER, INTERNAL_ERROR, "cannot be read or written"),
    sqlite3.SQLITE_TOOBIG: REFUSED,
    sqlite3.SQLITE_MISMATCH: REFUSED,
}
_SQLITE_FINE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_ROWID: UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: MISSING_VALUE,
    sqlite3.SQLITE_CONSTRAINT_CHECK: REFUSED,
}
# By SQLSTATE, the longest beginning that fits.
_POSTGRESQL = {
    "08": GONE,
    "22": REFUSED,
    "23502": MISSING_VALUE,
    "23505": UNIQUE,
    "23514": REFUSED,
    "25006": READ_ONLY,
    "28": DENIED,
    "3D": NO_DATABASE,
    "40": REPEAT,
    "42501": DENIED,
    "42P01": NO_TABLE,
    "42703": NO_TABLE,
    "53": EXHAUSTED,
    "55P03": BUSY,
    "57014": Trouble(OTHER, TEMPORARILY_UNAVAILABLE, "cancelled the statement"),
    "57P": GONE,
    "58030": FULL,
    "XX001": DAMAGED,
}
# Who is refused a connection is given words only.
_AT_THE_DOOR = (
    ("too many", EXHAUSTED),
    ("remaining connection slots", EXHAUSTED),
    ("password", DENIED),
    ("pg_hba.conf", DENIED),
    ("permission denied", DENIED),
    ("does not exist", NO_DATABASE),
)
_MYSQL = {
    1020: REPEAT,
    1021: FULL,
    1022: UNIQUE,
    1036: READ_ONLY,
    1040: EXHAUSTED,
    1044: DENIED,
    1045: DENIED,
    1048: MISSING_VALUE,
    1049: NO_DATABASE,
    1053: GONE,
    1054: NO_TABLE,
    1062: UNIQUE,
    1114: FULL,
    1142: DENIED,
    1143: DENIED,
    1146: NO_TABLE,
    1153: REFUSED,
    1205: BUSY,
    1213: REPEAT,
    1264: REFUSED,
    1290: READ_ONLY,
    1317: Trouble(OTHER, TEMPORARILY_UNAVAILABLE, "cancelled the statement"),
    1366: REFUSED,
    1406: REFUSED,
    1698: DENIED,
    1792: READ_ONLY,
    1836: READ_ONLY,
    1927: GONE,
    2002: GONE,
    2003: GONE,
    2006: GONE,
    2013: GONE,
    2014: GONE,
    2055: GONE,
    3819: REFUSED,
    4025: REFUSED,
    4031: GONE,
}


def trouble(error: BaseException) -> Trouble:
    """Return what a driver's error, wrapped by SQLAlchemy or not, means."""
    original = getattr(error, "orig", None) or error
    if getattr(error, "connection_invalidated", False):
        return GONE
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_ERROR and str(original).startswith("no such"):
            return NO_TABLE
        return _SQLITE_FINE.get(code) or _SQLITE.get(code & 0xFF) or UNKNOWN
    if isinstance(original, (OverflowError, UnicodeEncodeError)):
        return REFUSED
    if hasattr(original, "sqlstate") and hasattr(original, "diag"):
        return _of_postgresql(original)
    number = original.args[0] if original.args else None
    if isinstance(number, int):
        return _MYSQL.get(number, UNKNOWN)
    return GONE if type(original).__name__ == "InterfaceError" else UNKNOWN


def _of_postgresql(original: BaseException) -> Trouble:
    state = getattr(original, "sqlstate", None)
    if state is None:
        kind, words = type(original).__name__, str(original)
        if kind != "OperationalError":
            return REFUSED if kind == "DataError" else UNKNOWN
        return next((found for word, found in _AT_THE_DOOR if word in words), GONE)
    for length in (5, 3, 2):
        if state[:length] in _POSTGRESQL:
            return _POSTGRESQL[state[:length]]
    return UNKNOWN


def told(error: BaseException, found: Trouble, place: str) -> Exception:
    """Return the error to raise: a backend's own, or the one that the user sees.

    Args:
        error: the driver's, or SQLAlchemy's around it.
        found: what `trouble` said of it.
        place: the database, without its password.
    """
    original = getattr(error, "orig", None) or error
    detail = str(original.args[-1] if original.args else original).strip().split("\n", 1)[0]
    if found is READ_ONLY:
        return ReadOnly("database", place, f"{place}: {detail}")
    return MlflowException(f"The database {place} {found.words} ({detail}).", found.code)
