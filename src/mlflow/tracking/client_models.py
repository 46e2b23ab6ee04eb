"""The client's operations on logged models."""

from __future__ import annotations

from mlflow.entities.logged_models import LoggedModelParameter, LoggedModelTag
from mlflow.store.artifact.locate import artifact_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from mlflow.entities.artifacts import FileInfo
    from mlflow.entities.logged_models import LoggedModel, LoggedModelStatus
    from mlflow.entities.paged_list import PagedList
    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.store.base import AbstractStore


class LoggedModels:
    """Operations on logged models; a part of `MlflowClient`."""

    _store: AbstractStore

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Make a logged model, status PENDING, whose files are still to come.

        Args:
            experiment_id: where it goes.
            name: generated when absent.
            source_run_id: the run that makes it.
            tags: its first tags.
            params: its params.
            model_type: a free description of its kind.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        return self._store.create_logged_model(
            str(experiment_id), name, source_run_id, _tags(tags), _params(params), model_type
        )

    def finalize_logged_model(
        self, model_id: str, status: Literal["READY", "FAILED"] | LoggedModelStatus
    ) -> LoggedModel:
        """Say that the files of a logged model are complete, or never will be.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        return self._store.finalize_logged_model(model_id, status)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """Return a logged model with tags, params and latest metrics.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        return self._store.get_logged_model(model_id)

    def delete_logged_model(self, model_id: str) -> None:
        """Mark a logged model deleted.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.delete_logged_model(model_id)

    def set_logged_model_tags(self, model_id: str, tags: dict[str, Any]) -> None:
        """Set tags; values are kept as `str(value)`.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._store.set_logged_model_tags(model_id, _tags(tags))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.delete_logged_model_tag(model_id, key)

    def log_model_params(self, model_id: str, params: dict[str, str]) -> None:
        """Add params; values are kept as `str(value)`.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._store.log_logged_model_params(model_id, _params(params))

    def search_logged_models(
        self,
        experiment_ids: list[str] | str,
        filter_string: str | None = None,
        datasets: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: list[dict[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """Return one page of the logged models that match.

        Args:
            experiment_ids: where to look; one id will do.
            filter_string: such as `metrics.rmse < 0.8 AND name = 'forest'`.
            datasets: dicts of `dataset_name` and perhaps `dataset_digest`: metric conditions
                speak of points measured on one of these.
            max_results: the size of the page.
            order_by: dicts of `field_name` and `ascending`; newest first by default.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        if isinstance(experiment_ids, (str, int)):
            experiment_ids = [experiment_ids]
        return self._store.search_logged_models(
            [str(one) for one in experiment_ids],
            filter_string,
            datasets,
            max_results,
            order_by,
            page_token,
        )

    def log_model_artifact(
        self, model_id: str, local_path: str, artifact_path: str | None = None
    ) -> None:
        """Copy a local file into the folder of a logged model.

        Args:
            model_id: the model.
            local_path: the file.
            artifact_path: a folder below the model's.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._model_files(model_id).log_artifact(local_path, artifact_path)

    def log_model_artifacts(
        self, model_id: str, local_dir: str, artifact_path: str | None = None
    ) -> None:
        """Copy what is in a local folder into the folder of a logged model.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._model_files(model_id).log_artifacts(local_dir, artifact_path)

    def list_logged_model_artifacts(self, model_id: str, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders directly below the folder of a logged model, or below a path.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        return self._model_files(model_id).list_artifacts(path)

    def _model_files(self, model_id: str) -> ArtifactRepository:
        root = self._store.get_logged_model(model_id).artifact_location
        return artifact_repository(root, self._store.artifact_server)


def _tags(tags: dict[str, Any] | None) -> list[LoggedModelTag]:
    return [LoggedModelTag(key, str(value)) for key, value in (tags or {}).items()]


def _params(params: dict[str, Any] | None) -> list[LoggedModelParameter]:
    return [LoggedModelParameter(key, str(value)) for key, value in (params or {}).items()]
