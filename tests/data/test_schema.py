"""The schema of datasets made of tensors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow.data.schema import TensorDatasetSchema, schema_of
from mlflow.exceptions import MlflowException
from mlflow.types.infer import infer_schema

FEATURES = infer_schema(np.arange(6.0).reshape(2, 3))
TARGETS = infer_schema({"a": np.arange(3)})


def test_the_record_is_mlflows() -> None:
    """The text was observed: schemas are JSON inside JSON, absent targets are null."""
    assert TensorDatasetSchema(FEATURES).to_dict() == {
        "mlflow_tensorspec": {
            "features": '[{"type": "tensor", "tensor-spec": '
            '{"dtype": "float64", "shape": [-1, 3]}}]',
            "targets": None,
        }
    }
    assert TensorDatasetSchema(FEATURES, TARGETS).to_dict()["mlflow_tensorspec"]["targets"] == (
        '[{"name": "a", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
    )


@pytest.mark.parametrize("targets", [None, TARGETS])
def test_the_record_is_read_back(targets: object) -> None:
    """What `to_dict` gives, `from_dict` takes."""
    schema = TensorDatasetSchema(FEATURES, targets)  # type: ignore[arg-type]

    assert TensorDatasetSchema.from_dict(schema.to_dict()) == schema


def test_schemas_differ_by_features_and_by_targets() -> None:
    """Both count."""
    assert TensorDatasetSchema(FEATURES) != TensorDatasetSchema(FEATURES, TARGETS)
    assert TensorDatasetSchema(FEATURES) != TensorDatasetSchema(TARGETS)
    assert TensorDatasetSchema(FEATURES) != 5


def test_a_schema_prints_as_in_mlflow() -> None:
    """The text was observed."""
    assert repr(TensorDatasetSchema(infer_schema(np.arange(3)), TARGETS)) == (
        "features:\n  [Tensor('int64', (-1,))]\ntargets:\n  ['a': Tensor('int64', (-1,))]\n"
    )
    assert repr(TensorDatasetSchema(FEATURES)).endswith("targets:\n  None\n")


def test_what_is_no_schema_is_refused() -> None:
    """The messages are MLflow's."""
    with pytest.raises(MlflowException, match="features must be mlflow.types.Schema, got '<class"):
        TensorDatasetSchema(5)  # type: ignore[arg-type]
    with pytest.raises(MlflowException, match="targets must be either None or mlflow.types.Schema"):
        TensorDatasetSchema(FEATURES, [])  # type: ignore[arg-type]
    with pytest.raises(MlflowException, match="missing expected key 'mlflow_tensorspec'"):
        TensorDatasetSchema.from_dict({"mlflow_colspec": []})


def test_a_record_takes_no_advice_and_no_offence(recwarn) -> None:
    """What has no schema is recorded without; hints for models are not given."""
    assert schema_of(pd.DataFrame({"a": [1]})) is not None
    assert schema_of(pd.DataFrame({"a": [object()]})) is None
    assert not recwarn.list
