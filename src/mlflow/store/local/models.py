"""Rules for logged models and for the registry: names, stages, aliases, where files are."""

from __future__ import annotations

from mlflow.api import rules
from mlflow.entities.logged_models import (
    LoggedModel,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
)
from mlflow.entities.paged_list import PagedList
from mlflow.entities.registry import (
    ALL_STAGES,
    STAGE_NONE,
    ModelVersion,
    ModelVersionStatus,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.search.nodes import And, Compare
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import (
    LOGGED_MODEL,
    TAG,
    Missing,
    NotActive,
    Query,
)
from mlflow.store.base import AbstractStore, with_registration
from mlflow.store.local.errors import reports
from mlflow.store.local.experiments import now
from mlflow.store.local.names import new_id, random_name
from mlflow.store.local.runs import below
from mlflow.tags import MLFLOW_MODEL_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.store.backends.base import Backend

LATEST = "latest"


class LoggedModelRules(AbstractStore):
    """Operations on logged models over a backend."""

    _backend: Backend

    @reports
    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: list[LoggedModelTag] | None = None,
        params: list[LoggedModelParameter] | None = None,
        model_type: str | None = None,
        model_id: str | None = None,
    ) -> LoggedModel:
        experiment_id = rules.experiment_id(experiment_id)
        name = random_name() if name is None else rules.logged_model_name(name)
        if source_run_id is not None:
            source_run_id = rules.run_id(source_run_id, "source_run_id")
        rules.free_texts(model_type=model_type)
        if model_id is None:
            model_id = f"m-{new_id()}"
        else:
            model_id = rules.chosen_id(model_id, "model_id", "m-")
        time = now()
        model = LoggedModel(
            experiment_id,
            model_id,
            name,
            self._model_location(experiment_id, model_id, name, source_run_id),
            time,
            time,
            model_type,
            source_run_id,
            LoggedModelStatus.PENDING,
            None,
            dict(_tag_pairs(tags)),
            dict(_param_pairs(params)),
        )
        self._backend.insert_logged_model(model)
        return self._backend.get_logged_model(model_id)

    def _model_location(
        self, experiment_id: str, model_id: str, name: str, source_run_id: str | None
    ) -> str:
        root = self._backend.get_experiment(experiment_id).artifact_location
        own = below(root, f"models/{model_id}/artifacts")
        if source_run_id is None:
            return own
        try:
            run = self._backend.get_run_info(source_run_id)
        except Missing:
            return own  # MLflow lets a model name a run of another store
        if run.artifact_uri is None or run.experiment_id != experiment_id:
            return own
        location = below(run.artifact_uri, name)
        of_run = Compare("attribute", "source_run_id", "=", source_run_id)
        namesake = And((of_run, Compare("attribute", "name", "=", name)))
        query = Query(namesake, parse_order_by("logged_models", None), 1)
        taken = self._backend.search_logged_models([experiment_id], query)
        return own if taken else location

    @reports
    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> LoggedModel:
        model_id = rules.model_id(model_id)
        return self._backend.get_logged_model(model_id, allow_deleted=allow_deleted)

    @reports
    def finalize_logged_model(self, model_id: str, status: LoggedModelStatus | str) -> LoggedModel:
        model_id = rules.model_id(model_id)
        word = str(status)
        if not LoggedModelStatus.is_finalized(word):
            raise invalid(
                f"Invalid model status: {word}. A logged model is finalized as READY or FAILED."
            )
        self._backend.update_logged_model(model_id, word, None, now())
        return self._backend.get_logged_model(model_id)

    @reports
    def delete_logged_model(self, model_id: str) -> None:
        model_id = rules.model_id(model_id)
        self._backend.get_logged_model(model_id)
        self._backend.move_logged_model(model_id, "deleted", now())

    @reports
    def set_logged_model_tags(self, model_id: str, tags: list[LoggedModelTag]) -> None:
        model_id = rules.model_id(model_id)
        self._backend.write_logged_model(model_id, tags=_tag_pairs(tags), time=now())

    @reports
    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        model_id = rules.model_id(model_id)
        key = rules.tag_key(key)
        try:
            self._backend.write_logged_model(model_id, removed_tags=[key], time=now())
        except Missing as error:
            if error.kind != TAG:
                raise
            message = f"No tag with key {key!r} found for model with ID {model_id!r}."
            raise not_found(message) from error

    @reports
    def log_logged_model_params(self, model_id: str, params: list[LoggedModelParameter]) -> None:
        model_id = rules.model_id(model_id)
        self._backend.write_logged_model(model_id, params=_param_pairs(params), time=now())

    @reports
    def search_logged_models(
        self,
        experiment_ids: list[str],
        filter_string: str | None = None,
        datasets: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: list[dict[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        ids = rules.experiment_ids(experiment_ids)
        query = Query(
            parse_filter("logged_models", filter_string, datasets),
            parse_order_by("logged_models", order_by),
            rules.max_results(max_results or rules.SEARCH_LOGGED_MODEL_MAX_RESULTS_DEFAULT),
            page_token,
        )
        return self._backend.search_logged_models(ids, query)

    @reports
    def set_model_versions_tags(self, name: str, version: str, model_id: str) -> None:
        model = self._backend.get_logged_model(rules.model_id(model_id))
        text = with_registration(model.tags.get(MLFLOW_MODEL_VERSIONS), name, version)
        if text != model.tags.get(MLFLOW_MODEL_VERSIONS):
            self._backend.write_logged_model(model_id, tags=[(MLFLOW_MODEL_VERSIONS, text)])

    # --- maintenance -------------------------------------------------------------------------

    @reports
    def list_deleted_logged_models(self, older_than: int = 0) -> list[str]:
        return self._backend.list_deleted(LOGGED_MODEL, now() - older_than)

    @reports
    def purge_logged_model(self, model_id: str) -> None:
        model_id = rules.model_id(model_id)
        try:
            self._backend.get_logged_model(model_id)
        except NotActive:
            self._backend.purge(LOGGED_MODEL, [model_id])
            return
        raise invalid(f"The logged model {model_id} is active; delete it first.")


class RegistryRules(AbstractStore):
    """Operations on registered models over a backend."""

    _backend: Backend
    # Where logged models are: this store, unless the registry is kept apart from the runs.
    _tracking: AbstractStore

    # --- registered models ---------------------------------------------------------------------

    @reports
    def create_registered_model(
        self,
        name: str,
        tags: list[RegisteredModelTag] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        name = rules.registered_model_name(name)
        rules.free_texts(description=description, deployment_job_id=deployment_job_id)
        checked = [
            RegisteredModelTag(rules.tag_key(tag.key), rules.registry_tag_value(tag.value))
            for tag in tags or ()
        ]
        time = now()
        model = RegisteredModel(
            name, time, time, description, [], checked, [], deployment_job_id, None
        )
        self._backend.insert_registered_model(model)
        return model

    @reports
    def get_registered_model(self, name: str) -> RegisteredModel:
        return self._backend.get_registered_model(rules.registered_model_name(name))

    @reports
    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        name = rules.registered_model_name(name)
        rules.free_texts(description=description, deployment_job_id=deployment_job_id)
        self._backend.update_registered_model(name, description, deployment_job_id, now())
        return self._backend.get_registered_model(name)

    @reports
    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        name = rules.registered_model_name(name)
        new_name = rules.registered_model_name(new_name)
        self._backend.rename_registered_model(name, new_name, now())
        return self._backend.get_registered_model(new_name)

    @reports
    def delete_registered_model(self, name: str) -> None:
        self._backend.delete_registered_model(rules.registered_model_name(name))

    @reports
    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        size = rules.max_results(
            max_results,
            rules.SEARCH_REGISTERED_MODEL_MAX_RESULTS_THRESHOLD,
            rules.SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT,
        )
        query = Query(
            parse_filter("registered_models", filter_string),
            parse_order_by("registered_models", order_by),
            size,
            page_token,
        )
        return self._backend.search_registered_models(query)

    @reports
    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        model = self._backend.get_registered_model(rules.registered_model_name(name))
        wanted = [rules.stage_name(stage) for stage in stages or ALL_STAGES]
        return [one for one in model.latest_versions or () if one.current_stage in wanted]

    @reports
    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        name = rules.registered_model_name(name)
        pair = (rules.tag_key(tag.key), rules.registry_tag_value(tag.value))
        self._backend.write_registered_model_tags(name, [pair], time=now())

    @reports
    def delete_registered_model_tag(self, name: str, key: str) -> None:
        name = rules.registered_model_name(name)
        self._backend.write_registered_model_tags(name, [], [rules.tag_key(key)], now())

    @reports
    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        name = rules.registered_model_name(name)
        alias = rules.new_alias_name(alias)
        self._backend.set_alias(name, alias, rules.version_number(version), now())

    @reports
    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        name = rules.registered_model_name(name)
        self._backend.delete_alias(name, rules.alias_name(alias), now())

    # --- versions ------------------------------------------------------------------------------

    @reports
    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: list[ModelVersionTag] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        name = rules.registered_model_name(name)
        rules.free_texts(source=source, run_id=run_id, run_link=run_link, description=description)
        checked = [
            ModelVersionTag(rules.tag_key(tag.key), rules.version_tag_value(tag.value))
            for tag in tags or ()
        ]
        location = self._location_of(source)
        time = now()
        version = ModelVersion(
            name,
            "",
            time,
            time,
            description,
            None,
            STAGE_NONE,
            source,
            run_id,
            ModelVersionStatus.READY,
            None,
            checked,
            run_link,
            [],
            model_id,
        )
        number = self._backend.insert_model_version(version, location)
        if model_id is not None:
            try:
                self._tracking.set_model_versions_tags(name, number, model_id)
            except MlflowException as error:
                # The version may name a logged model of a store that is not at hand.
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
        return self._backend.get_model_version(name, number)

    def _location_of(self, source: str | None) -> str | None:
        # `models:/m-…` is a logged model, `models:/name/3` another version, the rest is itself.
        if source is None or not source.startswith("models:/"):
            return source
        parts = source.removeprefix("models:").strip("/").split("/")
        try:
            if len(parts) == 1:
                return self._tracking.get_logged_model(parts[0]).artifact_location
            if len(parts) == 2:
                return self.get_model_version_download_uri(parts[0], parts[1])
        except MlflowException as error:
            message = f"Unable to fetch model from model URI source artifact location '{source}'."
            code = error.error_code
            raise MlflowException(f"{message} Error: {error.message}", code) from error
        raise invalid(f"Not a model URI: '{source}'. Use models:/<model id> or models:/<name>/<n>.")

    @reports
    def get_model_version(self, name: str, version: str) -> ModelVersion:
        return self._version(rules.registered_model_name(name), rules.version_number(version))

    def _version(self, name: str, version: str) -> ModelVersion:
        try:
            return self._backend.get_model_version(name, version)
        except Missing:
            self._backend.get_registered_model(name)  # says when it is the model that is missing
            raise

    @reports
    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        name = rules.registered_model_name(name)
        alias = rules.alias_name(alias)
        model = self._backend.get_registered_model(name)
        if alias.lower() == LATEST:
            newest = max(
                model.latest_versions or (), key=lambda one: int(one.version), default=None
            )
            if newest is None:
                raise invalid(f"Registered model alias {alias} not found: no versions yet.")
            return newest
        version = model.aliases.get(alias)
        if version is None:
            raise invalid(f"Registered model alias {alias} not found.")
        return self._version(name, str(version))

    @reports
    def get_model_version_download_uri(self, name: str, version: str) -> str:
        name = rules.registered_model_name(name)
        number = rules.version_number(version)
        return self._backend.model_version_location(name, number) or ""

    @reports
    def update_model_version(
        self, name: str, version: str, description: str | None
    ) -> ModelVersion:
        name = rules.registered_model_name(name)
        number = rules.version_number(version)
        rules.free_texts(description=description)
        self._backend.update_model_version(name, number, description, now())
        return self._backend.get_model_version(name, number)

    @reports
    def transition_model_version_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        name = rules.registered_model_name(name)
        number = rules.version_number(version)
        stage = rules.stage_name(stage)
        if archive_existing_versions:
            rules.archivable_stage(stage)
        self._backend.move_model_version(
            name, number, stage, archive_existing=bool(archive_existing_versions), time=now()
        )
        return self._backend.get_model_version(name, number)

    @reports
    def delete_model_version(self, name: str, version: str) -> None:
        name = rules.registered_model_name(name)
        self._backend.delete_model_version(name, rules.version_number(version), now())

    @reports
    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        size = rules.max_results(
            max_results,
            rules.SEARCH_MODEL_VERSION_MAX_RESULTS_THRESHOLD,
            rules.SEARCH_MODEL_VERSION_MAX_RESULTS_DEFAULT,
        )
        query = Query(
            parse_filter("model_versions", filter_string),
            parse_order_by("model_versions", order_by),
            size,
            page_token,
        )
        return self._backend.search_model_versions(query)

    @reports
    def set_model_version_tag(self, name: str, version: str, tag: ModelVersionTag) -> None:
        name = rules.registered_model_name(name)
        number = rules.version_number(version)
        pair = (rules.tag_key(tag.key), rules.version_tag_value(tag.value))
        self._backend.write_model_version_tags(name, number, [pair])

    @reports
    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        name = rules.registered_model_name(name)
        number = rules.version_number(version)
        self._backend.write_model_version_tags(name, number, [], [rules.tag_key(key)])


def _tag_pairs(tags: list[LoggedModelTag] | None) -> list[tuple[str, str]]:
    return [(rules.tag_key(tag.key), rules.tag_value(tag.value)) for tag in tags or ()]


def _param_pairs(params: list[LoggedModelParameter] | None) -> list[tuple[str, str]]:
    return [(rules.param_key(one.key), rules.param_value(one.value)) for one in params or ()]
