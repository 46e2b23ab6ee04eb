"""Datasets made of whatever a user gives to be evaluated on."""

from __future__ import annotations

from mlflow.data.evaluation_dataset import as_rows, beside
from mlflow.data.numpy_dataset import from_numpy
from mlflow.data.pandas_dataset import from_pandas
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.data.dataset import Dataset


def convert_data_to_mlflow_dataset(
    data: Any, targets: Any = None, predictions: str | None = None, name: str | None = None
) -> Dataset:
    """Return what a user gave to be evaluated on as a dataset that a run can record.

    Args:
        data: a data frame, an array or a list.
        targets: the column of a frame, or the values beside an array.
        predictions: the column of predictions in a frame.
        name: the dataset's name.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is something else.
    """
    import numpy as np
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        for role, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and not isinstance(column, str):
                raise invalid(
                    f"With a data frame, `{role}` is the name of one of its columns, not "
                    f"{column!r:.200}."
                )
        return from_pandas(data, targets=targets, predictions=predictions, name=name)
    if isinstance(data, (list, np.ndarray)):
        rows = as_rows(data)
        return from_numpy(rows, targets=beside("targets", targets, len(rows)), name=name)
    raise invalid(
        "The data argument must be a numpy array, a list or a Pandas DataFrame, not "
        f"{type(data).__name__}."
    )
