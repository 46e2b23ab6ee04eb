"""Metrics of predictions go to the run of the estimator, under the name of the data."""

import copy
import inspect
import json
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow
from mlflow.models import post_training
from mlflow.tracking.autolog import AUTOLOGGING_INTEGRATIONS

rng = np.random.RandomState(0)
FRAME = pd.DataFrame(rng.rand(40, 3), columns=list("abc"))
CLASSES = (FRAME.a > 0.5).astype(int)


@pytest.fixture(autouse=True)
def autolog():
    mlflow.sklearn.autolog(log_models=False)
    yield mlflow.sklearn.autolog
    AUTOLOGGING_INTEGRATIONS["sklearn"] = {"disable": True}


def fit():
    return LogisticRegression().fit(FRAME, CLASSES)


def runs():
    return mlflow.search_runs(output_format="list", order_by=["start_time ASC"])


def told(run):
    """The metrics that were computed after the training, and how they were called."""
    metrics = {k: v for k, v in run.data.metrics.items() if not k.startswith("training_")}
    if not metrics:
        return metrics, {}
    path = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/metric_info.json")
    with open(path) as file:
        return metrics, json.load(file)


def test_a_metric_is_logged_with_the_name_of_the_data():
    model, X_test, y_test = fit(), FRAME.head(9), CLASSES.head(9)
    predicted = model.predict(X_test)
    value = sk.f1_score(y_test, predicted, average="macro")

    (run,) = runs()
    call = "f1_score(y_true=y_test, y_pred=predicted, average='macro')"
    assert told(run) == ({"f1_score_X_test": value}, {"f1_score_X_test": call})
    contexts = sorted(tag.value for one in run.inputs.dataset_inputs for tag in one.tags)
    assert contexts == ["eval", "train"]


def test_a_score_is_logged():
    model, X_test, y_test = fit(), FRAME.head(9), CLASSES.head(9)
    value = model.score(X_test, y=y_test)

    (run,) = runs()
    call = "LogisticRegression.score(X=X_test, y=y_test)"
    name = "LogisticRegression_score_X_test"
    assert told(run) == ({name: value}, {name: call})


def test_values_and_data_are_numbered():
    model, one, two = fit(), FRAME.head(9), FRAME.tail(9)
    sk.accuracy_score(CLASSES.head(9), model.predict(one))
    sk.accuracy_score(CLASSES.head(9), model.predict(one))
    sk.accuracy_score(CLASSES.tail(9), model.predict(two))
    for part in (FRAME.head(8), FRAME.tail(8)):
        sk.accuracy_score(CLASSES.head(8), model.predict(part.copy()))

    (run,) = runs()
    assert set(told(run)[0]) == {
        "accuracy_score_one", "accuracy_score-2_one", "accuracy_score-3_two",
        "accuracy_score-4_unknown_dataset", "accuracy_score-5_unknown_dataset-2",
    }  # fmt: skip


def judged(model, given):
    return sk.accuracy_score(CLASSES, model.predict(given))


def test_a_parameter_has_the_name_that_its_caller_gave():
    model, mine = fit(), FRAME.copy()
    judged(model, mine)
    judged(model, FRAME.copy())

    (run,) = runs()
    assert set(told(run)[0]) == {"accuracy_score_mine", "accuracy_score-2_unknown_dataset"}


def test_the_run_may_have_ended_and_another_be_active():
    with mlflow.start_run() as first:
        model = fit()
    with mlflow.start_run() as second:
        sk.accuracy_score(CLASSES, model.predict(FRAME))

    assert "accuracy_score_unknown_dataset" in mlflow.get_run(first.info.run_id).data.metrics
    assert mlflow.get_run(second.info.run_id).data.metrics == {}


def test_each_estimator_has_its_own():
    first = fit()
    second = Ridge().fit(FRAME, FRAME.a)
    sk.accuracy_score(CLASSES, first.predict(FRAME))
    sk.r2_score(y_true=FRAME.a, y_pred=second.predict(FRAME))

    found = [set(told(run)[0]) for run in runs()]
    assert found == [{"accuracy_score_unknown_dataset"}, {"r2_score_unknown_dataset"}]


def test_what_is_no_number_or_no_prediction_is_not_logged():
    model = fit()
    predicted = model.predict(FRAME)
    sk.confusion_matrix(CLASSES, predicted)
    sk.f1_score(CLASSES, predicted, average=None)
    sk.accuracy_score(CLASSES, predicted.copy())
    sk.accuracy_score(CLASSES, CLASSES)
    sk.classification_report(CLASSES, predicted)

    (run,) = runs()
    assert told(run)[0] == {}


def test_other_kinds_of_predictions_and_estimators():
    X_test = FRAME.copy()
    sk.log_loss(CLASSES, fit().predict_proba(X_test))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, CLASSES)
    sk.roc_auc_score(CLASSES, model.decision_function(X_test))
    model.score(X_test, CLASSES)
    clusters = KMeans(2, n_init=1).fit(FRAME)
    sk.silhouette_score(X_test, clusters.predict(X_test))
    clusters.score(X_test)

    assert [set(told(run)[0]) for run in runs()] == [
        {"log_loss_X_test"}, {"roc_auc_score_X_test", "Pipeline_score_X_test"},
        {"silhouette_score_X_test", "KMeans_score_X_test"},
    ]  # fmt: skip


def test_cross_validation_scores_each_fold_in_its_run():
    values = cross_val_score(LogisticRegression(), FRAME, CLASSES, cv=2)

    found = [run.data.metrics["LogisticRegression_score_X_test"] for run in runs()]
    assert found == values.tolist()


def test_it_can_be_switched_off(autolog):
    autolog(log_models=False, log_post_training_metrics=False)
    sk.accuracy_score(CLASSES, fit().predict(FRAME))

    (run,) = runs()
    assert told(run)[0] == {}
    assert len(run.inputs.dataset_inputs) == 1


def test_a_loop_of_predictions_does_not_fill_the_run():
    model = fit()
    for row in range(40):
        model.predict(FRAME.iloc[[row]])

    (run,) = runs()
    assert len(run.inputs.dataset_inputs) <= post_training._MOST_DATASETS + 1


def test_results_are_what_they_were(monkeypatch, caplog):
    model = fit()
    monkeypatch.setattr(post_training, "MlflowClient", None)
    predicted = model.predict(FRAME)

    assert sk.accuracy_score(CLASSES, predicted) == float((predicted == CLASSES).mean())
    assert model.score(FRAME, CLASSES) == float((predicted == CLASSES).mean())
    assert "autologging" in caplog.text


def test_functions_and_estimators_can_still_be_copied():
    model = fit()

    assert pickle.loads(pickle.dumps(sk.accuracy_score)) is sk.accuracy_score
    assert list(inspect.signature(sk.accuracy_score).parameters)[:2] == ["y_true", "y_pred"]
    assert vars(pickle.loads(pickle.dumps(model))).keys() == vars(model).keys()
    assert sk.make_scorer(sk.accuracy_score)(copy.deepcopy(model), FRAME, CLASSES) > 0


def test_what_is_gone_is_forgotten():
    model = fit()
    before = len(post_training._predictions), len(post_training._estimators)
    for _ in range(5):
        model.predict(FRAME)
    del model

    assert (len(post_training._predictions), len(post_training._estimators)) <= before
