"""A store in a folder with what tests of its parts need: runs, and ways to damage and watch it."""

from __future__ import annotations

import errno
import os

import pytest

from mlflow.entities.run import RunInfo, RunTag
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import Query
from mlflow.store.backends.file import FileBackend


@pytest.fixture
def backend(tmp_path):
    """A new store with its default experiment."""
    made = FileBackend(str(tmp_path / "mlruns"))
    made.get_experiment("0")
    yield made
    made.close()


@pytest.fixture
def other(backend):
    """The same store as another process sees it: with nothing remembered."""
    made = FileBackend(backend.tree.root)
    yield made
    made.close()


@pytest.fixture
def new_run(backend):
    """Make a run; return its folder."""

    def make(run_id="a" * 32, experiment_id="0", tags=(), **fields):
        place = f"{backend.tree.root}/{experiment_id}/{run_id}"
        info = {
            "user_id": "u",
            "status": "RUNNING",
            "start_time": 1,
            "end_time": None,
            "lifecycle_stage": "active",
            "artifact_uri": f"file://{place}/artifacts",
            "run_name": "name",
        }
        backend.insert_run(
            RunInfo(run_id, experiment_id, **{**info, **fields}),
            [RunTag(key, value) for key, value in tags],
        )
        return place

    return make


@pytest.fixture
def query():
    """Make a parsed search."""

    def make(noun="runs", text=None, order_by=(), size=1000):
        return Query(parse_filter(noun, text), parse_order_by(noun, list(order_by)), size)

    return make


@pytest.fixture
def read_only(monkeypatch):
    """Have the system refuse every change, as a file system that is mounted so does."""

    def start():
        def refuse(path, *_args, **_options):
            raise OSError(errno.EROFS, "Read-only file system", path)

        real = os.open

        def open_only(path, flags, *args, **options):
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                refuse(path)
            return real(path, flags, *args, **options)

        monkeypatch.setattr(os, "open", open_only)
        for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "link"):
            monkeypatch.setattr(os, name, refuse)

    return start


@pytest.fixture
def settle():
    """Make files and folders look old, as what changed just now is never remembered."""

    def make_old(*paths):
        for top in paths:
            for folder, _, names in os.walk(top):
                for path in [folder, *(os.path.join(folder, name) for name in names)]:
                    os.utime(path, (1, 1))
            os.utime(top, (1, 1))

    return make_old


@pytest.fixture
def calls(monkeypatch):
    """Count calls of functions of `os` by name."""

    def watch(*names):
        counted = dict.fromkeys(names, 0)
        for name in names:
            real = getattr(os, name)

            def counting(*args, _real=real, _name=name, **options):
                counted[_name] += 1
                return _real(*args, **options)

            monkeypatch.setattr(os, name, counting)
        return counted

    return watch
