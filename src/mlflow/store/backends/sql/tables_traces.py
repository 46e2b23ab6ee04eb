"""The tables of traces, evaluation, labels and reviews, which MLflow's schema has beside the runs."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from mlflow.store.backends.sql.tables import Double, metadata
from mlflow.store.backends.sql.urls import MYSQL, POSTGRESQL

LongText = Text().with_variant(Text(2**30 - 1), "mysql", "mariadb")
RollupId = BigInteger().with_variant(Integer(), "sqlite")


# Two indexes which on PostgreSQL also cover what a span cost.
_costs = (
    Index("idx_spans_cost_exp_time_cover", "experiment_id", "start_time_unix_nano"),
    Index("idx_spans_cost_trace_time_cover", "trace_id", "start_time_unix_nano"),
)
_rollups = Index(
    "idx_span_cost_rollups_lookup",
    "experiment_id", "rollup_day", "metric_name", "grouping_set", "model_name", "model_provider",
)  # fmt: skip
_LENGTHS = {"model_name": 64, "model_provider": 64}


def complete(dialect: str) -> None:
    """Add to the indexes what one kind of database alone says of them.

    Said with the tables, it would load the dialects of PostgreSQL and MySQL for every SQLite file.

    Args:
        dialect: what SQLAlchemy calls it.
    """
    if dialect == POSTGRESQL:
        for index in _costs:
            index.dialect_kwargs["postgresql_include"] = [
                "input_cost", "output_cost", "total_cost", "model_name", "model_provider",
            ]  # fmt: skip
            index.dialect_kwargs["postgresql_where"] = text(
                "input_cost IS NOT NULL OR output_cost IS NOT NULL OR total_cost IS NOT NULL"
            )
    elif dialect == MYSQL:
        for name in ("mysql", "mariadb"):
            _rollups.dialect_kwargs[f"{name}_length"] = _LENGTHS


assessments = Table(
    "assessments",
    metadata,
    Column("assessment_id", String(50), nullable=False),
    Column("trace_id", String(50), nullable=False),
    Column("name", String(250), nullable=False),
    Column("assessment_type", String(20), nullable=False),
    Column("value", Text, nullable=False),
    Column("error", Text),
    Column("created_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    Column("source_type", String(50), nullable=False),
    Column("source_id", String(250)),
    Column("run_id", String(32)),
    Column("span_id", String(50)),
    Column("rationale", Text),
    Column("overrides", String(50)),
    Column("valid", Boolean, nullable=False),
    Column("assessment_metadata", Text),
    Column("experiment_id", Integer),
    Column("trace_timestamp_ms", BigInteger),
    Column("aggregate_value", Double),
    Column("is_numeric_value", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("assessment_id", name="assessments_pk"),
    ForeignKeyConstraint(
        ["trace_id"], ["trace_info.request_id"], name="fk_assessments_trace_id", ondelete="CASCADE"
    ),
    Index("idx_assessments_exp_name_valid", "experiment_id", "name", "valid"),
    Index("idx_assessments_exp_trace_ts", "experiment_id", "trace_timestamp_ms"),
    Index("idx_assessments_exp_trace_ts_name", "experiment_id", "trace_timestamp_ms", "name"),
    Index("index_assessments_assessment_type", "assessment_type"),
    Index("index_assessments_last_updated_timestamp", "last_updated_timestamp"),
    Index("index_assessments_run_id_created_timestamp", "run_id", "created_timestamp"),
    Index("index_assessments_trace_id_created_timestamp", "trace_id", "created_timestamp"),
)

entity_associations = Table(
    "entity_associations",
    metadata,
    Column("association_id", String(36), nullable=False),
    Column("source_type", String(36), nullable=False),
    Column("source_id", String(36), nullable=False),
    Column("destination_type", String(36), nullable=False),
    Column("destination_id", String(36), nullable=False),
    Column("created_time", BigInteger),
    PrimaryKeyConstraint(
        "source_type",
        "source_id",
        "destination_type",
        "destination_id",
        name="entity_associations_pk",
    ),
    Index("index_entity_associations_association_id", "association_id"),
    Index(
        "index_entity_associations_reverse_lookup",
        "destination_type",
        "destination_id",
        "source_type",
        "source_id",
    ),
)

evaluation_dataset_records = Table(
    "evaluation_dataset_records",
    metadata,
    Column("dataset_record_id", String(36), nullable=False),
    Column("dataset_id", String(36), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("expectations", JSON),
    Column("tags", JSON),
    Column("source", JSON),
    Column("source_id", String(36)),
    Column("source_type", String(255)),
    Column("created_time", BigInteger),
    Column("last_update_time", BigInteger),
    Column("created_by", String(255)),
    Column("last_updated_by", String(255)),
    Column("input_hash", String(64), nullable=False),
    Column("outputs", JSON),
    PrimaryKeyConstraint("dataset_record_id", name="evaluation_dataset_records_pk"),
    ForeignKeyConstraint(
        ["dataset_id"],
        ["evaluation_datasets.dataset_id"],
        name="fk_evaluation_dataset_records_dataset_id",
        ondelete="CASCADE",
    ),
    UniqueConstraint("dataset_id", "input_hash", name="unique_dataset_input"),
    Index("index_evaluation_dataset_records_dataset_id", "dataset_id"),
)

evaluation_dataset_tags = Table(
    "evaluation_dataset_tags",
    metadata,
    Column("dataset_id", String(36), nullable=False),
    Column("key", String(255), nullable=False),
    Column("value", String(5000)),
    PrimaryKeyConstraint("dataset_id", "key", name="evaluation_dataset_tags_pk"),
    ForeignKeyConstraint(
        ["dataset_id"],
        ["evaluation_datasets.dataset_id"],
        name="fk_evaluation_dataset_tags_dataset_id",
        ondelete="CASCADE",
    ),
    Index("index_evaluation_dataset_tags_dataset_id", "dataset_id"),
)

evaluation_datasets = Table(
    "evaluation_datasets",
    metadata,
    Column("dataset_id", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("schema", Text),
    Column("profile", Text),
    Column("digest", String(64)),
    Column("created_time", BigInteger),
    Column("last_update_time", BigInteger),
    Column("created_by", String(255)),
    Column("last_updated_by", String(255)),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("dataset_id", name="evaluation_datasets_pk"),
    Index("idx_evaluation_datasets_workspace", "workspace"),
    Index("index_evaluation_datasets_created_time", "created_time"),
    Index("index_evaluation_datasets_name", "name"),
)

issues = Table(
    "issues",
    metadata,
    Column("issue_id", String(36), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("name", String(250), nullable=False),
    Column("description", Text, nullable=False),
    Column("status", String(50), nullable=False),
    Column("severity", String(50)),
    Column("root_causes", Text),
    Column("source_run_id", String(32)),
    Column("categories", Text),
    Column("created_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    Column("created_by", String(255)),
    PrimaryKeyConstraint("issue_id", name="issues_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_issues_experiment_id",
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["source_run_id"], ["runs.run_uuid"], name="fk_issues_source_run_id", ondelete="SET NULL"
    ),
    Index("index_issues_experiment_id", "experiment_id"),
    Index("index_issues_source_run_id", "source_run_id"),
    Index("index_issues_status", "status"),
)

label_schemas = Table(
    "label_schemas",
    metadata,
    Column("schema_id", String(36), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("name", String(250), nullable=False),
    Column("type", String(16), nullable=False),
    Column("instruction", Text),
    Column("enable_comment", Boolean, nullable=False, server_default="0"),
    Column("input_type", String(32), nullable=False),
    Column("input_config", Text, nullable=False),
    Column("created_by", String(255)),
    Column("created_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("schema_id", name="label_schemas_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_label_schemas_experiment_id",
        ondelete="CASCADE",
    ),
    UniqueConstraint("experiment_id", "name", name="uq_label_schemas_exp_name"),
    Index("index_label_schemas_experiment_id", "experiment_id"),
)

online_scoring_configs = Table(
    "online_scoring_configs",
    metadata,
    Column("online_scoring_config_id", String(36), nullable=False),
    Column("scorer_id", String(36), nullable=False),
    Column("sample_rate", Double, nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("filter_string", Text),
    PrimaryKeyConstraint("online_scoring_config_id", name="online_scoring_config_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_online_scoring_configs_experiment_id",
    ),
    ForeignKeyConstraint(
        ["scorer_id"],
        ["scorers.scorer_id"],
        name="fk_online_scoring_configs_scorer_id",
        ondelete="CASCADE",
    ),
)

review_queue_items = Table(
    "review_queue_items",
    metadata,
    Column("queue_id", String(36), nullable=False),
    Column("item_type", String(16), nullable=False),
    Column("item_id", String(50), nullable=False),
    Column("status", String(16), nullable=False),
    Column("completed_by", String(250)),
    Column("completed_time_ms", BigInteger),
    Column("creation_time_ms", BigInteger, nullable=False),
    Column("last_update_time_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("queue_id", "item_id", name="review_queue_items_pk"),
    ForeignKeyConstraint(
        ["queue_id"],
        ["review_queues.queue_id"],
        name="fk_review_queue_items_queue_id",
        ondelete="CASCADE",
    ),
    Index("index_review_queue_items_item_id", "item_id"),
    Index("index_review_queue_items_queue_id_status", "queue_id", "status"),
)

review_queue_label_schemas = Table(
    "review_queue_label_schemas",
    metadata,
    Column("queue_id", String(36), nullable=False),
    Column("schema_id", String(36), nullable=False),
    PrimaryKeyConstraint("queue_id", "schema_id", name="review_queue_label_schemas_pk"),
    ForeignKeyConstraint(
        ["queue_id"],
        ["review_queues.queue_id"],
        name="fk_review_queue_label_schemas_queue_id",
        ondelete="CASCADE",
    ),
    Index("index_review_queue_label_schemas_schema_id", "schema_id"),
)

review_queue_users = Table(
    "review_queue_users",
    metadata,
    Column("queue_id", String(36), nullable=False),
    Column("user_id", String(250), nullable=False),
    PrimaryKeyConstraint("queue_id", "user_id", name="review_queue_users_pk"),
    ForeignKeyConstraint(
        ["queue_id"],
        ["review_queues.queue_id"],
        name="fk_review_queue_users_queue_id",
        ondelete="CASCADE",
    ),
    Index("index_review_queue_users_user_id", "user_id"),
)

review_queues = Table(
    "review_queues",
    metadata,
    Column("queue_id", String(36), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("name", String(250), nullable=False),
    Column("queue_type", String(16), nullable=False),
    Column("created_by", String(255)),
    Column("creation_time_ms", BigInteger, nullable=False),
    Column("last_update_time_ms", BigInteger, nullable=False),
    Column("name_key", String(250), nullable=False),
    PrimaryKeyConstraint("queue_id", name="review_queues_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_review_queues_experiment_id",
        ondelete="CASCADE",
    ),
    UniqueConstraint("experiment_id", "name_key", name="uq_review_queues_experiment_name_key"),
    Index("index_review_queues_experiment_id", "experiment_id"),
)

scorer_versions = Table(
    "scorer_versions",
    metadata,
    Column("scorer_id", String(36), nullable=False),
    Column("scorer_version", Integer, nullable=False),
    Column("serialized_scorer", Text, nullable=False),
    Column("creation_time", BigInteger),
    PrimaryKeyConstraint("scorer_id", "scorer_version", name="scorer_version_pk"),
    ForeignKeyConstraint(
        ["scorer_id"],
        ["scorers.scorer_id"],
        name="fk_scorer_versions_scorer_id",
        ondelete="CASCADE",
    ),
    Index("index_scorer_versions_scorer_id", "scorer_id"),
)

scorers = Table(
    "scorers",
    metadata,
    Column("experiment_id", Integer, nullable=False),
    Column("scorer_name", String(256), nullable=False),
    Column("scorer_id", String(36), nullable=False),
    PrimaryKeyConstraint("scorer_id", name="scorer_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_scorers_experiment_id",
        ondelete="CASCADE",
    ),
    Index("index_scorers_experiment_id_scorer_name", "experiment_id", "scorer_name", unique=True),
)

span_metrics = Table(
    "span_metrics",
    metadata,
    Column("trace_id", String(50), nullable=False),
    Column("span_id", String(50), nullable=False),
    Column("key", String(250), nullable=False),
    Column("value", Double),
    PrimaryKeyConstraint("trace_id", "span_id", "key", name="span_metrics_pk"),
    ForeignKeyConstraint(
        ["trace_id", "span_id"],
        ["spans.trace_id", "spans.span_id"],
        name="fk_span_metrics_span",
        ondelete="CASCADE",
    ),
    Index("index_span_metrics_trace_id_span_id", "trace_id", "span_id"),
)

spans = Table(
    "spans",
    metadata,
    Column("trace_id", String(50), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("span_id", String(50), nullable=False),
    Column("parent_span_id", String(50)),
    Column("name", Text),
    Column("type", String(500)),
    Column("status", String(50), nullable=False),
    Column("start_time_unix_nano", BigInteger, nullable=False),
    Column("end_time_unix_nano", BigInteger),
    Column(
        "duration_ns",
        BigInteger,
        Computed("end_time_unix_nano - start_time_unix_nano", persisted=True),
    ),
    Column("content", LongText, nullable=False),
    Column("input_cost", Double),
    Column("output_cost", Double),
    Column("total_cost", Double),
    Column("model_name", String(500)),
    Column("model_provider", String(500)),
    PrimaryKeyConstraint("trace_id", "span_id", name="spans_pk"),
    ForeignKeyConstraint(
        ["experiment_id"], ["experiments.experiment_id"], name="fk_spans_experiment_id"
    ),
    ForeignKeyConstraint(
        ["trace_id"], ["trace_info.request_id"], name="fk_spans_trace_id", ondelete="CASCADE"
    ),
    *_costs,
    Index("index_spans_experiment_id_duration", "experiment_id", "duration_ns"),
    Index("index_spans_experiment_id_start_time", "experiment_id", "start_time_unix_nano"),
    Index("index_spans_experiment_id_status_type", "experiment_id", "status", "type"),
    Index("index_spans_experiment_id_type_status", "experiment_id", "type", "status"),
)

sql_assessment_daily_rollups = Table(
    "sql_assessment_daily_rollups",
    metadata,
    Column("id", RollupId, Identity(), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("rollup_day", Date, nullable=False),
    Column("metric_name", String(250), nullable=False),
    Column("grouping_set", String(50), nullable=False),
    Column("sample_count", BigInteger, nullable=False),
    Column("sum_value", Double),
    Column("min_value", Double),
    Column("max_value", Double),
    PrimaryKeyConstraint("id", name="sql_assessment_daily_rollups_pk"),
    Index(
        "idx_assessment_rollups_lookup",
        "experiment_id",
        "rollup_day",
        "metric_name",
        "grouping_set",
    ),
)

sql_span_cost_daily_rollups = Table(
    "sql_span_cost_daily_rollups",
    metadata,
    Column("id", RollupId, Identity(), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("rollup_day", Date, nullable=False),
    Column("metric_name", String(250), nullable=False),
    Column("grouping_set", String(50), nullable=False),
    Column("model_name", String(500)),
    Column("model_provider", String(500)),
    Column("sample_count", BigInteger, nullable=False),
    Column("sum_value", Double),
    Column("min_value", Double),
    Column("max_value", Double),
    PrimaryKeyConstraint("id", name="sql_span_cost_daily_rollups_pk"),
    _rollups,
)

sql_trace_metric_daily_rollups = Table(
    "sql_trace_metric_daily_rollups",
    metadata,
    Column("id", RollupId, Identity(), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("rollup_day", Date, nullable=False),
    Column("metric_name", String(250), nullable=False),
    Column("grouping_set", String(50), nullable=False),
    Column("trace_status", String(50)),
    Column("sample_count", BigInteger, nullable=False),
    Column("sum_value", Double),
    Column("min_value", Double),
    Column("max_value", Double),
    Column("p50_value", Double),
    Column("p90_value", Double),
    Column("p99_value", Double),
    PrimaryKeyConstraint("id", name="sql_trace_metric_daily_rollups_pk"),
    Index(
        "idx_trace_rollups_lookup",
        "experiment_id",
        "rollup_day",
        "metric_name",
        "grouping_set",
        "trace_status",
    ),
)

sql_trace_rollup_rebuild_queue = Table(
    "sql_trace_rollup_rebuild_queue",
    metadata,
    Column("experiment_id", Integer, nullable=False),
    Column("rollup_day", Date, nullable=False),
    Column("rollup_family", String(50), nullable=False),
    PrimaryKeyConstraint(
        "experiment_id", "rollup_day", "rollup_family", name="sql_trace_rollup_rebuild_queue_pk"
    ),
)

trace_info = Table(
    "trace_info",
    metadata,
    Column("request_id", String(50), nullable=False),
    Column("experiment_id", Integer, nullable=False),
    Column("timestamp_ms", BigInteger, nullable=False),
    Column("execution_time_ms", BigInteger),
    Column("status", String(50), nullable=False),
    Column("client_request_id", String(50)),
    Column("request_preview", String(1000)),
    Column("response_preview", String(1000)),
    Column("db_payload_generation", Integer, nullable=False, server_default="0"),
    Column("trace_name", String(4096)),
    Column("session_id", String(250)),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("total_tokens", BigInteger),
    Column("cache_read_input_tokens", BigInteger),
    Column("cache_creation_input_tokens", BigInteger),
    Column("cache_creation_input_tokens_above_1hr", BigInteger),
    Column("input_cost", Double),
    Column("output_cost", Double),
    Column("total_cost", Double),
    PrimaryKeyConstraint("request_id", name="trace_info_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_trace_info_experiment_id",
        ondelete="CASCADE",
    ),
    Index("index_trace_info_experiment_id_session_id", "experiment_id", "session_id"),
    Index("index_trace_info_experiment_id_timestamp_ms", "experiment_id", "timestamp_ms"),
    Index("index_trace_info_timestamp_ms_request_id", "timestamp_ms", "request_id"),
)

trace_metrics = Table(
    "trace_metrics",
    metadata,
    Column("request_id", String(50), nullable=False),
    Column("key", String(250), nullable=False),
    Column("value", Double),
    PrimaryKeyConstraint("request_id", "key", name="trace_metrics_pk"),
    ForeignKeyConstraint(
        ["request_id"],
        ["trace_info.request_id"],
        name="fk_trace_metrics_request_id",
        ondelete="CASCADE",
    ),
    Index("index_trace_metrics_request_id", "request_id"),
)

trace_request_metadata = Table(
    "trace_request_metadata",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", String(8000)),
    Column("request_id", String(50), nullable=False),
    PrimaryKeyConstraint("key", "request_id", name="trace_request_metadata_pk"),
    ForeignKeyConstraint(
        ["request_id"],
        ["trace_info.request_id"],
        name="fk_trace_request_metadata_request_id",
        ondelete="CASCADE",
    ),
    Index("index_trace_request_metadata_request_id", "request_id"),
)

trace_tags = Table(
    "trace_tags",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", String(8000)),
    Column("request_id", String(50), nullable=False),
    PrimaryKeyConstraint("key", "request_id", name="trace_tag_pk"),
    ForeignKeyConstraint(
        ["request_id"],
        ["trace_info.request_id"],
        name="fk_trace_tags_request_id",
        ondelete="CASCADE",
    ),
    Index("index_trace_tags_request_id", "request_id"),
)
