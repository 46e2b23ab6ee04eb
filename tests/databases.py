"""Empty databases for tests: a new SQLite file, or a database of the server, emptied each time."""

from __future__ import annotations

import os
import shutil
import uuid

import pytest
import sqlalchemy

from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.schema import prepare
from mlflow.store.backends.sql.tables import experiments, metadata
from mlflow.store.backends.sql.tables_own import own
from mlflow.store.backends.sql.urls import read_url

DIALECTS = ("sqlite", "postgresql", "mysql")
# Read here: tests themselves run without the user's settings.
SERVERS = {
    "postgresql": os.environ.get(
        "MILLSTREAM_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
    ),
    "mysql": os.environ.get("MILLSTREAM_TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/mysql"),
}


class Server:
    """A database of this process on a server, made when it is first asked for.

    Args:
        dialect: `postgresql` or `mysql`.
    """

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.url = read_url(SERVERS[dialect])
        self.made: list[str] = []
        self.kept: Database | None = None
        self.error = ""

    def make(self, words: str | None = None) -> str:
        """Return the URI of a new, empty database, dropped when the tests are over."""
        if self.error:
            pytest.skip(self.error)
        name = f"millstream_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        try:
            self._do(f"CREATE DATABASE {name}" + (self._words if words is None else words))
        except sqlalchemy.exc.OperationalError as error:
            variable = {"postgresql": "POSTGRES", "mysql": "MYSQL"}[self.dialect]
            self.error = (
                f"not run: no {self.dialect} answers at {self.url!r}; name one in "
                f"MILLSTREAM_TEST_{variable}_URL ({error.orig})"
            )
            pytest.skip(self.error)
        self.made.append(name)
        return self.url.set(database=name).render_as_string(hide_password=False)

    @property
    def _words(self) -> str:
        # Where 'a' and 'A' are one key, as by default, runs cannot have both.
        return " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if self.dialect == "mysql" else ""

    def empty(self) -> str:
        """Return the URI of a database with the schema and the default experiment in it."""
        if self.kept is None:
            database = Database(self.make())
            prepare(database, "./mlruns")
            self.kept = database
        self.kept.write(_clear)
        return self.kept.url.render_as_string(hide_password=False)

    def cut(self) -> None:
        """End all connections to the database, as its operator may at any time."""
        name = self.kept.url.database
        users = "SELECT pid FROM pg_stat_activity WHERE datname"
        end = "SELECT pg_terminate_backend({})"
        if self.dialect == "mysql":
            users, end = "SELECT id FROM information_schema.processlist WHERE db", "KILL {}"
        for user in self._do(f"{users} = '{name}'"):
            self._do(end.format(user[0]))

    def drop(self) -> None:
        """Drop what was made."""
        if self.kept is not None:
            self.kept.close()
        force = " WITH (FORCE)" if self.dialect == "postgresql" else ""
        for name in self.made:
            self._do(f"DROP DATABASE IF EXISTS {name}{force}")

    def _do(self, statement: str) -> list[sqlalchemy.Row]:
        engine = sqlalchemy.create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                found = connection.exec_driver_sql(statement)
                return list(found.all()) if found.returns_rows else []
        finally:
            engine.dispose()


def _clear(connection: sqlalchemy.Connection) -> None:
    kept = {"alembic_version", "workspaces", "experiments"}
    tables = [*reversed(own.sorted_tables), *reversed(metadata.sorted_tables)]
    filled = sqlalchemy.union_all(
        *(
            sqlalchemy.select(sqlalchemy.literal(table.name)).where(
                sqlalchemy.select(sqlalchemy.literal(1)).select_from(table).exists()
            )
            for table in tables
        )
    )
    names = set(connection.execute(filled).scalars())
    for table in tables:
        if table.name in names - kept:
            connection.execute(table.delete())
    connection.execute(experiments.delete().where(experiments.c.experiment_id != 0))
    default = {"name": "Default", "lifecycle_stage": "active", "artifact_location": "./mlruns/0"}
    # A test may have removed it for good.
    if not connection.execute(experiments.update().values(**default)).rowcount:
        connection.execute(experiments.insert().values(experiment_id=0, **default))


@pytest.fixture(scope="session")
def servers():
    """The servers, by dialect."""
    found = {dialect: Server(dialect) for dialect in SERVERS}
    yield found
    for server in found.values():
        server.drop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A SQLite file with the schema and the default experiment in it."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    database = Database(f"sqlite:///{path}")
    prepare(database, "./mlruns")
    database.close()
    return path


@pytest.fixture
def sql_uri(request, servers, sqlite_template, tmp_path):
    """The URI of an empty store in the dialect that the test is parametrised with (indirectly)."""
    if request.param == "file":
        return f"file:{tmp_path}/mlruns"
    if request.param == "sqlite":
        shutil.copy(sqlite_template, tmp_path / "store.db")
        return f"sqlite:///{tmp_path}/store.db"
    return servers[request.param].empty()


@pytest.fixture
def new_database(request, servers, tmp_path):
    """The URI of a database without a single table, in the dialect of the parameter."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new.db"
    return servers[request.param].make()


on_every_database = pytest.mark.parametrize("sql_uri", DIALECTS, indirect=True)
