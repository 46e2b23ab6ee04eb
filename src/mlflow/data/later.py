"""Kinds of datasets that later versions fill."""

from __future__ import annotations

from mlflow._later import later

from_tensorflow = later("mlflow.data.from_tensorflow")
