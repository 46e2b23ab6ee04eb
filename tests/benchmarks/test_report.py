"""Tables say medians, spreads, ratios and bars, and leave nothing out in silence."""

from __future__ import annotations

import pytest

from benchmarks.groups import GROUPS
from benchmarks.report import orphans, page, quicker, readme, replaced, table, warnings


def _group(stock, ours, name="server", **more):
    sides = {
        "stock": {"title": "stock MLflow", "problem": "", "rows": stock},
        "millstream": {"title": "Millstream", "problem": "", "rows": ours},
    } | more
    machine = {
        "processor": "CPU",
        "cores": 2,
        "memory_gb": 8.0,
        "system": "Linux 6",
        "python": "3.11",
    }
    return {name: {"at": "2026-01-02T03:04:05+00:00", "load": 0.1, "quick": False, "took_s": 1,
                   "machine": machine, "versions": {"mlflow": "3.17.2"}, "sides": sides}}  # fmt: skip


def _ms(*samples):
    return {"unit": "ms", "samples": list(samples)}


def test_a_row_has_medians_spreads_a_ratio_and_its_bar():
    """One line says it all."""
    group = _group({"search": _ms(30, 10, 20)}, {"search": _ms(2, 2, 2)})["server"]
    line = table(group, {"search": {"bar": 1}}).splitlines()[-1]

    assert "| search (ms) | 20 (10 … 30) | 2 | 10.0 | 1 | **no** |" == line


def test_what_takes_too_long_is_shown_with_the_least_it_can_be():
    """A side that was stopped after 20 s is at least that slow."""
    group = _group({"search": {"unit": "ms", "over": 20.0}}, {"search": _ms(10)})["server"]

    assert "| search (ms) | > 20 s | 10 | > 2,000 |" == table(group, {}).splitlines()[-1]


def test_rows_of_either_side_are_there_and_in_order():
    """A row that one side alone has is no row less."""
    group = _group({"a": _ms(1), "b": _ms(1), "c": _ms(1)}, {"a": _ms(1), "c": _ms(1), "d": _ms(1)})

    lines = table(group["server"], {}).splitlines()[2:]

    assert ["a", "b", "c", "d"] == [line[2] for line in lines]
    assert "| b (ms) | 1 | - |  |" == lines[1]


def test_rates_are_better_when_they_are_higher():
    """So the ratio is ours over theirs."""
    rate = {"unit": "points/s", "samples": [10.0], "each": 1000}
    group = _group({"batch": rate}, {"batch": {**rate, "samples": [40.0]}})["server"]

    assert table(group, {}).splitlines()[-1].endswith("| 10 | 40 | 4.0 |")


def test_losses_are_said():
    """A peer that is quicker is named under the table, in any unit."""
    peer = {"title": "Peer", "problem": "", "rows": {"call": _ms(1)}}
    results = _group({"call": _ms(9)}, {"call": _ms(3)}, peer=peer)

    assert ["Peer: call, 3.0 times"] == quicker(results["server"])
    assert "- Peer: call, 3.0 times" in page(results, {})


def test_reasons_and_stalls_are_said():
    """What was not measured has its reason, and a median of 41 ms over a network its flag."""
    peer = {"title": "Peer", "problem": "it could not be installed: no wheel", "rows": {}}
    results = _group({"call": _ms(41, 41, 42)}, {"call": _ms(1)}, peer=peer)
    said = ["a stalled connection? stock MLflow: call lies near 40 ms",
            "server: Peer: it could not be installed: no wheel"]  # fmt: skip

    assert said == warnings(results)
    assert "- Peer: it could not be installed: no wheel" in page(results, {})
    assert [] == warnings(_group({"call": _ms(41, 41, 42)}, {}, name="files"))


def test_a_bar_without_a_row_is_told():
    """A row that is renamed would lose its bar in silence; of a part of the groups nothing is known."""
    one = _group({}, {"call": _ms(1)}, name="files")
    every = {group.name: one["files"] for group in GROUPS}
    bars = {"call": {"bar": 1}, "old name": {"bar": 1}}

    assert [] == orphans(one, bars)
    assert ["no row has the bar of 'old name'"] == orphans(every, bars)


def test_the_front_page_has_the_headlines():
    """Only those that were measured, with date and machine."""
    results = _group({"log_metric, HTTP": _ms(8)}, {"log_metric, HTTP": _ms(2), "other": _ms(1)})

    assert [
        "| log_metric, HTTP (ms) | 8 | 2 | 4.0 |", "", "2026-01-02, CPU, 2 cores."
    ] == readme(results).splitlines()[2:]  # fmt: skip


def test_documents_are_changed_between_their_marks_only():
    """The text around figures is people's."""
    text = "before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n"

    assert text.replace("old", "new") == replaced(text, "new")
    with pytest.raises(ValueError, match="<!-- benchmarks -->"):
        replaced("no marks", "new")
