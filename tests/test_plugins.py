"""Installed plug-ins: how they are found, and that each group of entry points is honoured."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from mlflow import _plugins as plugins

# --- one plug-in of every group ------------------------------------------------------------------

ENTRY_POINTS = """
[console_scripts]
x = y:z

[mlflow.tracking_store]
mine = plug:Runs
memory = plug:Runs
broken = not_there:Runs

[mlflow.model_registry_store]
mine = plug:Models

[mlflow.artifact_repository]
mine = plug:Files
broken = not_there:Files

[mlflow.run_context_provider]
mine = plug:Context [extra]

[mlflow.request_header_provider]
mine = plug:Headers

[mlflow.request_auth_provider]
mine = plug:Auth

[mlflow.default_experiment_provider]
broken = not_there:Experiment
failing = plug:Failing
mine = plug:Chosen

[mlflow.dataset_source]
mine = plug:Source
broken = not_there:Source

[mlflow.model_evaluator]
mine = plug:Evaluator

[mlflow.deployments]
mine = plug

[mlflow.project_backend]
mine = plug:Backend

[mlflow.app]
mine = plug:app
"""

# As for a stock MLflow: its paths, its base classes, its way of calling them.
PLUGIN = """
from mlflow.data.dataset_source import DatasetSource
from mlflow.deployments import BaseDeploymentClient
from mlflow.deployments.base import BaseDeploymentClient as SameClient
from mlflow.entities import Experiment, Run, RunData, RunInfo
from mlflow.models.evaluation import EvaluationResult, ModelEvaluator
from mlflow.models.evaluation.base import ModelEvaluator as SameEvaluator
from mlflow.projects.backend.abstract_backend import AbstractBackend
from mlflow.projects.submitted_run import SubmittedRun
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.model_registry.abstract_store import AbstractStore as AbstractRegistry
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracking.context.abstract_context import RunContextProvider
from mlflow.tracking.default_experiment.abstract_context import DefaultExperimentProvider
from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider
from mlflow.tracking.request_header.abstract_request_header_provider import RequestHeaderProvider

class Runs(AbstractStore):
    def __init__(self, store_uri, artifact_uri=None):
        super().__init__()
        self.uri, self.seen = store_uri, []
    def search_experiments(self, view_type=1, max_results=1000, filter_string=None, order_by=None,
                           page_token=None):
        from mlflow.store.entities import PagedList
        return PagedList([Experiment("7", "seven", "mine://x", "active")], None)
    def create_run(self, experiment_id, user_id, start_time, tags, run_name):
        self.tags = {tag.key: tag.value for tag in tags}
        info = RunInfo("r", experiment_id, user_id, "RUNNING", start_time, None, "active", "mine://x",
                       run_name)
        self.run = Run(info, RunData([], [], tags))
        return self.run
    def get_run(self, run_id): return self.run
    def get_experiment(self, experiment_id):
        return Experiment(experiment_id, "seven", "mine://x", "active")
    def update_run_info(self, run_id, run_status, end_time, run_name): return self.run.info
    def log_batch(self, run_id, metrics, params, tags):
        self.seen += [one.key for one in (*metrics, *params, *tags)]
    def _search_runs(self, experiment_ids, filter_string, run_view_type, max_results, order_by,
                     page_token):
        return [self.run], None

class Models(AbstractRegistry):
    def __init__(self, store_uri):
        super().__init__(store_uri)
        self.uri = store_uri

class Files(ArtifactRepository):
    def list_artifacts(self, path=None): return []

class Context(RunContextProvider):
    def in_context(self): return True
    def tags(self): return {"plug.in": "yes"}

class Headers(RequestHeaderProvider):
    def in_context(self): return True
    def request_headers(self): return {"X-Mine": "yes"}

class Signing:
    def __call__(self, request):
        request.headers["Authorization"] = "signed " + request.path_url
        return request

class Auth(RequestAuthProvider):
    def get_name(self): return "mine"
    def get_auth(self): return Signing()

class Failing(DefaultExperimentProvider):
    def in_context(self): raise ValueError("no")

class Chosen(DefaultExperimentProvider):
    def in_context(self): return True
    def get_experiment_id(self): return "7"

class Source(DatasetSource):
    def __init__(self, uri): self.uri = uri
    @staticmethod
    def _get_source_type(): return "mine"
    def load(self): return self.uri
    @staticmethod
    def _can_resolve(raw_source): return str(raw_source).startswith("mine:")
    @classmethod
    def _resolve(cls, raw_source): return cls(raw_source)
    def to_dict(self): return {"uri": self.uri}
    @classmethod
    def from_dict(cls, source_dict): return cls(source_dict["uri"])

