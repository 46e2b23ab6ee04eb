"""Charts as SVG: bars and lines on logarithmic axes, readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

# Told apart without colour, too: every line is named at its end.
COLOURS = ("#0b7285", "#c2410c", "#6d28d9", "#4d7c0f", "#be185d", "#525252")
DARK = ("#22b8cf", "#fb923c", "#a78bfa", "#a3e635", "#f472b6", "#a3a3a3")
_TEXT, _LINE = ("#1f2328", "#d0d7de"), ("#e6edf3", "#3d444d")


def _style() -> str:
    light, dark = (
        "".join(
            f".s{n}{{fill:{one}}}.l{n}{{stroke:{one};fill:none}}" for n, one in enumerate(shades)
        )
        + f"text{{fill:{words}}}.g{{stroke:{grid}}}"
        for shades, (words, grid) in ((COLOURS, _TEXT), (DARK, _LINE))
    )
    return (
        "<style>text{font:12px system-ui,sans-serif}.t{font-weight:600;font-size:14px}"
        f".r{{text-anchor:end}}.m{{text-anchor:middle}}{light}"
        f"@media (prefers-color-scheme:dark){{{dark}}}</style>"
    )


def _document(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">'
        f'<title>{escape(title)}</title>{_style()}<text class="t" x="12" y="22">{escape(title)}'
        f"</text>{''.join(parts)}</svg>\n"
    )


def powers(low: float, high: float) -> list[float]:
    """Return the powers of ten from at most the low value to at least the high one."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**n for n in range(first, max(last, first + 1) + 1)]


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 1e3 else f"{value:g}"


def bars(title: str, values: Mapping[str, float], said: Mapping[str, str]) -> str:
    """Return horizontal bars on a logarithmic axis.

    Args:
        title: of the chart.
        values: what a bar stands for, and how long it is; greater than 0.
        said: the text at the end of each bar.
    """
    left, right, line = 400, 90, 20
    width, top = 860, 40
    ticks = powers(min(1.0, *values.values()), max(values.values()))
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])

    def place(value: float) -> float:
        return left + (math.log10(value) - low) / (high - low) * (width - left - right)

    bottom = top + line * len(values) + 6
    parts = [
        f'<line class="g" x1="{place(tick):.1f}" x2="{place(tick):.1f}" y1="{top}" y2="{bottom}"/>'
        f'<text class="m" x="{place(tick):.1f}" y="{bottom + 16}">{_short(tick)}</text>'
        for tick in ticks
    ]
    for at, (name, value) in enumerate(values.items()):
        y = top + line * at
        start, end = sorted((place(1.0), place(value)))
        parts.append(
            f'<text class="r" x="{left - 8}" y="{y + 14}">{escape(name)}</text>'
            f'<rect class="s{int(value < 1)}" x="{start:.1f}" y="{y + 3}" '
            f'width="{max(end - start, 1):.1f}" height="{line - 6}"/>'
            f'<text x="{end + 6:.1f}" y="{y + 14}">{escape(said[name])}</text>'
        )
    return _document(width, bottom + 26, title, parts)


def lines(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    up: str,
) -> str:
    """Return lines on two logarithmic axes, each named at its end.

    Args:
        title: of the chart.
        series: name of a line, and its points from left to right; all greater than 0.
        across: what the horizontal axis is.
        up: what the vertical axis is.
    """
    left, right, top, bottom = 70, 250, 50, 370
    width, height = 860, 420
    points = [point for one in series.values() for point in one]
    xs = powers(min(x for x, _ in points), max(x for x, _ in points))
    ys = powers(min(y for _, y in points), max(y for _, y in points))

    def across_at(x: float) -> float:
        share = math.log10(x / xs[0]) / math.log10(xs[-1] / xs[0])
        return left + share * (width - left - right)

    def up_at(y: float) -> float:
        return bottom - math.log10(y / ys[0]) / math.log10(ys[-1] / ys[0]) * (bottom - top)

    parts = [
        f'<line class="g" x1="{left}" x2="{width - right}" y1="{up_at(y):.1f}" y2="{up_at(y):.1f}"/>'
        f'<text class="r" x="{left - 8}" y="{up_at(y) + 4:.1f}">{_short(y)}</text>'
        for y in ys
    ]
    parts += [
        f'<text class="m" x="{across_at(x):.1f}" y="{bottom + 18}">{_short(x)}</text>' for x in xs
    ]
    parts.append(
        f'<text class="m" x="{(left + width - right) / 2:.0f}" y="{bottom + 38}">{escape(across)}</text>'
        f'<text x="12" y="{top - 10}">{escape(up)}</text>'
    )
    wanted = {name: up_at(one[-1][1]) for name, one in series.items()}
    labels = apart(wanted)
    for at, (name, one) in enumerate(series.items()):
        path = " ".join(f"{across_at(x):.1f},{up_at(y):.1f}" for x, y in one)
        dots = "".join(
            f'<circle class="s{at % 6}" r="3.5" cx="{across_at(x):.1f}" cy="{up_at(y):.1f}"/>'
            for x, y in one
        )
        x = across_at(one[-1][0]) + 10
        parts.append(
            f'<polyline class="l{at % 6}" stroke-width="2" points="{path}"/>{dots}'
            f'<text class="s{at % 6}" x="{x:.1f}" y="{labels[name] + 4:.1f}">{escape(name)}</text>'
        )
    return _document(width, height, title, parts)


def apart(wanted: Mapping[str, float], step: float = 15.0) -> dict[str, float]:
    """Return heights at which labels do not lie on each other, in the same order."""
    found: dict[str, float] = {}
    above = -math.inf
    for name, height in sorted(wanted.items(), key=lambda one: one[1]):
        above = max(height, above + step)
        found[name] = above
    return found
