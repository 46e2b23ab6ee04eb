"""Each call of the system that a program makes while it writes a store fails once, in turn.

A program goes on after an error, does again what failed, and some programs die there. What it was
told is done is there afterwards, whatever failed; and an error says what the system said.

A process of its own, which `shim.py` starts with the library that makes calls fail.
"""

from __future__ import annotations

import collections
import errno
import logging
import os
import shutil
import signal
import sys
import traceback
import warnings
from typing import NamedTuple

from mlflow.exceptions import MlflowException
from mlflow.store import calls, sync
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.journal import adopt
from mlflow.store.local import LocalStore
from mlflow.tracking import MlflowClient, queue
from tests.faults import workload
from tests.faults.shim import KILL, SHORT, TORN, Shim
from tests.server.running import server

_WRITE = (errno.ENOSPC, errno.EIO, errno.EINTR, SHORT, TORN, KILL)
_SYNC = (errno.EIO, errno.ENOSPC, KILL)
_NAME = (errno.EIO, errno.ENOSPC, errno.EACCES, KILL)
FAULTS = {
    "open": (errno.EIO, errno.EACCES, errno.EMFILE, errno.EINTR, KILL),
    "write": _WRITE,
    "pwrite": _WRITE,
    "copy_file_range": (errno.ENOSPC, errno.EIO, KILL),
    "ftruncate": (errno.EIO, KILL),
    "fsync": _SYNC,
    "fdatasync": _SYNC,
    "rename": _NAME,
    "link": _NAME,
    "unlink": (errno.EIO, errno.EACCES, KILL),
    "rmdir": (errno.EIO, errno.EACCES, KILL),
    "mkdir": (errno.ENOSPC, errno.EACCES, KILL),
    "connect": (errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EINTR),
    "send": (errno.ECONNRESET, errno.EPIPE, errno.EINTR, SHORT),
    "recv": (errno.ECONNRESET, errno.ETIMEDOUT, errno.EINTR, SHORT),
}
_NAMES = {KILL: "KILL", SHORT: "SHORT", TORN: "TORN"}
#: Seconds after which a program hangs.
PATIENCE = 30


class Fault(NamedTuple):
    """What fails.

    Args:
        number: which call of the program, from 1 on.
        call: its name.
        kind: the number of the error, or `KILL`, `SHORT`, `TORN`.
    """

    number: int
    call: str
    kind: int

    def __str__(self) -> str:
        kind = _NAMES.get(self.kind) or errno.errorcode[self.kind]
        return f"call {self.number}, {self.call}: {kind}"


class FileKind:
    """A store of files."""

    def __init__(self, folder: str, level: str) -> None:
        os.environ["MILLSTREAM_DURABILITY"] = level
        self.level = level
        self.plan = workload.steps(os.path.join(folder, "x.txt"))

    watches_network = False

    def prepare(self, root: str) -> None:
        """Make what is there before."""

    def close(self) -> None:
        """Give back what was made."""

    def open(self, root: str):
        return LocalStore(FileBackend(os.path.join(root, "store"), self.level))

    def program(self, root: str, tell) -> None:
        """Do the steps, each again when it failed; tell what was begun (+), done, and refused (!)."""
        store = self.open(root)
        for step in self.plan:
            tell(f"+{step.name}")
            for turn in range(2):
                try:
                    step.do(store)
                except Exception as error:
                    # Once it was done in part, or as a whole, without an answer.
                    if turn and workload.is_repeated(error):
                        break
                    tell(f"!{step.name}: {turn}: {_words(error)}")
                else:
                    tell(step.name)
                    break
        store.close()
        tell("closed")

    def look(self, root: str, done: list[str], begun: list[str], *, is_killed: bool) -> None:
        """Assert that what was done is there, and that a program can go on."""
        store = self.open(root)
        workload.read_all(store)
        workload.check(self.plan, store, done, begun)
        if is_killed:
            workload.go_on(self.plan, self.open(root), done)
        else:
            workload.check(self.plan, store, begun, begun)
        store.close()


class SqliteKind(FileKind):
    """A SQLite database, which was made before."""

    def prepare(self, root: str) -> None:
        store = self.open(root)
        store.search_experiments()
        store.close()

    def open(self, root: str):
        uri = f"sqlite:///{root}/mlflow.db"
        return LocalStore(SqlBackend(uri, self.level, os.path.join(root, "files")))


