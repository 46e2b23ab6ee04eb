"""Estimators in files; what the flavors make of them is tested with each flavor."""

from __future__ import annotations

import pytest
from sklearn.linear_model import LinearRegression

from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE
from mlflow.models.estimators import check_format, load_estimator, write_estimator
from mlflow.models.flavor import FlavorFolder


@pytest.mark.parametrize(
    ("wanted", "file", "written"),
    [
        (None, "model.skops", "skops"),
        ("skops", "model.skops", "skops"),
        ("pickle", "model.pkl", "pickle"),
        ("cloudpickle", "model.pkl", "cloudpickle"),
    ],
)
def test_every_format_comes_back(wanted, file, written, tmp_path):
    folder = FlavorFolder(tmp_path / "m", None)
    model = LinearRegression().fit([[0.0], [1.0]], [0, 1])

    assert write_estimator(model, folder, wanted, None) == (file, written)
    assert load_estimator(folder.file(file), written).coef_ == model.coef_


def test_pickles_need_the_loaders_word_and_skops_does_not(tmp_path, monkeypatch):
    folder = FlavorFolder(tmp_path / "m", None)
    for wanted in ("skops", "pickle"):
        write_estimator(LinearRegression(), folder, wanted, None)
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    assert load_estimator(folder.file("model.skops"), "skops")
    with pytest.raises(MlflowException, match="a pickle"):
        load_estimator(folder.file("model.pkl"), "pickle")


def test_what_cannot_be_pickled_says_so(tmp_path):
    with pytest.raises(MlflowException, match="cannot be written with pickle"):
        write_estimator(lambda: 0, FlavorFolder(tmp_path / "m", None), "pickle", None)


def test_other_formats_are_refused():
    with pytest.raises(MlflowException, match="Unrecognized serialization format: x"):
        check_format("x")
    with pytest.raises(MlflowException, match="Unrecognized serialization format: x"):
        load_estimator("m", "x")
