"""The MLmodel file: reading, writing, and the model it describes."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml

from mlflow._doorway import attach
from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.models.example import load_serving_input, read_example, read_example_params
from mlflow.models.folder import MLMODEL_FILE_NAME, read_yaml, write_yaml
from mlflow.models.info import ModelInfo
from mlflow.models.record import record_model, saved_logged_model
from mlflow.models.signature import ModelSignature
from mlflow.models.source import local_model_folder
from mlflow.version import VERSION

if TYPE_CHECKING:
    from mlflow.entities.logged_models import LoggedModel

__all__ = ["MLMODEL_FILE_NAME", "Model", "ModelInfo", "get_model_info"]


def _new_uuid() -> str:
    return uuid.uuid4().hex


def _signature_of(parts: object) -> ModelSignature:
    if not isinstance(parts, dict):
        raise invalid("The `signature` of an MLmodel file is a mapping; this one is not.")
    try:
        return ModelSignature.from_dict(parts)
    except MlflowException:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise invalid(f"The signature of an MLmodel file cannot be read: {error}") from error


class Model:
    """A model as its MLmodel file describes it: flavors, signature, and where it came from.

    Args:
        artifact_path: the URI of its folder (in MLflow 2: its path within the run).
        run_id: the run it was logged in.
        utc_time_created: when, `YYYY-MM-DD HH:MM:SS.ffffff`; now when absent.
        flavors: flavor → configuration.
        signature: a ModelSignature.
        saved_input_example_info: where and how its input example is kept.
        model_uuid: an id, or a function that makes one; None for no id.
        mlflow_version: the version that wrote it.
        metadata: what its author says of it.
        model_size_bytes: the size of its files.
        resources: what serving it needs.
        env_vars: names of environment variables.
        auth_policy: how it authenticates.
        model_id: the id of its logged model.
        prompts: URIs of prompts it uses.
        kwargs: keys this version does not know; they are kept.
    """

    def __init__(
        self,
        artifact_path: str | None = None,
        run_id: str | None = None,
        utc_time_created: datetime | str | None = None,
        flavors: dict[str, Any] | None = None,
        signature: ModelSignature | None = None,
        saved_input_example_info: dict[str, Any] | None = None,
        model_uuid: str | Callable[[], str] | None = _new_uuid,
        mlflow_version: str | None = VERSION,
        metadata: dict[str, Any] | None = None,
        model_size_bytes: int | None = None,
        resources: Any = None,
        env_vars: list[str] | None = None,
        auth_policy: Any = None,
        model_id: str | None = None,
        prompts: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.run_id = run_id
        self.artifact_path = artifact_path
        moment = utc_time_created or datetime.now(UTC).replace(tzinfo=None)
        self.utc_time_created = str(moment)
        self.flavors = {} if flavors is None else flavors
        self.signature = signature
        self.saved_input_example_info = saved_input_example_info
        self.model_uuid = model_uuid() if callable(model_uuid) else model_uuid
        self.mlflow_version = mlflow_version
        self.metadata = metadata
        self.prompts = prompts
        self.model_id = model_id
        self.__dict__.update(kwargs)
        if model_size_bytes is not None:
            self.model_size_bytes: int | None = model_size_bytes
        if resources:
            self.resources = resources
        if env_vars:
            self.env_vars = env_vars
        if auth_policy:
            self.auth_policy = auth_policy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        # These keys are written only when they say something, and read as None otherwise.
        if name in ("model_size_bytes", "resources", "env_vars", "auth_policy"):
            return None
        if name in ("is_signature_from_type_hint", "type_hint_from_example"):
            return False
        raise AttributeError(f"'Model' object has no attribute '{name}'")

    # ---------------------------------------------------------------- schemas

    def get_input_schema(self) -> Any:
        """Return the schema of the inputs; None without a signature."""
        return self.signature.inputs if self.signature is not None else None

    def get_output_schema(self) -> Any:
        """Return the schema of the outputs; None without a signature."""
        return self.signature.outputs if self.signature is not None else None

    def get_params_schema(self) -> Any:
        """Return the schema of the params; None without a signature."""
        return getattr(self.signature, "params", None)

    # ---------------------------------------------------------------- example

    def load_input_example(self, path: str | None = None) -> Any:
        """Return the input example, without parameters; None without one.

        Args:
            path: the model's folder; where it was logged when absent.
        """
        return read_example(self, self._folder(path))

    def load_input_example_params(self, path: str | None = None) -> dict[str, Any] | None:
        """Return the parameters of the input example; None without any.

        Args:
            path: the model's folder; where it was logged when absent.
        """
        return read_example_params(self, self._folder(path))

    def get_serving_input(self, path: str | None = None) -> str | None:
        """Return the example as a request to a scoring server; None without one.

        Args:
            path: the model's folder; where it was logged when absent.
        """
        return load_serving_input(self, self._folder(path))

    def _folder(self, path: str | None) -> str:
        if path is not None:
            return local_model_folder(path)
        if self.model_id:
            return local_model_folder(f"models:/{self.model_id}")
        return local_model_folder(f"runs:/{self.run_id}/{self.artifact_path}")

    # ---------------------------------------------------------------- flavors

    def add_flavor(self, name: str, **params: Any) -> Model:
        """Say how a flavor loads this model.

        Args:
            name: the flavor.
            params: its configuration.

        Returns:
            This model.
        """
        self.flavors[name] = params
        return self

    # ---------------------------------------------------------------- content

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the MLmodel file."""
        content = dict(self.__dict__)
        for key in ("run_id", "artifact_path", "metadata", "saved_input_example_info"):
            if content.get(key) is None:
                content.pop(key, None)
        content.pop("signature", None)
        if self.signature is not None:
            content["signature"] = _readable_by_all(self.signature.to_dict())
            content.setdefault("is_signature_from_type_hint", False)
            content.setdefault("type_hint_from_example", False)
        else:
            content.pop("is_signature_from_type_hint", None)
            content.pop("type_hint_from_example", None)
        for key in ("resources", "auth_policy"):
            value = content.get(key)
            if value is not None and hasattr(value, "to_dict"):
                content[key] = value.to_dict()
        return content

    def get_tags_dict(self) -> dict[str, Any]:
        """Return what the history tag of MLflow 2 holds."""
        content = self.to_dict()
        for key in ("signature", "is_signature_from_type_hint", "type_hint_from_example",
                    "mlflow_version", "prompts", "model_id", "metadata"):  # fmt: skip
            content.pop(key, None)
        return content

    def to_yaml(self, stream: Any = None) -> Any:
        """Return the text of the MLmodel file, or write it to a stream."""
        return yaml.safe_dump(self.to_dict(), stream=stream, default_flow_style=False)

    def to_json(self) -> str:
        """Return the content as JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        return str(self.to_yaml())

    @classmethod
    def from_dict(cls, model_dict: dict[str, Any]) -> Model:
        """Return the model that the content of an MLmodel file describes.

        Args:
            model_dict: the content; keys that are not known are kept.

        Raises:
            MlflowException: the content is not a mapping, or its signature cannot be read.
        """
        if not isinstance(model_dict, dict):
            raise invalid("An MLmodel file holds a mapping; this one does not.")
        content = dict(model_dict)
        if not isinstance(content.get("flavors") or {}, dict):
            raise invalid("The `flavors` of an MLmodel file are a mapping; these are not.")
        for key in content:
            if key == "self" or callable(getattr(cls, str(key), None)):
                raise invalid(f"No MLmodel file has the key {key!r}; this one does.")
        signature = content.pop("signature", None)
        if signature is not None and not isinstance(signature, ModelSignature):
            signature = _signature_of(signature)
        if "model_uuid" not in content:
            content["model_uuid"] = None
        content.setdefault("mlflow_version", None)
        return cls(signature=signature, **{str(key): value for key, value in content.items()})

    # ---------------------------------------------------------------- storage

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the MLmodel file.

        Args:
            path: the file.
        """
        write_yaml(os.fspath(path), self.to_dict())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Read a model's MLmodel file.

        Args:
            path: the file, the model's folder, or the model's URI.

        Raises:
            MlflowException: there is none, or it cannot be read.
        """
        text = os.fspath(path)
        if not os.path.exists(text):
            text = local_model_folder(text, only=MLMODEL_FILE_NAME)
        if os.path.isdir(text):
            text = os.path.join(text, MLMODEL_FILE_NAME)
        if not os.path.isfile(text):
            raise not_found(
                f'Could not find an "{MLMODEL_FILE_NAME}" configuration file at "{text}"'
            )
        return cls.from_dict(read_yaml(text))

    @classmethod
    def log(
        cls,
        artifact_path: str | None,
        flavor: Any,
        registered_model_name: str | None = None,
        await_registration_for: int | None = 300,
        metadata: dict[str, Any] | None = None,
        run_id: str | None = None,
        resources: Any = None,
        auth_policy: Any = None,
        prompts: list[Any] | None = None,
        name: str | None = None,
        model_type: str | None = None,
        params: dict[str, Any] | None = None,
        tags: dict[str, Any] | None = None,
        step: int = 0,
        model_id: str | None = None,
        **kwargs: Any,
    ) -> ModelInfo:
        """Save a model with a flavor's `save_model` and log it.

        Args:
            artifact_path: the name, as MLflow 2 called it.
            flavor: the module whose `save_model(path=…, mlflow_model=…, **kwargs)` writes it.
            registered_model_name: register it as the next version of this model.
            await_registration_for: seconds to wait for the version; 0 or None not to wait.
            metadata: what its author says of it.
            run_id: the run; the active one when absent, no run when there is none.
            resources: what serving it needs.
            auth_policy: how it authenticates.
            prompts: URIs of prompts it uses.
            name: the name; made up when absent.
            model_type: a free description of its kind.
            params: params of the logged model; the run's are added.
            tags: tags of the logged model.
            step: the run's step it belongs to.
            model_id: log into a logged model that exists.
            kwargs: the flavor's own arguments.

        Returns:
            What was logged.

        Raises:
            MlflowException: both names are given, or what the flavor's `save_model` raises.
        """
        if name is not None and artifact_path is not None:
            raise invalid(
                "Both `artifact_path` (deprecated) and `name` parameters were specified. "
                "Please only specify `name`."
            )
        return record_model(
            cls,
            flavor,
            kwargs,
            name=name if name is not None else artifact_path,
            content={
                "metadata": metadata,
                "resources": resources,
                "auth_policy": auth_policy,
                "prompts": [str(getattr(p, "uri", p)) for p in prompts] if prompts else None,
            },
            run_id=run_id,
            registered_model_name=registered_model_name,
            await_registration_for=await_registration_for,
            model_type=model_type,
            params=params,
            tags=tags,
            step=step,
            model_id=model_id,
        )

    def get_model_info(self, logged_model: LoggedModel | None = None) -> ModelInfo:
        """Return what is told about this model.

        Args:
            logged_model: its logged model, when known.
        """
        if logged_model is None:
            logged_model = saved_logged_model(self.model_id)
        if self.model_id is not None:
            uri = f"models:/{self.model_id}"
        elif self.run_id and self.artifact_path:
            uri = f"runs:/{self.run_id}/{self.artifact_path}"
        else:
            uri = self.artifact_path or ""
        return ModelInfo(
            artifact_path=self.artifact_path or "",
            flavors=self.flavors,
            model_uri=uri,
            model_uuid=self.model_uuid or "",
            run_id=self.run_id,
            saved_input_example_info=self.saved_input_example_info,
            signature=self.signature,
            utc_time_created=self.utc_time_created,
            mlflow_version=self.mlflow_version or "",
            metadata=self.metadata,
            env_vars=self.env_vars,
            prompts=self.prompts,
            logged_model=logged_model,
        )


def _readable_by_all(signature: dict[str, Any]) -> dict[str, Any]:
    # MLflow 2.6 cannot read a column that says `required`; where it is absent, every version takes
    # the column for required.
    readable = dict(signature)
    for side in ("inputs", "outputs"):
        columns = json.loads(signature.get(side) or "null")
        if isinstance(columns, list) and any(c.get("required") is True for c in columns):
            for column in columns:
                if column.get("required") is True:
                    del column["required"]
            readable[side] = json.dumps(columns)
    return readable


def get_model_info(model_uri: str) -> ModelInfo:
    """Return what is told about a model that was logged or saved.

    Args:
        model_uri: its URI or folder.

    Returns:
        Its facts.

    Raises:
        MlflowException: there is no model.
    """
    return Model.load(model_uri).get_model_info()


# MLflow keeps it here; it is built on this module.
__getattr__, __dir__ = attach(__name__, {"update_model_requirements": "mlflow.models.amend"})
