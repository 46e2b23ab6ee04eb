"""Databases as older versions of MLflow made them, from recorded statements."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

HISTORY = Path(__file__).parents[1] / "recorded" / "history"


def make(path, revision):
    """Make a SQLite file of a recorded revision."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((HISTORY / f"{revision}.sql").read_text(encoding="utf-8"))


def rows(path):
    """Return what the tables of a SQLite file hold: rows as dicts, by table."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
            for name in names
        }


@pytest.fixture
def old(tmp_path):
    """Make a database of a recorded revision; return its path."""

    def made(revision):
        path = tmp_path / "store" / "mlflow.db"
        path.parent.mkdir(exist_ok=True)
        make(path, revision)
        return path

    return made
