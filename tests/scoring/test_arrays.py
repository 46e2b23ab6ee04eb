"""The array twin of an estimator answers as the estimator answers for a data frame."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import ElasticNet, LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from sklearn.svm import SVR
from sklearn.utils import all_estimators

from mlflow.scoring.arrays import ROW_WISE, TRANSFORMERS, array_twin

NAMES = ["a", "b", "c"]
_CLASSES = dict(all_estimators())
_OPTIONS = {"RandomForestRegressor": {"n_estimators": 5}, "RandomForestClassifier":
            {"n_estimators": 5}, "ExtraTreesClassifier": {"n_estimators": 5}, "ExtraTreesRegressor":
            {"n_estimators": 5}, "RadiusNeighborsRegressor": {"radius": 1e6},
            "PLSRegression": {"n_components": 2}, "LassoLarsIC": {}, "KMeans": {"n_clusters": 3},
            "MiniBatchKMeans": {"n_clusters": 3}, "IsolationForest": {"n_estimators": 5},
            "NuSVC": {"nu": 0.1}}  # fmt: skip


def frame(rows=30, seed=1):
    """Positive doubles, as some naive Bayes classifiers want."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(random.uniform(0.1, 4, size=(rows, 3)), columns=NAMES)


def target(name, data):
    """A target that the estimator can be fitted to."""
    numbers = data["a"] + 2 * data["b"] + 0.1
    discrete = (
        issubclass(_CLASSES[name], object)
        and (
            "Classifier" in name
            or name.endswith(("NB", "SVC", "CV"))
            or "Logistic" in name
            or "Discriminant" in name
            or name in {"NearestCentroid", "Perceptron"}
        )
        and name not in {"ElasticNetCV", "LarsCV", "LassoCV", "LassoLarsCV", "RidgeCV"}
    )
    return (numbers > numbers.median()).astype(int) if discrete else numbers


def fitted(name):
    """An estimator of the table, fitted on named columns."""
    data = frame()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _CLASSES[name](**_OPTIONS.get(name, {})).fit(data, target(name, data))


@pytest.mark.parametrize("name", sorted(ROW_WISE & _CLASSES.keys()))
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_twin_equals_estimator(name):
    """Every estimator of the table: same answers, no warning, row by row and together."""
    estimator = fitted(name)
    data = frame(rows=17, seed=2)
    twin = array_twin(estimator, NAMES)

    assert twin is not None
    for method in ("predict", "predict_proba", "decision_function"):
        if not hasattr(estimator, method):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            found = getattr(twin, method)(data.to_numpy())
            singly = np.concatenate(
                [getattr(twin, method)(data.to_numpy()[i : i + 1]) for i in range(len(data))]
            )
        expected = getattr(estimator, method)(data)
        assert np.allclose(expected, found, rtol=1e-12, atol=1e-12), method
        assert np.allclose(expected, singly, rtol=1e-9, atol=1e-9), method
    assert NAMES == list(estimator.feature_names_in_), "the served estimator itself was changed"


def test_the_table_names_estimators():
    """Nearly every row of the tables names a class of the installed scikit-learn."""
    known = _CLASSES.keys()

    assert len(ROW_WISE - known) <= 2
    assert set() == TRANSFORMERS - known


@settings(max_examples=25)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)),
           elements=st.floats(-1e6, 1e6, allow_nan=False)),
    st.sampled_from(["ElasticNet", "LinearRegression", "RandomForestRegressor", "SVR",
                     "KNeighborsRegressor", "LogisticRegression",
                     "HistGradientBoostingRegressor"]),
)  # fmt: skip
def test_any_values(values, name):
    """The same holds for any finite values."""
    estimator = _FITTED.setdefault(name, fitted(name))
    expected = estimator.predict(pd.DataFrame(values, columns=NAMES))

    assert np.allclose(expected, array_twin(estimator, NAMES).predict(values), rtol=1e-9, atol=1e-6)


_FITTED: dict = {}


@pytest.mark.parametrize("name", sorted(TRANSFORMERS & _CLASSES.keys()))
@pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::FutureWarning", "ignore::RuntimeWarning"
)
def test_pipelines(name):
    """A pipeline whose steps are all in the tables has a twin."""
    data = frame()
    options = {
        "SelectKBest": {"k": 2},
        "SelectPercentile": {"percentile": 70},
        "Nystroem": {"n_components": 5},
    }.get(name, {})
    pipeline = make_pipeline(_CLASSES[name](**options), ElasticNet(alpha=0.01))
    pipeline.fit(data, data["a"])
    twin = array_twin(pipeline, NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = twin.predict(data.to_numpy())

    assert np.allclose(pipeline.predict(data), found, rtol=1e-12, atol=1e-12)


class Mine(ElasticNet):
    """A subclass may do anything with its input."""


@pytest.mark.parametrize(
    "estimator",
    [
        Mine(),
        VotingRegressor([("a", LinearRegression())]),
        make_pipeline(FunctionTransformer(), LinearRegression()),
        make_pipeline(ColumnTransformer([("s", StandardScaler(), ["a"])]), LinearRegression()),
        make_pipeline(StandardScaler().set_output(transform="pandas"), LinearRegression()),
        make_pipeline(PolynomialFeatures(), Mine()),
        KNeighborsRegressor(metric=lambda a, b: float(abs(a - b).sum())),
        SVR(kernel=lambda a, b: a @ b.T),
    ],
)
def test_not_known_to_be_safe(estimator):
    """Anything that could look at names, at types or at the batch takes the plain path."""
    data = frame()

    assert array_twin(estimator.fit(data, data["a"]), NAMES) is None


def test_other_columns():
    """An estimator fitted on other columns, or another order, has no twin for these."""
    estimator = fitted("ElasticNet")

    assert array_twin(estimator, ["b", "a", "c"]) is None
    assert array_twin(estimator, ["a", "b"]) is None
