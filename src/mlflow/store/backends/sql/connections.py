"""How connections of each dialect are opened, and what is set in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from mlflow.environment_variables import (
    MLFLOW_MYSQL_SSL_CA,
    MLFLOW_MYSQL_SSL_CERT,
    MLFLOW_MYSQL_SSL_KEY,
    MLFLOW_SQLALCHEMYSTORE_ECHO,
    MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW,
    MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE,
    MLFLOW_SQLALCHEMYSTORE_POOL_SIZE,
)
from mlflow.store.backends.disks import on_remote_disk
from mlflow.store.backends.sql import tables_traces
from mlflow.store.backends.sql.urls import MEMORY, MYSQL, POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine
    from sqlalchemy.engine import URL

BUSY_TIMEOUT = 20_000  # ms that SQLite waits for another writer; as long as MLflow does
# Connections of one process to a server: that many stay open, that many more open for a burst.
POOL_SIZE, MAX_OVERFLOW, POOL_TIMEOUT = 5, 10, 30
_ONLY_READ = {
    SQLITE: "PRAGMA query_only = ON",
    POSTGRESQL: "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    MYSQL: "SET SESSION TRANSACTION READ ONLY",
}
# Marks a connection that sees a file as it was when it was opened.
FROZEN = "frozen"


def make_engine(url: URL, *, durable: bool, reads_only: bool = False) -> Engine:
    """Return the engine of a database.

    Args:
        url: what `read_url` returned.
        durable: whether a commit has to survive a power cut; servers have a setting of their own.
        reads_only: have the database refuse every write.
    """
    dialect = url.get_backend_name()
    arguments: dict[str, Any] = {
        "isolation_level": "AUTOCOMMIT",  # transactions are begun and ended in so many words
        "skip_autocommit_rollback": True,
        "echo": MLFLOW_SQLALCHEMYSTORE_ECHO.get(),
    }
    if dialect == SQLITE:
        arguments |= {"poolclass": NullPool, "connect_args": {"check_same_thread": False}}
    else:
        tables_traces.complete(dialect)
        arguments |= _pool()
        arguments["connect_args"] = _mysql_options() if dialect == MYSQL else _POSTGRESQL_OPTIONS
    engine = create_engine(url, **arguments)
    if dialect == SQLITE:
        event.listen(engine, "do_connect", _freeze)
        event.listen(engine, "connect", _pragmas(url, durable))
    if reads_only:
        event.listen(engine, "connect", _forbid_writes(_ONLY_READ[dialect]))
    return engine


def _pool() -> dict[str, Any]:
    size = MLFLOW_SQLALCHEMYSTORE_POOL_SIZE.get()
    overflow = MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW.get()
    recycle = MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE.get()
    return {
        "pool_size": POOL_SIZE if size is None else size,
        "max_overflow": MAX_OVERFLOW if overflow is None else overflow,
        "pool_recycle": -1 if recycle is None else recycle,
        "pool_timeout": POOL_TIMEOUT,
        "pool_use_lifo": True,  # connections that a burst opened fall idle and may be ended
    }


def _forbid_writes(statement: str) -> Callable[[Any, Any], None]:
    def forbid(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()

    return forbid


_POSTGRESQL_OPTIONS = {
    "connect_timeout": 10,
    "application_name": "millstream",
    "keepalives_idle": 60,
}


def _mysql_options() -> dict[str, Any]:
    from pymysql.constants import CLIENT

    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "connect_timeout": 10,
        # An update that changes nothing has found its row all the same.
        "client_flag": CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS,
        # A value that does not fit is an error, in every row; 0 is an id like others; and a
        # statement sees what was committed before it, which takes fewer locks than MySQL's own
        # level.
        "init_command": (
            "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO');"
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
        ),
    }
    for name, variable in (
        ("ssl_ca", MLFLOW_MYSQL_SSL_CA),
        ("ssl_cert", MLFLOW_MYSQL_SSL_CERT),
        ("ssl_key", MLFLOW_MYSQL_SSL_KEY),
    ):
        if variable.get():
            arguments[name] = variable.get()
    return arguments


def is_remote(url: URL) -> bool:
    """Tell whether a SQLite file lies on a disk of another machine.

    There it is not put in WAL mode, in which processes share memory beside the file.
    """
    path = url.database
    folder = os.path.dirname(path) if path is not None and path not in MEMORY else ""
    return bool(folder) and os.path.isdir(folder) and on_remote_disk(folder)


def _freeze(_dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    """Open a file in WAL mode where nothing can be written beside it, which SQLite needs to.

    It is read as a file that does not change. While somebody who may write is at work there is a
    journal beside it, and then it is opened as usual.
    """
    path = arguments[0]
    if path in MEMORY or options.get("uri") or not os.path.isfile(path):
        return
    folder = os.path.dirname(path) or "."
    if not os.access(folder, os.W_OK) and not os.path.exists(f"{path}-wal"):
        arguments[0] = f"{Path(path).absolute().as_uri()}?immutable=1"
        options["uri"] = True
        record.info[FROZEN] = True


def _pragmas(url: URL, durable: bool) -> Callable[[Any, Any], None]:
    level = "FULL" if durable or is_remote(url) else "NORMAL"

    def set_pragmas(connection: Any, _record: Any) -> None:
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT}",
            "foreign_keys = ON",
            f"synchronous = {level}",
            "cache_size = -20000",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if durable:
            connection.execute("PRAGMA fullfsync = ON")  # of macOS, whose fsync is not enough

    return set_pragmas