class QueueKind(FileKind):
    """Calls that do not wait, in a journal; their store is elsewhere, and does not fail."""

    CALLS = 12

    def __init__(self, folder: str, level: str) -> None:
        super().__init__(folder, level)
        self.uri = os.path.join(folder, "kept")
        calls.SEGMENT = 300  # so that files are begun and removed
        queue._GATHERING = 0.0
        queue.PATIENCE = 5.0

    def program(self, root: str, tell) -> None:
        os.environ["MILLSTREAM_JOURNAL_DIR"] = root
        shutil.rmtree(self.uri, ignore_errors=True)
        client = MlflowClient(tracking_uri=self.uri)
        run_id = client.create_run("0").info.run_id
        for number in range(self.CALLS):
            tell(f"+{number}")
            client.log_metric(run_id, "loss", float(number), 1, number, synchronous=False)
            tell(str(number))
            if number == self.CALLS // 2:
                client.get_run(run_id)
        tell("+flush")
        assert client.get_run(run_id).data.metrics == {"loss": self.CALLS - 1.0}
        tell("flush")
        tell("closed")

    def look(self, root: str, done: list[str], begun: list[str], *, is_killed: bool) -> None:
        store = LocalStore(FileBackend(self.uri, "os"))
        if is_killed:
            adopt(self.uri, lambda journal: sync.bring(journal, store, self.uri))
        runs = store.search_runs(["0"], "", workload.ALL)
        points = [
            one.step for run in runs for one in store.get_metric_history(run.info.run_id, "loss")
        ]
        assert len(set(points)) == len(points), f"there is a point twice: {points}"
        lost = [one for one in done if one != "flush" and int(one) not in points]
        assert not lost, f"lost: {lost}"
        assert "flush" not in done or len(points) == self.CALLS


