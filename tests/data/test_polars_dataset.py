"""Datasets made of polars data frames."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys

import pytest

import mlflow
from mlflow.exceptions import MlflowException

pl = pytest.importorskip("polars", reason="polars is not installed: pip install polars")

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"], "c": [0.5, 1.5, 2.5]})


def test_what_is_recorded():
    """The digest is the sum of polars' hashes of rows, as MLflow's is."""
    found = mlflow.data.from_polars(FRAME, "/x/y.csv", "a", "n", predictions="c")

    assert found.to_dict() == {
        "name": "n",
        "digest": str(FRAME.hash_rows().sum()),
        "source": '{"uri": "/x/y.csv"}',
        "source_type": "local",
        "schema": json.dumps({"mlflow_colspec": [
            {"type": "long", "name": "a", "required": True},
            {"type": "string", "name": "b", "required": True},
            {"type": "double", "name": "c", "required": True},
        ]}),
        "profile": '{"num_rows": 3, "num_elements": 9}',
    }  # fmt: skip
    assert (found.df is FRAME, found.targets, found.predictions) == (True, "a", "c")


def test_types_of_columns():
    frame = pl.DataFrame({
        "day": [dt.date(2020, 1, 1)],
        "list": [[1, 2]],
        "struct": [{"p": True}],
        "empty": pl.Series([None], dtype=pl.Int8),
    })  # fmt: skip

    assert mlflow.data.from_polars(frame).schema.to_dict() == [
        {"type": "datetime", "name": "day", "required": True},
        {"type": "array", "items": {"type": "long"}, "name": "list", "required": True},
        {"type": "object", "properties": {"p": {"type": "boolean", "required": True}},
         "name": "struct", "required": True},
        {"type": "integer", "name": "empty", "required": False},
    ]  # fmt: skip


def test_a_type_that_no_schema_has(caplog):
    with caplog.at_level(logging.WARNING, "mlflow"):
        found = mlflow.data.from_polars(pl.DataFrame({"a": [dt.time(1)]})).to_dict()

    assert found["schema"] is None
    assert "Time" in caplog.text


@pytest.mark.parametrize(
    ("df", "more", "told"),
    [
        (FRAME, {"targets": "z"}, "specified targets column: 'z'"),
        (FRAME, {"predictions": "z"}, "specified predictions column: 'z'"),
        ({"a": [1]}, {}, "not dict"),
    ],
)
def test_what_is_refused(df, more, told):
    with pytest.raises(MlflowException, match=told):
        mlflow.data.from_polars(df, **more)


def test_evaluators_see_pandas(monkeypatch):
    """Without pyarrow, too."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    seen = mlflow.data.from_polars(FRAME, targets="c").to_evaluation_dataset()

    assert seen.feature_names == ["a", "b"]
    assert seen.features_data.a.tolist() == [1, 2, 3]


def test_models_are_evaluated_on_it():
    data = mlflow.data.from_polars(FRAME, targets="c")

    result = mlflow.models.evaluate(
        lambda frame: frame.a - 0.5, data, model_type="regressor",
        evaluator_config={"log_model_explainability": False},
    )  # fmt: skip

    assert result.metrics["max_error"] == 0
    (used,) = mlflow.get_run(result.run_id).inputs.dataset_inputs
    assert used.dataset.digest == data.digest
