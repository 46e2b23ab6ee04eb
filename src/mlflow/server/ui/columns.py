"""Names of columns, and the cells that runs have in them, in a form that JSON can carry."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow.exceptions import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mlflow.entities.run import Run
    from mlflow.store.series.columns import Series

METRIC, PARAM, TAG, ATTRIBUTE = "metrics", "params", "tags", "attributes"
# The least and the greatest finite value that a run ever had of a metric.
LOWEST, HIGHEST = "lowest", "highest"
# The value that a run had of a metric when it reached a step: `at.500.val/loss`.
AT = "at"
# The bytes of the artifacts: an attribute that no record has.
SIZE = "artifact_size"
_STEP_AND_KEY = re.compile(r"-?\d{1,18}\..", re.ASCII | re.DOTALL)
MAX_COLUMNS = 500
# Longer texts are cut in tables: the page of the run has the whole.
MAX_TEXT = 500

_ATTRIBUTES: dict[str, Callable[[Run], Any]] = {
    "run_id": lambda run: run.info.run_id,
    "run_name": lambda run: run.info.run_name,
    "experiment_id": lambda run: run.info.experiment_id,
    "status": lambda run: run.info.status,
    "start_time": lambda run: run.info.start_time,
    "end_time": lambda run: run.info.end_time,
    "user_id": lambda run: run.info.user_id or run.data.tags.get("mlflow.user"),
    "lifecycle_stage": lambda run: run.info.lifecycle_stage,
    "duration": lambda run: (
        run.info.end_time - run.info.start_time
        if run.info.end_time and run.info.start_time is not None
        else None
    ),
}


class Reads(NamedTuple):
    """What is read of single runs beyond their records.

    Attributes:
        series: the points of a metric.
        size: the bytes of the artifacts; None where that is not known.
    """

    series: Callable[[Run, str], Series]
    size: Callable[[Run], int | None]


def split(column: str) -> tuple[str, str]:
    """Return (kind, key) of the name of a column, such as `metrics.loss`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a name that is none.
    """
    kind, dot, key = column.partition(".")
    if not dot or not key or kind not in (METRIC, PARAM, TAG, ATTRIBUTE, LOWEST, HIGHEST, AT):
        raise invalid(
            f"Invalid column {column[:100]!r}: write metrics.KEY, lowest.KEY, highest.KEY, "
            "at.STEP.KEY, params.KEY, tags.KEY or attributes.NAME."
        )
    if kind == ATTRIBUTE and key not in (*_ATTRIBUTES, SIZE):
        names = ", ".join(sorted([*_ATTRIBUTES, SIZE]))
        raise invalid(f"Invalid column {column[:100]!r}: attributes are {names}.")
    if kind == AT and not _STEP_AND_KEY.match(key):
        raise invalid(f"Invalid column {column[:100]!r}: write at.STEP.KEY, such as at.500.loss.")
    return kind, key


def reader(column: str, reads: Reads | None = None) -> Callable[[Run], Any]:
    """Return the function from a run to its value in a column; None where it has none.

    Args:
        column: its name.
        reads: what columns need that look at more than the record of a run.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a name that is no column, or is none here.
    """
    kind, key = split(column)
    if kind in (LOWEST, HIGHEST, AT) or column == f"{ATTRIBUTE}.{SIZE}":
        if reads is None:
            raise invalid(f"Invalid column {column[:100]!r}: it is shown for single runs only.")
        return _deep_reader(kind, key, reads)
    if kind == METRIC:
        return lambda run: run.data.metrics.get(key)
    if kind == PARAM:
        return lambda run: run.data.params.get(key)
    if kind == TAG:
        return lambda run: run.data.tags.get(key)
    return _ATTRIBUTES[key]


def _deep_reader(kind: str, key: str, reads: Reads) -> Callable[[Run], Any]:
    series = reads.series
    if kind == ATTRIBUTE:
        return reads.size
    if kind == AT:
        text, _, metric = key.partition(".")
        step = int(text)
        return lambda run: (
            at_step(series(run, metric), step) if metric in run.data.metrics else None
        )
    place = 0 if kind == LOWEST else 1
    return lambda run: series(run, key).extremes()[place] if key in run.data.metrics else None


def at_step(series: Series, step: int) -> float | None:
    """Return the value that held at a step; None before the first and beyond the last one.

    Runs do not log at the same steps: between two of them the earlier value holds.
    """
    steps, values = series.along("step")
    place = bisect_right(steps, step)
    if not place or (place == len(steps) and steps[place - 1] != step):
        return None
    return values[place - 1]


def cells(
    runs: Sequence[Run], names: Iterable[str], reads: Reads | None = None
) -> dict[str, list[Any]]:
    """Return for each column the cells of the runs, in their order.

    Numbers that JSON lacks are the texts `NaN`, `Infinity` and `-Infinity`.

    Args:
        runs: the rows.
        names: of the columns.
        reads: as for `reader`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a name that is no column, or too many.
    """
    wanted = list(dict.fromkeys(names))
    if len(wanted) > MAX_COLUMNS:
        raise invalid(f"Too many columns: {len(wanted)}; at most {MAX_COLUMNS} at a time.")
    found = {}
    for name in wanted:
        read = reader(name, reads)
        found[name] = [plain(read(run)) for run in runs]
    return found


def plain(value: Any) -> Any:
    """Return a value as JSON carries it: no NaN or infinity, no endless text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else wire(value)
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[:MAX_TEXT] + "\u2026"
    return value


def wire(value: float) -> float | str:
    """Return a float, or its name where JSON has no way to write it."""
    if value != value:  # noqa: PLR0124 - NaN is what does not equal itself
        return "NaN"
    if value in (math.inf, -math.inf):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def number(text: object) -> float | None:
    """Return the finite number that a param or tag spells, or None."""
    if isinstance(text, (int, float)):
        return float(text) if math.isfinite(text) else None
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
