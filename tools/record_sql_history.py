"""Record databases of older revisions of MLflow's schema, as text for the upgrade tests.

Usage: walk a stock MLflow's migrations on SQLite, then write down some of what the walk kept:
    STOCK_PYTHON tests/interop/stock_migrations.py sqlite:////tmp/walk/live.db /tmp/walk
    tools/record_sql_history.py /tmp/walk tests/store/backends/sql/recorded/history
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path

# MLflow 0.9, 1.0, 2.6, 3.1, 3.9 and 3.16.
SAMPLES = (
    "base", "181f10493468", "7f2a7d5fae7d", "770bee3ae1dd", "d0e1f2a3b4c5", "b7e2c1a4d9f3",
)  # fmt: skip


def main() -> None:
    """Write one file of statements for each of the samples."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for revision in SAMPLES:
        with contextlib.closing(sqlite3.connect(source / f"{revision}.db")) as connection:
            text = "\n".join(connection.iterdump())
        (target / f"{revision}.sql").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
