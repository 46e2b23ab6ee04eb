"""What logging and searching cost in databases: SQLite, and the servers that answer."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator

from measure import Result, report
from workload import durable, measured

# Drivers that both sides have; ours takes its own for them.
SERVERS = (
    ("PostgreSQL", "MILLSTREAM_TEST_POSTGRES_URL", "postgresql+psycopg2",
     "postgresql://postgres@127.0.0.1:5432/postgres"),
    ("MySQL", "MILLSTREAM_TEST_MYSQL_URL", "mysql+pymysql", "mysql://root@127.0.0.1:3306/mysql"),
)  # fmt: skip


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


def _of_server(name: str, variable: str, driver: str, usual: str) -> list[Result]:
    url = os.environ.get(variable) or usual
    with contextlib.ExitStack() as stack:
        try:
            uri = stack.enter_context(_database(url, driver))
        except Exception as error:
            if variable in os.environ:
                raise
            os.write(2, f"{name} is left out: {type(error).__name__}\n".encode())
            return []
        return measured(uri, name)


def main() -> None:
    """Measure in databases of their own; a server that does not answer is left out."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # where artifacts go
        rows = measured(f"sqlite:///{folder}/one.db", "SQLite")
        for name, variable, driver, usual in SERVERS:
            rows += _of_server(name, variable, driver, usual)
        # SQLite waits for the disk at each commit of MLflow's, as it does by default.
        rows += durable(f"sqlite:///{folder}/durable.db", "SQLite", always=True)
        os.chdir("/")
    report(rows)


main()
