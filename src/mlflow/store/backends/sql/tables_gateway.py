"""The tables of the gateway, of MCP servers, jobs and webhooks, which MLflow's schema has too."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from mlflow.store.backends.sql.tables import Double, metadata

Single = Float().with_variant(Float(53), "postgresql")

secrets = Table(
    "secrets",
    metadata,
    Column("secret_id", String(36), nullable=False),
    Column("secret_name", String(255), nullable=False),
    Column("encrypted_value", LargeBinary, nullable=False),
    Column("wrapped_dek", LargeBinary, nullable=False),
    Column("kek_version", Integer, nullable=False),
    Column("masked_value", String(500), nullable=False),
    Column("provider", String(64)),
    Column("auth_config", Text),
    Column("description", Text),
    Column("created_by", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_by", String(255)),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("secret_id", name="secrets_pk"),
    UniqueConstraint("workspace", "secret_name", name="uq_secrets_workspace_secret_name"),
    Index("idx_secrets_workspace", "workspace"),
)

model_definitions = Table(
    "model_definitions",
    metadata,
    Column("model_definition_id", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("secret_id", String(36)),
    Column("provider", String(64), nullable=False),
    Column("model_name", String(256), nullable=False),
    Column("created_by", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_by", String(255)),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("model_definition_id", name="model_definitions_pk"),
    ForeignKeyConstraint(
        ["secret_id"],
        ["secrets.secret_id"],
        name="fk_model_definitions_secret_id",
        ondelete="SET NULL",
    ),
    UniqueConstraint("workspace", "name", name="uq_model_definitions_workspace_name"),
    Index("idx_model_definitions_workspace", "workspace"),
    Index("index_model_definitions_provider", "provider"),
    Index("index_model_definitions_secret_id", "secret_id"),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("endpoint_id", String(36), nullable=False),
    Column("name", String(255)),
    Column("created_by", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_by", String(255)),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("routing_strategy", String(64)),
    Column("fallback_config_json", Text),
    Column("experiment_id", Integer),
    Column("usage_tracking", Boolean, nullable=False, server_default="0"),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("endpoint_id", name="endpoints_pk"),
    ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.experiment_id"],
        name="fk_endpoints_experiment_id",
        ondelete="SET NULL",
    ),
    UniqueConstraint("workspace", "name", name="uq_endpoints_workspace_name"),
    Index("idx_endpoints_workspace", "workspace"),
)

endpoint_bindings = Table(
    "endpoint_bindings",
    metadata,
    Column("endpoint_id", String(36), nullable=False),
    Column("resource_type", String(50), nullable=False),
    Column("resource_id", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255)),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("last_updated_by", String(255)),
    Column("display_name", String(255)),
    PrimaryKeyConstraint(
        "endpoint_id", "resource_type", "resource_id", name="endpoint_bindings_pk"
    ),
    ForeignKeyConstraint(
        ["endpoint_id"],
        ["endpoints.endpoint_id"],
        name="fk_endpoint_bindings_endpoint_id",
        ondelete="CASCADE",
    ),
)

endpoint_model_mappings = Table(
    "endpoint_model_mappings",
    metadata,
    Column("mapping_id", String(36), nullable=False),
    Column("endpoint_id", String(36), nullable=False),
    Column("model_definition_id", String(36), nullable=False),
    Column("weight", Single, nullable=False),
    Column("created_by", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("linkage_type", String(64), nullable=False, server_default="PRIMARY"),
    Column("fallback_order", Integer),
    PrimaryKeyConstraint("mapping_id", name="endpoint_model_mappings_pk"),
    ForeignKeyConstraint(
        ["endpoint_id"],
        ["endpoints.endpoint_id"],
        name="fk_endpoint_model_mappings_endpoint_id",
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["model_definition_id"],
        ["model_definitions.model_definition_id"],
        name="fk_endpoint_model_mappings_model_definition_id",
    ),
    Index("index_endpoint_model_mappings_endpoint_id", "endpoint_id"),
    Index("index_endpoint_model_mappings_model_definition_id", "model_definition_id"),
    Index(
        "unique_endpoint_model_linkage_mapping",
        "endpoint_id",
        "model_definition_id",
        "linkage_type",
        unique=True,
    ),
)

endpoint_tags = Table(
    "endpoint_tags",
    metadata,
    Column("key", String(250), nullable=False),
    Column("value", String(5000)),
    Column("endpoint_id", String(36), nullable=False),
    PrimaryKeyConstraint("key", "endpoint_id", name="endpoint_tag_pk"),
    ForeignKeyConstraint(
        ["endpoint_id"],
        ["endpoints.endpoint_id"],
        name="fk_endpoint_tags_endpoint_id",
        ondelete="CASCADE",
    ),
    Index("index_endpoint_tags_endpoint_id", "endpoint_id"),
)

budget_policies = Table(
    "budget_policies",
    metadata,
    Column("budget_policy_id", String(36), nullable=False),
    Column("budget_unit", String(32), nullable=False),
    Column("budget_amount", Single, nullable=False),
    Column("duration_unit", String(32), nullable=False),
    Column("duration_value", Integer, nullable=False),
    Column("target_scope", String(32), nullable=False),
    Column("budget_action", String(32), nullable=False),
    Column("created_by", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_by", String(255)),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("target_value", String(255)),
    PrimaryKeyConstraint("budget_policy_id", name="budget_policies_pk"),
    Index("idx_budget_policies_target_value", "target_value"),
    Index("idx_budget_policies_workspace", "workspace"),
)

guardrails = Table(
    "guardrails",
    metadata,
    Column("guardrail_id", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("scorer_id", String(36), nullable=False),
    Column("scorer_version", Integer, nullable=False),
    Column("stage", String(32), nullable=False),
    Column("action", String(32), nullable=False),
    Column("action_endpoint_id", String(36)),
    Column("created_by", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_by", String(255)),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("guardrail_id", name="guardrails_pk"),
    ForeignKeyConstraint(
        ["action_endpoint_id"],
        ["endpoints.endpoint_id"],
        name="fk_guardrails_action_endpoint_id",
        ondelete="SET NULL",
    ),
    ForeignKeyConstraint(
        ["scorer_id", "scorer_version"],
        ["scorer_versions.scorer_id", "scorer_versions.scorer_version"],
        name="fk_guardrails_scorer_version",
    ),
    Index("idx_guardrails_scorer", "scorer_id", "scorer_version"),
    Index("idx_guardrails_workspace", "workspace"),
)

guardrail_configs = Table(
    "guardrail_configs",
    metadata,
    Column("endpoint_id", String(36), nullable=False),
    Column("guardrail_id", String(36), nullable=False),
    Column("execution_order", Integer),
    Column("created_by", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("endpoint_id", "guardrail_id", name="guardrail_configs_pk"),
    ForeignKeyConstraint(
        ["endpoint_id"],
        ["endpoints.endpoint_id"],
        name="fk_guardrail_configs_endpoint_id",
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["guardrail_id"],
        ["guardrails.guardrail_id"],
        name="fk_guardrail_configs_guardrail_id",
        ondelete="CASCADE",
    ),
    Index("idx_guardrail_configs_endpoint_id", "endpoint_id"),
    Index("idx_guardrail_configs_guardrail_id", "guardrail_id"),
)

mcp_servers = Table(
    "mcp_servers",
    metadata,
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("name", String(256), nullable=False),
    Column("display_name", String(256)),
    Column("description", Text),
    Column("icons", JSON),
    Column("created_by", String(256)),
    Column("last_updated_by", String(256)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace", "name", name="mcp_servers_pk"),
)

mcp_server_tags = Table(
    "mcp_server_tags",
    metadata,
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("name", String(256), nullable=False),
    Column("key", String(250), nullable=False),
    Column("value", String(5000)),
    PrimaryKeyConstraint("workspace", "name", "key", name="mcp_server_tags_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_server_tags_server_fkey",
        ondelete="CASCADE",
        onupdate="CASCADE",
    ),
)

mcp_server_aliases = Table(
    "mcp_server_aliases",
    metadata,
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("name", String(256), nullable=False),
    Column("alias", String(256), nullable=False),
    Column("version", String(128), nullable=False),
    PrimaryKeyConstraint("workspace", "name", "alias", name="mcp_server_aliases_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_server_aliases_server_fkey",
        ondelete="CASCADE",
        onupdate="CASCADE",
    ),
)

mcp_server_versions = Table(
    "mcp_server_versions",
    metadata,
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("name", String(256), nullable=False),
    Column("version", String(128), nullable=False),
    Column("version_major", Integer, nullable=False),
    Column("version_minor", Integer, nullable=False),
    Column("version_patch", Integer, nullable=False),
    Column("version_prerelease_sort_key", String(512), nullable=False),
    Column("server_json", JSON, nullable=False),
    Column("status", String(20), nullable=False, server_default="draft"),
    Column("tools", JSON),
    Column("source", String(512)),
    Column("connect_options", JSON),
    Column("created_by", String(256)),
    Column("last_updated_by", String(256)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace", "name", "version", name="mcp_server_versions_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_server_versions_server_fkey",
        ondelete="CASCADE",
        onupdate="CASCADE",
    ),
    Index(
        "idx_mcp_server_versions_latest",
        "workspace",
        "name",
        "status",
        text("version_major DESC"),
        text("version_minor DESC"),
        text("version_patch DESC"),
    ),
)

mcp_server_version_tags = Table(
    "mcp_server_version_tags",
    metadata,
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("name", String(256), nullable=False),
    Column("version", String(128), nullable=False),
    Column("key", String(250), nullable=False),
    Column("value", String(5000)),
    PrimaryKeyConstraint("workspace", "name", "version", "key", name="mcp_server_version_tags_pk"),
    ForeignKeyConstraint(
        ["workspace", "name", "version"],
        [
            "mcp_server_versions.workspace",
            "mcp_server_versions.name",
            "mcp_server_versions.version",
        ],
        name="mcp_server_version_tags_version_fkey",
        ondelete="CASCADE",
        onupdate="CASCADE",
    ),
)

mcp_access_endpoints = Table(
    "mcp_access_endpoints",
    metadata,
    Column("id", String(36), nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("server_name", String(256), nullable=False),
    Column("server_version", String(128)),
    Column("server_alias", String(256)),
    Column("url", String(2048), nullable=False),
    Column("transport_type", String(32), nullable=False, server_default="streamable-http"),
    Column("created_by", String(256)),
    Column("last_updated_by", String(256)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", name="mcp_access_endpoints_pk"),
    ForeignKeyConstraint(
        ["workspace", "server_name"],
        ["mcp_servers.workspace", "mcp_servers.name"],
        name="mcp_access_endpoints_server_fkey",
        ondelete="CASCADE",
        onupdate="CASCADE",
    ),
    Index("ix_mcp_access_endpoints_alias", "workspace", "server_name", "server_alias"),
    Index("ix_mcp_access_endpoints_server_name", "workspace", "server_name"),
    Index("ix_mcp_access_endpoints_version", "workspace", "server_name", "server_version"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("job_name", String(500), nullable=False),
    Column("params", Text, nullable=False),
    Column("timeout", Double),
    Column("status", Integer, nullable=False),
    Column("result", Text),
    Column("retry_count", Integer, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("workspace", String(63), nullable=False, server_default="default"),
    Column("status_details", JSON),
    Column("creator", String(255)),
    Column("executor_backend", String(255)),
    Column("lease_expires_at", BigInteger),
    Column("status_message", Text),
    Column("progress", JSON),
    Column("progress_updated_at", BigInteger),
    Column("token_hash", String(64)),
    Column("scoped_permissions", JSON),
    Column("next_attempt_at", BigInteger),
    PrimaryKeyConstraint("id", name="jobs_pk"),
    Index(
        "index_jobs_name_status_creation_time", "job_name", "workspace", "status", "creation_time"
    ),
    Index("index_jobs_status_lease_expires_at", "status", "lease_expires_at"),
)

job_locks = Table(
    "job_locks",
    metadata,
    Column("lock_key", String(255), nullable=False),
    Column("job_id", String(36), nullable=False),
    Column("acquired_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("lock_key", name="job_locks_pk"),
    ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_locks_job_id", ondelete="CASCADE"),
    Index("index_job_locks_job_id", "job_id"),
)

scheduler_leases = Table(
    "scheduler_leases",
    metadata,
    Column("lease_key", String(255), nullable=False),
    Column("acquired_at", BigInteger, nullable=False),
    Column("ttl_seconds", Integer, nullable=False),
    PrimaryKeyConstraint("lease_key", name="scheduler_leases_pk"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", String(256), nullable=False),
    Column("name", String(256), nullable=False),
    Column("description", String(1000)),
    Column("url", String(500), nullable=False),
    Column("status", String(20), nullable=False, server_default="ACTIVE"),
    Column("secret", String(1000)),
    Column("creation_timestamp", BigInteger),
    Column("last_updated_timestamp", BigInteger),
    Column("deleted_timestamp", BigInteger),
    Column("workspace", String(63), nullable=False, server_default="default"),
    PrimaryKeyConstraint("webhook_id", name="webhook_pk"),
    Index("idx_webhooks_name", "name"),
    Index("idx_webhooks_status", "status"),
    Index("idx_webhooks_workspace", "workspace"),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("webhook_id", String(256), nullable=False),
    Column("entity", String(50), nullable=False),
    Column("action", String(50), nullable=False),
    PrimaryKeyConstraint("webhook_id", "entity", "action", name="webhook_event_pk"),
    ForeignKeyConstraint(["webhook_id"], ["webhooks.webhook_id"], ondelete="CASCADE"),
    Index("idx_webhook_events_action", "action"),
    Index("idx_webhook_events_entity", "entity"),
    Index("idx_webhook_events_entity_action", "entity", "action"),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("name", String(63), nullable=False),
    Column("description", Text),
    Column("default_artifact_root", Text),
    Column("trace_archival_location", Text),
    Column("trace_archival_retention", String(32)),
    PrimaryKeyConstraint("name", name="workspaces_pk"),
)
