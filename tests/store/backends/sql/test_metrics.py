"""What logging costs a database, counted: statements on SQLite, round trips to a server."""

from __future__ import annotations

import math

import pytest

from mlflow.entities.run import Metric, Param, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.backends.base import Conflict, Missing, NotActive
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.backends.sql.urls import read_url
from tests.databases import on_every_database
from tests.store.backends.sql.counting import Relay

RUN = "a" * 32
on_servers = pytest.mark.parametrize("sql_uri", ["postgresql", "mysql"], indirect=True)


@pytest.fixture
def relay(sql_uri):
    url = read_url(sql_uri)
    relay = Relay(url.host, url.port or {"postgresql": 5432, "mysql": 3306}[url.get_backend_name()])
    yield relay
    relay.close()


@pytest.fixture
def far(sql_uri, relay):
    """A backend behind the relay, with an active run."""
    url = read_url(sql_uri).set(host="127.0.0.1", port=relay.port)
    backend = SqlBackend(url.render_as_string(hide_password=False))
    backend.insert_run(_info(), ())
    yield backend
    backend.close()


@pytest.fixture
def backend(sql_uri):
    backend = SqlBackend(sql_uri)
    backend.insert_run(_info(), ())
    yield backend
    backend.close()


def _info():
    return RunInfo(RUN, "0", "ada", "RUNNING", 1, None, "active", "s3://x", "name")


def _batch(count):
    metrics = [Metric(f"m{n % 7}", float(n), n, n) for n in range(count)]
    params = [Param(f"p{n}", "x" * n) for n in range(100)]
    tags = [RunTag(f"t{n}", "x" * n) for n in range(100)]
    return metrics, params, tags


def test_a_point_is_three_statements(tmp_path):
    """On SQLite: is the run active, the point, the latest; and what makes them one act."""
    backend = SqlBackend(f"sqlite:///{tmp_path}/a.db")
    backend.insert_run(_info(), ())
    seen = []
    backend._database.raw(lambda raw: raw.set_trace_callback(seen.append))
    for step in range(3):
        backend.append_metric(RUN, "loss", 0.5, 7, step)
    backend._database.raw(lambda raw: raw.set_trace_callback(None))
    backend.close()

    assert [line.split()[0] for line in seen] == [
        "BEGIN", "SELECT", "INSERT", "INSERT", "COMMIT",
    ] * 3  # fmt: skip


@on_servers
def test_a_point_is_one_round_trip(far, relay):
    """Also the first one of a series, and of each kind of number."""
    for value in (0.5, 0.25, math.nan, math.inf, -0.0):
        before = relay.trips
        far.append_metric(RUN, "loss", value, 7, 1)
        assert relay.trips - before == 1, value


@on_servers
@pytest.mark.parametrize("count", [1, 1000, 5000])
def test_a_batch_is_one_round_trip(far, relay, count):
    """However much is in it, and when it is repeated."""
    for _ in range(2):
        before = relay.trips
        far.write_batch(RUN, *_batch(count))
        assert relay.trips - before == 1
    kept = far.get_run(RUN).data
    assert (len(kept.metrics), len(kept.params), len(kept.tags)) == (min(count, 7), 100, 100)


@on_servers
def test_a_run_is_read_in_one_round_trip(far, relay):
    """Its state, metrics, params and tags are seen as they were at one moment."""
    far.write_batch(RUN, *_batch(1000))
    before = relay.trips
    far.get_run(RUN)
    assert relay.trips - before == 1


@on_servers
def test_no_answer_to_a_point(far, relay):
    """The connection ends when the point was kept and nobody could say so: it is logged again."""
    far.append_metric(RUN, "loss", 1.0, 1, 1)
    relay.cut = b"latest_metrics"
    far.append_metric(RUN, "loss", 2.0, 2, 2)
    relay.cut = b"latest_metrics"
    far.write_batch(RUN, *_batch(10))

    assert [one.value for one in far.metric_history(RUN, "loss")] == [1.0, 2.0]
    assert far.get_run(RUN).data.metrics["m6"] == 6.0


@on_servers
def test_no_answer_to_a_commit(far, relay):
    """Whether a run was kept is not known: the user is told, and nothing is done twice."""
    info = _info()._copy_with_overrides()
    info._run_id = "b" * 32
    relay.cut = b"COMMIT"
    with pytest.raises(
        MlflowException, match="cannot be reached, or ended the connection"
    ) as caught:
        far.insert_run(info, ())
    assert caught.value.error_code == "TEMPORARILY_UNAVAILABLE"
    assert far.get_run("b" * 32).info.run_name == "name"


@on_every_database
def test_refused_batches(backend):
    """The reason is given in order: models, the run, params; and nothing was written."""
    metrics, params, tags = _batch(10)
    strange = [*metrics, Metric("m", 1.0, 1, 1, model_id="m-unknown")]
    for arguments, error, key in (
        (("b" * 32, strange, params, tags), Missing, "m-unknown"),
        (("b" * 32, metrics, params, tags), Missing, "b" * 32),
        ((RUN, metrics, [*params, Param("p1", "y")], tags), Conflict, "p1"),
    ):
        with pytest.raises(error) as caught:
            backend.write_batch(*arguments)
        assert caught.value.key == key
    backend.move_run(RUN, "deleted", 5)
    with pytest.raises(NotActive):
        backend.write_batch(RUN, metrics, params, tags)
    with pytest.raises(NotActive):
        backend.append_metric(RUN, "m", 1.0, 1, 1)
    with pytest.raises(Missing):
        backend.append_metric("b" * 32, "m", 1.0, 1, 1)
    kept = backend.get_run(RUN).data

    assert (kept.metrics, kept.params, kept.tags) == ({}, {}, {})


@on_every_database
def test_the_latest_is_the_largest(backend):
    """By step, time and value, whichever way and in whichever order it was logged."""
    points = [(1.0, 5, 1), (3.0, 5, 1), (2.0, 5, 1), (9.0, 4, 1), (math.nan, 5, 1), (0.5, 1, -3)]
    for value, timestamp, step in points:
        backend.append_metric(RUN, "one", value, timestamp, step)
    backend.write_batch(RUN, [Metric("batch", *one) for one in points], (), ())
    for value, timestamp, step in reversed(points):
        backend.write_batch(RUN, [Metric("back", value, timestamp, step)], (), ())

    assert backend.get_run(RUN).data.metrics == {"one": 3.0, "batch": 3.0, "back": 3.0}
    backend.append_metric(RUN, "one", -1.0, 0, 2)
    (latest,) = [one for one in backend.get_run(RUN).data._metric_objs if one.key == "one"]
    assert (latest.value, latest.timestamp, latest.step) == (-1.0, 0, 2)


@on_every_database
def test_pages_of_odd_points(backend):
    """Pages go on behind equal times and steps, NaN beside zero, and infinities."""
    values = [-math.inf, -1.0, 0.0, math.nan, 5e-324, 1.0, math.inf]
    backend.write_batch(RUN, [Metric("m", value, 5, 1) for value in values], (), ())
    rows, token = [], None
    while True:
        page = backend.metric_history(RUN, "m", 1, token)
        rows += page
        token = page.token
        if token is None:
            break

    assert repr([one.value for one in rows]) == repr(values)
    assert repr([one.value for one in backend.metric_history(RUN, "m")]) == repr(values)
