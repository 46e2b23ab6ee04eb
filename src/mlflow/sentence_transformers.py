"""The sentence-transformers flavor: saving, logging and loading models that embed texts."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from mlflow.exceptions import invalid, not_found
from mlflow.models.deserialize import (
    code_allowed,
    require_code_allowed,
    require_no_pickles,
    unreadable,
)
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import FLAVORS, library_of
from mlflow.models.info import ModelInfo
from mlflow.models.llm_tasks import EMBEDDINGS, METADATA_KEY, metadata_with_task, signature_of
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.signature import ModelSignature
from mlflow.models.source import local_model_folder, model_path
from mlflow.version import VERSION

FLAVOR_NAME = "sentence_transformers"

SENTENCE_TRANSFORMERS_DATA_PATH, _MODULES_FILE = FLAVORS[FLAVOR_NAME].data.split("/")
_INFERENCE_CONFIG_FILE = "inference_config"
_COMPANIONS = ("numpy", "pandas")
# Modules that hold weights and numbers only; what others do is said by their configurations.
_PLAIN_MODULES = frozenset({"Dense", "Normalize", "Pooling", "Transformer"})
_ACTIVATION = re.compile(r"torch\.nn\.modules\.(activation|linear)\.[A-Z][A-Za-z0-9]*")
_SELF = sys.modules[__name__]


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned(name) for name in ("sentence-transformers", "transformers", "torch")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    task: str | None = None,
    inference_config: dict[str, Any] | None = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    conda_env: Any = None,
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
    **kwargs: Any,
) -> None:
    """Save a model of sentence-transformers.

    Args:
        model: a `SentenceTransformer`.
        path: the folder; new or empty.
        task: `llm/v1/embeddings` for a model that answers requests of that task.
        inference_config: kept with it, and, as in MLflow, not used by pyfunc.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        signature: its signature; inferred from the input example, or texts to numbers, when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        conda_env: its environment, instead of the inferred one.
        metadata: what its author says of it.
        extra_files: further files to keep with it.
        kwargs: accepted as in MLflow.

    Raises:
        MlflowException: it is no such model, the task is another, or the folder is taken.
    """
    del kwargs
    library = library_of(FLAVOR_NAME)
    if not isinstance(model, library.SentenceTransformer):
        raise invalid(f"A {type(model).__name__} is no SentenceTransformer.")
    if task is not None:
        if task != EMBEDDINGS:
            raise invalid(
                f"Received invalid parameter value for `task` argument {task}. Task type could "
                f"only be {EMBEDDINGS}"
            )
        metadata = metadata_with_task(task, metadata)
    folder = FlavorFolder(
        path,
        mlflow_model,
        signature=signature_of(task) if task and signature is None else signature,
        input_example=input_example,
        metadata=metadata,
        code_paths=code_paths,
        extra_files=extra_files,
        conda_env=conda_env,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
    )
    model.save(folder.file(SENTENCE_TRANSFORMERS_DATA_PATH))
    if inference_config:
        with open(folder.file(_INFERENCE_CONFIG_FILE), "w", encoding="utf-8") as file:
            json.dump(inference_config, file, indent=2)
    folder.add_loader(
        "mlflow.sentence_transformers",
        _SentenceTransformerModelWrapper(model, task).predict,
        data=SENTENCE_TRANSFORMERS_DATA_PATH,
        model_config={METADATA_KEY: task} if task else None,
    )
    if folder.model.signature is None and signature is None:
        folder.model.signature = _texts_to_numbers()
    folder.add_flavor(
        FLAVOR_NAME,
        sentence_transformers_version=installed_version("sentence-transformers"),
        **_origin(model),
    )
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def _texts_to_numbers() -> ModelSignature:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}
    return ModelSignature.from_dict({
        "inputs": json.dumps([{"type": "string", "required": True}]), "outputs": json.dumps([tensor]),
    })  # fmt: skip


def _origin(model: Any) -> dict[str, Any]:
    first = next(iter(model.children()), None)
    inner = getattr(first, "auto_model", None)
    if inner is None:
        return {}
    name = str(inner.name_or_path)
    return {
        "source_model_name": name,
        "pipeline_model_type": type(inner).__name__,
    }


def log_model(
    model: Any,
    artifact_path: str | None = None,
    task: str | None = None,
    inference_config: dict[str, Any] | None = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    conda_env: Any = None,
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
    prompts: list[Any] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log a model of sentence-transformers with the active run, or without one.

    Args:
        model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        task: see `save_model`.
        inference_config: see `save_model`.
        code_paths: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        conda_env: see `save_model`.
        metadata: see `save_model`.
        extra_files: see `save_model`.
        prompts: prompts that belong to it.
        name: the name.
        params: params of the logged model.
        tags: tags of the logged model.
        model_type: a free description of its kind.
        step: the run's step it belongs to.
        model_id: log into a logged model that exists.
        kwargs: `run_id`, `resources` and `auth_policy` of `Model.log`.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path,
        _SELF,
        model=model,
        task=task,
        inference_config=inference_config,
        code_paths=code_paths,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        conda_env=conda_env,
        metadata=metadata,
        extra_files=extra_files,
        prompts=prompts,
        name=name,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
        **kwargs,
    )


def load_model(model_uri: str, dst_path: str | None = None) -> Any:
    """Load a model of sentence-transformers as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The `SentenceTransformer`.

    Raises:
        MlflowException: there is no such model, it cannot be read, or the loader refuses what it
            would have to run.
    """
    folder = local_model_folder(model_uri, dst_path)
    return _model(model_path(folder, FLAVOR_NAME, "data", SENTENCE_TRANSFORMERS_DATA_PATH)[1])


def _model(path: str) -> Any:
    library = library_of(FLAVOR_NAME)
    if not os.path.isdir(path):
        raise not_found(f"The model's folder '{path}' is not there.")
    arguments: dict[str, Any] = {}
    if not code_allowed():
        require_no_pickles(path)
        _check_modules(path)
        arguments["model_kwargs"] = {"use_safetensors": True}
    try:
        return library.SentenceTransformer(path, trust_remote_code=code_allowed(), **arguments)
    except Exception as error:
        raise unreadable(path, error) from error


def _check_modules(path: str) -> None:
    file_path = os.path.join(path, _MODULES_FILE)
    modules = _read_json(file_path)
    for module in modules if isinstance(modules, list) else [None]:
        said = module if isinstance(module, dict) else {}
        kind, place = said.get("type"), said.get("path")
        words = str(kind).split(".")
        if words[0] != "sentence_transformers" or words[-1] not in _PLAIN_MODULES:
            require_code_allowed(f"a model with a module of the kind {kind}", file_path)
        if words[-1] == "Dense":
            file = os.path.join(path, str(place), "config.json")
            activation = str(_read_json(file).get("activation_function"))
            if not _ACTIVATION.fullmatch(activation):
                require_code_allowed(f"a layer with the activation {activation}", file)


def _read_json(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error) from error


def _load_pyfunc(
    path: str, model_config: dict[str, Any] | None = None
) -> _SentenceTransformerModelWrapper:
    return _SentenceTransformerModelWrapper(_model(path), (model_config or {}).get(METADATA_KEY))


class _SentenceTransformerModelWrapper:
    """A model of sentences as pyfunc calls it."""

    def __init__(self, model: Any, task: str | None = None) -> None:
        self.model = model
        self.task = task

    def get_raw_model(self) -> Any:
        """Return the model."""
        return self.model

    def predict(self, sentences: Any, params: dict[str, Any] | None = None) -> Any:
        """Return embeddings: one row of numbers a text, or the answer to a request.

        Args:
            sentences: a text, texts, or a DataFrame, whose first column counts.
            params: arguments of `encode`, such as `batch_size`.

        Raises:
            MlflowException: there are other things than texts, or `encode` does not know an
                argument.
        """
        texts = _texts(sentences)
        try:
            embeddings = self.model.encode(texts, **(params or {}))
        except (TypeError, ValueError) as error:
            if not params:
                raise
            raise invalid(
                f"Received invalid parameter value for `params` argument {params}: {error}"
            ) from error
        if not self.task:
            return embeddings
        count = sum(len(self.model.tokenizer(text)["input_ids"]) for text in texts)
        data = [
            {"object": "embedding", "index": index, "embedding": embedding}
            for index, embedding in enumerate(embeddings)
        ]
        usage = {"prompt_tokens": count, "total_tokens": count}
        return {"object": "list", "data": data, "usage": usage}


def _texts(data: Any) -> list[str]:
    if hasattr(data, "columns"):
        data = data[data.columns[0]]
    elif isinstance(data, dict):
        data = next(iter(data.values()), [])
    values = [data] if isinstance(data, str) else list(data)
    # A cell may hold several texts.
    flat = [text for value in values for text in (value if isinstance(value, list) else [value])]
    if not all(isinstance(text, str) for text in flat):
        raise invalid("Models of sentence-transformers embed texts; there is something else.")
    return flat
