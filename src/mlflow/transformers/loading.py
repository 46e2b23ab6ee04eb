"""Reading the parts of a pipeline: from the folder of a model, or from where the folder refers to."""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from mlflow.environment_variables import (
    MLFLOW_DEFAULT_PREDICTION_DEVICE,
    MLFLOW_HUGGINGFACE_DEVICE_MAP_STRATEGY,
    MLFLOW_HUGGINGFACE_USE_DEVICE_MAP,
)
from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.models.deserialize import (
    code_allowed,
    require_code_allowed,
    require_no_pickles,
    unreadable,
)
from mlflow.models.flavors import FLAVORS, library_of
from mlflow.models.folder import confined

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAVOR_NAME = "transformers"

MODEL_FOLDER = FLAVORS[FLAVOR_NAME].data.split("/", maxsplit=1)[0]
COMPONENTS_FOLDER = "components"
PROCESSOR = "processor"
# A part of a pipeline → what its class must be derived from. They are kept in this order.
COMPONENTS = {
    "feature_extractor": "FeatureExtractionMixin",
    "tokenizer": "PreTrainedTokenizerBase",
    "image_processor": "ImageProcessingMixin",
}
_BASES = {**COMPONENTS, PROCESSOR: "ProcessorMixin", "model": "PreTrainedModel"}
# What reads parts whose class is none of the library's.
_READERS = {
    "feature_extractor": "AutoFeatureExtractor",
    "tokenizer": "AutoTokenizer",
    "image_processor": "AutoImageProcessor",
    PROCESSOR: "AutoProcessor",
}
# `name` or `owner/name` of a repository; no path.
_REPOSITORY = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)?")
_REVISION = re.compile(r"[\w.-]{1,100}")


