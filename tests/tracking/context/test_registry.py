"""Tags of new runs: who wins, what fails, and plug-ins."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mlflow import _plugins as plugins
from mlflow.tracking.context import registry as registry_module
from mlflow.tracking.context.abstract_context import RunContextProvider
from mlflow.tracking.context.default_context import _get_user
from mlflow.tracking.context.registry import RunContextProviderRegistry, resolve_tags


class Fixed(RunContextProvider):
    def __init__(self, tags, is_here=True):
        self._tags = tags
        self._is_here = is_here

    def in_context(self):
        return self._is_here

    def tags(self):
        if isinstance(self._tags, Exception):
            raise self._tags
        return self._tags


def _with(monkeypatch, *providers):
    made = RunContextProviderRegistry()
    made._has_plugins = True
    made._registry = list(providers)
    monkeypatch.setattr(registry_module, "_run_context_provider_registry", made)


def test_later_providers_and_then_the_caller_win(monkeypatch):
    _with(monkeypatch, Fixed({"a": "1", "b": "1", "c": "1"}), Fixed({"b": "2", "c": "2"}))

    assert resolve_tags({"c": "3"}) == {"a": "1", "b": "2", "c": "3"}
    assert resolve_tags() == resolve_tags(None) == {"a": "1", "b": "2", "c": "2"}


def test_a_provider_that_is_not_here_or_fails_is_left_out(monkeypatch, caplog):
    _with(monkeypatch, Fixed({"a": "1"}, False), Fixed(RuntimeError("broken")), Fixed({"b": "1"}))

    assert resolve_tags() == {"b": "1"}
    assert "broken" in caplog.text


def test_the_environment_gives_tags(monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"a": 1}')
    assert resolve_tags()["a"] == "1"
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", "no json")
    assert "a" not in resolve_tags()
    assert "must hold a JSON object" in caplog.text


def test_the_user_is_the_one_of_the_environment(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert _get_user()
    monkeypatch.setenv("USER", "ada")
    assert _get_user() == "ada"


PLUGIN = """
class Provider:
    def in_context(self): return True
    def tags(self): return {"plug.in": "yes"}
"""
PROGRAM = """
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


@pytest.fixture
def installed(tmp_path):
    place = tmp_path / "my-packages"
    (place / "plug-1.dist-info").mkdir(parents=True)
    (place / "plug.py").write_text(PLUGIN)
    (place / "plug-1.dist-info" / "entry_points.txt").write_text(
        "[console_scripts]\nx = y:z\n\n[mlflow.run_context_provider]\nmine = plug:Provider [extra]\n"
    )
    return place


def test_plug_ins_are_found_and_then_remembered(installed):
    def ask() -> str:
        command = [sys.executable, "-c", PROGRAM.format(place=str(installed))]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert ask() == "yes True False"
    # Asked again, because a folder of packages may change meanwhile: bytecode is written there.
    assert "yes False False" in (ask(), ask(), ask())
    os.utime(installed, ns=(1, 1))  # something was installed or removed
    assert ask() == "yes True False"


def test_a_memory_that_others_can_write_is_not_believed(installed, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(installed)])
    assert plugins._find("mlflow.run_context_provider") == [("mine", "plug:Provider")]
    kept = plugins._kept("mlflow.run_context_provider")
    with open(kept) as file:
        text = file.read()
    with open(kept, "w") as file:
        file.write(text.replace("plug:Provider", "os:evil"))

    assert plugins._find("mlflow.run_context_provider") == [("mine", "os:evil")]
    if os.name != "nt":
        os.chmod(kept, 0o666)
        assert plugins._find("mlflow.run_context_provider") == [("mine", "plug:Provider")]
