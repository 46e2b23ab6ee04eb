"""Datasets made of data frames; records were observed on MLflow 3.17.2."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})


def test_the_record_of_a_frame() -> None:
    """All six values are text."""
    dataset = mlflow.data.from_pandas(FRAME, source="wine.csv")

    assert dataset.to_dict() == {
        "name": "dataset",
        "digest": "4cfd5140",
        "source": '{"uri": "wine.csv"}',
        "source_type": "local",
        "schema": '{"mlflow_colspec": [{"type": "long", "name": "a", "required": true}, '
        '{"type": "double", "name": "b", "required": true}]}',
        "profile": '{"num_rows": 3, "num_elements": 6}',
    }
    assert json.loads(dataset.to_json()) == dataset.to_dict()
    assert dataset.df is FRAME


def test_targets_and_predictions_are_kept_and_not_recorded() -> None:
    """They are names of columns."""
    dataset = mlflow.data.from_pandas(FRAME, source="wine.csv", targets="b", predictions="a")

    assert (dataset.targets, dataset.predictions) == ("b", "a")
    assert dataset.to_dict() == mlflow.data.from_pandas(FRAME, source="wine.csv").to_dict()


@pytest.mark.parametrize("role", ["targets", "predictions"])
def test_a_column_that_is_not_there_is_refused(role: str) -> None:
    """Message and code are MLflow's."""
    with pytest.raises(MlflowException) as caught:
        mlflow.data.from_pandas(FRAME, **{role: "zz"})
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert caught.value.message == (
        f"The specified pandas DataFrame does not contain the specified {role} column 'zz'."
    )


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["x", "y"], {"type": "string", "required": True}),
        ([b"x", b"y"], {"type": "binary", "required": True}),
        ([[1, 2], [3]], {"type": "array", "items": {"type": "long"}, "required": True}),
        ([1.0, float("nan")], {"type": "double", "required": False}),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), {"type": "datetime", "required": True}),
        ([None, None], {"type": "any", "required": False}),
    ],
    ids=["text", "bytes", "lists", "missing", "times", "nothing"],
)
def test_the_schema_of_a_column(column: object, kind: dict[str, object]) -> None:
    """Advice that concerns models only is not given."""
    dataset = mlflow.data.from_pandas(pd.DataFrame({"a": column}))

    (found,) = json.loads(dataset.to_dict()["schema"])["mlflow_colspec"]
    assert found == {**kind, "name": "a"}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": ["x", 1]}),
        pd.DataFrame(),
        pd.DataFrame({"p": pd.period_range("2020-01", "2020-02", freq="M")}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
    ],
    ids=["mixed", "empty", "periods", "twice"],
)
def test_a_frame_that_no_schema_describes_has_none(frame: pd.DataFrame) -> None:
    """It is recorded all the same, with null for its schema."""
    dataset = mlflow.data.from_pandas(frame)

    assert dataset.schema is None
    assert dataset.to_dict()["schema"] is None
    assert json.loads(dataset.to_dict()["profile"])["num_rows"] == len(frame)


def test_a_run_keeps_the_record() -> None:
    """What is logged comes back."""
    dataset = mlflow.data.from_pandas(FRAME, source="wine.csv", name="wine", digest="mine")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="train")

    (found,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert found.dataset == dataset._to_mlflow_entity()
    assert found.dataset.digest == "mine"
