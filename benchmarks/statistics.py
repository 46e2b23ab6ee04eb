"""Medians, spreads and ratios of samples, and the marks of a stalled connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Waits that networks make by themselves, in seconds: a delayed acknowledgement that meets Nagle's
# algorithm takes 40 ms on Linux and 200 ms elsewhere; what comes after it is added.
STALLS = {"40 ms": (0.038, 0.050), "200 ms": (0.195, 0.225)}
# Share of samples that have to lie there: of waits that depend on work, few are so alike.
ALIKE = 0.5
# Of fewer calls than this, nothing is said.
FEW = 3
_SCALE = {"ms": 1e-3, "µs": 1e-6}


def quantile(samples: Sequence[float], share: float) -> float:
    """Return a quantile, between samples by straight lines.

    Args:
        samples: in any order; at least one.
        share: of the samples that are below it, from 0 to 1.
    """
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(samples: Sequence[float]) -> float:
    """Return the median."""
    return quantile(samples, 0.5)


def spread(samples: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile; of less than four samples, the ends."""
    if len(samples) < 4:
        return min(samples), max(samples)
    return quantile(samples, 0.25), quantile(samples, 0.75)


def better(ours: float, other: float, *, higher: bool) -> float | None:
    """Return how many times better ours is, or nothing where that has no meaning.

    Args:
        ours: our median.
        other: that of the other side.
        higher: whether more is better.
    """
    if ours <= 0 or other <= 0:
        return None
    return ours / other if higher else other / ours


def waits(row: Mapping[str, Any]) -> list[float]:
    """Return the seconds that a caller waited, of a row of times or rates; nothing of others.

    A rate is of many waits. Where the row has their quantiles, `waits_ms`, these are returned; else
    the waits are the things that one was for, `each`, over the rate.
    """
    if "waits_ms" in row:
        return [one / 1000 for one in row["waits_ms"]]
    samples, scale = row.get("samples", ()), _SCALE.get(row["unit"])
    if scale:
        return [one * scale for one in samples]
    if row["unit"].endswith("/s"):
        return [row.get("each", 1) / one for one in samples if one > 0]
    return []


def stalled(seconds: Sequence[float]) -> str | None:
    """Return which stall the waits cluster at, or nothing.

    The median lies at the stall, and so do half of the waits. A tight cluster of other operations
    at the same place would be a coincidence; one row alone may be one, so it is a flag, no verdict.
    """
    if len(seconds) < FEW:
        return None
    middle = median(seconds)
    for name, (low, high) in STALLS.items():
        inside = sum(low <= one <= high for one in seconds) / len(seconds)
        if low <= middle <= high and inside >= ALIKE:
            return name
    return None
