"""Kinds of datasets that later versions fill."""

from __future__ import annotations

from mlflow._later import later

from_spark = later("mlflow.data.from_spark")
from_tensorflow = later("mlflow.data.from_tensorflow")
load_delta = later("mlflow.data.load_delta")
