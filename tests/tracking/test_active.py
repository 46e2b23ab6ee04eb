"""URIs, and which runs are active in threads, tasks and notebooks."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlparse

import pytest

import mlflow
from mlflow.tracking import active, fluent


def test_the_default_is_the_folder_mlruns_as_a_file_uri():
    assert mlflow.get_tracking_uri() == Path("mlruns").absolute().as_uri()
    assert urlparse(mlflow.get_tracking_uri()).scheme == "file"
    assert not mlflow.is_tracking_uri_set()


def test_a_database_beside_no_folder_is_the_default():
    Path("mlflow.db").touch()
    assert mlflow.get_tracking_uri() == f"sqlite:///{os.getcwd()}/mlflow.db"

    os.mkdir("mlruns")
    assert mlflow.get_tracking_uri().startswith("file://")


def test_a_folder_of_the_environment_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_DIR", str(tmp_path))
    assert mlflow.get_tracking_uri() == tmp_path.as_uri()


def test_the_program_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///from/environment")
    assert mlflow.get_tracking_uri() == "file:///from/environment"

    mlflow.set_tracking_uri("file:./here")
    assert mlflow.get_tracking_uri() == "file:./here"
    assert os.environ["MLFLOW_TRACKING_URI"] == "file:./here"
    assert mlflow.is_tracking_uri_set()

    mlflow.set_tracking_uri(None)
    assert mlflow.get_tracking_uri().endswith("/mlruns")
    assert "MLFLOW_TRACKING_URI" not in os.environ


@pytest.mark.parametrize("name", ["plain", "with space", "100%", "ä#?"])
def test_a_path_becomes_a_uri(tmp_path, name):
    mlflow.set_tracking_uri(tmp_path / name)
    assert mlflow.get_tracking_uri() == (tmp_path / name).as_uri()

    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1)
        mlflow.log_text("x", "a/b.txt")

    assert (tmp_path / name / "0" / run.info.run_id / "artifacts" / "a" / "b.txt").is_file()
    assert mlflow.artifacts.load_text(
        mlflow.get_run(run.info.run_id).info.artifact_uri + "/a/b.txt"
    )


def test_the_registry_is_where_runs_are_unless_said(monkeypatch, tmp_path):
    mlflow.set_tracking_uri("file:///runs")
    assert mlflow.get_registry_uri() == "file:///runs"
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "file:///env")
    assert mlflow.get_registry_uri() == "file:///env"
    mlflow.set_registry_uri(tmp_path)
    assert mlflow.get_registry_uri() == tmp_path.as_uri()
    mlflow.set_registry_uri(None)
    assert mlflow.get_registry_uri() == "file:///env"


def test_each_thread_has_runs_of_its_own():
    seen = {}

    def work(name: str) -> None:
        seen[name, "before"] = mlflow.active_run()
        with mlflow.start_run(run_name=name) as run:
            mlflow.log_param("who", name)
            seen[name] = run.info.run_id

    with mlflow.start_run() as outer:
        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert mlflow.active_run() is outer

    assert all(seen[str(n), "before"] is None for n in range(8))
    for n in range(8):
        assert mlflow.get_run(seen[str(n)]).data.params == {"who": str(n)}


def test_tasks_inherit_runs_and_keep_what_they_start_to_themselves():
    async def work(name: str) -> tuple[str, str]:
        parent = mlflow.active_run().info.run_id
        with mlflow.start_run(run_name=name, nested=True) as run:
            await asyncio.sleep(0)
            assert mlflow.active_run() is run
            mlflow.log_param("who", name)
            await asyncio.sleep(0)
        return parent, run.info.run_id

    async def main() -> list[tuple[str, str]]:
        return await asyncio.gather(*(work(str(n)) for n in range(8)))

    with mlflow.start_run() as outer:
        found = asyncio.run(main())
        assert mlflow.active_run() is outer

    assert {parent for parent, _ in found} == {outer.info.run_id}
    assert [mlflow.get_run(one).data.params["who"] for _, one in found] == [
        str(n) for n in range(8)
    ]
    assert {mlflow.get_run(one).data.tags["mlflow.parentRunId"] for _, one in found} == {
        outer.info.run_id
    }


def test_a_program_that_drives_notebooks_is_none(monkeypatch):
    """Though it has imported what kernels are made of."""
    kernel = SimpleNamespace(IPKernelApp=SimpleNamespace(initialized=lambda: False))
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", kernel)

    with mlflow.start_run() as run:
        assert "LOCAL" == mlflow.get_run(run.info.run_id).data.tags["mlflow.source.type"]


def test_in_a_notebook_a_run_of_one_cell_is_there_in_the_next(monkeypatch):
    """Kernels may run each cell in a task whose context is thrown away."""
    kernel = SimpleNamespace(IPKernelApp=SimpleNamespace(initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", kernel)
    monkeypatch.setattr(active, "_of_thread", type("Thread", (), {})())
    monkeypatch.setattr(active, "_runs", ContextVar("test", default=None))
    code = compile(
        "async def cell(work):\n    return work()\n",
        "/lib/IPython/core/interactiveshell.py",
        "exec",
    )
    names: dict = {}
    exec(code, names)

    run = asyncio.run(names["cell"](mlflow.start_run))
    assert asyncio.run(names["cell"](mlflow.active_run)) is run
    assert mlflow.active_run() is run

    async def users_task() -> str:
        with mlflow.start_run(nested=True) as inner:
            assert mlflow.active_run() is inner
        return mlflow.active_run().info.run_id

    assert asyncio.run(users_task()) == run.info.run_id
    mlflow.end_run()
    assert asyncio.run(names["cell"](mlflow.active_run)) is None


def test_the_stack_can_be_used_as_a_list():
    stack = fluent._active_run_stack
    with mlflow.start_run() as outer, mlflow.start_run(nested=True) as inner:
        assert list(stack) == stack.copy() == stack.get() == [outer, inner]
        assert (len(stack), stack[-1], inner in stack) == (2, inner, True)
        kept = stack.copy()
        stack.clear()
        assert not stack
        assert mlflow.active_run() is None
        stack.extend(kept)
        stack.remove(inner)
        stack.append(inner)
        assert stack.pop() is inner
        stack.set([outer, inner])
        assert mlflow.active_run() is inner

    assert not stack
