"""The lines of metric files: written, read, and the latest point of each series."""

from __future__ import annotations

import os
import stat

from mlflow.entities.run import Metric
from mlflow.store.backends.file.reading import READ, Unreadable, settled, stamp_of, unopened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlflow.store.backends.file.reading import Stamp

# Longer lines are no points; they are passed over in pieces, so memory stays bounded.
MAX_LINE = 1 << 16
_CHUNK = 1 << 22
_MIN, _MAX = -(2**63), 2**63 - 1
_SPACES = b"".join(bytes([byte]) for byte in range(256) if byte not in b" \n\t\r\x0b\x0c_")
# In names of datasets: a space, and what stands before the number of any other blank.
_SPACE, _BLANK = "\u2420", "\u241b"
# How much before the end of what was read tells an appended file from another one.
_TAIL = 64
_KEPT = 20_000

# (timestamp, value, step, what else the line holds)
Point = tuple[int, float, int, tuple[str, ...]]
Rank = tuple[int, int, bool, float]


def line(value: float, timestamp: int, step: int, extra: Sequence[str] = ()) -> str:
    """Return the line of a point, as MLflow writes it."""
    if extra:
        return f"{timestamp} {value} {step} {' '.join(extra)}\n"
    return f"{timestamp} {value} {step}\n"


def extra_of(name: str | None, digest: str | None) -> tuple[str, ...]:
    """Return the two words of a line that say which dataset was measured; none without one."""
    return (_word(name), _word(digest)) if name and digest else ()


def _word(text: str) -> str:
    """Return a text without blanks: words of a line, and lines, end at blanks for MLflow too."""
    if text.split() == [text] and _SPACE not in text and _BLANK not in text:
        return text
    return "".join(
        _SPACE if one == " "
        else f"{_BLANK}{ord(one):04x}" if one.isspace() or one in (_SPACE, _BLANK)
        else one
        for one in text
    )  # fmt: skip


def _text(word: str) -> str:
    """Return the text of a word; the word itself when `_word` did not make it."""
    first, *others = word.replace(_SPACE, " ").split(_BLANK)
    try:
        text = first + "".join(chr(int(other[:4], 16)) + other[4:] for other in others)
    except ValueError:
        return word
    return text if _word(text) == word else word


def rank(timestamp: int, value: float, step: int) -> Rank:
    """Return the key whose maximum is the latest point; NaN is smaller than any number."""
    return (step, timestamp, value == value, value if value == value else 0.0)  # noqa: PLR0124


def read_points(data: bytes, *, of_model: bool = False) -> tuple[list[Point], int]:
    """Return the points of whole lines, and how many lines are none.

    Args:
        data: lines, each with its end.
        of_model: whether lines name a run, as those of logged models do.

    Returns:
        (points in order, number of lines that cannot be read).
    """
    columns = None if of_model else _columns(data)
    if columns is None:
        return _slowly(data, of_model=of_model)
    return list(zip(*columns, [()] * len(columns[0]), strict=True)), 0


def read_columns(data: bytes) -> tuple[tuple[list[int], list[float], list[int]], int]:
    """Return ((timestamps, values, steps), how many lines are no points) of a run's whole lines."""
    columns = _columns(data)
    if columns is not None:
        return columns, 0
    points, bad = _slowly(data, of_model=False)
    return ([one[0] for one in points], [one[1] for one in points], [one[2] for one in points]), bad


def _columns(data: bytes) -> tuple[list[int], list[float], list[int]] | None:
    """Return (timestamps, values, steps) of lines of three words; None for any others.

    The blanks of the data alone show how many words each line has, so one pass that drops
    everything else replaces a look at each line.
    """
    count = data.count(b"\n")
    if data.translate(None, _SPACES) != b"  \n" * count:
        return None
    words = data.split()
    if len(words) != 3 * count:
        return None
    try:
        stamps = list(map(int, words[0::3]))
        values = list(map(float, words[1::3]))
        steps = list(map(int, words[2::3]))
    except ValueError:
        return None
    return (stamps, values, steps) if _inside(stamps) and _inside(steps) else None


def _inside(numbers: list[int]) -> bool:
    return not numbers or (min(numbers) >= _MIN and max(numbers) <= _MAX)


