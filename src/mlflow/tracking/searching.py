"""Fluent searches for experiments and runs: all pages, as a list or as a data frame."""

from __future__ import annotations

from mlflow.entities.experiment import ViewType
from mlflow.exceptions import invalid
from mlflow.tracking import fluent
from mlflow.tracking.client import MlflowClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    import pandas as pd

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.run import Run

SEARCH_MAX_RESULTS_PANDAS = 100_000
_PAGE = 10_000


def all_pages(
    page: Callable[[int, str | None], PagedList[Any]], max_results: int | None, size: int
) -> list[Any]:
    """Return what a paged search finds, at most so many.

    Args:
        page: given a size and a token, returns one page.
        max_results: None for everything.
        size: of a page, at most.
    """
    found: list[Any] = []
    token = None
    while max_results is None or len(found) < max_results:
        wanted = size if max_results is None else min(size, max_results - len(found))
        one = page(wanted, token)
        found += one
        token = one.token
        if not token:
            break
    return found


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[Experiment]:
    """Return the experiments that match.

    Args:
        view_type: a `ViewType`.
        max_results: at most so many; None for all.
        filter_string: such as `name LIKE 'wine%' AND tags.team = 'a'`.
        order_by: such as `["name ASC"]`; newest first by default.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
    """
    client = MlflowClient()
    return all_pages(
        lambda size, token: client.search_experiments(
            view_type, size, filter_string, order_by, token
        ),
        max_results,
        1000,
    )


def search_runs(
    experiment_ids: list[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = SEARCH_MAX_RESULTS_PANDAS,
    order_by: list[str] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
    search_all_experiments: bool = False,
    experiment_names: list[str] | None = None,
) -> list[Run] | pd.DataFrame:
    """Return the runs that match.

    Args:
        experiment_ids: where to look (one id will do); the active experiment by default.
        filter_string: such as `metrics.rmse < 0.8 AND params.alpha = '0.5'`.
        run_view_type: a `ViewType`.
        max_results: at most so many.
        order_by: such as `["metrics.rmse ASC"]`; newest first by default.
        output_format: `pandas` for a data frame with a column for each metric, param and tag, or
            `list` for a list of runs.
        search_all_experiments: look in all experiments where none is named.
        experiment_names: where to look, instead of the ids.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
    """
    if output_format not in ("pandas", "list"):
        raise invalid(
            f"Unsupported output format: {output_format}. "
            "Supported string values are 'pandas' or 'list'"
        )
    ids = _experiments(experiment_ids, experiment_names, search_all_experiments)
    client = MlflowClient()
    runs = all_pages(
        lambda size, token: client.search_runs(
            ids, filter_string, run_view_type, size, order_by, token
        ),
        max_results,
        _PAGE,
    )
    return runs if output_format == "list" else as_frame(runs)


def _experiments(
    ids: list[str] | str | None, names: list[str] | str | None, search_all: bool
) -> list[str]:
    if ids is not None and not isinstance(ids, (list, tuple)):
        ids = [str(one) for one in (ids if _is_collection(ids) else [ids])]
    if names is not None and not isinstance(names, (list, tuple)):
        names = list(names) if _is_collection(names) else [str(names)]
    if ids and names:
        raise invalid("Only experiment_ids or experiment_names can be used, but not both")
    if names:
        return _ids_of(names)
    if ids:
        return [str(one) for one in ids]
    if search_all or ids == []:
        return [one.experiment_id for one in search_experiments(ViewType.ACTIVE_ONLY)]
    return [fluent._get_experiment_id()]


def _is_collection(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str)


def _ids_of(names: list[str] | tuple[str, ...]) -> list[str]:
    client, found = MlflowClient(), []
    for name in names:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            import logging

            logging.getLogger("mlflow.tracking.fluent").warning(
                "Cannot retrieve experiment by name %s", name
            )
        else:
            found.append(experiment.experiment_id)
    return found


def as_frame(runs: list[Run]) -> pd.DataFrame:
    """Return runs as a data frame: one row each, missing metrics NaN, missing text None."""
    import pandas as pd

    infos = [run.info for run in runs]
    columns: dict[str, Any] = {
        name: [getattr(info, name) for info in infos]
        for name in ("run_id", "experiment_id", "status", "artifact_uri")
    }
    for name in ("start_time", "end_time"):
        times = [getattr(info, name) for info in infos]
        columns[name] = pd.to_datetime(times, unit="ms", utc=True)
    for kind, missing in (("metrics", float("nan")), ("params", None), ("tags", None)):
        dicts = [getattr(run.data, kind) for run in runs]
        for key in dict.fromkeys(key for one in dicts for key in one):
            columns[f"{kind}.{key}"] = [one.get(key, missing) for one in dicts]
    return pd.DataFrame(columns)
