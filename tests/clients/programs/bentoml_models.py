import bentoml
import dump
import numpy as np
from sklearn.linear_model import LinearRegression

import mlflow

x = np.arange(6.0).reshape(3, 2)
with mlflow.start_run():
    info = mlflow.sklearn.log_model(LinearRegression().fit(x, x[:, 0]), name="model")
kept = bentoml.mlflow.import_model("kept", info.model_uri)
loaded = bentoml.mlflow.load_model("kept:latest")
dump.say(
    flavors=sorted(info.flavors),
    predicted=[round(float(one), 6) for one in loaded.predict(x)],
    labels=sorted(kept.info.labels),
)
