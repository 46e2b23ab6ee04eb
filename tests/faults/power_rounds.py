"""The power goes at every call of a program that writes a store; what it was told is done is there.

A process of its own, which `shim.py` starts with the library that writes calls down.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import os
import random
import shutil
import sys
import traceback
import warnings

from mlflow.entities.run import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store import calls
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.journal import Journal, left_behind
from mlflow.store.local import LocalStore
from tests.faults import workload
from tests.faults.disk import Chooses, Disk, lay_out
from tests.faults.shim import Shim, recorded

DISK = os.environ["MILLSTREAM_DURABILITY"] = "disk"


class FileKind:
    """A store of files."""

    name = "file"

    def __init__(self, folder: str) -> None:
        self.plan = workload.steps(os.path.join(folder, "x.txt"))

    def prepare(self, root: str) -> None:
        """Make what is there before."""

    def open(self, root: str):
        return LocalStore(FileBackend(os.path.join(root, "store"), DISK))

    def skips(self, name: str) -> bool:
        return False

    def write(self, root: str, mark) -> None:
        store = self.open(root)
        for step in self.plan:
            mark(f"+{step.name}")
            step.do(store)
            mark(step.name)
        store.close()
        mark("closed")

    def check(self, root: str, done: list[str], begun: list[str], *, goes_on: bool) -> None:
        store = self.open(root)
        try:
            workload.read_all(store)
            workload.check(self.plan, store, done, begun)
            if goes_on:
                workload.go_on(self.plan, self.open(root), done)
        finally:
            store.close()


class SharedKind(FileKind):
    """The same in a folder that several machines write."""

    name = "shared"

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        os.environ["MILLSTREAM_SHARED_FOLDER"] = "always"


class SqliteKind(FileKind):
    """A SQLite database, which was made before."""

    name = "sqlite"
    #: What a store has compiled of statements is kept from one state to the next.
    kept: LocalStore | None = None

    def prepare(self, root: str) -> None:
        store = self.open(root)
        store.search_experiments()
        store.close()

    def open(self, root: str):
        if self.kept is None:
            uri = f"sqlite:///{root}/mlflow.db"
            self.kept = LocalStore(SqlBackend(uri, DISK, os.path.join(root, "files")))
        return self.kept

    def skips(self, name: str) -> bool:
        return name.endswith("-shm")  # SQLite makes it anew from the log


class QuickKind(FileKind):
    """A store of files at the level `os`: what is lost is lost, and the rest can be used."""

    name = "os"

    def open(self, root: str):
        return LocalStore(FileBackend(os.path.join(root, "store"), "os"))

    def check(self, root: str, done: list[str], begun: list[str], *, goes_on: bool) -> None:
        store = self.open(root)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what cannot be read is told
            ids = [one.experiment_id for one in store.search_experiments(workload.ALL)]
            for run in store.search_runs(ids, "", workload.ALL):
                with contextlib.suppress(MlflowException):
                    store.get_run(run.info.run_id)
            store.search_logged_models(ids)
            store.search_registered_models()
            store.search_model_versions()
            fresh = store.create_experiment("fresh", None, [])
            run_id = store.create_run(fresh, "u", 1, [], "name").info.run_id
            store.log_metric(run_id, Metric("loss", 1.0, 1, 1))
        assert store.get_run(run_id).data.metrics == {"loss": 1.0}


class JournalKind:
    """Calls that wait, in a journal."""

    name = "journal"
    URI = "http://tracker:5000"

    def __init__(self, folder: str) -> None:
        pass

    def prepare(self, root: str) -> None:
        pass

    def skips(self, name: str) -> bool:
        return False

    def write(self, root: str, mark) -> None:
        os.environ["MILLSTREAM_JOURNAL_DIR"] = os.path.join(root, "journals")
        calls.SEGMENT = 400  # so that files are begun and removed
        journal = Journal.new(self.URI)
        log = calls.CallLog(journal.place, is_synced=True)
        ends = []
        for number in range(24):
            mark(f"+{number}")
            metrics = [Metric("loss", float(at), 1, at) for at in range(number % 3)]
            ends.append(
                log.append("r" * 32, metrics, [Param("n", str(number))], [RunTag("t", "v" * 20)])
            )
            mark(str(number))
            if number % 6 == 5:
                mark(f"=finish {number - 3}")
                log.finish(ends[number - 3])
        log.close()
        journal.close()

    def check(self, root: str, done: list[str], begun: list[str], *, goes_on: bool) -> None:
        os.environ["MILLSTREAM_JOURNAL_DIR"] = os.path.join(root, "journals")
        kept = []
        for journal in left_behind(self.URI):
            kept += [call.params[0].value for call in calls.left_in(journal.place)]
            journal.close()
        finished = [int(name.split()[1]) for name in begun if name.startswith("=")]
        wanted = [name for name in done if int(name) > max(finished, default=-1)]
        assert [name for name in wanted if name not in kept] == []
        assert kept == sorted(set(kept), key=int), "each call is there once, in order"
        assert set(kept) <= {name for name in begun if not name.startswith("=")}


KINDS = {kind.name: kind for kind in (FileKind, SharedKind, QuickKind, SqliteKind, JournalKind)}


def write_down(kind, folder: str) -> Disk:
    """Let a program write a store; return what it did to the disk."""
    root = os.path.join(folder, "root")
    os.mkdir(root)
    kind.prepare(root)
    shim = Shim(root)
    disk = Disk(root)
    log = os.path.join(folder, "calls")
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    shim.record(file)
    kind.write(root, shim.mark)
    shim.record(-1)
    os.close(file)
    disk.follow(recorded(log))
    return disk


def told(marks: list[str]) -> tuple[list[str], list[str]]:
    """Return what was done by then, and what was begun."""
    done = [one for one in marks if one[0] not in "+=" and one != "closed"]
    begun = [one.lstrip("+") for one in marks if one[0] in "+="]
    return done, begun


def choices(disk: Disk, count: int, seed: int):
    """Yield (end, what chooses, its name): nothing that is not sure at each call, then chance."""
    ends = range(0, len(disk.steps) + 1, max(1, len(disk.steps) // count))
    for end in ends:
        yield end, Chooses(random.Random(seed), 0.0, tears=False), "nothing that is not sure"
    luck = random.Random(seed)
    for _ in range(count - len(ends)):
        end, own = luck.randrange(len(disk.steps) + 1), luck.randrange(1 << 30)
        yield end, Chooses.any(random.Random(own), end), f"seed {own}"


def digest_of(tree: dict[str, bytes | None], *more: object) -> bytes:
    """Return what is the same for the same files."""
    whole = hashlib.sha256(repr(more).encode())
    for path, data in sorted(tree.items()):
        whole.update(path.encode() + (b"/" if data is None else hashlib.sha256(data).digest()))
    return whole.digest()


def rounds(name: str, count: int, folder: str, seed: int = 1) -> None:
    """Open the store on so many states of the disk; say what was lost in which."""
    kind = KINDS[name](folder)
    disk = write_down(kind, folder)
    place = os.path.join(folder, "root")
    seen: set[bytes] = set()
    lost: collections.Counter[str] = collections.Counter()
    first: dict[str, str] = {}
    for end, chooses, words in choices(disk, count, seed):
        done, begun = told(disk.marks(end))
        tree = disk.state(end, chooses).tree(kind.skips)
        digest = digest_of(tree, done, begun)
        if digest in seen:
            continue
        seen.add(digest)
        shutil.rmtree(place)
        lay_out(tree, place)
        os.environ["MILLSTREAM_CACHE_DIR"] = os.path.join(place, "cache")
        try:
            kind.check(place, done, begun, goes_on=len(seen) % 4 == 0)
        except Exception as error:
            what = f"{type(error).__name__}: {error}".replace(place, "")
            if not isinstance(error, AssertionError):
                what += traceback.format_exc()
            lost[what] += 1
            first.setdefault(what, f"before call {end}, {words}")
    print(f"{name}: {len(disk.steps)} calls, {count} states, {len(seen)} of them different")
    for what, times in lost.most_common(12):
        print(f"{times} times, first {first[what]}: {what}", file=sys.stderr)


if __name__ == "__main__":
    rounds(sys.argv[1], int(sys.argv[2]), sys.argv[3], int((sys.argv[4:] or ["1"])[0]))
