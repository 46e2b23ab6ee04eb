"""Datasets made of tensors and of datasets of TensorFlow."""

from __future__ import annotations

import json
from hashlib import md5

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.digest import array_digest
from mlflow.data.evaluation_dataset import EvaluationDataset
from mlflow.data.schema import TensorDatasetSchema, schema_of
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.data.dataset_source import DatasetSource
    from mlflow.types.schema import Schema


class TensorFlowDataset(Dataset):
    """A tensor or a `tf.data.Dataset` of features, and perhaps one of targets.

    Args:
        features: the features; a dataset is read once, to the end, for its digest.
        source: where they came from.
        targets: the targets, of the same kind.
        name: `dataset` when absent.
        digest: computed from the data when absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: these are neither, or of two kinds; or a dataset
            has no end, and no digest was given.
    """

    def __init__(
        self,
        features: Any,
        source: DatasetSource,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        _check(features, targets)
        self._features = features
        self._targets = targets
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        given = [one for one in (self._features, self._targets) if one is not None]
        if _is_tensor(self._features):
            return array_digest(*(_array(one) for one in given))
        found = md5(usedforsecurity=False)
        for one in given:
            _add_elements(found, one)
        return found.hexdigest()[:8]

    @property
    def data(self) -> Any:
        """The features."""
        return self._features

    @property
    def targets(self) -> Any:
        """The targets."""
        return self._targets

    @property
    def profile(self) -> Any:
        """How many elements there are; of a dataset as it says itself, negative for unknown."""
        found = {"features_cardinality": _cardinality(self._features)}
        if self._targets is not None:
            found["targets_cardinality"] = _cardinality(self._targets)
        return found

    @property
    def schema(self) -> TensorDatasetSchema | None:
        """Types and shapes; None for data that no schema describes."""
        features = _schema(self._features)
        targets = None if self._targets is None else _schema(self._targets)
        if features is None or (targets is None and self._targets is not None):
            return None
        return TensorDatasetSchema(features, targets)

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
        """Return it as evaluators see it, as arrays.

        Args:
            path: where the data came from, for the record.
            feature_names: what columns of the array are called.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is no tensor.
        """
        if not _is_tensor(self._features):
            raise invalid("Data must be a Tensor to convert to an EvaluationDataset.")
        targets = None if self._targets is None else _array(self._targets)
        return EvaluationDataset(
            _array(self._features), targets=targets, name=self.name, path=path,
            feature_names=feature_names, digest=self.digest,
        )  # fmt: skip


def is_tensorflow(data: Any) -> bool:
    """Tell whether data is a tensor or a dataset of TensorFlow."""
    return _is_tensor(data) or _is_dataset(data)


# Both are told by name: who has such data has the library loaded already.


def _classes(data: Any) -> set[tuple[str, str]]:
    return {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(data).__mro__}


def _is_dataset(data: Any) -> bool:
    return ("tensorflow", "DatasetV2") in _classes(data)


def _is_tensor(data: Any) -> bool:
    return hasattr(data, "numpy") and any(
        top == "tensorflow" and name in ("Tensor", "Variable", "RaggedTensor")
        for top, name in _classes(data)
    )


def _check(features: Any, targets: Any) -> None:
    if _is_dataset(features):
        said, of_kind = "an instance of tf.data.Dataset", _is_dataset
    elif _is_tensor(features):
        said, of_kind = "a TensorFlow Tensor", _is_tensor
    else:
        raise invalid(
            "'features' must be an instance of tf.data.Dataset or a TensorFlow Tensor. Found: "
            f"{type(features)}."
        )
    if targets is not None and not of_kind(targets):
        raise invalid(
            f"If 'features' is {said}, then 'targets' must also be {said}. Found: {type(targets)}."
        )


def _array(tensor: Any) -> Any:
    import numpy as np

    return np.asarray(tensor.numpy())


def _cardinality(data: Any) -> int:
    if _is_dataset(data):
        return int(data.cardinality().numpy())
    return int(_array(data).size)


def _schema(data: Any) -> Schema | None:
    if not _is_dataset(data):
        return schema_of(data.numpy())
    first = next(iter(data.as_numpy_iterator()), None)
    if isinstance(first, tuple):
        first = {str(number): one for number, one in enumerate(first)}
    parts = first.values() if isinstance(first, dict) else [first]
    return schema_of(first) if all(getattr(one, "ndim", 0) for one in parts) else None


def _add_elements(found: Any, data: Any) -> None:
    """Add the numbers of a dataset as if they were one row, in the order it gives them."""
    import numpy as np
    import pandas as pd

    if data.cardinality().numpy() == -1:
        raise invalid("A tf.data.Dataset without an end has no digest: give one, or use `take`.")
    # All are seen as the type that holds any of them, as in one array.
    common = None
    for element in data.as_numpy_iterator():
        row = [np.asarray(one).reshape(-1) for one in _flat(element)]
        common = common or np.result_type(*(one.dtype for one in row))
        found.update(pd.util.hash_array(np.concatenate(row).astype(common)).tobytes())


def _flat(element: Any) -> list[Any]:
    if isinstance(element, dict):
        element = [element[key] for key in sorted(element)]
    if isinstance(element, (tuple, list)):
        return [one for part in element for one in _flat(part)]
    return [element]


def from_tensorflow(
    features: Any,
    source: str | DatasetSource | None = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> TensorFlowDataset:
    """Make a dataset of a tensor or a `tf.data.Dataset`.

    Args:
        features: the features; a dataset is read once, to the end, for its digest.
        source: a path or URI, which is recorded and not read; the calling program when absent.
        targets: the targets, of the same kind.
        name: `dataset` when absent.
        digest: computed from the data when absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: these are neither, or of two kinds, or a dataset
            has no end; RESOURCE_DOES_NOT_EXIST: no kind of source is known for the URI.
    """
    return TensorFlowDataset(features, resolve_dataset_source(source), targets, name, digest)
