"""Answers about many runs at once: a window of the table, its summary, groups and columns."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.search.match import cell_reader, key_maker, predicate
from mlflow.search.nodes import comparisons
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.server.ui.columns import METRIC, Reads, cells, number, plain, reader, split
from mlflow.server.ui.frame import DROPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mlflow.entities.run import Run
    from mlflow.search.nodes import OrderBy
    from mlflow.server.ui.frame import Frame
    from mlflow.store.base import AbstractStore

MAX_WINDOW = 500
# What every row carries, whichever columns are shown.
ALWAYS = (
    "attributes.run_id",
    "attributes.run_name",
    "attributes.status",
    "attributes.start_time",
    "attributes.end_time",
    "attributes.experiment_id",
    "attributes.lifecycle_stage",
    "tags.mlflow.parentRunId",
)
_MAX_GROUPS = 2_000
_SHOWN_VALUES = 25


class Ask:
    """Which runs are meant.

    Args:
        experiments: ids.
        where: a filter in the grammar of searches.
        view: a `ViewType`.
        order_by: terms such as `metrics.loss ASC`.
    """

    def __init__(
        self,
        experiments: Sequence[str],
        where: str = "",
        view: int = 1,
        order_by: Sequence[str] = (),
    ) -> None:
        self.experiments = [str(one) for one in experiments]
        self.where = where
        self.view = view
        self.order_by = list(order_by)


def window(
    store: AbstractStore,
    frame: Frame,
    ask: Ask,
    columns: Sequence[str] | None,
    offset: int = 0,
    limit: int = 100,
    reads: Reads | None = None,
    minimize: Sequence[str] = (),
) -> dict[str, Any]:
    """Return some rows of the table, as the store has them now.

    An order by params is numeric where they are numbers, which stores do not offer: it is made
    from the frame.

    Args:
        store: where the runs are.
        frame: what is remembered of them; it gives the total.
        ask: which runs, in which order.
        columns: names of columns; None for those that the rows have, up to 60: for who does not
            know yet which there are.
        offset: how many rows come before.
        limit: how many rows, at most 500.
        reads: what columns need that look at more than the record of a run.
        minimize: the metrics of `columns` of which the smallest value is the best.

    Returns:
        `columns`: cells by name, `total`: how many rows there are (None while that is not known),
        `more`: whether rows follow, `best`: of rows with runs nested in them, by metric, the value,
        id and name of the best of these.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
    """
    if not 0 < limit <= MAX_WINDOW or not 0 <= offset < 2**53:
        raise invalid(f"Invalid window: offset {offset}, limit {limit} (1 to {MAX_WINDOW}).")
    order = parse_order_by("runs", ask.order_by)
    total, rows = None, None
    if frame.complete and not frame.capped:
        chosen = matching(frame, ask)
        total = None if chosen is None else len(chosen)
        if chosen is not None and order[0].kind == "param":
            question = ("order", ask.where, tuple(ask.order_by))
            ordered = frame.once(question, lambda: sorted(chosen, key=_numeric_key(order)))
            rows = ordered[offset : offset + limit]
    more = False
    if rows is None:
        found = store.search_runs(
            ask.experiments, ask.where, ask.view, limit, ask.order_by, _token(offset)
        )
        rows, more = list(found), bool(found.token)
        frame.note(rows)
    else:
        more = offset + len(rows) < (total or 0)
    if total is not None and not more and rows:
        total = offset + len(rows)  # the store is right where both differ
    names = [*ALWAYS, *(_found_in(rows) if columns is None else columns)]
    return {
        "columns": cells(rows, names, reads),
        "count": len(rows),
        "total": total,
        "more": more,
        "best": _best_children(frame, rows, names, frozenset(minimize)),
    }


def _best_children(
    frame: Frame, rows: Sequence[Run], names: Sequence[str], down: frozenset[str]
) -> dict[str, Any]:
    below = frame.once(("below",), lambda: _below(frame.runs()))
    metrics = [name for name in names if split(name)[0] == METRIC]
    found: dict[str, Any] = {}
    for run in rows:
        children = below.get(run.info.run_id)
        if children:
            found[run.info.run_id] = {
                name: best
                for name in metrics
                if (best := _best_of(children, split(name)[1], down=name in down)) is not None
            }
    return found


def _below(runs: Iterable[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        parent = run.data.tags.get("mlflow.parentRunId")
        if parent:
            found.setdefault(parent, []).append(run)
    return found


def _best_of(runs: Iterable[Run], key: str, *, down: bool) -> list[Any] | None:
    pairs = [
        (value, run.info)
        for run in runs
        if math.isfinite(value := run.data.metrics.get(key, math.nan))
    ]
    if not pairs:
        return None
    value, info = min(pairs, key=_value) if down else max(pairs, key=_value)
    return [value, info.run_id, info.run_name]


def _found_in(rows: Sequence[Run]) -> list[str]:
    metrics: dict[str, None] = {}
    params: dict[str, None] = {}
    tags: dict[str, None] = {}
    for run in rows:
        metrics.update(dict.fromkeys(run.data.metrics))
        params.update(dict.fromkeys(run.data.params))
        tags.update(dict.fromkeys(key for key in run.data.tags if "mlflow." not in key))
    return [
        "attributes.duration",
        *(f"metrics.{key}" for key in list(metrics)[:30]),
        *(f"params.{key}" for key in list(params)[:24]),
        *(f"tags.{key}" for key in list(tags)[:6]),
    ]


def _token(offset: int) -> str | None:
    # The form of MLflow's own tokens: it says how many rows to skip.
    if not offset:
        return None
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def matching(frame: Frame, ask: Ask) -> list[Run] | None:
    """Return the remembered runs that match, not to be changed; None where histories are needed."""
    where = parse_filter("runs", ask.where)
    if any(one.aggregate for one in comparisons(where)):
        return None
    if where is None:
        return frame.runs()
    passes = predicate("runs", where)
    return frame.once(("matching", ask.where), lambda: list(filter(passes, frame.runs())))


def _numeric_key(order: OrderBy) -> Callable[[Run], Any]:
    first = order[0]
    read = reader(f"params.{first.key}")
    cells_of, key_of = cell_reader("runs", order), key_maker(order)
    sign = 1 if first.ascending else -1

    def key(run: Run) -> tuple[Any, ...]:
        value = number(read(run))
        rest = key_of(cells_of(run))
        # Numbers come first, then texts in their order, then what is missing.
        return (0, sign * value, rest) if value is not None else (1, 0.0, rest)

    return key


# ── summaries ──


def summary(frame: Frame, ask: Ask) -> dict[str, Any]:
    """Return what the matching runs have: keys, how they differ, how many there are.

    Args:
        frame: the runs.
        ask: which of them.

    Returns:
        `total`, `complete` (whether every run was looked at), `capped`, `status` (counts), and
        for `metrics`, `params` and `tags` a list of keys with how many runs have one, how many
        values there are, and the range or the most frequent values.
    """
    runs = matching(frame, ask)
    if runs is None:
        runs = frame.runs()
    found = frame.once(("summary", ask.where), lambda: _summarized(runs))
    return {**found, "complete": frame.complete, "capped": frame.capped}


def _summarized(runs: Sequence[Run]) -> dict[str, Any]:
    status: dict[str, int] = {}
    parents: dict[str, int] = {}
    metrics: dict[str, list[float]] = {}
    params: dict[str, dict[str, int]] = {}
    tags: dict[str, dict[str, int]] = {}
    users: dict[str, int] = {}
    for run in runs:
        info, data = run.info, run.data
        status[info.status] = status.get(info.status, 0) + 1
        users[info.user_id or ""] = users.get(info.user_id or "", 0) + 1
        for key, value in data.metrics.items():
            metrics.setdefault(key, []).append(value)
        for counts, pairs in ((params, data.params), (tags, data.tags)):
            for key, text in pairs.items():
                seen = counts.setdefault(key, {})
                seen[text] = seen.get(text, 0) + 1
        parent = data.tags.get("mlflow.parentRunId")
        if parent:
            parents[parent] = parents.get(parent, 0) + 1
    here = {run.info.run_id for run in runs}
    return {
        "total": len(runs),
        "status": status,
        "users": [name for name in sorted(users) if name],
        # Runs whose parent is not among them are no children here: the table shows them by themselves.
        "children": {key: count for key, count in parents.items() if key in here},
        "metrics": [_of_metric(key, metrics[key]) for key in sorted(metrics)],
        "params": [_of_text(key, params[key], len(runs)) for key in sorted(params)],
        "tags": [_of_text(key, tags[key], len(runs)) for key in sorted(tags)],
    }


def _of_metric(key: str, values: list[float]) -> dict[str, Any]:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return {"key": key, "n": len(values), "min": None, "max": None, "ties": [0, 0]}
    low, high = min(finite), max(finite)
    # How many runs share them: the best of many is not worth a mark.
    ties = [finite.count(low), finite.count(high)]
    return {"key": key, "n": len(values), "min": low, "max": high, "ties": ties}


def _of_text(key: str, counts: dict[str, int], total: int) -> dict[str, Any]:
    have = sum(counts.values())
    often = sorted(counts, key=lambda text: (-counts[text], text))[:_SHOWN_VALUES]
    numeric = all(number(text) is not None for text in counts)
    shown = sorted(often, key=lambda text: number(text) or 0.0) if numeric else often
    return {
        "key": key,
        "n": have,
        "distinct": len(counts) + (have < total),
        "numeric": numeric,
        "values": [[plain(text), counts[text]] for text in shown],
    }


# ── groups ──


def groups(
    frame: Frame, ask: Ask, by: Sequence[str], columns: Sequence[str], minimize: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the matching runs in groups that have the same values.

    Args:
        frame: the runs.
        ask: which of them.
        by: the columns whose values make a group.
        columns: what is aggregated: numbers to mean, sd, min and max, others to their values.
        minimize: the metrics of `columns` of which the smallest value is the best.

    Returns:
        `groups`, the largest first: `values` of `by`, `n`, `run_ids` (up to 200) and for each
        column its aggregate; `total`: how many groups there are.
    """
    readers = [(name, reader(name)) for name in dict.fromkeys(by)]
    if not readers:
        raise invalid("A grouping needs at least one column.")
    found: dict[tuple[Any, ...], list[Run]] = {}
    for run in matching(frame, ask) or []:
        key = tuple(plain(read(run)) for _, read in readers)
        found.setdefault(key, []).append(run)
    largest = sorted(found.items(), key=lambda item: -len(item[1]))[:_MAX_GROUPS]
    wanted = [(name, reader(name)) for name in dict.fromkeys(columns)]
    down = set(minimize)
    return {
        "by": [name for name, _ in readers],
        "total": len(found),
        "complete": frame.complete,
        "groups": [
            {
                "values": list(key),
                "n": len(runs),
                "run_ids": [run.info.run_id for run in runs[:200]],
                "cells": {
                    name: _aggregate(runs, name, read, down=name in down) for name, read in wanted
                },
            }
            for key, runs in largest
        ],
    }


