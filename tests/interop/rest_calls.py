"""A list of raw requests to a tracking server and what it answered; the same for every server.

Ids, times and generated names are replaced by what they stand for, so that two servers that were
asked the same may be compared.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

API = "/api/2.0/mlflow/"


class Script:
    """Makes requests and notes what was answered."""

    def __init__(self, address):
        self.address = address
        self.notes = []

    def ask(self, label, method, path, body=None, *, query="", raw=None, kind="application/json"):
        """Make a request; the JSON of the answer is noted and returned."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        url = self.address + (path if path.startswith("/") else API + path)
        request = urllib.request.Request(url + (f"?{query}" if query else ""), data, method=method)
        if data is not None and kind:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        try:
            value = json.loads(text)
        except ValueError:
            value = "(no JSON)"
        self.notes.append((label, status, plain(value)))
        return value


def plain(value):
    """Return an answer without what differs from call to call."""
    text = json.dumps(value)
    text = text.replace(" See the API docs for more information about request parameters.", "")
    text = re.sub(r"\b[0-9a-f]{32}\b", "ID", text)
    text = re.sub(r"\b17[1-9]\d{10}\b", "9", text)
    text = re.sub(r'"next_page_token": "[^"]+"', '"next_page_token": "TOKEN"', text)
    text = re.sub(r'"[a-z]+-[a-z]+-\d+"', '"NAME"', text)
    return json.loads(text)


def experiments(script):
    """Experiments, and how fields are read."""
    ask = script.ask
    made = ask(
        "create", "POST", "experiments/create", {"name": "e", "tags": [{"key": "a", "value": "b"}]}
    )
    e = made["experiment_id"]
    ask("create twice", "POST", "experiments/create", {"name": "e"})
    ask("get", "GET", "experiments/get", query=f"experiment_id={e}")
    ask("get by body", "GET", "experiments/get", {"experiment_id": e})
    ask("get unknown", "GET", "experiments/get", query="experiment_id=77")
    ask("get nothing", "GET", "experiments/get")
    ask("get by name", "GET", "experiments/get-by-name", query="experiment_name=e")
    ask("get by no name", "GET", "experiments/get-by-name", query="experiment_name=zz")
    for label, body in (
        ("nothing", {}), ("empty", {"name": ""}), ("number", {"name": 3}), ("null", {"name": None}),
        ("long", {"name": "x" * 501}),
    ):  # fmt: skip
        ask(f"create {label}", "POST", "experiments/create", body)
    for label, raw in (
        ("no body", b""), ("no JSON", b"{x"), ("list", b"[1]"), ("JSON null", b"null"),
        ("JSON in text", b'"{\\"name\\":\\"t\\"}"'),
    ):  # fmt: skip
        ask(f"create {label}", "POST", "experiments/create", raw=raw)
    ask(
        "create without a type",
        "POST",
        "experiments/create",
        raw=b'{"name":"z"}',
        kind="text/plain",
    )
    search = "experiments/search"
    ask("search", "POST", search, {"max_results": 1, "order_by": ["name ASC"]})
    ask("search text", "POST", search, {"max_results": "1", "order_by": ["name ASC"]})
    ask("search camel", "POST", search, {"maxResults": 1, "orderBy": ["name ASC"]})
    ask("search both", "POST", search, {"max_results": 1, "maxResults": 2})
    ask("search whole float", "POST", search, {"max_results": 1.0, "order_by": ["name ASC"]})
    ask("search fraction", "POST", search, {"max_results": 1.5})
    ask("search no number", "POST", search, {"max_results": "x"})
    ask("search unlimited", "POST", search, {})
    ask("search by query", "GET", search, query="max_results=1&order_by=name+ASC&view_type=ALL")
    ask("search camel query", "GET", search, query="maxResults=1")
    ask("search enum number", "POST", search, {"max_results": 1, "view_type": 2})
    ask("search enum name", "POST", search, {"max_results": 1, "view_type": "DELETED_ONLY"})
    ask("search enum none", "POST", search, {"max_results": 1, "view_type": "XX"})
    ask("search order text", "POST", search, {"max_results": 9, "order_by": "name"})
    ask(
        "tag",
        "POST",
        "experiments/set-experiment-tag",
        {"experiment_id": e, "key": "k", "value": "v"},
    )
    ask(
        "tag without value",
        "POST",
        "experiments/set-experiment-tag",
        {"experiment_id": e, "key": "k"},
    )
    ask(
        "tag number",
        "POST",
        "experiments/set-experiment-tag",
        {"experiment_id": e, "key": "k", "value": 3},
    )
    ask("untag", "POST", "experiments/delete-experiment-tag", {"experiment_id": e, "key": "k"})
    ask("rename", "POST", "experiments/update", {"experiment_id": e, "new_name": "f"})
    ask("rename nothing", "POST", "experiments/update", {"experiment_id": e})
    ask("delete", "POST", "experiments/delete", {"experiment_id": e})
    ask("get deleted", "GET", "experiments/get", query=f"experiment_id={e}")
    ask("restore", "POST", "experiments/restore", {"experiment_id": e})
    ask("other door", "GET", "/ajax-api/2.0/mlflow/experiments/get", query=f"experiment_id={e}")
    ask("no path", "GET", "nope")
    ask("no method", "PUT", "experiments/create", {})


