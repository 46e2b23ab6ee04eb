"""The transformers flavor: saving, logging and loading pipelines as the library's own folders."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from typing import Any

from mlflow._doorway import attach
from mlflow.exceptions import invalid
from mlflow.models.amend import update_model
from mlflow.models.deserialize import code_allowed
from mlflow.models.flavor import FlavorFolder
from mlflow.models.folder import add_code_path, confined, flavor_configuration, read_yaml
from mlflow.models.info import ModelInfo
from mlflow.models.llm_tasks import TASK_PREFIX, metadata_with_task, signature_of
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import local_model_folder
from mlflow.transformers.autologging import autolog as autolog
from mlflow.transformers.loading import COMPONENTS_FOLDER, FLAVOR_NAME, parts_of, pipeline_of
from mlflow.transformers.saving import (
    LocalCheckpoint,
    checked_model,
    configuration,
    reference,
    write_card,
    write_parts,
)
from mlflow.transformers.served import check_served
from mlflow.transformers.tasks import task_of
from mlflow.transformers.wrapper import (
    _TransformersWrapper,
    check_template,
    plain_example,
)
from mlflow.transformers.wrapper import generate_signature_output as generate_signature_output
from mlflow.version import VERSION

_COMPANIONS = ("numpy", "pandas")
_RETURN_TYPES = ("pipeline", "components")
_OLD_SETTINGS_FILE = f"{COMPONENTS_FOLDER}/inference_config.txt"
_TEMPLATE_KEY = "prompt_template"
_SELF = sys.modules[__name__]
_logger = logging.getLogger(__name__)

__getattr__, __dir__ = attach(__name__, {})


def get_default_pip_requirements(model: Any = None) -> list[str]:
    """Return what models of this flavor need.

    Args:
        model: a model; those of other engines than PyTorch need their own.
    """
    del model  # the engines that were not PyTorch have left the library
    optional = [name for name in ("torchvision", "accelerate") if installed_version(name)]
    return [pinned(name) for name in ("transformers", "torch", *optional)]


def get_default_conda_env(model: Any = None) -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements(model)])


def save_model(
    transformers_model: Any,
    path: str | os.PathLike[str],
    processor: Any = None,
    task: str | None = None,
    torch_dtype: Any = None,
    model_card: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    conda_env: Any = None,
    metadata: dict[str, Any] | None = None,
    model_config: dict[str, Any] | None = None,
    prompt_template: str | None = None,
    save_pretrained: bool = True,
    base_model_path: str | None = None,
    **kwargs: Any,
) -> None:
    """Save a pipeline of transformers.

    Args:
        transformers_model: a pipeline, a dictionary of its parts (`model`, `tokenizer`,
            `image_processor`, `feature_extractor`), or the folder of a checkpoint.
        path: the folder; new or empty.
        processor: a processor of several kinds of data, kept with it.
        task: the pipeline's task, or one that it shall serve: `llm/v1/chat`,
            `llm/v1/completions`, `llm/v1/embeddings`.
        torch_dtype: the precision it is loaded with; the model's own when None.
        model_card: its card; the hub's when None.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        signature: its signature; inferred from the input example, or the task's, when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        conda_env: its environment, instead of the inferred one.
        metadata: what its author says of it.
        model_config: the arguments that pyfunc calls it with, such as `max_new_tokens`.
        prompt_template: a text with one place, `{prompt}`, into which pyfunc puts texts.
        save_pretrained: False to save a repository of the hub and its revision, not the weights.
        base_model_path: accepted as in MLflow, for adapters of PEFT.
        kwargs: accepted as in MLflow.

    Raises:
        MlflowException: it is no pipeline and makes none, the task is another's, or the folder is
            taken.
    """
    del kwargs
    pipeline = checked_model(transformers_model, task)
    is_checkpoint = isinstance(pipeline, LocalCheckpoint)
    _check_arguments(is_checkpoint, save_pretrained, base_model_path)
    check_template(prompt_template, pipeline.task)
    served = task if task is not None and task.startswith(TASK_PREFIX) else None
    if served:
        check_served(served, pipeline.task)
        metadata = metadata_with_task(served, metadata)
    if prompt_template is not None:
        metadata = {**(metadata or {}), _TEMPLATE_KEY: prompt_template}
        if pipeline.task == "text-generation":
            model_config = {"return_full_text": False, **(model_config or {})}
    folder = FlavorFolder(
        path,
        mlflow_model,
        signature=signature_of(served) if served and signature is None else signature,
        input_example=input_example if is_checkpoint else plain_example(pipeline, input_example),
        metadata=metadata,
        code_paths=code_paths,
        conda_env=conda_env,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
    )
    conf = configuration(pipeline, processor, torch_dtype)
    conf |= _write(folder.path, pipeline, processor, save_pretrained)
    write_card(folder.path, pipeline, model_card)
    if served:
        conf["inference_task"] = served
    if is_checkpoint:
        pipeline = pipeline_of(parts_of(folder.path, conf))
    _describe_loader(folder, pipeline, conf, model_config, prompt_template, signature)
    folder.add_flavor(FLAVOR_NAME, **conf)
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def _check_arguments(is_checkpoint: bool, save_pretrained: bool, base: str | None) -> None:
    if base is not None:
        raise invalid(
            "The `base_model_path` parameter is only supported for PEFT models. The provided model "
            "is not a PEFT model."
        )
    if is_checkpoint and not save_pretrained:
        raise invalid(
            "The `save_pretrained` argument must be set to True when logging a model from a local "
            "checkpoint. Please set `save_pretrained=True`."
        )


def _write(path: str, pipeline: Any, processor: Any, save_pretrained: bool) -> dict[str, Any]:
    referred = None if save_pretrained else reference(pipeline, processor)
    return referred or write_parts(path, pipeline, processor)


def _describe_loader(
    folder: FlavorFolder,
    pipeline: Any,
    conf: dict[str, Any],
    model_config: Any,
    template: str | None,
    signature: Any,
) -> None:
    task = task_of(pipeline)
    if task is None:
        _logger.warning(
            "pyfunc cannot predict with a %s: mlflow.transformers.load_model can load it, and "
            "mlflow.pyfunc.load_model and `mlflow models` cannot.", type(pipeline).__name__,
        )  # fmt: skip
        return
    wrapper = _TransformersWrapper(pipeline, conf, model_config, template)
    folder.add_loader("mlflow.transformers", wrapper.predict, model_config=model_config)
    if folder.model.signature is None and signature is None:
        folder.model.signature = task.signature


def log_model(
    transformers_model: Any,
    artifact_path: str | None = None,
    processor: Any = None,
    task: str | None = None,
    torch_dtype: Any = None,
    model_card: Any = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    conda_env: Any = None,
    metadata: dict[str, Any] | None = None,
    model_config: dict[str, Any] | None = None,
    prompt_template: str | None = None,
    save_pretrained: bool = True,
    prompts: list[Any] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    base_model_path: str | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log a pipeline of transformers with the active run, or without one.

    Args:
        transformers_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        processor: see `save_model`.
        task: see `save_model`.
        torch_dtype: see `save_model`.
        model_card: see `save_model`.
        code_paths: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        conda_env: see `save_model`.
        metadata: see `save_model`.
        model_config: see `save_model`.
        prompt_template: see `save_model`.
        save_pretrained: see `save_model`.
        prompts: prompts that belong to it.
        name: the name.
        params: params of the logged model.
        tags: tags of the logged model.
        model_type: a free description of its kind.
        step: the run's step it belongs to.
        model_id: log into a logged model that exists.
        base_model_path: see `save_model`.
        kwargs: `run_id`, `resources` and `auth_policy` of `Model.log`.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path,
        _SELF,
        transformers_model=transformers_model,
        processor=processor,
        task=task,
        torch_dtype=torch_dtype,
        model_card=model_card,
        code_paths=code_paths,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        conda_env=conda_env,
        metadata=metadata,
        model_config=model_config,
        prompt_template=prompt_template,
        save_pretrained=save_pretrained,
        prompts=prompts,
        name=name,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
        base_model_path=base_model_path,
        **kwargs,
    )


def load_model(
    model_uri: str,
    dst_path: str | None = None,
    return_type: str = "pipeline",
    device: Any = None,
    base_model_path: str | None = None,
    **kwargs: Any,
) -> Any:
    """Load a pipeline of transformers, or its parts.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.
        return_type: `pipeline`, or `components` for a dictionary of what makes it.
        device: where it predicts, such as `cpu`, `cuda:0` or a number.
        base_model_path: accepted as in MLflow, for adapters of PEFT.
        kwargs: further arguments of the pipeline, such as `torch_dtype`.

    Returns:
        The pipeline, or the dictionary.

    Raises:
        MlflowException: there is no such model, it cannot be read, or the loader refuses what it
            would have to run.
    """
    if return_type not in _RETURN_TYPES:
        raise invalid(
            f"The specified return_type mode '{return_type}' is unsupported. Please select one of: "
            "'pipeline' or 'components'."
        )
    del base_model_path
    folder = local_model_folder(model_uri, dst_path)
    parts = parts_of(folder, _configuration(folder), device, kwargs)
    return parts if return_type == "components" else pipeline_of(parts)


def _configuration(folder: str) -> dict[str, Any]:
    conf = flavor_configuration(folder, FLAVOR_NAME)
    if conf.get("code") and code_allowed():
        add_code_path(confined(folder, conf["code"], "The code folder"))
    return conf


def persist_pretrained_model(model_uri: str) -> None:
    """Put the weights of a model that refers to the hub beside its MLmodel.

    Args:
        model_uri: the model; not a registered version, which does not change.

    Raises:
        MlflowException: it is a registered version, or its repository cannot be read.
    """

    def persist(model: Model, folder: str) -> None:
        conf = model.flavors.get(FLAVOR_NAME)
        if not isinstance(conf, dict):
            raise invalid(f"'{model_uri}' is no model of the flavor '{FLAVOR_NAME}'.")
        if conf.get("model_binary"):
            _logger.info("The weights of '%s' lie beside it already.", model_uri)
            return
        parts = parts_of(folder, conf)
        processor = parts.pop("processor", None)
        kept = {
            name: value
            for name, value in conf.items()
            if not name.endswith("_revision") and (name == "source_model_name" or not name.endswith("_name"))
        }  # fmt: skip
        kept |= write_parts(folder, pipeline_of(parts), processor)
        model.flavors[FLAVOR_NAME] = kept

    with tempfile.TemporaryDirectory() as folder:
        update_model(model_uri, folder, persist)


def _load_pyfunc(path: str, model_config: dict[str, Any] | None = None) -> _TransformersWrapper:
    conf = _configuration(path)
    model = Model.load(path)
    template = conf.get(_TEMPLATE_KEY) or (model.metadata or {}).get(_TEMPLATE_KEY)
    pipeline = pipeline_of(_without_processor(parts_of(path, conf)))
    check_template(template, pipeline.task)
    return _TransformersWrapper(
        pipeline, conf, {**_old_settings(path), **(model_config or {})}, template
    )


def _old_settings(path: str) -> dict[str, Any]:
    # MLflow before 2.7 kept them in a file of their own.
    file_path = os.path.join(path, _OLD_SETTINGS_FILE)
    if not os.path.isfile(file_path):
        return {}
    found = read_yaml(file_path)
    if not isinstance(found, dict):
        raise invalid(f"'{file_path}' holds no arguments of a pipeline.")
    return found


def _without_processor(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if name != "processor"}
