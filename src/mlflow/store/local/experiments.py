"""Rules for experiments."""

from __future__ import annotations

import time

from mlflow.api import rules
from mlflow.entities.paged_list import PagedList
from mlflow.exceptions import INVALID_STATE, MlflowException, already_exists, invalid, not_found
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import EXPERIMENT, TAG, Duplicate, Missing, NotActive, Query
from mlflow.store.base import ACTIVE_ONLY, AbstractStore
from mlflow.store.local.errors import reports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.entities.experiment import Experiment, ExperimentTag
    from mlflow.store.backends.base import Backend


def now() -> int:
    """Return the time, ms since the epoch."""
    return time.time_ns() // 1_000_000


class ExperimentRules(AbstractStore):
    """Operations on experiments over a backend."""

    _backend: Backend

    @reports
    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: list[ExperimentTag] | None = None,
    ) -> str:
        name = rules.experiment_name(name)
        location = rules.artifact_location(artifact_location)
        pairs = [
            (rules.tag_key(tag.key), rules.experiment_tag_value(tag.value)) for tag in tags or ()
        ]
        try:
            return self._backend.insert_experiment(name, location, pairs, now())
        except Duplicate as error:
            raise self._name_taken(name) from error

    def _name_taken(self, name: str) -> MlflowException:
        # Clients look for the code's name in the text.
        found = self._backend.find_experiment(name)
        if found is not None and found.lifecycle_stage != "active":
            return already_exists(
                f"Experiment '{name}' already exists in deleted state. You can restore the "
                f"experiment (id {found.experiment_id}), or permanently delete it with "
                "`mlflow gc`, in order to use this experiment name again. "
                "(RESOURCE_ALREADY_EXISTS)"
            )
        return already_exists(f"Experiment '{name}' already exists. (RESOURCE_ALREADY_EXISTS)")

    @reports
    def get_experiment(self, experiment_id: str) -> Experiment:
        return self._backend.get_experiment(rules.experiment_id(experiment_id))

    @reports
    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        return self._backend.find_experiment(experiment_name)

    @reports
    def delete_experiment(self, experiment_id: str) -> None:
        experiment_id = rules.experiment_id(experiment_id)
        if experiment_id == rules.DEFAULT_EXPERIMENT_ID:
            raise invalid(
                f"Cannot delete the default experiment '{experiment_id}'. "
                "Runs that name no experiment go there."
            )
        self._backend.move_experiment(experiment_id, "deleted", now())

    @reports
    def restore_experiment(self, experiment_id: str) -> None:
        experiment_id = rules.experiment_id(experiment_id)
        try:
            self._backend.move_experiment(experiment_id, "active", now())
        except Missing as error:
            message = f"Could not find deleted experiment with ID {experiment_id}"
            raise not_found(message) from error

    @reports
    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        experiment_id = rules.experiment_id(experiment_id)
        new_name = rules.experiment_name(new_name)
        try:
            self._backend.rename_experiment(experiment_id, new_name, now())
        except NotActive as error:
            message = "Cannot rename experiment in non-active lifecycle stage. Current stage: "
            raise MlflowException(f"{message}deleted", INVALID_STATE) from error
        except Duplicate as error:
            raise self._name_taken(new_name) from error

    @reports
    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        experiment_id = rules.experiment_id(experiment_id)
        pair = (rules.tag_key(tag.key), rules.experiment_tag_value(tag.value))
        try:
            self._backend.write_experiment_tags(experiment_id, [pair], time=now())
        except NotActive as error:
            raise _tags_of_deleted(experiment_id, "set") from error

    @reports
    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        experiment_id = rules.experiment_id(experiment_id)
        key = rules.tag_key(key)
        try:
            self._backend.write_experiment_tags(experiment_id, [], [key], time=now())
        except NotActive as error:
            raise _tags_of_deleted(experiment_id, "delete") from error
        except Missing as error:
            if error.kind != TAG:
                raise
            message = f"No tag with name: {key} in experiment with id {experiment_id}"
            raise not_found(message) from error

    @reports
    def search_experiments(
        self,
        view_type: int = ACTIVE_ONLY,
        max_results: int = rules.SEARCH_MAX_RESULTS_DEFAULT,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        limit = rules.SEARCH_MAX_RESULTS_THRESHOLD
        query = Query(
            parse_filter("experiments", filter_string),
            parse_order_by("experiments", order_by),
            rules.max_results(max_results, limit),
            page_token,
        )
        return self._backend.search_experiments(rules.view_type(view_type), query)

    # --- maintenance -------------------------------------------------------------------------

    @reports
    def list_deleted_experiments(self, older_than: int = 0) -> list[str]:
        return self._backend.list_deleted(EXPERIMENT, now() - older_than)

    @reports
    def purge_experiment(self, experiment_id: str) -> None:
        experiment_id = rules.experiment_id(experiment_id)
        if self._backend.get_experiment(experiment_id).lifecycle_stage == "active":
            raise invalid(f"The experiment {experiment_id} is active; delete it first.")
        self._backend.purge(EXPERIMENT, [experiment_id])

    @reports
    def moved_artifacts(self, artifact_uri: str) -> str:
        return self._backend.moved_artifacts(artifact_uri)


def _tags_of_deleted(experiment_id: str, verb: str) -> MlflowException:
    return invalid(
        f"The experiment {experiment_id} must be in the 'active' lifecycle_stage to {verb} tags"
    )