def runs(script):
    """Runs and what they log."""
    ask = script.ask
    made = ask("create", "POST", "runs/create", {
        "experiment_id": "0", "start_time": 1700000000000, "run_name": "n",
        "tags": [{"key": "mlflow.user", "value": "u"}],
    })  # fmt: skip
    r = made["run"]["info"]["run_id"]
    ask("create without experiment", "POST", "runs/create", {})
    metric = {"run_id": r, "key": "m", "value": 1, "timestamp": 1}
    for value in (1, 1.5, "2.5", "NaN", True, "x", None, [1]):
        ask(f"metric {value!r}", "POST", "runs/log-metric", {**metric, "value": value})
    ask("metric text", "POST", "runs/log-metric", {**metric, "timestamp": "3", "step": "7"})
    ask("metric alias", "POST", "runs/log-metric", {**metric, "run_uuid": r, "run_id": None})
    ask("metric early", "POST", "runs/log-metric", {**metric, "timestamp": -1})
    ask("metric fraction", "POST", "runs/log-metric", {**metric, "timestamp": 1.5})
    ask("metric without time", "POST", "runs/log-metric", {"run_id": r, "key": "m", "value": 1})
    ask("metric bad key", "POST", "runs/log-metric", {**metric, "key": "a*"})
    ask("metric of none", "POST", "runs/log-metric", {**metric, "run_id": "nope"})
    ask("param", "POST", "runs/log-parameter", {"run_id": r, "key": "p", "value": "1"})
    ask("param again", "POST", "runs/log-parameter", {"run_id": r, "key": "p", "value": "1"})
    ask("param changed", "POST", "runs/log-parameter", {"run_id": r, "key": "p", "value": "2"})
    ask("param number", "POST", "runs/log-parameter", {"run_id": r, "key": "q", "value": 3})
    ask("param empty", "POST", "runs/log-parameter", {"run_id": r, "key": "s", "value": ""})
    ask("tag", "POST", "runs/set-tag", {"run_id": r, "key": "t", "value": "v"})
    ask("untag", "POST", "runs/delete-tag", {"run_id": r, "key": "t"})
    ask("untag again", "POST", "runs/delete-tag", {"run_id": r, "key": "t"})
    point = {"key": "b", "value": 1, "timestamp": 1, "step": 2}
    ask("batch", "POST", "runs/log-batch", {
        "run_id": r, "metrics": [point], "params": [{"key": "bp", "value": "1"}],
        "tags": [{"key": "bt", "value": "1"}],
    })  # fmt: skip
    ask("batch of nothing", "POST", "runs/log-batch", {"run_id": r})
    ask(
        "batch without time",
        "POST",
        "runs/log-batch",
        {"run_id": r, "metrics": [{"key": "b", "value": 1}]},
    )
    ask("batch without key", "POST", "runs/log-batch", {"run_id": r, "params": [{"value": "1"}]})
    ask("batch of an object", "POST", "runs/log-batch", {"run_id": r, "metrics": {}})
    ask("batch too many", "POST", "runs/log-batch", {
        "run_id": r, "params": [{"key": f"k{n}", "value": "1"} for n in range(101)],
    })  # fmt: skip
    ask("batch twice", "POST", "runs/log-batch", {
        "run_id": r, "params": [{"key": "z", "value": "1"}, {"key": "z", "value": "2"}],
    })  # fmt: skip
    ask("history", "GET", "metrics/get-history", query=f"run_id={r}&metric_key=b")
    ask("history of none", "GET", "metrics/get-history", query=f"run_id={r}&metric_key=zz")
    used = {"name": "d", "digest": "x", "source_type": "local", "source": "{}"}
    tags = [{"key": "mlflow.data.context", "value": "train"}]
    ask(
        "inputs",
        "POST",
        "runs/log-inputs",
        {"run_id": r, "datasets": [{"tags": tags, "dataset": used}]},
    )
    ask(
        "datasets",
        "POST",
        "/ajax-api/2.0/mlflow/experiments/search-datasets",
        {"experiment_ids": ["0"]},
    )
    ask(
        "update",
        "POST",
        "runs/update",
        {"run_id": r, "status": "FINISHED", "end_time": 1700000000005},
    )
    ask("update number", "POST", "runs/update", {"run_id": r, "status": 4})
    ask("update nothing", "POST", "runs/update", {"run_id": r})
    ask("update unknown", "POST", "runs/update", {"run_id": r, "status": "XX"})
    ask("get", "GET", "runs/get", query=f"run_id={r}")
    ask("get unknown", "GET", "runs/get", query="run_id=nope")
    ask("search", "POST", "runs/search", {"experiment_ids": ["0"], "filter": "params.p = '1'"})
    ask("search text", "POST", "runs/search", {"experiment_ids": "0"})
    ask("search nowhere", "POST", "runs/search", {})
    ask("search too many", "POST", "runs/search", {"experiment_ids": ["0"], "max_results": 60000})
    ask(
        "bulk",
        "GET",
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
        query=f"run_id={r}&metric_key=b",
    )
    interval = "metrics/get-history-bulk-interval"
    ask("interval", "GET", interval, query=f"run_ids={r}&metric_key=b")
    ask("interval of none", "GET", interval, query="run_ids=none&metric_key=b")
    ask("interval without runs", "GET", interval, query="metric_key=b")
    ask("interval half", "GET", interval, query=f"run_ids={r}&metric_key=b&start_step=1")
    ask("interval zero", "GET", interval, query=f"run_ids={r}&metric_key=b&max_results=0")
    ask("note without facts", "POST", "runs/log-model", {"run_id": r, "model_json": "{}"})
    ask("note that is none", "POST", "runs/log-model", {"run_id": r, "model_json": "x"})
    ask("delete", "POST", "runs/delete", {"run_id": r})
    ask("metric of deleted", "POST", "runs/log-metric", metric)
    ask("restore", "POST", "runs/restore", {"run_id": r})


