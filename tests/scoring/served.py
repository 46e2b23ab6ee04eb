"""Small models with the face that the scoring server needs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.linear_model import ElasticNet

from mlflow.models.signature import infer_signature
from mlflow.types.enforce import enforce_params, enforce_schema

NAMES = ["a", "b", "c"]


class Served:
    """A loaded model: a callable behind schema enforcement."""

    def __init__(self, predict, signature=None, raw=None, loader="tests", type_hint=False):
        self._predict = predict
        self._raw = raw
        self.seen = []
        self.metadata = SimpleNamespace(
            signature=signature,
            flavors={"python_function": {"loader_module": loader}},
            is_signature_from_type_hint=type_hint,
        )

    def predict(self, data, params=None):
        signature = self.metadata.signature
        if signature is not None and signature.inputs is not None:
            data = enforce_schema(data, signature.inputs)
            params = enforce_params(params, signature.params)
        self.seen.append((data, params))
        return self._predict(data) if params is None else self._predict(data, params)

    def get_raw_model(self):
        return self._raw


def table(rows=40, seed=0):
    """A data frame of doubles and a target that depends on it."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(rows, len(NAMES))), columns=NAMES)
    return frame, frame["a"] * 2 - frame["b"] + 0.5


def sklearn_model(estimator=None, target=None):
    """A fitted estimator as the scoring server gets it."""
    frame, numbers = table()
    target = numbers if target is None else target
    fitted = (estimator or ElasticNet(alpha=0.01)).fit(frame, target)
    signature = infer_signature(frame, fitted.predict(frame))
    return Served(fitted.predict, signature, raw=fitted, loader="mlflow.sklearn")


def answers(value):
    """A model that returns `value` for anything."""
    return Served(lambda data, params=None: value)
