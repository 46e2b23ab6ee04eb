"""What is told about a model that was logged: the answer of every `log_model`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.run import Metric
    from mlflow.models.signature import ModelSignature


class ModelInfo:
    """The facts of a logged or saved model; all are attributes."""

    def __init__(
        self,
        artifact_path: str,
        flavors: dict[str, Any],
        model_uri: str,
        model_uuid: str,
        run_id: str | None,
        saved_input_example_info: dict[str, Any] | None,
        signature: ModelSignature | None,
        utc_time_created: str,
        mlflow_version: str,
        metadata: dict[str, Any] | None = None,
        registered_model_version: int | None = None,
        env_vars: list[str] | None = None,
        prompts: list[str] | None = None,
        logged_model: LoggedModel | None = None,
    ) -> None:
        self._artifact_path = artifact_path
        self._flavors = flavors
        self._model_uri = model_uri
        self._model_uuid = model_uuid
        self._run_id = run_id
        self._saved_input_example_info = saved_input_example_info
        self._signature = signature
        self._utc_time_created = utc_time_created
        self._mlflow_version = mlflow_version
        self._metadata = metadata
        self._registered_model_version = registered_model_version
        self._env_vars = env_vars
        self._prompts = prompts
        self._logged_model = logged_model

    @property
    def artifact_path(self) -> str:
        """Where the model's folder is."""
        return self._artifact_path

    @property
    def flavors(self) -> dict[str, Any]:
        """The flavors and what the MLmodel says of each."""
        return self._flavors

    @property
    def model_uri(self) -> str:
        """The URI to load it by."""
        return self._model_uri

    @property
    def model_uuid(self) -> str:
        """The id in its MLmodel."""
        return self._model_uuid

    @property
    def run_id(self) -> str | None:
        """The run it was logged in; None without one."""
        return self._run_id

    @property
    def saved_input_example_info(self) -> dict[str, Any] | None:
        """Where and how its input example is kept."""
        return self._saved_input_example_info

    @property
    def signature(self) -> ModelSignature | None:
        """Its signature."""
        return self._signature

    @property
    def utc_time_created(self) -> str:
        """When it was made."""
        return self._utc_time_created

    @property
    def mlflow_version(self) -> str:
        """The version of MLflow it was written for."""
        return self._mlflow_version

    @property
    def env_vars(self) -> list[str] | None:
        """Names of environment variables seen while it was logged."""
        return self._env_vars

    @env_vars.setter
    def env_vars(self, value: list[str] | None) -> None:
        if value and not all(isinstance(name, str) for name in value):
            raise TypeError(f"env_vars must be a list of strings. Got: {value}")
        self._env_vars = value

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What its author said of it."""
        return self._metadata

    @property
    def prompts(self) -> list[str] | None:
        """URIs of the prompts it uses."""
        return self._prompts

    @property
    def registered_model_version(self) -> int | None:
        """The version it was registered as while it was logged."""
        return self._registered_model_version

    @property
    def model_id(self) -> str | None:
        """The id of its logged model; None for a folder that was only saved."""
        return self._logged_model.model_id if self._logged_model else None

    @property
    def metrics(self) -> list[Metric] | None:
        """The metrics of its logged model."""
        return self._logged_model.metrics if self._logged_model else None

    @property
    def params(self) -> dict[str, str] | None:
        """The params of its logged model."""
        return self._logged_model.params if self._logged_model else None

    @property
    def tags(self) -> dict[str, str] | None:
        """The tags of its logged model."""
        return self._logged_model.tags if self._logged_model else None

    @property
    def creation_timestamp(self) -> int | None:
        """When its logged model was made, ms."""
        return self._logged_model.creation_timestamp if self._logged_model else None

    @property
    def name(self) -> str | None:
        """The name of its logged model."""
        return self._logged_model.name if self._logged_model else None
