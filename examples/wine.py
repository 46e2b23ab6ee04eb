"""The wine data, split as the programs here use it, and the measures they log."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split

CSV = Path(__file__).with_name("winequality-red.csv")

SAMPLE = {
    "fixed acidity": 8.5,
    "volatile acidity": 0.28,
    "citric acid": 0.56,
    "residual sugar": 1.1,
    "chlorides": 0.092,
    "free sulfur dioxide": 17.0,
    "total sulfur dioxide": 60.0,
    "density": 0.9954,
    "pH": 3.30,
    "sulphates": 0.75,
    "alcohol": 10.5,
}


def load():
    """Training and test data: the quality of a wine from its chemistry."""
    np.random.seed(40)
    train, test = train_test_split(pd.read_csv(CSV, sep=";"))
    return (
        train.drop(["quality"], axis=1),
        test.drop(["quality"], axis=1),
        train[["quality"]],
        test[["quality"]],
    )


def eval_metrics(actual, predicted):
    """Root mean squared error, mean absolute error and R2."""
    return {
        "rmse": float(np.sqrt(mean_squared_error(actual, predicted))),
        "mae": float(mean_absolute_error(actual, predicted)),
        "r2": float(r2_score(actual, predicted)),
    }
