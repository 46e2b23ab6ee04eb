"""What a server counts of itself, and how Prometheus reads it: requests, seconds, queues, commits."""

from __future__ import annotations

import contextlib
import json
import os
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from mlflow.api.op import READ, STORE, Permission
from mlflow.server.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlflow.server.messages import Request
    from mlflow.server.routes import Routes

PATH = "/metrics"
_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WRITES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_FILE = "millstream-metrics-"

# name → (type, help, labels); a histogram has its bounds.
_FAMILIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "mlflow_http_request_total": (
        "counter", "Requests that were answered.", ("operation", "method", "status")),
    "mlflow_http_request_duration_seconds": (
        "histogram", "Seconds from the head of a request to the end of its answer.",
        ("operation",)),
    "mlflow_http_requests_in_progress": ("gauge", "Requests that are being answered.", ()),
    "mlflow_queue_depth": ("gauge", "Calls of the store or of files that wait or run.", ("queue",)),
    "mlflow_event_streams": ("gauge", "Pages that are told of changes.", ()),
    "mlflow_group_commit_writes": (
        "histogram", "Writes that one transaction keeps together.", ()),
    "mlflow_access_log_dropped_total": (
        "counter", "Lines of the access log that were not written in time.", ()),
}  # fmt: skip
_BOUNDS = {
    "mlflow_http_request_duration_seconds": _SECONDS,
    "mlflow_group_commit_writes": _WRITES,
}

# family → values of its labels → a number; or, of a histogram, the counts of its buckets (the last
# one without a bound) and the sum.
Counts = dict[str, dict[tuple[str, ...], Any]]


class Metrics:
    """The counts of one process.

    Everything but `committed` is called in the event loop.

    Args:
        folder: where the processes of one server leave their counts for each other; None where
            there is one process.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.is_shared = folder is not None
        self._counts: Counts = {name: {} for name in _FAMILIES}
        self._gauges: list[tuple[str, tuple[str, ...], Callable[[], float]]] = []
        self._folder = folder
        self._open = 0
        self.watch("mlflow_http_requests_in_progress", (), lambda: self._open)

    def add_to(self, routes: Routes) -> None:
        """Add the route that Prometheus asks."""
        routes.add("GET", PATH, self.answer, Permission(READ, STORE))

    # --- counting --------------------------------------------------------------------------------

    def watch(self, name: str, labels: tuple[str, ...], read: Callable[[], float]) -> None:
        """Have a number read whenever somebody asks."""
        self._gauges.append((name, labels, read))

    def began(self) -> None:
        """Count a request that is being answered."""
        self._open += 1

    def ended(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._open -= 1
        totals = self._counts["mlflow_http_request_total"]
        key = (operation, method, str(status))
        totals[key] = totals.get(key, 0) + 1
        self._observe("mlflow_http_request_duration_seconds", (operation,), seconds)

    def committed(self, writes: int) -> None:
        """Count a transaction; called by the one thread that writes."""
        self._observe("mlflow_group_commit_writes", (), writes)

    def _observe(self, name: str, labels: tuple[str, ...], value: float) -> None:
        bounds = _BOUNDS[name]
        found = self._counts[name].get(labels)
        if found is None:
            found = self._counts[name][labels] = [0] * (len(bounds) + 1) + [0.0]
        found[bisect_left(bounds, value)] += 1
        found[-1] += value

    # --- telling ---------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Answer:
        """Return the counts of all processes of the server."""
        return Answer(200, exposition(merged([self.counts(), *self._others()])).encode(), (_TEXT,))

    def counts(self) -> Counts:
        """Return the counts of this process."""
        found = {
            name: {labels: _copy(value) for labels, value in list(values.items())}
            for name, values in self._counts.items()
        }
        for name, labels, read in self._gauges:
            found[name][labels] = read()
        return found

    def keep(self) -> None:
        """Leave the counts for the other processes; what cannot be written is left out."""
        if self._folder is None:
            return
        rows = {name: list(values.items()) for name, values in self.counts().items()}
        path = os.path.join(self._folder, f"{_FILE}{os.getpid()}")
        with contextlib.suppress(OSError):
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                json.dump(rows, file)
            os.replace(f"{path}.new", f"{path}.json")

    def _others(self) -> Iterable[Counts]:
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(self._folder)):
                number = name.removeprefix(_FILE).removesuffix(".json")
                if number.isdigit() and int(number) != os.getpid():
                    with contextlib.suppress(OSError, ValueError):
                        yield _read(os.path.join(self._folder, name), is_there=_lives(int(number)))


def clear(folder: str) -> None:
    """Make the folder of the counts, and remove what an earlier server left there.

    Raises:
        OSError: it cannot be made.
    """
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith(_FILE):
            os.unlink(os.path.join(folder, name))


def merged(parts: Iterable[Mapping[str, Any]]) -> Counts:
    """Return the sums of counts."""
    found: Counts = {name: {} for name in _FAMILIES}
    for part in parts:
        for name, values in part.items():
            for labels, value in values.items():
                there = found[name].get(labels)
                if there is None:
                    found[name][labels] = _copy(value)
                elif isinstance(value, list):
                    found[name][labels] = [a + b for a, b in zip(there, value, strict=True)]
                else:
                    found[name][labels] = there + value
    return found


def exposition(counts: Counts) -> str:
    """Return counts in Prometheus' text format."""
    lines = []
    for name, (kind, about, labels) in _FAMILIES.items():
        lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
        for values, value in sorted(counts[name].items()):
            said = [
                f'{label}="{_escaped(text)}"' for label, text in zip(labels, values, strict=True)
            ]
            if kind == "histogram":
                lines += _histogram(name, said, value)
            else:
                lines.append(f"{name}{_braced(said)} {value}")
    return "\n".join(lines) + "\n"


def _histogram(name: str, said: list[str], value: list[float]) -> Iterable[str]:
    below = 0.0
    for bound, count in zip((*_BOUNDS[name], "+Inf"), value, strict=False):
        below += count
        inside = _braced([*said, f'le="{bound}"'])
        yield f"{name}_bucket{inside} {int(below)}"
    yield f"{name}_sum{_braced(said)} {value[-1]}"
    yield f"{name}_count{_braced(said)} {int(below)}"


def _braced(said: list[str]) -> str:
    return "{" + ",".join(said) + "}" if said else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _copy(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def _read(path: str, *, is_there: bool) -> Counts:
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)
    return {
        name: {tuple(labels): value for labels, value in rows.get(name, ())}
        for name, (kind, _, _) in _FAMILIES.items()
        # Nothing waits in a process that has ended; what it answered was answered.
        if is_there or kind != "gauge"
    }


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
