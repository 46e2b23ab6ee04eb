"""What the machine does while a run is active: when it is asked, and how it becomes metrics.

One thread a process reads the sensors for all runs that want it; the store's queue writes.
"""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from math import isfinite
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import TYPE_CHECKING

from mlflow.entities.run import Metric
from mlflow.environment_variables import (
    MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING,
    MLFLOW_SYSTEM_METRICS_NODE_ID,
    MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING,
    MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL,
)
from mlflow.exceptions import MlflowException, invalid
from mlflow.tracking import lifetime
from mlflow.tracking.queue import queue_of
from mlflow.tracking.sensors import Sensors, traffic

if TYPE_CHECKING:
    from typing import Any

    from mlflow.entities.run import Run
    from mlflow.store.base import AbstractStore
    from mlflow.tracking.queue import RunOperations

_logger = logging.getLogger("mlflow.system_metrics")

_INTERVAL = 10.0  # seconds
_SAMPLES = 1

# ---------------------------------------------------------------------------------- settings


def enable_system_metrics_logging() -> None:
    """Log system metrics with each run that is started from now on, here and in subprocesses."""
    MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.set(True)


def disable_system_metrics_logging() -> None:
    """Log system metrics only with runs that ask for them."""
    MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.set(False)


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Say how long to wait between two readings.

    Args:
        interval: seconds; None and 0 go back to 10.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no positive number.
    """
    _set(MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL, interval, "a number of seconds, such as 5")


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Say how many readings make one point, which is their mean.

    Args:
        samples: the number; None and 0 go back to 1.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no positive integer.
    """
    _set(MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING, samples, "a number of readings, such as 3")


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Name this machine in the metrics of runs that are started from now on.

    Args:
        node_id: the name, which makes `system/<node_id>/…` of `system/…`; None for none.
    """
    if node_id is None:
        MLFLOW_SYSTEM_METRICS_NODE_ID.unset()
    else:
        MLFLOW_SYSTEM_METRICS_NODE_ID.set(node_id)


def _set(variable: Any, value: object, wanted: str) -> None:
    if not value:
        variable.unset()
        return
    try:
        number = variable.type(str(value))
    except ValueError:
        number = -1
    if not (number > 0 and isfinite(number)):
        raise invalid(f"{variable.name} must be {wanted}; it cannot be {value!r}.")
    variable.set(number)


def _setting(variable: Any, default: float) -> float:
    """Return a positive number of the environment; what is none counts as absent."""
    try:
        value = float(variable.get() or default)
    except ValueError:
        value = -1
    if value > 0 and isfinite(value):
        return value
    _logger.warning(
        "%s is no positive number: %r. %g is taken.", variable.name, variable.get_raw(), default
    )
    variable.unset()  # so that this is said once
    return default


# ------------------------------------------------------------------------------ watched runs


def check() -> None:
    """See whether the machine can be read.

    Raises:
        MlflowException: psutil is not installed.
    """
    if find_spec("psutil") is None:
        raise MlflowException(
            "System metrics need the package psutil, which is not installed: pip install psutil. "
            "To start runs without them: mlflow.start_run(log_system_metrics=False), or call "
            "mlflow.disable_system_metrics_logging()."
        )


class Watched:
    """A run that readings are logged to.

    Step 0 is the first point; a run that is resumed goes on where it was.

    Args:
        run: the run.
        store: where it is kept.
    """

    def __init__(self, run: Run, store: AbstractStore) -> None:
        node = MLFLOW_SYSTEM_METRICS_NODE_ID.get()
        self._prefix = f"system/{node}/" if node else "system/"
        self.run_id = run.info.run_id
        self._store = store
        self._samples = int(_setting(MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING, _SAMPLES))
        steps = [m.step for m in run.data._metric_objs if m.key.startswith(self._prefix)]
        self._step = max(steps, default=-1) + 1
        self._readings: list[dict[str, float]] = []
        self._before = traffic()
        self._unsent: list[Metric] = []
        self._sent: RunOperations | None = None

    def take(self, reading: dict[str, float], carried: dict[str, float]) -> bool:
        """Note a reading, and what the network has carried; tell whether the run takes more."""
        self._readings.append(reading)
        if len(self._readings) >= self._samples:
            since = {key: carried[key] - old for key, old in self._before.items() if key in carried}
            values = {**_means(self._readings), **since}
            now = int(time() * 1000)
            self._unsent += [
                Metric(self._prefix + key, value, now, self._step) for key, value in values.items()
            ]
            self._step += 1
            self._readings.clear()
        return self._send()

    def _send(self) -> bool:
        """Give points to the queue, unless the ones before still wait: a slow store gets few."""
        if self._sent is not None:
            if not self._sent.is_done():
                return True
            error = self._sent.error()
            if isinstance(error, MlflowException) and error.get_http_status_code() in (400, 404):
                _logger.warning("No more system metrics are logged to run %s.", self.run_id)
                return False
        self.close()
        return True

    def close(self) -> None:
        """Give the queue what has not been given."""
        if self._unsent:
            self._sent = queue_of(self._store, is_kept=False).put(self.run_id, self._unsent, (), ())
            self._unsent = []


def _means(readings: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each name, to one decimal as MLflow writes it."""
    names = dict.fromkeys(name for reading in readings for name in reading)
    series = {name: [one[name] for one in readings if name in one] for name in names}
    return {name: round(sum(values) / len(values), 1) for name, values in series.items()}


class _Sampler:
    """Reads the sensors at an interval, in a thread that ends when no run is watched."""

    def __init__(self) -> None:
        self.watched: dict[str, Watched] = {}
        self.changed = Event()
        self._thread = Thread(target=self._run, name="mlflow-system-metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        sensors = Sensors()
        sensors.read()  # utilization is that since the reading before
        last = monotonic()
        while self.watched:
            due = last + _setting(MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL, _INTERVAL)
            if self.changed.wait(max(0.0, due - monotonic())):
                self.changed.clear()
                continue
            last = monotonic()
            self._give(sensors.read(), traffic())

    def _give(self, reading: dict[str, float], carried: dict[str, float]) -> None:
        with _lock:
            for run_id, one in list(self.watched.items()):
                if not one.take(reading, carried):
                    del self.watched[run_id]


_sampler: _Sampler | None = None
_lock = Lock()


def begin(run: Run, store: AbstractStore) -> None:
    """Log system metrics to a run until it ends."""
    global _sampler
    watched = Watched(run, store)
    with _lock:
        if _sampler is None or not _sampler.watched:
            _sampler = _Sampler()
            _sampler.watched[run.info.run_id] = watched
            _sampler.start()
        else:
            _sampler.watched.setdefault(run.info.run_id, watched)
            _sampler.changed.set()  # the interval may be another one now


def end(run_id: str) -> None:
    """Log no more to a run; what was read for it is in the queue when this returns."""
    with _lock:
        watched = None if _sampler is None else _sampler.watched.pop(run_id, None)
        if watched is not None and _sampler is not None:
            watched.close()
            _sampler.changed.set()


lifetime.before_end.append(end)


def _forget() -> None:
    # The thread stays with the parent, and so do the runs it logs to.
    global _sampler, _lock
    _sampler, _lock = None, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
