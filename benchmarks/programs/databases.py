"""What logging and searching cost in a database: `databases.py SQLite`, `PostgreSQL` or `MySQL`."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import sys
import tempfile
from collections.abc import Iterator

from measure import QUICK, found, most_memory, on_disk
from workload import durable, measured

# Drivers that both sides have; ours takes its own for them.
SERVERS = {
    "PostgreSQL": ("MILLSTREAM_TEST_POSTGRES_URL", "postgresql+psycopg2",
                   "postgresql://postgres@127.0.0.1:5432/postgres"),
    "MySQL": ("MILLSTREAM_TEST_MYSQL_URL", "mysql+pymysql", "mysql://root@127.0.0.1:3306/mysql"),
}  # fmt: skip


@contextlib.contextmanager
def _database(url: str, driver: str) -> Iterator[str]:
    """Give the address of a new database on a server."""
    from sqlalchemy import create_engine, make_url, text

    name = f"millstream_bench_{secrets.token_hex(4)}"
    try:
        import psycopg2  # noqa: F401

        own = driver
    except ImportError:
        own = driver.replace("psycopg2", "psycopg")
    engine = create_engine(make_url(url).set(drivername=own), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        made = make_url(url).set(drivername=driver, database=name)
        yield made.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            forced = " WITH (FORCE)" if driver.startswith("postgresql") else ""
            connection.execute(text(f"DROP DATABASE {name}{forced}"))
        engine.dispose()


def _of_server(name: str) -> None:
    variable, driver, usual = SERVERS[name]
    with contextlib.ExitStack() as stack:
        try:
            uri = stack.enter_context(_database(os.environ.get(variable) or usual, driver))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            sys.exit(f"no {name} answers; {variable} may name one ({type(error).__name__})")
        measured(uri, name)


def _of_file(folder: str) -> None:
    path = f"{folder}/one.db"

    def size() -> int:
        # What waits in the log belongs to the file.
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return on_disk(path)

    measured(f"sqlite:///{path}", "SQLite", size)
    found("memory of the program, most, SQLite", "MB", [most_memory()])
    if not QUICK:
        # SQLite waits for the disk at each commit of MLflow's, as it does by default.
        durable(f"sqlite:///{folder}/durable.db", "SQLite", always=True)


def main() -> None:
    """Measure in a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # where artifacts go
        if sys.argv[1] == "SQLite":
            _of_file(folder)
        else:
            _of_server(sys.argv[1])
        os.chdir("/")


main()
