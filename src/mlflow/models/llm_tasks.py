"""The tasks `llm/v1/…`: what their requests and answers hold, whichever flavor serves them."""

from __future__ import annotations

import functools
import json
from typing import Any

from mlflow.exceptions import invalid
from mlflow.models.signature import ModelSignature

CHAT, COMPLETIONS, EMBEDDINGS = "llm/v1/chat", "llm/v1/completions", "llm/v1/embeddings"
TASK_PREFIX = "llm/v1"
# Where the metadata of a model says which task it serves.
METADATA_KEY = "task"


def metadata_with_task(task: str, metadata: dict[str, Any] | None) -> dict[str, Any]:
    """Return a model's metadata with its task.

    Args:
        task: the task.
        metadata: what its author says of it.

    Raises:
        MlflowException: the metadata names another task.
    """
    said = (metadata or {}).get(METADATA_KEY)
    if said and said != task:
        raise invalid(
            f"LLM v1 task type '{said}' is specified in metadata, but it doesn't match the task "
            f"type provided in the `task` argument: '{task}'. Name one task in both."
        )
    return {**(metadata or {}), METADATA_KEY: task}


@functools.cache
def signature_of(task: str) -> ModelSignature:
    """Return the signature of every model that serves a task.

    Args:
        task: one of `CHAT`, `COMPLETIONS` and `EMBEDDINGS`.
    """
    inputs, outputs = _SIDES[task]
    return ModelSignature.from_dict({"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)})


def _optional(kind: dict[str, Any]) -> dict[str, Any]:
    return {**kind, "required": False}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    required = {name: {"required": True, **kind} for name, kind in properties.items()}
    return {"type": "object", "properties": required}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _columns(**kinds: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"required": True, **kind, "name": name} for name, kind in kinds.items()]


_TEXT, _NUMBER = {"type": "string"}, {"type": "double"}
_COUNT, _FLAG = {"type": "long"}, {"type": "boolean"}
_ANYTHING = {"type": "map", "values": {"type": "any"}}

_MESSAGE = _object(
    role=_TEXT,
    content=_optional(_TEXT),
    name=_optional(_TEXT),
    refusal=_optional(_TEXT),
    tool_call_id=_optional(_TEXT),
    tool_calls=_optional(
        _array(_object(id=_TEXT, type=_TEXT, function=_object(name=_TEXT, arguments=_TEXT)))
    ),
)
_ARGUMENT = _object(
    type=_TEXT,
    description=_optional(_TEXT),
    enum=_optional(_array(_TEXT)),
    items=_optional(_object(type=_TEXT)),
)
_TOOL = _object(
    type=_TEXT,
    function=_optional(
        _object(
            name=_TEXT,
            description=_optional(_TEXT),
            parameters=_object(
                type=_optional(_TEXT),
                properties={"type": "map", "values": _ARGUMENT},
                required=_optional(_array(_TEXT)),
                additionalProperties=_optional(_FLAG),
            ),
            strict=_optional(_FLAG),
        )
    ),
)
_SAMPLING = {
    "temperature": _optional(_NUMBER),
    "max_tokens": _optional(_COUNT),
    "stop": _optional(_array(_TEXT)),
    "n": _optional(_COUNT),
    "stream": _optional(_FLAG),
}
_ANSWER = {"id": _TEXT, "object": _TEXT, "created": _COUNT, "model": _TEXT}
_USAGE = _object(prompt_tokens=_COUNT, completion_tokens=_COUNT, total_tokens=_COUNT)

_SIDES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    CHAT: (
        _columns(
            messages=_array(_MESSAGE),
            **_SAMPLING,
            top_p=_optional(_NUMBER),
            top_k=_optional(_COUNT),
            frequency_penalty=_optional(_NUMBER),
            presence_penalty=_optional(_NUMBER),
            tools=_optional(_array(_TOOL)),
            custom_inputs=_optional(_ANYTHING),
        ),
        _columns(
            **_ANSWER,
            choices=_array(_object(index=_COUNT, message=_MESSAGE, finish_reason=_TEXT)),
            usage=_optional(_USAGE),
            custom_outputs=_optional(_ANYTHING),
        ),
    ),
    COMPLETIONS: (
        _columns(prompt=_TEXT, **_SAMPLING),
        _columns(
            **_ANSWER,
            choices=_array(_object(index=_COUNT, text=_TEXT, finish_reason=_TEXT)),
            usage=_USAGE,
        ),
    ),
    EMBEDDINGS: (
        _columns(input=_TEXT),
        _columns(
            object=_TEXT,
            data=_array(_object(index=_COUNT, object=_TEXT, embedding=_array(_NUMBER))),
            usage=_object(prompt_tokens=_COUNT, total_tokens=_COUNT),
        ),
    ),
}
