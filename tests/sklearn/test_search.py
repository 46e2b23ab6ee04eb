"""A search as its run and the runs below it tell it."""

import csv

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

import mlflow
from mlflow import MlflowClient
from mlflow.sklearn import search

X = np.random.RandomState(0).rand(20, 2)
# Two grids of different params: the table has holes.
GRID = [{"alpha": [0.1, 1.0]}, {"alpha": [5.0], "solver": ["svd"]}]


@pytest.fixture(scope="module")
def fitted():
    return GridSearchCV(Ridge(), GRID, cv=2).fit(X, X[:, 0])


def logged(fitted, count, best_model_id=None):
    with mlflow.start_run() as run:
        search.log_search(MlflowClient(), run, fitted, count, best_model_id, None)
    children = mlflow.search_runs(
        filter_string=f"tags.mlflow.parentRunId = '{run.info.run_id}'", output_format="list"
    )
    return run, children


def test_best_params_have_names_of_their_own(fitted):
    found = {param.key: param.value for param in search.best_params(fitted)}

    assert found == {f"best_{key}": str(value) for key, value in fitted.best_params_.items()}
    assert search.best_params(Ridge()) == []


def test_the_table_is_what_pandas_would_write(fitted):
    run, _ = logged(fitted, 0)
    path = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/cv_results.csv")
    with open(path) as file:
        header, *rows = csv.reader(file)

    assert header == list(fitted.cv_results_)
    assert [row[header.index("param_solver")] for row in rows] == ["", "", "svd"]
    expected = pd.DataFrame(fitted.cv_results_)
    pd.testing.assert_series_equal(pd.read_csv(path).mean_test_score, expected.mean_test_score)


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (2, 2), (None, 3)])
def test_the_best_candidates_get_runs(fitted, count, expected):
    _, children = logged(fitted, count)

    ranks = sorted(child.data.metrics["rank_test_score"] for child in children)
    assert ranks == sorted(float(rank) for rank in fitted.cv_results_["rank_test_score"])[:expected]
    for child in children:
        assert child.info.status == "FINISHED"
        assert child.data.tags["estimator_name"] == "Ridge"
        assert {"alpha", "solver", "fit_intercept"} <= set(child.data.params)


def test_the_best_candidate_describes_the_best_model(fitted):
    model = mlflow.initialize_logged_model("best")
    _, children = logged(fitted, None, model.model_id)
    (best,) = [child for child in children if child.data.metrics["rank_test_score"] == 1.0]

    found = mlflow.get_logged_model(model.model_id).metrics
    assert {one.run_id for one in found} == {best.info.run_id}
    assert {one.key for one in found} == set(best.data.metrics)