def _aggregate(
    runs: list[Run], name: str, read: Callable[[Run], Any], *, down: bool
) -> dict[str, Any]:
    pairs = [(value, run) for run in runs if (value := read(run)) is not None]
    numbers = [(found, run) for value, run in pairs if (found := number(value)) is not None]
    if not numbers or len(numbers) < len(pairs):
        texts = list(dict.fromkeys(plain(value) for value, _ in pairs))
        if split(name)[0] == METRIC:
            texts = []  # NaN and infinities only, or among numbers: those are counted below
        if texts:
            return {"n": len(pairs), "values": texts[:5], "distinct": len(texts)}
    if not numbers:
        return {"n": 0}
    values = [value for value, _ in numbers]
    mean = math.fsum(values) / len(values)
    best = min(numbers, key=_value) if down else max(numbers, key=_value)
    spread = math.fsum((value - mean) ** 2 for value in values)
    return {
        "n": len(values),
        "mean": mean,
        "sd": math.sqrt(spread / (len(values) - 1)) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
        "best": best[1].info.run_id,
        "odd": len(pairs) - len(numbers),
    }


def _value(pair: tuple[float, Any]) -> float:
    return pair[0]


def points(frame: Frame, ask: Ask, columns: Sequence[str], limit: int = 5_000) -> dict[str, Any]:
    """Return cells of all the matching runs, for plots of many runs.

    Args:
        frame: the runs.
        ask: which of them, in which order (newest first by default).
        columns: names of columns.
        limit: how many runs.

    Returns:
        As `window`, plus `complete`.
    """
    chosen = matching(frame, ask) or []
    if ask.order_by:
        order = parse_order_by("runs", ask.order_by)
        if not any(term.aggregate for term in order):
            cells_of, key_of = cell_reader("runs", order), key_maker(order)
            chosen = sorted(chosen, key=lambda run: key_of(cells_of(run)))
    shown = chosen[:limit]
    always = ("attributes.run_id", "attributes.run_name", "attributes.status")
    return {
        "columns": cells(shown, [*always, *columns]),
        "count": len(shown),
        "total": len(chosen),
        "complete": frame.complete,
    }


