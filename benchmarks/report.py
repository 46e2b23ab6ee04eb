"""Results as text: the tables of the documents, and what is odd about the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.groups import GROUPS
from benchmarks.statistics import better, median, spread, stalled, waits

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
Group = Mapping[str, Any]
_SECONDS = {"s": 1.0, "ms": 1e3, "µs": 1e6}

# A loss that is smaller than this is noise.
NOTABLE = 0.95

# Rows of the table in README.md.
HEADLINES = (
    "import mlflow",
    "modules of import mlflow",
    "import, start_run, one metric, over the bare interpreter",
    "log_metric",
    "log_batch of 1,000",
    "whole small run",
    "get_run with 50,000 points",
    "search_runs of 300 runs",
    "disk, a run with a metric and a param",
    "log_metric, SQLite",
    "log_batch of 1,000, SQLite",
    "whole small run, SQLite",
    "log_metric, SQLite, through a power cut",
    "whole small run, SQLite, through a power cut",
    "log_metric, PostgreSQL",
    "log_batch of 1,000, PostgreSQL",
    "log_metric, MySQL",
    "log_batch of 1,000, MySQL",
    "50 of 100,000 runs, SQLite: one metric, one param, by a metric",
    "50 of 100,000 runs, SQLite: three conditions",
    "50 of 100,000 runs, files: one metric, one param, by a metric",
    "50 of 100,000 runs, SQLite: memory of the process",
    "chart of 1,000,000 points, SQLite, first look",
    "chart of 1,000,000 points, SQLite",
    "server: start to first answer",
    "server: resident when idle",
    "pages: fetched before the first paint, gzipped",
    "log_metric, HTTP",
    "log_batch of 1,000, HTTP",
    "whole small run, HTTP",
    "search_runs of 300 runs, HTTP",
    "server, log-metric, 16 connections",
    "scoring: start to /ping",
    "scoring: one row, alone",
    "scoring: one row, 16 connections",
    "scoring: resident memory",
    "installation: packages",
    "installation: size",
)


def number(value: float) -> str:
    """Return a figure with the digits that are worth reading."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def middle(row: Mapping[str, Any] | None) -> float | None:
    """Return the median of a row, or nothing where there are no samples."""
    return median(row["samples"]) if row and row.get("samples") else None


def is_rate(row: Mapping[str, Any]) -> bool:
    """Whether more is better: rates, and what is kept."""
    return row["unit"].endswith("/s") or row["unit"] == "points"


def cell(row: Mapping[str, Any] | None) -> str:
    """Return the median of a row with its spread, or what it took longer than."""
    if row is None:
        return "-"
    if not row.get("samples"):
        return f"> {row['over']:.0f} s"
    text = number(median(row["samples"]))
    low, high = (number(one) for one in spread(row["samples"]))
    return text if low == high else f"{text} ({low} … {high})"


def ratio(ours: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> str:
    """Return how many times better ours is; of what took too long, at least how many."""
    mine = middle(ours)
    if ours is None or mine is None or other is None:
        return ""
    theirs = middle(other)
    if theirs is not None:
        times = better(mine, theirs, higher=is_rate(ours))
        return f"{times:,.1f}" if times else ""
    scale = _SECONDS.get(other["unit"])
    times = better(mine, other["over"] * scale, higher=False) if scale else None
    return f"> {times:,.0f}" if times else ""


def table(group: Group, budgets: Mapping[str, Any]) -> str:
    """Return a group's rows as a Markdown table: a column a side, the ratio to stock, and bars."""
    sides = group["sides"]
    names = list(sides)
    bars = any(row in budgets for one in sides.values() for row in one["rows"])
    head = ["what", *(sides[name]["title"] for name in names), "times better"]
    head += ["bar", "kept"] if bars else []
    lines = [
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(names) + 1) + ("---:|---|" if bars else ""),
    ]
    for row in ordered(group):
        said = {name: sides[name]["rows"].get(row) for name in names}
        ours = said.get("millstream")
        unit = next(one["unit"] for one in said.values() if one)
        cells = [f"{row} ({unit})", *(cell(said[name]) for name in names)]
        cells.append(ratio(ours, said.get("stock")))
        if bars:
            cells += kept(ours, budgets.get(row))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def ordered(group: Group) -> list[str]:
    """Return the names of all rows, ours in our order and others' where they come in theirs."""
    names: list[str] = []
    for one in reversed(list(group["sides"].values())):
        place = 0
        for row in one["rows"]:
            if row in names:
                place = names.index(row) + 1
            else:
                names.insert(place, row)
                place += 1
    return names


