"""What a disk may hold after a power cut, as a model: of POSIX, and of what file systems promise.

A file's bytes are on the disk when it was synchronised after they were written, a name when its
folder was. What was not may be there, or not, in part, and in any order; bytes of a file that grew
and were not written are zeros. A rename is there as a whole or not at all, and with the folder that
it leads to. Sectors that nobody wrote are as they were.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.faults.shim import Call

NEVER = 1 << 60
_SECTOR = 512


class Names(NamedTuple):
    """Names that change together: (folder, name, file or None).

    `made_sure` is the place of the call that brings them to the disk, as for the others.
    """

    made_sure: int
    changes: list[tuple[int, str, int | None]]


class Bytes(NamedTuple):
    """Bytes that are written to a file."""

    made_sure: int
    file: int
    at: int
    data: bytes


class Length(NamedTuple):
    """A length that a file is cut to."""

    made_sure: int
    file: int
    length: int


class Mark(NamedTuple):
    """A text that was written down between two calls."""

    made_sure: int
    text: str


class Disk:
    """What was on a disk at first, and what was done to it.

    Args:
        root: the folder, as it is before anything is done.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self.steps: list[Names | Bytes | Length | Mark] = []
        self._entries: dict[int, dict[str, int]] = {0: {}}
        self._contents: dict[int, bytes] = {}
        self._nodes = {os.stat(root).st_ino: 0}
        self._count = 0
        self._read(self.root, 0)
        # As a program sees it while it runs.
        self._now = {node: dict(names) for node, names in self._entries.items()}

    def _new(self, inode: int) -> int:
        self._count += 1
        self._nodes[inode] = self._count
        return self._count

    def _read(self, folder: str, node: int) -> None:
        for entry in os.scandir(folder):
            found = entry.stat(follow_symlinks=False)
            child = self._nodes.get(found.st_ino) or self._new(found.st_ino)
            self._entries[node][entry.name] = child
            if stat.S_ISDIR(found.st_mode):
                self._entries[child] = {}
                self._read(entry.path, child)
            else:
                with open(entry.path, "rb") as file:
                    self._contents[child] = file.read()

    # --- what is done -------------------------------------------------------------------------

    def follow(self, calls: Iterable[Call]) -> None:
        """Take over what a program did."""
        steps: list[tuple] = []
        synced: list[tuple[int, int]] = []
        for call in calls:
            place = len(steps)
            if call.kind == "s":
                synced.append((place, self._nodes[call.node]))
                continue
            steps.append(self._step(call))
        self.steps = [
            kind(self._sure(index, owner, synced), *rest)
            for index, (kind, owner, *rest) in enumerate(steps)
        ]

    @staticmethod
    def _sure(index: int, owner: int | None, synced: list[tuple[int, int]]) -> int:
        # Before the step of that number is what it made sure of; so a mark right after sees it.
        return next((at for at, node in synced if node == owner and at > index), NEVER)

    def _step(self, call: Call) -> tuple:
        kind = call.kind
        if kind == "a":
            return (Mark, None, call.one)
        if kind == "w":
            return (Bytes, self._nodes[call.node], self._nodes[call.node], call.at, call.data)
        if kind == "T":
            return (Length, self._nodes[call.node], self._nodes[call.node], call.at)
        if kind == "t":  # a file without a name
            self._new(call.node)
            return (Names, None, [])
        if kind == "r":
            return self._renamed(call)
        assert kind in "omlud", f"a call of an unknown kind: {call}"
        folder, name = self._find(call.one)
        node: int | None = None
        if kind == "l":
            node = self._nodes[call.node]
        elif kind in "om":
            node = self._new(call.node)
            if kind == "m":
                self._now[node] = {}
        return (Names, folder, self._changed([(folder, name, node)]))

    def _renamed(self, call: Call) -> tuple:
        folder, name = self._find(call.one)
        target, new = self._find(call.other)
        node = self._now[folder][name]
        return (Names, target, self._changed([(folder, name, None), (target, new, node)]))

    def _changed(
        self, changes: list[tuple[int, str, int | None]]
    ) -> list[tuple[int, str, int | None]]:
        for folder, name, node in changes:
            _set(self._now[folder], name, node)
        return changes

    def _find(self, path: str) -> tuple[int, str]:
        *folders, name = path[len(self.root) + 1 :].split("/")
        node = 0
        for part in folders:
            node = self._now[node][part]
        return node, name

    # --- what there may be --------------------------------------------------------------------

    def state(self, end: int, chooses: Chooses) -> State:
        """Return what may be there when the power goes before a step.

        Args:
            end: its number.
            chooses: decides about everything that is not sure.
        """
        entries = {node: dict(names) for node, names in self._entries.items()}
        contents: dict[int, bytearray] = {}
        for index, step in enumerate(self.steps[:end]):
            is_sure = step.made_sure < end
            if isinstance(step, Mark):
                continue
            if isinstance(step, Names):
                if is_sure or chooses.keeps_names(index):
                    for folder, name, node in step.changes:
                        _set(entries.setdefault(folder, {}), name, node)
                continue
            data = contents.get(step.file)
            if data is None:
                data = contents[step.file] = bytearray(self._contents.get(step.file, b""))
            if isinstance(step, Length):
                if is_sure or chooses.keeps_bytes():
                    _resize(data, step.length)
            elif is_sure:
                _put(data, step.at, step.data)
            else:
                chooses.put(data, step)
        return State(entries, self._contents, contents, set(self._now))

    def marks(self, end: int) -> list[str]:
        """Return the marks before a step."""
        return [step.text for step in self.steps[:end] if isinstance(step, Mark)]


