"""The table of flavors, and which modules may load a model."""

import sys
from contextlib import nullcontext

import pytest

from mlflow.exceptions import MlflowException
from mlflow.models import flavors
from mlflow.models.deserialize import POLICY_VARIABLE


def test_the_table_is_sorted():
    assert list(flavors.FLAVORS) == sorted(flavors.FLAVORS)


@pytest.mark.parametrize("name", [n for n, info in flavors.FLAVORS.items() if info.ready])
def test_a_flavor_that_is_ready_loads(name):
    module = flavors.import_loader(flavors.FLAVORS[name].module, "m")

    assert callable(module._load_pyfunc)
    assert callable(module.save_model)


def test_every_flavor_that_is_ready_says_what_it_needs():
    for name, info in flavors.FLAVORS.items():
        assert info.library or name == "python_function" or not info.ready
        assert info.packages
        assert info.tested or not info.ready or not info.library


@pytest.mark.parametrize(
    ("version", "warned"),
    [("1.0.9", True), ("1.1", False), ("1.1.0rc1", False), ("1.4.99", False), ("1.5.0", True),
     ("2", True), ("0", True)],
)  # fmt: skip
def test_other_versions_of_a_library_are_said_once_and_used(version, warned, monkeypatch, caplog):
    info = flavors.FlavorInfo("own", "json", "some packages", "d", ("1.1", "1.4"))
    monkeypatch.setitem(flavors.FLAVORS, "own", info)
    monkeypatch.setattr(flavors, "installed_version", lambda name: version)
    flavors.check_version.cache_clear()

    for _ in range(2):
        assert flavors.library_of("own").__name__ == "json"
    said = f"'own' were tested with json 1.1 to 1.4; {version} is installed"
    assert caplog.text.count(said) == warned
    with pytest.raises(MlflowException, match="were tested") if warned else nullcontext():
        flavors.require_tested("own")
    flavors.check_version.cache_clear()


def test_a_missing_library_is_said_with_the_line_that_installs_it(monkeypatch):
    info = flavors.FlavorInfo("own", "nowhere_at_all", "some packages", "d", ("1.1", "1.4"))
    monkeypatch.setitem(flavors.FLAVORS, "own", info)

    with pytest.raises(MlflowException, match="need: pip install some packages"):
        flavors.library_of("own")
    with pytest.raises(MlflowException, match="need: pip install some packages"):
        flavors.library_of("own", "elsewhere_at_all")


@pytest.mark.parametrize("name", [n for n, info in flavors.FLAVORS.items() if not info.ready])
def test_a_flavor_of_a_later_version_says_so(name):
    with pytest.raises(MlflowException, match="not in this version"):
        flavors.import_loader(flavors.FLAVORS[name].module, "m")


@pytest.mark.parametrize(
    "name", ["os", "../../x", "", "a b", "mlflow", "mlflow.cli", "subprocess", "builtins", "a..b",
             "mlflow.store.locate", None, 3, "json.tool"],
)  # fmt: skip
def test_what_is_no_loader_is_refused(name):
    with pytest.raises(MlflowException, match="names a loader"):
        flavors.import_loader(name, "m")


def test_a_module_without_the_hook_is_refused(tmp_path, monkeypatch):
    (tmp_path / "plain_module.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(MlflowException, match="has no _load_pyfunc"):
        flavors.import_loader("plain_module", "m")


def test_a_missing_module_names_the_way_out():
    with pytest.raises(MlflowException, match="pip install -r"):
        flavors.import_loader("nowhere_to_be_found", "m")


def test_unknown_loaders_need_the_loaders_word_where_code_is_refused(tmp_path, monkeypatch):
    (tmp_path / "own_flavor.py").write_text("def _load_pyfunc(path):\n    return None\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="MILLSTREAM_TRUSTED_LOADERS"):
        flavors.import_loader("own_flavor", "m")
    assert "own_flavor" not in sys.modules
    monkeypatch.setenv("MILLSTREAM_TRUSTED_LOADERS", "own_flavor")
    assert flavors.import_loader("own_flavor", "m").__name__ == "own_flavor"
