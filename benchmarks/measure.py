"""Timing and reporting that all measurements share."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

Result = dict[str, Any]


def seconds(call: Callable[[], object], times: int) -> list[float]:
    """Return the sorted seconds of `times` calls."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return sorted(found)


def row(name: str, unit: str, values: list[float], *, scale: float = 1.0) -> Result:
    """Return one result: the median of sorted values, with its spread."""
    scaled = [value * scale for value in values]
    return {
        "name": name,
        "unit": unit,
        "n": len(scaled),
        "min": scaled[0],
        "value": scaled[len(scaled) // 2],
        "p95": scaled[min(len(scaled) - 1, int(len(scaled) * 0.95))],
    }


def report(rows: list[Result]) -> None:
    """Print the results as one line of JSON."""
    sys.stdout.write(json.dumps(rows) + "\n")
