"""The names and calls that libraries make of MLflow: each works, or the page of differences says why not."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlflow import _later
from mlflow.exceptions import NOT_IMPLEMENTED, ErrorCode, MlflowException

from .test_signatures import is_later, resolve

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "compatibility.md"
IMPORTS = (HERE / "client_imports.txt").read_text().split()
ATTRIBUTES = (HERE / "client_attributes.txt").read_text().split()
# A call as a library makes it, `_` for a place, `name=` for a keyword, `**` for more → who makes it.
CALLS: dict[str, list[str]] = json.loads((HERE / "client_calls.json").read_text())

# What MLflow itself does not have: things of the libraries' own, called `mlflow` in their programs.
NOT_OF_MLFLOW = {
    "mlflow.MlflowClient.log_feature_retrieval", "mlflow.log_apply", "mlflow.log_entity_df_artifact",
    "mlflow.log_entity_df_metadata", "mlflow.log_feature_retrieval", "mlflow.log_materialize",
    "mlflow.server.mlflow_tracking_uri.startswith",
}  # fmt: skip


def listed() -> set[str]:
    """Return the names of the page's table: those that do not work here."""
    section = PAGE.read_text().partition("## Names that clients use\n")[2].partition("\n## ")[0]
    return {
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(mlflow[^`]*)`", line.split("|")[1])
    }


def works(path: str) -> bool:
    """Tell whether a name is there and does what it is called for."""
    try:
        value = resolve(path)
    except (AttributeError, ModuleNotFoundError):
        return False
    return not (is_later(path) and _later.refuses(value))


def called(call: str) -> str:
    """Return the name of what is called."""
    return call.partition("(")[0]


def test_every_name_works_or_is_on_the_page() -> None:
    """What libraries import, reach and call; and the page names nothing that works."""
    names = {*IMPORTS, *ATTRIBUTES, *map(called, CALLS)}
    broken = {path for path in names if not works(path)}

    assert broken == listed()
    assert len(names) > 250


def refused(call: str) -> bool:
    """Tell whether a call of a library does not fit the parameters of what it calls."""
    path = called(call)
    words = [word for word in call[len(path) + 1 : -1].split(",") if word]
    places = [None] * words.count("_")
    if path.startswith("mlflow.MlflowClient."):
        places.insert(0, None)
    keywords = {word[:-1]: None for word in words if word.endswith("=")}
    signature = inspect.signature(resolve(path))  # type: ignore[arg-type]
    bind = signature.bind_partial if {"*", "**"} & set(words) else signature.bind
    try:
        bind(*places, **keywords)
    except TypeError:
        return True
    return False


def test_calls_are_taken() -> None:
    """Each call of a library fits the parameters of what it calls."""
    # A client of feast's own, as the page says; MLflow's needs a file's name, too.
    not_mlflows = {"mlflow.MlflowClient.load_table(_)"}

    assert {call for call in CALLS if works(called(call)) and refused(call)} == not_mlflows


@pytest.mark.parametrize("path", sorted(path for path in map(called, CALLS) if not works(path)))
def test_calls_of_what_comes_later_say_so(path: str) -> None:
    """A call of a name that is not here yet is refused with words, where MLflow has that name."""
    try:
        value = resolve(path)
    except ModuleNotFoundError:
        # Names of things of the library's own that it calls `mlflow`; MLflow has none such.
        assert path in NOT_OF_MLFLOW
        return
    with pytest.raises(MlflowException, match="not in this version") as caught:
        value()  # type: ignore[operator]
    assert caught.value.error_code == ErrorCode.Name(NOT_IMPLEMENTED)


def test_what_libraries_reach_after_a_bare_import_is_there() -> None:
    """`import mlflow` alone makes every name that real libraries use reachable."""
    # In a process of its own: here other tests have imported submodules.
    program = (
        "import mlflow, operator, sys\n"
        "for path in sys.argv[1:]:\n"
        "    try: operator.attrgetter(path.partition('.')[2])(mlflow)\n"
        "    except Exception as error: print(path, repr(error))"
    )
    absent = listed()
    wanted = [name for name in ATTRIBUTES if "." in name and name not in absent]
    done = subprocess.run(
        [sys.executable, "-c", program, *wanted], capture_output=True, text=True, check=True
    )

    assert done.stdout == ""
    assert len(wanted) > 90


def imported(path: str) -> bool:
    """Tell whether `from X import Y` works."""
    module, _, name = path.rpartition(".")
    try:
        importlib.import_module(path)
    except ModuleNotFoundError:
        try:
            return hasattr(importlib.import_module(module), name)
        except ModuleNotFoundError:
            return False
    return True


def test_what_libraries_import_is_there() -> None:
    """`from X import Y` works for every name that real libraries import, also of what comes later."""
    broken = {path for path in set(IMPORTS) - {"mlflow"} if not imported(path)}

    assert broken == {path for path in listed() & set(IMPORTS) if not is_here(path)}


def is_here(path: str) -> bool:
    """Tell whether a name can be imported, whatever it does."""
    try:
        resolve(path)
    except (AttributeError, ModuleNotFoundError):
        return False
    return True
