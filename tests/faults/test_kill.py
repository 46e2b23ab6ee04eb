"""Writers that are killed at any moment lose nothing that was acknowledged and tear no metadata."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlflow.entities.run import Metric, Param, RunTag
from mlflow.store.backends.base import Conflict
from mlflow.store.backends.file import FileBackend
from tests.faults.kill_rounds import ACK, acknowledged, in_child, new_run

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.timeout(1500),  # the full number of rounds takes minutes
]

ROOT = Path(__file__).parents[2]
ROUNDS = 1000 if os.environ.get("MILLSTREAM_FULL") in ("1", "all") else 200


@pytest.mark.parametrize(
    ("kind", "rounds"), [("writers", ROUNDS), ("makers", max(20, ROUNDS // 10))]
)
def test_what_killed_processes_acknowledged_is_there(tmp_path, kind, rounds):
    """Those that log to runs lose nothing; of those that make runs there are whole runs or none."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.kill_rounds", kind, tmp_path / "mlruns", str(rounds)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (0, "") == (done.returncode, done.stderr)


def test_processes_that_write_one_series_lose_no_line(tmp_path):
    """Every line of every process is there, whole, in each process's own order."""
    writers, lines = (20, 500) if ROUNDS > 200 else (6, 400)
    root = str(tmp_path / "mlruns")
    backend = FileBackend(root)
    backend.get_experiment("0")
    run_id = new_run(backend, 1)

    def work(number):
        for at in range(lines):
            backend.append_metric(run_id, "shared", float(number), number, at)
            if at % 100 == 0:
                points = [Metric("batch", float(number), number, at + i) for i in range(50)]
                backend.write_batch(run_id, points, [], [RunTag(f"from{number}", str(at))])

    pids = [in_child(lambda number=number: work(number)) for number in range(writers)]
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    history = backend.metric_history(run_id, "shared")
    steps = {number: [] for number in range(writers)}
    for point in history:
        steps[point.timestamp].append(point.step)

    assert codes == [0] * writers
    assert steps == {number: list(range(lines)) for number in range(writers)}
    assert len(backend.metric_history(run_id, "batch")) == writers * 50 * -(-lines // 100)
    assert backend.problems == {}


def test_of_processes_that_write_one_param_one_wins(tmp_path):
    """A param has one value, whoever writes it first; the others are told."""
    root = str(tmp_path / "mlruns")
    backend = FileBackend(root)
    backend.get_experiment("0")
    run_id = new_run(backend, 1)
    reader, writer = os.pipe()

    def work(number):
        for at in range(40):
            try:
                backend.write_batch(run_id, [], [Param(f"p{at}", str(number))], [])
                os.write(writer, ACK.pack(at * 100 + number))
            except Conflict:
                pass

    pids = [in_child(lambda number=number: work(number)) for number in range(4)]
    os.close(writer)
    winners = acknowledged(reader)
    os.close(reader)
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    params = backend.get_run(run_id).data.params

    assert codes == [0] * 4
    assert sorted(at // 100 for at in winners) == list(range(40))
    assert params == {f"p{one // 100}": str(one % 100) for one in winners}
