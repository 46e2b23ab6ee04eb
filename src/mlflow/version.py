"""The API level that Millstream speaks."""

from __future__ import annotations

VERSION = "3.17.2"
IS_FULL_MLFLOW = True
IS_MLFLOW_SKINNY = False
IS_TRACING_SDK_ONLY = False
