"""Pictures are made of what was measured, and are well-formed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from benchmarks.plots import growth, plots
from benchmarks.svg import apart, bars, lines, powers


def _ms(*samples):
    return {"unit": "ms", "samples": list(samples)}


def _texts(picture):
    return [
        "".join(one.itertext())
        for one in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_lines_follow_counts():
    """A line has a point for each count that was measured, from the least; others have none."""
    rows = {
        "chart of 100,000 points, SQLite": _ms(3),
        "chart of 1,000 points, SQLite": _ms(1, 2, 9),
        "chart of 1,000 points, SQLite, first look": _ms(50),
        "chart of 1,000,000 points, SQLite": {"unit": "ms", "over": 20.0},
    }
    group = {"sides": {"millstream": {"title": "Millstream", "rows": rows}}}

    found = growth({"points": group}, {"SQLite": "chart of N points, SQLite"})

    assert {"Millstream, SQLite": [(1000.0, 2), (100000.0, 3)]} == found
    assert "Millstream, SQLite" in _texts(plots({"points": group})["benchmarks-points.svg"].svg)


def test_bars_stand_on_both_sides_of_one():
    """What is worse than the other side goes to the left, in another colour."""
    picture = bars("Times <better>", {"a": 10.0, "b": 0.5}, {"a": "10.0", "b": "0.5"})
    shapes = {
        one.get("class"): one
        for one in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}rect")
    }

    assert {"s0", "s1"} == set(shapes)
    assert float(shapes["s1"].get("x")) < float(shapes["s0"].get("x"))
    assert "Times <better>" in _texts(picture)


def test_pictures_are_readable_on_dark_pages():
    """Each colour of light pages has another on dark ones, text and grid included."""
    light, _, dark = lines("t", {"x": [(1, 1), (10, 10)]}, across="n", up="ms").partition("@media")

    for name in ("text", ".g", ".s0", ".s5", ".l0"):
        assert f"{name}{{fill:#" in light or f"{name}{{stroke:#" in light
        assert f"{name}{{fill:#" in dark or f"{name}{{stroke:#" in dark


def test_labels_keep_apart_and_in_order():
    """Two ends at one height are both readable."""
    found = apart({"low": 100.0, "high": 99.0, "far": 300.0}, step=15)

    assert {"high": 99.0, "low": 114.0, "far": 300.0} == found


@pytest.mark.parametrize(("low", "high", "ticks"), [
    (3, 30, [1, 10, 100]), (1, 1, [1, 10]), (0.2, 5, [0.1, 1, 10]),
])  # fmt: skip
def test_axes_hold_their_values(low, high, ticks):
    """From the power of ten below to the one above."""
    assert ticks == powers(low, high)