class Evaluator(ModelEvaluator):
    def can_evaluate(self, *, model_type, evaluator_config, **kwargs): return True
    def evaluate(self, **kwargs): return EvaluationResult({"mine": 1.0}, {}, kwargs["run_id"])

class Client(BaseDeploymentClient):
    pass

class Backend(AbstractBackend):
    def run(self, **kwargs): return SubmittedRun()

def app(): pass
"""

PROGRAM = """
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import mlflow
from mlflow.exceptions import MlflowException

found = {}

def refused(call, *args, **named):
    try:
        call(*args, **named)
    except MlflowException as error:
        return [error.error_code, error.message]

# stores, context, default experiment
mlflow.set_tracking_uri("mine://runs")
with mlflow.start_run() as run:
    mlflow.log_metric("m", 1.0)
    mlflow.log_params({"p": 1})
    mlflow.set_tag("t", 1)
from mlflow.store import locate
store = locate.tracking("mine://runs")
found["tracking_store"] = [type(store).__name__, store.uri, sorted(store.seen)]
found["search_runs"] = [one.info.run_id for one in mlflow.search_runs(["7"], output_format="list")]
found["by name"] = store.get_experiment_by_name("seven").experiment_id
found["absent"] = store.get_experiment_by_name("eight")
found["replaced"] = locate.tracking("memory:").uri
found["run_context_provider"] = store.tags["plug.in"]
found["default_experiment_provider"] = run.info.experiment_id
found["model_registry_store"] = [
    type(locate.registry("mine://runs")).__name__, locate.registry("mine://runs").uri]
found["broken store"] = refused(locate.tracking, "broken://x")

# artifacts
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
files = get_artifact_repository("mine://x")
found["artifact_repository"] = [type(files).__name__, files.artifact_uri]
found["broken artifacts"] = refused(get_artifact_repository, "broken://x/y")

# datasets
from mlflow.data.dataset_source_registry import (
    get_dataset_source_from_json, get_registered_sources, resolve_dataset_source)
found["dataset_source"] = [
    resolve_dataset_source("mine:a").load(),
    get_dataset_source_from_json('{"uri": "mine:b"}', "mine").load(),
    [one.__name__ for one in get_registered_sources()].count("Source")]

# requests
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        found["request_header_provider"] = self.headers["X-Mine"]
        found["request_auth_provider"] = self.headers["Authorization"]
        self.send_response(200)
        self.send_header("Content-Length", "38")
        self.end_headers()
        self.wfile.write(b'{"experiment": {"experiment_id": "3"}}')
    def log_message(self, *args):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["MLFLOW_TRACKING_AUTH"] = "mine"
address = f"http://127.0.0.1:{server.server_port}"
mlflow.MlflowClient(address).get_experiment("3")

# what a plug-in makes of MLflow's store of a server
from mlflow.store.tracking.rest_store import RestStore
from mlflow.utils.rest_utils import MlflowHostCreds
del os.environ["MLFLOW_TRACKING_AUTH"]
class Elsewhere(RestStore):
    def __init__(self, store_uri, artifact_uri=None):
        super().__init__(lambda: MlflowHostCreds(address, auth="mine"))
Elsewhere("x").get_experiment("4")
found["by creds"] = found["request_auth_provider"]

# what has no host yet
from mlflow.deployments import get_deploy_client
import plug
found["deployments"] = refused(get_deploy_client, "mine")
found["project_backend"] = refused(mlflow.run, ".", backend="mine")
found["made"] = [refused(plug.Client, "x"), refused(plug.Backend)]
mlflow.set_tracking_uri("./runs")
mlflow.set_experiment("judged")
found["model_evaluator"] = mlflow.evaluate(len, [1], model_type="x", evaluators="mine").metrics
from mlflow.cli import main
try:
    main(["server", "--app-name", "mine"])
except SystemExit as end:
    found["app"] = end.code
