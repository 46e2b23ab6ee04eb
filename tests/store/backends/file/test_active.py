"""Which runs are active: one look at a file each time, and never a stale answer."""

from __future__ import annotations

import os
import shutil

import pytest

from mlflow.store.backends.base import Corrupt, Missing, NotActive
from mlflow.store.backends.file import active
from mlflow.store.backends.file.active import ActiveRuns

RUN = "a" * 32


@pytest.fixture
def runs(backend):
    return ActiveRuns(backend.tree)


def test_a_run_that_stays_as_it_is_costs_one_look(new_run, runs, calls):
    new_run()
    found = runs.find(RUN)
    counted = calls("stat", "lstat", "open", "scandir")

    assert runs.find(RUN) is found
    assert counted == {"stat": 1, "lstat": 0, "open": 0, "scandir": 0}


def test_a_new_run_is_known_without_being_read(new_run, runs, calls):
    place = new_run()
    runs.made(RUN, place)
    counted = calls("open", "scandir")

    assert runs.find(RUN).place == place
    assert counted == {"open": 0, "scandir": 0}


def test_what_another_process_does_to_a_run_is_seen_at_once(new_run, runs, other):
    new_run()
    first = runs.find(RUN)
    other.move_run(RUN, "deleted", 5)
    with pytest.raises(NotActive):
        runs.find(RUN)
    other.move_run(RUN, "active", 6)

    again = runs.find(RUN)
    assert again is not first
    assert again.place == first.place


def test_a_run_goes_with_its_experiment_and_comes_back(new_run, runs, other):
    experiment = other.insert_experiment("e", None, (), 1)
    new_run(experiment_id=experiment)
    runs.find(RUN)
    other.move_experiment(experiment, "deleted", 2)
    with pytest.raises(NotActive):
        runs.find(RUN)
    other.move_experiment(experiment, "active", 3)

    assert runs.find(RUN).place.endswith(f"mlruns/{experiment}/{RUN}")


def test_a_run_that_moved_to_another_experiment_is_found_there(new_run, runs, other):
    experiment = other.insert_experiment("e", None, (), 1)
    place = new_run()
    runs.find(RUN)
    moved = place.replace("/0/", f"/{experiment}/")
    os.rename(place, moved)

    assert runs.find(RUN).place == moved


def test_a_run_that_was_removed_is_missing(new_run, runs):
    place = new_run()
    runs.find(RUN)
    shutil.rmtree(place)

    with pytest.raises(Missing):
        runs.find(RUN)
    with pytest.raises(Missing):
        runs.find("b" * 32)


def test_damaged_metadata_is_reported_and_forgotten_when_it_is_mended(new_run, runs):
    place = new_run()
    runs.find(RUN)
    with open(f"{place}/meta.yaml", "rb") as file:
        good = file.read()
    with open(f"{place}/meta.yaml", "wb") as file:
        file.write(b"status: [")
    with pytest.raises(Corrupt, match="not YAML"):
        runs.find(RUN)
    with open(f"{place}/meta.yaml", "wb") as file:
        file.write(good)

    assert runs.find(RUN).place == place


def test_only_so_many_runs_are_remembered(new_run, runs, monkeypatch):
    monkeypatch.setattr(active, "_MOST", 3)
    for number in range(7):
        run_id = f"{number:032x}"
        new_run(run_id)
        runs.find(run_id)

    assert 0 < len(runs._known) <= 3
