"""Failures cost time, a name's own and an address's, and are forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from mlflow.exceptions import MlflowException
from mlflow.server.auth.config import AuthConfig
from mlflow.server.auth.tables import failures
from mlflow.server.auth.throttle import FREE_OF_ADDRESS, FREE_OF_NAME, Throttle
from mlflow.server.auth.users import Users
from tests.conftest import FULL

from .conftest import PASSWORD, config


@pytest.fixture
def throttle(users, clock):
    return Throttle(users.accounts.database, clock)


def rows(users):
    count = select(func.count()).select_from(failures)
    return users.accounts.database.run(lambda connection: connection.execute(count).scalar())


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


def test_two_hundred_guesses_take_hours(throttle, clock):
    start, made = clock.now, 0
    while made < 200:
        if waits(throttle, "ann"):
            clock.now += 100
            continue
        throttle.failed("ann", "1.2.3.4")
        made += 1
    assert clock.now - start > 14 * 3600


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


def test_an_hour_forgets(throttle, clock, users):
    for _ in range(FREE_OF_NAME - 1):
        throttle.failed("ann", "1.2.3.4")
    clock.now += 3601
    throttle.failed("ann", "1.2.3.4")
    assert not waits(throttle, "ann")
    clock.now += 3601
    throttle.failed("bob", "5.6.7.8")
    assert 2 == rows(users)


def test_what_is_kept_is_bounded(throttle, clock, users, monkeypatch):
    """The oldest goes first; who fails again is not the oldest."""
    monkeypatch.setattr("mlflow.server.auth.throttle._KEPT", 20)
    for number in range(60):
        clock.now += 1
        throttle.failed(str(number), "1.2.3.4")
    assert 20 >= rows(users)
    assert waits(throttle, "ann")


def test_who_gives_no_name_counts_for_the_address_alone(throttle, users):
    for _ in range(FREE_OF_ADDRESS - 1):
        throttle.failed("", "1.2.3.4")
    assert 1 == rows(users)
    assert not waits(throttle, "")
    throttle.failed("", "1.2.3.4")
    assert waits(throttle, "")


def test_processes_count_together(users, tmp_path):
    """Failures that one has seen hold in the other; being right there is being right here."""
    others = Users(config(tmp_path))
    for number in range(FREE_OF_NAME):
        one = (users, others)[number % 2]
        assert one.sign_in.user("admin", "wrong", "1.2.3.4") is None
    for one in (users, others):
        with pytest.raises(MlflowException, match="Try again in"):
            one.sign_in.user("admin", PASSWORD, "1.2.3.4")
    others.throttle.succeeded("admin", "1.2.3.4")
    assert users.sign_in.user("admin", PASSWORD, "1.2.3.4") is not None
    others.close()


@pytest.mark.skipif(not FULL, reason="on servers of databases with MILLSTREAM_FULL=1")
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_failures_at_one_time_all_count(servers, dialect, clock):
    """Of two processes with four threads each, on a server of databases."""
    uri = servers[dialect].make()
    both = [Users(AuthConfig(database_uri=uri)) for _ in range(2)]
    made = [Throttle(one.accounts.database, clock) for one in both]
    made[0].failed("other", "5.6.7.8")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: made[number % 2].failed("ann", "1.2.3.4"), range(40)))
    statement = select(failures.c.failures).order_by(failures.c.failures)
    found = both[0].accounts.database.run(lambda c: list(c.execute(statement).scalars()))
    assert [1, 1, 40, 40] == found
    assert waits(made[1], "ann")
    for one in both:
        one.close()
