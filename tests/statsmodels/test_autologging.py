"""What statsmodels fits is logged, and fitting does not change."""

import logging

import numpy as np
import pandas as pd
import pytest

import mlflow
import mlflow.statsmodels
from mlflow import MlflowClient
from mlflow.statsmodels import autologging
from mlflow.tracking.autolog import AUTOLOGGING_INTEGRATIONS, disable_autologging

sm = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed")
tsa = pytest.importorskip("statsmodels.tsa.api", reason="statsmodels is not installed")

FRAME = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
TARGET = FRAME.a * 3 + FRAME.b


@pytest.fixture
def autolog():
    yield mlflow.statsmodels.autolog
    AUTOLOGGING_INTEGRATIONS["statsmodels"] = {"disable": True}


def runs():
    return mlflow.search_runs(output_format="list", order_by=["start_time ASC"])


def text(run, path):
    return mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/{path}")


def test_a_fit(autolog):
    autolog(registered_model_name="kept", extra_tags={"team": "x"})
    results = sm.OLS(TARGET, FRAME).fit()

    (run,) = runs()
    assert (run.info.status, run.data.tags["team"]) == ("FINISHED", "x")
    assert run.data.tags["mlflow.autologging"] == "statsmodels"
    params = {"method": "pinv", "cov_type": "nonrobust", "cov_kwds": "None", "use_t": "None"}
    assert run.data.params == params
    assert run.data.metrics["rsquared"] == results.rsquared
    assert len(run.data.metrics) == 18
    assert "OLS Regression Results" in text(run, "model_summary.txt")
    loaded = mlflow.statsmodels.load_model("models:/kept/1")
    assert np.array_equal(loaded.predict(FRAME), results.predict(FRAME))
    (model,) = mlflow.search_logged_models(output_format="list")
    assert {one.key for one in model.metrics} == set(run.data.metrics)
    assert len(MlflowClient().get_metric_history(run.info.run_id, "aic")) == 1


def test_further_arguments_are_params(autolog):
    autolog(log_models=False)
    sm.Logit((TARGET > 1.8).astype(int), FRAME[["c"]]).fit(disp=0, method="bfgs", gtol=0.01)

    (run,) = runs()
    assert (run.data.params["gtol"], run.data.params["method"]) == ("0.01", "bfgs")
    assert "kwargs" not in run.data.params


def test_a_vector_autoregression_has_a_summary(autolog):
    autolog(log_models=False)
    tsa.VAR(FRAME).fit(1)

    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert "Summary of Regression Results" in text(run, "model_summary.txt")


def test_fits_within_a_fit_belong_to_it(autolog):
    autolog(log_models=False)

    class Own(sm.OLS):
        def fit(self, *args, **kwargs):
            return super().fit(*args, **kwargs)

    Own(TARGET, FRAME).fit()
    sm.RLM(TARGET, FRAME).fit()
    sm.OLS(TARGET, FRAME).fit_regularized(alpha=0.1)

    assert len(runs()) == 2


def test_a_second_fit_in_a_run_adds_what_is_new(autolog):
    autolog(log_models=False)
    with mlflow.start_run():
        sm.OLS(TARGET, FRAME).fit()
        sm.GLM(TARGET**2, FRAME).fit(cov_type="HC1", maxiter=7)

    (run,) = runs()
    assert (run.data.params["cov_type"], run.data.params["maxiter"]) == ("nonrobust", "7")


def test_an_error_of_the_fit_is_the_users(autolog):
    autolog()
    with pytest.raises(ValueError, match="method"):
        sm.OLS(TARGET, FRAME).fit(method="nothing")

    (run,) = runs()
    assert (run.info.status, run.data.params["method"]) == ("FAILED", "nothing")


@pytest.mark.parametrize(
    "broken", ["active_run", "MlflowClient", "_params", "log_trained", "_metrics", "_summary"]
)
def test_nothing_of_ours_changes_the_fit(autolog, monkeypatch, caplog, broken):
    def fail(*args, **kwargs):
        raise RuntimeError(f"broken {broken}")

    with disable_autologging():
        expected = sm.OLS(TARGET, FRAME).fit().params
    autolog()
    monkeypatch.setattr(autologging, broken, fail)
    with caplog.at_level(logging.WARNING):
        found = sm.OLS(TARGET, FRAME).fit().params

    assert found.equals(expected)
    assert "broken" in caplog.text


def test_models_that_lack_a_number_say_nothing_of_it(autolog, caplog, recwarn):
    autolog(log_models=False)
    sm.RLM(TARGET, FRAME).fit()
    sm.GLM(TARGET**2, FRAME).fit()

    assert "llf" not in runs()[0].data.metrics
    assert caplog.records == []
    assert not [one for one in recwarn if "bic" in str(one.message)]


def test_switched_off(autolog):
    autolog(disable=True)
    sm.OLS(TARGET, FRAME).fit()

    assert runs() == []
