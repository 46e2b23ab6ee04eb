"""Pipelines that serve the tasks `llm/v1/…`: requests in, answers of those tasks out."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import invalid
from mlflow.models.llm_tasks import CHAT, COMPLETIONS, EMBEDDINGS
from mlflow.transformers.tasks import call, prompted, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

# The task of a pipeline → the tasks that it can serve.
SERVED = {"text-generation": [COMPLETIONS, CHAT], "feature-extraction": [EMBEDDINGS]}
# A request's name for it → the pipeline's.
_ARGUMENTS = {"max_tokens": "max_new_tokens", "n": "num_return_sequences"}
# Answers come whole; what else a request may carry is not for the pipeline.
_LEFT_OUT = frozenset({"stream", "tools", "custom_inputs"})


def pipeline_task(task: str | None) -> str | None:
    """Return the task of the pipelines that serve a task; None for tasks of pipelines."""
    return next((name for name, served in SERVED.items() if task in served), None)


def check_served(task: str, by: str) -> None:
    """Refuse a task that a pipeline cannot serve.

    Args:
        task: the task, such as `llm/v1/chat`.
        by: the pipeline's own task.

    Raises:
        MlflowException: it cannot.
    """
    if task not in SERVED.get(by, []):
        raise invalid(
            f"The task provided is invalid. '{task}' is not a supported task for the {by} "
            f"pipeline. Must be one of {SERVED.get(by, [])}"
        )


def answers(
    pipeline: Any, task: str, data: Any, config: dict[str, Any], template: str | None, model: str
) -> Any:
    """Return the answers to requests.

    Args:
        pipeline: a pipeline whose task can serve this one.
        task: one of `llm/v1/chat`, `llm/v1/completions` and `llm/v1/embeddings`.
        data: the requests: a DataFrame, a dictionary, or a list of these.
        config: the pipeline's arguments.
        template: what prompts are put into.
        model: the model's name, as answers say it.

    Returns:
        Of embeddings, one answer; else a list of them, one a request.

    Raises:
        MlflowException: a request lacks what the task asks.
    """
    requests = rows_of(data)
    if task == EMBEDDINGS:
        return _embeddings(pipeline, requests, config)
    # Those that ask for the same are generated together.
    found: list[Any] = [None] * len(requests)
    asked = [_arguments(request) for request in requests]
    for arguments in [one for place, one in enumerate(asked) if one not in asked[:place]]:
        places = [place for place, one in enumerate(asked) if one == arguments]
        prompts = [_prompt(pipeline, task, requests[place], template) for place in places]
        for place, answer in zip(
            places, _generated(pipeline, task, prompts, {**config, **arguments}, model), strict=True
        ):
            found[place] = answer
    return found


def _arguments(request: Any) -> dict[str, Any]:
    if not isinstance(request, dict):
        return {}
    found: dict[str, Any] = {
        str(_ARGUMENTS.get(name, name)): value
        for name, value in request.items()
        if name not in _LEFT_OUT and name not in ("prompt", "messages") and not _is_absent(value)
    }
    if found.get("temperature") == 0:
        # Which is what pipelines call not to sample.
        del found["temperature"]
        found["do_sample"] = False
    if "stop" in found:
        found["stop_strings"] = list(found.pop("stop"))
    return found


def _is_absent(value: Any) -> bool:
    # Of columns that other rows have.
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124


def _prompt(pipeline: Any, task: str, request: Any, template: str | None) -> str:
    key = "messages" if task == CHAT else "prompt"
    value = request.get(key) if isinstance(request, dict) else request
    if task == CHAT and isinstance(value, (list, tuple)):
        messages = [{k: v for k, v in message.items() if v is not None} for message in value]
        prompt = pipeline.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return str(prompt)
    if not isinstance(value, str):
        raise invalid(f"Requests of the task {task} have '{key}', not {str(request)[:200]}")
    return str(prompted([value], template)[0])


def _generated(
    pipeline: Any, task: str, prompts: list[str], arguments: dict[str, Any], model: str
) -> list[dict[str, Any]]:
    arguments = {name: value for name, value in arguments.items() if name != "return_full_text"}
    if "stop_strings" in arguments:
        arguments["tokenizer"] = pipeline.tokenizer
    outputs = call(pipeline, prompts, **arguments, return_tensors=True)
    found = []
    for prompt, output in zip(prompts, outputs, strict=True):
        length = len(pipeline.tokenizer(prompt)["input_ids"])
        tokens = [choice["generated_token_ids"][length:] for choice in output]
        count = sum(map(len, tokens))
        found.append({
            "id": str(uuid.uuid4()),
            "object": "chat.completion" if task == CHAT else "text_completion",
            "created": int(time.time()),
            "model": model,
            "usage": {
                "prompt_tokens": length, "completion_tokens": count, "total_tokens": length + count,
            },
            "choices": [
                _choice(pipeline, task, index, one, arguments.get("max_new_tokens"))
                for index, one in enumerate(tokens)
            ],
        })  # fmt: skip
    return found


def _choice(pipeline: Any, task: str, index: int, tokens: Any, limit: int | None) -> dict[str, Any]:
    text = pipeline.tokenizer.decode(tokens, skip_special_tokens=True).strip()
    reason = "length" if limit and len(tokens) >= limit else "stop"
    said: dict[str, Any] = {"text": text}
    if task == CHAT:
        said = {"message": {"role": "assistant", "content": text}}
    return {"index": index, "finish_reason": reason, **said}


def _embeddings(pipeline: Any, requests: list[Any], config: dict[str, Any]) -> dict[str, Any]:
    texts = list(_inputs(requests))
    outputs = call(pipeline, texts, **config, return_tensors=True)
    data = [
        {"object": "embedding", "index": index, "embedding": output[0][0].numpy()}
        for index, output in enumerate(outputs)
    ]
    count = sum(len(pipeline.tokenizer(text)["input_ids"]) for text in texts)
    return {
        "object": "list", "data": data, "usage": {"prompt_tokens": count, "total_tokens": count},
    }  # fmt: skip


def _inputs(requests: list[Any]) -> Iterable[str]:
    for request in requests:
        value = request.get("input") if isinstance(request, dict) else request
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, (list, tuple)) or not all(isinstance(v, str) for v in values):
            raise invalid(f"Requests of embeddings have 'input', texts, not {str(request)[:200]}")
        yield from values