def logged_models(script):
    """Logged models."""
    ask = script.ask
    made = ask("create", "POST", "logged-models", {
        "experiment_id": "0", "name": "lm", "model_type": "t",
        "params": [{"key": "a", "value": "1"}], "tags": [{"key": "t", "value": "1"}],
    })  # fmt: skip
    m = made["model"]["info"]["model_id"]
    ask("create without a name", "POST", "logged-models", {"experiment_id": "0"})
    ask("create nowhere", "POST", "logged-models", {"name": "x"})
    ask("get", "GET", f"logged-models/{m}")
    ask("get unknown", "GET", "logged-models/m-nope")
    ask(
        "tags",
        "PATCH",
        f"logged-models/{m}/tags",
        {"model_id": m, "tags": [{"key": "q", "value": "w"}]},
    )
    ask("untag", "DELETE", f"logged-models/{m}/tags/q")
    ask("untag again", "DELETE", f"logged-models/{m}/tags/q")
    ask(
        "params",
        "POST",
        f"logged-models/{m}/params",
        {"model_id": m, "params": [{"key": "z", "value": "1"}]},
    )
    ready = {"model_id": m, "status": "LOGGED_MODEL_READY"}
    ask("finalize", "PATCH", f"logged-models/{m}", ready)
    ask("finalize nothing", "PATCH", f"logged-models/{m}", {"model_id": m})
    ask(
        "search", "POST", "logged-models/search", {"experiment_ids": ["0"], "filter": "name = 'lm'"}
    )
    ask("search nowhere", "POST", "logged-models/search", {})
    ask("delete", "DELETE", f"logged-models/{m}")
    ask("get deleted", "GET", f"logged-models/{m}")


