"""Tags that the environment variable `MLFLOW_RUN_CONTEXT` gives to new runs."""

from __future__ import annotations

from mlflow.environment_variables import MLFLOW_RUN_CONTEXT
from mlflow.exceptions import invalid
from mlflow.tracking.context.abstract_context import RunContextProvider


class SystemEnvironmentContext(RunContextProvider):
    """A JSON object in the environment."""

    def in_context(self) -> bool:
        """Tell whether the variable is set."""
        return bool(MLFLOW_RUN_CONTEXT.get_raw())

    def tags(self) -> dict[str, str]:
        """Return the object's entries as tags.

        Raises:
            MlflowException: the text is no JSON object.
        """
        import json

        text = MLFLOW_RUN_CONTEXT.get_raw() or "{}"
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise invalid(f"MLFLOW_RUN_CONTEXT must hold a JSON object of tags, got {text!r}.")
        return {str(key): str(value) for key, value in found.items()}
