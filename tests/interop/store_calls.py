"""A list of calls on a file store and what each answered, as JSON; runs under either MLflow.

    python store_calls.py FOLDER

Only names that both have are imported, and ids and times are left out of what is printed.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

from mlflow.entities import (
    Dataset,
    DatasetInput,
    ExperimentTag,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    Metric,
    Param,
    RunTag,
)
from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag

INFINITY, NAN = math.inf, math.nan


def stores(folder):
    """The tracking store and the registry of this MLflow."""
    try:
        from mlflow.store import locate
    except ImportError:
        from mlflow.store.model_registry.file_store import FileStore as Registry
        from mlflow.store.tracking.file_store import FileStore as Tracking

        return Tracking(folder), Registry(folder)
    store = locate.tracking(folder)
    return store, store


class Script:
    """Makes calls and notes what they answered."""

    def __init__(self, folder):
        self.folder = folder
        self.tracking, self.registry = stores(folder)
        self.notes = []
        self.ids = {}

    def call(self, label, call, *arguments, **options):
        """Make a call; the answer is noted and returned."""
        try:
            answer = call(*arguments, **options)
        except Exception as error:
            code = getattr(error, "error_code", type(error).__name__)
            self.notes.append([label, "refused", code, self.plain(str(error))])
            return None
        self.notes.append([label, "returned", self.plain(answer)])
        return answer

    def id(self, value, name):
        """Remember what an id is called in the notes."""
        self.ids[value] = name
        return value

    def known(self, rows):
        """The runs of a page; one that was refused and is there all the same has no name."""
        return [self.ids[row.info.run_id] for row in rows if row.info.run_id in self.ids]

    def plain(self, value):
        """What both should agree on."""
        if isinstance(value, str):
            value = value.replace("file://" + self.folder, "ROOT").replace(self.folder, "ROOT")
            for one, name in self.ids.items():
                value = value.replace(one, name)
            return re.sub(r"\b[a-z]+-[a-z]+-\d{1,3}\b", "NAME", value)
        if isinstance(value, float):
            return repr(value)
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, dict):
            return sorted([str(key), self.plain(one)] for key, one in value.items())
        if isinstance(value, (list, tuple)):
            return [self.plain(one) for one in value]
        skipped = ("_time", "_timestamp", "workspace", "model_uri")
        fields = {
            key.lstrip("_"): one for key, one in vars(value).items() if not key.endswith(skipped)
        }
        if "version" in fields:
            fields["version"] = str(fields["version"])
        if isinstance(fields.get("aliases"), list):
            fields["aliases"] = sorted(fields["aliases"])
        for key in ("latest_version", "metrics", "metric_objs", "dataset_inputs"):
            if isinstance(fields.get(key), list):
                fields[key] = sorted(self.plain(fields[key]), key=repr)
        return [type(value).__name__, self.plain(fields)]


def experiments(script):
    """Experiments."""
    s, call = script.tracking, script.call
    for name in ("", None, 5, "x" * 501, "   ", "a/b", "Default"):
        made = call(f"create experiment {str(name)[:9]!r}", s.create_experiment, name, None, [])
        if made:
            script.id(made, f"<{name}>")
            script.notes.pop()
    one = script.id(s.create_experiment("one", None, [ExperimentTag("k", "v")]), "<one>")
    call("get", s.get_experiment, one)
    call("get by name", s.get_experiment_by_name, "one")
    call("get by name, none", s.get_experiment_by_name, "none")
    call("get unknown", s.get_experiment, "999")
    call("get none", s.get_experiment, None)
    call("get empty", s.get_experiment, "")
    call("get path", s.get_experiment, "../x")
    call("long location", s.create_experiment, "far", "s3://x" + "a" * 3000, [])
    call("taken", s.create_experiment, "one", None, [])
    call("tag", s.set_experiment_tag, one, ExperimentTag("a", "b"))
    call("tag path", s.set_experiment_tag, one, ExperimentTag("../a", "b"))
    call("tag none", s.set_experiment_tag, one, ExperimentTag(None, "b"))
    call("tag long key", s.set_experiment_tag, one, ExperimentTag("a" * 251, "b"))
    call("tag long value", s.set_experiment_tag, one, ExperimentTag("a", "b" * 20001))
    call("tag unknown", s.set_experiment_tag, "999", ExperimentTag("a", "b"))
    call("untag", s.delete_experiment_tag, one, "a")
    call("untag again", s.delete_experiment_tag, one, "a")
    call("rename taken", s.rename_experiment, one, "Default")
    call("rename same", s.rename_experiment, one, "one")
    call("rename empty", s.rename_experiment, one, "")
    call("rename unknown", s.rename_experiment, "999", "x")
    call("restore active", s.restore_experiment, one)
    call("delete", s.delete_experiment, one)
    call("delete again", s.delete_experiment, one)
    call("delete default", s.delete_experiment, "0")
    call("taken by deleted", s.create_experiment, "one", None, [])
    call("rename deleted", s.rename_experiment, one, "x")
    call("tag deleted", s.set_experiment_tag, one, ExperimentTag("a", "b"))
    call("run in deleted", s.create_run, one, "u", 1, [], "n")
    call("deleted", s.get_experiment, one)
    call("restore", s.restore_experiment, one)
    call("restored", s.get_experiment, one)
    call("rename", s.rename_experiment, one, "two")
    call("renamed", s.get_experiment, one)
    for size in (0, -1, 50_001, None, "5"):
        call(f"search {size!r}", s.search_experiments, 1, size)
    call("search", s.search_experiments, 1, 10, "name = 'two'")
    call("search bad", s.search_experiments, 1, 10, "a b c")


def runs(script):
    """Runs."""
    s, call = script.tracking, script.call
    call("create in unknown", s.create_run, "999", "u", 1, [], "n")
    call("two names", s.create_run, "0", "u", 1, [RunTag("mlflow.runName", "b")], "c")
    call("bad tag", s.create_run, "0", "u", 1, [RunTag("../x", "b")], "c")
    run = s.create_run("0", "u", 5, [RunTag("a", "b")], "first").info.run_id
    script.id(run, "<run>")
    call("get", s.get_run, run)
    for bad in ("0" * 32, "../x", ""):
        call(f"get {bad}", s.get_run, bad)
        call(f"metric {bad}", s.log_metric, bad, Metric("a", 1.0, 1, 0))
    keys = ["a", "a b/c.d-e_f:g", "", None, "a$", "/a", "../a", "a//b", "a/../b", "./a", ".", "é",
            "x" * 251, "x" * 250, "a/", "b\0c"]  # fmt: skip
    for key in keys:
        call(f"metric {str(key)[:9]!r}", s.log_metric, run, Metric(key, 1.0, 1, 0))
        call(f"param {str(key)[:9]!r}", s.log_param, run, Param(key, "1"))
        script.notes[-1][2:] = script.notes[-1][2:] if script.notes[-1][1] == "refused" else []
        call(f"history {str(key)[:9]!r}", s.get_metric_history, run, key)
    for step, value in enumerate(("x", True, None, NAN, INFINITY, -INFINITY, 1, -0.0, 1e-300)):
        call(f"value {value!r}", s.log_metric, run, Metric("v", value, 1, step))
    for time in (None, -1, "5", 2**40):
        call(f"time {time!r}", s.log_metric, run, Metric("t", 1.0, time, 0))
    for step in (None, "3", -5, 2**62):
        call(f"step {step!r}", s.log_metric, run, Metric("s", 1.0, 1, step))
    for point in ((1.0, 9, 1), (2.0, 1, 2), (5.0, 1, 2), (3.0, 0, 2)):
        call(f"latest {point}", s.log_metric, run, Metric("l", *point))
    for key in ("v", "t", "s", "l", "none"):
        call(f"read {key}", s.get_metric_history, run, key)
    for key, value in (("p", "1"), ("p", "2"), ("e", ""), ("n", None), ("nl", "a\nb"), ("u", "ü")):
        call(f"param {key}={value!r}", s.log_param, run, Param(key, value))
        script.notes[-1][2:] = script.notes[-1][2:] if script.notes[-1][1] == "refused" else []
        call(f"tag {key}={value!r}", s.set_tag, run, RunTag(key, value))
    call("untag", s.delete_tag, run, "u")
    call("untag again", s.delete_tag, run, "u")
    call("rename by tag", s.set_tag, run, RunTag("mlflow.runName", "second"))
    call("state", s.get_run, run)
    for counts in ((1001, 0, 0), (0, 101, 0), (0, 0, 101), (1000, 1, 0)):
        call(
            f"batch {counts}", s.log_batch, run,
            [Metric("b", 1.0, 1, n) for n in range(counts[0])],
            [Param(f"b{n}", "x") for n in range(counts[1])],
            [RunTag(f"b{n}", "x") for n in range(counts[2])],
        )  # fmt: skip
    call("batch twice", s.log_batch, run, [], [Param("d", "1"), Param("d", "1")], [])
    call("batch changed", s.log_batch, run, [Metric("c", 1.0, 1, 0)], [Param("p", "2")], [])
    call("batch bad metric", s.log_batch, run, [Metric("c", "x", 1, 0)], [], [])
    call("batch bad key", s.log_batch, run, [], [], [RunTag("../x", "y")])
    call("batch long", s.log_batch, run, [], [Param("lp", "x" * 7000)], [RunTag("lt", "x" * 9000)])
    call("batch", s.log_batch, run, [Metric("c", 1.0, 1, 0)], [Param("q", "2")], [RunTag("q", "2")])
    used = DatasetInput(Dataset("n", "d", "t", "s", "sc", "pr"), [InputTag("k", "v")])
    for _ in range(2):
        call("input", s.log_inputs, run, [used])
    call("update", s.update_run_info, run, 3, 77, None)
    call("update back", s.update_run_info, run, 1, None, "third")
    call("state", s.get_run, run)
    call("delete", s.delete_run, run)
    call("delete again", s.delete_run, run)
    for label, work in (
        ("metric", lambda: s.log_metric(run, Metric("a", 1.0, 1, 0))),
        ("param", lambda: s.log_param(run, Param("z", "1"))),
        ("tag", lambda: s.set_tag(run, RunTag("z", "1"))),
        ("untag", lambda: s.delete_tag(run, "p")),
        ("batch", lambda: s.log_batch(run, [], [], [])),
        ("update", lambda: s.update_run_info(run, 3, 1, None)),
        ("inputs", lambda: s.log_inputs(run, [used])),
    ):
        call(f"deleted: {label}", work)
    call("restore", s.restore_run, run)
    call("restore again", s.restore_run, run)
    searches(script, run)


def searches(script, run):
    """Searches of runs."""
    s, call = script.tracking, script.call
    for time in (1, 9, 7):
        script.id(s.create_run("0", "u", time, [], f"at{time}").info.run_id, f"<at {time}>")
    for text in ("", "metrics.l > 4", "metrics.v != 0", "params.p = '1'", "tags.a LIKE 'b%'",
                 "attributes.status = 'RUNNING'", "params.none != 'x'", "datasets.name = 'n'",
                 "attributes.start_time >= 7", "a b c", "params.p = 5", "metrics.l = 'x'",
                 "attributes.nothing = 'x'", "tags.a = 'b' AND params.p != '2'"):  # fmt: skip
        rows = call(f"where {text}", s.search_runs, ["0"], text, 1)
        if rows is not None:
            script.notes[-1][2] = script.known(rows)
    for order in ("metrics.l ASC", "metrics.l DESC", "attributes.start_time ASC", "params.p DESC",
                  "attributes.run_name ASC", "nonsense x"):  # fmt: skip
        rows = call(f"by {order}", s.search_runs, ["0"], "", 1, 100, [order])
        if rows is not None:
            script.notes[-1][2] = script.known(rows)
    call("too many", s.search_runs, ["0"], "", 1, 50_001)
    call("no experiment", s.search_runs, ["999"], "", 1)
    call("nowhere", s.search_runs, [], "", 1)
    call("bad token", s.search_runs, ["0"], "", 1, 10, None, "zzz")


def logged_models(script):
    """Logged models."""
    s, call = script.tracking, script.call
    model = s.create_logged_model(
        "0", "m", None, [LoggedModelTag("a", "b")], [LoggedModelParameter("p", "q")], "kind"
    )
    one = script.id(model.model_id, "<model>")
    call("get", s.get_logged_model, one)
    for name in ("", "a:b", "a%b", 'a"b', "a'b"):
        call(f"name {name}", s.create_logged_model, "0", name)
    call("in unknown", s.create_logged_model, "999", "x")
    call("bad tag", s.create_logged_model, "0", "x", None, [LoggedModelTag("../a", "b")])
    call("ready", s.finalize_logged_model, one, LoggedModelStatus.READY)
    call("tags", s.set_logged_model_tags, one, [LoggedModelTag("c", "d")])
    call("untag", s.delete_logged_model_tag, one, "c")
    call("untag again", s.delete_logged_model_tag, one, "c")
    call("params", s.log_logged_model_params, one, [LoggedModelParameter("r", "s")])
    for version in ("1", "2"):
        call("registered", s.set_model_versions_tags, "name", version, one)
    run = script.id(s.create_run("0", "u", 1, [], "for models").info.run_id, "<model run>")
    call("metric", s.log_metric, run, Metric("f", 1.0, 1, 0, model_id=one))
    call("input", s.log_inputs, run, None, [LoggedModelInput(one)])
    call("output", s.log_outputs, run, [LoggedModelOutput(one, 3)])
    call("run", s.get_run, run)
    call("model", s.get_logged_model, one)
    call("search", s.search_logged_models, ["0"], "name = 'm'")
    call("search nowhere", s.search_logged_models, [])
    call("delete", s.delete_logged_model, one)
    call("delete again", s.delete_logged_model, one)
    call("deleted", s.get_logged_model, one)
    call("deleted, allowed", s.get_logged_model, one, True)
    call("tags of deleted", s.set_logged_model_tags, one, [LoggedModelTag("c", "d")])
    call("unknown", s.get_logged_model, "m-" + "0" * 32)


def registry(script):
    """Registered models and versions."""
    r, call = script.registry, script.call
    for name in ("", None, "  ", "a/b", "a:b", "..", ".", "%2e", "é", "a.b"):
        call(f"create {name!r}", r.create_registered_model, name)
    call("create", r.create_registered_model, "m", [RegisteredModelTag("a", "b")], "why")
    call("taken", r.create_registered_model, "m")
    call("unknown", r.get_registered_model, "zz")
    call("path", r.get_registered_model, "../zz")
    call("update", r.update_registered_model, "m", "new")
    call("update none", r.update_registered_model, "m", None)
    call("update unknown", r.update_registered_model, "zz", "d")
    for name in ("é", "m", "a/b", ""):
        call(f"rename {name}", r.rename_registered_model, "m", name)
    call("version", r.create_model_version, "m", "s3://x", "r" * 32, [ModelVersionTag("k", "v")])
    call("version", r.create_model_version, "m", "s3://y", None, None, "http://link", "why")
    call("version of version", r.create_model_version, "m", "models:/m/1")
    call("bad tag", r.create_model_version, "m", "s3://y", None, [ModelVersionTag("../x", "v")])
    call("no tag value", r.create_model_version, "m", "s3://y", None, [ModelVersionTag("x", None)])
    for version in ("1", 1, "01", "0", "-1", "99", "x", "1.5"):
        call(f"get {version!r}", r.get_model_version, "m", version)
    call("get of unknown", r.get_model_version, "zz", "1")
    call("uri", r.get_model_version_download_uri, "m", "3")
    for stage in ("Staging", "production", "NONE", "archived", "Foo", ""):
        call(f"stage {stage}", r.transition_model_version_stage, "m", "1", stage, False)
        call(f"stage {stage}, archive", r.transition_model_version_stage, "m", "2", stage, True)
    call("stage of unknown", r.transition_model_version_stage, "m", "99", "Staging", False)
    latest = call("latest", r.get_latest_versions, "m")
    script.notes[-1][2] = sorted([one.current_stage, str(one.version)] for one in latest)
    call("latest of stage", r.get_latest_versions, "m", ["Production"])
    call("latest of nonsense", r.get_latest_versions, "m", ["zz"])
    for alias in ("a", "", None, "latest", "LATEST", "v1", "v", "a b", "a/b", "é", "x" * 256, "1"):
        call(f"alias {str(alias)[:9]!r}", r.set_registered_model_alias, "m", alias, "1")
    call("alias of unknown", r.set_registered_model_alias, "m", "q", "99")
    call("alias of nobody", r.set_registered_model_alias, "zz", "q", "1")
    call("by alias", r.get_model_version_by_alias, "m", "a")
    call("by alias none", r.get_model_version_by_alias, "m", "none")
    call("by alias latest", r.get_model_version_by_alias, "m", "latest")
    call("by alias of nobody", r.get_model_version_by_alias, "zz", "a")
    for alias in ("a", "a"):
        call("drop alias", r.delete_registered_model_alias, "m", alias)
    for key, value in (("k", "v"), (None, "v"), ("x" * 251, "v"), ("k", "v" * 100_001)):
        label = f"{str(key)[:9]!r} {value[:9]}"
        call(f"tag {label}", r.set_registered_model_tag, "m", RegisteredModelTag(key, value))
        call(f"version tag {label}", r.set_model_version_tag, "m", "1", ModelVersionTag(key, value))
    call("untag", r.delete_registered_model_tag, "m", "none")
    call("version untag", r.delete_model_version_tag, "m", "1", "none")
    call("describe", r.update_model_version, "m", "1", "text")
    call("describe unknown", r.update_model_version, "m", "99", "text")
    for size in (0, -1, 1001, "5"):
        call(f"search {size!r}", r.search_registered_models, None, size)
    for size in (0, -1, 200_001, "5"):
        call(f"search versions {size!r}", r.search_model_versions, None, size)
    call("search", r.search_registered_models, "name = 'm'", 10)
    call("search versions", r.search_model_versions, "name = 'm'", 10, ["version_number ASC"])
    call("copy", r.copy_model_version, r.get_model_version("m", "1"), "copies")
    call("delete version", r.delete_model_version, "m", "3")
    call("delete again", r.delete_model_version, "m", "3")
    call("next", r.create_model_version, "m", "s3://z")
    call("rename", r.rename_registered_model, "m", "n")
    call("renamed", r.get_model_version, "n", "1")
    call("delete", r.delete_registered_model, "n")
    call("delete again", r.delete_registered_model, "n")


if __name__ == "__main__":
    noted = Script(os.path.realpath(sys.argv[1]))
    for part in (experiments, runs, logged_models, registry):
        noted.notes.append([f"== {part.__name__}"])
        part(noted)
    print("\n" + json.dumps(noted.notes))
