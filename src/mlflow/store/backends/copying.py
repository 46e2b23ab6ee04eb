"""The contract of exact copies: what moving records between backends needs beyond `Backend`."""

from __future__ import annotations

from mlflow.entities.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.registry import ModelVersion, RegisteredModel
    from mlflow.entities.run import Metric


# What a format may have no place for; see `Copying.leaves_out`.
POINT_DATASETS = "dataset names of points"
DEPLOYMENT_JOBS = "deployment jobs of registered models"
MODEL_POINTS = "points of logged models"


class Copying:
    """The records of a backend, copied out and in with their ids, numbers and times.

    `Backend.copying` gives it. The promises of `Backend` hold here too; above all, each import is
    one act: when it is interrupted, by whatever, the thing is not there and the import can be
    repeated. What `Backend` reads out whole is read there.

    An import returns what had no place in this store and was left out: counts by noun, one of the
    constants of this module.

    Attributes:
        leaves_out: the nouns of which this store keeps nothing.
    """

    leaves_out: frozenset[str] = frozenset()

    # --- out ---------------------------------------------------------------------------------

    def run_deletion_time(self, run_id: str) -> int | None:
        """Return when a run was deleted, ms; None for an active one, or when nobody noted it.

        Raises:
            Missing: there is none with this id.
        """
        raise NotImplementedError

    def logged_model_points(self, model_id: str) -> list[Metric]:
        """Return all points of a logged model in any stage; those of one series in order.

        Raises:
            Missing: there is none with this id.
        """
        raise NotImplementedError

    def last_version_number(self, name: str) -> int:
        """Return the largest number that a version of a registered model ever had; 0 for none.

        Raises:
            Missing: there is no model of this name.
        """
        raise NotImplementedError

    def counts(self) -> dict[str, int]:
        """Return how many experiments, runs, logged and registered models there are, by kind.

        Things in every stage count, and such as cannot be read.
        """
        raise NotImplementedError

    def beyond_contract(self) -> dict[str, int]:
        """Count what the store holds that no method of `Backend` gives, such as traces; by noun."""
        raise NotImplementedError

    def unreadable(self) -> dict[str, str]:
        """Return what was found so far that cannot be read: reasons by place."""
        return {}

    def location_of(self, thing: Experiment | Run | LoggedModel) -> str:
        """Return where the artifacts of a thing of another store are once it is in this one.

        That is where they are now, unless this store keeps artifacts in no other place; then an
        import brings them along.
        """
        if isinstance(thing, Run):
            return thing.info.artifact_uri or ""
        return thing.artifact_location

    # --- in ----------------------------------------------------------------------------------

    def import_experiment(self, experiment: Experiment) -> str:
        """Add an experiment as it is: id, stage, times and tags.

        The experiment `0` that a store is born with gives way as long as nothing is in it. An
        empty id is replaced by one that the store chooses.

        Returns:
            The id.

        Raises:
            Duplicate: an experiment has the id, or another one the name; `key` says which.
            CannotHold: the format of this store has no place for a value.
        """
        raise NotImplementedError

    def import_run(
        self, run: Run, points: Callable[[], Iterable[Sequence[Metric]]], deletion_time: int | None
    ) -> dict[str, int]:
        """Add a run as it is, to an experiment in any stage.

        Args:
            run: with its params, tags, inputs, outputs and latest metrics.
            points: gives the full histories in pieces, each time anew; the points of one series
                are in order.
            deletion_time: when it was deleted, ms.

        Raises:
            Missing: its experiment does not exist.
            Duplicate: the id is taken.
            CannotHold: the format of this store has no place for a value.
        """
        raise NotImplementedError

    def import_logged_model(
        self, model: LoggedModel, points: Sequence[Metric], stage: str
    ) -> dict[str, int]:
        """Add a logged model as it is, to an experiment in any stage.

        Args:
            model: with its tags and params; its latest metrics are not looked at.
            points: its full histories.
            stage: `active` or `deleted`.

        Raises:
            Missing: its experiment does not exist.
            Duplicate: the id is taken.
            CannotHold: the format of this store has no place for a value.
        """
        raise NotImplementedError

    def import_registered_model(
        self,
        model: RegisteredModel,
        versions: Sequence[tuple[ModelVersion, str | None]],
        last_number: int,
    ) -> dict[str, int]:
        """Add a registered model as it is, with all its versions.

        Args:
            model: with its tags and aliases.
            versions: each with its storage location (None: its source).
            last_number: the largest number ever used; the next new version comes after it.

        Raises:
            Duplicate: the name is taken.
            CannotHold: the format of this store has no place for a value.
        """
        raise NotImplementedError

    def import_rest(self, source: Copying) -> dict[str, int]:
        """Add what no method of `Backend` gives, from a store whose other records were added.

        Returns:
            What this store has no place for: counts by noun.
        """
        return source.beyond_contract()


class CannotHold(ValueError):
    """The format of a store has no place for a value; the text says which and why."""