MAX_COMPARED = 1_000


def compare(store: AbstractStore, run_ids: Sequence[str]) -> dict[str, Any]:
    """Return everything that some runs have, as columns, for looking at them side by side.

    Args:
        store: where the runs are.
        run_ids: which, at most 1 000; those that are gone are named in `missing`.

    Returns:
        `columns`: cells by name, every metric, param and tag among them; `datasets`: of each run
        the (name, digest) of its inputs; `missing`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for too many.
    """
    wanted = list(dict.fromkeys(run_ids))
    if len(wanted) > MAX_COMPARED:
        raise invalid(f"Too many runs: {len(wanted)}; at most {MAX_COMPARED} are compared.")
    runs, missing = [], []
    for run_id in wanted:
        try:
            runs.append(store.get_run(run_id))
        except MlflowException:
            missing.append(run_id)
    names = dict.fromkeys((*ALWAYS, "attributes.user_id", "attributes.duration"))
    for run in runs:
        names.update(dict.fromkeys(f"metrics.{key}" for key in run.data.metrics))
        names.update(dict.fromkeys(f"params.{key}" for key in run.data.params))
        names.update(dict.fromkeys(f"tags.{key}" for key in run.data.tags if key not in DROPPED))
    return {
        "columns": {name: [plain(read(run)) for run in runs] for name, read in _readers(names)},
        "datasets": [
            [[one.dataset.name, one.dataset.digest] for one in run.inputs.dataset_inputs]
            if run.inputs
            else []
            for run in runs
        ],
        "missing": missing,
    }


def _readers(names: Iterable[str]) -> list[tuple[str, Callable[[Run], Any]]]:
    return [(name, reader(name)) for name in names]
