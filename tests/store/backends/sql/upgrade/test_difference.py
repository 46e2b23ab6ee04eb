"""What is between a table as it is and as it is declared."""

from __future__ import annotations

from contextlib import contextmanager

import sqlalchemy

from mlflow.store.backends.sql.tables import metadata
from mlflow.store.backends.sql.upgrade import shape
from mlflow.store.backends.sql.upgrade.difference import difference


@contextmanager
def of(table, *statements):
    """Give what is between a declared table and what statements make."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        found = shape.of_database(connection, metadata.tables)[table]
        yield difference(metadata.tables[table], found, set(metadata.tables), connection.dialect)
    engine.dispose()


WORKSPACES = (
    "CREATE TABLE workspaces (name VARCHAR(63) NOT NULL, description TEXT, "
    "default_artifact_root TEXT, trace_archival_location TEXT, trace_archival_retention "
    "VARCHAR(32){}, CONSTRAINT workspaces_pk PRIMARY KEY (name))"
)


def test_the_same():
    with of("workspaces", WORKSPACES.format("")) as found:
        assert found.is_empty
        assert not found.is_deep


def test_what_others_added_stays():
    with of(
        "workspaces",
        WORKSPACES.format(
            ", mine INTEGER DEFAULT 5 NOT NULL, UNIQUE (mine), CHECK (mine IN (5, 6))"
        ),
        "CREATE INDEX theirs ON workspaces (mine)",
        "CREATE UNIQUE INDEX theirs_too ON workspaces (description)",
    ) as found:
        assert found.is_empty


def test_a_new_column_is_not_deep():
    with of(
        "workspaces", WORKSPACES.format("").replace("trace_archival_location TEXT, ", "")
    ) as found:
        assert ["trace_archival_location"] == [one.name for one in found.new_columns]
        assert not found.is_deep


def test_an_index_of_another_kind():
    inputs = (
        "CREATE TABLE input_tags (input_uuid VARCHAR(36) NOT NULL, name VARCHAR(255) NOT NULL, "
        "value VARCHAR(500) NOT NULL, CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name))"
    )
    with of("input_tags", inputs) as found:
        assert found.is_empty
    jobs = "CREATE TABLE jobs (id VARCHAR(36) NOT NULL PRIMARY KEY, function_fullname VARCHAR(500) NOT NULL)"
    index = "CREATE INDEX index_jobs_name_status_creation_time ON jobs (function_fullname)"
    with of("jobs", jobs, index) as found:
        assert [("function_fullname", "job_name")] == found.renamed
        assert ["index_jobs_name_status_creation_time"] == found.gone_indexes
        assert "index_jobs_name_status_creation_time" in [one.name for one in found.new_indexes]
        assert "job_name" not in [one.name for one in found.new_columns]


def test_keys_checks_and_types():
    with of(
        "runs",
        "CREATE TABLE experiments (experiment_id INTEGER NOT NULL PRIMARY KEY)",
        "CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL, status VARCHAR(20), name TEXT, "
        "experiment_id INTEGER, mine INTEGER, PRIMARY KEY (run_uuid, status), "
        "CONSTRAINT status CHECK (status IN ('RUNNING')), CHECK (mine IN (1)), "
        "FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE)",
    ) as found:
        assert found.new_key
        assert found.is_deep
        assert ["status"] == [one.name for one in found.changed_columns]
        assert ["status"] == found.gone_checks
        assert [None] == found.gone_keys
        assert ["experiment_id"] == [key for one in found.new_keys for key in one.column_keys]
        assert 3 == len(found.new_checks)
