"""What the pages tell a reader to do works, and prints what they say."""

from __future__ import annotations

import configparser
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import mlflow
from tests.conftest import FULL
from tests.docs.blocks import PAGES, RUN, Session, blocks

WITH_PROGRAMS = [page for page in PAGES if any(one.is_run for one in blocks(page))]
LEFT_OUT = [one for page in PAGES for one in blocks(page) if one.mark == "not run"]
# Pages whose commands are many processes.
HEAVY = {f"docs/guides/{name}.md" for name in ("from-mlflow", "hpc", "serve", "team")}
HISTORY = Path(__file__).parents[1] / "store/backends/sql/recorded/history"


def _mlflow_1(folder: Path) -> None:
    """A database of an older MLflow, for those who come from one."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        connection.executescript((HISTORY / "181f10493468.sql").read_text(encoding="utf-8"))


def _both_stores(folder: Path) -> None:
    """A folder and a database, for those who leave."""
    for uri in (f"sqlite:///{folder}/mlflow.db", str(folder / "mlruns")):
        mlflow.set_tracking_uri(uri)
        with mlflow.start_run():
            mlflow.log_metric("loss", 0.5)
    mlflow.set_tracking_uri(None)


# What the reader of a page has already.
BEFORE = {"docs/guides/from-mlflow.md": _mlflow_1, "docs/guides/to-mlflow.md": _both_stores}


@pytest.mark.skipif(os.name == "nt", reason="the blocks are for a POSIX shell")
@pytest.mark.parametrize("page", WITH_PROGRAMS)
def test_page_runs(page):
    """The blocks of a page work one after the other, as a reader would try them."""
    if page in HEAVY and not FULL:
        pytest.skip("this page takes seconds: MILLSTREAM_FULL=1 runs it")
    BEFORE.get(page, lambda folder: None)(Path.cwd())
    session = Session(Path.cwd())
    try:
        for block in blocks(page):
            session.run(block)
    finally:
        session.close()


@pytest.mark.parametrize("block", LEFT_OUT, ids=lambda block: block.place)
def test_what_is_not_run_says_why(block):
    """A reader's program that no test runs has its reason, which the summary shows."""
    assert block.language in RUN
    assert len(block.note) > 10

    pytest.skip(block.note)


@pytest.mark.parametrize("page", PAGES)
def test_data_can_be_read(page):
    """Blocks of JSON and INI are of their language, and every other is one that is known."""
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "ini":
            configparser.ConfigParser().read_string(block.text)
        else:
            assert block.language in {*RUN, "text"}, block.place
