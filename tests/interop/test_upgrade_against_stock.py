"""Databases of every revision, made by walking stock MLflow's own migrations, are brought up to date.

What stock MLflow makes of the rows on its own way to the newest revision is what ours makes of
them, and stock MLflow opens the result.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import sqlalchemy

from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.revisions import REVISIONS
from mlflow.store.backends.sql.tables import HEAD
from mlflow.store.backends.sql.upgrade.upgrading import upgrade

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECORDED = ROOT / "tests" / "store" / "backends" / "sql" / "recorded"
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]
# Rows that the walk itself did not add: what a migration, or the making of a database, put there.
MADE_ON_THE_WAY = {"latest_metrics", "workspaces", "alembic_version"}
DRIVERS = {"postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql"}


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Walk:
    """The databases that one walk over stock's migrations left behind."""

    def __init__(self, dialect, url, folder):
        self.dialect, self.folder = dialect, folder
        self.url = url
        made = sqlalchemy.make_url(url)
        stock = made.set(drivername=DRIVERS.get(dialect, "sqlite"))
        done = subprocess.run(
            [STOCK, str(HERE / "stock_migrations.py"),
             stock.render_as_string(hide_password=False), str(folder)],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        found = json.loads((folder / "walk.json").read_text())
        self.revisions, self.added, self.rows = found["revisions"], found["added"], found["rows"]

    def at(self, revision, new):
        """Return the URI of a database of a revision."""
        if self.dialect == "sqlite":
            path = self.folder / f"upgraded-{revision}.db"
            shutil.copy(self.folder / f"{revision}.db", path)
            return f"sqlite:///{path}"
        if self.dialect == "postgresql":
            made = sqlalchemy.make_url(self.url)
            uri = made.set(database=f"{made.database}_{revision}")
            return uri.render_as_string(hide_password=False)
        uri = new()
        database = Database(uri)
        kept = json.loads((self.folder / f"{revision}.json").read_text())
        database.run(lambda connection: replay(connection, kept))
        database.close()
        return uri

    def expected(self, revision):
        """Return what a database of a revision holds once it is up to date, by table."""
        step = self.revisions.index(revision)
        later: dict = {}
        for when, table, key in self.added:
            if self.revisions.index(when) > step:
                later.setdefault(table, []).append(key)
        return {
            table: [
                row for row in rows if not any(is_key_of(one, row) for one in later.get(table, ()))
            ]
            for table, rows in self.rows.items()
            if table not in MADE_ON_THE_WAY
        }


def is_key_of(key, row):
    return all(row[name] == value for name, value in key.items())


def replay(connection, kept):
    connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS = 0")
    for statement in kept["tables"]:
        connection.exec_driver_sql(statement)
    for table, rows in kept["rows"].items():
        for row in rows:
            names = [name for name in row if name not in kept["computed"].get(table, ())]
            columns = ", ".join(f"`{name}`" for name in names)
            values = ", ".join(["%s"] * len(names))
            connection.exec_driver_sql(
                f"INSERT INTO `{table}` ({columns}) VALUES ({values})",
                tuple(raw(row[name]) for name in names),
            )
    for statement in kept["triggers"]:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS = 1")


def raw(value):
    """Return a value as it was in the database: bytes, unlike others, were written as 0x…."""
    if isinstance(value, str) and value.startswith("0x"):
        text = value[2:]
        return text if "-" in text else bytes.fromhex(text)
    return value


@pytest.fixture(scope="module")
def walks(servers, tmp_path_factory):
    """Walks by dialect; each is made when it is first asked for."""
    made, failed = {}, {}

    def walk(dialect):
        if dialect in failed:
            pytest.fail(failed[dialect])
        if dialect not in made:
            failed[dialect] = "the walk failed before"
            folder = tmp_path_factory.mktemp(dialect)
            uri = f"sqlite:///{folder}/live.db" if dialect == "sqlite" else servers[dialect].make()
            made[dialect] = Walk(dialect, uri, folder)
            if dialect == "postgresql":
                servers[dialect].made += [
                    f"{sqlalchemy.make_url(uri).database}_{one}" for one in made[dialect].revisions
                ]
        failed.pop(dialect, None)
        return made[dialect]

    return walk


def everything(connection):
    found = {}
    for name in sqlalchemy.inspect(connection).get_table_names():
        quoted = connection.dialect.identifier_preparer.quote_identifier(name)
        rows = connection.exec_driver_sql(f"SELECT * FROM {quoted}").mappings().all()
        found[name] = json.loads(json.dumps([dict(one) for one in rows], default=plain))
    return found


def plain(value):
    return value.hex() if isinstance(value, (bytes, memoryview)) else str(value)


def in_order(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def compared(shape):
    """Return a table's description without what means nothing: the order of its columns."""
    return {**shape, "columns": sorted(shape["columns"], key=json.dumps)}


def chosen():
    """Yield (dialect, revision): all of them on SQLite; a server takes seconds for each."""
    every = ["base", *REVISIONS]
    some = every if os.environ.get("MILLSTREAM_FULL") == "all" else [*every[::8], every[-1]]
    for dialect, revisions in (("sqlite", every), ("postgresql", some), ("mysql", some)):
        yield from ((dialect, one) for one in dict.fromkeys(revisions))


@pytest.mark.parametrize(("dialect", "revision"), list(chosen()))
def test_every_revision(dialect, revision, walks, servers):
    walk = walks(dialect)
    uri = walk.at(revision, lambda: servers[dialect].make())
    lines = []

    upgrade(uri, "/artifacts", lines.append)

    database = Database(uri)
    found = database.run(everything)
    shape = database.run(tool("record_sql_schema").describe)
    database.close()
    for table, rows in walk.expected(revision).items():
        assert in_order(rows) == in_order(found[table]), table
    assert [{"version_num": HEAD}] == found["alembic_version"]
    assert ["default"] == [row["name"] for row in found["workspaces"] if row["name"] == "default"]
    latest = {row["key"]: row["step"] for row in found["latest_metrics"]}
    assert latest["loss"] == max(row["step"] for row in found["metrics"] if row["key"] == "loss")
    recorded = json.loads((RECORDED / f"schema_{dialect}.json").read_text())
    if dialect == "mysql":
        check_mysql(recorded["tables"], shape["tables"])
    else:
        for table, wanted in recorded["tables"].items():
            assert compared(wanted) == compared(json.loads(json.dumps(shape["tables"][table]))), (
                table
            )
    assert recorded["tables"].keys() == shape["tables"].keys()


def check_mysql(recorded, found):
    """Compare without the indexes that the server adds for keys, whose names vary with the way."""
    for table, wanted in recorded.items():
        here = json.loads(json.dumps(found[table]))
        for part in ("primary key", "foreign keys", "unique"):
            assert wanted[part] == here[part], (table, part)
        missing = [one for one in wanted["columns"] if one not in here["columns"]]
        assert missing == ([["job_name", "VARCHAR(length=500)", True, None]] if missing else []), (
            table
        )
        assert wanted.get("triggers") == here.get("triggers"), table
        assert {one[1] for one in wanted["checks"]} == {one[1] for one in here["checks"]}, table
        keys = [columns for _, columns, *_ in wanted["foreign keys"]]
        leading = {tuple(columns) for columns in keys} | {("name",), ("name", "version")}
        for one in wanted["indexes"]:
            assert one in here["indexes"] or tuple(one[1]) in leading, (table, one)


@pytest.mark.parametrize("revision", ["base", "7f2a7d5fae7d", "b7e2c1a4d9f3"])
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
def test_stock_opens_it(dialect, revision, walks, servers, tmp_path):
    """Stock MLflow finds nothing to upgrade, reads what is there and writes to it."""
    walk = walks(dialect)
    if dialect == "postgresql":
        uri = sqlalchemy.make_url(walk.url)
        uri = uri.set(database=f"{uri.database}_{revision}").render_as_string(hide_password=False)
    else:
        uri = walk.at(revision, lambda: servers[dialect].make())
    upgrade(uri, "/artifacts", lambda line: None)
    stock = sqlalchemy.make_url(uri).set(drivername=DRIVERS.get(dialect, "sqlite"))
    program = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
run = client.get_run("a" * 32)
assert run.data.params == {"lr": "0.1"}, run
assert run.data.tags["mlflow.user"] == "ada", run
assert client.get_metric_history("a" * 32, "loss")
client.log_metric("a" * 32, "loss", 3.0, step=99)
assert client.get_run("a" * 32).data.metrics["loss"] == 3.0
client.set_tag("a" * 32, "long", "x" * 8000)
assert client.create_experiment("new")
client.create_registered_model("new")
"""
    done = subprocess.run(
        [STOCK, "-c", program, stock.render_as_string(hide_password=False)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
