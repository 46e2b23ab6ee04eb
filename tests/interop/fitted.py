"""Fits with statsmodels under autologging and prints what the runs hold; for stock MLflow and ours.

`fitted.py FOLDER` keeps its store below FOLDER.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings

import numpy as np
import statsmodels.api as sm
import statsmodels.formula.api as smf
import statsmodels.tsa.api as tsa
from boosted import BINARY, CLASSES, FRAME, TARGET, record

import mlflow
import mlflow.statsmodels

NOISY = TARGET + np.random.RandomState(1).rand(60) / 10


def least_squares():
    sm.OLS(NOISY, sm.add_constant(FRAME)).fit("qr", cov_type="HC1")


def in_own_run():
    with mlflow.start_run(run_name="own"):
        sm.GLM(BINARY, FRAME, family=sm.families.Binomial()).fit(maxiter=50)


def with_further_arguments():
    sm.Poisson(CLASSES, FRAME).fit(disp=0, method="bfgs", gtol=1e-3)


def of_a_formula():
    smf.ols("y ~ a + b", FRAME.assign(y=NOISY)).fit()


def robust():
    sm.RLM(NOISY, FRAME).fit()


def smooth():
    tsa.ExponentialSmoothing(NOISY.to_numpy()).fit()


def of_a_series():
    tsa.AutoReg(NOISY, 1).fit()


def regularized():
    sm.OLS(NOISY, FRAME).fit_regularized(alpha=0.1)


def that_fails():
    try:
        sm.OLS(NOISY, FRAME).fit(method="nothing")
    except ValueError:
        pass


PLAIN = [in_own_run, with_further_arguments, of_a_formula, robust, smooth,
         of_a_series, regularized, that_fails]  # fmt: skip


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    # Spares stock the processes, one a model, that find out what a model imports.
    mlflow.models.infer_pip_requirements = lambda *args, **kwargs: []
    os.chdir(sys.argv[1])
    mlflow.set_tracking_uri(f"sqlite:///{sys.argv[1]}/mlflow.db")
    mlflow.statsmodels.autolog(log_models=False)
    found = {fit.__name__: record(fit.__name__, fit) for fit in PLAIN}
    mlflow.statsmodels.autolog(registered_model_name="kept", extra_tags={"team": "x"})
    found["with models"] = record("with models", least_squares)
    print(json.dumps(found, sort_keys=True))
