"""Tags of new runs: who wins, what fails, and plug-ins."""

from __future__ import annotations

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
