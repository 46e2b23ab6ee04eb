"""Environment variables are read at call time and refuse text of the wrong type."""

from __future__ import annotations

import re
from pathlib import Path

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


def test_what_has_no_effect_says_so() -> None:
    """A variable that no code asks for begins its description with that, and no other does."""
    table = Path(env.__file__)
    files = [path for path in table.parent.rglob("*.py") if path != table]
    asked = set(re.findall(r"\w+", "".join(path.read_text(encoding="utf-8") for path in files)))
    described = re.findall(r"((?:^#:? .*\n)+)^(M\w+) = ", table.read_text(encoding="utf-8"), re.M)
    # Those of OpenID Connect are put together from the names of the configuration file.
    is_idle_by_name = {
        name: text.startswith("#: No effect here")
        for text, name in described
        if not name.startswith("MILLSTREAM_OPENID_")
    }

    assert 100 < len(is_idle_by_name)
    assert {
        name for name, is_idle in is_idle_by_name.items() if is_idle
    } == is_idle_by_name.keys() - asked
