"""The chain of revisions."""

from __future__ import annotations

import pytest

from mlflow.store.backends.sql.revisions import (
    GONE_COLUMNS,
    GONE_INDEXES,
    NARROWED_COLUMNS,
    OLDEST_TABLES,
    RENAMED_COLUMNS,
    REVISIONS,
    position,
)
from mlflow.store.backends.sql.tables import HEAD, metadata


def test_the_chain():
    assert 67 == len(REVISIONS) == len(set(REVISIONS))
    assert HEAD == REVISIONS[-1]


def test_position():
    assert 0 == position(None)
    assert [1, 67] == [position(REVISIONS[0]), position(HEAD)]
    with pytest.raises(ValueError, match="not in tuple"):
        position("ffffffffffff")


def test_nothing_that_is_declared_is_gone():
    """What is removed from databases is not what their schema has today."""
    columns = {(table.name, one.name) for table in metadata.tables.values() for one in table.c}
    indexes = {(t.name, str(one.name)) for t in metadata.tables.values() for one in t.indexes}

    assert not GONE_COLUMNS & columns
    assert not GONE_INDEXES & indexes
    assert columns >= NARROWED_COLUMNS
    assert not RENAMED_COLUMNS.keys() & columns
    assert columns >= {(table, new) for (table, _), new in RENAMED_COLUMNS.items()}
    assert metadata.tables.keys() >= OLDEST_TABLES