def parts_of(
    path: str, conf: dict[str, Any], device: Any = None, arguments: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the parts of a pipeline, as `transformers.pipeline` takes them.

    Args:
        path: the model's folder.
        conf: what its MLmodel says of the flavor.
        device: where it predicts.
        arguments: further arguments of the pipeline, such as `torch_dtype`.

    Raises:
        MlflowException: a part is missing, cannot be read, or the loader refuses what it would
            have to run.
    """
    given = dict(arguments or {})
    dtype = given.pop("torch_dtype", None) or given.pop("dtype", None) or _dtype(conf)
    found: dict[str, Any] = {"task": str(conf.get("task") or "")}
    if conf.get("framework") is not None and _major_version() < 5:
        found["framework"] = conf["framework"]
    more: dict[str, Any] = {} if dtype is None else {_dtype_name(): dtype}
    found.update(more)
    if MLFLOW_HUGGINGFACE_USE_DEVICE_MAP.get() and device is None:
        more["device_map"] = MLFLOW_HUGGINGFACE_DEVICE_MAP_STRATEGY.get()
    elif (device := _device(device)) is not None:
        found["device"] = device
    found["model"] = _model(path, conf, more)
    names = conf.get("components") or []
    for name in names if isinstance(names, list) else [names]:
        if name not in COMPONENTS:
            raise invalid(f"The model at '{path}' has a part that no pipeline has: {name!r}.")
        found[name] = _component(path, conf, name)
    if conf.get(f"{PROCESSOR}_type"):
        found[PROCESSOR] = _component(path, conf, PROCESSOR)
    return {**found, **given}


def _device(device: Any) -> Any:
    if device is not None:
        return device
    named = MLFLOW_DEFAULT_PREDICTION_DEVICE.get()
    if named is None:
        return None
    return int(named) if re.fullmatch(r"-?\d+", named) else named


def _model(path: str, conf: dict[str, Any], more: dict[str, Any]) -> Any:
    if conf.get("peft_adaptor"):
        raise invalid(
            f"The model at '{path}' is an adapter of PEFT, which this version does not load."
        )
    source, revision = _place(path, conf, "model", MODEL_FOLDER, "model_binary")
    if not code_allowed():
        # Configurations can name code to be fetched.
        require_no_pickles(source)
        more = {**more, "use_safetensors": True}
        _check_configuration(source)
    name = conf.get("pipeline_model_type")
    with _reading(source):
        kind = _class(name, "model") or _own_class(source, name)
        return kind.from_pretrained(source, **revision, **more)


def _component(path: str, conf: dict[str, Any], name: str) -> Any:
    source, revision = _place(path, conf, name, f"{COMPONENTS_FOLDER}/{name}", None)
    kind = _class(conf.get(f"{name}_type"), name)
    with _reading(source):
        if kind is None:
            require_code_allowed(f"a {name} of a class of its own", source)
            kind = getattr(library_of(FLAVOR_NAME), _READERS[name])
        # Only classes of the library are looked up here; what they look up inside may be others.
        return kind.from_pretrained(source, **revision, trust_remote_code=code_allowed())


def _place(
    path: str, conf: dict[str, Any], part: str, folder: str, key: str | None
) -> tuple[str, dict[str, str]]:
    if conf.get("model_binary"):
        named = conf.get(key) if key else None
        source = confined(path, named or folder, f"The {part}")
        if not os.path.isdir(source):
            raise not_found(f"The model's folder '{source}' is not there.")
        return source, {}
    prefix = "source_model" if part == "model" else part
    name, revision = conf.get(f"{prefix}_name"), conf.get(f"{prefix}_revision")
    if not isinstance(name, str) or not _REPOSITORY.fullmatch(name):
        raise invalid(f"The model at '{path}' refers to a {part} that is no repository: {name!r}.")
    if not isinstance(revision, str) or not _REVISION.fullmatch(revision):
        raise invalid(f"The model at '{path}' names no revision of its {part}: {revision!r}.")
    return name, {"revision": revision}


def _class(name: object, part: str) -> Any:
    """Return a class of the library; None when it has none of this name."""
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
        raise invalid(f"A model's {part} is of a class that is none: {name!r}.")
    transformers = library_of(FLAVOR_NAME)
    found = getattr(transformers, name, None)
    if found is None:
        return None
    base = getattr(transformers, _BASES[part])
    if not isinstance(found, type) or not issubclass(found, base):
        raise invalid(f"transformers.{name} is no class of a {part}.")
    return found


def _own_class(source: str, name: Any) -> Any:
    require_code_allowed(f"a model of the class {name}, whose code comes with it", source)
    transformers = library_of(FLAVOR_NAME)
    config = transformers.AutoConfig.from_pretrained(source, trust_remote_code=True)
    known = getattr(config, "auto_map", None) or {}
    auto = next((k for k, v in known.items() if str(v).rpartition(".")[2] == name), "AutoModel")

    class _Own:
        @staticmethod
        def from_pretrained(place: str, **arguments: Any) -> Any:
            kind = getattr(transformers, auto)
            return kind.from_pretrained(place, trust_remote_code=True, **arguments)

    return _Own


def _check_configuration(source: str) -> None:
    file_path = os.path.join(source, "config.json")
    if not os.path.isfile(file_path):
        return
    try:
        with open(file_path, encoding="utf-8") as file:
            config = json.load(file)
    except (ValueError, RecursionError) as error:
        raise unreadable(file_path, error) from error
    if not isinstance(config, dict):
        raise invalid(f"'{file_path}' holds no configuration.")
    for key in ("attn_implementation", "_attn_implementation", "experts_implementation"):
        if "/" in str(config.get(key)):
            require_code_allowed(f"a configuration whose {key} is fetched", file_path)
    if config.get("custom_pipelines"):
        require_code_allowed("a configuration with pipelines of its own", file_path)


@contextlib.contextmanager
def _reading(source: str) -> Iterator[None]:
    try:
        yield
    except MlflowException:
        raise
    except Exception as error:
        raise unreadable(source, error) from error


# ------------------------------------------------------------------- precision


def dtype_name(dtype: Any) -> str | None:
    """Return a precision as MLmodel files say it."""
    return None if dtype is None else str(dtype)


def _dtype(conf: dict[str, Any]) -> Any:
    name = conf.get("torch_dtype")
    if not name or conf.get("framework", "pt") != "pt":
        return None
    torch = library_of("pytorch")
    found = getattr(torch, str(name).removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise invalid(f"The model is of a precision that PyTorch does not know: {name!r}.")
    return found


def _dtype_name() -> str:
    # Renamed in 4.56; the old name has been deprecated since.
    version = library_of(FLAVOR_NAME).__version__
    major, minor = (int(number) for number in version.split(".")[:2])
    return "dtype" if (major, minor) >= (4, 56) else "torch_dtype"


def _major_version() -> int:
    return int(library_of(FLAVOR_NAME).__version__.split(".")[0])


def pipeline_of(parts: dict[str, Any]) -> Any:
    """Return the pipeline of parts.

    Args:
        parts: what `parts_of` returned.

    Raises:
        MlflowException: they make none.
    """
    transformers = library_of(FLAVOR_NAME)
    task = parts.get("task") or None
    try:
        return transformers.pipeline(**{**parts, "task": task}, trust_remote_code=code_allowed())
    except Exception as error:
        raise invalid(
            "The provided model configuration cannot be created as a Pipeline. Please verify that "
            f"all required and compatible components are specified with the correct keys. ({error})"
        ) from error
