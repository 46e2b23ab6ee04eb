"""The derived index of runs: finds a page of a search without reading every run.

The tree of files is the truth. The index remembers, for each run, what its files said and a
*stamp* (times, size, inode) of each file and folder it was read from. A search first checks the
stamps that its answer depends on, reads again what changed, whoever changed it, and then lets
SQLite filter and order. The runs it returns are read from their files and checked once more.

Which stamps suffice, given how file stores are written:

* `meta.yaml`: attributes and lifecycle. It is replaced or rewritten, so one stat sees it.
* `metrics/<key>` and `tags/<key>`: appended to and rewritten in place, so each file that the
  search looks at needs its own stat; where a run lacks the key, the stamp of the folder shows
  that the file has not appeared.
* `params/`: a param is written once; the folder's stamp shows new ones.
* the folder of the experiment: runs that came or went.

A file that changed in the same tick of the clock in which it was read would look unchanged.
Such *racy* runs are read again by the next search, like runs of which a file could not be read.

The database lives in memory, each process its own; a checked snapshot in the user's cache folder
saves the next process the reading. So no process waits for another, and a snapshot that is
missing, old, damaged or forged costs time, never a row.
"""

from __future__ import annotations

import os
import threading
import time

from mlflow.entities.experiment import LifecycleStage
from mlflow.entities.paged_list import PagedList
from mlflow.search.match import cell_reader, key_maker, kinds_of, predicate, search_mark
from mlflow.search.page import Start, read_token, write_token
from mlflow.store.backends.disks import is_shared
from mlflow.store.backends.file.index_file import load, save
from mlflow.store.backends.file.index_query import SCHEMA, Statement, targets_of
from mlflow.store.backends.file.index_stamps import (
    Check,
    Look,
    folders_in,
    is_recent,
    stamp_of,
    stat_of,
)
from mlflow.tags import MLFLOW_DATASET_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from typing import Any

    from mlflow.entities.run import Run
    from mlflow.store.backends.base import Query

    # From the folder of an experiment and the name of a run's folder to the run; None when it is
    # not one. It may raise for a run that cannot be read.
    ReadRun = Callable[[str, str], "Run | None"]

# How many runs must have been read anew before the snapshot is worth writing.
_WORTH_SAVING = 512
_ATTEMPTS = 3
_MAX_EXPERIMENTS = 20_000


class _Unusable(Exception):
    """The index cannot hold what the files say; the caller scans instead."""