def _slowly(data: bytes, *, of_model: bool) -> tuple[list[Point], int]:
    points: list[Point] = []
    bad = 0
    for raw in data.split(b"\n")[:-1]:
        point = _point(raw, of_model=of_model)
        if point is None:
            bad += bool(raw.strip())
        else:
            points.append(point)
    return points, bad


def _point(raw: bytes, *, of_model: bool) -> Point | None:
    """Return the point of one line, or None."""
    if len(raw) > MAX_LINE or b"_" in raw.split(b" ", 1)[0]:
        return None
    words = raw.split()
    size = len(words)
    if size not in ((4, 6) if of_model else (2, 3, 5)):
        return None
    try:
        step = int(words[2]) if size > 2 else 0
        stamp, value = int(words[0]), float(words[1])
        if not _MIN <= stamp <= _MAX or not _MIN <= step <= _MAX or b"_" in words[1]:
            return None
        return stamp, value, step, tuple(word.decode("utf-8") for word in words[3:])
    except ValueError:
        return None


def metric_of(key: str, point: Point, run_id: str | None, model_id: str | None) -> Metric:
    """Return the entity of a point of a run or of a logged model."""
    timestamp, value, step, extra = point
    if model_id is not None:
        run_id, extra = (extra[0] if extra else None), extra[1:]
    name, digest = map(_text, extra) if extra else (None, None)
    return Metric(key, value, timestamp, step, model_id, name, digest, run_id)


def open_series(path: str) -> tuple[int, os.stat_result]:
    """Open a metric file for reading.

    Raises:
        FileNotFoundError: there is none.
        Unreadable: it is a link, a pipe, a device, or the system refuses.
    """
    try:
        descriptor = os.open(path, READ)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise unopened(path, error) from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise Unreadable(f"{path}: it is no plain file")
    return descriptor, found


def blocks(descriptor: int, offset: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (whole lines, where they start, lines passed over) from an offset to the end.

    A last line without its end is left out: it is being written, or was torn.
    """
    rest, skipping = b"", False
    while True:
        data = os.read(descriptor, _CHUNK)
        if not data:
            return
        end = data.rfind(b"\n") + 1
        if not end:
            rest = b"" if skipping else rest + data
            if len(rest) > MAX_LINE:
                offset += len(rest)
                rest, skipping = b"", True
            elif skipping:
                offset += len(data)
            continue
        passed = 0
        if skipping:
            first = data.index(b"\n") + 1
            offset += first
            data, end, skipping, passed = data[first:], end - first, False, 1
        lines, rest = rest + data[:end], data[end:]
        yield lines, offset, passed
        offset += len(lines)


class Latest:
    """The latest points of metric files, kept so that what was appended alone is read again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Stamp, int, bytes, dict[tuple[str, ...], Point], int]] = {}
        self._stamps: dict[str, Stamp] = {}

    def points(self, path: str, *, of_model: bool = False) -> tuple[list[Point], int]:
        """Return the latest point of a file and the number of lines that cannot be read.

        Args:
            path: the file.
            of_model: of a logged model; then there is a point for each dataset.

        Raises:
            FileNotFoundError: there is none.
            Unreadable: it cannot be read.
        """
        stamp = self._stamps.get(path)
        if stamp is not None and stamp == _stamp_at(path):
            kept = self._kept.get(path)
            if kept is not None:
                return list(kept[3].values()), kept[4]
        descriptor, found = open_series(path)
        is_settled = settled(found.st_mtime_ns)
        try:
            offset, best, bad = self._known(path, descriptor, found)
            if offset < found.st_size:
                offset, bad = _fold(descriptor, offset, best, bad, of_model=of_model)
                self._keep(path, stamp_of(found), descriptor, (offset, best, bad))
        except OSError as error:
            raise Unreadable(f"{path}: {error.strerror}") from None
        finally:
            os.close(descriptor)
        if is_settled and path in self._kept:
            self._stamps[path] = stamp_of(found)
        return list(best.values()), bad

    def _known(
        self, path: str, descriptor: int, found: os.stat_result
    ) -> tuple[int, dict[tuple[str, ...], Point], int]:
        kept = self._kept.get(path)
        if kept is not None and _may_have_grown(kept[0], stamp_of(found)):
            _, offset, tail, best, bad = kept
            os.lseek(descriptor, offset - len(tail), os.SEEK_SET)
            if os.read(descriptor, len(tail)) == tail:
                return offset, dict(best), bad
            os.lseek(descriptor, 0, os.SEEK_SET)
        # Another file than the one that was read: an empty one leaves nothing to keep in its place.
        self._kept.pop(path, None)
        self._stamps.pop(path, None)
        return 0, {}, 0

    def _keep(
        self,
        path: str,
        stamp: Stamp,
        descriptor: int,
        state: tuple[int, dict[tuple[str, ...], Point], int],
    ) -> None:
        offset, best, bad = state
        if not offset:
            return
        os.lseek(descriptor, max(0, offset - _TAIL), os.SEEK_SET)
        tail = os.read(descriptor, min(offset, _TAIL))
        if len(self._kept) >= _KEPT:
            self._kept, self._stamps = {}, {}
        self._kept[path] = (stamp, offset, tail, dict(best), bad)


