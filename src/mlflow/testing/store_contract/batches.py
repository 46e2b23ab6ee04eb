"""Params, tags and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.experiment import ViewType
from mlflow.entities.run import (
    Metric,
    Param,
    RunTag,
)
from mlflow.exceptions import MlflowException
from mlflow.testing.store_contract.support import (
    ABSENT,
    BAD_KEYS,
    GOOD_KEYS,
    INVALID,
    Contract,
    in_threads,
    make_run,
    points,
    refused,
)

if TYPE_CHECKING:
    from mlflow.store.base import AbstractStore


class BatchContract(Contract):
    """Params, tags and batches."""

    @pytest.mark.parametrize("key", GOOD_KEYS)
    @pytest.mark.parametrize("value", ["", "x", "two\nlines\r\n ", "ü\u2028損", "x" * 6000])
    def test_params(self, store: AbstractStore, key: str, value: str) -> None:
        """Keys and values come back exactly."""
        run = make_run(store).info.run_id
        store.log_param(run, Param(key, value))
        assert {key: value} == self.reopen(store).get_run(run).data.params

    def test_param_values_become_text(self, store: AbstractStore) -> None:
        """Numbers are written as text, None as nothing."""
        run = make_run(store).info.run_id
        store.log_param(run, Param("n", 1))  # type: ignore[arg-type]
        store.log_batch(run, [], [Param("none", None)], [])  # type: ignore[arg-type]
        assert self.reopen(store).get_run(run).data.params == {"n": "1", "none": ""}

    def test_params_do_not_change(self, store: AbstractStore) -> None:
        """The same value again is accepted, another one refused with both values in the text."""
        run = make_run(store).info.run_id
        store.log_param(run, Param("p", "1"))
        store.log_param(run, Param("p", "1"))
        store.log_batch(run, [], [Param("p", "1")], [])
        words = ("Changing param values is not allowed", "key='p'", "value='1'", "'2'")
        with refused(INVALID, *words):
            store.log_param(run, Param("p", "2"))
        with refused(INVALID, *words):
            store.log_batch(run, [], [Param("p", "2")], [])
        assert self.reopen(store).get_run(run).data.params == {"p": "1"}

    def test_threads_log_one_param(self, store: AbstractStore) -> None:
        """Of different values for one param, one is kept and the others are refused."""
        run = make_run(store).info.run_id

        def work(place: int) -> str | None:
            try:
                store.log_param(run, Param("p", str(place)))
            except MlflowException:
                return None
            return str(place)

        winners = [one for one in in_threads(4, work) if one is not None]

        assert len(winners) == 1
        assert {"p": winners[0]} == self.reopen(store).get_run(run).data.params

    @pytest.mark.parametrize("key", [*BAD_KEYS, None, 5])
    def test_bad_param_and_tag_keys(self, store: AbstractStore, key: Any) -> None:
        """Keys that are no plain relative path are refused."""
        run = make_run(store).info.run_id
        for operation in (
            lambda: store.log_param(run, Param(key, "x")),
            lambda: store.set_tag(run, RunTag(key, "x")),
            lambda: store.log_batch(run, [], [Param(key, "x")], []),
            lambda: store.log_batch(run, [], [], [RunTag(key, "x")]),
            lambda: store.delete_tag(run, key),
        ):
            with refused(INVALID):
                operation()
        kept = self.reopen(store).get_run(run).data
        assert ({}, {"mlflow.runName"}) == (kept.params, set(kept.tags))

    def test_values_that_are_no_text(self, store: AbstractStore) -> None:
        """Lone surrogates cannot be written."""
        run = make_run(store).info.run_id
        for operation in (
            lambda: store.log_param(run, Param("a", "\ud800")),
            lambda: store.set_tag(run, RunTag("a", "\ud800")),
            lambda: store.create_experiment("\ud800"),
        ):
            with refused(INVALID, "Unicode"):
                operation()

    def test_long_values_are_cut(
        self, store: AbstractStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Over-long params and tags are cut, unless the user chose to be told."""
        run = make_run(store).info.run_id
        store.log_param(run, Param("p", "x" * 6001))
        store.set_tag(run, RunTag("t", "x" * 8001))
        store.log_batch(run, [], [Param("p2", "y" * 7000)], [RunTag("t2", "y" * 9000)])
        kept = self.reopen(store).get_run(run).data

        assert kept.params == {"p": "x" * 6000, "p2": "y" * 6000}
        assert (kept.tags["t"], kept.tags["t2"]) == ("x" * 8000, "y" * 8000)

        monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
        with refused(INVALID, "6000"):
            store.log_param(run, Param("q", "x" * 6001))
        with refused(INVALID, "8000"):
            store.set_tag(run, RunTag("q", "x" * 8001))

    def test_tags(self, store: AbstractStore) -> None:
        """Tags are set, replaced and removed."""
        run = make_run(store, name="n").info.run_id
        store.set_tag(run, RunTag("a/b", "1"))
        store.set_tag(run, RunTag("a/b", "two\nlines"))
        store.set_tag(run, RunTag("empty", ""))
        expected = {"a/b": "two\nlines", "empty": "", "mlflow.runName": "n"}

        assert expected == self.reopen(store).get_run(run).data.tags

        store.delete_tag(run, "a/b")
        del expected["a/b"]

        assert expected == self.reopen(store).get_run(run).data.tags
        with refused(ABSENT, "No tag with name: a/b", run):
            store.delete_tag(run, "a/b")

    def test_name_tag_renames(self, store: AbstractStore) -> None:
        """The tag `mlflow.runName` and the name of a run are one; removing it keeps the name."""
        run = make_run(store, name="one").info.run_id
        store.set_tag(run, RunTag("mlflow.runName", "two"))
        assert self.reopen(store).get_run(run).info.run_name == "two"
        store.log_batch(run, [], [], [RunTag("mlflow.runName", "three"), RunTag("a", "b")])
        kept = self.reopen(store).get_run(run)
        assert (
            kept.info.run_name, kept.data.tags["mlflow.runName"], kept.data.tags["a"],
        ) == ("three", "three", "b")  # fmt: skip
        store.delete_tag(run, "mlflow.runName")
        assert self.reopen(store).get_run(run).info.run_name == "three"

    # --- batches -------------------------------------------------------------------------------

    def test_batch(self, store: AbstractStore) -> None:
        """Everything in it is kept; series keep their order; of equal tags the last wins."""
        run = make_run(store).info.run_id
        logged = [Metric(f"m{n % 3}", float(n), n, n // 3) for n in range(30)]
        store.log_batch(
            run, logged, [Param("p", "1"), Param("q/r", "2")], [RunTag("t", "1"), RunTag("t", "2")]
        )
        reader = self.reopen(store)
        kept = reader.get_run(run).data

        assert kept.metrics == {"m0": 27.0, "m1": 28.0, "m2": 29.0}
        assert (kept.params, kept.tags["t"]) == ({"p": "1", "q/r": "2"}, "2")
        for place in range(3):
            wanted = [(float(n), n, n // 3) for n in range(place, 30, 3)]
            assert wanted == points(reader.get_metric_history(run, f"m{place}"))

    def test_empty_batch(self, store: AbstractStore) -> None:
        """It is accepted."""
        run = make_run(store).info.run_id
        store.log_batch(run, [], [], [])
        store.log_batch(run, (), (), ())
        assert store.get_run(run).data.metrics == {}

    @pytest.mark.parametrize(
        ("metrics", "params", "tags", "words"),
        [
            (1001, 0, 0, "1000 metrics"),
            (0, 101, 0, "100 params"),
            (0, 0, 101, "100 tags"),
            (1000, 1, 0, "1000 metrics, params, and tags"),
        ],
    )
    def test_batch_limits(
        self, store: AbstractStore, metrics: int, params: int, tags: int, words: str
    ) -> None:
        """A call has a limited number of entities, of each kind and together."""
        run = make_run(store).info.run_id
        with refused(INVALID, "at most", words):
            store.log_batch(
                run,
                [Metric("m", 1.0, 1, n) for n in range(metrics)],
                [Param(f"p{n}", "x") for n in range(params)],
                [RunTag(f"t{n}", "x") for n in range(tags)],
            )
        assert (store.get_run(run).data.metrics, store.get_run(run).data.params) == ({}, {})

    def test_full_batch(self, store: AbstractStore) -> None:
        """The limits themselves are allowed."""
        run = make_run(store).info.run_id
        store.log_batch(
            run,
            [Metric(f"m{n}", 1.0, 1, n) for n in range(800)],
            [Param(f"p{n}", "x") for n in range(100)],
            [RunTag(f"t{n}", "x") for n in range(100)],
        )
        kept = self.reopen(store).get_run(run).data
        assert (len(kept.metrics), len(kept.params), len(kept.tags)) == (800, 100, 101)

    @pytest.mark.parametrize(
        "bad",
        [
            {"params": [Param("p", "2")]},
            {"params": [Param("d", "1"), Param("d", "1")]},
            {"params": [Param("d", "1"), Param("d", "2")]},
            {"params": [Param("../d", "1")]},
            {"metrics": [Metric("m", 1.0, 1, 0), Metric("../m", 1.0, 1, 0)]},
            {"metrics": [Metric("m", 1.0, 1, 0), Metric("m", "x", 1, 0)]},  # type: ignore[arg-type]
            {"metrics": [Metric("m", 1.0, None, 0)]},  # type: ignore[arg-type]
            {"tags": [RunTag("../t", "1")]},
        ],
    )
    def test_refused_batch_writes_nothing(
        self, store: AbstractStore, bad: dict[str, list[Any]]
    ) -> None:
        """All checks come before the first write."""
        run = make_run(store, name="n").info.run_id
        store.log_param(run, Param("p", "1"))
        batch: dict[str, list[Any]] = {
            "metrics": [Metric("good", 1.0, 1, 0)],
            "params": [Param("good", "1")],
            "tags": [RunTag("good", "1")],
        }
        for kind, items in bad.items():
            batch[kind] = batch[kind] + items
        with refused(INVALID):
            store.log_batch(run, **batch)
        kept = self.reopen(store).get_run(run).data
        assert (kept.metrics, kept.params, kept.tags) == ({}, {"p": "1"}, {"mlflow.runName": "n"})

    def test_threads_log_batches(self, store: AbstractStore) -> None:
        """Batches of several threads are all kept."""
        run = make_run(store).info.run_id

        def work(place: int) -> None:
            for turn in range(10):
                steps = range(turn * 20, turn * 20 + 20)
                batch = [Metric("m", float(place), step, step) for step in steps]
                store.log_batch(
                    run, batch, [Param(f"p{place}.{turn}", "x")], [RunTag(f"t{place}", str(turn))]
                )

        in_threads(4, work)
        reader = self.reopen(store)
        kept = reader.get_run(run).data

        assert len(reader.get_metric_history(run, "m")) == 800
        assert len(kept.params) == 40
        assert {"9"} == {kept.tags[f"t{place}"] for place in range(4)}

    def test_threads_create_runs(self, store: AbstractStore) -> None:
        """Every run has its own id and is found."""
        made = in_threads(4, lambda _: [make_run(store).info.run_id for _ in range(10)])
        ids = {one for few in made for one in few}
        found = {one.info.run_id for one in store.search_runs(["0"], "", ViewType.ALL)}
        assert len(ids) == 40
        assert ids == found

    def test_calls_together(self, store: AbstractStore) -> None:
        """Each call of a block sees those before it, and one that is refused changes nothing."""
        run = make_run(store).info.run_id
        with store.together():
            store.log_param(run, Param("p", "1"))
            store.log_metric_value(run, "m", 1.0, 1, 0)
            with refused(INVALID):
                store.log_batch(
                    run, [Metric("m", 2.0, 1, 1)], [Param("p", "2")], [RunTag("t", "x")]
                )
            inside = make_run(store).info.run_id
            store.log_metric_value(run, "m", 3.0, 2, 1)
            assert store.get_run(run).data.metrics == {"m": 3.0}
            with refused(ABSENT):
                store.log_metric_value("0" * 32, "m", 1.0, 1, 0)

        again = self.reopen(store)
        data = again.get_run(run).data
        assert (data.params, data.metrics) == ({"p": "1"}, {"m": 3.0})
        assert "t" not in data.tags
        assert [one.value for one in again.get_metric_history(run, "m")] == [1.0, 3.0]
        assert inside == again.get_run(inside).info.run_id

    def test_a_block_that_is_left_by_an_error(self, store: AbstractStore) -> None:
        """The store goes on; calls of the block may or may not have been kept."""
        run = make_run(store).info.run_id

        def left() -> None:
            with store.together():
                store.log_param(run, Param("p", "1"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            left()
        store.log_param(run, Param("q", "1"))
        assert self.reopen(store).get_run(run).data.params["q"] == "1"
