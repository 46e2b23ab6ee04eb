"""Saves models of boosting libraries below a folder, or reads folders and prints what they predict.

Runs in stock MLflow and in ours: `stock_boosters.py write FOLDER read FOLDER …`, as many as wanted; what
was read is printed as one JSON object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import xgboost

import mlflow
import mlflow.lightgbm
import mlflow.xgboost
from mlflow.models import Model, infer_signature

FRAME = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
TARGET = FRAME.a * 3 + FRAME.b
CLASSES = (TARGET > 1.8).astype(int)


def of_xgboost():
    matrix = xgboost.DMatrix(FRAME, CLASSES)
    return {
        "booster": xgboost.train({"objective": "binary:logistic", "max_depth": 2}, matrix, 4),
        "classifier": xgboost.XGBClassifier(n_estimators=3).fit(FRAME, CLASSES),
        "regressor": xgboost.XGBRegressor(n_estimators=3).fit(FRAME, TARGET),
    }


def of_lightgbm():
    few = {"n_estimators": 3, "verbose": -1}
    return {
        "booster": lightgbm.train({"verbose": -1}, lightgbm.Dataset(FRAME, TARGET), 4),
        "classifier": lightgbm.LGBMClassifier(**few).fit(FRAME, CLASSES),
        "regressor": lightgbm.LGBMRegressor(**few).fit(FRAME, TARGET),
    }


def write(folder):
    for name, model in of_lightgbm().items():
        for serialization_format in (None, "pickle", "cloudpickle"):
            mlflow.lightgbm.save_model(
                model,
                f"{folder}/lightgbm_{name}_{serialization_format}",
                serialization_format=serialization_format,
                input_example=FRAME.head(2),
                pip_requirements=["mlflow"],
            )
    signature = infer_signature(FRAME, TARGET.to_numpy(), {"output_margin": False})
    for name, model in of_xgboost().items():
        for model_format in ("ubj", "json"):
            mlflow.xgboost.save_model(
                model,
                f"{folder}/xgboost_{name}_{model_format}",
                model_format=model_format,
                signature=signature,
                input_example=FRAME.head(2),
                pip_requirements=["mlflow"],
            )


def read(folder):
    found = {}
    for path in sorted(Path(folder).glob("*/MLmodel")):
        model = mlflow.pyfunc.load_model(str(path.parent))
        flavors = Model.load(str(path.parent)).flavors
        flavor = next(name for name in flavors if name != "python_function")
        # Stock writes a set.
        trusted = flavors[flavor].get("skops_trusted_types")
        flavors[flavor]["skops_trusted_types"] = trusted and sorted(trusted)
        raw = getattr(mlflow, flavor).load_model(str(path.parent))
        found[path.parent.name] = {
            "predictions": np.asarray(model.predict(FRAME)).tolist(),
            "flavors": flavors,
            "class": type(raw).__name__,
            "example": np.asarray(model.input_example).tolist(),
        }
        if flavor == "xgboost":
            margins = model.predict(FRAME, params={"output_margin": True})
            found[path.parent.name]["margins"] = np.asarray(margins).tolist()
    return found


if __name__ == "__main__":
    results = {}
    for what, folder in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        if what == "write":
            write(folder)
        else:
            results[folder] = read(folder)
    print(json.dumps(results))
