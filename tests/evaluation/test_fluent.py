"""`mlflow.evaluate`: what goes into the run, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import mlflow
from mlflow.data.dataset import Dataset
from mlflow.exceptions import MlflowException

FRAME = pd.DataFrame(np.random.default_rng(0).random((20, 2)), columns=list("ab"))
DATA = FRAME.assign(y=FRAME.a * 2)
CONFIG = {"log_model_explainability": False}


def evaluate(model, data=DATA, **more):
    more = {"targets": "y", "model_type": "regressor", "evaluator_config": CONFIG, **more}
    return mlflow.models.evaluate(model, data, **more)


def twice(frame):
    return frame.iloc[:, 0] * 2


@pytest.fixture
def logged():
    model = Ridge().fit(FRAME, DATA.y)
    with mlflow.start_run():
        return mlflow.sklearn.log_model(model, name="m", pip_requirements=[])


def test_the_run_tells_all(logged):
    """Metrics, the dataset, the model and its metrics; the run is started and ended."""
    result = mlflow.evaluate(
        logged.model_uri, DATA, targets="y", model_type="regressor", evaluator_config=CONFIG
    )

    run = mlflow.get_run(result.run_id)
    assert run.data.metrics == result.metrics
    assert result.metrics["mean_absolute_error"] > 0
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest, used.tags) == (
        "dataset", mlflow.data.from_pandas(DATA).digest, [],
    )  # fmt: skip
    assert [one.model_id for one in run.inputs.model_inputs] == [logged.model_id]
    assert json.loads(run.data.tags["mlflow.datasets"])[0]["model"] == logged.model_uuid
    described = mlflow.get_logged_model(logged.model_id).metrics
    assert {one.key for one in described} == result.metrics.keys()
    assert {one.dataset_digest for one in described} == {used.dataset.digest}
    assert mlflow.active_run() is None
    assert mlflow.get_active_model_id() is None


def test_an_active_run_is_used():
    with mlflow.start_run() as run:
        assert evaluate(twice).run_id == run.info.run_id
        assert mlflow.active_run() is not None


@pytest.mark.parametrize(
    ("data", "more"),
    [
        (DATA, {}),
        (FRAME.to_numpy(), {"targets": DATA.y.to_numpy()}),
        (FRAME.to_numpy().tolist(), {"targets": DATA.y.tolist(), "feature_names": ["p", "q"]}),
        (FRAME.a.tolist(), {"targets": DATA.y.to_numpy().reshape(-1, 1)}),
        (mlflow.data.from_pandas(DATA, targets="y"), {"targets": None}),
        (mlflow.data.from_numpy(FRAME.to_numpy(), targets=DATA.y.to_numpy()), {"targets": None}),
    ],
)
def test_kinds_of_data(data, more):
    """Frames, arrays, lists and datasets give the same."""
    assert evaluate(twice, data, **more).metrics["max_error"] == 0


def test_predictions_that_are_there():
    """A function's predictions and a column of the same ones are worth the same."""
    given = evaluate(None, DATA.assign(p=DATA.a), predictions="p").metrics
    made = evaluate(lambda frame: frame.a.to_numpy()).metrics

    assert given == made


def test_a_loaded_model_and_an_id(logged):
    loaded = evaluate(mlflow.pyfunc.load_model(logged.model_uri), model_id=logged.model_id)
    given = evaluate(None, DATA.assign(p=1.0), predictions="p", model_id=logged.model_id)

    metrics = mlflow.get_logged_model(logged.model_id).metrics
    assert {one.run_id for one in metrics} == {loaded.run_id, given.run_id}


def test_the_prefix_is_the_context():
    """As in MLflow, which logs the dataset so."""
    result = evaluate(twice, evaluator_config={**CONFIG, "metric_prefix": "val_"})

    assert math.isclose(result.metrics["val_r2_score"], 1)
    (used,) = mlflow.get_run(result.run_id).inputs.dataset_inputs
    assert [tag.value for tag in used.tags] == ["val_"]


REFUSED = {
    "no data": ({"data": None}, "data argument cannot be None"),
    "params": ({"inference_params": {"a": 1}}, "inference_params argument"),
    "nothing to do": ({"model_type": None}, "extra_metrics argument must be specified"),
    "no targets": ({"data": FRAME, "targets": None}, "targets argument must be specified"),
    "no column": ({"targets": "z"}, "targets column 'z'"),
    "array as column": ({"targets": DATA.y.to_numpy()}, "the name of one of its columns"),
    "column of array": ({"data": FRAME.to_numpy()}, "an array or a list of one value a row"),
    "too few": ({"data": FRAME.to_numpy(), "targets": [1]}, "20 rows and 1 targets"),
    "other data": ({"data": 3}, "must be a numpy array, a list or a Pandas DataFrame, not int"),
    "series": ({"data": FRAME.a}, "not Series"),
    "ragged": ({"data": [[1], [2, 3]], "targets": [1, 2]}, "rows of the data differ in length"),
    "deep": ({"data": np.ones((2, 2, 2)), "targets": [1, 2]}, "3 dimensions"),
    "features": ({"feature_names": ["z"]}, r"no columns \['z'\]"),
    "features twice": ({"feature_names": ["a", "a"]}, "unique feature names"),
    "quoted": ({"dataset_path": 'a"b'}, "cannot include a double quote"),
    "config": ({"evaluator_config": 3}, "evaluator_config must be a dict"),
    "extra": ({"extra_metrics": twice}, "extra_metrics is a list"),
    "artifacts": ({"custom_artifacts": [3]}, "custom_artifacts is a list of functions"),
    "twice": ({"data": mlflow.data.from_pandas(DATA, targets="y")}, "top-level targets parameter"),
    "predictions": (
        {"data": mlflow.data.from_pandas(DATA, targets="y", predictions="a"), "targets": None},
        "predictions parameter should not be specified",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_go_together(case):
    arguments, told = REFUSED[case]

    with pytest.raises(MlflowException, match=told) as caught:
        evaluate(twice, **arguments)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_another_models_id(logged):
    with pytest.raises(MlflowException, match="contradicts the model_id"):
        evaluate(logged.model_uri, model_id="m-0")


def test_a_dataset_that_no_one_can_evaluate_on():
    class Own(Dataset):
        def _compute_digest(self):
            return "1"

    data = Own(mlflow.data.from_pandas(DATA).source)

    with pytest.raises(MlflowException, match="to_evaluation_dataset"):
        evaluate(twice, data, targets=None)
