"""What an estimator tells about its training."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from mlflow.sklearn import training

X = np.random.RandomState(0).rand(30, 2)
BINARY = (X[:, 0] > 0.5).astype(int)
THREE = np.arange(30) % 3


def fitted(model, y, **kwargs):
    model.fit(X, y, **kwargs)
    return model, training.FitArguments(type(model).fit, model, (X, y), kwargs)


def test_arguments_are_found_by_place_and_name():
    model = LogisticRegression()
    by_place = training.FitArguments(type(model).fit, model, (X, BINARY, "w"), {})
    by_name = training.FitArguments(type(model).fit, model, (), {"y": BINARY, "X": X})

    assert (by_place.X is X, by_place.y is BINARY, by_place.sample_weight) == (True, True, "w")
    assert (by_name.X is X, by_name.y is BINARY, by_name.sample_weight) == (True, True, None)


def test_classifier_metrics_are_weighted_unless_a_label_is_named():
    model, data = fitted(LogisticRegression(), BINARY)
    predicted = model.predict(X)

    weighted = training.training_metrics(model, data, "p_")
    binary = training.training_metrics(model, data, "p_", pos_label=1)

    assert weighted["p_f1_score"] == f1_score(BINARY, predicted, average="weighted")
    assert binary["p_f1_score"] == f1_score(BINARY, predicted)
    assert weighted["p_roc_auc"] == roc_auc_score(BINARY, model.predict_proba(X)[:, 1])


def test_several_classes_are_compared_pair_by_pair():
    model, data = fitted(LogisticRegression(), THREE)

    found = training.training_metrics(model, data, "")

    expected = roc_auc_score(THREE, model.predict_proba(X), average="weighted", multi_class="ovo")
    assert found["roc_auc"] == pytest.approx(expected)


def test_regressor_metrics():
    model, data = fitted(LinearRegression(), X[:, 0] * 2 + X[:, 1] ** 2)

    found = training.training_metrics(model, data, "")

    assert found["root_mean_squared_error"] == pytest.approx(found["mean_squared_error"] ** 0.5)
    assert found["r2_score"] == pytest.approx(found["score"])


def test_a_metric_that_does_not_apply_is_left_out():
    class Broken(LogisticRegression):
        def score(self, X, y, sample_weight=None):
            raise ValueError("no")

    model, data = fitted(Broken(), BINARY)

    found = training.training_metrics(model, data, "")
    assert "score" not in found
    assert "accuracy_score" in found


def test_without_targets_there_is_nothing_to_measure():
    model, data = fitted(KMeans(2, n_init=1), None)

    assert training.training_metrics(model, data, "") == {}


def test_plots_of_classifiers():
    pytest.importorskip("matplotlib", reason="plots need matplotlib")
    model, data = fitted(LogisticRegression(), BINARY)
    three = fitted(LogisticRegression(), THREE)

    assert set(training.training_plots(model, data, "t_")) == {
        "t_confusion_matrix.png", "t_roc_curve.png", "t_precision_recall_curve.png"
    }  # fmt: skip
    assert set(training.training_plots(*three, "")) == {"confusion_matrix.png"}
    assert training.training_plots(*fitted(LinearRegression(), X[:, 0]), "") == {}
