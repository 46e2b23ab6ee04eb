"""Runs in an environment with stock MLflow: writes models, or reads ours and prints predictions.

`stock_models.py write FOLDER` saves models below FOLDER; `stock_models.py log FOLDER [FORMAT]` logs
one to the store FOLDER/mlruns; `stock_models.py read` loads the URIs of a JSON list on standard input.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import numpy as np
import pandas as pd
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow
from mlflow.models import infer_signature

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 3.0, 1.0]})
TARGET = [1.0, 2.0, 3.0, 4.0]
CLASSES = [0, 1, 0, 1]
REQUIREMENTS = ["mlflow"]
IS_2 = mlflow.__version__.startswith("2.")


class Shifted(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        with open(context.artifacts["shift"]) as file:
            self.shift = float(file.read())

    def predict(self, context, model_input, params=None):
        return model_input["a"] + self.shift + (params or {}).get("more", 0)


CODE = """
import mlflow
class FromCode(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["b"] * context.model_config["times"]
mlflow.models.set_model(FromCode())
"""


def estimators():
    net = ElasticNet(alpha=0.1).fit(FRAME, TARGET)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, CLASSES)
    return {"net": net, "pipeline": pipeline}


def write(folder: str) -> None:
    signature = infer_signature(FRAME, np.array(TARGET))
    formats = ["pickle", "cloudpickle"] if IS_2 else ["pickle", "cloudpickle", "skops"]
    for name, model in estimators().items():
        for serialization_format in formats:
            mlflow.sklearn.save_model(
                model,
                f"{folder}/{name}_{serialization_format}",
                signature=signature,
                serialization_format=serialization_format,
                pip_requirements=REQUIREMENTS,
                input_example=FRAME,
            )
    shift = f"{folder}/shift.txt"
    with open(shift, "w") as file:
        file.write("10")
    signature = infer_signature(FRAME, FRAME.a, {"more": 0.5})
    mlflow.pyfunc.save_model(
        f"{folder}/python",
        python_model=Shifted(),
        artifacts={"shift": shift},
        signature=signature,
        pip_requirements=REQUIREMENTS,
    )
    mlflow.pyfunc.save_model(
        f"{folder}/function",
        python_model=lambda values: values["a"] * 2,
        pip_requirements=REQUIREMENTS,
        signature=infer_signature(FRAME, FRAME.a),
    )
    if IS_2:
        return

    def shout(texts: list[str]) -> list[str]:
        return [text.upper() for text in texts]

    mlflow.pyfunc.save_model(f"{folder}/hinted", python_model=shout, pip_requirements=REQUIREMENTS)
    code = f"{folder}/code_model.py"
    with open(code, "w") as file:
        file.write(CODE)
    mlflow.pyfunc.save_model(
        f"{folder}/code",
        python_model=code,
        model_config={"times": 3},
        pip_requirements=REQUIREMENTS,
        signature=infer_signature(FRAME, FRAME.a),
    )


def log(folder: str, *given: str) -> None:
    chosen = {"serialization_format": given[0]} if given else {}
    mlflow.set_tracking_uri(f"file:{folder}/mlruns")
    with mlflow.start_run() as run:
        mlflow.log_param("p", 1)
        info = mlflow.sklearn.log_model(
            estimators()["net"],
            "model",
            registered_model_name="stock",
            pip_requirements=REQUIREMENTS,
            input_example=FRAME,
            **chosen,
        )
    uris = [f"runs:/{run.info.run_id}/model", info.model_uri, "models:/stock/1"]
    print(json.dumps(uris))


def plain(values: object) -> object:
    return np.asarray(values).tolist()


def read() -> None:
    asked = json.load(sys.stdin)
    if asked.get("tracking_uri"):
        mlflow.set_tracking_uri(asked["tracking_uri"])
    found = {}
    for uri in asked["uris"]:
        model = mlflow.pyfunc.load_model(uri)
        data = ["a", "b"] if "hinted" in uri else FRAME
        found[uri] = {
            "predictions": plain(model.predict(data)),
            "signature": model.metadata.signature and model.metadata.signature.to_dict(),
            "flavors": sorted(model.metadata.flavors),
            "run_id": model.metadata.to_dict().get("run_id"),
        }
        if not IS_2 and model.metadata.saved_input_example_info:
            found[uri]["example"] = plain(model.input_example)
    print(json.dumps(found))


if __name__ == "__main__":
    {"write": write, "log": log, "read": lambda *_: read()}[sys.argv[1]](*sys.argv[2:])
