"""Data as evaluators see it: features, and perhaps targets and predictions beside them."""

from __future__ import annotations

import json

from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class EvaluationDataset:
    """Features, and perhaps targets and predictions.

    Args:
        data: a data frame, an array of rows, or a list.
        targets: the column of a frame, or the values beside an array.
        name: the name that the dataset has in the run.
        path: where it came from.
        feature_names: which columns of a frame are features, or how columns of an array are called.
        predictions: the column of predictions in a frame, or the values beside an array.
        digest: a short fingerprint.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: these do not go together.
    """

    def __init__(
        self,
        data: Any,
        *,
        targets: Any = None,
        name: str | None = None,
        path: str | None = None,
        feature_names: list[str] | None = None,
        predictions: Any = None,
        digest: str | None = None,
    ) -> None:
        import pandas as pd

        for role, value in (("name", name), ("path", path)):
            if value is not None and '"' in value:
                raise invalid(f'Dataset {role} cannot include a double quote (") but got {value}')
        if feature_names is not None and len(set(feature_names)) < len(feature_names):
            raise invalid("`feature_names` argument must be a list containing unique feature names")
        self._name, self._path, self._digest = name, path, digest
        self._targets_name: str | None = None
        self._predictions_name: str | None = None
        if isinstance(data, pd.DataFrame):
            self._take_frame(data, targets, predictions, feature_names)
        else:
            self._take_array(data, targets, predictions, feature_names)

    def _take_frame(
        self, data: Any, targets: Any, predictions: Any, feature_names: list[str] | None
    ) -> None:
        for role, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and (not isinstance(column, str) or column not in data.columns):
                raise invalid(
                    f"With a data frame, `{role}` is the name of one of its columns, not "
                    f"{column!r:.200}; there are {list(data.columns)}."
                )
        others = {targets, predictions} - {None}
        if feature_names is None:
            feature_names = [name for name in data.columns if name not in others]
        missing = [name for name in feature_names if name not in data.columns]
        if missing:
            raise invalid(
                f"The data has no columns {missing} of `feature_names`; it has "
                f"{list(data.columns)}."
            )
        self._features, self._feature_names = data[feature_names], feature_names
        self._targets_name, self._predictions_name = targets, predictions
        self._labels = None if targets is None else data[targets].to_numpy()
        self._predictions = None if predictions is None else data[predictions].to_numpy()

    def _take_array(
        self, data: Any, targets: Any, predictions: Any, feature_names: list[str] | None
    ) -> None:
        self._features = as_rows(data)
        rows, columns = self._features.shape
        self._labels = beside("targets", targets, rows)
        self._predictions = beside("predictions", predictions, rows)
        if feature_names is None:
            width = len(str(columns))
            feature_names = [f"feature_{number:0{width}}" for number in range(1, columns + 1)]
        elif len(feature_names) != columns:
            raise invalid(
                f"feature name list must be the same length with feature data: there are "
                f"{len(feature_names)} names for {columns} columns."
            )
        self._feature_names = list(feature_names)

    @property
    def feature_names(self) -> list[str]:
        """What the features are called."""
        return self._feature_names

    @property
    def features_data(self) -> Any:
        """The features: a data frame, or an array of rows."""
        return self._features

    @property
    def labels_data(self) -> Any:
        """The targets as an array; None without."""
        return self._labels

    @property
    def has_targets(self) -> bool:
        """Whether there are targets."""
        return self._labels is not None

    @property
    def targets_name(self) -> str | None:
        """The column of the targets."""
        return self._targets_name

    @property
    def predictions_data(self) -> Any:
        """The predictions as an array; None without."""
        return self._predictions

    @property
    def has_predictions(self) -> bool:
        """Whether there are predictions."""
        return self._predictions is not None

    @property
    def predictions_name(self) -> str | None:
        """The column of the predictions."""
        return self._predictions_name

    @property
    def name(self) -> str | None:
        """The name."""
        return self._name

    @property
    def path(self) -> str | None:
        """Where it came from."""
        return self._path

    @property
    def digest(self) -> str | None:
        """A short fingerprint, as the run records it."""
        return self._digest

    @property
    def hash(self) -> str:
        """A fingerprint of first and last rows, targets and feature names."""
        from hashlib import md5

        import numpy as np
        import pandas as pd

        found = md5(usedforsecurity=False)
        for part in (self._features, self._labels):
            if part is None:
                continue
            for rows in (part[:5], part[-5:]):
                frame = pd.DataFrame(rows)
                try:
                    found.update(np.asarray(pd.util.hash_pandas_object(frame)).tobytes())
                except TypeError:  # lists and dicts in cells
                    found.update(repr(frame.to_numpy().tolist()).encode())
        found.update(",".join(map(str, self._feature_names)).encode())
        return found.hexdigest()

    @property
    def _metadata(self) -> dict[str, str]:
        found = {"name": self.name or "dataset", "hash": self.hash}
        return {**found, "path": self.path} if self.path else found

    def _log_dataset_tag(self, client: Any, run_id: str, model_uuid: str) -> None:
        """Note in the run that a model was evaluated on this data."""
        tag = "mlflow.datasets"
        entry = {**self._metadata, "model": model_uuid}
        known = json.loads(client.get_run(run_id).data.tags.get(tag) or "[]")
        if entry not in known:
            client.set_tag(run_id, tag, json.dumps([*known, entry], separators=(",", ":")))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EvaluationDataset) and self.hash == other.hash

    __hash__ = object.__hash__


def as_rows(data: Any) -> Any:
    """Return an array or a list as rows of features.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it has more than two dimensions, or rows of
            different lengths.
    """
    import numpy as np

    if not isinstance(data, (list, np.ndarray)):
        raise invalid(
            "The data argument must be a numpy array, a list or a Pandas DataFrame, not "
            f"{type(data).__name__}."
        )
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise invalid(f"The rows of the data differ in length: {error}") from error
    if array.ndim > 2:
        raise invalid(f"The data has {array.ndim} dimensions; rows of features have two.")
    return array.reshape(-1, 1) if array.ndim < 2 else array


def beside(role: str, values: Any, rows: int) -> Any:
    """Return values beside rows as an array; None for none.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: there is not one for each row.
    """
    import numpy as np

    if values is None:
        return None
    if not isinstance(values, (list, np.ndarray)):
        raise invalid(
            f"With an array, `{role}` is an array or a list of one value a row, not {values!r:.200}"
        )
    array = np.asarray(values)
    if len(array) != rows:
        raise invalid(
            "The input features example rows must be the same length with labels array: there are "
            f"{rows} rows and {len(array)} {role}."
        )
    return array
