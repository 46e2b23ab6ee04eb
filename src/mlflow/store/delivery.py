"""How calls that waited come into a store: neighbours together, each once, one refused alone."""

from __future__ import annotations

from collections import Counter

from mlflow.api import rules
from mlflow.entities.run import Metric, RunStatus
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, ErrorCode, MlflowException
from mlflow.store.base import history
from mlflow.store.calls import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from mlflow.entities.run import Run, RunTag
    from mlflow.store.base import AbstractStore

AWAY = ErrorCode.Name(TEMPORARILY_UNAVAILABLE)


def is_away(error: Exception) -> bool:
    """Tell whether a call failed because its store could not be asked."""
    return isinstance(error, MlflowException) and error.error_code == AWAY


def deliver(store: AbstractStore, calls: Sequence[Call]) -> list[Exception | None]:
    """Write calls, in few batches; one that is refused costs no other.

    Args:
        store: where to.
        calls: in their order.

    Returns:
        For each call why it was refused, or None.

    Raises:
        MlflowException: TEMPORARILY_UNAVAILABLE: what was written is not known; see `missing`.
    """
    results: list[Exception | None] = []
    for group in _by_run(calls):
        if len(group) > 1 and _refusal(store, _merged(group)) is None:
            results += [None] * len(group)
        else:
            # One of them is refused, perhaps: the others must not be lost with it.
            results += [_refusal(store, one) for one in group]
    return results


def _refusal(store: AbstractStore, call: Call) -> Exception | None:
    if not call.size:
        return None
    try:
        store.log_batch(call.run_id, call.metrics, call.params, call.tags)
    except Exception as error:
        if is_away(error):
            raise
        return error
    return None


def _by_run(calls: Iterable[Call]) -> list[list[Call]]:
    """Group neighbours of one run, as many as one batch may hold."""
    groups: list[list[Call]] = []
    room = [0, 0, 0]
    for one in calls:
        sizes = [len(one.metrics), len(one.params), len(one.tags)]
        together = [a + b for a, b in zip(room, sizes, strict=True)]
        if groups and groups[-1][0].run_id == one.run_id and _fits(together):
            groups[-1].append(one)
            room = together
        else:
            groups.append([one])
            room = sizes
    return groups


def _fits(sizes: list[int]) -> bool:
    few = rules.MAX_PARAMS_TAGS_PER_BATCH
    return sizes[1] <= few and sizes[2] <= few and sum(sizes) <= rules.MAX_ENTITIES_PER_BATCH


def _merged(calls: list[Call]) -> Call:
    return Call(
        calls[0].run_id,
        [metric for one in calls for metric in one.metrics],
        [param for one in calls for param in one.params],
        [tag for one in calls for tag in one.tags],
    )


# --- what a store has already ----------------------------------------------------------------


def missing(store: AbstractStore, calls: Sequence[Call]) -> list[Call]:
    """Return what a store lacks of calls whose answers were lost, as many calls as were given.

    Points are compared as often as they occur. Of a tag the last value counts, and a run that has
    ended keeps those that it has.

    Raises:
        MlflowException: TEMPORARILY_UNAVAILABLE.
    """
    runs = {call.run_id: _run(store, call.run_id) for call in calls}
    series: dict[tuple[str, str], Counter[Any]] = {
        (call.run_id, metric.key): Counter()
        for call in calls
        for metric in call.metrics
        if (run := runs[call.run_id]) is not None and metric.key in run.data.metrics
    }
    for run_id, key in series:
        series[run_id, key] = Counter(map(point, history(store, run_id, key)))
    last = {(call.run_id, tag.key): tag for call in calls for tag in call.tags}
    lacking = []
    for run_id, metrics, params, tags in calls:
        run = runs[run_id]
        kept = [tag for tag in tags if last[run_id, tag.key] is tag]
        if run is not None:
            metrics = [
                one for one in metrics if not taken(series.get((run_id, one.key)), point(one))
            ]
            known = run.data.params
            params = [one for one in params if known.get(one.key) != one.value]
            kept = lacking_tags(run, kept)
        lacking.append(Call(run_id, metrics, params, kept))
    return lacking


def _run(store: AbstractStore, run_id: str) -> Run | None:
    try:
        return store.get_run(run_id)
    except MlflowException as error:
        if is_away(error):
            raise
        return None


def lacking_tags(run: Run, tags: Iterable[RunTag]) -> list[RunTag]:
    """Return the tags that a run does not have, or has with another value while it goes on."""
    known, is_open = run.data.tags, not is_ended(run)
    return [
        tag for tag in tags if tag.key not in known or (is_open and known[tag.key] != tag.value)
    ]


def is_ended(run: Run) -> bool:
    """Tell whether a run is over."""
    return RunStatus.is_terminated(RunStatus.from_string(run.info.status))


def point(metric: Metric) -> tuple[int, int, str]:
    """Return what makes a point of a series the same as another."""
    value = metric.value
    # The text of a value is the same for every NaN.
    return metric.step, metric.timestamp, repr(float(value) if _is_number(value) else value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def taken(there: Counter[Any] | None, wanted: Any) -> bool:
    """Take one of what is there; tell whether there was one."""
    if there is None or there[wanted] == 0:
        return False
    there[wanted] -= 1
    return True