def _set(names: dict[str, int], name: str, node: int | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _resize(data: bytearray, length: int) -> None:
    if length < len(data):
        del data[length:]
    else:
        data.extend(bytes(length - len(data)))


def _put(data: bytearray, at: int, new: bytes) -> None:
    if at > len(data):
        _resize(data, at)
    data[at : at + len(new)] = new


class Chooses:
    """Decides what of the rest came to the disk.

    Args:
        luck: where chance comes from.
        share: how much of it.
        until: names that were changed before this step came there, and none after it: most file
            systems keep that order. None: each by itself.
        tears: whether writes may come there in part.
    """

    def __init__(
        self, luck: random.Random, share: float, until: int | None = None, *, tears: bool = True
    ) -> None:
        self._luck, self._share, self._until, self._tears = luck, share, until, tears

    @classmethod
    def any(cls, luck: random.Random, end: int) -> Chooses:
        """Return one of the ways to choose before a step."""
        until = luck.randrange(max(0, end - 30), end + 1) if luck.random() < 0.4 else None
        return cls(luck, luck.choice([0.0, 0.1, 0.5, 0.9, 1.0]), until, tears=luck.random() < 0.7)

    def keeps_names(self, index: int) -> bool:
        """Tell whether a change of names came to the disk."""
        if self._until is not None:
            return index < self._until
        return self.keeps_bytes()

    def keeps_bytes(self) -> bool:
        """Tell whether a write came to the disk."""
        return self._luck.random() < self._share

    def put(self, data: bytearray, step: Bytes) -> None:
        """Do of a write what came to the disk."""
        new, luck = step.data, self._luck
        if not self._tears or luck.random() < 0.5:
            if self.keeps_bytes():
                _put(data, step.at, new)
            return
        way = luck.randrange(3)
        if way == 0:  # the first bytes
            _put(data, step.at, new[: luck.randrange(len(new) + 1)])
        elif way == 1:  # the length, and nothing else
            _resize(data, max(len(data), step.at + len(new)))
        else:  # some of the sectors
            for start in range(0, len(new), _SECTOR):
                if luck.random() < 0.5:
                    _put(data, step.at + start, new[start : start + _SECTOR])


class State:
    """What is on a disk: folders of names, and files."""

    def __init__(
        self,
        entries: dict[int, dict[str, int]],
        before: dict[int, bytes],
        contents: dict[int, bytearray],
        folders: set[int],
    ) -> None:
        self._entries, self._before, self._contents = entries, before, contents
        self._folders = folders

    def tree(self, skipped: Callable[[str], bool] = lambda name: False) -> dict[str, bytes | None]:
        """Return the content of each file by its path; folders have none."""
        found: dict[str, bytes | None] = {}

        def add(node: int, path: str) -> None:
            for name, child in sorted(self._entries.get(node, {}).items()):
                if skipped(name):
                    continue
                here = f"{path}/{name}"
                if child in self._folders:
                    found[here] = None
                    add(child, here)
                else:
                    data = self._contents.get(child)
                    found[here] = self._before.get(child, b"") if data is None else bytes(data)

        add(0, "")
        return found


def lay_out(tree: dict[str, bytes | None], root: str) -> None:
    """Make a folder with these files."""
    os.makedirs(root)
    for path, data in tree.items():
        if data is None:
            os.mkdir(root + path)
        else:
            with open(root + path, "wb", buffering=0) as file:
                file.write(data)
