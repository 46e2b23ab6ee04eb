"""Schemas of datasets: of data of many kinds, and those made of tensors."""

from __future__ import annotations

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.infer import infer_schema
from mlflow.types.schema import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY = "mlflow_tensorspec"


class TensorDatasetSchema:
    """Schemas of features and targets.

    Args:
        features: of the features.
        targets: of the targets, if there are some.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: one is no schema.
    """

    def __init__(self, features: Schema, targets: Schema | None = None) -> None:
        if not isinstance(features, Schema):
            raise invalid(f"features must be mlflow.types.Schema, got '{type(features)}'")
        if targets is not None and not isinstance(targets, Schema):
            raise invalid(f"targets must be either None or mlflow.types.Schema, got {targets!r}")
        self.features = features
        self.targets = targets

    def to_dict(self) -> dict[str, Any]:
        """Return both, each as JSON text."""
        targets = None if self.targets is None else self.targets.to_json()
        return {_KEY: {"features": self.features.to_json(), "targets": targets}}

    @classmethod
    def from_dict(cls, schema_dict: dict[str, Any]) -> TensorDatasetSchema:
        """Make a schema from what `to_dict` returned.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is something else.
        """
        if _KEY not in schema_dict:
            raise invalid(f"TensorDatasetSchema dictionary is missing expected key '{_KEY}'")
        spec = schema_dict[_KEY]
        targets = spec.get("targets")
        return cls(
            Schema.from_json(spec["features"]),
            None if targets is None else Schema.from_json(targets),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorDatasetSchema):
            return NotImplemented
        return (self.features, self.targets) == (other.features, other.targets)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"features:\n  {self.features!r}\ntargets:\n  {self.targets!r}\n"


def schema_of(data: Any) -> Schema | None:
    """Return the schema of data; None for data that no schema describes.

    Args:
        data: whatever a signature can be inferred of.
    """
    import warnings

    with warnings.catch_warnings():
        # Advice on schemas of models does not concern a record of data.
        warnings.simplefilter("ignore")
        try:
            return infer_schema(data)
        except (MlflowException, TypeError, ValueError):
            return None
