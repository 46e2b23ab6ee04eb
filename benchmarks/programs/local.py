"""Logging without a server, by the trackers that have libraries: calls, and what is kept of them.

`BENCH_TRACKER` says whose library this interpreter has: `mlflow`, `aim` or `trackio`. Their calls do
not promise the same: some only put a point in a queue. So two more things are measured: the time
until all points are kept, that is until the run is closed, and how many of a thousand points are
there when the process is killed right after the last call.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import found, on_disk, pick, timed

POINTS = 1000
KEPT = pick(20_000, 3_000)
STEPS = 100


class Mlflow:
    """MLflow and Millstream, on plain files."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        import mlflow

        self.mlflow = mlflow
        mlflow.set_tracking_uri(f"file://{folder}/mlruns")

    def start(self) -> None:
        self.mlflow.start_run()

    def params(self, values: dict[str, Any]) -> None:
        self.mlflow.log_params(values)

    def log(self, values: dict[str, float], step: int) -> None:
        self.mlflow.log_metrics(values, step=step)

    def end(self) -> None:
        self.mlflow.end_run()

    def count(self) -> int:
        from mlflow.tracking import MlflowClient

        client = MlflowClient()
        runs = client.search_runs(["0"])
        return sum(len(client.get_metric_history(run.info.run_id, "loss")) for run in runs)


class Aim:
    """Aim, in a repository of its own, without what it tells of the system."""

    def __init__(self, folder: str) -> None:
        import aim

        self.aim = aim
        self.folder = folder
        self.repo = aim.Repo.from_path(folder, init=True)

    def start(self) -> None:
        self.run = self.aim.Run(
            repo=self.repo, system_tracking_interval=None, log_system_params=False,
            capture_terminal_logs=False,
        )  # fmt: skip

    def params(self, values: dict[str, Any]) -> None:
        self.run["hparams"] = values

    def log(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self.run.track(value, name=name, step=step)

    def end(self) -> None:
        self.run.close()

    def count(self) -> int:
        # Its queries see what was indexed; it has a command that indexes what was left.
        aim = os.path.join(os.path.dirname(sys.executable), "aim")
        subprocess.run([aim, "storage", "reindex", "-y"], cwd=self.folder, check=True)
        runs = self.aim.Repo.from_path(self.folder).query_metrics("metric.name == 'loss'")
        return sum(len(one.values.sparse_numpy()[1]) for run in runs.iter_runs() for one in run)


class Trackio:
    """Trackio, without a dashboard."""

    def __init__(self, folder: str) -> None:
        os.environ["TRACKIO_DIR"] = folder
        self.folder = folder
        import trackio

        self.trackio = trackio
        self.numbers = itertools.count()

    def start(self) -> None:
        self.config: dict[str, Any] = {}
        self.trackio.init(project="bench", name=f"{os.getpid()}-{next(self.numbers)}")

    def params(self, values: dict[str, Any]) -> None:
        self.trackio.config.update(values)

    def log(self, values: dict[str, float], step: int) -> None:
        self.trackio.log(values, step=step)

    def end(self) -> None:
        self.trackio.finish()

    def count(self) -> int:
        import sqlite3

        path = os.path.join(self.folder, "bench.db")
        if not os.path.exists(path):
            return 0
        with sqlite3.connect(path) as database:
            return int(database.execute("SELECT count(*) FROM metrics").fetchone()[0])


TRACKERS = {"mlflow": Mlflow, "aim": Aim, "trackio": Trackio}


def _tracker(folder: str) -> Any:
    return TRACKERS[os.environ.get("BENCH_TRACKER", "mlflow")](folder)


def _calls(folder: str) -> None:
    start = time.perf_counter()
    tracker = _tracker(folder)
    found("local: import, and the store opened", "ms", [(time.perf_counter() - start) * 1000])
    tracker.start()
    tracker.log({"loss": 1.0}, -1)
    steps = itertools.count()
    timed("local: one point, the call", "µs", lambda: tracker.log({"loss": 0.5}, next(steps)),
          pick(500, 200), scale=1e6)  # fmt: skip
    many = {f"m{i}": i * 0.5 for i in range(100)}
    timed("local: 100 metrics of one step, the call", "µs",
          lambda: tracker.log(many, next(steps)), pick(100, 30), scale=1e6)  # fmt: skip
    tracker.end()

    def whole() -> None:
        tracker.start()
        tracker.params({"a": 1, "b": 2})
        for key in ("x", "y", "z"):
            tracker.log({key: 0.5}, 0)
        tracker.end()

    whole()
    timed("local: whole small run, until it is closed", "ms", whole, pick(10, 3), scale=1000)
    before = on_disk(folder)

    def series() -> None:
        tracker.start()
        for step in range(KEPT):
            tracker.log({"loss": step * 0.5}, step)
        tracker.end()

    timed(f"local: {KEPT:,} points one by one, until the run is closed", "points/s", series, 1,
          each=KEPT, within=60)  # fmt: skip
    found("local: disk, a point", "bytes", [(on_disk(folder) - before) / KEPT])


def _left(folder: str, how: str) -> int:
    """Return how many points another process has left, that logged and `ended` or was `killed`."""
    os.mkdir(folder)
    done = subprocess.run([sys.executable, __file__, how, folder], check=False)
    if done.returncode != (-signal.SIGKILL if how == "killed" else 0):
        msg = f"the process that is {how} returned {done.returncode}"
        raise RuntimeError(msg)
    subprocess.run([sys.executable, __file__, "count", folder, f"{folder}.count"], check=True)
    return int(Path(f"{folder}.count").read_text(encoding="utf-8"))


def _kept(folder: str) -> None:
    ended = _left(os.path.join(folder, "ended"), "ended")
    if ended != POINTS:
        msg = f"{ended} points are found of a run that was closed"
        raise RuntimeError(msg)
    killed = _left(os.path.join(folder, "killed"), "killed")
    found("local: points of 1,000 that outlive a killed process", "points", [killed])


def main() -> None:
    """Measure, or be the process that ends or is killed, or count what it left."""
    if len(sys.argv) == 1:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            os.mkdir("calls")
            _calls(os.path.join(folder, "calls"))
            _kept(folder)
            os.chdir("/")
        return
    tracker = _tracker(sys.argv[2])
    if sys.argv[1] == "count":
        Path(sys.argv[3]).write_text(str(tracker.count()), encoding="utf-8")
        return
    tracker.start()
    for step in range(POINTS):
        tracker.log({"loss": 0.5}, step)
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    tracker.end()


if __name__ == "__main__":
    main()