def _may_have_grown(before: Stamp, now: Stamp) -> bool:
    """Tell whether appending could have led from one stamp of a file to another."""
    return before[0] == now[0] and (before == now or before[2] < now[2])


def _stamp_at(path: str) -> Stamp | None:
    try:
        return stamp_of(os.lstat(path))
    except OSError:
        return None


def _fold(
    descriptor: int, offset: int, best: dict[tuple[str, ...], Point], bad: int, *, of_model: bool
) -> tuple[int, int]:
    """Add what follows an offset to the latest points; return (new offset, bad lines)."""
    for data, start, passed in blocks(descriptor, offset):
        points, wrong = _latest_of(data, of_model=of_model)
        bad += wrong + passed
        for point in points:
            group = point[3][1:] if of_model else ()
            old = best.get(group)
            if old is None or rank(*point[:3]) >= rank(*old[:3]):
                best[group] = point
        offset = start + len(data)
    return offset, bad


def _latest_of(data: bytes, *, of_model: bool) -> tuple[list[Point], int]:
    """Return the points of whole lines among which the latest is, and how many lines are none."""
    columns = None if of_model else _columns(data)
    if columns is None:
        return _slowly(data, of_model=of_model)
    stamps, values, steps = columns
    if not steps:
        return [], 0
    top = max(steps)
    at = steps.index(top)
    places = [at] if steps.count(top) == 1 else [i for i, step in enumerate(steps) if step == top]
    return [(stamps[at], values[at], top, ()) for at in places], 0


def history(
    path: str, key: str, run_id: str, max_results: int | None, offset: int
) -> tuple[list[Metric], int | None, int]:
    """Return points of a run's metric file in the order they were written.

    Args:
        path: the file.
        key: the name of the series.
        run_id: the run.
        max_results: how many; None for all.
        offset: the byte where to start.

    Returns:
        (points, the byte where the next page starts or None, lines that cannot be read).

    Raises:
        FileNotFoundError: there is none.
        Unreadable: it cannot be read.
    """
    descriptor, found = open_series(path)
    metrics: list[Metric] = []
    bad = 0
    try:
        os.lseek(descriptor, min(offset, found.st_size), os.SEEK_SET)
        for data, start, passed in blocks(descriptor, offset):
            bad += passed
            at = 0
            while at < len(data):
                wanted = None if max_results is None else max_results - len(metrics)
                end = _end(data, at, wanted)
                points, wrong = read_points(data[at:end] if at or end < len(data) else data)
                bad += wrong
                metrics.extend([metric_of(key, point, run_id, None) for point in points])
                at = end
                if max_results is not None and len(metrics) >= max_results:
                    following = start + at
                    return metrics, following if following < found.st_size else None, bad
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    finally:
        os.close(descriptor)
    return metrics, None, bad


def _end(data: bytes, at: int, wanted: int | None) -> int:
    """Return where so many lines end that start at a place."""
    if wanted is None:
        return len(data)
    for _ in range(wanted):
        at = data.find(b"\n", at) + 1
        if at in (0, len(data)):
            return len(data)
    return at
