"""Logged models: where they are kept, metrics, searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.logged_models import (
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
)
from mlflow.entities.run import (
    Metric,
)
from mlflow.testing.store_contract.support import (
    ABSENT,
    INVALID,
    NO_MODEL,
    NO_RUN,
    STATE,
    TAKEN,
    Contract,
    everything,
    make_run,
    points,
    refused,
)

if TYPE_CHECKING:
    from mlflow.store.base import AbstractStore


class LoggedModelContract(Contract):
    """Logged models."""

    def test_create_logged_model(self, store: AbstractStore) -> None:
        """All fields are kept."""
        run = make_run(store).info
        made = store.create_logged_model(
            "0",
            "elastic_0.2",
            run.run_id,
            [LoggedModelTag("a/b", "c")],
            [LoggedModelParameter("lr", "0.1")],
            "agent",
        )
        kept = self.reopen(store).get_logged_model(made.model_id)

        assert made == kept
        assert ("elastic_0.2", "0", run.run_id, "agent", LoggedModelStatus.PENDING) == (
            kept.name, kept.experiment_id, kept.source_run_id, kept.model_type, kept.status,
        )  # fmt: skip
        assert (kept.tags, kept.params, kept.metrics or []) == ({"a/b": "c"}, {"lr": "0.1"}, [])
        assert kept.model_id.startswith("m-")
        assert len(kept.model_id) == 34
        assert 0 < kept.creation_timestamp <= kept.last_updated_timestamp

    def test_create_logged_model_with_an_id(self, store: AbstractStore) -> None:
        """It is kept, once, and an id of another form is refused."""
        wanted = "m-" + "0123456789abcdef" * 2
        made = store.create_logged_model("0", "chosen", model_id=wanted)

        assert wanted == made.model_id
        assert made == self.reopen(store).get_logged_model(wanted)
        with refused(TAKEN):
            store.create_logged_model("0", "again", model_id=wanted)
        for bad in ("", "m-", "a" * 32, "m-" + "A" * 32, "m-../" + "a" * 29):
            with refused(INVALID, "model_id"):
                store.create_logged_model("0", "chosen", model_id=bad)

    def test_logged_model_location(self, store: AbstractStore) -> None:
        """The run's own folder of that name; below `models/` when that is taken, or without a run."""
        run, root = make_run(store).info, store.get_experiment("0").artifact_location

        def own(model: Any) -> str:
            return f"{root}/models/{model.model_id}/artifacts"

        first = store.create_logged_model("0", "model", run.run_id)
        again = store.create_logged_model("0", "model", run.run_id)
        other = store.create_logged_model("0", "other", run.run_id)
        alone = store.create_logged_model("0", "model")
        elsewhere = store.create_logged_model("0", "model", NO_RUN)

        assert f"{run.artifact_uri}/model" == first.artifact_location
        assert own(again) == again.artifact_location
        assert f"{run.artifact_uri}/other" == other.artifact_location
        assert own(alone) == alone.artifact_location
        assert own(elsewhere) == elsewhere.artifact_location

    def test_logged_model_without_name(self, store: AbstractStore) -> None:
        """It gets one."""
        assert store.create_logged_model("0").name

    @pytest.mark.parametrize(
        "name", ["", " ", "..", "../x", "/a", "a/", "a:b", "a%b", "a'b", 'a"b', "a\\b", "a\n", 5]
    )
    def test_bad_logged_model_names(self, store: AbstractStore, name: Any) -> None:
        """Names are folders."""
        with refused(INVALID, "Invalid model name"):
            store.create_logged_model("0", name, make_run(store).info.run_id)
        assert store.search_logged_models(["0"]) == []

    def test_create_logged_model_refused(self, store: AbstractStore) -> None:
        """Unknown and deleted experiments, bad tags and params."""
        gone = store.create_experiment("gone")
        store.delete_experiment(gone)
        with refused(ABSENT):
            store.create_logged_model("123456", "m")
        with refused(STATE):
            store.create_logged_model(gone, "m")
        with refused(INVALID):
            store.create_logged_model("0", "m", None, [LoggedModelTag("../a", "b")])
        with refused(INVALID):
            store.create_logged_model("0", "m", None, None, [LoggedModelParameter("../a", "b")])
        assert store.search_logged_models(["0", gone]) == []

    def test_finalize_logged_model(self, store: AbstractStore) -> None:
        """READY or FAILED, as status or as text."""
        model = store.create_logged_model("0", "m").model_id
        assert store.finalize_logged_model(model, "READY").status == LoggedModelStatus.READY
        failed = store.finalize_logged_model(model, LoggedModelStatus.FAILED)
        assert failed == self.reopen(store).get_logged_model(model)
        assert failed.status == LoggedModelStatus.FAILED
        for bad in (LoggedModelStatus.PENDING, LoggedModelStatus.UNSPECIFIED, "NONSENSE"):
            with refused(INVALID, "status"):
                store.finalize_logged_model(model, bad)

    def test_unknown_logged_model(self, store: AbstractStore) -> None:
        """Every operation says that there is no such model, for a deleted one too."""
        deleted = store.create_logged_model("0", "m").model_id
        store.delete_logged_model(deleted)
        for model in (NO_MODEL, deleted):
            for operation in (
                lambda: store.get_logged_model(model),  # noqa: B023 - called at once
                lambda: store.finalize_logged_model(model, "READY"),  # noqa: B023
                lambda: store.set_logged_model_tags(model, [LoggedModelTag("a", "b")]),  # noqa: B023
                lambda: store.delete_logged_model_tag(model, "a"),  # noqa: B023
                lambda: store.log_logged_model_params(model, []),  # noqa: B023
                lambda: store.delete_logged_model(model),  # noqa: B023
                lambda: store.set_model_versions_tags("n", "1", model),  # noqa: B023
            ):
                with refused(ABSENT, model):
                    operation()
        assert deleted == store.get_logged_model(deleted, allow_deleted=True).model_id
        for bad in ("", "..", "../x", "a/b"):
            with refused(INVALID, "model_id"):
                store.get_logged_model(bad)

    def test_logged_model_tags_and_params(self, store: AbstractStore) -> None:
        """Tags are set, replaced and removed, params added."""
        model = store.create_logged_model("0", "m").model_id
        store.set_logged_model_tags(model, [LoggedModelTag("a", "1"), LoggedModelTag("b/c", "2")])
        store.set_logged_model_tags(model, [LoggedModelTag("a", "two\nlines")])
        store.log_logged_model_params(model, [LoggedModelParameter("p/q", "x")])
        kept = self.reopen(store).get_logged_model(model)

        assert (kept.tags, kept.params) == ({"a": "two\nlines", "b/c": "2"}, {"p/q": "x"})

        store.delete_logged_model_tag(model, "a")

        assert self.reopen(store).get_logged_model(model).tags == {"b/c": "2"}
        with refused(ABSENT, "No tag with key 'a'"):
            store.delete_logged_model_tag(model, "a")
        with refused(INVALID):
            store.set_logged_model_tags(model, [LoggedModelTag("../a", "b")])

    def test_metrics_of_a_logged_model(self, store: AbstractStore) -> None:
        """A point that names a model belongs to run and model; the latest a dataset is kept."""
        run = make_run(store).info.run_id
        model = store.create_logged_model("0", "m", run).model_id
        store.log_metric(run, Metric("f", 1.0, 1, 0, model_id=model))
        store.log_metric(run, Metric("f", 2.0, 2, 1, model_id=model))
        store.log_batch(run, [Metric("f", 3.0, 3, 2, model, "red wine", "d1")], [], [])
        reader = self.reopen(store)
        kept = {
            (one.key, one.dataset_name, one.dataset_digest): (one.value, one.step, one.run_id)
            for one in reader.get_logged_model(model).metrics or ()
        }

        assert {("f", None, None): (2.0, 1, run), ("f", "red wine", "d1"): (3.0, 2, run)} == kept
        history = reader.get_metric_history(run, "f")
        assert points(history) == [(1.0, 1, 0), (2.0, 2, 1), (3.0, 3, 2)]

    def test_metric_of_the_run_for_a_logged_model(self, store: AbstractStore) -> None:
        """A point that was read from the run is given to the model, and not to the run again."""
        run = make_run(store).info.run_id
        model = store.create_logged_model("0", "m", run).model_id
        store.log_metric(run, Metric("f", 1.0, 1, 0))
        store.log_batch(run, [Metric("f", 1.0, 1, 0, model_id=model, run_id=run)], [], [])
        reader = self.reopen(store)

        assert points(reader.get_metric_history(run, "f")) == [(1.0, 1, 0)]
        kept = reader.get_logged_model(model).metrics or ()
        assert [(one.key, one.value, one.run_id) for one in kept] == [("f", 1.0, run)]

    def test_metric_of_unknown_logged_model(self, store: AbstractStore) -> None:
        """It is refused, and the run does not get the point either."""
        run = make_run(store).info.run_id
        with refused(ABSENT, NO_MODEL):
            store.log_metric(run, Metric("f", 1.0, 1, 0, model_id=NO_MODEL))
        assert store.get_run(run).data.metrics == {}

    def test_search_logged_models(self, store: AbstractStore) -> None:
        """Filters, datasets, orders and pages; deleted ones are left out."""
        run = make_run(store).info.run_id
        ids = {}
        for place, name in enumerate(("a", "b", "c", "gone")):
            made = store.create_logged_model("0", name, run, [LoggedModelTag("t", name)])
            ids[name] = made.model_id
            point = Metric("f", float(place), 1, 0, made.model_id, "wine", f"d{place}")
            store.log_metric(run, point)
        store.delete_logged_model(ids["gone"])
        store.finalize_logged_model(ids["b"], "READY")

        def names(**arguments: Any) -> list[str]:
            return [one.name for one in store.search_logged_models(["0", "123456"], **arguments)]

        rising = [{"field_name": "metrics.f", "ascending": True}]
        assert sorted(names()) == ["a", "b", "c"]
        assert names(filter_string="name = 'a'") == ["a"]
        assert names(filter_string="status = 'READY'") == ["b"]
        assert names(filter_string="tags.t = 'c'") == ["c"]
        assert names(filter_string="metrics.f >= 1", order_by=rising) == ["b", "c"]
        assert names(datasets=[{"dataset_name": "wine", "dataset_digest": "d2"}]) == ["c"]
        assert names(order_by=rising) == ["a", "b", "c"]
        falling = [{"field_name": "metrics.f", "ascending": False}]
        assert [
            one.name
            for one in everything(
                store.search_logged_models, 2, experiment_ids=["0"], order_by=falling
            )
        ] == ["c", "b", "a"]
        assert store.search_logged_models([]) == []
        bad: tuple[dict[str, Any], ...] = (
            {"filter_string": "a b c"},
            {"order_by": [{"field_name": "nonsense"}]},
            {"order_by": [{}]},
            {"datasets": [{}]},
            {"max_results": -1},
            {"page_token": "zzz"},
        )
        for arguments in bad:
            with refused(INVALID):
                names(**arguments)

    def test_model_versions_tag(self, store: AbstractStore) -> None:
        """The tag lists where a model was registered, each once."""
        model = store.create_logged_model("0", "m").model_id
        for version in ("1", "2", "2"):
            store.set_model_versions_tags("name", version, model)
        tag = self.reopen(store).get_logged_model(model).tags["mlflow.modelVersions"]
        assert tag == '[{"name": "name", "version": 1}, {"name": "name", "version": 2}]'

    def test_purge_logged_model(self, store: AbstractStore) -> None:
        """Only deleted models can be removed for good."""
        model = store.create_logged_model("0", "m").model_id
        with refused(INVALID):
            store.purge_logged_model(model)
        store.delete_logged_model(model)
        assert [model] == store.list_deleted_logged_models()
        assert store.list_deleted_logged_models(older_than=1_000_000) == []
        store.purge_logged_model(model)
        with refused(ABSENT):
            self.reopen(store).get_logged_model(model, allow_deleted=True)
