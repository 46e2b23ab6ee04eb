"""Environment variables are read at call time and refuse text of the wrong type."""

from __future__ import annotations

import pytest

from mlflow import environment_variables as env


def test_set_get_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value set is what `get` returns until it is unset."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    variable = env.MLFLOW_HTTP_REQUEST_TIMEOUT

    assert variable.get() == 3
    variable.set(9)
    assert variable.get() == 9
    variable.unset()
    assert (variable.get(), variable.is_set()) == (120, False)


@pytest.mark.parametrize("text", ["true", "1", "True", "TRUE"])
def test_on(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The four spellings of yes."""
    monkeypatch.setenv("MILLSTREAM_STRICT", text)

    assert env.MILLSTREAM_STRICT.get() is True


@pytest.mark.parametrize("text", ["", "yes", "2", "off"])
def test_a_boolean_that_is_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other words are refused, with the variable's name."""
    monkeypatch.setenv("MILLSTREAM_STRICT", text)

    with pytest.raises(ValueError, match="MILLSTREAM_STRICT value must be one of"):
        env.MILLSTREAM_STRICT.get()


def test_a_number_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names variable, text and wanted type."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon")

    with pytest.raises(ValueError, match="'soon' for MLFLOW_HTTP_REQUEST_TIMEOUT to int"):
        env.MLFLOW_HTTP_REQUEST_TIMEOUT.get()


def test_the_name_is_readable() -> None:
    """Libraries read `.name`."""
    assert env.MLFLOW_RUN_ID.name == "MLFLOW_RUN_ID"
    assert f"{env.MLFLOW_RUN_ID}" == "MLFLOW_RUN_ID"
