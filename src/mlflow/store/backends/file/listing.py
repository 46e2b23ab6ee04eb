"""What was read of folders of small files, kept as long as the folders and files stay the same."""

from __future__ import annotations

import os

from mlflow.store.backends.file.reading import (
    MAX_VALUE,
    Unreadable,
    is_folder,
    plain_files,
    read_file,
    settled,
    stamp_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.store.backends.file.reading import Problems, Stamp

    Files = list[tuple[str, str]]

_MOST = 30_000


class Listings:
    """The files below folders and their texts.

    A folder's stamp shows which files came and went, a file's stamp that its text changed. What
    changed within the last tick of the clock is not kept, so nothing old is ever returned.

    Args:
        problems: where to say what cannot be read.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._files: dict[str, tuple[list[tuple[str, Stamp]], Files]] = {}
        self._texts: dict[str, dict[str, tuple[Stamp, str]]] = {}

    def files(self, folder: str) -> tuple[Files, bool]:
        """Return ((key, path) of each plain file below a folder, whether that is as it was)."""
        kept = self._files.get(folder)
        if kept is not None and _unchanged(kept[0]):
            return kept[1], True
        # The folders are looked at before they are read: what comes in between is seen next time.
        stamps = _stamps(folder)
        files = list(plain_files(folder))
        if stamps is not None and set(_parents(folder, files)) <= {path for path, _ in stamps}:
            if len(self._files) >= _MOST:
                self._files, self._texts = {}, {}
            self._files[folder] = (stamps, files)
        else:
            self._files.pop(folder, None)
        return files, False

    def texts(self, folder: str, *, written_once: bool = False) -> dict[str, str]:
        """Return the texts below a folder by key.

        Args:
            folder: the folder.
            written_once: whether files there never change, as params do not.
        """
        files, same = self.files(folder)
        before = self._texts.get(folder) or {}
        if same and written_once and len(before) == len(files):
            return {key: before[path][1] for key, path in files}
        after: dict[str, tuple[Stamp, str]] = {}
        values: dict[str, str] = {}
        for key, path in files:
            try:
                found = os.lstat(path)
                stamp, is_settled = stamp_of(found), settled(found.st_mtime_ns)
                kept = before.get(path)
                if kept is None or kept[0] != stamp:
                    text = read_file(path, MAX_VALUE).decode("utf-8")
                    kept = (stamp, text)
                values[key] = kept[1]
                if is_settled:
                    after[path] = kept
            except OSError:
                continue
            except (Unreadable, UnicodeDecodeError) as error:
                self._problems.report(path, str(error))
        if folder in self._files:
            self._texts[folder] = after
        return values


def _unchanged(stamps: list[tuple[str, Stamp]]) -> bool:
    try:
        for path, stamp in stamps:
            if stamp_of(os.lstat(path)) != stamp:
                return False
    except OSError:
        return False
    return True


def _stamps(folder: str) -> list[tuple[str, Stamp]] | None:
    """Return the stamps of a folder and those below it; None when one changed just now."""
    if not is_folder(folder):
        return None
    stamps = []
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            found = os.lstat(path)
            if not settled(found.st_mtime_ns):
                return None
            stamps.append((path, stamp_of(found)))
            with os.scandir(path) as entries:
                waiting += [one.path for one in entries if one.is_dir(follow_symlinks=False)]
        except OSError:
            return None
    return stamps


def _parents(folder: str, files: Files) -> list[str]:
    return [os.path.dirname(path) for _, path in files] or [folder]
