import dump
import lightgbm
import mlforecast.flavor
import numpy as np
import pandas as pd
from mlforecast import MLForecast

import mlflow

frame = pd.DataFrame(
    {"unique_id": ["a"] * 60 + ["b"] * 60, "ds": [*range(60)] * 2, "y": np.sin(np.arange(120) / 5)}
)
model = MLForecast([lightgbm.LGBMRegressor(n_estimators=5, verbose=-1)], freq=1, lags=[1, 2])
model.fit(frame)
with mlflow.start_run():
    info = mlforecast.flavor.log_model(model=model, artifact_path="model")
expected = model.predict(3)["LGBMRegressor"]
loaded = mlforecast.flavor.load_model(info.model_uri)
pyfunc = mlflow.pyfunc.load_model(info.model_uri)
dump.say(
    flavors=sorted(info.flavors),
    same=bool(np.allclose(loaded.predict(3)["LGBMRegressor"], expected)),
    pyfunc=bool(np.allclose(pyfunc.predict(pd.DataFrame([{"h": 3}]))["LGBMRegressor"], expected)),
)
