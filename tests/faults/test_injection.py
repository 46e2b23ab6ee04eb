"""Each call of the system fails once, in turn; what was acknowledged is there, and nothing hangs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

import pytest

from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from tests.conftest import ALL, FULL
from tests.faults import shim

# Kind and level: of the faults of each call one in so many, in a quick run, a full one, and one of
# everything; 0 for none.
SHARES = {
    ("file", "os"): (24, 24, 1),
    ("file", "disk"): (0, 30, 1),
    ("sqlite", "disk"): (0, 200, 3),
    ("queue", "disk"): (8, 8, 1),
    ("rest", "os"): (0, 8, 1),
}

pytestmark = [
    pytest.mark.skipif(bool(shim.MISSING), reason=shim.MISSING),
    pytest.mark.timeout(3600),  # all of them take some minutes
]


def _shares() -> list[tuple[str, str, int]]:
    place = 2 if ALL else int(FULL)
    return [(*kind, shares[place]) for kind, shares in SHARES.items() if shares[place]]


@pytest.mark.parametrize(("kind", "level", "share"), _shares())
def test_a_call_that_fails(tmp_path, kind, level, share):
    """See `fault_rounds`."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as place:
        told = shim.run(
            tmp_path, "tests.faults.fault_rounds", kind, level, str(share), place,
            PYTHONWARNINGS="ignore",  # processes with threads fork, and some are killed
        )  # fmt: skip

    print(told)
    assert told.startswith(f"{kind}, {level}: ")


@pytest.fixture
def small_disk(tmp_path, kind):
    """A file system with room for some thousand points."""
    size = "800k" if kind == "file" else "5m"
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


# A line that was cut off is told when the series is read.
@pytest.mark.filterwarnings("ignore:Left out of the store")
@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_a_disk_that_is_full(small_disk, kind):
    """What was kept is there, the error says why, and logging goes on when there is room again."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000 if kind == "file" else 1_500_000))
    backend = (
        FileBackend(f"{small_disk}/mlruns", "os")
        if kind == "file"
        else SqlBackend(f"sqlite:///{small_disk}/mlflow.db", "os", f"{small_disk}/files")
    )
    store = LocalStore(backend)
    run_id = store.create_run("0", "u", 1, [], "name").info.run_id
    kept = 0
    with pytest.raises((OSError, MlflowException), match=r"No space left|full"):
        while True:
            points = [Metric("loss", 0.5, 1, kept + number) for number in range(1000)]
            store.log_batch(run_id, points, [], [])
            kept += 1000
    ballast.unlink()
    store.log_metric(run_id, Metric("loss", 0.5, 1, 10**9))
    store.close()
    steps = {one.step for one in LocalStore(backend).get_metric_history(run_id, "loss")}

    assert kept
    assert steps >= {*range(kept), 10**9}
    backend.close()
