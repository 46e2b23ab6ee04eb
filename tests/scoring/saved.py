"""Saved models for tests that start processes."""

from __future__ import annotations

import mlflow
from mlflow.models import infer_signature

from .served import table


def saved_model(path):
    """Save a small scikit-learn model; return its path, its estimator and its data."""
    from sklearn.linear_model import ElasticNet

    frame, target = table()
    estimator = ElasticNet(alpha=0.01).fit(frame, target)
    mlflow.sklearn.save_model(
        estimator, str(path), signature=infer_signature(frame, estimator.predict(frame))
    )
    return str(path), estimator, frame
