"""Models made to harm whoever loads them: every one is refused before it can do anything.

The oracle is the interpreter's audit hook, in a process of its own: what was asked of it while a
model was loaded. Payloads are harmless: they would leave a file called `marker`.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import yaml
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

import mlflow
from mlflow.models import deserialize
from mlflow.models.flavors import FLAVORS

DRIVER = Path(__file__).with_name("model_loader_driver.py")
DENY = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
ALLOW = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true"}


class Payload:
    """Leaves a marker when it is unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return (open, (self.marker, "w"))


# What models of the flavors that are here stand on; imported first where their files are loaded.
LIBRARIES = [
    *(info.library for info in FLAVORS.values() if info.ready and info.library),
    "statsmodels.iolib.smpickle",  # which imports much of SciPy
]


def load(cases, *libraries):
    """Load every case in one process; return what happened in each."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, str(DRIVER), *libraries], input=json.dumps(cases), capture_output=True, text=True,
        env=env, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def case(uri, how="pyfunc", env=None):
    return {"uri": str(uri), "how": how, "env": DENY if env is None else env}


def write(folder, flavors, files=None, **keys):
    folder.mkdir(parents=True, exist_ok=True)
    content = {"flavors": flavors, "mlflow_version": "3.17.2", **keys}
    (folder / "MLmodel").write_text(yaml.safe_dump(content))
    for name, data in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def pyfunc(loader, **conf):
    return {"python_function": {"loader_module": loader, **conf}}


def sklearn_flavors(file_name, serialization_format, **conf):
    return {
        **pyfunc("mlflow.sklearn", model_path=file_name, predict_fn="predict"),
        "sklearn": {"pickled_model": file_name, "serialization_format": serialization_format,
                    **conf},
    }  # fmt: skip


def assert_harmless(results, names):
    harmed = [(name, r) for name, r in zip(names, results, strict=True) if r["events"]]
    assert harmed == []


def assert_refused(results, names):
    assert_harmless(results, names)
    loaded = [name for name, r in zip(names, results, strict=True) if r["outcome"] == "loaded"]
    assert loaded == []
    ours = {"MlflowException"}
    foreign = [(n, r) for n, r in zip(names, results, strict=True) if r["outcome"] not in ours]
    assert foreign == []


def test_the_oracle_sees_a_payload(tmp_path):
    """Where pickles are allowed, the marker is made: the oracle is not blind."""
    marker = tmp_path / "marker"
    folder = write(tmp_path / "m", sklearn_flavors("model.pkl", "pickle"),
                   {"model.pkl": pickle.dumps(Payload(marker))})  # fmt: skip

    (result,) = load([case(folder, env=ALLOW)])

    assert "pickle.find_class" in result["events"]
    assert marker.exists()


def test_a_pickle_in_the_folder_of_every_flavor(tmp_path):
    marker = tmp_path / "marker"
    payload = pickle.dumps(Payload(marker))
    cases, names = [], []
    for name, info in FLAVORS.items():
        file_name = info.data or "model.pkl"
        # Some name the file, and some the folder around it.
        data = file_name.partition("/")[0]
        loader = "mlflow.pyfunc.model" if name == "python_function" else info.module
        # Where the class decides between a library's own format and a pickle.
        for kind in (None, f"{info.library}.Own"):
            conf = {"pickled_model": file_name, "data": data, "model_data": data,
                    "serialization_format": "pickle", "model_class": kind}  # fmt: skip
            flavors = pyfunc(loader, data=data, python_model=file_name, model_path=file_name)
            if name in ("python_function", "sklearn"):
                flavors["python_function"].pop("data")
            flavors[name if name != "python_function" else "extra"] = conf
            folder = write(tmp_path / f"{name}{kind}", flavors, {file_name: payload})
            cases.append(case(folder))
            names.append(f"{name} {kind}")

    assert_refused(load(cases, *LIBRARIES), names)
    assert not marker.exists()


def test_pickles_of_every_protocol_and_wrapping(tmp_path):
    marker = tmp_path / "marker"
    payload = Payload(marker)
    forms = {f"protocol {n}": pickle.dumps(payload, protocol=n) for n in range(6)}
    plain = forms["protocol 4"]
    forms |= {"gzip": gzip.compress(plain), "bz2": bz2.compress(plain),
              "xz": lzma.compress(plain)}  # fmt: skip
    for compress in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)):
        path = tmp_path / "j"
        joblib.dump(payload, path, compress=compress)
        forms[f"joblib {compress}"] = path.read_bytes()
    path = tmp_path / "x.npy"
    np.save(path, np.array([payload], dtype=object), allow_pickle=True)
    forms["npy"] = path.read_bytes()
    cases, names = [], []
    for number, (name, data) in enumerate(forms.items()):
        for serialization_format in ("pickle", "cloudpickle", "skops"):
            folder = write(
                tmp_path / f"{number}{serialization_format}",
                sklearn_flavors("model.pkl", serialization_format), {"model.pkl": data},
            )  # fmt: skip
            for how in ("pyfunc", "sklearn"):
                cases.append(case(folder, how))
                names.append(f"{name} as {serialization_format}")
        folder = write(
            tmp_path / f"{number}p",
            pyfunc("mlflow.pyfunc.model", python_model="p.pkl",
                   python_model_compression="gzip" if name == "gzip" else None),
            {"p.pkl": data},
        )  # fmt: skip
        cases.append(case(folder))
        names.append(f"{name} as PythonModel")

    assert_refused(load(cases), names)
    assert not marker.exists()


def skops_file(path, change):
    """Write a skops file whose schema was changed by hand."""
    import skops.io

    skops.io.dump(LinearRegression().fit([[0.0], [1.0]], [0, 1]), path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(content["schema.json"])
    content["schema.json"] = json.dumps(change(schema)).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_types_that_the_mlmodel_itself_trusts(tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    unknown = deserialize.dump_skops(FunctionTransformer(os.system), str(folder / "model.skops"))
    write(folder, sklearn_flavors("model.skops", "skops", skops_trusted_types=unknown))
    cases = [case(folder, how, env) for how in ("pyfunc", "sklearn") for env in (DENY, ALLOW, {})]

    results = load(cases)

    assert unknown
    assert_refused(results, [str(c) for c in cases])
    assert all("Untrusted types" in result["message"] for result in results)


def _node(schema, **keys):
    """Put a node in the place of one attribute of the estimator."""
    attributes = schema["content"]["content"]
    name = sorted(attributes)[0]
    attributes[name] = keys
    return schema


SKOPS_TRICKS = {
    "os.system as a type": lambda s: _node(s, __class__="system", __module__="os",
        __loader__="TypeNode", __id__=1),
    "os.system as a function": lambda s: _node(s, __class__="function", __module__="builtins",
        __loader__="FunctionNode", __id__=1,
        content={"module_path": "os", "function": "system"}),
    "a function with another name inside": lambda s: _node(s, __class__="function",
        __module__="sklearn.utils", __loader__="FunctionNode", __id__=1,
        content={"module_path": "subprocess", "function": "call"}),
    "operator misuse": lambda s: _node(s, __class__="call", __module__="operator",
        __loader__="OperatorFuncNode", __id__=1,
        attrs={"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode",
               "__id__": 2, "content": []}),
    "methodcaller": lambda s: _node(s, __class__="methodcaller", __module__="operator",
        __loader__="OperatorFuncNode", __id__=1,
        attrs={"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode",
               "__id__": 2, "content": []}),
    "reduce": lambda s: _node(s, __class__="Popen", __module__="subprocess",
        __loader__="ReduceNode", __id__=1, constructor={"__class__": "Popen",
        "__module__": "subprocess", "__loader__": "TypeNode", "__id__": 3},
        reduce={"args": [], "kwargs": {}}),
    "an object of another class": lambda s: {**s, "__class__": "Popen",
        "__module__": "subprocess"},
    "an unknown loader": lambda s: {**s, "__loader__": "NoSuchNode"},
    "no schema": lambda s: {},
    "a list": lambda s: [],
}  # fmt: skip


@pytest.mark.parametrize("policy", ["deny", "allow"])
def test_skops_files_changed_by_hand(tmp_path, policy):
    cases = []
    for number, change in enumerate(SKOPS_TRICKS.values()):
        folder = write(tmp_path / str(number), sklearn_flavors("model.skops", "skops"))
        skops_file(folder / "model.skops", change)
        cases.append(case(folder, env=DENY if policy == "deny" else ALLOW))

    assert_refused(load(cases), list(SKOPS_TRICKS))


MLMODELS = {
    "python tag": "!!python/object/apply:os.system ['touch marker']",
    "python name": "flavors: !!python/name:os.system",
    "alias bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "itself": "flavors: &a {x: *a}",
    "deep": "flavors: " + "[" * 100_000,
    "no mapping": "- a",
    "empty": "",
    "binary": "\x00\x01\x02",
    "no flavors": "flavors: 3",
    "flavor is text": "flavors: {python_function: text}",
    "no pyfunc": "flavors: {mystery: {}}",
}  # fmt: skip
LOADERS = ["os", "subprocess", "../../x", "mlflow.cli", "builtins", "antigravity", "pickle",
           "mlflow", "a b", "x;y", "runpy", "payload_not_trusted", ""]  # fmt: skip
PATHS = ["../..", "/etc", "../../../../etc/passwd", "/etc/passwd", "..\\..\\x", "a/../../..",
         "link", "C:\\x"]  # fmt: skip
CLASSES = ["os.system", "subprocess.Popen", "builtins.eval", "mlflow.cli.main", "payload_x.Y", "x"]


@pytest.mark.parametrize("policy", ["deny", "allow"])
def test_mlmodel_files(tmp_path, policy):
    env = DENY if policy == "deny" else ALLOW
    cases, names = [], []
    for number, (name, text) in enumerate(MLMODELS.items()):
        folder = tmp_path / f"y{number}"
        folder.mkdir()
        (folder / "MLmodel").write_text(text)
        cases.append(case(folder, env=env))
        names.append(name)
    for number, loader in enumerate(LOADERS):
        cases.append(case(write(tmp_path / f"l{number}", pyfunc(loader)), env=env))
        names.append(f"loader {loader!r}")
    for name, info in FLAVORS.items():
        for number, path in enumerate(PATHS if info.ready else ()):
            conf = {"data": path, "pickled_model": path, "model_data": path}
            flavors = {**pyfunc(info.module), name: conf}
            cases.append(case(write(tmp_path / f"{name}{number}", flavors), env=env))
            names.append(f"{name} of {path}")
        for number, kind in enumerate(CLASSES if info.ready else ()):
            conf = {"data": "d", "pickled_model": "d", "model_class": kind, "model_type": kind,
                    "serialization_format": "skops"}  # fmt: skip
            flavors = {**pyfunc(info.module), name: conf}
            cases.append(case(write(tmp_path / f"{name}c{number}", flavors, {"d": "x"}), env=env))
            names.append(f"{name} of the class {kind}")
    for key in ("code", "data", "python_model", "model", "artifact", "code_model"):
        for number, path in enumerate(PATHS):
            folder = tmp_path / f"{key}{number}"
            flavors = {
                "code": pyfunc("mlflow.sklearn", code=path),
                "data": pyfunc("mlflow.sklearn", data=path),
                "python_model": pyfunc("mlflow.pyfunc.model", python_model=path),
                "model": sklearn_flavors(path, "skops"),
                "artifact": pyfunc("mlflow.pyfunc.model", python_model="p.pkl",
                                   artifacts={"a": {"path": path}}),
                "code_model": pyfunc("mlflow.pyfunc.loaders.code_model", model_code_path=path),
            }[key]  # fmt: skip
            files = {"p.pkl": pickle.dumps(len)} if key == "artifact" else {}
            write(folder, flavors, files)
            (folder / "link").symlink_to("/etc")
            cases.append(case(folder, env=env))
            names.append(f"{key} {path}")

    results = load(cases, *LIBRARIES)

    if policy == "allow":
        # The harmless pickle that stands beside a hostile path may be read.
        for result in results:
            result["events"] = [e for e in result["events"] if e != "pickle.find_class"]
    assert_refused(results, names)


def test_a_huge_mlmodel(tmp_path):
    (tmp_path / "m").mkdir()
    with (tmp_path / "m" / "MLmodel").open("wb") as file:
        file.truncate(1 << 30)

    assert_refused(load([case(tmp_path / "m"), case(tmp_path / "m", "info")]), ["load", "info"])


def test_code_that_shadows_the_standard_library(tmp_path):
    code = "open('marker', 'w').close()\n"
    model = tmp_path / "m"
    mlflow.sklearn.save_model(LinearRegression().fit([[0.0], [1.0]], [0, 1]), model)
    content = yaml.safe_load((model / "MLmodel").read_text())
    for flavor in content["flavors"].values():
        flavor["code"] = "code"
    write(model, content["flavors"], {f"code/{name}": code for name in (
        "json.py", "sitecustomize.py", "usercustomize.py", "numpy.py", "skops/__init__.py",
        "evil.pth", "mlflow/__init__.py",
    )})  # fmt: skip

    denied, allowed = load([case(model, env=DENY), case(model, env=ALLOW)])

    assert (denied["outcome"], denied["added"], denied["events"]) == ("loaded", [], [])
    assert (allowed["outcome"], allowed["ahead"], allowed["events"]) == ("loaded", [], [])
    assert allowed["added"] == [str(model / "code")]


def test_links_out_of_the_folder(tmp_path):
    secret = tmp_path / "outside.pkl"
    secret.write_bytes(pickle.dumps(Payload(tmp_path / "marker")))
    cases, names = [], []
    for env in (DENY, ALLOW):
        for name, flavors, link in (
            ("sklearn", sklearn_flavors("model.pkl", "pickle"), "model.pkl"),
            ("python", pyfunc("mlflow.pyfunc.model", python_model="p.pkl"), "p.pkl"),
            ("code", pyfunc("mlflow.pyfunc.loaders.code_model", model_code_path="c.py"), "c.py"),
        ):
            folder = write(tmp_path / f"{name}{len(cases)}", flavors)
            (folder / link).symlink_to(secret)
            cases.append(case(folder, env=env))
            names.append(name)

    assert_refused(load(cases), names)
    assert not (tmp_path / "marker").exists()


def test_pipes_in_the_place_of_files(tmp_path):
    """Nobody waits for a pipe that nobody writes to."""
    places = {
        "MLmodel": {}, "model.pkl": sklearn_flavors("model.pkl", "pickle"),
        "model.skops": sklearn_flavors("model.skops", "skops"),
        "p.pkl": pyfunc("mlflow.pyfunc.model", python_model="p.pkl"),
        "c.py": pyfunc("mlflow.pyfunc.loaders.code_model", model_code_path="c.py"),
    }  # fmt: skip
    cases = []
    for name, flavors in places.items():
        folder = write(tmp_path / name, flavors)
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
        cases += [case(folder, env=env) for env in (DENY, ALLOW)]

    assert_refused(load(cases), [str(c) for c in cases])


SIGNATURES = {
    "no JSON": {"inputs": "{"},
    "deep": {"inputs": "[" * 50_000},
    "classes": {"inputs": '[{"type": "double", "__class__": "os.system"}]'},
    "object dtype": {
        "inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "object", "shape": [-1]}}]'
    },
    "pickled dtype": {
        "inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "O,|S9999", "shape": [-1]}}]'
    },
    "number": {"inputs": "3"},
    "huge number": {"params": '[{"name": "a", "type": "long", "default": 1e999, "shape": null}]'},
}


def test_signatures_are_data(tmp_path):
    cases = []
    for number, signature in enumerate(SIGNATURES.values()):
        flavors = sklearn_flavors("model.pkl", "pickle")
        folder = write(tmp_path / str(number), flavors, signature=signature)
        cases += [case(folder), case(folder, "info")]

    results = load(cases)

    assert_harmless(results, [str(c) for c in cases])
    assert {r["outcome"] for r in results} <= {"MlflowException", "loaded"}


EXAMPLES = {
    "outside": {"artifact_path": "../../etc/passwd", "type": "dataframe"},
    "absolute": {"artifact_path": "/etc/passwd", "type": "json_object"},
    "no JSON": {"artifact_path": "broken.json", "type": "json_object"},
    "link": {"artifact_path": "link.json", "type": "json_object"},
    "deep": {"artifact_path": "deep.json", "type": "ndarray"},
}


def test_examples_are_data(tmp_path):
    cases = []
    for number, info in enumerate(EXAMPLES.values()):
        folder = tmp_path / str(number)
        mlflow.sklearn.save_model(LinearRegression().fit([[0.0], [1.0]], [0, 1]), folder)
        content = yaml.safe_load((folder / "MLmodel").read_text())
        write(folder, content["flavors"],
              {"broken.json": "{", "deep.json": "[" * 100_000},
              saved_input_example_info=info)  # fmt: skip
        (folder / "link.json").symlink_to("/etc/passwd")
        cases.append(case(folder, "example"))

    assert_refused(load(cases), list(EXAMPLES))


URIS = [
    "models:/a@alias/../../b", "models:/a@alias/x", "runs:/id/../x", "models:/x/latest?y#z",
    "models:/../x/1", "models:/", "runs:/", "models:/a/b/c", "file://host/../etc/passwd",
    "runs:/0123/..%2f..%2fetc", "models:/a/1/../../../etc", "nosuchscheme:/x", "models:/a/1%00",
]  # fmt: skip


def test_uris(tmp_path, monkeypatch):
    env = {**DENY, "MLFLOW_TRACKING_URI": str(tmp_path / "mlruns")}

    assert_refused(load([case(uri, env=env) for uri in URIS]), URIS)


POLICIES = ["false", "0", "False", " no", "FALSE", "off", "OFF ", ""]
NONSENSE = ["fasle", "none", "2", "garbage", "-1", "null", "truefalse"]


def test_spellings_of_the_policy(tmp_path):
    marker = tmp_path / "marker"
    folder = write(tmp_path / "m", sklearn_flavors("model.pkl", "pickle"),
                   {"model.pkl": pickle.dumps(Payload(marker))})  # fmt: skip
    texts = [*POLICIES, *NONSENSE]

    results = load(
        [case(folder, env={"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": text}) for text in texts]
    )

    assert_refused(results, texts)
    assert not marker.exists()
    for text, result in zip(texts, results, strict=True):
        wanted = "refuse that" if text in POLICIES else "must be true or false"
        assert wanted in result["message"]
