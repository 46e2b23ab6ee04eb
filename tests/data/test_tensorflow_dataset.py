"""Datasets made of tensors and of datasets of TensorFlow."""

from __future__ import annotations

import json

import numpy as np
import pytest

import mlflow
from mlflow.exceptions import MlflowException

ARRAY = np.arange(12, dtype="float32").reshape(4, 3)
TARGETS = np.arange(4)


@pytest.mark.parametrize("data", [[1], ARRAY, None, {"a": ARRAY}])
def test_other_things(data):
    with pytest.raises(MlflowException, match=r"must be an instance of tf\.data\.Dataset or a"):
        mlflow.data.from_tensorflow(data)


@pytest.fixture
def tf():
    return pytest.importorskip("tensorflow", reason="tensorflow is not installed; scripts/flavors")


def test_tensors_are_described_as_arrays_are(tf):
    found = mlflow.data.from_tensorflow(tf.constant(ARRAY), targets=tf.constant(TARGETS))
    arrays = mlflow.data.from_numpy(ARRAY, targets=TARGETS)

    assert (found.digest, found.schema) == (arrays.digest, arrays.schema)
    assert found.profile == {"features_cardinality": 12, "targets_cardinality": 4}
    evaluated = found.to_evaluation_dataset()
    assert np.array_equal(evaluated.features_data, ARRAY)
    assert np.array_equal(evaluated.labels_data, TARGETS)


# As MLflow 3.17.2 gives them.
DIGESTS = {
    "rows": (lambda data: data(ARRAY), "75f60396", 4),
    "batches": (lambda data: data(ARRAY).batch(3), "75f60396", 2),
    "pairs": (lambda data: data((ARRAY, TARGETS)), "33c345e3", 4),
    "names": (lambda data: data({"a": ARRAY, "b": TARGETS}), "33c345e3", 4),
    "endless, cut": (lambda data: data(ARRAY).repeat().take(7), "bc0dc923", 7),
    "many": (lambda data: data(np.arange(60000, dtype="int32")), "2aca1cf7", 60000),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_digest_of_a_dataset_is_that_of_all_its_numbers(name, tf):
    make, digest, count = DIGESTS[name]
    found = mlflow.data.from_tensorflow(make(tf.data.Dataset.from_tensor_slices), name="n")

    record = found.to_dict()
    assert (record["digest"], json.loads(record["profile"])) == (
        digest, {"features_cardinality": count},
    )  # fmt: skip
    if name == "batches":
        assert found.schema.features.inputs[0].shape == (-1, 3)
    with pytest.raises(MlflowException, match="must be a Tensor"):
        found.to_evaluation_dataset()


def test_targets_are_of_the_kind_of_the_features(tf):
    data = tf.data.Dataset.from_tensor_slices
    assert mlflow.data.from_tensorflow(data(ARRAY), targets=data(TARGETS)).digest == "433e9eda"
    with pytest.raises(MlflowException, match="must also be an instance of tf.data.Dataset"):
        mlflow.data.from_tensorflow(data(ARRAY), targets=tf.constant(TARGETS))
    with pytest.raises(MlflowException, match="must also be a TensorFlow Tensor"):
        mlflow.data.from_tensorflow(tf.constant(ARRAY), targets=data(TARGETS))


def test_what_has_no_end_has_no_digest(tf):
    endless = tf.data.Dataset.from_tensor_slices(ARRAY).repeat()
    with pytest.raises(MlflowException, match="without an end has no digest"):
        mlflow.data.from_tensorflow(endless)
    assert mlflow.data.from_tensorflow(endless, digest="d").digest == "d"
