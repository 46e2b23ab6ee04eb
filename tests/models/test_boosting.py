"""Rounds go to the run in few requests; what a digest does not look at is not made."""

import time

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import mlflow
from mlflow import MlflowClient
from mlflow.data.digest import array_digest
from mlflow.models import boosting


class Counted:
    """A client that keeps what it is given, or is out of reach."""

    def __init__(self, reachable=True):
        self.batches = []
        self.reachable = reachable
        self.asked = 0

    def log_batch(self, run_id, metrics):
        self.asked += 1
        if not self.reachable:
            raise ConnectionError("no way\nto go")
        self.batches.append([(one.key, one.value, one.step) for one in metrics])


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

    monkeypatch.setattr(time, "monotonic", lambda: Clock.now)
    return Clock


def train(client, count, seconds=0.0, clock=None):
    rounds = boosting.Rounds("xgboost", client, "r", None)
    for step in range(count):
        rounds.add({"t-a@1": step, "t-b": 2.0}, step)
        if clock is not None:
            clock.now += seconds
    rounds.finish()
    return rounds


def test_many_rounds_are_two_requests(clock):
    client = Counted()
    rounds = train(client, 300)

    assert [len(batch) for batch in client.batches] == [2, 598]
    sent = [one for batch in client.batches for one in batch]
    assert sent[:4] == [
        ("t-a_at_1", 0.0, 0),
        ("t-b", 2.0, 0),
        ("t-a_at_1", 1.0, 1),
        ("t-b", 2.0, 1),
    ]
    assert len(rounds.values) == 300


def test_a_batch_is_as_large_as_stores_take(clock):
    client = Counted()
    train(client, 1200)

    assert [len(batch) for batch in client.batches] == [2, 1000, 1000, 398]


def test_slow_rounds_are_sent_each_second(clock):
    client = Counted()
    train(client, 10, seconds=0.5, clock=clock)

    assert [len(batch) // 2 for batch in client.batches] == [1, 2, 2, 2, 2, 1]


def test_a_store_out_of_reach_is_asked_at_the_beginning_and_the_end(clock, caplog):
    client = Counted(reachable=False)
    train(client, 100, seconds=5, clock=clock)

    assert client.asked == 2
    assert len(caplog.records) == 2
    assert "ConnectionError: no way" in caplog.text
    assert "to go" not in caplog.text


def test_rounds_without_metrics_are_none():
    client = Counted()
    rounds = boosting.Rounds("xgboost", client, "r", None)
    rounds.add({}, 0)
    rounds.add({"t": object()}, 1)
    rounds.finish()

    assert (rounds.values, client.asked) == ([], 0)


@pytest.mark.parametrize("shape", [(60, 3), (30_000, 7), (5, 20_000), (0, 4)])
def test_sparse_rows_have_the_digest_of_the_whole(shape):
    whole = np.zeros(shape, np.float32)
    whole[::2] = np.arange(shape[1])
    kept = csr_matrix(whole)

    found = boosting.as_dense(kept[: boosting.seen_rows(shape)], shape)

    assert array_digest(found) == array_digest(whole)
    assert (found.shape, found.nbytes, found.dtype) == (whole.shape, whole.nbytes, whole.dtype)
    # The rest is neither computed nor written.
    assert not found[boosting.seen_rows(shape) :].any()


def test_the_chart_shows_the_most_important_features():
    figure = boosting.importance_figure({f"feature {n:_>50}": n for n in range(80)}, "gain")
    (axes,) = figure.axes
    few = boosting.importance_figure({"a": 1.0}, "gain")

    assert len(axes.patches) == 50
    assert axes.get_title() == "Feature importance (gain, the highest 50 of 80)"
    assert {len(label.get_text()) for label in axes.get_yticklabels()} == {40}
    assert few.axes[0].get_title() == "Feature importance (gain)"


def test_a_model_does_not_get_a_point_twice():
    with mlflow.start_run() as run:
        model = mlflow.initialize_logged_model("model")
        client = MlflowClient()
        point = boosting.points({"m": 1.0}, model.model_id)
        client.log_batch(run.info.run_id, metrics=point)
        mlflow.log_metric("of the run", 2.0)
        mlflow.pyfunc.log_model(python_model=lambda model_input: model_input, name="model",
                                model_id=model.model_id)  # fmt: skip

    assert len(client.get_metric_history(run.info.run_id, "m")) == 1
    told = {one.key for one in mlflow.get_logged_model(model.model_id).metrics}
    assert told == {"m", "of the run"}
