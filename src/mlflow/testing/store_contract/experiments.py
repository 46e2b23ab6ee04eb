"""Experiments: names, stages, tags, searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.experiment import ExperimentTag, ViewType
from mlflow.entities.run import (
    Metric,
)
from mlflow.testing.store_contract.support import (
    ABSENT,
    BAD_KEYS,
    INVALID,
    STATE,
    TAKEN,
    Contract,
    everything,
    make_run,
    refused,
)

if TYPE_CHECKING:
    from mlflow.store.base import AbstractStore


class ExperimentContract(Contract):
    """Experiments."""

    def test_new_store_has_the_default_experiment(self, store: AbstractStore) -> None:
        """Experiment 0 is named Default."""
        default = store.get_experiment("0")

        assert (
            default.experiment_id, default.name, default.lifecycle_stage,
        ) == ("0", "Default", "active")  # fmt: skip
        assert getattr(store.get_experiment_by_name("Default"), "experiment_id", None) == "0"
        assert [one.experiment_id for one in store.search_experiments()] == ["0"]

    def test_create_experiment(self, store: AbstractStore) -> None:
        """Name, tags, location and times are kept."""
        tags = [ExperimentTag("team", "vision"), ExperimentTag("a/b", "multi\nline ü")]
        new = store.create_experiment("first", None, tags)
        kept = self.reopen(store).get_experiment(new)

        assert isinstance(new, str)
        assert new != "0"
        assert (kept.name, kept.lifecycle_stage) == ("first", "active")
        assert kept.tags == {"team": "vision", "a/b": "multi\nline ü"}
        assert kept.artifact_location.endswith(f"/{new}")
        assert kept.creation_time is not None
        assert kept.creation_time == kept.last_update_time

    def test_create_experiment_with_location(self, store: AbstractStore) -> None:
        """A location is kept as given and roots the artifacts of runs."""
        new = store.create_experiment("elsewhere", "s3://bucket/root")
        run = make_run(store, new)

        assert store.get_experiment(new).artifact_location == "s3://bucket/root"
        assert f"s3://bucket/root/{run.info.run_id}/artifacts" == run.info.artifact_uri

    @pytest.mark.parametrize(
        "name", ["a", "a/b", "..", ".trash", "models", "0", "  ", "ü ' \" % \n"]
    )
    def test_experiment_names_are_free_text(self, store: AbstractStore, name: str) -> None:
        """Names are not paths."""
        new = store.create_experiment(name)

        assert name == self.reopen(store).get_experiment(new).name
        assert new == getattr(store.get_experiment_by_name(name), "experiment_id", None)

    @pytest.mark.parametrize("name", [None, "", 5, "x" * 501])
    def test_bad_experiment_names(self, store: AbstractStore, name: Any) -> None:
        """Empty, foreign and over-long names are refused."""
        with refused(INVALID):
            store.create_experiment(name)
        assert len(store.search_experiments(ViewType.ALL)) == 1

    def test_experiment_name_is_unique(self, store: AbstractStore) -> None:
        """A taken name is refused; clients look for the code's name in the text."""
        new = store.create_experiment("taken")
        with refused(TAKEN, "Experiment 'taken' already exists.", "RESOURCE_ALREADY_EXISTS"):
            store.create_experiment("taken")
        store.delete_experiment(new)
        with refused(TAKEN, "in deleted state", "RESOURCE_ALREADY_EXISTS"):
            store.create_experiment("taken")

    def test_unknown_experiment(self, store: AbstractStore) -> None:
        """Unknown ids are reported, unknown names are None."""
        with refused(ABSENT, "123456"):
            store.get_experiment("123456")
        assert store.get_experiment_by_name("nobody") is None

    @pytest.mark.parametrize("bad", ["", "..", "../0", "a/b", ".trash", "0/", "x" * 65])
    def test_bad_experiment_ids(self, store: AbstractStore, bad: str) -> None:
        """Ids that are paths are refused by every operation that takes one."""
        for operation in (
            lambda: store.get_experiment(bad),
            lambda: store.delete_experiment(bad),
            lambda: store.rename_experiment(bad, "new"),
            lambda: store.set_experiment_tag(bad, ExperimentTag("a", "b")),
            lambda: make_run(store, bad),
            lambda: store.search_runs([bad], "", ViewType.ALL),
            lambda: store.create_logged_model(bad, "m"),
        ):
            with refused(INVALID, "xperiment ID"):
                operation()

    def test_delete_and_restore_experiment(self, store: AbstractStore) -> None:
        """Both also move its runs, and keep everything else."""
        new = store.create_experiment("gone", None, [ExperimentTag("a", "b")])
        run = make_run(store, new).info.run_id
        store.log_metric(run, Metric("m", 1.0, 1, 0))
        store.delete_experiment(new)
        reader = self.reopen(store)

        assert reader.get_experiment(new).lifecycle_stage == "deleted"
        assert reader.get_run(run).info.lifecycle_stage == "deleted"
        assert getattr(reader.get_experiment_by_name("gone"), "lifecycle_stage", None) == "deleted"
        assert new not in [one.experiment_id for one in reader.search_experiments()]
        assert reader.search_runs([new], "", ViewType.ACTIVE_ONLY) == []

        store.restore_experiment(new)
        reader = self.reopen(store)

        assert (
            reader.get_experiment(new).lifecycle_stage, reader.get_experiment(new).tags,
        ) == ("active", {"a": "b"})  # fmt: skip
        assert reader.get_run(run).info.lifecycle_stage == "active"
        assert reader.get_run(run).data.metrics == {"m": 1.0}
        store.log_metric(run, Metric("m", 2.0, 2, 1))
        assert reader.get_run(run).data.metrics == {"m": 2.0}

    def test_delete_experiment_twice(self, store: AbstractStore) -> None:
        """What is deleted cannot be deleted, what is active cannot be restored."""
        new = store.create_experiment("once")
        with refused(ABSENT, "deleted experiment"):
            store.restore_experiment(new)
        store.delete_experiment(new)
        with refused(ABSENT):
            store.delete_experiment(new)
        with refused(ABSENT):
            store.delete_experiment("123456")
        with refused(ABSENT):
            store.restore_experiment("123456")

    def test_default_experiment_stays(self, store: AbstractStore) -> None:
        """Runs that name no experiment need it."""
        with refused(INVALID, "default experiment"):
            store.delete_experiment("0")

    def test_rename_experiment(self, store: AbstractStore) -> None:
        """The old name is free again; the default experiment can be renamed."""
        new = store.create_experiment("old")
        store.rename_experiment(new, "new")
        store.rename_experiment("0", "seeds")
        reader = self.reopen(store)

        assert reader.get_experiment(new).name == "new"
        assert reader.get_experiment("0").name == "seeds"
        assert reader.get_experiment_by_name("old") is None
        assert store.create_experiment("old") != new

    def test_rename_experiment_refused(self, store: AbstractStore) -> None:
        """Taken and bad names, unknown and deleted experiments."""
        new = store.create_experiment("mine")
        with refused(TAKEN):
            store.rename_experiment(new, "Default")
        for bad in (None, "", "x" * 501):
            with refused(INVALID):
                store.rename_experiment(new, bad)  # type: ignore[arg-type]
        with refused(ABSENT):
            store.rename_experiment("123456", "x")
        store.delete_experiment(new)
        with refused(STATE):
            store.rename_experiment(new, "other")
        assert store.get_experiment(new).name == "mine"

    def test_experiment_tags(self, store: AbstractStore) -> None:
        """Tags are set, replaced and removed."""
        store.set_experiment_tag("0", ExperimentTag("a", "1"))
        store.set_experiment_tag("0", ExperimentTag("a", "2"))
        store.set_experiment_tag("0", ExperimentTag("b/c", ""))

        assert self.reopen(store).get_experiment("0").tags == {"a": "2", "b/c": ""}

        store.delete_experiment_tag("0", "a")

        assert self.reopen(store).get_experiment("0").tags == {"b/c": ""}
        with refused(ABSENT, "No tag with name: a"):
            store.delete_experiment_tag("0", "a")

    def test_experiment_tags_refused(self, store: AbstractStore) -> None:
        """Bad keys, over-long values, unknown and deleted experiments."""
        new = store.create_experiment("tagged")
        for key in [*BAD_KEYS, None]:
            with refused(INVALID):
                store.set_experiment_tag(new, ExperimentTag(key, "x"))  # type: ignore[arg-type]
        with refused(INVALID, "20000"):
            store.set_experiment_tag(new, ExperimentTag("a", "x" * 20_001))
        with refused(ABSENT):
            store.set_experiment_tag("123456", ExperimentTag("a", "b"))
        store.delete_experiment(new)
        with refused(INVALID, "lifecycle_stage"):
            store.set_experiment_tag(new, ExperimentTag("a", "b"))
        with refused(INVALID, "lifecycle_stage"):
            store.delete_experiment_tag(new, "a")
        assert store.get_experiment(new).tags == {}

    def test_search_experiments(self, store: AbstractStore) -> None:
        """Views, filters, orders and pages."""
        ids = {name: store.create_experiment(name) for name in ("a", "b", "ab")}
        store.set_experiment_tag(ids["a"], ExperimentTag("kind", "x"))
        store.delete_experiment(ids["ab"])

        def names(*arguments: Any, **options: Any) -> list[str]:
            return [one.name for one in store.search_experiments(*arguments, **options)]

        by_name = {"order_by": ["name ASC"]}
        assert names(**by_name) == ["Default", "a", "b"]
        assert names(ViewType.DELETED_ONLY) == ["ab"]
        assert names(ViewType.ALL, **by_name) == ["Default", "a", "ab", "b"]
        assert names(filter_string="tags.kind = 'x'") == ["a"]
        assert names(filter_string="name LIKE '%b'") == ["b"]
        assert [
            one.name for one in everything(store.search_experiments, 1, order_by=["name DESC"])
        ] == ["b", "a", "Default"]

    @pytest.mark.parametrize("size", [0, -1, 50_001, None, "5", 1.5])
    def test_search_experiments_page_size(self, store: AbstractStore, size: Any) -> None:
        """Sizes of pages are positive and bounded."""
        with refused(INVALID, "max_results"):
            store.search_experiments(max_results=size)

    def test_search_experiments_refused(self, store: AbstractStore) -> None:
        """Bad filters, orders, views and tokens."""
        for arguments in (
            {"filter_string": "a b c"},
            {"filter_string": "nonsense = 'x'"},
            {"order_by": ["nonsense"]},
            {"view_type": 7},
            {"page_token": "zzz"},
        ):
            with refused(INVALID):
                store.search_experiments(**arguments)

    def test_purge_experiment(self, store: AbstractStore) -> None:
        """Only what is deleted can be removed for good; its name is free again."""
        new = store.create_experiment("purged")
        run = make_run(store, new).info.run_id
        with refused(INVALID):
            store.purge_experiment(new)
        store.delete_experiment(new)
        assert [new] == store.list_deleted_experiments()
        assert store.list_deleted_experiments(older_than=1_000_000) == []
        store.purge_experiment(new)
        reader = self.reopen(store)
        with refused(ABSENT):
            reader.get_experiment(new)
        with refused(ABSENT):
            reader.get_run(run)
        with refused(ABSENT):
            store.purge_experiment(new)
        assert store.create_experiment("purged")