print(json.dumps(found))
"""


def install(place, text=ENTRY_POINTS, code=PLUGIN):
    (place / "plug-1.dist-info").mkdir(parents=True)
    (place / "plug-1.dist-info" / "entry_points.txt").write_text(text)
    (place / "plug.py").write_text(code)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A program that uses a plug-in of each group, which lies in a folder on the path."""
    place = tmp_path_factory.mktemp("plugs")
    install(place)
    environment = {
        **os.environ,
        "PYTHONPATH": str(place),
        "MILLSTREAM_CACHE_DIR": str(place / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_tracking_store(found):
    """MLflow's abstract methods are enough; the store wins over a scheme of our own."""
    assert found["tracking_store"] == ["Runs", "mine://runs", ["m", "p", "t"]]
    assert found["search_runs"] == ["r"]
    assert [found["by name"], found["absent"]] == ["7", None]
    assert found["replaced"] == "memory:"


def test_model_registry_store(found):
    """Its builder need not take the tracking URI; it is not the tracking store of the same URI."""
    assert found["model_registry_store"] == ["Models", "mine://runs"]


def test_artifact_repository(found):
    assert found["artifact_repository"] == ["Files", "mine://x"]


def test_run_context_provider(found):
    assert found["run_context_provider"] == "yes"


def test_default_experiment_provider(found):
    """One that fails is passed over."""
    assert found["default_experiment_provider"] == "7"


def test_dataset_source(found):
    assert found["dataset_source"] == ["mine:a", "mine:b", 1]


def test_request_header_provider(found):
    assert found["request_header_provider"] == "yes"


def test_request_auth_provider(found):
    """Named by the environment, or by what a plug-in's store says of its server."""
    path = "/api/2.0/mlflow/experiments/get?experiment_id="
    assert found["request_auth_provider"] == found["by creds"] == f"signed {path}4"


def test_model_evaluator(found):
    """The type of model is whatever the evaluator knows."""
    assert found["model_evaluator"] == {"mine": 1.0}


@pytest.mark.parametrize("group", ["deployments", "project_backend"])
def test_groups_without_a_host(found, group):
    """Asking for one says that it is not here; the plug-in's module can be imported."""
    code, message = found[group]
    assert code == "NOT_IMPLEMENTED"
    assert "docs/compatibility.md" in message
    assert {one[0] for one in found["made"]} == {"NOT_IMPLEMENTED"}


def test_app(done, found):
    assert found["app"] == 2
    assert "'mine' is not 'basic-auth'" in done.stderr


def test_broken_plug_ins(done, found):
    """Are passed over with a warning that says which; what nobody offers is refused."""
    assert found["broken store"][0] == "INVALID_PARAMETER_VALUE"
    assert "broken" in found["broken artifacts"][1]
    for words in (
        "The plug-in 'broken' (not_there:Runs) of the entry points 'mlflow.tracking_store'",
        "The plug-in 'broken' (not_there:Files)",
        "The plug-in 'broken' (not_there:Source)",
        "No default experiment from broken",
        "No default experiment from Failing: no",
    ):
        assert done.stderr.count(words) == 1, done.stderr


# --- how they are found --------------------------------------------------------------------------

CONTEXT = """
class Provider:
    def in_context(self): return True
    def tags(self): return {"plug.in": "yes"}
"""
ASKING = """
import sys
sys.path.append({place!r})
from mlflow import _plugins as plugins
from mlflow.tracking.context import registry
asked = []
real = plugins._installed_in
plugins._installed_in = lambda *a: asked.append(a) or real(*a)
tags = registry.resolve_tags()
print(tags.get("plug.in"), len(asked) > 0, "importlib.metadata" in sys.modules)
"""
ONE = "[mlflow.run_context_provider]\nmine = plug:Provider [extra]\n"


@pytest.mark.parametrize("folder", ["my-packages", "anywhere"])
def test_plug_ins_are_found_and_then_remembered(tmp_path, folder):
    place = tmp_path / folder
    install(place, ONE, CONTEXT)

    def ask() -> str:
        command = [sys.executable, "-c", ASKING.format(place=str(place))]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert ask() == "yes True False"
    # Asked again, because a folder of packages may change meanwhile: bytecode is written there.
    assert "yes False False" in (ask(), ask(), ask())
    if folder == "anywhere":
        (place / "mlruns").mkdir()  # what a program makes in its own folder is nothing installed
        assert ask() == "yes False False"
    # Something was installed or removed.
    os.utime(place if folder == "my-packages" else place / "plug-1.dist-info", ns=(1, 1))
    assert ask() == "yes True False"


def test_a_memory_that_others_can_write_is_not_believed(tmp_path, monkeypatch):
    group = "mlflow.run_context_provider"
    place = tmp_path / "my-packages"
    install(place, ONE, CONTEXT)
    monkeypatch.setenv("MILLSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(place)])
    assert plugins._find() == {group: [("mine", "plug:Provider")]}
    kept = plugins._kept()
    with open(kept) as file:
        text = file.read()
    with open(kept, "w") as file:
        file.write(text.replace("plug:Provider", "os:evil"))

    assert plugins._find() == {group: [("mine", "os:evil")]}
    if os.name != "nt":
        os.chmod(kept, 0o666)
        assert plugins._find() == {group: [("mine", "plug:Provider")]}


def test_nothing_is_remembered_where_nothing_can_be_kept(tmp_path, monkeypatch):
    """A cache folder that is a file costs time only."""
    install(tmp_path, ONE, CONTEXT)
    (tmp_path / "file").touch()
    monkeypatch.setenv("MILLSTREAM_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert plugins.entry_points("mlflow.run_context_provider") == [("mine", "plug:Provider")]
    assert plugins.offered("mlflow.run_context_provider", "other") is None
