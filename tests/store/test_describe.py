"""Descriptions of what a store holds."""

from __future__ import annotations

import pytest

from mlflow.entities.run import Metric
from mlflow.store import describe
from mlflow.store.backends.copying import DEPLOYMENT_JOBS, POINT_DATASETS
from mlflow.store.backends.memory import MemoryBackend
from mlflow.testing.store_contract.copying import MODEL, RUN, fill

NAN = float("nan")


@pytest.fixture
def backend():
    made = MemoryBackend()
    fill(made)
    return made


def run_of(backend, left_out=frozenset()):
    return describe.run(backend, backend.get_run(RUN), left_out)


def test_equal_stores_have_equal_descriptions(backend):
    other = MemoryBackend()
    fill(other)

    assert run_of(backend) == run_of(other)
    assert describe.registered_model(backend, "wine model", frozenset()) == (
        describe.registered_model(other, "wine model", frozenset())
    )


@pytest.mark.parametrize(
    "point",
    [("loss", 0.5, 10, 1), ("loss", 0.5, 9, 0), ("loss", -0.5, 10, 0), ("new", 1.0, 1, 1),
     ("loss", -0.0, 1, 0)],
)  # fmt: skip
def test_another_point_is_seen(backend, point):
    before = run_of(backend)

    backend.write_batch(RUN, [Metric(*point)], [], [])

    assert [f"metric {point[0]}"] == [
        line.partition(": ")[0]
        for line in describe.differences(before, run_of(backend))
        if line.startswith("metric ")
    ]


def test_a_repeated_point_is_one(backend):
    before = run_of(backend)

    backend.write_batch(RUN, [Metric("loss", 0.5, 10, 0), Metric("loss", NAN, 11, 1)], [], [])

    assert before == run_of(backend)


def test_what_cannot_be_kept_is_not_compared(backend):
    before = run_of(backend, frozenset({POINT_DATASETS}))
    exact = run_of(backend)

    backend.write_batch(RUN, [Metric("val/acc", 0.9, 1, 1, None, "other", "d2")], [], [])

    assert before == run_of(backend, frozenset({POINT_DATASETS}))
    assert exact != run_of(backend)


def test_deployment_jobs(backend):
    kept = describe.registered_model(backend, "empty", frozenset())

    backend.update_registered_model("empty", None, "job", 2)

    assert ["deployment_job_id: None / 'job'"] == list(
        describe.differences(kept, describe.registered_model(backend, "empty", frozenset()))
    )
    left_out = describe.registered_model(backend, "empty", frozenset({DEPLOYMENT_JOBS}))
    assert "deployment_job_id" not in left_out


def test_points_of_logged_models(backend):
    model = backend.get_logged_model(MODEL)
    before = describe.logged_model(backend, model, frozenset())

    backend.write_batch(RUN, [Metric("val/acc", 0.9, 1, 1, MODEL, "other", "d2")], [], [])

    after = describe.logged_model(backend, backend.get_logged_model(MODEL), frozenset())
    assert "1 points" in before["metric val/acc"]
    assert "2 points" in after["metric val/acc"]


def test_differences_are_short():
    lines = list(describe.differences({"a": "x" * 1000, "b": "1"}, {"a": "y", "c": "2"}))

    assert ["a", "b", "c"] == [line[0] for line in lines]
    assert len(lines[0]) < 400
    assert ["b: 1 / missing", "c: missing / 2"] == lines[1:]


def test_long_values_are_compared_to_their_end(backend):
    backend.write_batch(RUN, [], [], [])
    before = run_of(backend)["param long"]

    assert "500 characters" in before
    assert before != describe._short("x" * 499 + "y")


def test_nothing_said_is_nothing_said(backend):
    """MLflow 1 wrote an empty name and no user, a folder no name and an empty user."""
    some = backend.get_run(RUN)
    some.info._run_name, some.info._user_id = "", None
    other = backend.get_run(RUN)
    other.info._run_name, other.info._user_id = None, ""

    assert describe.run_outline(some) == describe.run_outline(other)
