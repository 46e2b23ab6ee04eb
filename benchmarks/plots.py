"""Which figures are drawn: how many times better, and how runs and points grow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from benchmarks.report import HEADLINES, is_rate, middle, ratio
from benchmarks.statistics import better
from benchmarks.svg import bars, lines

SIDES = ("stock", "millstream")
# File: title, axes, and for each line its end and what its rows are called; `N` is a count.
GROWTH = {
    "benchmarks-runs.svg": (
        "First 50 runs by a metric and a param, ordered", "runs in the store", "ms",
        {"SQLite": "50 of N runs, SQLite: one metric, one param, by a metric",
         "files": "50 of N runs, files: one metric, one param, by a metric"},
    ),
    "benchmarks-points.svg": (
        "The chart of one series, from the server", "points of the series", "ms",
        {"SQLite": "chart of N points, SQLite", "files": "chart of N points, files"},
    ),
}  # fmt: skip


class Picture(NamedTuple):
    """What a picture shows, in words and as SVG."""

    title: str
    svg: str


def plots(results: Mapping[str, Any]) -> dict[str, Picture]:
    """Return the pictures, by the name of their file; one without figures is left out."""
    found = {}
    values, said = ratios(results)
    if values:
        title = "Millstream beside stock MLflow: times better"
        found["benchmarks-ratios.svg"] = Picture(title, bars(title, values, said))
    for file, (title, across, up, rows) in GROWTH.items():
        series = growth(results, rows)
        if series:
            found[file] = Picture(title, lines(title, series, across=across, up=up))
    return found


def ratios(results: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the headlines that both sides have: how many times better, as number and text."""
    values: dict[str, float] = {}
    said: dict[str, str] = {}
    for name in HEADLINES:
        for group in results.values():
            stock, ours = (
                group["sides"].get(side, {"rows": {}})["rows"].get(name) for side in SIDES
            )
            mine, theirs = middle(ours), middle(stock)
            if ours is None or mine is None or theirs is None:
                continue
            times = better(mine, theirs, higher=is_rate(ours))
            if times:
                values[name], said[name] = times, ratio(ours, stock)
    return values, said


def growth(
    results: Mapping[str, Any], rows: Mapping[str, str]
) -> dict[str, list[tuple[float, float]]]:
    """Return a line for each side and kind of rows: counts, and medians."""
    series: dict[str, list[tuple[float, float]]] = {}
    for side in SIDES:
        measured = [group["sides"][side] for group in results.values() if side in group["sides"]]
        for end, name in rows.items():
            pattern = re.escape(name).replace("N", "([0-9,]+)", 1)
            points = sorted(
                (float(match[1].replace(",", "")), value)
                for one in measured
                for row, said in one["rows"].items()
                if (match := re.fullmatch(pattern, row)) and (value := middle(said))
            )
            if points:
                series[f"{measured[0]['title']}, {end}"] = points
    return series
