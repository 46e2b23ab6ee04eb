"""What is remembered of runs, and how it keeps up."""

from __future__ import annotations

import time

import pytest

from mlflow.entities.run import RunTag
from mlflow.exceptions import MlflowException
from mlflow.server.ui import frame as frames
from mlflow.server.ui.frame import Frame, Frames

from .conftest import filled


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(frames, "_LONGEST_PAUSE", 0.0)


@pytest.fixture
def frame(sweep):
    return filled(Frame(sweep.store, [sweep.experiment], 1))


def look(frame, monkeypatch, *, whole=False):
    """Refresh as if time had passed."""
    monkeypatch.setattr(frames, "_RECENT_AFTER", -1.0)
    if whole:
        frame.complete = False
        filled(frame)
    frame.refresh(30)


def test_a_frame_holds_every_run_newest_first(frame, sweep):
    """After the first reading it is complete."""
    assert frame.complete
    assert list(reversed(sweep.ids)) == [run.info.run_id for run in frame.runs()]


def test_new_and_running_runs_are_seen(frame, sweep, monkeypatch):
    """Without reading everything again."""
    version = frame.version
    run_id = sweep.store.create_run(sweep.experiment, "u", 5000, [], "late").info.run_id
    look(frame, monkeypatch)
    assert [run_id, "RUNNING"] == [frame.runs()[0].info.run_id, frame.runs()[0].info.status]

    sweep.store.update_run_info(run_id, 4, 6000, None)
    look(frame, monkeypatch)
    assert "FAILED" == frame.runs()[0].info.status
    assert frame.version > version


def test_a_run_that_is_purged_while_it_runs_goes(frame, sweep, monkeypatch):
    """It is not shown for ever."""
    run_id = sweep.store.create_run(sweep.experiment, "u", 5000, [], "late").info.run_id
    look(frame, monkeypatch)
    sweep.store.delete_run(run_id)
    sweep.store.purge_run(run_id)

    look(frame, monkeypatch)

    assert run_id not in [run.info.run_id for run in frame.runs()]


def test_a_whole_reading_sees_every_change(frame, sweep, monkeypatch):
    """Deleted runs, and tags set on finished ones."""
    sweep.store.set_tag(sweep.ids[0], RunTag("team", "x"))
    sweep.store.delete_run(sweep.ids[1])

    look(frame, monkeypatch, whole=True)

    assert 11 == len(frame.runs())
    assert "x" == frame.runs()[-1].data.tags["team"]


def test_what_the_store_said_is_taken(frame, sweep):
    """Rows that are shown keep the frame fresh."""
    version = frame.version
    frame.note([sweep.store.get_run(sweep.ids[0])])
    assert version == frame.version

    sweep.store.set_tag(sweep.ids[0], RunTag("team", "y"))
    frame.note([sweep.store.get_run(sweep.ids[0])])
    assert version < frame.version
    frame.forget([sweep.ids[0], "nothing"])
    assert 11 == len(frame.runs())


def test_long_tags_are_not_remembered(sweep):
    """The history of logged models is as long as the number of models."""
    sweep.store.set_tag(sweep.ids[0], RunTag("mlflow.log-model.history", "[]"))
    made = filled(Frame(sweep.store, [sweep.experiment], 1))

    assert not any("mlflow.log-model.history" in run.data.tags for run in made.runs())


def test_a_frame_has_an_end(sweep, monkeypatch):
    """Beyond it the newest runs are kept, and the frame says so."""
    monkeypatch.setattr(frames, "MAX_RUNS", 4)
    monkeypatch.setattr(frames, "_FIRST", 4)
    monkeypatch.setattr(frames, "_PAGE", 4)
    made = filled(Frame(sweep.store, [sweep.experiment], 1))

    assert (4, True) == (len(made.runs()), made.capped)


def test_trouble_is_told_to_whoever_asks(sweep, monkeypatch):
    """And does not stay."""
    made = Frame(sweep.store, [sweep.experiment], 99)
    with pytest.raises(MlflowException):
        made.refresh(30)
    assert made.error is None


def test_the_first_rows_are_there_at_once(sweep, monkeypatch):
    """Whoever opens a page need not wait for the whole reading."""
    monkeypatch.setattr(frames, "_FIRST", 3)
    monkeypatch.setattr(Frame, "_start", lambda *_: None)
    made = Frame(sweep.store, [sweep.experiment], 1)
    made.refresh(0)

    assert (3, False) == (len(made.runs()), made.complete)


def test_an_answer_is_made_once(frame, sweep):
    """Until the runs change."""
    made = []
    for _ in range(3):
        frame.once("question", lambda: made.append(1))
    assert [1] == made

    sweep.store.set_tag(sweep.ids[0], RunTag("team", "z"))
    frame.note([sweep.store.get_run(sweep.ids[0])])
    frame.once("question", lambda: made.append(2))
    for number in range(40):
        frame.once(number, lambda: None)
    assert [1, 2] == made
    assert frame.runs() is frame.runs()


def test_few_frames_are_kept(sweep):
    """The least used go first; the same question gets the same frame."""
    kept = Frames(sweep.store)
    first = kept.get(["0"], 1)

    assert first is kept.get(["0", "0"], 1)
    for number in range(20):
        kept.get([str(number + 1)], 1)
    assert first is not kept.get(["0"], 1)


def test_a_closed_frame_asks_no_more(sweep, monkeypatch):
    """Not for the next page either: its store may be closed now."""
    monkeypatch.setattr(frames, "_PAGE", 1)
    monkeypatch.setattr(frames, "_FIRST", 1)
    monkeypatch.setattr(frames, "_LONGEST_PAUSE", 60.0)
    asked = []
    search = sweep.store.search_runs

    def slow(*arguments):
        asked.append(arguments)
        time.sleep(0.05)
        return search(*arguments)

    monkeypatch.setattr(sweep.store, "search_runs", slow)
    kept = Frames(sweep.store)
    frame = kept.get([sweep.experiment], 1)
    frame.refresh(0)
    kept.close()
    before = len(asked)
    time.sleep(0.2)

    assert before == len(asked) < len(sweep.ids)
    assert not frame.complete
