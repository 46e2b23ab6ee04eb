"""Datasets made of numpy arrays; records were observed on MLflow 3.17.2."""

from __future__ import annotations

import json

import numpy as np
import pytest

import mlflow
from mlflow.exceptions import MlflowException

FEATURES = np.arange(6.0).reshape(2, 3)
NAMED = {"x": np.arange(3.0), "y": np.arange(4)}


def test_the_record_of_an_array() -> None:
    """All six values are text."""
    dataset = mlflow.data.from_numpy(FEATURES, source="wine.npy")

    assert dataset.to_dict() == {
        "name": "dataset",
        "digest": "d81bba40",
        "source": '{"uri": "wine.npy"}',
        "source_type": "local",
        "schema": '{"mlflow_tensorspec": {"features": "[{\\"type\\": \\"tensor\\", '
        '\\"tensor-spec\\": {\\"dtype\\": \\"float64\\", \\"shape\\": [-1, 3]}}]", '
        '"targets": null}}',
        "profile": '{"features_shape": [2, 3], "features_size": 6, "features_nbytes": 48}',
    }
    assert json.loads(dataset.to_json()) == dataset.to_dict()
    assert dataset.features is FEATURES
    assert dataset.targets is None


def test_the_record_of_features_and_targets() -> None:
    """Targets have a schema and figures of their own, and count in the digest."""
    dataset = mlflow.data.from_numpy(
        FEATURES, source="wine.npy", targets=np.arange(6, dtype="float32"), name="wine"
    )

    assert (dataset.name, dataset.digest) == ("wine", "4f368ed1")
    assert dataset.profile == {
        "features_shape": (2, 3),
        "features_size": 6,
        "features_nbytes": 48,
        "targets_shape": (6,),
        "targets_size": 6,
        "targets_nbytes": 24,
    }
    targets = json.loads(dataset.to_dict()["schema"])["mlflow_tensorspec"]["targets"]
    assert json.loads(targets) == [
        {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1]}}
    ]


def test_the_figures_of_named_arrays_have_their_names() -> None:
    """A dict of arrays is one dataset."""
    dataset = mlflow.data.from_numpy(NAMED, targets=NAMED)

    assert dataset.digest == "50c27685"
    assert dataset.profile["features_shape"] == {"x": (3,), "y": (4,)}
    assert dataset.profile["targets_nbytes"] == {"x": 24, "y": 32}
    assert dataset.schema.features.input_names() == ["x", "y"]


def test_an_array_that_no_schema_describes_has_none() -> None:
    """A single number has no rows; it is recorded all the same, with null for its schema."""
    dataset = mlflow.data.from_numpy(np.array(1.0))

    assert dataset.schema is None
    assert dataset.to_dict()["schema"] is None
    assert dataset.to_dict()["profile"] == (
        '{"features_shape": [], "features_size": 1, "features_nbytes": 8}'
    )


def test_a_digest_may_be_given() -> None:
    """It is taken as it is."""
    assert mlflow.data.from_numpy(FEATURES, digest="mine").digest == "mine"


@pytest.mark.parametrize("wrong", [[1, 2], {"a": [1, 2]}, "x", 5])
def test_what_is_no_array_is_refused(wrong: object) -> None:
    """As features and as targets; the message says what makes an array."""
    for given in ({"features": wrong}, {"features": FEATURES, "targets": wrong}):
        with pytest.raises(MlflowException, match="`numpy.asarray` makes one") as caught:
            mlflow.data.from_numpy(**given)
        assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_source_that_no_kind_takes_is_refused() -> None:
    """Before anything is computed."""
    with pytest.raises(MlflowException, match="Could not find a source information resolver"):
        mlflow.data.from_numpy(FEATURES, source="zzz://a")


def test_a_run_keeps_the_record() -> None:
    """What is logged comes back."""
    dataset = mlflow.data.from_numpy(NAMED, source="wine.npz", name="wine")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="eval")

    (found,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert found.dataset == dataset._to_mlflow_entity()
    assert found.to_dictionary()["tags"] == {"mlflow.data.context": "eval"}
