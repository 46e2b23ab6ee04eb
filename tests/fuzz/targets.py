"""What is fuzzed: functions of bytes that come from outside, with what must be true of any of them.

A target raises nothing but the errors of this project, which `TOLD` names; whatever else it raises,
an assertion of its own included, was found.
"""

from __future__ import annotations

import copy
import os
import posixpath
import tempfile
import warnings
from collections.abc import Callable

import msgspec

from mlflow.api.table import OPERATIONS
from mlflow.api.wire import UnreadableError
from mlflow.entities.run import Metric, Param, Run, RunData, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models.model import Model
from mlflow.search.match import predicate
from mlflow.search.page import read_token, write_token
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.search.vocabulary import NOUNS
from mlflow.store import calls
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.backends.file import metadata, series

TOLD = (MlflowException, metadata.Malformed, UnreadableError)
_KINDS = sorted(NOUNS)
_RUN = Run(
    RunInfo("a" * 32, "0", "u", "FINISHED", 1, 2, "active", "file:///x", "name"),
    RunData([Metric("loss", 0.5, 1, 1)], [Param("p", "v")], [RunTag("t", "v")]),
)


def search(data: bytes) -> None:
    """A filter and an order, of any noun; runs are looked at."""
    noun = _KINDS[data[0] % len(_KINDS)] if data else "runs"
    text = data[1:].decode("utf-8", "surrogateescape")
    clause, _, order = text.partition("\x00")
    parsed = parse_filter(noun, clause)
    assert parsed == parse_filter(noun, clause)
    if order:
        parse_order_by(noun, [order])
    if noun == "runs":
        assert predicate(noun, parsed)(_RUN) in (True, False)


def wire(data: bytes) -> None:
    """A request of any operation."""
    operation = OPERATIONS[int.from_bytes(data[:2], "little") % len(OPERATIONS)]
    try:
        fields = msgspec.json.decode(data[2:])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return
    if not isinstance(fields, dict):
        return
    before = copy.deepcopy(fields)
    operation.arguments(fields)
    assert repr(fields) == repr(before), "reading a request changes nothing of it"


def meta(data: bytes) -> None:
    """Metadata: what is read is written, and read again; the quick reader agrees with the library."""
    record = metadata.parse(data)
    written = metadata.emit(record)
    assert _shown(metadata.parse(written)) == _shown(record)
    quick = metadata.read_simple(data.decode())
    assert quick is None or repr(quick) == repr(metadata._parse_by_library(data.decode()))


def _shown(value: object) -> str:
    """Return a text that is the same for the same values; no two NaN are equal."""
    if isinstance(value, dict):
        return str(sorted((repr(key), _shown(one)) for key, one in value.items()))
    return str([_shown(one) for one in value]) if isinstance(value, list) else repr(value)


def metrics(data: bytes) -> None:
    """The lines of a metric file, read in two ways."""
    lines = data[: data.rfind(b"\n") + 1]
    for of_model in (False, True):
        points, bad = series.read_points(lines, of_model=of_model)
        slowly, bad_too = series._slowly(lines, of_model=of_model)
        assert (repr(points), bad) == (repr(slowly), bad_too)
    (stamps, values, steps), _ = series.read_columns(lines)
    assert len(stamps) == len(values) == len(steps)
    assert all(type(one) is int for one in (*stamps, *steps))


def mlmodel(data: bytes) -> None:
    """An MLmodel file; what is read is written, and read again."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        path = os.path.join(folder, "MLmodel")
        with open(path, "wb") as file:
            file.write(data)
        model = Model.load(folder)
        model.save(path)
        again = Model.load(path)
    assert _shown(again.to_dict()) == _shown(model.to_dict())


def token(data: bytes) -> None:
    """A page token; one that is good says the same when it is written again."""
    text = data.decode("utf-8", "surrogateescape")
    for kinds in ((), (float,), (str, float)):
        start = read_token(text, 7, kinds)
        if start.cells:
            again = read_token(write_token(7, start.cells), 7, kinds)
            assert repr(again.cells) == repr(start.cells)


def journal(data: bytes) -> None:
    """A file of calls that a process left; a whole call is read again as it is."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        with open(os.path.join(folder, f"calls-{0:020d}"), "wb") as file:
            file.write(data)
        with open(os.path.join(folder, "calls.done"), "wb") as file:
            file.write(data[-12:])
        found = list(calls.left_in(folder))
    for call in found:
        (again,) = (one for _, one in calls._calls(calls._framed(*call)))
        assert repr(again) == repr(call)


def paths(data: bytes) -> None:
    """The path of an artifact: it stays below its root, whichever way it is written."""
    text = data.decode("utf-8", "surrogateescape")
    for parse in (ArtifactPath.parse, ArtifactPath.new):
        path = parse(text)
        assert parse(str(path)) == path
        whole = posixpath.normpath(posixpath.join("/root/folder", str(path)))
        assert whole == "/root/folder" or whole.startswith("/root/folder/")
        assert all(one not in ("", ".", "..") and "\0" not in one for one in path.parts)


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (search, wire, meta, metrics, mlmodel, token, journal, paths)
}
_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None


def examine(name: str, data: bytes) -> None:
    """Give bytes to a target.

    Raises:
        Exception: what no caller expects.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            TARGETS[name](data)
        except TOLD as error:
            assert str(error), "an error says something"
