"""The contract of a backend: where records are kept, as storage operations without rules."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.registry import ModelVersion, RegisteredModel
    from mlflow.entities.run import (
        DatasetInput,
        LoggedModelInput,
        LoggedModelOutput,
        Metric,
        Param,
        Run,
        RunInfo,
        RunTag,
    )
    from mlflow.search.nodes import Filter, OrderBy
    from mlflow.store.backends.copying import Copying
    from mlflow.store.series.columns import Growth

# What the exceptions below speak of.
EXPERIMENT = "experiment"
RUN = "run"
TAG = "tag"
PARAM = "param"
METRIC = "metric"
LOGGED_MODEL = "logged model"
REGISTERED_MODEL = "registered model"
MODEL_VERSION = "model version"
ALIAS = "alias"


class BackendError(Exception):
    """What a backend reports; the rules turn it into a message for the user.

    Args:
        kind: what it is about, one of the constants of this module.
        key: which one: an id, a name, a key; of a model version the pair (name, version).
        detail: what else is known.
    """

    def __init__(self, kind: str, key: object, detail: str = "") -> None:
        super().__init__(kind, key, detail)
        self.kind = kind
        self.key = key
        self.detail = detail


class Missing(BackendError):
    """The thing does not exist (or never did)."""


class Duplicate(BackendError):
    """The name or id is taken."""


class NotActive(BackendError):
    """The thing exists and is deleted, and the operation is for active ones only."""


class Conflict(BackendError):
    """A param has another value already.

    Args:
        key: the key of the param.
        old: the value that is kept.
        new: the value that was refused.
    """

    def __init__(self, key: str, old: str, new: str) -> None:
        super().__init__(PARAM, key)
        self.old = old
        self.new = new


class Corrupt(BackendError):
    """The record is there and cannot be read; `detail` says which file or row, and why."""


class ReadOnly(BackendError):
    """The store cannot be written; `detail` says what the system answered."""


class Query:
    """A parsed search.

    Args:
        where: the filter; None lets everything through.
        order_by: a total order: no two records tie.
        max_results: the size of a page, at least 1.
        page_token: the token of the page before; None (or empty) for the first page. A token
            that belongs to another search is refused by the paging of `mlflow.search`.
    """

    __slots__ = ("max_results", "order_by", "page_token", "where")

    def __init__(
        self,
        where: Filter | None,
        order_by: OrderBy,
        max_results: int,
        page_token: str | None = None,
    ) -> None:
        self.where = where
        self.order_by = order_by
        self.max_results = max_results
        self.page_token = page_token


class Backend:
    """Storage for one store. Subclasses implement every method.

    Records are entities. A backend does not check names, lengths or numbers, fills in no default
    tags and knows no message: what reaches it is valid. It answers with entities that the caller
    may keep and change, and reports trouble with the exceptions of this module (plus `OSError`
    and its kin for what the system refuses).

    Promises of every backend:

    *Atomic.* One call is one act: another thread or process sees all of a metadata change or
    nothing. A call that raises `Missing`, `Duplicate`, `NotActive` or `Conflict` has changed
    nothing.
    *Durable.* When a call returns, its effect survives the death of this and any other process.
    *Ordered.* A read that starts after a write returned, in whichever thread or process, sees it.
    *Threads.* All methods may be called from any thread at once.
    *Fork.* After `os.fork` the child may go on using the object; descriptors, locks and
    connections that must not be shared are renewed on first use.
    *Lenient.* A record that cannot be read makes a search leave it out with one warning, and a
    `get` raise `Corrupt`; it never hides the others.
    *Born with a default.* A store that is created contains the experiment `0` named `Default`.
    Creation happens on the first call that needs it; a store that cannot be written can be read.
    """

    @property
    def place(self) -> str | None:
        """What tells this store from all others; None for one that ends with the process."""
        return None

    @property
    def address(self) -> str:
        """Where things are kept, as messages call it; empty when they do not."""
        return ""

    # --- experiments -------------------------------------------------------------------------

    def insert_experiment(
        self,
        name: str,
        artifact_location: str | None,
        tags: Sequence[tuple[str, str]],
        time: int,
    ) -> str:
        """Add an active experiment.

        Args:
            name: unique over active and deleted experiments.
            artifact_location: the root of its artifacts; None for a folder of the store's own
                named by the id.
            tags: (key, value) pairs.
            time: creation and last update, ms.

        Returns:
            The id, chosen by the backend, never used before.

        Raises:
            Duplicate: the name is taken, also by a deleted experiment.
        """
        raise NotImplementedError

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment in any stage, with its tags.

        Raises:
            Missing: there is none with this id.
            Corrupt: it cannot be read.
        """
        raise NotImplementedError

    def find_experiment(self, name: str) -> Experiment | None:
        """Return the experiment of this name in any stage, or None."""
        raise NotImplementedError

    def rename_experiment(self, experiment_id: str, name: str, time: int) -> None:
        """Change the name.

        Raises:
            Missing: there is none with this id.
            NotActive: it is deleted.
            Duplicate: an experiment, active or deleted, has the name; this one counts too.
        """
        raise NotImplementedError

    def move_experiment(self, experiment_id: str, stage: str, time: int) -> None:
        """Change the lifecycle stage of an experiment and of all its runs.

        Runs deleted with (or before) their experiment are active again once it is restored, as
        in MLflow.

        Args:
            experiment_id: which one.
            stage: `active` or `deleted`.
            time: last update, and the time of deletion of runs, ms.

        Raises:
            Missing: there is none with this id in the other stage.
        """
        raise NotImplementedError

    def write_experiment_tags(
        self,
        experiment_id: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """Set and remove tags.

        Args:
            experiment_id: which one.
            tags: (key, value) pairs to set.
            removed: keys to remove.
            time: the new last update, ms; None leaves it.

        Raises:
            Missing: no such experiment (kind `experiment`), or no such tag to remove (`tag`).
            NotActive: it is deleted.
        """
        raise NotImplementedError

    def search_experiments(self, view_type: int, query: Query) -> PagedList[Experiment]:
        """Return the experiments of a view that match, in order."""
        raise NotImplementedError

    # --- runs --------------------------------------------------------------------------------

    def insert_run(self, info: RunInfo, tags: Sequence[RunTag]) -> None:
        """Add a run; all its fields are given.

        Raises:
            Missing: the experiment does not exist.
            NotActive: the experiment is deleted.
            Duplicate: the id is taken.
        """
        raise NotImplementedError

    def get_run(self, run_id: str) -> Run:
        """Return a run in any stage: info, latest metrics, params, tags, inputs, outputs.

        The latest point of a metric is the largest by (step, timestamp, value), where NaN counts
        as smaller than any number. The run's tags hold what was written, `mlflow.runName`
        included.

        Raises:
            Missing: there is none with this id.
            Corrupt: it cannot be read.
        """
        raise NotImplementedError

    def get_run_info(self, run_id: str) -> RunInfo:
        """Return identity and state of a run in any stage, cheaper than `get_run`.

        Raises:
            Missing: there is none with this id.
            Corrupt: it cannot be read.
        """
        raise NotImplementedError

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
        tags: Sequence[RunTag] = (),
    ) -> RunInfo:
        """Change fields of an active run, and set tags in the same act; None leaves a field.

        Returns:
            The new state.

        Raises:
            Missing: there is none with this id.
            NotActive: it is deleted.
        """
        raise NotImplementedError

    def move_run(self, run_id: str, stage: str, time: int) -> None:
        """Change the lifecycle stage; a run that has it already stays as it is.

        Args:
            run_id: which one.
            stage: `active` or `deleted`.
            time: when, ms; kept as the time of deletion.

        Raises:
            Missing: there is none with this id.
        """
        raise NotImplementedError

    def append_metric(self, run_id: str, key: str, value: float, timestamp: int, step: int) -> None:
        """Add one point to a series. This is the hot path: it does nothing else.

        The backend itself finds out, as cheaply as it can, that the run is active. Points are
        kept as given, duplicates included (a store whose format cannot hold one may drop it).

        Args:
            run_id: the run.
            key: the name of the series, valid.
            value: a float; NaN and infinities are kept exactly.
            timestamp: ms.
            step: a 64-bit integer, may be negative.

        Raises:
            Missing: there is no such run.
            NotActive: it is deleted.
        """
        raise NotImplementedError

    def write_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        """Write points, params and tags of an active run.

        A metric that names a logged model (`model_id`) is added to the run and to that model, or
        to the model alone when it also says that it is this run's (`run_id`); one that names a
        dataset keeps the name. A param that has the same value already is left
        alone. Of several tags (or equal params) with one key the last wins. All checks come
        before the first write: first the logged models, then the run, then the params. Points of
        one series keep their order.

        Raises:
            Missing: there is no such run, or a metric names a logged model that does not exist.
            NotActive: the run is deleted.
            Conflict: a param has another value, in the store or earlier in `params`.
        """
        raise NotImplementedError

    def delete_run_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of an active run.

        Raises:
            Missing: no such run (kind `run`) or tag (kind `tag`).
            NotActive: the run is deleted.
        """
        raise NotImplementedError

    def metric_history(
        self,
        run_id: str,
        key: str,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[Metric]:
        """Return the points of a series of a run in any stage, in the order they were written.

        Stores whose format does not keep that order sort by (timestamp, step, value).

        Args:
            run_id: the run.
            key: the series; one that does not exist is empty.
            max_results: the size of a page; None for everything.
            page_token: of the page before. Appending between pages loses and repeats nothing.

        Raises:
            Missing: there is no such run.
        """
        raise NotImplementedError

    def series_since(self, run_id: str, key: str, mark: bytes) -> Growth:
        """Return what was added to a series by anyone since a mark; all of it, if that is not told.

        Args:
            run_id: the run, in any stage.
            key: the series; one that does not exist is empty.
            mark: what the last answer said; empty at first.

        Raises:
            Missing: there is no such run.
        """
        raise NotImplementedError

    def search_runs(
        self, experiment_ids: Sequence[str], view_type: int, query: Query
    ) -> PagedList[Run]:
        """Return the runs of these experiments and this view that match, in order.

        Experiments that do not exist have no runs; a repeated id counts once.
        """
        raise NotImplementedError

    def write_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput],
        models: Sequence[LoggedModelInput],
    ) -> None:
        """Add inputs of an active run; what is there already stays once, its tags as they were.

        An experiment knows one dataset by its name and digest: what was said of it first stays.

        Raises:
            Missing: there is no such run.
            NotActive: it is deleted.
        """
        raise NotImplementedError

    def write_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Add outputs of an active run; what is there already stays once.

        Raises:
            Missing: there is no such run.
            NotActive: it is deleted.
        """
        raise NotImplementedError

    # --- logged models -----------------------------------------------------------------------

    def insert_logged_model(self, model: LoggedModel) -> None:
        """Add a logged model with its tags and params; all its fields are given.

        Raises:
            Missing: the experiment does not exist.
            NotActive: the experiment is deleted.
            Duplicate: the id is taken.
        """
        raise NotImplementedError

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model with tags, params and latest metrics.

        The latest metrics are one for each (key, dataset name, dataset digest).

        Raises:
            Missing: there is none with this id.
            NotActive: it is deleted, and `allow_deleted` is False.
            Corrupt: it cannot be read.
        """
        raise NotImplementedError

    def update_logged_model(
        self, model_id: str, status: str, status_message: str | None, time: int
    ) -> None:
        """Set the status (the name of a `LoggedModelStatus`) of an active logged model.

        Raises:
            Missing: there is none with this id.
            NotActive: it is deleted.
        """
        raise NotImplementedError

    def write_logged_model(
        self,
        model_id: str,
        *,
        tags: Sequence[tuple[str, str]] = (),
        params: Sequence[tuple[str, str]] = (),
        removed_tags: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """Set tags and params, and remove tags, of an active logged model.

        Args:
            model_id: which one.
            tags: (key, value) pairs.
            params: (key, value) pairs; a param that has another value is overwritten.
            removed_tags: keys.
            time: the new last update, ms; None leaves it.

        Raises:
            Missing: no such model (kind `logged model`) or tag to remove (kind `tag`).
            NotActive: it is deleted.
        """
        raise NotImplementedError

    def move_logged_model(self, model_id: str, stage: str, time: int) -> None:
        """Change the lifecycle stage; one that has it already stays as it is.

        Raises:
            Missing: there is none with this id.
        """
        raise NotImplementedError

    def search_logged_models(
        self, experiment_ids: Sequence[str], query: Query
    ) -> PagedList[LoggedModel]:
        """Return the active logged models of these experiments that match, in order."""
        raise NotImplementedError

    # --- registry ----------------------------------------------------------------------------

    def insert_registered_model(self, model: RegisteredModel) -> None:
        """Add a registered model with its tags.

        Raises:
            Duplicate: the name is taken.
        """
        raise NotImplementedError

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return a registered model with tags, aliases, and the newest version of each stage.

        Raises:
            Missing: there is none of this name.
            Corrupt: it cannot be read.
        """
        raise NotImplementedError

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None, time: int
    ) -> None:
        """Set the description (None removes it) and, unless None, the deployment job.

        Raises:
            Missing: there is none of this name.
        """
        raise NotImplementedError

    def rename_registered_model(self, name: str, new_name: str, time: int) -> None:
        """Change the name of a model and of all its versions.

        Raises:
            Missing: there is none of this name.
            Duplicate: the new name is taken; that of the model itself counts too.
        """
        raise NotImplementedError

    def delete_registered_model(self, name: str) -> None:
        """Remove a model with versions, tags and aliases.

        Raises:
            Missing: there is none of this name.
        """
        raise NotImplementedError

    def write_registered_model_tags(
        self,
        name: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """Set and remove tags; removing one that is not there does nothing.

        Raises:
            Missing: there is no model of this name.
        """
        raise NotImplementedError

    def search_registered_models(self, query: Query) -> PagedList[RegisteredModel]:
        """Return the registered models that match, in order, each as `get_registered_model`."""
        raise NotImplementedError

    def set_alias(self, name: str, alias: str, version: str, time: int) -> None:
        """Point an alias at a version; it moves from the one it pointed at, in one act.

        Raises:
            Missing: no such model (kind `registered model`) or version (kind `model version`).
        """
        raise NotImplementedError

    def delete_alias(self, name: str, alias: str, time: int) -> None:
        """Remove an alias; one that is not there is left so.

        Raises:
            Missing: there is no model of this name.
        """
        raise NotImplementedError

    def insert_model_version(self, version: ModelVersion, storage_location: str | None) -> str:
        """Add a version; its number is chosen here, whatever `version.version` says.

        Numbers count up from 1 without gaps, however many processes add versions at once; the
        number of a deleted version is not used again.

        Args:
            version: the other fields.
            storage_location: where the files are, when not at `version.source`.

        Returns:
            The number, as text.

        Raises:
            Missing: there is no registered model of this name.
        """
        raise NotImplementedError

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        """Return a version with its tags and aliases.

        Raises:
            Missing: no such version (deleted ones included), kind `model version`.
            Corrupt: it cannot be read.
        """
        raise NotImplementedError

    def model_version_location(self, name: str, version: str) -> str | None:
        """Return where the files of a version are: its storage location, else its source.

        Raises:
            Missing: no such version.
        """
        raise NotImplementedError

    def update_model_version(
        self, name: str, version: str, description: str | None, time: int
    ) -> None:
        """Set the description; None removes it.

        Raises:
            Missing: no such version.
        """
        raise NotImplementedError

    def move_model_version(
        self, name: str, version: str, stage: str, *, archive_existing: bool, time: int
    ) -> None:
        """Put a version in a stage and, when asked, all others of that stage in `Archived`.

        Raises:
            Missing: no such version.
        """
        raise NotImplementedError

    def delete_model_version(self, name: str, version: str, time: int) -> None:
        """Delete a version, with its aliases; its number stays used.

        Raises:
            Missing: no such version.
        """
        raise NotImplementedError

    def write_model_version_tags(
        self,
        name: str,
        version: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """Set and remove tags; removing one that is not there does nothing.

        Args:
            name: the registered model.
            version: which one.
            tags: (key, value) pairs.
            removed: keys.
            time: the new last update of the registered model, ms; None leaves it.

        Raises:
            Missing: no such version.
        """
        raise NotImplementedError

    def search_model_versions(self, query: Query) -> PagedList[ModelVersion]:
        """Return the versions that match, in order; deleted ones never do."""
        raise NotImplementedError

    # --- maintenance -------------------------------------------------------------------------

    def list_deleted(self, kind: str, before: int) -> list[str]:
        """Return the ids of what was deleted before a time.

        Args:
            kind: `RUN`, `EXPERIMENT` or `LOGGED_MODEL`.
            before: ms since the epoch; things deleted without a recorded time count as old.
        """
        raise NotImplementedError

    def purge(self, kind: str, ids: Iterable[str]) -> None:
        """Remove deleted things for good, with all that is below them in the store.

        Artifacts that live outside the store's own folders are the caller's to remove first.

        Raises:
            Missing: one of these ids does not exist, or is not deleted.
        """
        raise NotImplementedError

    def moved_artifacts(self, artifact_uri: str) -> str:
        """Return where the artifacts are of which a record says `artifact_uri`.

        The same, unless the backend moved them along with something that was deleted.
        """
        return artifact_uri

    def copying(self) -> Copying:
        """Return what copies records out and in exactly, for moving a store to another place."""
        raise NotImplementedError

    def together(self) -> AbstractContextManager[None]:
        """Return a block of calls of this thread that may be kept together, when the block ends.

        Each call is all or nothing by itself, as outside, and sees those before it; others see
        them when the block has ended. When its end raises, none of the calls was kept. A backend
        that has nothing to gain keeps each call as it returns, as this one does.
        """
        from contextlib import nullcontext

        return nullcontext()

    def close(self) -> None:
        """Give back descriptors and connections; the object may be used again afterwards."""
        raise NotImplementedError
