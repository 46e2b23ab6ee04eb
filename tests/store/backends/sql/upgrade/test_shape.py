"""The shapes of tables: what a new database has is what is declared."""

from __future__ import annotations

import pytest
import sqlalchemy
from sqlalchemy.dialects import mysql, postgresql, sqlite

from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.schema import prepare
from mlflow.store.backends.sql.tables import metadata
from mlflow.store.backends.sql.upgrade import shape
from mlflow.store.backends.sql.upgrade.difference import difference

LITE, POSTGRES, MARIA = sqlite.dialect(), postgresql.dialect(), mysql.dialect()


@pytest.mark.parametrize(
    "new_database",
    ["sqlite", "postgresql", pytest.param("mysql", marks=pytest.mark.slow)],
    indirect=True,
)
def test_a_new_database_is_as_declared(new_database):
    database = Database(new_database)
    prepare(database, "/artifacts")

    def differences(connection):
        found = shape.of_database(connection, metadata.tables)
        assert metadata.tables.keys() == found.keys()
        return [
            one
            for table in metadata.tables.values()
            if not (
                one := difference(
                    table, found[table.name], set(metadata.tables), connection.dialect
                )
            ).is_empty
        ]

    assert [] == database.run(differences)
    database.close()


@pytest.mark.parametrize(
    ("dialect", "text", "plain"),
    [
        (LITE, "VARCHAR(250)", "VARCHAR(250)"),
        (LITE, "FLOAT", "FLOAT"),
        (LITE, "FLOAT(53)", "DOUBLE"),
        (POSTGRES, "DOUBLE PRECISION", "DOUBLE"),
        (POSTGRES, "FLOAT(53)", "DOUBLE"),
        (POSTGRES, "FLOAT", "DOUBLE"),
        (MARIA, "BIGINT(20)", "BIGINT"),
        (MARIA, "TINYINT(1)", "BOOLEAN"),
        (MARIA, "BOOL", "BOOLEAN"),
        (MARIA, "FLOAT", "FLOAT"),
        (MARIA, "VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "VARCHAR(9)"),
        (MARIA, "JSON", "LONGTEXT"),
    ],
)
def test_plain_types(dialect, text, plain):
    assert plain == shape.plain_type(text, dialect)


@pytest.mark.parametrize(
    ("found", "wanted", "enough"),
    [
        ("VARCHAR(250)", "VARCHAR(250)", True),
        ("VARCHAR(250)", "VARCHAR(8000)", False),
        ("VARCHAR(9000)", "VARCHAR(8000)", True),
        ("TEXT", "VARCHAR(8000)", True),
        ("VARCHAR(8000)", "TEXT", False),
        ("LONGTEXT", "MEDIUMTEXT", True),
        ("MEDIUMTEXT", "LONGTEXT", False),
        ("FLOAT", "DOUBLE", False),
        ("BIGINT", "INTEGER", False),
    ],
)
def test_wide_enough(found, wanted, enough):
    assert enough is shape.is_wide_enough(found, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "status IN ('RUNNING', 'KILLED')",
        "`status` in ('KILLED','RUNNING')",
        "status::text = ANY (ARRAY['RUNNING'::character varying, 'KILLED'::character varying]::text[])",
        "(status = 'KILLED' OR status = 'RUNNING')",
    ],
)
def test_one_meaning(text):
    assert "status: KILLED, RUNNING" == shape.meaning(text, {"status": 1, "name": 2})


def test_the_meaning_of_numbers():
    assert "is_nan: 0, 1" == shape.meaning("`is_nan` in (0,1)", {"is_nan": 1})
    assert "a > b" == shape.meaning("a > b", {"a": 1, "b": 1})


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (None, None),
        ("nextval('experiments_experiment_id_seq'::regclass)", None),
        ("'default'::character varying", "default"),
        ("'0'::bigint", "0"),
        ("'0'", "0"),
        ("(0)", "0"),
        ("false", "0"),
        ("'PRIMARY'", "PRIMARY"),
    ],
)
def test_plain_defaults(text, plain):
    assert plain == shape._plain_default(text)


def test_missing_tables_have_no_shape():
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        assert {} == shape.of_database(connection, metadata.tables)
    engine.dispose()
