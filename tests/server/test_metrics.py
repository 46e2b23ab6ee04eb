"""What the server counts, and the text that Prometheus reads."""

from __future__ import annotations

import json
import os
import re

import pytest

from mlflow.server import metrics
from mlflow.server.app import Settings
from mlflow.server.metrics import Metrics, exposition, merged

from .asking import Client

LINE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\]|\\.)*"(,[a-z]+="(?:[^"\\]|\\.)*")*\})? [0-9.e+-]+')


def told(client):
    """Return what /metrics says, by the name and labels of each line."""
    answer = client.get("/metrics")
    assert (200, "text/plain; version=0.0.4; charset=utf-8") == (
        answer.status,
        answer.headers["content-type"],
    )
    lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
    assert [] == [line for line in lines if not LINE.fullmatch(line)]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def total(operation, method, status):
    return (
        f'mlflow_http_request_total{{operation="{operation}",method="{method}",status="{status}"}}'
    )


def test_requests_by_operation_and_status(client):
    """An operation has one name, whatever it is called by; what clients make up is not a label."""
    for base in ("/api/2.0", "/ajax-api/3.0"):
        path = f"{base}/mlflow/experiments/get"
        assert [200, 404] == [client.get(path, experiment_id=n).status for n in ("0", "9")]
    client.post("experiments/create", {"name": "a"})
    client.get("/no/such/path")
    client.ask("BREW", "/health")
    client.get("/health")
    found = told(client)

    assert found[total("get_experiment", "GET", 200)] == 2
    assert found[total("get_experiment", "GET", 404)] == 2
    assert found[total("create_experiment", "POST", 200)] == 1
    assert found[total("unknown", "GET", 404)] == 1
    assert found[total("unknown", "other", 405)] == 1
    assert found[total("/health", "GET", 200)] == 1
    seconds = "mlflow_http_request_duration_seconds"
    assert found[f'{seconds}_count{{operation="get_experiment"}}'] == 4
    assert found[f'{seconds}_bucket{{operation="get_experiment",le="+Inf"}}'] == 4
    assert found[f'{seconds}_sum{{operation="get_experiment"}}'] > 0
    # The one that asks.
    assert found["mlflow_http_requests_in_progress"] == 1


def test_paths_with_names(client):
    """Files and models do not become labels."""
    client.get("/api/2.0/mlflow/logged-models/m-1")
    client.get("/static/x.js")
    found = told(client)

    assert found[total("get_logged_model", "GET", 404)] == 1
    assert found[total("/static/{name}", "GET", 404)] == 1


def test_queues(client):
    """All of them, empty ones too."""
    found = told(client)

    for name in ("read", "write", "file"):
        assert found[f'mlflow_queue_depth{{queue="{name}"}}'] == 0


def test_group_commits(client):
    """How many writes each transaction kept."""
    run = client.post("runs/create", {"experiment_id": "0"}).json["run"]["info"]["run_id"]
    point = {"run_id": run, "key": "m", "value": 1, "timestamp": 1}
    assert [200] * 3 == [client.post("runs/log-metric", point).status for _ in range(3)]
    found = told(client)

    assert found["mlflow_group_commit_writes_count"] == 4
    assert found["mlflow_group_commit_writes_sum"] == 4
    assert found['mlflow_group_commit_writes_bucket{le="1"}'] == 4


def test_a_prefix_and_artifacts_only():
    """The route is one as all others."""
    with Client(settings=Settings(prefix="/p", artifacts_only=True)) as client:
        assert [200, 404] == [client.get(path).status for path in ("/p/metrics", "/metrics")]
        found = client.get("/p/metrics").body.decode()
    assert 'operation="/metrics"' in found


def test_it_is_not_public(client):
    """A server with tokens asks for one."""
    (endpoint,) = {one for _, path, one in client.app.routes.all() if path == "/metrics"}
    assert ("read", "store") == (endpoint.permission.action, endpoint.permission.kind)


def test_bounds_belong_to_their_bucket():
    """As Prometheus has it: less than or equal."""
    counts = Metrics()
    for size in (1, 2, 3, 5000):
        counts.committed(size)
    text = exposition(counts.counts())

    for bound, count in (("1", 1), ("2", 2), ("4", 3), ("1024", 3), ("+Inf", 4)):
        assert f'mlflow_group_commit_writes_bucket{{le="{bound}"}} {count}\n' in text
    assert "mlflow_group_commit_writes_sum 5006.0\n" in text


def test_labels_are_escaped():
    counts = Metrics()
    counts.began()
    counts.ended('a"\\\n', "GET", 200, 0.1)
    assert r'operation="a\"\\\n"' in exposition(counts.counts())


# --- several processes ---------------------------------------------------------------------------


@pytest.fixture
def other(tmp_path, monkeypatch):
    """The counts of another process of the same server, whose number is this one's parent's."""
    made = Metrics(str(tmp_path))
    made.began()
    made.began()
    made.ended("get_run", "GET", 200, 0.1)
    made.committed(7)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", os.getppid)
        made.keep()
    return made


def test_any_process_tells_of_all(tmp_path, other):
    with Client(settings=Settings(metrics_folder=str(tmp_path))) as client:
        client.get("/health")
        found = told(client)

    assert found[total("get_run", "GET", 200)] == found[total("/health", "GET", 200)] == 1
    assert found["mlflow_group_commit_writes_sum"] == 7
    assert found["mlflow_http_requests_in_progress"] == 2


def test_a_process_that_ended(tmp_path, other, monkeypatch):
    """What it answered counts; nothing waits in it. A torn file is passed over."""
    monkeypatch.setattr(metrics, "_lives", lambda process: False)
    (tmp_path / f"{metrics._FILE}7.json").write_text("{")
    found = merged([Metrics(str(tmp_path)).counts(), *Metrics(str(tmp_path))._others()])

    assert found["mlflow_http_request_total"] == {("get_run", "GET", "200"): 1}
    assert found["mlflow_http_requests_in_progress"] == {(): 0}


def test_a_new_server_begins_at_nothing(tmp_path, other):
    """What an earlier one left goes; what is not ours stays."""
    (tmp_path / "theirs").touch()
    metrics.clear(str(tmp_path))
    metrics.clear(str(tmp_path / "new"))

    assert sorted(os.listdir(tmp_path)) == ["new", "theirs"]


def test_processes_that_live():
    assert metrics._lives(os.getpid())
    assert not metrics._lives(2**22 + 1)


def test_counts_are_left_for_the_others(tmp_path):
    """When the server ends, at the latest."""
    with Client(settings=Settings(metrics_folder=str(tmp_path))) as client:
        client.get("/health")
    (path,) = tmp_path.iterdir()
    rows = json.loads(path.read_text())
    assert rows["mlflow_http_request_total"] == [[["/health", "GET", "200"], 1]]
