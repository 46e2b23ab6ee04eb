"""Runs: lifecycle, searches, inputs and outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.experiment import ViewType
from mlflow.entities.run import (
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunStatus,
    RunTag,
)
from mlflow.testing.store_contract.support import (
    ABSENT,
    INVALID,
    NAN,
    NO_MODEL,
    NO_RUN,
    STATE,
    TAKEN,
    Contract,
    everything,
    make_run,
    points,
    refused,
    used,
)

if TYPE_CHECKING:
    from mlflow.store.base import AbstractStore


class RunContract(Contract):
    """Runs and what they log."""

    def test_create_run(self, store: AbstractStore) -> None:
        """All fields are kept."""
        run = store.create_run("0", "ada", 1_700_000_000_000, [RunTag("k", "v")], "my run")
        kept = self.reopen(store).get_run(run.info.run_id)

        assert run.info == kept.info
        assert run.data.tags == kept.data.tags == {"k": "v", "mlflow.runName": "my run"}
        assert (
            kept.info.status, kept.info.lifecycle_stage, kept.info.experiment_id,
            kept.info.user_id, kept.info.run_name,
        ) == ("RUNNING", "active", "0", "ada", "my run")  # fmt: skip
        assert (kept.info.start_time, kept.info.end_time) == (1_700_000_000_000, None)
        root = store.get_experiment("0").artifact_location
        assert f"{root}/{run.info.run_id}/artifacts" == kept.info.artifact_uri
        assert (kept.data.metrics, kept.data.params) == ({}, {})
        assert len(run.info.run_id) == 32

    def test_run_names(self, store: AbstractStore) -> None:
        """A name comes from the argument, from the tag, or is made up."""
        tagged = store.create_run("0", "u", 1, [RunTag("mlflow.runName", "tag")], None)
        both = store.create_run("0", "u", 1, [RunTag("mlflow.runName", "same")], "same")
        made = [make_run(store).info.run_name for _ in range(20)]

        assert (tagged.info.run_name, tagged.data.tags["mlflow.runName"]) == ("tag", "tag")
        assert both.info.run_name == "same"
        assert len(set(made)) > 1
        assert all(name and len(name) <= 20 and name.count("-") == 2 for name in made)
        with refused(INVALID, "run_name"):
            store.create_run("0", "u", 1, [RunTag("mlflow.runName", "one")], "two")

    def test_create_run_without_time(self, store: AbstractStore) -> None:
        """It starts now."""
        run = store.create_run("0", "u", None, None, None)
        assert run.info.start_time is not None
        assert run.info.start_time > 1_600_000_000_000

    def test_create_run_with_an_id(self, store: AbstractStore) -> None:
        """It is kept, once, whatever the experiment; and an id of another form is refused."""
        other = store.create_experiment("other")
        wanted = "0123456789abcdef" * 2
        made = store.create_run("0", "u", 1, [], "chosen", wanted)

        assert wanted == made.info.run_id
        assert made.info == self.reopen(store).get_run(wanted).info
        for experiment in ("0", other):
            with refused(TAKEN):
                store.create_run(experiment, "u", 1, [], None, wanted)
        store.delete_run(wanted)
        with refused(TAKEN):
            store.create_run("0", "u", 1, [], None, wanted)
        for bad in ("", "..", "A" * 32, "a" * 31, "a" * 33, "../" + "a" * 29, "\u0660" * 32):
            with refused(INVALID, "run_id"):
                store.create_run("0", "u", 1, [], None, bad)

    def test_create_run_refused(self, store: AbstractStore) -> None:
        """Unknown and deleted experiments, bad tags."""
        gone = store.create_experiment("gone")
        store.delete_experiment(gone)
        with refused(ABSENT):
            make_run(store, "123456")
        with refused(STATE):
            make_run(store, gone)
        with refused(INVALID):
            store.create_run("0", "u", 1, [RunTag("../x", "y")], None)
        assert store.search_runs(["0", gone], "", ViewType.ALL) == []

    @pytest.mark.parametrize("bad", ["", "..", "../x", "a/b", ".", "x" * 257, None, 5])
    def test_bad_run_ids(self, store: AbstractStore, bad: Any) -> None:
        """Ids that are paths are refused by every operation that takes one."""
        for operation in (
            lambda: store.get_run(bad),
            lambda: store.log_metric(bad, Metric("a", 1.0, 1, 0)),
            lambda: store.log_metric_value(bad, "a", 1.0, 1, 0),
            lambda: store.log_param(bad, Param("a", "b")),
            lambda: store.set_tag(bad, RunTag("a", "b")),
            lambda: store.delete_tag(bad, "a"),
            lambda: store.log_batch(bad, [], [], []),
            lambda: store.get_metric_history(bad, "a"),
            lambda: store.delete_run(bad),
            lambda: store.restore_run(bad),
            lambda: store.update_run_info(bad, None, None, None),
            lambda: store.log_inputs(bad, []),
            lambda: store.log_outputs(bad, []),
            lambda: (store.purge_run if self.maintains else store.delete_run)(bad),
        ):
            with refused(INVALID, "run_id"):
                operation()

    def test_unknown_run(self, store: AbstractStore) -> None:
        """Every operation says that there is no such run."""
        for operation in (
            lambda: store.get_run(NO_RUN),
            lambda: store.log_metric(NO_RUN, Metric("a", 1.0, 1, 0)),
            lambda: store.log_metric_value(NO_RUN, "a", 1.0, 1, 0),
            lambda: store.log_param(NO_RUN, Param("a", "b")),
            lambda: store.set_tag(NO_RUN, RunTag("a", "b")),
            lambda: store.delete_tag(NO_RUN, "a"),
            lambda: store.log_batch(NO_RUN, [Metric("a", 1.0, 1, 0)], [], []),
            lambda: store.get_metric_history(NO_RUN, "a"),
            lambda: store.delete_run(NO_RUN),
            lambda: store.restore_run(NO_RUN),
            lambda: store.update_run_info(NO_RUN, None, None, "x"),
            lambda: store.log_inputs(NO_RUN, [used("n", "d")]),
            lambda: store.log_outputs(NO_RUN, [LoggedModelOutput(NO_MODEL, 0)]),
            lambda: (store.purge_run if self.maintains else store.delete_run)(NO_RUN),
        ):
            with refused(ABSENT, NO_RUN, "not found"):
                operation()

    def test_deleted_run_is_read_only(self, store: AbstractStore) -> None:
        """It can be read and not written, by the fast way of a metric neither."""
        run = make_run(store).info.run_id
        store.log_metric_value(run, "a", 1.0, 1, 0)
        store.delete_run(run)
        for operation in (
            lambda: store.log_metric(run, Metric("a", 1.0, 1, 0)),
            lambda: store.log_metric_value(run, "a", 2.0, 1, 1),
            lambda: store.log_param(run, Param("a", "b")),
            lambda: store.set_tag(run, RunTag("a", "b")),
            lambda: store.set_tag(run, RunTag("mlflow.runName", "b")),
            lambda: store.delete_tag(run, "mlflow.runName"),
            lambda: store.log_batch(run, [Metric("a", 1.0, 1, 0)], [], []),
            lambda: store.update_run_info(run, RunStatus.FINISHED, 5, "x"),
            lambda: store.log_inputs(run, [used("n", "d")]),
            lambda: store.log_outputs(run, [LoggedModelOutput(NO_MODEL, 0)]),
        ):
            with refused(INVALID, run, "'active' lifecycle_stage"):
                operation()
        kept = self.reopen(store).get_run(run)

        assert (
            kept.info.lifecycle_stage, kept.data.metrics, kept.data.params,
        ) == ("deleted", {"a": 1.0}, {})  # fmt: skip
        assert points(store.get_metric_history(run, "a")) == [(1.0, 1, 0)]

    def test_delete_and_restore_run(self, store: AbstractStore) -> None:
        """Both may be repeated."""
        run = make_run(store, name="n").info.run_id
        store.delete_run(run)
        store.delete_run(run)
        assert self.reopen(store).get_run(run).info.lifecycle_stage == "deleted"
        assert store.search_runs(["0"], "", ViewType.ACTIVE_ONLY) == []
        store.restore_run(run)
        store.restore_run(run)
        assert self.reopen(store).get_run(run).info.lifecycle_stage == "active"
        store.log_param(run, Param("a", "b"))
        assert self.reopen(store).get_run(run).data.params == {"a": "b"}

    def test_purge_run(self, store: AbstractStore) -> None:
        """Only deleted runs can be removed for good."""
        run, other = make_run(store).info.run_id, make_run(store).info.run_id
        with refused(INVALID):
            store.purge_run(run)
        store.delete_run(run)
        assert [run] == store.list_deleted_runs()
        assert store.list_deleted_runs(older_than=1_000_000) == []
        store.purge_run(run)
        with refused(ABSENT):
            self.reopen(store).get_run(run)
        assert [other] == [one.info.run_id for one in store.search_runs(["0"], "", ViewType.ALL)]

    def test_update_run(self, store: AbstractStore) -> None:
        """Fields that are None stay; the tag of the name follows the name."""
        run = make_run(store, name="before").info.run_id
        ended = store.update_run_info(run, RunStatus.FINISHED, 77, None)
        again = store.update_run_info(run, RunStatus.RUNNING, None, "after")
        same = store.update_run_info(run, None, None, None)
        kept = self.reopen(store).get_run(run)

        assert (ended.status, ended.end_time, ended.run_name) == ("FINISHED", 77, "before")
        assert (again.status, again.end_time, again.run_name) == ("RUNNING", 77, "after")
        assert again == same == kept.info
        assert kept.data.tags["mlflow.runName"] == "after"

    @pytest.mark.parametrize("status", RunStatus.all_status())
    def test_statuses(self, store: AbstractStore, status: int) -> None:
        """Every status is kept."""
        run = make_run(store).info.run_id
        store.update_run_info(run, status, None, None)
        assert RunStatus.to_string(status) == self.reopen(store).get_run(run).info.status

    def test_bad_status(self, store: AbstractStore) -> None:
        """A number that is no status is refused."""
        run = make_run(store).info.run_id
        with refused(INVALID, "status"):
            store.update_run_info(run, 77, None, None)
        assert store.get_run(run).info.status == "RUNNING"

    # --- searches ------------------------------------------------------------------------------

    def test_search_runs_order(self, store: AbstractStore) -> None:
        """Newest first, and then by id; missing values last, NaN just before them."""
        ids = [make_run(store, start_time=time).info.run_id for time in (1, 3, 3, 2)]
        for run, value in zip(ids, (1.0, NAN, -2.0), strict=False):
            store.log_metric(run, Metric("m", value, 1, 0))

        def found(*order: str) -> list[str]:
            rows = store.search_runs(["0"], "", ViewType.ACTIVE_ONLY, order_by=list(order))
            return [one.info.run_id for one in rows]

        assert [*sorted(ids[1:3]), ids[3], ids[0]] == found()
        assert [ids[2], ids[0], ids[1], ids[3]] == found("metrics.m ASC")
        assert [ids[0], ids[2], ids[1], ids[3]] == found("metrics.m DESC")

    def test_search_runs_filters(self, store: AbstractStore) -> None:
        """Metrics, params, tags, attributes and datasets, joined by AND."""
        one = make_run(store, name="first", start_time=5, kind="x").info.run_id
        two = make_run(store, name="second", start_time=6, kind="y").info.run_id
        store.log_batch(one, [Metric("a/b c", 1.0, 1, 0)], [Param("lr", "0.1")], [])
        store.log_batch(two, [Metric("a/b c", 2.0, 1, 0)], [Param("lr", "0.2")], [])
        store.log_inputs(two, [used("wine", "d1", context="train")])
        store.update_run_info(two, RunStatus.FINISHED, 9, None)
        for text, expected in (
            ("", {one, two}),
            ("metrics.`a/b c` > 1", {two}),
            ("params.lr = '0.1'", {one}),
            ("tags.kind != 'x'", {two}),
            ("tags.mlflow.runName LIKE 'sec%'", {two}),
            ("attributes.status = 'FINISHED'", {two}),
            ("attributes.run_name = 'first'", {one}),
            ("attributes.start_time >= 6", {two}),
            (f"attributes.run_id IN ('{one}', '{two}')", {one, two}),
            ("datasets.name = 'wine'", {two}),
            ("metrics.`a/b c` > 0 AND params.lr ILIKE '0.%' and tags.kind = 'y'", {two}),
            ("params.nothing != 'x'", set()),
            ("params.lr = '0.1' OR params.lr = '0.2'", {one, two}),
        ):
            rows = self.reopen(store).search_runs(["0"], text, ViewType.ACTIVE_ONLY)
            assert expected == {run.info.run_id for run in rows}, text

    def test_search_runs_views_and_experiments(self, store: AbstractStore) -> None:
        """Unknown experiments are empty, repeated ones count once, views choose the stage."""
        other = store.create_experiment("other")
        here, there = make_run(store).info.run_id, make_run(store, other).info.run_id
        gone = make_run(store).info.run_id
        store.delete_run(gone)

        def found(ids: list[str], view: int) -> set[str]:
            rows = store.search_runs(ids, None, view)
            assert len(rows) == len({one.info.run_id for one in rows})
            return {one.info.run_id for one in rows}

        assert {here} == found(["0"], ViewType.ACTIVE_ONLY)
        assert {gone} == found(["0"], ViewType.DELETED_ONLY)
        assert {here, gone} == found(["0", "0"], ViewType.ALL)
        assert {here, there} == found(["0", other, "123456"], ViewType.ACTIVE_ONLY)
        assert set() == found([], ViewType.ALL)

    def test_search_runs_pages(self, store: AbstractStore) -> None:
        """Pages of any size join up to the whole, in order."""
        ids = [make_run(store, start_time=n // 3).info.run_id for n in range(11)]
        for place, run in enumerate(ids):
            if place % 2:
                store.log_metric(run, Metric("m", float(place % 4), 1, 0))
        for order in ([], ["metrics.m DESC"], ["attributes.start_time ASC"]):
            arguments: dict[str, Any] = {
                "experiment_ids": ["0"],
                "filter_string": "",
                "run_view_type": ViewType.ACTIVE_ONLY,
                "order_by": order,
            }
            whole = [one.info.run_id for one in store.search_runs(**arguments)]
            assert sorted(ids) == sorted(whole)
            for size in (1, 4, 10, 11, 12):
                rows = everything(store.search_runs, size, **arguments)
                assert whole == [one.info.run_id for one in rows]

    def test_search_runs_returns_whole_runs(self, store: AbstractStore) -> None:
        """What a search returns is what `get_run` returns."""
        run = make_run(store, name="n", a="b").info.run_id
        store.log_batch(run, [Metric("m", 1.0, 2, 3)], [Param("p", "q")], [])
        store.log_inputs(run, [used("wine", "d1", context="train")])
        (found,) = self.reopen(store).search_runs(["0"], "", ViewType.ALL)
        assert self.reopen(store).get_run(run).to_dictionary() == found.to_dictionary()

    @pytest.mark.parametrize("size", [-1, 50_001, "5", 1.5])
    def test_search_runs_page_size(self, store: AbstractStore, size: Any) -> None:
        """Sizes of pages are bounded."""
        with refused(INVALID, "max_results"):
            store.search_runs(["0"], "", ViewType.ALL, size)

    def test_search_runs_refused(self, store: AbstractStore) -> None:
        """Bad filters, orders, views and tokens, and a token of another search."""
        for _ in range(3):
            make_run(store)
        token = store.search_runs(["0"], "", ViewType.ALL, 1).token
        for arguments in (
            {"filter_string": "a b c"},
            {"filter_string": "params.a = 5"},
            {"filter_string": "metrics.a = 'x'"},
            {"order_by": ["nonsense"]},
            {"run_view_type": 7},
            {"page_token": "zzz"},
            {"page_token": token, "order_by": ["attributes.start_time ASC"]},
        ):
            whole = {"filter_string": "", "run_view_type": ViewType.ALL} | arguments
            with refused(INVALID):
                store.search_runs(["0"], **whole)  # type: ignore[arg-type]

    # --- inputs and outputs ----------------------------------------------------------------------

    def test_inputs(self, store: AbstractStore) -> None:
        """Datasets and models are kept once, with the tags of their first use."""
        run = make_run(store).info.run_id
        model = store.create_logged_model("0", "m").model_id
        first = used("wine", "d1", context="train", weird="ü\n")
        store.log_inputs(run, [first], [LoggedModelInput(model)])
        store.log_inputs(run, [used("wine", "d1", context="test")], [LoggedModelInput(model)])
        store.log_inputs(run, [used("wine", "d2")])
        kept = self.reopen(store).get_run(run).inputs
        assert kept is not None
        by_digest = {one.dataset.digest: one for one in kept.dataset_inputs}

        assert {"d1", "d2"} == set(by_digest)
        assert first.dataset == by_digest["d1"].dataset
        tags = {tag.key: tag.value for tag in by_digest["d1"].tags}
        assert tags == {"context": "train", "weird": "ü\n"}
        assert by_digest["d2"].tags == []
        assert [model] == [one.model_id for one in kept.model_inputs]

    def test_one_dataset_of_an_experiment(self, store: AbstractStore) -> None:
        """Runs that used the same name and digest used the same dataset, as it was logged first."""
        first, second = (make_run(store).info.run_id for _ in range(2))
        store.log_inputs(first, [used("wine", "d1", source="here", context="train")])
        store.log_inputs(second, [used("wine", "d1", source="there", context="test")])
        reader = self.reopen(store)
        inputs = [reader.get_run(run).inputs for run in (first, second)]
        kept = [one for some in inputs if some for one in some.dataset_inputs]

        assert [one.dataset.source for one in kept] == ["here", "here"]
        assert [one.tags[0].value for one in kept] == ["train", "test"]

    def test_bad_inputs(self, store: AbstractStore) -> None:
        """Fields of datasets and tags have limits."""
        run = make_run(store).info.run_id
        for bad in (
            used("n" * 501, "d"),
            used("n", "d" * 37),
            used("n", None),  # type: ignore[arg-type]
            used("n", "d", source="s" * 65_536),
            used("n", "d", schema="s" * 1_048_576),
            DatasetInput(used("n", "d").dataset, [InputTag("k" * 256, "v")]),
            DatasetInput(used("n", "d").dataset, [InputTag("k", "v" * 501)]),
        ):
            with refused(INVALID):
                store.log_inputs(run, [used("fine", "d"), bad])
        kept = self.reopen(store).get_run(run).inputs
        assert kept is not None
        assert kept.dataset_inputs == []

    def test_outputs(self, store: AbstractStore) -> None:
        """Models are kept once, with their step."""
        run = make_run(store).info.run_id
        model = store.create_logged_model("0", "m", run).model_id
        store.log_outputs(run, [LoggedModelOutput(model, 3)])
        store.log_outputs(run, [LoggedModelOutput(model, 3)])
        kept = self.reopen(store).get_run(run).outputs
        assert kept is not None
        assert [(model, 3)] == [(one.model_id, one.step) for one in kept.model_outputs]

    def test_record_logged_model(self, store: AbstractStore) -> None:
        """The tag `mlflow.log-model.history` is a list that grows."""

        class Model:
            def __init__(self, name: str) -> None:
                self.name = name

            def get_tags_dict(self) -> dict[str, Any]:
                # What every model says, and servers look for.
                return {"run_id": "r", "artifact_path": self.name, "utc_time_created": "t",
                        "flavors": {}}  # fmt: skip

        run = make_run(store).info.run_id
        store.record_logged_model(run, Model("a"))
        store.record_logged_model(run, Model("b"))
        tag = self.reopen(store).get_run(run).data.tags["mlflow.log-model.history"]
        assert tag == json.dumps([Model("a").get_tags_dict(), Model("b").get_tags_dict()])

    def test_what_is_returned_is_the_callers(self, store: AbstractStore) -> None:
        """Changing an answer changes nothing that is kept."""
        run = make_run(store, name="n").info.run_id
        store.log_batch(run, [Metric("m", 1.0, 1, 0)], [Param("p", "q")], [])
        for answer in (store.get_run(run), store.search_runs(["0"], "", ViewType.ALL)[0]):
            answer.data.metrics.clear()
            answer.data.params["x"] = "y"
            answer.data.tags.clear()
        experiment = store.get_experiment("0")
        experiment.tags["x"] = "y"
        kept = store.get_run(run).data
        assert (
            kept.metrics, kept.params, kept.tags,
        ) == ({"m": 1.0}, {"p": "q"}, {"mlflow.runName": "n"})  # fmt: skip
        assert store.get_experiment("0").tags == {}