def registry(script):
    """Registered models and versions."""
    ask = script.ask
    ask(
        "create",
        "POST",
        "registered-models/create",
        {"name": "M", "tags": [{"key": "a", "value": "b"}]},
    )
    ask("create twice", "POST", "registered-models/create", {"name": "M"})
    ask("create nothing", "POST", "registered-models/create", {})
    ask("get", "GET", "registered-models/get", query="name=M")
    ask("get unknown", "GET", "registered-models/get", query="name=zz")
    version = {"name": "M", "source": "s3://b/x"}
    ask("version", "POST", "model-versions/create", {
        **version, "run_id": "r", "description": "d", "run_link": "l",
        "tags": [{"key": "t", "value": "v"}],
    })  # fmt: skip
    ask("version without source", "POST", "model-versions/create", {"name": "M"})
    ask("version of none", "POST", "model-versions/create", {"name": "zz", "source": "s3://b/y"})
    ask("version of a path", "POST", "model-versions/create", {"name": "M", "source": "/etc"})
    ask("get version", "GET", "model-versions/get", query="name=M&version=1")
    ask("get version abc", "GET", "model-versions/get", query="name=M&version=abc")
    ask("get version 9", "GET", "model-versions/get", query="name=M&version=9")
    ask(
        "describe",
        "PATCH",
        "model-versions/update",
        {"name": "M", "version": "1", "description": "new"},
    )
    ask("describe number", "PATCH", "model-versions/update", {"name": "M", "version": 1})
    stage = {"name": "M", "version": "1", "stage": "staging"}
    ask(
        "stage",
        "POST",
        "model-versions/transition-stage",
        {**stage, "archive_existing_versions": True},
    )
    ask("stage unknown", "POST", "model-versions/transition-stage", {**stage, "stage": "xyz"})
    ask("latest", "POST", "registered-models/get-latest-versions", {"name": "M"})
    ask(
        "latest by query",
        "GET",
        "registered-models/get-latest-versions",
        query="name=M&stages=Staging&stages=None",
    )
    ask("tag", "POST", "registered-models/set-tag", {"name": "M", "key": "k", "value": "v"})
    ask("untag", "DELETE", "registered-models/delete-tag", {"name": "M", "key": "k"})
    ask("untag again", "DELETE", "registered-models/delete-tag", {"name": "M", "key": "k"})
    ask(
        "tag version",
        "POST",
        "model-versions/set-tag",
        {"name": "M", "version": "1", "key": "k", "value": "v"},
    )
    ask(
        "untag version",
        "DELETE",
        "model-versions/delete-tag",
        {"name": "M", "version": "1", "key": "k"},
    )
    ask("alias", "POST", "registered-models/alias", {"name": "M", "alias": "champ", "version": "1"})
    ask("by alias", "GET", "registered-models/alias", query="name=M&alias=champ")
    ask("by no alias", "GET", "registered-models/alias", query="name=M&alias=zz")
    ask(
        "alias latest",
        "POST",
        "registered-models/alias",
        {"name": "M", "alias": "latest", "version": "1"},
    )
    ask("get with alias", "GET", "registered-models/get", query="name=M")
    ask("unalias", "DELETE", "registered-models/alias", {"name": "M", "alias": "champ"})
    ask("unalias again", "DELETE", "registered-models/alias", {"name": "M", "alias": "champ"})
    ask("search", "GET", "registered-models/search", query="filter=name%3D%27M%27")
    ask("search versions", "GET", "model-versions/search", query="filter=name%3D%27M%27")
    ask("download", "GET", "model-versions/get-download-uri", query="name=M&version=1")
    ask("rename", "POST", "registered-models/rename", {"name": "M", "new_name": "N"})
    ask("describe model", "PATCH", "registered-models/update", {"name": "N", "description": "x"})
    ask("delete version", "DELETE", "model-versions/delete", {"name": "N", "version": "1"})
    ask("delete by query", "DELETE", "registered-models/delete", query="name=N")
    ask("delete", "DELETE", "registered-models/delete", {"name": "N"})
    ask("delete again", "DELETE", "registered-models/delete", {"name": "N"})


PARTS = {
    "experiments": experiments,
    "runs": runs,
    "logged models": logged_models,
    "registry": registry,
}


def answers(address):
    """Return {(part, label): (status, answer)} of all requests to a server that is new."""
    found = {}
    for part, requests in PARTS.items():
        script = Script(address)
        requests(script)
        found.update({(part, label): (status, value) for label, status, value in script.notes})
    return found