class RunIndex:
    """An index of the runs of one store, for one process.

    Calls may come from any thread, one at a time is served. After `os.fork` the child starts with
    an empty index.

    Args:
        root: the folder of the store.
        read_run: reads one run.
        keep: whether a snapshot is read from and written to the cache folder.
        least: below this number of runs `search` leaves the work to a scan, which is then
            quicker than reading and indexing.
    """

    def __init__(
        self, root: str, read_run: ReadRun, *, keep: bool = True, least: int = 1000
    ) -> None:
        self._root = root
        self._least = least
        self._remote: bool | None = None
        self._read_run = read_run
        self._keep = keep
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._process = os.getpid()
        self._unsaved = 0
        # What was read for the search at hand, so that it is not read twice.
        self._fresh: dict[tuple[str, str], Run] = {}
        # How often a run was read; tests count it.
        self.reads = 0

    def search(
        self,
        experiments: Sequence[tuple[str, str]],
        view_type: int,
        query: Query,
        narrowed: tuple[object, ...] = (),
    ) -> PagedList[Run] | None:
        """Return the page of a search, as `mlflow.search.match.page` gives it for all the runs.

        Args:
            experiments: id and folder of each experiment, each once.
            view_type: which lifecycle stages are shown.
            query: filter, order, size and start of the page.
            narrowed: the `query` that `page` would be given, so that the tokens are the same.

        Returns:
            The page; None when the runs should be scanned: there are few, the search needs
            metric histories, the store is on the disk of another machine, or a run holds what a
            database cannot.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a page token that is damaged or foreign.
        """
        self._begin_anew_after_fork()
        if self._remote is None:
            self._remote = is_shared(self._root)
        targets = targets_of(query.where, query.order_by)
        if targets is None or self._remote or not self._are_many(experiments):
            return None
        mark = search_mark("runs", query.where, query.order_by, narrowed)
        start = read_token(query.page_token, mark, kinds_of("runs", query.order_by))
        # Loaded here, and json below: logging loads this module, and must not wait for them.
        import sqlite3

        with self._lock:
            try:
                return self._search(dict(experiments), view_type, query, start, mark)
            except (_Unusable, sqlite3.Error, OverflowError, UnicodeError):
                self._forget()
                return None
            finally:
                self._fresh.clear()

    def close(self) -> None:
        """Write what is worth keeping and give back the memory."""
        self._begin_anew_after_fork()
        with self._lock:
            if self._database is not None:
                self._save()
            self._forget()

    # ── searching ──

    def _are_many(self, experiments: Sequence[tuple[str, str]]) -> bool:
        """Tell whether there are so many runs that reading them all would take longer."""
        if self._database is not None or len(experiments) > _MAX_EXPERIMENTS:
            return len(experiments) <= _MAX_EXPERIMENTS
        count = 0
        for _, folder in experiments:
            count += len(folders_in(folder))
            if count >= self._least:
                return True
        return False

    def _search(
        self, folders: dict[str, str], view_type: int, query: Query, start: Start, mark: int
    ) -> PagedList[Run]:
        targets = targets_of(query.where, query.order_by) or []
        statement = Statement(query.where, query.order_by, targets)
        database = self._open()
        for name, function in statement.functions.items():
            database.create_function(name, 1, function, deterministic=True)
        stages = LifecycleStage.view_type_to_stages(view_type)
        ids = list(folders)
        for _ in range(_ATTEMPTS):
            self._refresh(folders, statement, targets)
            sql, values = statement.page(ids, stages, start, query.max_results + 1)
            rows = database.execute(sql, values).fetchall()
            more = len(rows) > query.max_results
            runs = self._read_page(folders, rows[: query.max_results], stages, query)
            if runs is None:
                continue
            token = None
            if more and runs:
                token = write_token(mark, cell_reader("runs", query.order_by)(runs[-1]))
            self._save_if_worth()
            return PagedList(runs, token)
        raise _Unusable

    def _read_page(
        self,
        folders: dict[str, str],
        rows: list[tuple[str, str]],
        stages: list[str],
        query: Query,
    ) -> list[Run] | None:
        """Return the runs of a page from their files; None when the index was wrong about one."""
        passes = predicate("runs", query.where)
        found = []
        for exp, run_id in rows:
            run = self._fresh.get((exp, run_id)) or self._read(folders[exp], run_id)
            if run is None or run.info.lifecycle_stage not in stages or not passes(run):
                self._distrust(exp, run_id)
                return None
            found.append(run)
        cells_of, key_of = cell_reader("runs", query.order_by), key_maker(query.order_by)
        keys = [key_of(cells_of(run)) for run in found]
        for row, before, after in zip(rows[1:], keys, keys[1:], strict=False):
            if not before < after:
                self._distrust(*row)
                return None
        return found

    def _read(self, folder: str, run_id: str) -> Run | None:
        self.reads += 1
        try:
            return self._read_run(folder, run_id)
        except Exception:  # noqa: BLE001 - whatever is wrong with one run, the others are listed
            return None

    def _distrust(self, exp: str, run_id: str) -> None:
        """Have a run read again, though its stamps say that it need not be."""
        self._fresh.pop((exp, run_id), None)
        self._open().execute("UPDATE runs SET racy = 1 WHERE exp = ? AND run_id = ?", (exp, run_id))

    # ── keeping up with the files ──

    def _refresh(
        self, folders: dict[str, str], statement: Statement, targets: list[tuple[str, str]]
    ) -> None:
        database = self._open()
        database.execute("BEGIN")
        try:
            for exp, folder in folders.items():
                self._refresh_listing(exp, folder)
            check = Check(folders, targets)
            sql, values = statement.stamps(list(folders))
            stale = [row[:3] for row in database.execute(sql, values) if not check.holds(row)]
            for rid, exp, run_id in stale:
                if (exp, run_id) not in self._fresh:
                    self._take(exp, folders[exp], run_id, rid)
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _refresh_listing(self, exp: str, folder: str) -> None:
        database = self._open()
        now, found = time.time_ns(), stat_of(folder)
        kept = database.execute("SELECT stamp FROM experiments WHERE exp = ?", (exp,)).fetchone()
        if found is not None and kept is not None and kept[0] == stamp_of(found):
            return
        names = folders_in(folder)
        known = dict(database.execute("SELECT run_id, rid FROM runs WHERE exp = ?", (exp,)))
        for run_id in known.keys() - names:
            self._drop(known[run_id])
        complete = True
        for name in names - known.keys():
            if not self._take(exp, folder, name, None):
                complete = False
        settled = complete and found is not None and not is_recent(found.st_mtime_ns, now)
        database.execute(
            "INSERT OR REPLACE INTO experiments VALUES (?, ?)",
            (exp, stamp_of(found) if settled and found is not None else None),
        )

    def _take(self, exp: str, folder: str, run_id: str, rid: int | None) -> bool:
        """Read a run and put it in the tables in place of `rid`; tell whether it is one."""
        if rid is None and stat_of(f"{folder}/{run_id}/meta.yaml") is None:
            return False
        look = Look(f"{folder}/{run_id}")
        run = self._read(folder, run_id)
        if rid is not None:
            self._drop(rid)
        if run is None:
            return False
        self._insert(exp, run_id, run, look)
        self._fresh[exp, run_id] = run
        self._unsaved += 1
        return True

    def _insert(self, exp: str, run_id: str, run: Run, look: Look) -> None:
        import json

        database, info, data = self._open(), run.info, run.data
        metrics, params, tags = data.metrics, data.params, data.tags
        racy = look.is_racy(metrics, params, tags)
        row = (
            exp,
            run_id,
            *map(_text, (info.lifecycle_stage, info.status, info.run_name, info.user_id)),
            _text(info.artifact_uri),
            *map(_whole, (info.start_time, info.end_time)),
            racy,
            *look.stamps,
            json.dumps(look.nested) if look.nested else None,
        )
        marks = ",".join("?" * len(row))
        rid = database.execute(f"INSERT INTO runs VALUES (NULL,{marks})", row).lastrowid  # noqa: S608
        files = look.files
        database.executemany(
            "INSERT INTO metrics VALUES (?,?,?,?,?)",
            [
                # NaN is what does not equal itself.
                (rid, key, float(value) if value == value else None, value != value, stamp)  # noqa: PLR0124
                for key, value in metrics.items()
                for stamp in (files["metrics"].get(key),)
            ],
        )
        database.executemany(
            "INSERT INTO params VALUES (?,?,?)",
            [(rid, key, _text(value)) for key, value in params.items()],
        )
        database.executemany(
            "INSERT INTO tags VALUES (?,?,?,?)",
            [(rid, key, _text(value), files["tags"].get(key)) for key, value in tags.items()],
        )
        database.executemany("INSERT INTO datasets VALUES (?,?,?,?)", _datasets(rid, run))

    def _drop(self, rid: int) -> None:
        database = self._open()
        for table in ("metrics", "params", "tags", "datasets", "runs"):
            database.execute(f"DELETE FROM {table} WHERE rid = ?", (rid,))  # noqa: S608

    # ── the database ──

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            body = load(self._root) if self._keep else None
            kept = _restore(body, self._root) if body else None
            self._database = kept or _create(self._root)
        return self._database

    def _save_if_worth(self) -> None:
        if self._unsaved < _WORTH_SAVING:
            return
        (total,) = self._open().execute("SELECT count(*) FROM runs").fetchone()
        if self._unsaved * 8 >= total:
            self._save()

    def _save(self) -> None:
        if self._keep and self._unsaved >= _WORTH_SAVING and self._database is not None:
            save(self._root, self._database.serialize())
            self._unsaved = 0

    def _begin_anew_after_fork(self) -> None:
        # In the child the lock may be held by a thread that is not there.
        if self._process != os.getpid():
            self._lock = threading.Lock()
            self._process = os.getpid()
            self._database = None
            self._fresh = {}

    def _forget(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None
        self._unsaved = 0


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise _Unusable


def _whole(value: object) -> int | None:
    if value is None or type(value) is int:
        return value
    raise _Unusable


def _datasets(rid: int | None, run: Run) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for item in run.inputs.dataset_inputs if run.inputs else ():
        contexts = [tag.value for tag in item.tags if tag.key == MLFLOW_DATASET_CONTEXT]
        for context in contexts or (None,):
            rows.append((rid, item.dataset.name, item.dataset.digest, context))
    return rows


def _about(root: str) -> dict[str, str]:
    """Return what a snapshot must say to be usable here."""
    return {"root": os.path.realpath(root), "hash": str(hash((1, 2**40, 3)))}


def _connect() -> sqlite3.Connection:
    import sqlite3

    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def _create(root: str) -> sqlite3.Connection:
    database = _connect()
    for statement in SCHEMA:
        database.execute(statement)
    database.executemany("INSERT INTO about VALUES (?, ?)", list(_about(root).items()))
    return database


def _restore(body: bytes, root: str) -> sqlite3.Connection | None:
    """Return the database of a snapshot; None when it is not exactly one of ours."""
    import sqlite3

    database = _connect()
    try:
        database.deserialize(body)
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        found = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        if (
            sorted(SCHEMA) == sorted(sql for (sql,) in found)
            and database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            and dict(database.execute("SELECT key, value FROM about")) == _about(root)
        ):
            return database
    except (sqlite3.Error, UnicodeError, AttributeError):
        pass
    database.close()
    return None
