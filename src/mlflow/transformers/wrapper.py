"""A pipeline as pyfunc calls it, and the signature that shows."""

from __future__ import annotations

import json
import string
from typing import Any

from mlflow.exceptions import invalid
from mlflow.models.example import split_params
from mlflow.transformers.served import answers
from mlflow.transformers.tasks import prompted, rows_of, task_of

# The tasks whose prompts are texts alone.
_TEMPLATED = frozenset({
    "feature-extraction", "fill-mask", "summarization", "text-generation", "text2text-generation",
})  # fmt: skip


def check_template(template: object, task: str) -> None:
    """Refuse what is no template of prompts.

    Args:
        template: a text with one place, `{prompt}`; None for none.
        task: the pipeline's task.

    Raises:
        MlflowException: it is no such text, or the task has no prompts.
    """
    if template is None:
        return
    if not isinstance(template, str):
        raise invalid(f"Argument `prompt_template` must be a string, received {type(template)}")
    try:
        # Whatever else a place can say, such as attributes, is more than a text.
        places = [place[1:] for place in string.Formatter().parse(template) if place[1] is not None]
    except ValueError:
        places = []
    if places != [("prompt", "", None)]:
        raise invalid(
            "Argument `prompt_template` must be a string with a single format arg, 'prompt'. For "
            "example: 'Answer the following question in a friendly tone. Q: {prompt}. A:'\n"
            f"Received {template}. "
        )
    if task not in _TEMPLATED:
        raise invalid(
            f"Prompt templating is not supported for the `{task}` task type. Supported task types "
            f"are: {sorted(_TEMPLATED)}."
        )


class _TransformersWrapper:
    """A pipeline as pyfunc calls it.

    Args:
        pipeline: the pipeline.
        flavor_config: what its MLmodel says of it.
        model_config: its arguments.
        prompt_template: what prompts are put into.
    """

    def __init__(
        self,
        pipeline: Any,
        flavor_config: dict[str, Any] | None = None,
        model_config: dict[str, Any] | None = None,
        prompt_template: str | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.flavor_config = flavor_config or {}
        self.model_config = model_config or {}
        self.prompt_template = prompt_template

    def get_raw_model(self) -> Any:
        """Return the pipeline."""
        return self.pipeline

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions, whose form is the task's.

        Args:
            data: a text, a list, a dictionary, an array or a DataFrame, as the task takes.
            params: arguments of the pipeline, before those of the model's configuration.

        Raises:
            MlflowException: the data is not what the task takes, or the pipeline does not know an
                argument.
        """
        config = {**self.model_config, **(params or {})}
        served = self.flavor_config.get("inference_task")
        if served:
            name = str(self.flavor_config.get("source_model_name") or "")
            return answers(self.pipeline, served, data, config, self.prompt_template, name)
        task = task_of(self.pipeline)
        if task is None:
            raise invalid(f"pyfunc cannot predict with a {type(self.pipeline).__name__}.")
        return task.predict(self.pipeline, prompted(rows_of(data), self.prompt_template), config)


def plain_example(pipeline: Any, example: Any) -> Any:
    """Return an input example whose rows fit the signature of its task.

    Args:
        pipeline: the pipeline.
        example: the example; it is not changed.
    """
    if example is None or type(pipeline).__name__ != "ZeroShotClassificationPipeline":
        return example
    # Lists in a column are texts of JSON.
    data, params = split_params(example)
    if isinstance(data, dict):
        data = {k: json.dumps(v) if isinstance(v, list) else v for k, v in data.items()}
    return data if params is None else (data, params)


def generate_signature_output(
    pipeline: Any,
    data: Any,
    model_config: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    flavor_config: dict[str, Any] | None = None,
) -> Any:
    """Return what a pipeline predicts of an example, from which a signature can be inferred.

    Args:
        pipeline: the pipeline.
        data: the example.
        model_config: its arguments.
        params: arguments that come before those.
        flavor_config: what its MLmodel says of it.

    Raises:
        MlflowException: it is no pipeline, or the data is not what its task takes.
    """
    if not hasattr(pipeline, "task") or not callable(pipeline):
        raise invalid(
            "The pipeline type submitted is not a valid transformers Pipeline. The type "
            f"{type(pipeline).__name__} is not supported."
        )
    wrapper = _TransformersWrapper(pipeline, flavor_config, model_config)
    return wrapper.predict(data, params)
