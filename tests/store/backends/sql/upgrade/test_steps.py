"""The order of steps, and how each dialect says them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.dialects import mysql, postgresql

from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.tables import metadata
from mlflow.store.backends.sql.upgrade import shape
from mlflow.store.backends.sql.upgrade.difference import difference
from mlflow.store.backends.sql.upgrade.steps import Step, on_server
from mlflow.store.backends.sql.upgrade.upgrading import upgrade

from .conftest import rows

DATA = [Step("rows")]
MARIA = (
    "ALTER TABLE registered_models DROP INDEX name, ADD COLUMN workspace VARCHAR(63) NOT NULL "
    "DEFAULT 'default', MODIFY COLUMN `description` VARCHAR(5000), DROP PRIMARY KEY, ADD PRIMARY "
    "KEY (workspace, name)"
)
POSTGRES = (
    "ALTER TABLE registered_models DROP CONSTRAINT name, ADD COLUMN workspace VARCHAR(63) DEFAULT "
    "'default' NOT NULL, ALTER COLUMN description TYPE VARCHAR(5000), ALTER COLUMN description "
    "DROP NOT NULL, DROP CONSTRAINT registered_model_pk, ADD CONSTRAINT registered_model_pk "
    "PRIMARY KEY (workspace, name)"
)


def registered_models(dialect):
    """Return what is between the table that MLflow 2 made and the one of today."""
    found = shape.TableShape(
        {
            "name": shape.ColumnShape("VARCHAR(256)", False, None),
            "creation_time": shape.ColumnShape("BIGINT", True, None),
            "last_updated_time": shape.ColumnShape("BIGINT", True, None),
            "description": shape.ColumnShape("VARCHAR(500)", False, None),
        },
        ("name",),
        "registered_model_pk",
        {shape.KeyShape(("name",), "experiments", ("name",), "", ""): "old_key"},
        {("name",): "name"},
        {},
        {},
    )
    table = metadata.tables["registered_models"]
    return difference(table, found, set(metadata.tables), dialect)


@pytest.mark.parametrize(
    ("dialect", "wanted"),
    [
        (
            mysql.dialect(),
            [
                "ALTER TABLE registered_models DROP FOREIGN KEY old_key",
                MARIA,
                None,
                "CREATE INDEX idx_registered_models_workspace ON registered_models (workspace)",
            ],
        ),
        (
            postgresql.dialect(),
            [
                "ALTER TABLE registered_models DROP CONSTRAINT old_key",
                POSTGRES,
                None,
                "CREATE INDEX idx_registered_models_workspace ON registered_models (workspace)",
            ],
        ),
    ],
    ids=["mysql", "postgresql"],
)
def test_statements(dialect, wanted):
    steps = on_server([], [registered_models(dialect)], DATA, dialect)

    said = [statement for step in steps for statement in step.statements or (None,)]

    assert [text and text.replace("`", "") for text in wanted] == [
        text and text.replace("`", "") for text in said
    ]


def test_tables_come_without_keys_and_get_them_last():
    dialect = postgresql.dialect()
    missing = [metadata.tables[name] for name in ("registered_models", "model_versions")]

    steps = on_server(missing, [], DATA, dialect)

    assert ["create the tables registered_models, model_versions", "rows"] == [
        step.text for step in steps[:2]
    ]
    assert not any("FOREIGN" in text for text in steps[0].statements)
    assert "FOREIGN KEY(workspace, name)" in steps[-1].statements[0]
    # Declaring goes on as before.
    assert 1 == len(metadata.tables["model_versions"].foreign_key_constraints)


def test_what_others_added_to_a_file_stays(old):
    """Columns, indexes, triggers, views and tables of others outlive the rebuilding of tables."""
    path = old("7f2a7d5fae7d")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            ALTER TABLE runs ADD COLUMN mine VARCHAR(9) DEFAULT 'x y' NOT NULL;
            UPDATE runs SET mine = 'kept' WHERE name = 'one';
            CREATE INDEX my_index ON runs (mine);
            CREATE TABLE my_table (run TEXT REFERENCES runs (run_uuid));
            INSERT INTO my_table SELECT run_uuid FROM runs;
            CREATE VIEW my_view AS SELECT run_uuid, mine FROM runs;
            CREATE TRIGGER my_trigger AFTER UPDATE ON runs BEGIN DELETE FROM my_table; END;
            """
        )

    upgrade(f"sqlite:///{path}", "/artifacts", lambda line: None)

    assert ["kept", "x y", "x y"] == sorted(row["mine"] for row in rows(path)["runs"])
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert {"my_index", "my_table", "my_view", "my_trigger"} <= names
        assert 3 == len(connection.execute("SELECT * FROM my_view").fetchall())
        assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()
        connection.execute("UPDATE runs SET name = 'new'")
        assert [] == connection.execute("SELECT * FROM my_table").fetchall()
        connection.execute("INSERT INTO runs (run_uuid) VALUES ('new')")
        assert (
            "x y"
            == connection.execute("SELECT mine FROM runs WHERE run_uuid = 'new'").fetchone()[0]
        )
    database = Database(f"sqlite:///{path}")
    assert not [name for name in names if name.startswith("millstream_new")]
    database.close()
