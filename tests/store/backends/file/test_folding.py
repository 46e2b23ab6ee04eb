"""Lines of writers come into the metric files once each, whatever interrupts it."""

from __future__ import annotations

import json
import os
import time
import warnings

import pytest

from mlflow.entities.run import Metric
from mlflow.store.backends.file import FileBackend, folding
from mlflow.store.local import LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(FileBackend(str(tmp_path / "runs")))


@pytest.fixture
def place(store, tmp_path):
    run_id = store.create_run("0", "ada", 1, [], "name").info.run_id
    return f"{tmp_path}/runs/0/{run_id}"


def write(place, name, *rows):
    os.makedirs(f"{place}/.writers", exist_ok=True)
    with open(f"{place}/.writers/{name}", "a") as file:
        file.write("".join(rows))


def row(step, key="m"):
    return f"{key}\t{step} {step}.5 {step}\n"


def text(place, key="m"):
    with open(f"{place}/metrics/{key}") as file:
        return file.read()


def read(store, place):
    return store.get_run(os.path.basename(place)).data.metrics


def test_whoever_reads_folds(store, place):
    """A run, a history: with every line of every writer, in its order, and no part of one."""
    write(place, "a", row(1), row(1, "x/y"), row(3))
    write(place, "b", row(2), "m\t9 9")
    assert {"m": 3.5, "x/y": 1.5} == read(store, place)
    write(place, "b", ".5 9\n")
    history = store.get_metric_history(os.path.basename(place), "m")
    assert [1, 3, 2, 9] == [one.step for one in history]
    assert "1 1.5 1\n3 3.5 3\n2 2.5 2\n9 9.5 9\n" == text(place)
    read(store, place)
    assert 4 == text(place).count("\n")


def test_what_its_writer_has_closed_is_removed(store, place, monkeypatch):
    """So is that of a writer that was killed long ago; one that may live stays."""
    write(place, "a", row(1))
    write(place, "b", row(2))
    read(store, place)
    os.rename(f"{place}/.writers/a", f"{place}/.writers/a.done")
    write(place, "a.done", row(3))
    read(store, place)
    assert ["b", "folded", "lock"] == sorted(os.listdir(f"{place}/.writers"))
    old = time.time() - 2 * folding._FORGOTTEN
    os.utime(f"{place}/.writers/b", (old, old))
    write(place, "c", row(4))
    read(store, place)
    assert ["c", "folded", "lock"] == sorted(os.listdir(f"{place}/.writers"))
    assert 4 == text(place).count("\n")


class Stop(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("stop", range(12))
def test_a_fold_that_is_interrupted_anywhere(store, place, monkeypatch, stop):
    """The next one does the rest: no line is lost, none is there twice."""
    write(place, "a", row(0), row(0, "n"))
    read(store, place)
    write(place, "a", *(row(step) for step in range(1, 50)), row(1, "n"))
    write(place, "b.done", *(row(step, "o") for step in range(3)))
    left = [stop]

    def step():
        if left[0] == 0:
            raise Stop
        left[0] -= 1

    writer, whole = store._backend.tree.writer, folding.write_all
    replace, unlink = writer.replace, os.unlink

    def half(descriptor, data):
        step()
        whole(descriptor, data[: len(data) // 2])
        step()
        whole(descriptor, data[len(data) // 2 :])

    with monkeypatch.context() as patched:
        patched.setattr(folding, "write_all", half)
        patched.setattr(writer, "replace", lambda *some: (step(), replace(*some), step()))
        patched.setattr(os, "unlink", lambda path: (step(), unlink(path)))
        try:
            read(store, place)
            interrupted = False
        except Stop:
            interrupted = True
    assert interrupted == (stop < 12)
    again = LocalStore(FileBackend(os.path.dirname(os.path.dirname(place))))
    assert {"m": 49.5, "n": 1.5, "o": 2.5} == read(again, place)
    assert "".join(f"{n} {n}.5 {n}\n" for n in range(50)) == text(place)
    assert [2, 3] == [text(place, key).count("\n") for key in ("n", "o")]


def test_another_line_in_between(store, place):
    """What of an interrupted fold cannot be told from it is said again, and nothing is lost."""
    write(place, "a", row(1), row(2))
    with open(f"{place}/metrics/m", "w") as file:
        file.write("1 1.5 1\n7 7.5 7\n")
    with open(f"{place}/.writers/folded", "w") as file:
        json.dump({"at": {}, "to": {"a": 20}, "lengths": {"m": 0}}, file)
    read(store, place)
    assert {"1 1.5 1", "2 2.5 2", "7 7.5 7"} == set(text(place).split("\n")[:-1])


@pytest.mark.parametrize("key", ["../../../x", "/x", "a//b", ".", "m/below"])
def test_a_key_that_no_file_can_have(store, place, tmp_path, key):
    """Its lines are kept apart, and told; the others come in."""
    write(place, "a", row(1))
    read(store, place)
    write(place, "a", row(2, key), row(3))
    with pytest.warns(UserWarning, match="refused"):
        assert {"m": 3.5} == read(store, place)
    with open(f"{place}/.writers/refused") as file:
        assert f"{key}\n2 2.5 2\n" == file.read()
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "state",
    ["", "[]", '{"at": 1, "to": {}, "lengths": {}}', '{"at": {"a": -1}, "to": {}, "lengths": {}}'],
)
def test_a_record_of_what_was_folded_that_is_none(store, place, state):
    """Nothing is folded, rather than twice; it is told, and the run is there."""
    write(place, "a", row(1))
    write(place, "folded", state)
    with pytest.warns(UserWarning, match="are not folded in"):
        assert {} == read(store, place)


@pytest.mark.parametrize("name", [".writers", ".writers/a", ".writers/lock", ".writers/folded"])
def test_links_are_not_followed(store, place, tmp_path, name):
    """Whoever made the folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a").write_text(row(1))
    if name != ".writers":
        os.mkdir(f"{place}/.writers")
        write(place, "b", row(2))
    os.symlink(elsewhere / ("a" if "/" in name else ""), f"{place}/{name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read(store, place) in ({}, {"m": 2.5})
    assert row(1) == (elsewhere / "a").read_text()
    assert ["a"] == os.listdir(elsewhere)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anything")
def test_a_folder_that_may_only_be_read(store, place):
    """The run is read, and what is missing is told."""
    write(place, "a", row(1))
    os.chmod(f"{place}/.writers", 0o500)
    with pytest.warns(UserWarning, match="are not folded in"):
        assert {} == read(store, place)
    os.chmod(f"{place}/.writers", 0o700)


def test_a_plain_run_costs_one_look(store, place, monkeypatch):
    """Which finds no such folder."""
    store.log_metric(os.path.basename(place), Metric("m", 1.0, 1, 1))
    looked = []
    monkeypatch.setattr(folding, "_sizes", lambda folder: looked.append(folder))
    assert {"m": 1.0} == read(store, place)
    assert [] == looked
