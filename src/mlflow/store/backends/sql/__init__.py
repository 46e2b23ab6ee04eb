"""Stores in SQL databases: SQLite, PostgreSQL, MySQL and MariaDB, in MLflow's own schema."""

from __future__ import annotations

from mlflow.store.backends.sql.backend import SqlBackend

__all__ = ["SqlBackend"]
