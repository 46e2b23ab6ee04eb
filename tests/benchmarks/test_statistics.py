"""Medians, spreads and ratios, and what a stalled connection looks like."""

from __future__ import annotations

import random

import pytest

from benchmarks.statistics import better, median, quantile, spread, stalled, waits


def test_quantiles_lie_between_samples():
    """The order of samples does not matter, and one sample is its own quantile."""
    assert 2.5 == median([4, 1, 3, 2])
    assert 1.75 == quantile([4, 1, 3, 2], 0.25)
    assert 7 == quantile([7], 0.9)


def test_spread_is_the_middle_half_of_many_and_the_ends_of_few():
    """One outlier of many samples does not show; of three samples all do."""
    assert (2.0, 4.0) == spread([1, 2, 3, 4, 100])
    assert (1, 100) == spread([100, 1, 3])


def test_better_knows_rates_from_times():
    """Twice the rate is twice as good, and so is half the time."""
    assert 2 == better(20, 10, higher=True)
    assert 2 == better(10, 20, higher=False)
    assert better(-1, 20, higher=False) is None


@pytest.mark.parametrize(("low", "high", "name"), [
    (0.0405, 0.0442, "40 ms"), (0.2002, 0.2060, "200 ms"),
])  # fmt: skip
def test_a_stall_is_flagged(low, high, name):
    """Most waits are the stall and a little more, a few are free of it."""
    chance = random.Random(1)
    seconds = [chance.uniform(low, high) for _ in range(90)] + [0.0006] * 10

    assert name == stalled(seconds)


@pytest.mark.parametrize("seconds", [
    [],
    [0.0006] * 100,
    [0.0006] * 60 + [0.0411] * 40,  # some calls wait for a disk; the median is no stall
    [0.011, 0.024, 0.044, 0.065, 0.090],  # the median is there by chance
    [0.150] * 20,
])  # fmt: skip
def test_work_is_not_flagged(seconds):
    """What takes as long as it takes is spread, or lies elsewhere."""
    assert stalled(seconds) is None


def test_waits_are_told_of_times_and_rates():
    """A rate is of waits that are known, or that follow from what each was for."""
    assert [0.04] == waits({"unit": "ms", "samples": [40.0]})
    assert [0.04] == waits({"unit": "points/s", "samples": [25_000.0], "each": 1000})
    assert [0.04] == waits({"unit": "requests/s", "samples": [400.0], "waits_ms": [40.0]})
    assert [] == waits({"unit": "MB", "samples": [40.0]})
    assert [] == waits({"unit": "ms", "over": 20.0})


def test_a_rate_shows_a_stall():
    """Twenty-five batches a second, one after the other, are a stall a batch."""
    row = {"unit": "points/s", "samples": [24_000.0, 23_500.0, 24_400.0], "each": 1000}

    assert "40 ms" == stalled(waits(row))


def test_one_wait_is_no_cluster():
    """A server that takes 40 ms to start is no stall."""
    assert stalled([0.041]) is None
