"""From a URI to its store."""

from __future__ import annotations

import os
import threading

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store import locate


@pytest.fixture(autouse=True)
def forgotten():
    yield
    locate.forget()


def test_one_store_a_place(tmp_path, monkeypatch):
    """However the place is written."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my runs"
    one = locate.tracking(str(folder))

    spellings = ["my runs", "./my runs", folder.as_uri(), f"file:{folder}", "file:my runs",
                 f"file://localhost{folder}", f"FILE://{folder}"]  # fmt: skip
    assert {id(one)} == {id(locate.tracking(uri)) for uri in spellings}
    assert locate.registry("my runs") is one
    assert locate.tracking("other") is not one


def test_relative_places_follow_the_working_folder(tmp_path, monkeypatch):
    """The same text is another place elsewhere."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    here = locate.tracking("mlruns")
    monkeypatch.chdir(tmp_path / "b")

    assert locate.tracking("mlruns") is not here
    assert locate.tracking("") is locate.tracking("./mlruns")


def test_threads_get_one_store(tmp_path):
    """Whoever asks first."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(locate.tracking(str(tmp_path / "x"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(one) for one in found}) == 1


def test_looking_makes_no_folder(tmp_path):
    """A store is made by its first use, not by being named."""
    locate.tracking(str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b", "/a/b"),
        ("file:/a/b", "/a/b"),
        ("file:///a%20b/%C3%BC", "/a b/ü"),
        ("file:///a/../b", "/b"),
        ("/a/b", "/a/b"),
        ("/a%20b", "/a%20b"),
        ("/a/x:y", "/a/x:y"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="POSIX paths")
def test_paths(uri, path):
    assert locate.path_of(uri) == path
    assert locate.scheme_of(uri) == "file"


@pytest.mark.parametrize("uri", ["file://host/a", "file:///a?b", "file:///a#b", "file:///a%00b"])
def test_paths_refused(uri):
    """Another machine's files, and what no path means."""
    with pytest.raises(MlflowException) as caught:
        locate.tracking(uri)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("C:\\runs", "file"),
        ("c:/runs", "file"),
        ("sqlite:///x.db", "sqlite"),
        ("postgresql+psycopg2://h/d", "postgresql"),
        ("HTTP://h", "http"),
        ("my dir:x", "file"),
    ],
)
def test_schemes(uri, scheme):
    assert locate.scheme_of(uri) == scheme


@pytest.mark.parametrize("uri", ["uc://u:secret@h", "databricks"])
def test_later_schemes_say_so(uri):
    """What other versions offer is named, with what works here, and without passwords."""
    for look in (locate.tracking, locate.registry):
        with pytest.raises(MlflowException) as caught:
            look(uri)
        assert caught.value.error_code == "NOT_IMPLEMENTED"
        assert "not in this version" in caught.value.message
        assert "./mlruns" in caught.value.message
        assert "secret" not in caught.value.message


@pytest.mark.parametrize("uri", ["mssql+pyodbc://u:secret@h/d", "oracle://u:secret@h/d"])
def test_other_databases(uri):
    """They are refused with those that work, and without passwords."""
    for look in (locate.tracking, locate.registry):
        with pytest.raises(MlflowException, match="Use sqlite, postgresql") as caught:
            look(uri)
        assert caught.value.error_code == "NOT_IMPLEMENTED"
        assert "secret" not in caught.value.message


def test_databases(tmp_path, monkeypatch):
    """A file is one store however it is named, runs and registered models in the same place."""
    monkeypatch.chdir(tmp_path)
    one = locate.tracking("sqlite:///a.db")

    assert one is locate.tracking(f"sqlite:///{tmp_path}/a.db")
    assert one is locate.registry("sqlite:///./a.db")
    assert one is not locate.tracking("sqlite:///b.db")
    assert locate.tracking("sqlite://") is not one
    assert not (tmp_path / "a.db").exists()
    monkeypatch.chdir(tmp_path.parent)
    assert one.get_experiment("0").artifact_location == f"{tmp_path}/mlruns/0"
    assert one is not locate.tracking("sqlite:///a.db")


def test_unknown_schemes_name_the_plugins():
    with pytest.raises(MlflowException) as caught:
        locate.tracking("zzz://user:secret@host/x")
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert "mlflow.tracking_store" in caught.value.message
    assert "secret" not in caught.value.message


def test_plugins(monkeypatch):
    """An entry point's builder is called as MLflow calls it, once a URI."""
    calls = []

    def build(**options):
        calls.append(options)
        return object()

    asked = []

    def offered(group, *names):
        asked.append((group, names))
        return build if {"zzz+driver", "yyy"} & {*names} else None

    monkeypatch.setattr(locate._plugins, "offered", offered)
    one = locate.tracking("zzz+driver://x")
    assert locate.tracking("zzz+driver://x") is one
    assert locate.registry("yyy://x", "zzz+driver://x") is not one
    assert calls == [
        {"store_uri": "zzz+driver://x", "artifact_uri": None},
        {"store_uri": "yyy://x", "tracking_uri": "zzz+driver://x"},
    ]
    assert asked == [
        ("mlflow.tracking_store", ("zzz+driver", "zzz")),
        ("mlflow.model_registry_store", ("yyy", "yyy")),
    ]


def test_builders_that_take_less(monkeypatch):
    """And those whose signature cannot be read."""
    made = []
    monkeypatch.setattr(
        locate._plugins, "offered", lambda *_: lambda store_uri: made.append(store_uri) or object()
    )
    locate.registry("yyy://x", "zzz://x")
    assert made == ["yyy://x"]
    assert locate._taken(type, {"artifact_uri": None}) == {"artifact_uri": None}


def test_registry_elsewhere(tmp_path):
    """A registry apart from the runs looks logged models up where they are."""
    runs, models = str(tmp_path / "runs"), str(tmp_path / "models")
    registry = locate.registry(models, runs)
    made = locate.tracking(runs).create_logged_model("0", "m")
    registry.create_registered_model("r")
    registry.create_model_version("r", f"models:/{made.model_id}")

    assert locate.registry(models, runs) is registry
    assert registry.get_model_version_download_uri("r", "1") == made.artifact_location
    assert [one.name for one in locate.registry(models).search_registered_models()] == ["r"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork(tmp_path):
    """A child goes on with the parent's store, and both find what the other wrote."""
    store = locate.tracking(str(tmp_path / "x"))
    run = store.create_run("0", "u", 1, [], "n").info.run_id
    store.log_metric_value(run, "a", 1.0, 1, 0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            same = locate.tracking(str(tmp_path / "x"))
            same.log_metric_value(run, "a", 2.0, 2, 1)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    store.log_metric_value(run, "a", 3.0, 3, 2)

    assert status == 0
    assert [one.value for one in store.get_metric_history(run, "a")] == [1.0, 2.0, 3.0]
