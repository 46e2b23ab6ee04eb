"""Metrics: keys, exact values, order, the latest, threads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.experiment import ViewType
from mlflow.entities.run import (
    Metric,
)
from mlflow.testing.store_contract.support import (
    ABSENT,
    BAD_KEYS,
    GOOD_KEYS,
    INFINITY,
    INVALID,
    NAN,
    Contract,
    in_threads,
    make_run,
    points,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.store.base import AbstractStore


class MetricContract(Contract):
    """Metrics."""

    @pytest.mark.parametrize("key", GOOD_KEYS)
    def test_metric_keys(self, store: AbstractStore, key: str) -> None:
        """Keys come back as given, by either way of logging."""
        run = make_run(store).info.run_id
        store.log_metric(run, Metric(key, 0.5, 1, 0))
        store.log_metric_value(run, key, 0.25, 2, 1)
        store.log_batch(run, [Metric(key, 0.125, 3, 2)], [], [])
        reader = self.reopen(store)

        assert {key: 0.125} == reader.get_run(run).data.metrics
        history = reader.get_metric_history(run, key)
        assert points(history) == [(0.5, 1, 0), (0.25, 2, 1), (0.125, 3, 2)]
        assert {key} == {one.key for one in history}

    def test_nested_metric_keys(self, store: AbstractStore) -> None:
        """Keys below one another's parents are kept apart."""
        run = make_run(store).info.run_id
        keys = ["train/loss", "train/acc", "val/loss", "loss"]
        for number, key in enumerate(keys):
            store.log_metric(run, Metric(key, float(number), 1, 0))
        assert {key: float(n) for n, key in enumerate(keys)} == (
            self.reopen(store).get_run(run).data.metrics
        )

    @pytest.mark.parametrize("key", [*BAD_KEYS, None, 5])
    def test_bad_metric_keys(self, store: AbstractStore, key: Any) -> None:
        """Keys that are no plain relative path are refused, by either way of logging."""
        run = make_run(store).info.run_id
        for operation in (
            lambda: store.log_metric(run, Metric(key, 1.0, 1, 0)),
            lambda: store.log_metric_value(run, key, 1.0, 1, 0),
            lambda: store.log_batch(run, [Metric("ok", 1.0, 1, 0), Metric(key, 1.0, 1, 0)], [], []),
            lambda: store.get_metric_history(run, key),
        ):
            with refused(INVALID):
                operation()
        assert self.reopen(store).get_run(run).data.metrics == {}

    @pytest.mark.parametrize(
        "value",
        [0.0, -0.0, 1e-300, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, INFINITY, -INFINITY, 3, -7],
    )
    def test_metric_values_are_exact(self, store: AbstractStore, value: float) -> None:
        """What comes back is the same float, sign of zero and infinities included."""
        run = make_run(store).info.run_id
        store.log_metric_value(run, "a", value, 1, 0)
        store.log_metric(run, Metric("b", value, 1, 0))
        store.log_batch(run, [Metric("c", value, 1, 0)], [], [])
        reader = self.reopen(store)
        kept = reader.get_run(run).data.metrics

        assert {"a": value, "b": value, "c": value} == kept
        assert {math.copysign(1, value)} == {math.copysign(1, one) for one in kept.values()}
        assert all(type(one) is float for one in kept.values())
        assert [(float(value), 1, 0)] == points(reader.get_metric_history(run, "a"))

    def test_series_are_histories_in_order_of_steps(self, store: AbstractStore) -> None:
        """Charts show what was logged, and what is added to it, by any process."""
        run = make_run(store).info.run_id
        with refused(ABSENT):
            store.metric_series("f" * 32, "a")
        assert len(store.metric_series(run, "a")) == 0
        logged = [(0.5, 20, 2), (-0.0, 10, 1), (INFINITY, 30, 3), (0.25, 5, 2)]
        for count, (value, timestamp, step) in enumerate(logged, 1):
            self.reopen(store).log_metric_value(run, "a", value, timestamp, step)
            found = store.metric_series(run, "a")
            assert len(found) == count
        assert found.steps.tolist() == [1, 2, 2]
        assert found.times.tolist() == [10, 5, 20]
        assert [repr(one) for one in found.values.tolist()] == ["-0.0", "0.25", "0.5"]
        assert found.odd == [(3, 30, "Infinity")]

    def test_nan(self, store: AbstractStore) -> None:
        """NaN comes back as NaN, and later points follow it."""
        run = make_run(store).info.run_id
        store.log_metric_value(run, "a", NAN, 1, 0)
        assert math.isnan(self.reopen(store).get_run(run).data.metrics["a"])
        store.log_metric_value(run, "a", 1.0, 2, 1)
        assert self.reopen(store).get_run(run).data.metrics == {"a": 1.0}
        history = self.reopen(store).get_metric_history(run, "a")
        assert [math.isnan(one.value) for one in history] == [True, False]

    @pytest.mark.parametrize("value", ["x", "1", None, True, False, b"1", [1.0], 10**400, 1j])
    def test_bad_metric_values(self, store: AbstractStore, value: Any) -> None:
        """What is no number is refused, bools and text too."""
        run = make_run(store).info.run_id
        store.log_metric_value(run, "a", 1.0, 1, 0)
        operations: tuple[Callable[[], Any], ...] = (
            lambda: store.log_metric(run, Metric("a", value, 1, 0)),
            lambda: store.log_metric_value(run, "a", value, 1, 0),
            lambda: store.log_batch(run, [Metric("a", value, 1, 0)], [], []),
        )
        for operation in operations:
            with refused(INVALID, "value"):
                operation()
        assert points(self.reopen(store).get_metric_history(run, "a")) == [(1.0, 1, 0)]

    @pytest.mark.parametrize("number", [None, "5", 1.5, 2**63, -(2**63) - 1, True, NAN])
    @pytest.mark.parametrize("field", ["timestamp", "step"])
    def test_bad_times_and_steps(self, store: AbstractStore, field: str, number: Any) -> None:
        """Both are 64-bit integers."""
        run = make_run(store).info.run_id
        store.log_metric_value(run, "a", 1.0, 1, 0)
        where = {"timestamp": 1, "step": 0} | {field: number}
        operations: tuple[Callable[[], Any], ...] = (
            lambda: store.log_metric(run, Metric("a", 2.0, **where)),
            lambda: store.log_metric_value(run, "a", 2.0, **where),
            lambda: store.log_batch(run, [Metric("a", 2.0, **where)], [], []),
        )
        for operation in operations:
            with refused(INVALID, field):
                operation()
        assert points(self.reopen(store).get_metric_history(run, "a")) == [(1.0, 1, 0)]

    def test_extreme_times_and_steps(self, store: AbstractStore) -> None:
        """Steps may be negative, times may not."""
        run = make_run(store).info.run_id
        store.log_metric(run, Metric("a", 1.0, 0, -(2**63)))
        store.log_metric_value(run, "a", 2.0, 2**63 - 1, 2**63 - 1)
        with refused(INVALID, "timestamp"):
            store.log_metric_value(run, "a", 3.0, -1, 0)
        kept = points(self.reopen(store).get_metric_history(run, "a"))
        assert kept == [(1.0, 0, -(2**63)), (2.0, 2**63 - 1, 2**63 - 1)]

    @pytest.mark.parametrize(
        ("logged", "latest"),
        [
            ([(1.0, 9, 1), (2.0, 1, 2), (3.0, 5, 1)], 2.0),  # the step decides
            ([(1.0, 5, 1), (2.0, 9, 1), (3.0, 7, 1)], 2.0),  # then the time
            ([(1.0, 5, 1), (3.0, 5, 1), (2.0, 5, 1)], 3.0),  # then the value
            ([(NAN, 5, 1), (2.0, 5, 1), (NAN, 5, 1)], 2.0),  # of which NaN is the least
            ([(-INFINITY, 5, 1), (NAN, 5, 1)], -INFINITY),
            ([(1.0, 1, -5), (2.0, 1, -6)], 1.0),
        ],
    )
    def test_latest_metric(
        self, store: AbstractStore, logged: list[tuple[float, int, int]], latest: float
    ) -> None:
        """The latest is the largest by (step, timestamp, value), not the last written."""
        one, batch = make_run(store).info.run_id, make_run(store).info.run_id
        for value, timestamp, step in logged:
            store.log_metric_value(one, "a", value, timestamp, step)
        store.log_batch(batch, [Metric("a", *point) for point in logged], [], [])
        reader = self.reopen(store)

        assert {"a": latest} == reader.get_run(one).data.metrics
        assert {"a": latest} == reader.get_run(batch).data.metrics
        found = reader.search_runs(["0"], "", ViewType.ALL)
        assert [{"a": latest}] * 2 == [run.data.metrics for run in found]

    def test_latest_metric_objects(self, store: AbstractStore) -> None:
        """The entities of the latest metrics carry time and step."""
        run = make_run(store).info.run_id
        store.log_metric_value(run, "a", 1.0, 7, 3)
        (kept,) = self.reopen(store).get_run(run).data._metric_objs
        assert (kept.key, kept.value, kept.timestamp, kept.step) == ("a", 1.0, 7, 3)

    def test_metric_history_pages(self, store: AbstractStore) -> None:
        """Pages join up, and appending between them loses and repeats nothing."""
        run = make_run(store).info.run_id
        all_points = [(float(n), n + 1, n) for n in range(25)]
        store.log_batch(run, [Metric("a", *one) for one in all_points[:20]], [], [])
        first = store.get_metric_history(run, "a", max_results=8)
        for point in all_points[20:]:
            store.log_metric(run, Metric("a", *point))
        rows, token = list(first), first.token
        while token:
            page = store.get_metric_history(run, "a", max_results=8, page_token=token)
            rows += page
            token = page.token

        assert len(first) == 8
        assert all_points == points(rows)
        assert all_points == points(store.get_metric_history(run, "a"))

    def test_unknown_metric(self, store: AbstractStore) -> None:
        """A series that was never logged is empty."""
        history = store.get_metric_history(make_run(store).info.run_id, "nothing")
        assert (list(history), history.token or None) == ([], None)

    def test_fast_way_equals_plain_way(self, store: AbstractStore) -> None:
        """`log_metric_value` keeps what `log_metric` keeps, from the first point on."""
        fast, plain, batch = (make_run(store).info.run_id for _ in range(3))
        logged = [(0.1 * n, 10 + n, n) for n in range(5)] + [(NAN, 3, -1), (INFINITY, 0, 2**62)]
        for value, timestamp, step in logged:
            store.log_metric_value(fast, "a/b", value, timestamp, step)
            store.log_metric(plain, Metric("a/b", value, timestamp, step))
        store.log_batch(batch, [Metric("a/b", *one) for one in logged], [], [])
        reader = self.reopen(store)
        read = [points(reader.get_metric_history(run, "a/b")) for run in (fast, plain, batch)]

        assert repr(read[0]) == repr(read[1]) == repr(read[2])
        # As written, or by time where the store does not keep that order.
        assert repr(read[0]) in (repr(logged), repr(sorted(logged, key=lambda one: one[1:])))

    def test_metric_of_a_dataset(self, store: AbstractStore) -> None:
        """Name and digest of the dataset are kept with the point, its step too."""
        run = make_run(store).info.run_id
        store.log_metric(run, Metric("a", 1.0, 5, 3, dataset_name="train", dataset_digest="d1"))
        (kept,) = self.reopen(store).get_metric_history(run, "a")
        assert (
            kept.value, kept.timestamp, kept.step, kept.dataset_name, kept.dataset_digest,
        ) == (1.0, 5, 3, "train", "d1")  # fmt: skip

    def test_metric_of_half_a_dataset(self, store: AbstractStore) -> None:
        """A name without a digest says nothing, nor the other way round."""
        run = make_run(store).info.run_id
        for name, digest in (("train", None), ("train", ""), (None, "d1"), ("", "d1")):
            with refused(INVALID):
                store.log_metric(run, Metric("a", 1.0, 5, 3, None, name, digest))
        assert store.get_run(run).data.metrics == {}

    def test_threads_log_metrics(self, store: AbstractStore) -> None:
        """Nothing is lost, and each thread's points keep their order."""
        run = make_run(store).info.run_id
        each, count = 50, 4

        def work(place: int) -> None:
            for step in range(each):
                store.log_metric_value(run, "shared", float(place), step, step)
                store.log_metric_value(run, f"own{place}", float(step), step, step)

        in_threads(count, work)
        reader = self.reopen(store)
        shared = reader.get_metric_history(run, "shared")

        assert each * count == len(shared)
        for place in range(count):
            mine = [one.step for one in shared if one.value == place]
            assert list(range(each)) == mine
            own = reader.get_metric_history(run, f"own{place}")
            assert [(float(n), n, n) for n in range(each)] == points(own)
