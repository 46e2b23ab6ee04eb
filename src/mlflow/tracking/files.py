"""Fluent functions for artifacts of the active run: files, text, figures, images and tables."""

from __future__ import annotations

from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import _get_experiment_id, _target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    import os
    from typing import Any

    import pandas as pd


def _client(run_id: str | None) -> tuple[MlflowClient, str]:
    """Return the run to log to, and a client of its store."""
    run_id, store = _target(run_id)
    client = MlflowClient()
    client._set_store(client.tracking_uri, store)
    return client, run_id


def log_artifact(
    local_path: str | os.PathLike[str],
    artifact_path: str | None = None,
    run_id: str | None = None,
) -> None:
    """Copy a local file (or folder, with its name) to the artifacts of the active run.

    Args:
        local_path: the file.
        artifact_path: the folder to put it in; the root when absent.
        run_id: another run.

    Raises:
        FileNotFoundError: there is no such file.
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    client, run_id = _client(run_id)
    client.log_artifact(run_id, local_path, artifact_path)


def log_artifacts(
    local_dir: str | os.PathLike[str],
    artifact_path: str | None = None,
    run_id: str | None = None,
) -> None:
    """Copy what is in a local folder to the artifacts of the active run.

    Args:
        local_dir: the folder.
        artifact_path: the folder to put it in; the root when absent.
        run_id: another run.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    client, run_id = _client(run_id)
    client.log_artifacts(run_id, local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Write text to an artifact of the active run, as UTF-8.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    client, run_id = _client(run_id)
    client.log_text(run_id, text, artifact_file)


def log_dict(dictionary: dict[str, Any], artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict to an artifact of the active run: YAML for `.yml` and `.yaml`, else JSON.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    client, run_id = _client(run_id)
    client.log_dict(run_id, dictionary, artifact_file)


def log_stream(
    stream: io.BufferedIOBase | io.RawIOBase, artifact_file: str, run_id: str | None = None
) -> None:
    """Write an artifact of the active run from an open binary stream.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    client, run_id = _client(run_id)
    client.log_stream(run_id, stream, artifact_file)  # type: ignore[arg-type]


def log_figure(
    figure: Any, artifact_file: str, *, save_kwargs: dict[str, Any] | None = None
) -> None:
    """Write a matplotlib or plotly figure to an artifact of the active run.

    Args:
        figure: the figure.
        artifact_file: its ending says the format.
        save_kwargs: further arguments of matplotlib's `savefig`, or of plotly's writers.

    Raises:
        TypeError: it is no figure of these.
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    client, run_id = _client(None)
    client.log_figure(run_id, figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = False,
) -> None:
    """Write an image to the artifacts of the active run; see `MlflowClient.log_image`.

    Raises:
        TypeError: neither or both of file and key; it is no image.
        ValueError: an array of the wrong shape or range, or a bad key.
    """
    client, run_id = _client(None)
    client.log_image(run_id, image, artifact_file, key, step, timestamp, synchronous)


def log_table(
    data: dict[str, Any] | pd.DataFrame, artifact_file: str, run_id: str | None = None
) -> None:
    """Write a table to an artifact of the active run; rows are added to one that is there.

    Args:
        data: a dict of columns, or a data frame.
        artifact_file: ends in `.json` or `.parquet`.
        run_id: another run.

    Raises:
        ValueError: another ending.
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    client, run_id = _client(run_id)
    client.log_table(run_id, data, artifact_file)


def load_table(
    artifact_file: str,
    run_ids: list[str] | None = None,
    extra_columns: list[str] | None = None,
) -> pd.DataFrame:
    """Return the tables that runs of the active experiment logged, as one data frame.

    Args:
        artifact_file: the table in each run.
        run_ids: which runs; all that logged it when absent.
        extra_columns: facts of the runs to add, such as `run_id`.

    Raises:
        MlflowException: no run has such a table.
    """
    return MlflowClient().load_table(_get_experiment_id(), artifact_file, run_ids, extra_columns)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Return the URI of the active run's artifacts, or of a path below.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the path leads elsewhere.
    """
    client, run_id = _client(None)
    return client._artifact_uri(run_id, artifact_path)
