"""Stores in plain files: the `mlruns` folder, as MLflow 2 and 3 lay it out."""

from __future__ import annotations

from mlflow.store.backends.file.backend import FileBackend

__all__ = ["FileBackend"]
