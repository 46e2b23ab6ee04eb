"""The tables of experiments, runs, models and the registry: MLflow 3.17.2's schema, name by name."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# The revision of MLflow 3.17.2, as its `alembic_version` names it.
HEAD = "dc11669786a5"

metadata = MetaData()

# What one declaration is on each server; SQLite keeps the plain word. MySQL takes the smallest of
# its types that has room for so many characters, of up to four bytes.
Double = Float(53)
MediumText = Text().with_variant(Text(2**22 - 1), "mysql", "mariadb")


def _zero_or_one(column: str) -> CheckConstraint:
    """Return the check of a truth value where the database keeps it as a number."""
    where = ("sqlite", "mysql", "mariadb")
    return CheckConstraint(f"{column} IN (0, 1)").ddl_if(
        dialect=where,  # type: ignore[arg-type] # documented to take a tuple
    )


experiments = Table(
    "experiments",
    metadata,
    Column("experiment_id", Integer, autoincrement=True, nullable=False),
    Column("name", String(256), nullable=False),
    Column("artifact_location", String(256)),
    Column("lifecycle_stage", String(32)),
    Column("creation_time", BigInteger),
    Column("last_update_time", BigInteger),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("experiment_id", name="experiment_pk"),
    UniqueConstraint("workspace", "name", name="uq_experiments_workspace_name"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="experiments_lifecycle_stage"),
    Index("idx_experiments_workspace", "workspace"),
    Index("idx_experiments_workspace_creation_time", "workspace", "creation_time"),
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", MediumText),
    Column("experiment_id", Integer, nullable=False),
    PrimaryKeyConstraint("key", "experiment_id", name="experiment_tag_pk"),
    ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"]),
)

runs = Table(
    "runs",
    metadata,
    Column("run_uuid", String(32), nullable=False),
    Column("name", String(250)),
    Column("source_type", String(20)),
    Column("source_name", String(500)),
    Column("entry_point_name", String(50)),
    Column("user_id", String(256)),
    Column("status", String(9)),
    Column("start_time", BigInteger),
    Column("end_time", BigInteger),
    Column("source_version", String(50)),
    Column("lifecycle_stage", String(20)),
    Column("artifact_uri", String(200)),
    Column("experiment_id", Integer),
    Column("deleted_time", BigInteger),
    PrimaryKeyConstraint("run_uuid", name="run_pk"),
    ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"]),
    CheckConstraint("status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED')"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="runs_lifecycle_stage"),
    CheckConstraint(
        "source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')", name="source_type"
    ),
)

metrics = Table(
    "metrics",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", Double, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("run_uuid", String(32), nullable=False),
    Column("step", BigInteger, nullable=False, server_default="0"),
    Column("is_nan", Boolean, nullable=False, server_default="0"),
    PrimaryKeyConstraint(
        "key", "timestamp", "step", "run_uuid", "value", "is_nan", name="metric_pk"
    ),
    ForeignKeyConstraint(["run_uuid"], ["runs.run_uuid"]),
    _zero_or_one("is_nan"),
    Index("index_metrics_run_uuid", "run_uuid"),
    Index("index_metrics_run_uuid_key_step", "run_uuid", "key", "step"),
)

latest_metrics = Table(
    "latest_metrics",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", Double, nullable=False),
    Column("timestamp", BigInteger),
    Column("step", BigInteger, nullable=False),
    Column("is_nan", Boolean, nullable=False),
    Column("run_uuid", String(32), nullable=False),
    PrimaryKeyConstraint("key", "run_uuid", name="latest_metric_pk"),
    ForeignKeyConstraint(["run_uuid"], ["runs.run_uuid"]),
    _zero_or_one("is_nan"),
    Index("index_latest_metrics_run_uuid", "run_uuid"),
)

params = Table(
    "params",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", String(8000), nullable=False),
    Column("run_uuid", String(32), nullable=False),
    PrimaryKeyConstraint("key", "run_uuid", name="param_pk"),
    ForeignKeyConstraint(["run_uuid"], ["runs.run_uuid"]),
    Index("index_params_run_uuid", "run_uuid"),
)

tags = Table(
    "tags",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", String(8000)),
    Column("run_uuid", String(32), nullable=False),
    PrimaryKeyConstraint("key", "run_uuid", name="tag_pk"),
    ForeignKeyConstraint(["run_uuid"], ["runs.run_uuid"]),
    Index("index_tags_run_uuid", "run_uuid"),
)

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_uuid", String(36), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("name", String(500), nullable=False),
    Column("digest", String(36), nullable=False),
    Column("dataset_source_type", String(36), nullable=False),
    Column("dataset_source", Text, nullable=False),
    Column("dataset_schema", MediumText),
    Column("dataset_profile", MediumText),
    PrimaryKeyConstraint("experiment_id", "name", "digest", name="dataset_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_datasets_experiment_id_experiments",
        ondelete="CASCADE",
    ),
    Index("index_datasets_dataset_uuid", "dataset_uuid"),
    Index(
        "index_datasets_experiment_id_dataset_source_type", "experiment_id", "dataset_source_type"
    ),
)

inputs = Table(
    "inputs",
    metadata,
    Column("input_uuid", String(36), nullable=False),
    Column("source_type", String(36), nullable=False),
    Column("source_id", String(36), nullable=False),
    Column("destination_type", String(36), nullable=False),
    Column("destination_id", String(36), nullable=False),
    Column("step", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint(
        "source_type", "source_id", "destination_type", "destination_id", name="inputs_pk"
    ),
    Index(
        "index_inputs_destination_type_destination_id_source_type",
        "destination_type",
        "destination_id",
        "source_type",
    ),
    Index("index_inputs_input_uuid", "input_uuid"),
)

input_tags = Table(
    "input_tags",
    metadata,
    Column("input_uuid", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("value", String(500), nullable=False),
    PrimaryKeyConstraint("input_uuid", "name", name="input_tags_pk"),
)

logged_models = Table(
    "logged_models",
    metadata,
    Column("model_id", String(36), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("name", String(500), nullable=False),
    Column("artifact_location", String(1000), nullable=False),
    Column("creation_timestamp_ms", BigInteger, nullable=False),
    Column("last_updated_timestamp_ms", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("lifecycle_stage", String(32)),
    Column("model_type", String(500)),
    Column("source_run_id", String(32)),
    Column("status_message", String(1000)),
    PrimaryKeyConstraint("model_id", name="logged_models_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_logged_models_experiment_id",
        ondelete="CASCADE",
    ),
    CheckConstraint(
        "lifecycle_stage IN ('active', 'deleted')", name="logged_models_lifecycle_stage_check"
    ),
)

logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    Column("model_id", String(36), nullable=False),
    Column("metric_name", String(500), nullable=False),
    Column("metric_timestamp_ms", BigInteger, nullable=False),
    Column("metric_step", BigInteger, nullable=False),
    Column("metric_value", Double),
    Column("experiment_id", Integer, nullable=False),
    Column("run_id", String(32), nullable=False),
    Column("dataset_uuid", String(36)),
    Column("dataset_name", String(500)),
    Column("dataset_digest", String(36)),
    PrimaryKeyConstraint(
        "model_id",
        "metric_name",
        "metric_timestamp_ms",
        "metric_step",
        "run_id",
        name="logged_model_metrics_pk",
    ),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_logged_model_metrics_experiment_id",
    ),
    ForeignKeyConstraint(
        ["model_id"],
        ["logged_models.model_id"],
        name="fk_logged_model_metrics_model_id",
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["run_id"], ["runs.run_uuid"], name="fk_logged_model_metrics_run_id", ondelete="CASCADE"
    ),
    Index("index_logged_model_metrics_model_id", "model_id"),
)

logged_model_params = Table(
    "logged_model_params",
    metadata,
    Column("model_id", String(36), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("param_key", String(255), nullable=False),
    Column("param_value", Text, nullable=False),
    PrimaryKeyConstraint("model_id", "param_key", name="logged_model_params_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_logged_model_params_experiment_id",
    ),
    ForeignKeyConstraint(
        ["model_id"],
        ["logged_models.model_id"],
        name="fk_logged_model_params_model_id",
        ondelete="CASCADE",
    ),
)

logged_model_tags = Table(
    "logged_model_tags",
    metadata,
    Column("model_id", String(36), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("tag_key", String(255), nullable=False),
    Column("tag_value", Text, nullable=False),
    PrimaryKeyConstraint("model_id", "tag_key", name="logged_model_tags_pk"),
    ForeignKeyConstraint(
        ["experiment_id"], ["experiments.experiment_id"], name="fk_logged_model_tags_experiment_id"
    ),
    ForeignKeyConstraint(
        ["model_id"],
        ["logged_models.model_id"],
        name="fk_logged_model_tags_model_id",
        ondelete="CASCADE",
    ),
)

registered_models = Table(
    "registered_models",
    metadata,
    Column("name", String(256), nullable=False),
    Column("creation_time", BigInteger),
    Column("last_updated_time", BigInteger),
    Column("description", String(5000)),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("workspace", "name", name="registered_model_pk"),
    Index("idx_registered_models_workspace", "workspace"),
)

registered_model_tags = Table(
    "registered_model_tags",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", String(5000)),
    Column("name", String(256), nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("workspace", "key", "name", name="registered_model_tag_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["registered_models.workspace", "registered_models.name"],
        name="fk_registered_model_tags_registered_models",
        onupdate="CASCADE",
    ),
    Index("idx_registered_model_tags_workspace_name", "workspace", "name"),
)

registered_model_aliases = Table(
    "registered_model_aliases",
    metadata,
    Column("alias", String(256), nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", String(256), nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("workspace", "name", "alias", name="registered_model_alias_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["registered_models.workspace", "registered_models.name"],
        name="fk_registered_model_aliases_registered_models",
        ondelete="CASCADE",
        onupdate="CASCADE",
    ),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("name", String(256), nullable=False),
    Column("version", Integer, nullable=False),
    Column("creation_time", BigInteger),
    Column("last_updated_time", BigInteger),
    Column("description", String(5000)),
    Column("user_id", String(256)),
    Column("current_stage", String(20)),
    Column("source", String(500)),
    Column("run_id", String(32)),
    Column("status", String(20)),
    Column("status_message", String(500)),
    Column("run_link", String(500)),
    Column("storage_location", String(500)),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("workspace", "name", "version", name="model_version_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["registered_models.workspace", "registered_models.name"],
        name="fk_model_versions_registered_models",
        onupdate="CASCADE",
    ),
)

model_version_tags = Table(
    "model_version_tags",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", Text),
    Column("name", String(256), nullable=False),
    Column("version", Integer, nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("workspace", "key", "name", "version", name="model_version_tag_pk"),
    ForeignKeyConstraint(
        ["workspace", "name", "version"],
        ["model_versions.workspace", "model_versions.name", "model_versions.version"],
        name="fk_model_version_tags_model_versions",
        onupdate="CASCADE",
    ),
    Index("idx_model_version_tags_workspace_name_version", "workspace", "name", "version"),
)

alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