def kept(row: Mapping[str, Any] | None, budget: Mapping[str, Any] | None) -> list[str]:
    """Return the bar of a row, and whether it is kept."""
    if budget is None:
        return ["", ""]
    value = middle(row)
    if value is None:
        return [number(budget["bar"]), "**no**" if row else ""]
    good = value >= budget["bar"] if budget.get("higher") else value <= budget["bar"]
    return [number(budget["bar"]), "yes" if good else "**no**"]


def quicker(group: Group) -> list[str]:
    """Return the rows where somebody else is better than Millstream: losses are said, too."""
    ours = group["sides"].get("millstream", {"rows": {}})["rows"]
    found = []
    for one in group["sides"].values():
        for name, row in one["rows"].items():
            mine, theirs = middle(ours.get(name)), middle(row)
            if mine is None or theirs is None or row is ours.get(name):
                continue
            times = better(mine, theirs, higher=is_rate(row))
            if times is not None and times < NOTABLE:
                found.append(f"{one['title']}: {name}, {1 / times:,.1f} times")
    return found


def stalls(name: str, group: Group) -> list[str]:
    """Return what clusters where stalled connections do."""
    network = next((one.network for one in GROUPS if one.name == name), ())
    found = []
    for one in group["sides"].values():
        for row, said in one["rows"].items():
            where = stalled(waits(said)) if row.startswith(network) else None
            if where:
                found.append(f"{one['title']}: {row} lies near {where}")
    return found


def warnings(results: Mapping[str, Any]) -> list[str]:
    """Return what a reader of the figures has to know: stalls, and what was not measured."""
    found = []
    for name, group in results.items():
        found += [f"a stalled connection? {one}" for one in stalls(name, group)]
        found += [
            f"{name}: {one['title']}: {one['problem']}"
            for one in group["sides"].values()
            if one["problem"]
        ]
    return found


def orphans(results: Mapping[str, Any], budgets: Mapping[str, Any]) -> list[str]:
    """Return the bars that no row has, when every group was measured: their rows were renamed."""
    if set(results) < {group.name for group in GROUPS}:
        return []
    rows = {
        row
        for group in results.values()
        for side in group["sides"].values()
        for row in side["rows"]
    }
    return [f"no row has the bar of {name!r}" for name in budgets if name not in rows]


def page(results: Mapping[str, Any], budgets: Mapping[str, Any]) -> str:
    """Return the tables of all groups, with when and where each was measured."""
    told = {group.name: group for group in GROUPS}
    parts = []
    for name, group in results.items():
        machine = group["machine"]
        parts.append(f"### {told[name].title}")
        if told[name].note:
            parts.append(told[name].note)
        versions = ", ".join(f"{one} {version}" for one, version in group["versions"].items())
        parts += [
            f"{group['at'][:10]}, {machine['processor']}, {machine['cores']} cores, "
            f"{machine['memory_gb']:.0f} GB, {machine['system']}, Python {machine['python']}, "
            f"load {group['load']} before; {versions}"
            + ("; a quick run, with small samples." if group["quick"] else "."),
            table(group, budgets),
        ]
        for title, found in (
            ("Others are better here", quicker(group)),
            ("A stalled connection may be at work", stalls(name, group)),
            ("Not measured", [f"{one['title']}: {one['problem']}"
                              for one in group["sides"].values() if one["problem"]]),
        ):  # fmt: skip
            if found:
                parts.append(f"{title}:\n\n" + "\n".join(f"- {one}" for one in found))
    return "\n\n".join(parts)


def readme(results: Mapping[str, Any]) -> str:
    """Return the rows that the front page shows, of stock MLflow and Millstream."""
    lines = ["| what | stock MLflow | Millstream | times better |", "|---|---:|---:|---:|"]
    for name in HEADLINES:
        for group in results.values():
            ours = group["sides"].get("millstream", {"rows": {}})["rows"].get(name)
            stock = group["sides"].get("stock", {"rows": {}})["rows"].get(name)
            if ours and ours.get("samples"):
                lines.append(
                    f"| {name} ({ours['unit']}) | {_short(stock)} | {_short(ours)} "
                    f"| {ratio(ours, stock)} |"
                )
    dates = sorted({group["at"][:10] for group in results.values()})
    machine = next(iter(results.values()))["machine"]
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return "\n".join(lines) + f"\n\n{when}, {machine['processor']}, {machine['cores']} cores."


def _short(row: Mapping[str, Any] | None) -> str:
    value = middle(row)
    return number(value) if value is not None else cell(row) if row else ""


def replaced(text: str, between: str) -> str:
    """Return a document with something else between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        msg = f"the document needs the lines {BEGIN} and {END}, between which figures are written"
        raise ValueError(msg)
    return f"{before}{BEGIN}\n{between}\n{END}{after}"
