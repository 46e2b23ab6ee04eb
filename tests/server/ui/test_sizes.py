"""The bytes of artifacts."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.roots import ArtifactRoots
from mlflow.server.ui.sizes import Sizes, size_at
from mlflow.store.backends.file import FileBackend
from mlflow.store.local import LocalStore


@pytest.fixture
def place(tmp_path):
    """A store of files, a run in it, and the function that gives the run a file."""
    store = LocalStore(FileBackend(str(tmp_path / "mlruns")))
    run_id = store.create_run("0", "u", 1, [], "r").info.run_id
    folder = tmp_path / "mlruns" / "0" / run_id / "artifacts"

    def put(name, size):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)

    roots = ArtifactRoots(str(tmp_path / "kept"), [str(tmp_path / "mlruns")])
    return store, run_id, roots, put


def test_files_at_any_depth_count(place):
    """And a run without files has none."""
    store, run_id, roots, put = place
    run = store.get_run(run_id)
    assert 0 == Sizes(roots).of(run)
    put("a.bin", 3)
    put("b/c/d.bin", 4)

    assert 7 == Sizes(roots).of(run) == size_at(roots, run.info.artifact_uri)


def test_what_is_remembered(place):
    """Of a run that goes on nothing; of one that has ended, for a minute."""
    store, run_id, roots, put = place
    now = [0.0]
    sizes = Sizes(roots, lambda: now[0])
    put("a.bin", 1)
    assert 1 == sizes.of(store.get_run(run_id))
    put("b.bin", 1)
    assert 2 == sizes.of(store.get_run(run_id))
    store.update_run_info(run_id, 3, 2, None)
    ended = store.get_run(run_id)
    assert 2 == sizes.of(ended)
    put("c.bin", 1)
    assert 2 == sizes.of(ended)
    now[0] = 61.0

    assert 3 == sizes.of(ended)


def test_places_out_of_reach(place, tmp_path):
    """Have no size, rather than none at all."""
    store, run_id, _, _ = place
    other = ArtifactRoots(str(tmp_path / "other"))

    assert Sizes(None).of(store.get_run(run_id)) is None
    assert Sizes(other).of(store.get_run(run_id)) is None
    with pytest.raises(MlflowException, match="outside of the folders"):
        size_at(other, "/nowhere")
