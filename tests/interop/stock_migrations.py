"""Run by a stock MLflow: walks its migrations one by one, with rows in every table on the way.

Usage: stock_migrations.py URL OUTPUT [REVISION …]

Makes the tables of MLflow 0.9 at URL and brings them to the newest revision. Wherever tables are
new, rows are added. After each revision (or those that are named) the database is kept: a SQLite
file as a copy in OUTPUT, a PostgreSQL database as a copy with the revision behind its name, and a
MySQL database as statements in OUTPUT. At the end OUTPUT/walk.json says which revisions there
were, which rows were added when, and what all tables hold at the newest one.
"""

import json
import logging
import os
import shutil
import sys

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import mlflow
from mlflow.store.tracking.dbmodels.initial_models import Base

MIGRATIONS = os.path.join(os.path.dirname(mlflow.__file__), "store", "db_migrations")
logging.disable(logging.WARNING)

TOKENS = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
COSTS = {"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75}
# Rows with a meaning, by table; other tables get rows made of the names of their columns.
ROWS = {
    "experiments": [
        {"experiment_id": 0, "name": "Default", "artifact_location": "/a/0", "lifecycle_stage": "active"},
        {"experiment_id": 1, "name": "größe", "artifact_location": "s3://b/1", "lifecycle_stage": "deleted"},
    ],
    "runs": [
        {"run_uuid": "a" * 32, "name": "one", "source_type": "LOCAL", "source_name": "train.py",
         "entry_point_name": "", "user_id": "ada", "status": "FINISHED", "start_time": 1000,
         "end_time": 2000, "source_version": "v", "lifecycle_stage": "active",
         "artifact_uri": "/a/0/a", "experiment_id": 0},
        {"run_uuid": "b" * 32, "name": "", "source_type": "PROJECT", "status": "RUNNING",
         "start_time": 1000, "lifecycle_stage": "deleted", "artifact_uri": "s3://b/1/b",
         "experiment_id": 1},
    ],
    "metrics": [
        {"key": "loss", "value": value, "timestamp": at, "run_uuid": "a" * 32}
        for value, at in ((0.5, 1), (0.25, 2), (-1.5, 0))
    ],
    "params": [{"key": "lr", "value": "0.1", "run_uuid": "a" * 32}],
    "tags": [{"key": "mlflow.note.content", "value": "x" * 250, "run_uuid": "a" * 32}],
    "experiment_tags": [{"key": "team", "value": "a b", "experiment_id": 1}],
    "registered_models": [
        {"name": "wine", "creation_time": 1, "last_updated_time": 2, "description": "about"},
    ],
    "model_versions": [
        {"name": "wine", "version": version, "creation_time": 1, "last_updated_time": 2,
         "current_stage": stage, "source": "/a", "run_id": "a" * 32, "status": "READY"}
        for version, stage in ((1, "Production"), (3, "None"))
    ],
    "logged_models": [
        {"model_id": f"m-{number}", "experiment_id": 0, "name": "m", "artifact_location": "s3://b/m",
         "creation_timestamp_ms": 1, "last_updated_timestamp_ms": 2, "status": 2,
         "lifecycle_stage": stage, "source_run_id": "a" * 32}
        for number, stage in ((1, "active"), (2, "deleted"))
    ],
    "trace_info": [
        {"request_id": "tr-1", "experiment_id": 0, "timestamp_ms": 5, "execution_time_ms": 6,
         "status": "OK"},
        {"request_id": "tr-2", "experiment_id": 1, "timestamp_ms": 7, "status": "ERROR"},
    ],
    "trace_tags": [
        {"key": "mlflow.traceName", "value": "predict", "request_id": "tr-1"},
        {"key": "mine", "value": "x", "request_id": "tr-2"},
    ],
    "trace_request_metadata": [
        {"key": "mlflow.trace.tokenUsage", "value": json.dumps(TOKENS), "request_id": "tr-1"},
        {"key": "mlflow.trace.cost", "value": json.dumps(COSTS), "request_id": "tr-1"},
        {"key": "mlflow.trace.session", "value": "s-1", "request_id": "tr-2"},
        {"key": "mlflow.trace.user", "value": "ada", "request_id": "tr-2"},
    ],
    "trace_metrics": [
        {"request_id": "tr-3", "key": "input_tokens", "value": 7.0},
        {"request_id": "tr-3", "key": "mine", "value": 0.5},
    ],
    "assessments": [
        {"assessment_id": f"a-{number}", "trace_id": "tr-1", "name": "good", "value": value,
         "assessment_type": "feedback", "created_timestamp": 1, "last_updated_timestamp": 2,
         "source_type": "HUMAN", "valid": True}
        for number, value in enumerate(["1.5", "true", '"yes"', '"no"', '"other"', "{}", "null"])
    ],
    "spans": [
        {"trace_id": "tr-1", "experiment_id": 0, "span_id": "s-1", "name": "predict",
         "type": "LLM", "status": "OK", "start_time_unix_nano": 10, "end_time_unix_nano": 30,
         "content": '{"name": "predict"}'},
    ],
    "span_metrics": [
        {"trace_id": "tr-1", "span_id": "s-2", "key": "input_cost", "value": 0.125},
        {"trace_id": "tr-1", "span_id": "s-2", "key": "mine", "value": 1.0},
    ],
}  # fmt: skip
# More rows, as later versions write them: by the revision after which they are added.
LATER = {
    "b7c8d9e0f1a2": {
        "trace_info": [
            {"request_id": "tr-3", "experiment_id": 0, "timestamp_ms": 9, "status": "OK"},
        ],
    },
    "c8d9e0f1a2b3": {
        "spans": [
            {"trace_id": "tr-1", "experiment_id": 0, "span_id": "s-2", "name": "ask",
             "type": "LLM", "status": "OK", "start_time_unix_nano": 11, "content": "{}",
             "dimension_attributes": json.dumps({"mlflow.llm.model": "m", "mlflow.llm.provider": "p"})},
        ],
    },
    "181f10493468": {
        "metrics": [
            {"key": "inf", "value": 1.7976931348623157e308, "timestamp": 3, "run_uuid": "a" * 32,
             "step": 0, "is_nan": False},
            {"key": "nan", "value": 0.0, "timestamp": 1, "run_uuid": "a" * 32, "step": 1, "is_nan": True},
            {"key": "loss", "value": 9.0, "timestamp": 0, "run_uuid": "a" * 32, "step": 7, "is_nan": False},
        ],
    },
    "0a8213491aaa": {
        "runs": [
            {"run_uuid": "c" * 32, "name": "killed", "status": "KILLED", "lifecycle_stage": "active",
             "artifact_uri": "/c", "experiment_id": 0, "source_type": "UNKNOWN"},
        ],
    },
}  # fmt: skip
SINGLE = {"lifecycle_stage": "active", "workspace": "default"}


class Walk:
    """One walk over all revisions."""

    def __init__(self, url, output):
        self.url, self.output = url, output
        zero = {
            "init_command": "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"
        }
        self.engine = sa.create_engine(url, connect_args=zero if "mysql" in url else {})
        self.dialect = self.engine.dialect.name
        self.seeded = set()
        self.added = []

    def config(self):
        config = Config(os.path.join(MIGRATIONS, "alembic.ini"))
        config.set_main_option("script_location", MIGRATIONS)
        config.set_main_option("sqlalchemy.url", self.url.replace("%", "%%"))
        return config

    def run(self, wanted):
        script = ScriptDirectory.from_config(self.config())
        revisions = [one.revision for one in reversed(list(script.walk_revisions()))]
        Base.metadata.create_all(self.engine)
        self.fill("base")
        self.keep("base", wanted)
        for revision in revisions:
            with self.engine.begin() as connection:
                config = self.config()
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
            self.fill(revision)
            self.keep(revision, wanted)
        with self.engine.begin() as connection:
            rows = everything(connection)
        with open(os.path.join(self.output, "walk.json"), "w") as file:
            found = {"revisions": ["base", *revisions], "added": self.added, "rows": rows}
            json.dump(found, file, default=plain)
        self.engine.dispose()

    # --- rows

    def fill(self, revision):
        with self.engine.begin() as connection:
            metadata = sa.MetaData()
            metadata.reflect(connection)
            for table in metadata.sorted_tables:
                rows = list(LATER.get(revision, {}).get(table.name, ()))
                if table.name not in self.seeded and table.name != "alembic_version":
                    self.seeded.add(table.name)
                    if not connection.execute(
                        sa.select(sa.func.count()).select_from(table)
                    ).scalar():
                        rows = ROWS.get(table.name) or [
                            self.made(connection, table, n) for n in (1, 2)
                        ]
                for row in rows:
                    self.insert(connection, table, row, revision)

    def insert(self, connection, table, row, revision):
        names = [self.quote(name) for name in row]
        text = f"INSERT INTO {self.quote(table.name)} ({', '.join(names)}) VALUES "
        statement = sa.text(text + "(" + ", ".join(f":{name}" for name in row) + ")")
        connection.execute(statement, row)
        if table.name == "experiments" and self.dialect == "postgresql":
            connection.exec_driver_sql("SELECT setval('experiments_experiment_id_seq', 100)")
        key = {
            column.name: row.get(column.name) for column in table.primary_key if column.name in row
        }
        self.added.append([revision, table.name, key])

    def quote(self, name):
        return self.engine.dialect.identifier_preparer.quote_identifier(name)

    def made(self, connection, table, number):
        row = {
            column.name: value(column, number)
            for column in table.columns
            if column.computed is None
        }
        for key in table.foreign_key_constraints:
            names = [element.column.name for element in key.elements]
            referred = ", ".join(map(self.quote, names))
            found = connection.exec_driver_sql(
                f"SELECT {referred} FROM {self.quote(key.referred_table.name)} ORDER BY {referred}"
            ).fetchall()
            picked = found[(number - 1) % len(found)]
            row.update(zip(key.column_keys, picked, strict=True))
        return row

    # --- keeping

    def keep(self, revision, wanted):
        if wanted and revision not in wanted:
            return
        self.engine.dispose()
        path = os.path.join(self.output, f"{revision}.db")
        url = self.engine.url
        if self.dialect == "sqlite":
            shutil.copy(url.database, path)
        elif self.dialect == "postgresql":
            other = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
            with other.connect() as connection:
                connection.exec_driver_sql(
                    f"CREATE DATABASE {url.database}_{revision} TEMPLATE {url.database}"
                )
            other.dispose()
        else:
            with self.engine.begin() as connection, open(path.replace(".db", ".json"), "w") as file:
                json.dump(self.statements(connection), file, default=lambda one: f"0x{plain(one)}")

    def statements(self, connection):
        names = sa.inspect(connection).get_table_names()
        made = [connection.exec_driver_sql(f"SHOW CREATE TABLE `{one}`").one()[1] for one in names]
        triggers = [row[0] for row in connection.exec_driver_sql("SHOW TRIGGERS")]
        said = [
            connection.exec_driver_sql(f"SHOW CREATE TRIGGER `{one}`").one() for one in triggers
        ]
        rows = {name: found for name, found in everything(connection).items() if found}
        computed = {
            name: [
                one["name"] for one in sa.inspect(connection).get_columns(name) if "computed" in one
            ]
            for name in names
        }
        return {
            "tables": made, "rows": rows, "computed": computed, "triggers": [one[2] for one in said],
        }  # fmt: skip


def value(column, number):
    kind = str(column.type).upper()
    if column.name in SINGLE:
        return SINGLE[column.name]
    if "JSON" in kind or column.name in ("auth_config",):
        return json.dumps({column.name: number})
    if kind.startswith(("VARCHAR", "TEXT", "LONGTEXT", "MEDIUMTEXT")):
        # Columns of JSON are long texts on MariaDB.
        if "TEXT" in kind:
            return json.dumps({column.name: number})
        return f"{column.name}-{number}"[: column.type.length]
    if "BOOL" in kind or "TINYINT" in kind:
        return False
    if "INT" in kind:
        return 1000 + number
    if "DATE" in kind:
        return "2024-01-02"
    return f"{number}".encode() if "BLOB" in kind or "BYTEA" in kind else 0.5 + number


def everything(connection):
    found = {}
    for name in sa.inspect(connection).get_table_names():
        quoted = connection.dialect.identifier_preparer.quote_identifier(name)
        rows = connection.exec_driver_sql(f"SELECT * FROM {quoted}").mappings().all()
        found[name] = [dict(one) for one in rows]
    return found


def plain(value):
    return value.hex() if isinstance(value, (bytes, memoryview)) else str(value)


if __name__ == "__main__":
    Walk(sys.argv[1], sys.argv[2]).run(set(sys.argv[3:]))
