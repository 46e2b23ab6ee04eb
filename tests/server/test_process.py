"""The server as a process: it starts, answers, and ends as it is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server import process
from mlflow.server.options import ServerOptions
from mlflow.store import locate

from .running import free_port, server, text_of


def post(url, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_server_of_files(tmp_path, how):
    """Runs are files that other programs read; the end is clean."""
    with server(tmp_path, "--no-serve-artifacts") as (running, address):
        made = post(f"{address}/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
        run_id = made["run"]["info"]["run_id"]
        running.send_signal(how)
        code = running.wait(60)

    assert code in ((0,) if how == signal.SIGINT else (0, -signal.SIGTERM))
    assert (tmp_path / "mlruns" / "0" / run_id / "meta.yaml").exists()
    log = text_of(tmp_path / "server.log")
    assert "Traceback" not in log
    assert "shutdown complete" in log


def test_a_taken_port(tmp_path):
    """Says so, by whom where that can be seen, and which is free."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(MlflowException) as caught:
            process.check_port("127.0.0.1", port)

    message = caught.value.message
    assert message.startswith(f"Port {port} of 127.0.0.1 is taken")
    assert "Try --port" in message
    if sys.platform == "linux":
        assert f"(process {os.getpid()})" in message


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours(host):
    """Cannot be listened on, and the reason is said."""
    with pytest.raises(MlflowException, match="Cannot listen on"):
        process.check_port(host, free_port())


def test_a_free_port():
    """Nothing is said."""
    process.check_port("127.0.0.1", free_port())


@pytest.mark.parametrize(
    ("uri", "asked", "expected"),
    [("./mlruns", 4, 1), ("sqlite:///x.db", 4, 1), ("postgresql://h/d", 4, 4), ("memory:", 2, 1)],
)
def test_worker_processes(uri, asked, expected):
    """More than one only where the store takes more than one writer."""
    assert expected == process.worker_count(ServerOptions(uri, workers=asked))


def test_no_worker_processes():
    """A server without any would answer nothing."""
    with pytest.raises(MlflowException, match="--workers"):
        process.worker_count(ServerOptions("./mlruns", workers=0))


@pytest.fixture
def forgotten():
    locate.forget()
    yield
    locate.forget()


@pytest.mark.usefixtures("forgotten")
def test_stores_of_the_options(tmp_path):
    """New experiments keep their artifacts where the options say."""
    runs, models = str(tmp_path / "runs"), str(tmp_path / "models")
    app = process.build(ServerOptions(runs, registry_store_uri=models))

    store = locate.tracking(runs)
    assert "mlflow-artifacts:/0" == store.get_experiment("0").artifact_location
    made = store.create_experiment("e")
    assert f"mlflow-artifacts:/{made}" == store.get_experiment(made).artifact_location
    locate.registry(models, runs).create_registered_model("M")
    assert (tmp_path / "models" / "models" / "M").is_dir()
    assert "FileStore" == app.settings.store_type


@pytest.mark.usefixtures("forgotten")
def test_the_application_of_a_worker(tmp_path, monkeypatch):
    """Is made of the options that its parent left."""
    monkeypatch.setenv("_MILLSTREAM_SERVER_OPTIONS", "")
    ServerOptions(str(tmp_path), static_prefix="/p").to_environment()

    assert "/p" == process.application().settings.prefix


def test_what_a_server_loads():
    """Neither data libraries nor a second web framework."""
    script = (
        "import sys, mlflow.server.process\n"
        "heavy = {'numpy', 'pandas', 'starlette', 'requests', 'yaml', 'sqlalchemy', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "[]" == done.stdout.strip()


def test_a_server_that_others_reach_asks_for_a_token(tmp_path):
    """It makes one on the first start; programs and browsers present it."""
    refused = subprocess.run(
        [sys.executable, "-m", "mlflow", "server", "--host", "0.0.0.0"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "--insecure-no-auth" in refused.stderr
    assert "Traceback" not in refused.stderr

    options = ("--token-file", "tokens", "--access-log", "access.log")
    with server(tmp_path, "--host", "0.0.0.0", *options) as (_, address):
        token = (tmp_path / "tokens").read_text().strip()
        log = text_of(tmp_path / "server.log")
        assert token in log
        url = f"{address}/openapi.json"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url, timeout=60)
        given = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(given, timeout=60) as answer:
            assert answer.status == 200
        given.full_url = f"{address}/metrics"
        with urllib.request.urlopen(given, timeout=60) as answer:
            found = answer.read().decode()
        assert 'operation="refused",method="GET",status="401"} 1\n' in found
        assert 'operation="/openapi.json",method="GET",status="200"} 1\n' in found
        link = next(word for word in log.split() if "/login?code=" in word)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        local = f"{address}/login?{link.partition('?')[2]}"
        with opener.open(local, timeout=60) as home:
            assert (home.status, home.url) == (200, f"{address}/")
    lines = text_of(tmp_path / "access.log")
    assert {"/health", "/openapi.json", "/metrics", "/login", "/"} == {
        json.loads(line)["path"] for line in lines.splitlines()
    }
    assert token not in lines
    assert link.partition("code=")[2] not in lines


def test_a_container_starts_with_one_variable(tmp_path):
    """The one that the refusal names."""
    environment = {"MILLSTREAM_INSECURE_NO_AUTH": "true"}
    with server(tmp_path, "--host", "0.0.0.0", environment=environment) as (_, address):
        with urllib.request.urlopen(f"{address}/openapi.json", timeout=60) as answer:
            assert answer.status == 200
    assert "whoever reaches this server" in text_of(tmp_path / "server.log")