class RestKind(FileKind):
    """A server; each thing is done once, and nobody sees an error: the client sends again."""

    def __init__(self, folder: str, level: str) -> None:
        super().__init__(folder, level)
        self.watches_network = True
        self.turn = 0

    def prepare(self, root: str) -> None:
        settings = {"LD_PRELOAD": "", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"}
        os.environ |= settings
        self.server = server(os.path.dirname(root))
        self.address = self.server.__enter__()[1]

    def close(self) -> None:
        self.server.__exit__(None, None, None)

    def program(self, root: str, tell) -> None:
        name, client = f"e{self.turn}", MlflowClient(tracking_uri=self.address)
        run_id = client.create_run(client.create_experiment(name)).info.run_id
        for number in range(3):
            client.log_metric(run_id, "loss", 1.0, 1, number)
        client.set_tag(run_id, "t", "v")
        client.log_param(run_id, "p", "v")
        client.log_text(run_id, "text" * 1000, "notes/a.txt")
        client.create_registered_model(name)
        client.create_model_version(name, f"runs:/{run_id}/model", run_id)
        client.set_terminated(run_id)
        tell("+all")
        tell("all")
        tell("closed")

    def look(self, root: str, done: list[str], begun: list[str], *, is_killed: bool) -> None:
        name, client = f"e{self.turn}", MlflowClient(tracking_uri=self.address)
        self.turn += 1
        (run,) = client.search_runs([client.get_experiment_by_name(name).experiment_id])
        history = client.get_metric_history(run.info.run_id, "loss")
        assert [one.step for one in history] == [0, 1, 2]
        assert (run.data.tags["t"], run.data.params, run.info.status) == (
            "v",
            {"p": "v"},
            "FINISHED",
        )
        (version,) = client.search_model_versions(f"name = '{name}'")
        assert (version.version, version.run_id) == ("1", run.info.run_id)
        (file,) = client.list_artifacts(run.info.run_id, "notes")
        assert file.file_size == 4000


KINDS = {"file": FileKind, "sqlite": SqliteKind, "queue": QueueKind, "rest": RestKind}


def _words(error: Exception) -> str:
    if isinstance(error, MlflowException):
        return f"{error.error_code}: {error.message}"
    if isinstance(error, OSError):
        return f"OSError {errno.errorcode.get(error.errno or 0)}: {error}"
    return f"{type(error).__name__}: {error} {traceback.format_exc()}"


def child(kind: FileKind, root: str, shim: Shim, fault: Fault) -> tuple[list[str], int]:
    """Run the program with a fault in a process of its own; return what it told, and its end."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reader)
            signal.alarm(PATIENCE)
            warnings.simplefilter("ignore")  # what cannot be read is told

            def tell(text: str) -> None:
                os.write(writer, text.replace("\n", " ").encode() + b"\n")

            shim.arm(fault.number, fault.kind)
            kind.program(root, tell)
            shim.disarm()
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        told = file.read().splitlines()
    return told, os.waitpid(pid, 0)[1]


def problems(kind: FileKind, root: str, told: list[str], end: int, fault: Fault) -> list[str]:
    """Return what is not as it should be after a fault."""
    found = []
    is_killed = fault.kind in (KILL, TORN)
    if end != (signal.SIGKILL if is_killed and "closed" not in told else 0):
        found.append(f"it hangs, or ended with {end}")
    begun = [one[1:] for one in told if one[0] == "+"]
    done = [one for one in told if one[0] not in "+!" and one != "closed"]
    for refusal in (one[1:] for one in told if one[0] == "!"):
        step, turn, words = refusal.split(": ", 2)
        if turn == "1":
            found.append(f"{step} cannot be done again: {words}")
        elif not _is_right(words, fault):
            found.append(f"{step}: a wrong message: {words}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind.look(root, done, begun, is_killed=is_killed)
    except Exception as error:
        words = "" if isinstance(error, AssertionError) else traceback.format_exc()
        found.append(f"{type(error).__name__}: {error} {words}")
    return found


#: What an error says of itself, beside the words of the system.
_MEANINGS = {
    errno.EACCES: ("PERMISSION_DENIED", "EACCES"),
    errno.EIO: ("EIO", "disk I/O error"),
    errno.ENOSPC: ("ENOSPC", "full", "disk I/O error"),
    errno.EMFILE: ("EMFILE", "cannot be opened"),
}
#: What is said besides when a record, or a database, cannot be opened once: it is left out of listings,
#: or read only.
_UNOPENED = ("LookupError", "RESOURCE_DOES_NOT_EXIST", "readonly", "cannot be opened")


def _is_right(words: str, fault: Fault) -> bool:
    if fault.kind <= 0:
        return False  # these calls did something, and the program goes on by itself
    meanings = (*_MEANINGS.get(fault.kind, ()), os.strerror(fault.kind))
    if fault.call == "open" and fault.kind in (errno.EIO, errno.EACCES):
        meanings = (*meanings, *_UNOPENED)
    return any(one in words for one in meanings)


def chosen(names: list[str], share: int) -> list[Fault]:
    """Return what fails in which round: of the faults of each call one in `share`, in turn."""
    every = [
        Fault(number, name, kind)
        for number, name in enumerate(names, 1)
        for kind in FAULTS.get(name, ())
    ]
    return every[::share]


def rounds(name: str, level: str, share: int, folder: str) -> None:
    """Let each call fail; print how many did, and tell what went wrong."""
    logging.disable()
    kind = KINDS[name](folder, level)
    root, base = os.path.join(folder, "root"), os.path.join(folder, "base")
    os.mkdir(root)
    kind.prepare(root)
    shutil.copytree(root, base)
    shim = Shim(os.path.join(folder, "nothing") if kind.watches_network else root)
    shim.watch_network(on=kind.watches_network)
    os.environ["MILLSTREAM_CACHE_DIR"] = os.path.join(folder, "cache")

    shim.arm(0, 0)
    kind.program(root, lambda text: None)
    names = shim.disarm()
    kind.turn = 1
    lost: dict[str, list[str]] = collections.defaultdict(list)
    said: collections.Counter[str] = collections.Counter()
    faults = chosen(names, share)
    for fault in faults:
        shutil.rmtree(root)
        shutil.copytree(base, root)
        told, end = child(kind, root, shim, fault)
        said.update(one.replace(root, "") for one in told if one[0] == "!")
        for problem in problems(kind, root, told, end, fault):
            lost[problem.replace(root, "")].append(str(fault))
    kind.close()
    print(f"{name}, {level}: {len(names)} calls, {len(faults)} faults, {said.total()} errors")
    if "--words" in sys.argv:
        print(*(f"{times} {words}" for words, times in said.most_common()), sep="\n")
    for problem, those in lost.items():
        print(f"{len(those)} times, first {those[0]}: {problem}", file=sys.stderr)


if __name__ == "__main__":
    rounds(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
