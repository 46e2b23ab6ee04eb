"""What a search over params tells: the best of them, its table, and a child run for a candidate."""

from __future__ import annotations

import csv
import io
import logging
from typing import TYPE_CHECKING, Any

from mlflow.entities.run import Param
from mlflow.models.autologged import points
from mlflow.sklearn.describe import describe_tags
from mlflow.tracking.context.registry import resolve_tags
from mlflow.tracking.values import as_dataset_input

if TYPE_CHECKING:
    from mlflow.tracking.client import MlflowClient

_logger = logging.getLogger("mlflow.sklearn")


def best_params(search: Any) -> list[Param]:
    """Return the params that a search has found, as those of its run."""
    found: dict[str, Any] = getattr(search, "best_params_", {})
    return [Param(f"best_{key}", str(value)) for key, value in found.items()]


def log_search(
    client: MlflowClient,
    run: Any,
    search: Any,
    count: int | None,
    best_model_id: str | None,
    dataset: Any,
) -> None:
    """Log a search's table, and its best candidates as runs below the search's own.

    Args:
        client: where the runs are.
        run: the search's run.
        search: the search, fitted.
        count: how many candidates get a run; None for all.
        best_model_id: the logged model of the best candidate.
        dataset: what the search was fitted on.
    """
    results = search.cv_results_
    client.log_text(run.info.run_id, _as_csv(results), "cv_results.csv")
    ranks = results.get("rank_test_score")
    if ranks is None:
        ranks = next(value for key, value in results.items() if key.startswith("rank_test_"))
    order = sorted(range(len(ranks)), key=lambda index: ranks[index])
    kept = order if count is None else order[:count]
    if len(kept) < len(order):
        _logger.info(
            "Logging the %d best runs, %d runs will be omitted.", len(kept), len(order) - len(kept)
        )
    best = getattr(search, "best_index_", None)
    for index in kept:
        _log_candidate(
            client, run, search, index, best_model_id if index == best else None, dataset
        )


def _log_candidate(
    client: MlflowClient, run: Any, search: Any, index: int, model_id: str | None, dataset: Any
) -> None:
    results = search.cv_results_
    tags = resolve_tags({
        "mlflow.parentRunId": run.info.run_id,
        "mlflow.autologging": "sklearn",
        **describe_tags(search.estimator),
    })  # fmt: skip
    child = client.create_run(run.info.experiment_id, tags=tags).info.run_id
    params = {**search.estimator.get_params(deep=True), **results["params"][index]}
    metrics = {
        key: float(values[index])
        for key, values in results.items()
        if not key.startswith(("split", "param"))
    }
    client.log_batch(
        child,
        metrics=points(metrics, model_id, dataset),
        params=[Param(str(key), str(value)) for key, value in params.items()],
    )
    if dataset is not None:
        client.log_inputs(child, [as_dataset_input(dataset, "train")])
    client.set_terminated(child)


def _as_csv(results: dict[str, Any]) -> str:
    import numpy as np

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(results)
    for index in range(len(results["params"])):
        # Candidates of one grid may have params that those of another have not.
        cells = (values[index] for values in results.values())
        writer.writerow("" if cell is np.ma.masked else cell for cell in cells)
    return text.getvalue()
