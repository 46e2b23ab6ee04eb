"""What people write for a database and which dialect and driver answer it."""

from __future__ import annotations

import os
from importlib.util import find_spec

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from mlflow.exceptions import NOT_IMPLEMENTED, MlflowException, invalid, without_password

SQLITE, POSTGRESQL, MYSQL = "sqlite", "postgresql", "mysql"
# Scheme: the dialect, its driver, and the extra that installs the driver.
DIALECTS = {
    "sqlite": (SQLITE, "pysqlite", ""),
    "postgresql": (POSTGRESQL, "psycopg", "postgresql"),
    "postgres": (POSTGRESQL, "psycopg", "postgresql"),
    "mysql": (MYSQL, "pymysql", "mysql"),
    "mariadb": (MYSQL, "pymysql", "mysql"),
}
# Drivers in the configurations of others; ours takes the same address.
SPELLINGS = {
    SQLITE: {"", "pysqlite", "aiosqlite"},
    POSTGRESQL: {"", "psycopg", "psycopg2", "psycopg2cffi", "pg8000", "asyncpg"},
    MYSQL: {
        "", "pymysql", "mysqldb", "mysqlconnector", "mariadbconnector", "cymysql", "aiomysql",
        "asyncmy",
    },
}  # fmt: skip
MEMORY = (None, "", ":memory:")


def read_url(text: str) -> URL:
    """Return the address of a database in the form that the installed driver takes.

    Args:
        text: as in a tracking URI, such as `sqlite:///mlflow.db` or
            `postgresql+psycopg2://user@host/name`. The path of a SQLite file is made absolute.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what is no address; NOT_IMPLEMENTED for a
            database that is not supported, or whose driver is not installed.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise invalid(
            f"Invalid database URI '{without_password(text)}'. Write sqlite:///mlflow.db, or "
            "postgresql://user:password@host:5432/name. In names and passwords, write '@' as "
            "%40, '/' as %2F and ':' as %3A."
        ) from None
    scheme, _, driver = url.drivername.lower().partition("+")
    if scheme not in DIALECTS or driver not in SPELLINGS[DIALECTS[scheme][0]]:
        raise MlflowException(
            f"The database of '{url.render_as_string()}' is not supported. Use sqlite, "
            "postgresql, mysql or mariadb.",
            NOT_IMPLEMENTED,
        )
    dialect, module, extra = DIALECTS[scheme]
    if extra and find_spec(module) is None:
        raise MlflowException(
            f"The driver for {dialect} is not installed. Install it with "
            f"`pip install 'millstream[{extra}]'`.",
            NOT_IMPLEMENTED,
        )
    url = url.set(drivername=f"{dialect}+{module}")
    if dialect == SQLITE and url.database not in MEMORY and url.query.get("uri") is None:
        url = url.set(database=os.path.abspath(str(url.database)))
    return url
