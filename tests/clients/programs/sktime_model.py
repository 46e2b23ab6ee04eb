import dump
import numpy as np
import pandas as pd
from sktime.forecasting.naive import NaiveForecaster
from sktime.utils import mlflow_sktime

import mlflow

series = pd.Series(np.arange(24.0), index=pd.period_range("2020-01", periods=24, freq="M"))
forecaster = NaiveForecaster(strategy="last", sp=12).fit(series, fh=[1, 2, 3])
mlflow_sktime.save_model(forecaster, "saved")
with mlflow.start_run():
    info = mlflow_sktime.log_model(forecaster, artifact_path="model")
loaded = mlflow_sktime.load_model(info.model_uri)
pyfunc = mlflow.pyfunc.load_model("saved")
dump.say(
    flavors=sorted(info.flavors),
    predicted=[float(one) for one in loaded.predict()],
    pyfunc=np.asarray(pyfunc.predict(pd.DataFrame())).tolist(),
)
