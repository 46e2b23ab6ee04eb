"""The vocabulary: what the store keeps, as plain values without rules or I/O."""

from __future__ import annotations

from mlflow._doorway import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.entities.artifacts import (
        FileInfo as FileInfo,
    )
    from mlflow.entities.experiment import (
        Experiment as Experiment,
    )
    from mlflow.entities.experiment import (
        ExperimentTag as ExperimentTag,
    )
    from mlflow.entities.experiment import (
        LifecycleStage as LifecycleStage,
    )
    from mlflow.entities.experiment import (
        ViewType as ViewType,
    )
    from mlflow.entities.logged_models import (
        LoggedModel as LoggedModel,
    )
    from mlflow.entities.logged_models import (
        LoggedModelParameter as LoggedModelParameter,
    )
    from mlflow.entities.logged_models import (
        LoggedModelStatus as LoggedModelStatus,
    )
    from mlflow.entities.logged_models import (
        LoggedModelTag as LoggedModelTag,
    )
    from mlflow.entities.run import (
        Dataset as Dataset,
    )
    from mlflow.entities.run import (
        DatasetInput as DatasetInput,
    )
    from mlflow.entities.run import (
        InputTag as InputTag,
    )
    from mlflow.entities.run import (
        LoggedModelInput as LoggedModelInput,
    )
    from mlflow.entities.run import (
        LoggedModelOutput as LoggedModelOutput,
    )
    from mlflow.entities.run import (
        Metric as Metric,
    )
    from mlflow.entities.run import (
        Param as Param,
    )
    from mlflow.entities.run import (
        Run as Run,
    )
    from mlflow.entities.run import (
        RunData as RunData,
    )
    from mlflow.entities.run import (
        RunInfo as RunInfo,
    )
    from mlflow.entities.run import (
        RunInputs as RunInputs,
    )
    from mlflow.entities.run import (
        RunOutputs as RunOutputs,
    )
    from mlflow.entities.run import (
        RunStatus as RunStatus,
    )
    from mlflow.entities.run import (
        RunTag as RunTag,
    )
    from mlflow.entities.run import (
        SourceType as SourceType,
    )
    from mlflow.entities.traces import (
        Document as Document,
    )
    from mlflow.entities.traces import (
        NoOpSpan as NoOpSpan,
    )
    from mlflow.entities.traces import (
        SpanEvent as SpanEvent,
    )
    from mlflow.entities.traces import (
        SpanLogLevel as SpanLogLevel,
    )
    from mlflow.entities.traces import (
        SpanStatus as SpanStatus,
    )
    from mlflow.entities.traces import (
        SpanStatusCode as SpanStatusCode,
    )
    from mlflow.entities.traces import (
        SpanType as SpanType,
    )

# Where each name lives; loaded on first use, so that a program pays for what it uses.
_HOMES = {
    "Dataset": "run",
    "DatasetInput": "run",
    "Document": "traces",
    "Experiment": "experiment",
    "ExperimentTag": "experiment",
    "FileInfo": "artifacts",
    "InputTag": "run",
    "LifecycleStage": "experiment",
    "LoggedModel": "logged_models",
    "LoggedModelInput": "run",
    "LoggedModelOutput": "run",
    "LoggedModelParameter": "logged_models",
    "LoggedModelStatus": "logged_models",
    "LoggedModelTag": "logged_models",
    "Metric": "run",
    "NoOpSpan": "traces",
    "Param": "run",
    "Run": "run",
    "RunData": "run",
    "RunInfo": "run",
    "RunInputs": "run",
    "RunOutputs": "run",
    "RunStatus": "run",
    "RunTag": "run",
    "SourceType": "run",
    "SpanEvent": "traces",
    "SpanLogLevel": "traces",
    "SpanStatus": "traces",
    "SpanStatusCode": "traces",
    "SpanType": "traces",
    "ViewType": "experiment",
}

__all__ = list(_HOMES)


__getattr__, __dir__ = attach(
    __name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()}
)
