"""Tells a run that is alive from one whose process is gone, without a thread.

While a process logs to a run that it keeps in files, it holds a lock on `<run>/.alive`. The
system gives the lock back when the process ends, however it ends.
"""

from __future__ import annotations

import os
from time import sleep

from mlflow.store.artifact.uris import is_local, local_path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from mlflow.entities.run import RunInfo

_FILE = ".alive"
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_ATTEMPTS = 20

# (descriptor, path) of the locks of this process, by run.
_held: dict[str, tuple[int, str]] = {}
_here: tuple[bytes, bytes] | None = None


def begin(info: RunInfo) -> None:
    """Hold the lock of a run; where that is not possible, nothing is said about it."""
    path = _path(info)
    if path is None or info.run_id in _held:
        return
    for _ in range(_ATTEMPTS):
        try:
            descriptor = os.open(path, _FLAGS | os.O_CREAT, 0o666)
        except OSError:
            return  # a read-only store, or files that are no file store's
        try:
            # Several processes may hold a run; one that looks whether it is alive is soon gone.
            if _lock(descriptor, shared=True) and _is_still_at(descriptor, path):
                os.write(descriptor, b"%b\n%b\n" % _place())
                _held[info.run_id] = descriptor, path
                return
        except OSError:
            os.close(descriptor)
            return  # a file system without locks
        os.close(descriptor)
        sleep(0.001)


def end(run_id: str) -> None:
    """Give the lock of a run back."""
    if run_id in _held:
        _let_go(*_held.pop(run_id))


class Orphan:
    """The lock of a run whose process is gone, as a context; `found` tells whether it is one.

    There is no telling of a run of stock MLflow, of one whose files are elsewhere, and of one of
    another machine, whose locks may not reach here.
    """

    def __init__(self, info: RunInfo) -> None:
        self._path = None if info.run_id in _held else _path(info)
        self._descriptor: int | None = None
        self.found = False
        self.is_settled = False

    def __enter__(self) -> Self:
        if self._path is None:
            return self
        try:
            self._descriptor = os.open(self._path, _FLAGS)
            self.found = (
                _lock(self._descriptor, shared=False)
                and _is_still_at(self._descriptor, self._path)
                and _is_of_here(self._descriptor)
            )
        except OSError:
            pass
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is None or self._path is None:
            return
        if self.is_settled:
            _let_go(self._descriptor, self._path)
        else:
            os.close(self._descriptor)


def _path(info: RunInfo) -> str | None:
    """Return the file of a run that is kept in files: beside its artifacts and its metadata."""
    uri = info.artifact_uri or ""
    if not uri.endswith(f"/{info.run_id}/artifacts") or not is_local(uri):
        return None
    return os.path.join(os.path.dirname(local_path_of(uri)), _FILE)


def _let_go(descriptor: int, path: str) -> None:
    os.close(descriptor)
    try:
        # Stock MLflow may go on with the run, and would seem to be gone.
        os.unlink(path)
    except OSError:
        pass


def _is_still_at(descriptor: int, path: str) -> bool:
    return os.path.samestat(os.fstat(descriptor), os.lstat(path))


def _place() -> tuple[bytes, bytes]:
    """Return what tells this start of this machine from others, and the machine's name."""
    global _here
    if _here is None:
        node = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
        boot = b""
        try:
            with open("/proc/sys/kernel/random/boot_id", "rb") as file:
                boot = file.read(64).strip()
        except OSError:
            pass
        _here = boot, node.encode()
    return _here


def _is_of_here(descriptor: int) -> bool:
    """Tell whether the process that held a lock ran where its lock would be seen."""
    boot, node, *_ = (*os.read(descriptor, 512).split(b"\n"), b"", b"")
    here = _place()
    # Containers of one machine have names of their own; a machine that was restarted keeps its.
    return bool(boot and boot == here[0]) or bool(node and node == here[1])


def _lock(descriptor: int, *, shared: bool) -> bool:
    """Take the lock of an open file, if that is possible now; it goes with the descriptor."""
    try:
        import fcntl
    except ImportError:
        return _lock_byte(descriptor)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_byte(descriptor: int) -> bool:
    """The same on Windows, where one process alone locks a part of a file."""
    import msvcrt

    try:
        # Beyond the content, which others may read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError:
        return False
    return True


def _forget() -> None:
    # A child shares the lock of its parent, and would keep it when the parent is gone.
    for descriptor, _ in _held.values():
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
