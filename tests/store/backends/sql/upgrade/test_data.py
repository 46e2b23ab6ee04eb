"""What an upgrade does with rows."""

from __future__ import annotations

import pytest
import sqlalchemy

from mlflow.store.backends.sql.tables import latest_metrics, metadata, metrics, runs, tags
from mlflow.store.backends.sql.tables_gateway import workspaces
from mlflow.store.backends.sql.upgrade.data import (
    default_workspace,
    latest_points,
    moves_since,
    users_to_tags,
)


@pytest.fixture
def connection():
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as made:
        metadata.create_all(made)
        yield made
    engine.dispose()


def test_users(connection):
    people = {"a": "ada", "b": None, "c": "", "d": "dan", "e": "eve"}
    rows = [{"run_uuid": run, "user_id": user} for run, user in people.items()]
    connection.execute(runs.insert(), rows)
    connection.execute(tags.insert().values(key="mlflow.user", value="other", run_uuid="d"))

    for _ in range(2):
        users_to_tags(connection)

    found = connection.execute(sqlalchemy.select(tags.c.run_uuid, tags.c.key, tags.c.value)).all()
    assert [("a", "ada"), ("d", "other"), ("e", "eve")] == sorted(
        (run, value) for run, _, value in found
    )
    assert {"mlflow.user"} == {key for _, key, _ in found}


# (value, timestamp, step, is_nan) of points, and which of them is the latest
SERIES = {
    "step": ([(1, 9, 0, 0), (2, 1, 1, 0), (3, 0, 1, 0)], 1),
    "time": ([(5, 1, 0, 0), (4, 2, 0, 0)], 1),
    "value": ([(5, 1, 0, 0), (6, 1, 0, 0), (4, 1, 0, 0)], 1),
    "nan is the smallest": ([(0, 1, 0, 1), (-7, 1, 0, 0)], 1),
    "only nan": ([(0, 1, 0, 1)], 0),
    "negative steps": ([(0, 1, -5, 0), (0, 1, -4, 0)], 1),
    "there already": ([(3, 1, 0, 0)], 0),
}


def test_latest_points(connection):
    for key, (points, _) in SERIES.items():
        for value, timestamp, step, is_nan in points:
            row = {
                "key": key,
                "value": value,
                "timestamp": timestamp,
                "step": step,
                "run_uuid": "r",
            }
            connection.execute(metrics.insert().values(is_nan=bool(is_nan), **row))
    kept = {"value": 77, "timestamp": 7, "step": 7, "is_nan": False, "run_uuid": "r"}
    connection.execute(latest_metrics.insert().values(key="there already", **kept))

    for _ in range(2):
        latest_points(connection)

    of = latest_metrics.c
    found = {
        row.key: (row.value, row.timestamp, row.step, int(row.is_nan))
        for row in connection.execute(
            sqlalchemy.select(of.key, of.value, of.timestamp, of.step, of.is_nan)
        )
    }
    wanted = {key: points[latest] for key, (points, latest) in SERIES.items()}
    assert wanted | {"there already": (77, 7, 7, 0)} == found


def test_the_default_workspace(connection):
    for _ in range(2):
        default_workspace(connection)

    assert ["default"] == connection.execute(sqlalchemy.select(workspaces.c.name)).scalars().all()


def test_which_rows_move():
    """Only what a revision after the database's own did."""
    assert [4, 4, 3, 2, 1, 1, 0] == [
        len(moves_since(revision))
        for revision in (
            None, "451aebb31d03", "90e64c465722", "89d4b8295536", "1b5f0d9ad7c1", "b7e2c1a4d9f3",
            "75868b020152",
        )
    ]  # fmt: skip
