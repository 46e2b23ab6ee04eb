"""Datasets made of numpy arrays."""

from __future__ import annotations

import json

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.digest import array_digest
from mlflow.data.evaluation_dataset import EvaluationDataset
from mlflow.data.schema import TensorDatasetSchema
from mlflow.exceptions import MlflowException, invalid
from mlflow.types.infer import infer_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import numpy as np

    from mlflow.data.dataset_source import DatasetSource


class NumpyDataset(Dataset):
    """Arrays of features, and perhaps of targets.

    Args:
        features: an array, or a dict of arrays; not copied.
        source: where they came from.
        targets: an array, or a dict of arrays.
        name: `dataset` when absent.
        digest: computed from the data when absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: these are no arrays.
    """

    def __init__(
        self,
        features: np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]],
        source: DatasetSource,
        targets: np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]] | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        _check("features", features)
        if targets is not None:
            _check("targets", targets)
        self._features = features
        self._targets = targets
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        return array_digest(self._features, self._targets)

    @property
    def features(self) -> np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]]:
        """The features."""
        return self._features

    @property
    def targets(self) -> np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]] | None:
        """The targets."""
        return self._targets

    @property
    def profile(self) -> Any:
        """Shapes, numbers of elements and of bytes."""
        found: dict[str, Any] = {}
        for role, data in (("features", self._features), ("targets", self._targets)):
            if data is not None:
                found[f"{role}_shape"] = _each(data, lambda one: tuple(one.shape))
                found[f"{role}_size"] = _each(data, lambda one: int(one.size))
                found[f"{role}_nbytes"] = _each(data, lambda one: int(one.nbytes))
        return found

    @property
    def schema(self) -> TensorDatasetSchema | None:
        """Types and shapes; None for arrays that no schema describes."""
        try:
            targets = None if self._targets is None else infer_schema(self._targets)
            return TensorDatasetSchema(infer_schema(self._features), targets)
        except (MlflowException, TypeError, ValueError):
            return None

    def to_dict(self) -> dict[str, str | None]:
        """Return what is recorded; values are text, and None for a schema that is not there."""
        schema = self.schema
        return {
            **super().to_dict(),
            "schema": None if schema is None else json.dumps(schema.to_dict()),
            "profile": json.dumps(self.profile),
        }

    def to_evaluation_dataset(
        self, path: str | None = None, feature_names: list[str] | None = None
    ) -> EvaluationDataset:
        """Return it as evaluators see it.

        Args:
            path: where the data came from, for the record.
            feature_names: which columns are features, or what columns of an array are called.
        """
        return EvaluationDataset(
            self._features, targets=self._targets, name=self.name, path=path,
            feature_names=feature_names, digest=self.digest,
        )  # fmt: skip


def _check(role: str, data: Any) -> None:
    import numpy as np

    if all(
        isinstance(one, np.ndarray) for one in (data.values() if isinstance(data, dict) else [data])
    ):
        return
    raise invalid(
        f"The {role} of a dataset are a numpy array or a dict of numpy arrays, not {data!r:.200}; "
        "`numpy.asarray` makes one."
    )


def _each(data: Any, fact: Callable[[Any], Any]) -> Any:
    if isinstance(data, dict):
        return {name: fact(array) for name, array in data.items()}
    return fact(data)


def from_numpy(
    features: np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]],
    source: str | DatasetSource | None = None,
    targets: np.ndarray[Any, Any] | dict[str, np.ndarray[Any, Any]] | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Make a dataset of numpy arrays.

    Args:
        features: an array, or a dict of arrays; not copied.
        source: a path or URI, which is recorded and not read; the calling program when absent.
        targets: an array, or a dict of arrays.
        name: `dataset` when absent.
        digest: computed from the data when absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: these are no arrays;
            RESOURCE_DOES_NOT_EXIST: no kind of source is known for the URI.
    """
    return NumpyDataset(features, resolve_dataset_source(source), targets, name, digest)
