"""What a fit and a prediction cost more than the library alone: autologging, and pyfunc."""

from __future__ import annotations

import logging
import os
import tempfile
import time
import warnings
from typing import TYPE_CHECKING, Any

# One thread: what is measured is beside the libraries, and their threads wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from measure import found, pick
from sklearn.linear_model import LogisticRegression

import mlflow
import mlflow.lightgbm
import mlflow.sklearn
import mlflow.xgboost
from mlflow.models import infer_signature

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 100
FITS, FITS_WITH_MODEL, PREDICTIONS = pick(5, 3), 2, pick(200, 50)

_random = np.random.default_rng(0)
FRAME = pd.DataFrame(_random.random((1000, 10)), columns=[f"c{n}" for n in range(10)])
LABELS = (FRAME.c0 + FRAME.c1 > 1).astype(int)


def _fit_sklearn() -> Any:
    return LogisticRegression().fit(FRAME, LABELS)


def _fit_xgboost() -> Any:
    data = xgboost.DMatrix(FRAME, LABELS)
    params = {"objective": "binary:logistic", "max_depth": 3}
    return xgboost.train(params, data, ROUNDS, evals=[(data, "train")], verbose_eval=False)


def _fit_lightgbm() -> Any:
    data = lightgbm.Dataset(FRAME, LABELS)
    params = {"objective": "binary", "max_depth": 3, "verbose": -1}
    return lightgbm.train(params, data, ROUNDS, valid_sets=[data], valid_names=["train"])


LIBRARIES: dict[str, tuple[Any, Callable[[], Any]]] = {
    "scikit-learn": (mlflow.sklearn, _fit_sklearn),
    "XGBoost": (mlflow.xgboost, _fit_xgboost),
    "LightGBM": (mlflow.lightgbm, _fit_lightgbm),
}


def _seconds(call: Callable[[], object], times: int) -> list[float]:
    took = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return sorted(took)


def _added(name: str, alone: float, more: list[float]) -> None:
    found(name, "ms", [(one - alone) * 1000 for one in more])


def _autologging(library: str, flavor: Any, fit: Callable[[], Any]) -> None:
    fit()
    bare = _seconds(fit, FITS)
    # Over the median of the bare library, which is the same for all of them.
    alone = bare[len(bare) // 2]
    flavor.autolog(log_models=False)
    fit()
    title = f"autologging {library}: added to a fit"
    _added(f"{title}, without the model", alone, _seconds(fit, FITS))
    flavor.autolog()
    _added(f"{title}, with the model", alone, _seconds(fit, FITS_WITH_MODEL))
    flavor.autolog(disable=True)


def _processor(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _prediction(library: str, flavor: Any, model: Any, alone: Callable[[], Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        flavor.save_model(model, path, signature=infer_signature(FRAME))
        loaded = mlflow.pyfunc.load_model(path)
    # In turns, so that a busy moment of the machine meets both.
    pairs = [(_processor(alone), _processor(lambda: loaded.predict(FRAME)))
             for _ in range(PREDICTIONS)]  # fmt: skip
    bare = sorted(one for one, _ in pairs)[PREDICTIONS // 2]
    shares = [(more - bare) / bare * 100 for _, more in pairs]
    found(f"pyfunc over {library}: 1,000 rows", "% more processor time", shares)


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"file://{folder}/mlruns")
        for name, (flavor, fit) in LIBRARIES.items():
            _autologging(name, flavor, fit)
    booster, leaves = _fit_xgboost(), _fit_lightgbm()
    _prediction("XGBoost", mlflow.xgboost, booster,
                lambda: booster.predict(xgboost.DMatrix(FRAME)))  # fmt: skip
    _prediction("LightGBM", mlflow.lightgbm, leaves, lambda: leaves.predict(FRAME))


if __name__ == "__main__":
    main()
