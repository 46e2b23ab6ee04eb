"""What logging and searching cost on plain files."""

from __future__ import annotations

import tempfile

from measure import Result, report, row, seconds
from workload import measured, small_runs


def _durable(folder: str) -> list[Result]:
    """Measure the level that survives a power cut, where there is one."""
    import mlflow

    if not hasattr(mlflow.environment_variables, "MILLSTREAM_DURABILITY"):
        return []
    mlflow.environment_variables.MILLSTREAM_DURABILITY.set("disk")
    mlflow.set_tracking_uri(f"file://{folder}/durable")
    with mlflow.start_run():
        mlflow.log_metric("warm", 1.0, step=0)
        singles = seconds(lambda: mlflow.log_metric("loss", 0.5), 200)
    return [
        row("log_metric, through a power cut", "µs", singles, scale=1e6),
        small_runs(mlflow, "whole small run, through a power cut"),
    ]


def main() -> None:
    """Measure in folders of their own."""
    with tempfile.TemporaryDirectory() as folder:
        report([*measured(f"file://{folder}/mlruns"), *_durable(folder)])


main()
