"""Rules for runs: the thin way of a metric, and what the contract suite does not see."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from mlflow.store.local.runs import below

ANYTHING = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.text(max_size=3), st.none(), st.just(2**63),
    st.just(-(2**63)), st.just(10**400), st.complex_numbers(),
)  # fmt: skip
KEYS = st.sampled_from(["loss", "a/b", "../x", "", "loss$"]) | ANYTHING


def _store():
    store = LocalStore(MemoryBackend())
    return store, store.create_run("0", "u", 1, [], "n").info.run_id


def _outcome(call):
    try:
        call()
    except MlflowException as error:
        return (error.error_code, error.message)
    return None


def _kept(store, run):
    return [
        (key, repr([(one.value, type(one.value), one.timestamp, one.step) for one in found]))
        for key in sorted(store.get_run(run).data.metrics)
        for found in [store.get_metric_history(run, key)]
    ]


@given(st.lists(st.tuples(KEYS, ANYTHING, ANYTHING, ANYTHING), max_size=8))
def test_thin_way_equals_plain_way(calls):
    """Whatever is given, `log_metric_value` keeps and refuses what the checked way does."""
    thin, run = _store()
    plain, other = _store()
    for call in [("loss", 1.0, 1, 0), *calls, ("loss", math.nan, 2, 1), *calls]:
        refused = _outcome(lambda call=call: thin.log_metric_value(run, *call))
        assert refused == _outcome(lambda call=call: plain._log_metric_plainly(other, *call))

    assert _kept(thin, run) == _kept(plain, other)


@given(st.lists(st.tuples(KEYS, ANYTHING, ANYTHING, ANYTHING), min_size=1, max_size=4))
def test_batches_equal_single_calls(calls):
    """A batch is accepted when each of its points is, and then keeps the same."""
    batch, run = _store()
    single, other = _store()
    for warm in (batch, single):
        warm.log_metric_value(run if warm is batch else other, "loss", 1.0, 1, 0)
    points = [Metric(*call) for call in calls]
    refused = [_outcome(lambda call=call: single.log_metric_value(other, *call)) for call in calls]
    whole = _outcome(lambda: batch.log_batch(run, points, [], []))

    assert (whole is None) == (not any(refused))
    if whole is None:
        assert _kept(batch, run) == _kept(single, other)
    else:
        assert _kept(batch, run) == [("loss", "[(1.0, <class 'float'>, 1, 0)]")]


class _Counting(MemoryBackend):
    def __init__(self):
        super().__init__()
        self.calls = []

    def append_metric(self, *arguments):
        self.calls.append("append_metric")
        super().append_metric(*arguments)

    def write_batch(self, *arguments):
        self.calls.append("write_batch")
        super().write_batch(*arguments)

    def update_run(self, *arguments, **options):
        self.calls.append("update_run")
        return super().update_run(*arguments, **options)

    def get_run_info(self, *arguments):
        self.calls.append("get_run_info")
        return super().get_run_info(*arguments)


def test_a_metric_is_one_call_of_the_backend():
    """So is a batch, a param, a tag, and the name of a run."""
    backend = _Counting()
    store = LocalStore(backend)
    run = store.create_run("0", "u", 1, [], "n").info.run_id
    for call, expected in (
        (lambda: store.log_metric_value(run, "a", 1.0, 1, 0), "append_metric"),
        (lambda: store.log_metric_value(run, "a", 1.0, 1, 0), "append_metric"),
        (lambda: store.log_metric(run, Metric("a", 1.0, 1, 0)), "append_metric"),
        (lambda: store.log_batch(run, [Metric("a", 1.0, 1, 0)], [Param("a", "b")],
                                 [RunTag("a", "b")]), "write_batch"),
        (lambda: store.log_param(run, Param("a", "b")), "write_batch"),
        (lambda: store.set_tag(run, RunTag("a", "b")), "write_batch"),
        (lambda: store.set_tag(run, RunTag("mlflow.runName", "b")), "update_run"),
        (lambda: store.update_run_info(run, 3, 5, "c"), "update_run"),
    ):  # fmt: skip
        backend.calls.clear()
        call()
        assert backend.calls == [expected]


def test_checked_names_are_bounded(monkeypatch):
    """A program that makes up names does not fill the memory."""
    monkeypatch.setattr("mlflow.store.local.runs._MAX_CHECKED", 10)
    store, run = _store()
    for number in range(100):
        store.log_metric_value(run, f"m{number}", 1.0, 1, 0)
    assert len(store._checked_keys) <= 12
    assert len(store.get_run(run).data.metrics) == 100


def test_a_deleted_run_is_refused_after_it_was_known():
    """Known names only spare the checks of names."""
    store, run = _store()
    store.log_metric_value(run, "a", 1.0, 1, 0)
    LocalStore(store._backend).delete_run(run)
    with pytest.raises(MlflowException, match="'active' lifecycle_stage"):
        store.log_metric_value(run, "a", 1.0, 1, 0)


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("file:///a", "file:///a/r/artifacts"),
        ("/a/", "/a/r/artifacts"),
        ("s3://b/x?region=eu", "s3://b/x/r/artifacts?region=eu"),
        ("/odd?name", "/odd?name/r/artifacts"),
    ],
)
def test_places_below_a_root(root, expected):
    assert below(root, "r/artifacts") == expected
