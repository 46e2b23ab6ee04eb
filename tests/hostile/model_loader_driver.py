"""Loads hostile models in a process of its own and reports what the interpreter was asked to do.

The arguments are further libraries to import first. Reads one JSON list of cases from standard
input, each `{"uri", "how", "env"}`, and prints one JSON list of `{"outcome", "message", "events",
"behind"}`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys

EVENTS: list[str] = []
WATCHED = {
    "pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile",
    "subprocess.Popen", "socket.connect", "os.fork", "ctypes.dlopen", "webbrowser.open",
}  # fmt: skip
# What a payload would show itself by.
SIGNS = ("marker", "/etc/passwd", "/etc/hostname")


def hook(event: str, args: tuple[object, ...]) -> None:
    if event in WATCHED:
        EVENTS.append(event)
    elif event in ("open", "os.remove", "os.rename", "os.mkdir") and args:
        if any(sign in str(args[0]) for sign in SIGNS):
            EVENTS.append(f"{event} {args[0]}")
    elif event == "import" and str(args[0]).startswith("payload_"):
        EVENTS.append(f"import {args[0]}")


def run(case: dict[str, object]) -> dict[str, object]:
    import mlflow

    before = list(sys.path)
    EVENTS.clear()
    with changed(case.get("env") or {}):
        try:
            if case["how"] == "sklearn":
                mlflow.sklearn.load_model(case["uri"])
            elif case["how"] == "info":
                mlflow.models.get_model_info(case["uri"])
            else:
                loaded = mlflow.pyfunc.load_model(case["uri"])
                if case["how"] == "example":
                    _ = loaded.input_example
            outcome, message = "loaded", ""
        except Exception as error:
            outcome, message = type(error).__name__, str(error)
    added = [path for path in sys.path if path not in before]
    ahead = [path for path in added if sys.path.index(path) < len(before)]
    return {"outcome": outcome, "message": message, "events": list(EVENTS), "added": added,
            "ahead": ahead}  # fmt: skip


@contextlib.contextmanager
def changed(values: dict[str, str]):
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def warm_up() -> None:
    # What importing the libraries does is not the model's doing.
    import cloudpickle
    import joblib
    import sklearn.pipeline
    import skops.io

    import mlflow.pyfunc
    import mlflow.sklearn

    for library in sys.argv[1:]:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(library)
    assert cloudpickle, joblib
    assert sklearn.pipeline, skops.io
    assert mlflow.pyfunc, mlflow.sklearn


if __name__ == "__main__":
    warm_up()
    sys.addaudithook(hook)
    json.dump([run(case) for case in json.load(sys.stdin)], sys.stdout)
