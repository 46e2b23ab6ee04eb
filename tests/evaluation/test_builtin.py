"""What own evaluators share: tables, artifacts of users, and what fails without harm."""

from __future__ import annotations

import json
import logging

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.metrics import MetricValue, make_metric

DATA = pd.DataFrame({"a": [1.0, 2, 3], "y": [2.0, 4, 7]}, index=[7, 8, 9])


def evaluate(model=lambda frame: frame.a * 2, data=DATA, **more):
    config = {"log_model_explainability": False, **more.pop("config", {})}
    return mlflow.models.evaluate(
        model, data, targets="y", model_type="regressor", evaluator_config=config, **more
    )


def scored(predictions):
    return MetricValue(list(predictions), ["why"] * len(predictions))


SCORED = make_metric(eval_fn=scored, greater_is_better=True)


def test_scores_are_a_table():
    """Data, predictions, scores and reasons, row by row."""
    result = evaluate(extra_metrics=[SCORED], config={"metric_prefix": "v_"})

    table = result.tables["eval_results_table"]
    assert list(table.columns) == ["a", "y", "outputs", "v_scored/score", "v_scored/justification"]
    assert table["v_scored/score"].tolist() == [2, 4, 6]
    assert table.y.tolist() == [2, 4, 7]
    tags = mlflow.get_run(result.run_id).data.tags
    assert json.loads(tags["mlflow.loggedArtifacts"])[0]["path"] == "v_eval_results_table.json"


def test_artifacts_of_users(caplog):
    """Each goes to the run under its name; what is no dict is left out and said."""

    def made(eval_df, metrics, folder):
        return {"sums": eval_df.sum().to_dict(), "thing": {1}}

    def wrong(eval_df, metrics, folder):
        return [1]

    with caplog.at_level(logging.WARNING, "mlflow"):
        result = evaluate(custom_artifacts=[made, wrong, lambda *given: None])

    assert result.artifacts["sums"].content == {"prediction": 12.0, "target": 13.0}
    assert result.artifacts["thing"].content == {1}
    files = {one.path for one in mlflow.MlflowClient().list_artifacts(result.run_id)}
    assert files == {"sums.json", "thing.pickle"}
    assert "'wrong' at index 1 in the `custom_artifacts` parameter did not return" in caplog.text
    assert "'<lambda>' at index 2 in the `custom_artifacts` parameter returned None" in caplog.text
    assert "logged as a pickle artifact" in caplog.text


def test_the_users_data_is_left_alone():
    """A model may change what it is given."""

    def spoiling(frame):
        frame["a"] = 0
        return frame.a

    before = DATA.copy()
    evaluate(spoiling)

    assert DATA.equals(before)


def test_too_few_predictions():
    with pytest.raises(MlflowException, match="1 predictions for 3 rows"):
        evaluate(lambda frame: [1])


def test_neither_model_nor_predictions():
    with pytest.raises(MlflowException, match="Either a model or set of predictions"):
        evaluate(None)


def test_features_of_an_array_have_names():
    seen = []
    mlflow.models.evaluate(
        lambda frame: seen.append(list(frame.columns)) or frame.iloc[:, 0],
        np.ones((2, 10)), targets=[1, 2], model_type="regressor",
        evaluator_config={"log_model_explainability": False},
    )  # fmt: skip

    assert seen[0][0] == "feature_01"
