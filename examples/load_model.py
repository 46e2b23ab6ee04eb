"""Load a model back and predict: `python load_model.py mlruns/0/<run id>/artifacts/<model>`."""

import sys

import pandas as pd
from wine import SAMPLE

import mlflow.pyfunc

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    model = mlflow.pyfunc.load_model(sys.argv[1])
    print(model.predict(pd.DataFrame([SAMPLE])))
