"""Trying a request on a model without a server: does it parse, fit and predict?"""

from __future__ import annotations

import json
from typing import Any

from mlflow.pyfunc import load_model
from mlflow.scoring.plan import Plan


def validate_serving_input(model_uri: str, serving_input: str | dict[str, Any]) -> Any:
    """Predict a request as the scoring server would.

    Args:
        model_uri: the model.
        serving_input: the request, as JSON text or its value.

    Returns:
        The predictions, as the model returns them.

    Raises:
        MlflowException: the request breaks the protocol or does not fit the model.
    """
    text = serving_input if isinstance(serving_input, str) else json.dumps(serving_input)
    plan = Plan(load_model(model_uri))
    return plan.call(plan.read(text.encode("utf-8"), "application/json"))
