"""The client's operations on registered models and their versions."""

from __future__ import annotations

from time import monotonic, sleep

from mlflow.entities.registry import ModelVersionStatus, ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException, invalid
from mlflow.store.artifact.locate import parse_models_uri, source_of
from mlflow.tracking import active

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.registry import ModelVersion, RegisteredModel
    from mlflow.store.base import AbstractStore

DEFAULT_AWAIT_SECONDS = 300


class ModelRegistry:
    """Operations on registered models and versions; a part of `MlflowClient`."""

    _store: AbstractStore
    _registry_uri: str

    @property
    def tracking_uri(self) -> str:
        """Where the runs are kept; the client says."""
        raise NotImplementedError

    @property
    def _registry(self) -> AbstractStore:
        return active.registry_store(self._registry_uri, self.tracking_uri)

    # --- registered models -------------------------------------------------------------------

    def create_registered_model(
        self,
        name: str,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Make a registered model.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_ALREADY_EXISTS.
        """
        found = [RegisteredModelTag(key, str(value)) for key, value in (tags or {}).items()]
        return self._registry.create_registered_model(name, found, description, deployment_job_id)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return a registered model with tags, aliases, and the newest version of each stage.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        return self._registry.get_registered_model(name)

    def update_registered_model(
        self, name: str, description: str | None = None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        """Change the description.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE without one; RESOURCE_DOES_NOT_EXIST.
        """
        if description is None and deployment_job_id is None:
            raise invalid("Attempting to update registered model with no new field values.")
        return self._registry.update_registered_model(name, description, deployment_job_id)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Change the name; versions, tags and aliases follow.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST;
                RESOURCE_ALREADY_EXISTS.
        """
        return self._registry.rename_registered_model(name, new_name)

    def delete_registered_model(self, name: str) -> None:
        """Remove a registered model with all its versions.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._registry.delete_registered_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Return one page of the registered models that match; by name by default.

        Args:
            filter_string: such as `name LIKE 'wine%' AND tags.team = 'a'`.
            max_results: the size of the page.
            order_by: such as `["last_updated_timestamp DESC"]`.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        return self._registry.search_registered_models(
            filter_string, max_results, order_by, page_token
        )

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        """Set a tag of a registered model.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._registry.set_registered_model_tag(name, RegisteredModelTag(key, str(value)))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a registered model, if it is there.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the model.
        """
        self._registry.delete_registered_model_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version, wherever it pointed before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._registry.set_registered_model_alias(name, alias, str(version))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias, if it is there.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the model.
        """
        self._registry.delete_registered_model_alias(name, alias)

    # --- versions ----------------------------------------------------------------------------

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: dict[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int | None = DEFAULT_AWAIT_SECONDS,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Make the next version of a registered model.

        Args:
            name: the registered model.
            source: the URI of the model's folder: `runs:/…`, `models:/m-…`, a path and so on.
            run_id: the run that made it.
            tags: its first tags.
            run_link: a link to the run, elsewhere.
            description: free text.
            await_creation_for: seconds to wait until it is ready; None or 0 not to wait.
            model_id: the logged model it is.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        found = [ModelVersionTag(key, str(value)) for key, value in (tags or {}).items()]
        place, produced = source_of(source, self._store)
        version = self._registry.create_model_version(
            name, place, run_id, found, run_link, description, None, model_id or produced
        )
        if await_creation_for:
            version = self._await(version, await_creation_for)
        return version

    def _await(self, version: ModelVersion, seconds: float) -> ModelVersion:
        """Wait for a store that makes versions ready by and by."""
        last, pause = monotonic() + seconds, 0.05
        while version.status == ModelVersionStatus.PENDING_REGISTRATION:
            if monotonic() >= last:
                raise MlflowException(
                    f"Exceeded max wait time for model name: {version.name} version: "
                    f"{version.version} to become READY. Wait Time: {seconds}"
                )
            sleep(pause)
            pause = min(2 * pause, 3)
            version = self._registry.get_model_version(version.name, version.version)
        if version.status != ModelVersionStatus.READY:
            raise MlflowException(
                f"Model version creation failed for model name: {version.name} version: "
                f"{version.version} with status: {version.status} and message: "
                f"{version.status_message}"
            )
        return version

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Make a version of another registered model from an existing one.

        Args:
            src_model_uri: `models:/name/version`, `models:/name@alias` and so on.
            dst_name: the registered model to add to; made if missing.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        wanted = parse_models_uri(src_model_uri)
        if wanted.name is None:
            raise invalid(
                f"Unsupported source model URI: '{src_model_uri}'. The `copy_model_version` API "
                "only copies models stored in the 'models:/' scheme."
            )
        registry = self._registry
        source = registry.get_model_version(wanted.name, wanted.version_in(registry))
        return registry.copy_model_version(source, dst_name)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        """Return a version.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        return self._registry.get_model_version(name, version)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias points at; `latest` is the highest number.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for an unknown alias;
                RESOURCE_DOES_NOT_EXIST for the model.
        """
        return self._registry.get_model_version_by_alias(name, alias)

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Return where the files of a version are.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        return self._registry.get_model_version_download_uri(name, version)

    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        """Return the newest version of each stage, or of the stages asked for.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        return self._registry.get_latest_versions(name, stages)

    def get_model_version_stages(self, name: str, version: str) -> list[str]:
        """Return the stages that a version can be in."""
        return ["None", "Staging", "Production", "Archived"]

    def update_model_version(
        self, name: str, version: str, description: str | None = None
    ) -> ModelVersion:
        """Change the description.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE without one; RESOURCE_DOES_NOT_EXIST.
        """
        if description is None:
            raise invalid("Attempting to update model version with no new field values.")
        return self._registry.update_model_version(name, str(version), description)

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Put a version in a stage, and perhaps archive the others that are in it.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        return self._registry.transition_model_version_stage(
            name, str(version), stage, archive_existing_versions
        )

    def delete_model_version(self, name: str, version: str) -> None:
        """Delete a version; its number is not used again.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._registry.delete_model_version(name, str(version))

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """Return one page of the versions that match, by name and falling number by default.

        Args:
            filter_string: such as `name = 'wine' AND run_id = '…'`.
            max_results: the size of the page.
            order_by: such as `["version_number ASC"]`.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        return self._registry.search_model_versions(
            filter_string, max_results, order_by, page_token
        )

    def set_model_version_tag(
        self,
        name: str,
        version: str | None = None,
        key: str | None = None,
        value: Any = None,
        stage: str | None = None,
    ) -> None:
        """Set a tag of a version, named by its number or by its stage.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        number = self._number(name, version, stage)
        tag = ModelVersionTag(key or "", str(value))
        self._registry.set_model_version_tag(name, number, tag)

    def delete_model_version_tag(
        self,
        name: str,
        version: str | None = None,
        key: str | None = None,
        stage: str | None = None,
    ) -> None:
        """Remove a tag of a version, named by its number or by its stage.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        number = self._number(name, version, stage)
        self._registry.delete_model_version_tag(name, number, key or "")

    def _number(self, name: str, version: str | None, stage: str | None) -> str:
        if version is not None and stage is not None:
            raise invalid("version and stage cannot be set together")
        if version is not None:
            return str(version)
        if stage is None:
            raise invalid("version or stage must be set")
        found = self._registry.get_latest_versions(name, [stage])
        if not found:
            raise MlflowException(f"Could not find any model version for {stage} stage")
        return found[0].version
