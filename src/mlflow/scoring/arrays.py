"""Which scikit-learn estimators answer a plain array exactly as they answer a data frame."""

from __future__ import annotations

import copy
import sys
from typing import Any

# Each of these looks at values and order only, row by row, once it is fitted. Estimators that hold
# others (voting, stacking, searches), that look at names or dtypes (ColumnTransformer,
# FunctionTransformer) or that look at the batch as a whole are left out on purpose.
ROW_WISE = frozenset({
    "ARDRegression", "BayesianRidge", "BernoulliNB", "ComplementNB", "DecisionTreeClassifier",
    "DecisionTreeRegressor", "DummyClassifier", "DummyRegressor", "ElasticNet", "ElasticNetCV",
    "ExtraTreeClassifier", "ExtraTreeRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor",
    "GammaRegressor", "GaussianMixture", "GaussianNB", "GradientBoostingClassifier",
    "GradientBoostingRegressor", "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor", "HuberRegressor", "IsolationForest", "KMeans",
    "KNeighborsClassifier", "KNeighborsRegressor", "KernelRidge", "Lars", "LarsCV", "Lasso",
    "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearDiscriminantAnalysis",
    "LinearRegression", "LinearSVC", "LinearSVR", "LogisticRegression", "LogisticRegressionCV",
    "MLPClassifier", "MLPRegressor", "MiniBatchKMeans", "MultinomialNB", "NearestCentroid",
    "NuSVC", "NuSVR", "OneClassSVM", "OrthogonalMatchingPursuit", "PLSRegression",
    "PassiveAggressiveClassifier", "PassiveAggressiveRegressor", "Perceptron",
    "PoissonRegressor", "QuadraticDiscriminantAnalysis", "QuantileRegressor",
    "RadiusNeighborsRegressor", "RandomForestClassifier", "RandomForestRegressor", "Ridge",
    "RidgeCV", "RidgeClassifier", "RidgeClassifierCV", "SGDClassifier", "SGDOneClassSVM",
    "SGDRegressor", "SVC", "SVR", "TheilSenRegressor", "TweedieRegressor",
})  # fmt: skip
TRANSFORMERS = frozenset({
    "Binarizer", "KBinsDiscretizer", "MaxAbsScaler", "MinMaxScaler", "Normalizer", "Nystroem",
    "PCA", "PolynomialFeatures", "PowerTransformer", "QuantileTransformer", "RobustScaler",
    "SelectKBest", "SelectPercentile", "SimpleImputer", "SplineTransformer", "StandardScaler",
    "TruncatedSVD", "VarianceThreshold",
})  # fmt: skip


def array_twin(estimator: Any, names: list[Any]) -> Any | None:
    """Return an estimator that takes arrays and answers as `estimator` does for data frames.

    The twin shares the fitted state and lacks only the remembered column names, for which
    scikit-learn would warn on every array.

    Args:
        estimator: a fitted scikit-learn estimator or pipeline.
        names: the columns, in the order of the arrays.

    Returns:
        The twin, or None when the estimator is not known to be safe or was fitted on other columns.
    """
    if _output_is_frames(estimator):
        return None
    if _is_exactly(estimator, frozenset({"Pipeline"})):
        return _pipeline_twin(estimator, names)
    if not _is_exactly(estimator, ROW_WISE):
        return None
    return _leaf_twin(estimator, names)


def _is_exactly(estimator: Any, allowed: frozenset[str]) -> bool:
    # A subclass of the user's may do anything, so the class itself must be scikit-learn's.
    kind = type(estimator)
    return kind.__name__ in allowed and kind.__module__.partition(".")[0] == "sklearn"


def _output_is_frames(estimator: Any) -> bool:
    if "_sklearn_output_config" in vars(estimator):
        return True
    sklearn = sys.modules.get("sklearn")
    return sklearn is None or sklearn.get_config().get("transform_output") != "default"


def _leaf_twin(estimator: Any, names: list[Any]) -> Any | None:
    fitted_on = vars(estimator).get("feature_names_in_")
    if fitted_on is not None and list(fitted_on) != names:
        return None
    if fitted_on is None and vars(estimator).get("n_features_in_") not in (None, len(names)):
        return None
    if getattr(estimator, "is_categorical_", None) is not None:
        return None
    if callable(getattr(estimator, "metric", None)) or callable(getattr(estimator, "kernel", None)):
        return None
    twin = copy.copy(estimator)
    vars(twin).pop("feature_names_in_", None)
    return twin


def _pipeline_twin(pipeline: Any, names: list[Any]) -> Any | None:
    steps = []
    last = len(pipeline.steps) - 1
    for place, (label, step) in enumerate(pipeline.steps):
        if step is None or step == "passthrough":
            steps.append((label, step))
            continue
        if not _is_exactly(step, ROW_WISE if place == last else TRANSFORMERS):
            return None
        if _output_is_frames(step):
            return None
        # Only the first step sees the data frame; the others were fitted on arrays.
        own = _leaf_twin(step, names) if place == 0 else copy.copy(step)
        if own is None or (place > 0 and "feature_names_in_" in vars(step)):
            return None
        steps.append((label, own))
    twin = copy.copy(pipeline)
    twin.steps = steps
    return twin
