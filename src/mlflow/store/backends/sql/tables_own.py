"""The tables that are not MLflow's: what its schema has no place for."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)

from mlflow.store.backends.sql.tables import Double, runs

own = MetaData()

# What a point of a metric is beyond its row in `metrics`, which has the same key: the dataset it
# was measured on, and the number, where MLflow's columns hold another one in its place. A database
# without this table, or without a row, is complete: MLflow reads and writes none of this.
metric_details = Table(
    "millstream_metric_details",
    own,
    Column("run_uuid", String(32), nullable=False),
    Column("key", String(250), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    Column("is_nan", Boolean, nullable=False),
    Column("number", String(32)),
    Column("dataset_name", String(500)),
    Column("dataset_digest", String(36)),
    PrimaryKeyConstraint(
        "run_uuid", "key", "timestamp", "step", "value", "is_nan", name="millstream_details_pk"
    ),
    ForeignKeyConstraint(
        ["run_uuid"], [runs.c.run_uuid], name="millstream_details_run", ondelete="CASCADE"
    ),
)

# The largest number that was given out, where the row that had it is gone.
used_numbers = Table(
    "millstream_used_numbers",
    own,
    Column("name", String(36), nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", name="millstream_used_numbers_pk"),
)
