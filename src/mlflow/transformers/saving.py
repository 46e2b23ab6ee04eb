"""Writing the parts of a pipeline into the folder of a model, and what its MLmodel says of them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from typing import Any

from mlflow.environment_variables import MLFLOW_HUGGINGFACE_MODEL_MAX_SHARD_SIZE
from mlflow.exceptions import MlflowException, invalid
from mlflow.models.flavors import library_of
from mlflow.models.packages import installed_version
from mlflow.transformers.loading import (
    COMPONENTS,
    COMPONENTS_FOLDER,
    FLAVOR_NAME,
    MODEL_FOLDER,
    PROCESSOR,
    dtype_name,
    pipeline_of,
)
from mlflow.transformers.served import pipeline_task

_CARD_FILE, _CARD_DATA_FILE, _LICENSE_FILE = "model_card.md", "model_card_data.yaml", "LICENSE.txt"
_PARTS = {"model", "torch_dtype", *COMPONENTS}
_logger = logging.getLogger("mlflow.transformers")


class LocalCheckpoint:
    """A folder that `save_pretrained` wrote, in the place of a pipeline.

    Args:
        path: the folder.
        task: the task of its pipeline.

    Raises:
        MlflowException: it is no such folder.
    """

    def __init__(self, path: str, task: str | None) -> None:
        config = os.path.join(path, "config.json")
        if not os.path.isfile(config):
            raise invalid(
                f"The provided directory {path} does not contain a config.json file. Please ensure "
                "that the directory contains a valid transformers model checkpoint."
            )
        if not task:
            raise invalid(
                "The `task` argument must be specified when logging a model from a local "
                "checkpoint. Please provide the task type of the pipeline."
            )
        with open(config, encoding="utf-8") as file:
            self.model_type = (json.load(file).get("architectures") or [None])[0]
        self.path, self.task = path, task

    def parts(self) -> dict[str, Any]:
        """Return the parts beside the model that lie in the folder."""
        transformers = library_of(FLAVOR_NAME)
        found = {}
        if os.path.isfile(os.path.join(self.path, "tokenizer_config.json")):
            found["tokenizer"] = transformers.AutoTokenizer.from_pretrained(self.path)
        preprocessor = os.path.join(self.path, "preprocessor_config.json")
        if os.path.isfile(preprocessor):
            with open(preprocessor, encoding="utf-8") as file:
                said = json.load(file)
            if "feature_extractor_type" in said:
                kind = transformers.AutoFeatureExtractor
                found["feature_extractor"] = kind.from_pretrained(self.path)
            else:
                kind = transformers.AutoImageProcessor
                found["image_processor"] = kind.from_pretrained(self.path)
        return found


def checked_model(transformers_model: Any, task: str | None) -> Any:
    """Return the pipeline (or the checkpoint) of what a user gave.

    Args:
        transformers_model: a pipeline, its parts in a dictionary, or the folder of a checkpoint.
        task: the task, of a pipeline or served.

    Raises:
        MlflowException: it is nothing of the kind.
    """
    transformers = library_of(FLAVOR_NAME)
    task = pipeline_task(task) or task
    if isinstance(transformers_model, (str, os.PathLike)):
        return LocalCheckpoint(os.fspath(transformers_model), task)
    if isinstance(transformers_model, transformers.Pipeline):
        _check_not_adapted(transformers_model.model)
        return transformers_model
    if not isinstance(transformers_model, dict):
        raise invalid(
            "The `transformers_model` must be one of the following types: \n (1) a transformers "
            "Pipeline\n (2) a dictionary of components for a transformers Pipeline\n (3) a path to "
            "a local/DBFS directory containing a transformers model checkpoint.\nreceived: "
            f"{type(transformers_model)}"
        )
    unknown = sorted(set(transformers_model) - _PARTS)
    if unknown:
        raise invalid(
            "Invalid dictionary submitted for 'transformers_model'. The key(s) "
            f"{unknown} are not permitted. Must be one of: {sorted(_PARTS)}"
        )
    if "model" not in transformers_model:
        raise invalid("The 'transformers_model' dictionary must have an entry for model")
    model = transformers_model["model"]
    if not hasattr(model, "name_or_path"):
        raise invalid(
            f"The submitted model type {type(model).__name__} does not inherit from a transformers "
            "pre-trained model. It is missing the attribute 'name_or_path'. Please verify that the "
            "model is a supported transformers model."
        )
    _check_not_adapted(model)
    return pipeline_of({**transformers_model, "task": task or _task_of_hub(model.name_or_path)})


def _check_not_adapted(model: Any) -> None:
    if type(model).__module__.partition(".")[0] == "peft":
        raise invalid(
            "Adapters of PEFT are not saved by this version. Merge them into the model first, with "
            "`merge_and_unload()`."
        )


def _task_of_hub(name: str) -> str:
    try:
        if name and not os.path.isdir(name):
            return str(library_of(FLAVOR_NAME, "transformers.pipelines").get_task(name))
    except Exception as error:  # noqa: BLE001 - whatever it is, the task has to be said
        _logger.debug("The hub does not tell the task of '%s': %s", name, error)
    raise invalid(
        "The task could not be inferred from the model. If you are saving a custom local model "
        "that is not available in the Hugging Face hub, please provide the `task` argument to the "
        "`log_model` or `save_model` function."
    )


def configuration(pipeline: Any, processor: Any, torch_dtype: Any) -> dict[str, Any]:
    """Return what the MLmodel says of a pipeline, without where its parts lie.

    Args:
        pipeline: a pipeline, or a `LocalCheckpoint`.
        processor: its processor, if it comes with one.
        torch_dtype: the precision to load it with; the model's own when None.
    """
    framework: str | None = "pt"
    if isinstance(pipeline, LocalCheckpoint):
        parts, name = pipeline.parts(), pipeline.path
        model_type, dtype, kind = pipeline.model_type, torch_dtype, _pipeline_class(pipeline.task)
    else:
        parts, model = components(pipeline), pipeline.model
        name, model_type = str(model.name_or_path), type(model).__name__
        dtype = torch_dtype or getattr(model, "dtype", None)
        kind, framework = type(pipeline).__name__, getattr(pipeline, "framework", None)
    conf = {
        "task": pipeline.task,
        "instance_type": kind,
        "framework": framework,
        "torch_dtype": dtype_name(dtype),
        "pipeline_model_type": model_type,
        "source_model_name": name,
        "transformers_version": installed_version("transformers"),
        "components": list(parts),
        **{f"{part}_type": type(value).__name__ for part, value in parts.items()},
    }
    if processor is not None:
        conf[f"{PROCESSOR}_type"] = type(processor).__name__
    return conf


def _pipeline_class(task: str) -> str:
    pipelines = library_of(FLAVOR_NAME, "transformers.pipelines")
    try:
        return str(pipelines.check_task(task)[1]["impl"].__name__)
    except KeyError as error:
        raise invalid(f"There is no pipeline for the task {task!r}: {error}") from error


def components(pipeline: Any) -> dict[str, Any]:
    """Return the parts of a pipeline beside its model."""
    found = {name: getattr(pipeline, name, None) for name in COMPONENTS}
    return {name: part for name, part in found.items() if part is not None}


def write_parts(path: str, pipeline: Any, processor: Any = None) -> dict[str, Any]:
    """Write the weights and the other parts of a pipeline.

    Args:
        path: the model's folder.
        pipeline: a pipeline, or a `LocalCheckpoint`.
        processor: its processor.

    Returns:
        What the MLmodel says of where they lie.
    """
    target = os.path.join(path, MODEL_FOLDER)
    if isinstance(pipeline, LocalCheckpoint):
        shutil.copytree(pipeline.path, target)
        parts = pipeline.parts()
    else:
        size = MLFLOW_HUGGINGFACE_MODEL_MAX_SHARD_SIZE.get()
        pipeline.model.save_pretrained(target, max_shard_size=size)
        parts = components(pipeline)
    if processor is not None:
        parts[PROCESSOR] = processor
    for name, part in parts.items():
        part.save_pretrained(os.path.join(path, COMPONENTS_FOLDER, name))
    return {"model_binary": MODEL_FOLDER}


def reference(pipeline: Any, processor: Any = None) -> dict[str, Any] | None:
    """Return what the MLmodel says of parts that stay in the hub.

    Args:
        pipeline: a pipeline.
        processor: its processor.

    Returns:
        The names and revisions of its repositories; None, with a warning, when it comes from none.
    """
    found: dict[str, Any] = {}
    parts = {**components(pipeline), **({PROCESSOR: processor} if processor is not None else {})}
    for part, value in {"source_model": pipeline.model, **parts}.items():
        name = getattr(value, "name_or_path", None) or pipeline.model.name_or_path
        revision = _revision(name, value if part == "source_model" else pipeline.model)
        if revision is None:
            _logger.warning(
                "The %s does not come from a repository of the hub; its weights are saved, though "
                "`save_pretrained` is False.", part,
            )  # fmt: skip
            return None
        found |= {f"{part}_name": name, f"{part}_revision": revision}
    return found


def _revision(name: str, model: Any) -> str | None:
    if not name or os.path.exists(name):
        return None
    # What was loaded, not what the repository has become since.
    known = getattr(getattr(model, "config", None), "_commit_hash", None)
    if known and model.name_or_path == name:
        return str(known)
    hub = library_of(FLAVOR_NAME, "huggingface_hub")
    try:
        return str(hub.model_info(name).sha)
    except Exception as error:
        raise MlflowException(
            f"The revision of '{name}' cannot be asked of the hub: {error}. Save the weights with "
            "the model: `save_pretrained=True`."
        ) from error


# ------------------------------------------------------------ cards and licences


def write_card(path: str, pipeline: Any, card: Any) -> None:
    """Write the card of a model and its licence; what cannot be found is left out.

    Args:
        path: the model's folder.
        pipeline: a pipeline, or a `LocalCheckpoint`.
        card: the card that a user gave; the hub's when None.
    """
    name = pipeline.path if isinstance(pipeline, LocalCheckpoint) else pipeline.model.name_or_path
    is_local = not name or os.path.exists(name)
    if card is None and not is_local:
        card = _card_of_hub(name)
    data: Any = None
    if card is not None:
        data = card.data
        _write(path, _CARD_FILE, card.text)
        _write(path, _CARD_DATA_FILE, data.to_yaml())
    licence = None if is_local else _licence_of_hub(name)
    if licence is not None:
        shutil.copyfile(licence, os.path.join(path, _LICENSE_FILE))
        return
    said = getattr(data, "license", None)
    _write(path, _LICENSE_FILE, (
        f"No file with the licence of '{name}' was found. Its terms are those of the repository it "
        f"comes from.\n{f'Its card says: {said!r}.' if said else 'Its card says none.'}\n"
    ))  # fmt: skip


def _card_of_hub(name: str) -> Any:
    with contextlib.suppress(Exception):
        return library_of(FLAVOR_NAME, "huggingface_hub").ModelCard.load(name)
    _logger.warning("The model card of '%s' cannot be had from the hub.", name)
    return None


def _licence_of_hub(name: str) -> str | None:
    hub = library_of(FLAVOR_NAME, "huggingface_hub")
    with contextlib.suppress(Exception):
        names = [file for file in hub.list_repo_files(name) if file.upper().startswith("LICENSE")]
        if names:
            return str(hub.hf_hub_download(name, names[0]))
    return None


def _write(path: str, name: str, text: str) -> None:
    with open(os.path.join(path, name), "w", encoding="utf-8") as file:
        file.write(text)
