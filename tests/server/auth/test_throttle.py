"""Failures cost time, a name's own and an address's, and are forgotten."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.auth.throttle import FREE_OF_ADDRESS, FREE_OF_NAME, Throttle


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle(clock)


def waits(throttle, name, address="1.2.3.4"):
    try:
        throttle.check(name, address)
    except MlflowException as error:
        assert "RESOURCE_EXHAUSTED" == error.error_code
        return True
    return False


def test_a_name_waits_longer_each_time(throttle, clock):
    for _ in range(FREE_OF_NAME - 1):
        throttle.failed("ann", "1.2.3.4")
    assert not waits(throttle, "ann")
    spans = []
    for _ in range(4):
        throttle.failed("ann", "1.2.3.4")
        start = clock.now
        while waits(throttle, "ann"):
            clock.now += 1
        spans.append(clock.now - start)
    assert [1, 2, 4, 8] == spans
    assert not waits(throttle, "bob")


def test_ten_thousand_guesses_take_weeks(throttle, clock):
    start, made = clock.now, 0
    while made < 10_000:
        if waits(throttle, "ann"):
            clock.now += 100
            continue
        throttle.failed("ann", "1.2.3.4")
        made += 1
    assert clock.now - start > 14 * 24 * 3600


def test_many_names_from_one_address_wait_too(throttle):
    for number in range(FREE_OF_ADDRESS):
        throttle.failed(f"user{number}", "1.2.3.4")
    assert waits(throttle, "ann")
    assert not waits(throttle, "ann", "5.6.7.8")


def test_being_right_forgets(throttle):
    for _ in range(FREE_OF_NAME):
        throttle.failed("ann", "1.2.3.4")
    assert waits(throttle, "ann")
    throttle.succeeded("ann", "1.2.3.4")
    assert not waits(throttle, "ann")


def test_memory_is_bounded(throttle):
    for number in range(12_000):
        throttle.failed(str(number), str(number))
    assert 10_000 >= len(throttle._failed)
