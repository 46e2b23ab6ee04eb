"""A stock MLflow server, started once and emptied between tests."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess

from tests.server.running import free_port, wait_for


class StockServer:
    """One that is running, with its database beside it."""

    def __init__(self, uri, database):
        self.uri = uri
        self._database = database

    def empty(self):
        """Leave what a new database has: the default experiment."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=30)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in tables.fetchall():
                kept = "WHERE experiment_id <> 0" if name == "experiments" else ""
                if name not in ("alembic_version", "workspaces") and not name.startswith("sqlite_"):
                    connection.execute(f"DELETE FROM {name} {kept}")  # noqa: S608
            # A stock server lets the default experiment be deleted and renamed.
            connection.execute(
                "UPDATE experiments SET name = 'Default', lifecycle_stage = 'active'"
            )
            connection.commit()


@contextlib.contextmanager
def stock_server(python, folder, root=None):
    """Run `mlflow server` of a stock MLflow on SQLite in a folder; artifacts are said to be at root."""
    port = free_port()
    database = os.path.join(folder, "stock.db")
    output = os.path.join(folder, "stock.log")
    command = [
        python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{database}",
        "--default-artifact-root", root or os.path.join(folder, "artifacts"), "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    with open(output, "ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, output, seconds=240)
        yield StockServer(f"http://127.0.0.1:{port}", database)
    finally:
        # The command starts processes of its own, which outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
