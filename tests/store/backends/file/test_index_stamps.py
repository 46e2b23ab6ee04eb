"""Stamps change with everything that may change what a run is."""

from __future__ import annotations

import os
import time

import pytest

from mlflow.store.backends.file.index_stamps import (
    Look,
    are_unchanged,
    folders_in,
    is_recent,
    stamp_of,
    stat_of,
)


@pytest.mark.parametrize("change", ["append", "rewrite", "replace", "touch", "remove"])
def test_a_change_changes_the_stamp(tmp_path, change):
    """Each way of writing a file is seen, the same size included."""
    path = tmp_path / "a"
    path.write_text("one", encoding="utf-8")
    before = stamp_of(stat_of(str(path)))
    time.sleep(0.05)
    if change == "append":
        with path.open("a", encoding="utf-8") as file:
            file.write("x")
    elif change == "rewrite":
        path.write_text("two", encoding="utf-8")
    elif change == "replace":
        (tmp_path / "b").write_text("one", encoding="utf-8")
        os.replace(tmp_path / "b", path)
    elif change == "touch":
        os.utime(path, ns=(0, 0))
    else:
        path.unlink()
    found = stat_of(str(path))

    assert found is None or before != stamp_of(found)
    assert not are_unchanged(((str(path), before),))


def test_times_just_before_now_are_recent():
    """Within a tick; within two seconds where only seconds are kept; in the future."""
    now = 1_700_000_000_123_456_789
    second = 1_700_000_000_000_000_000

    assert is_recent(now - 10_000_000, now)
    assert not is_recent(now - 100_000_000, now)
    assert is_recent(second - 1_000_000_000, now)
    assert not is_recent(second - 3_000_000_000, now)
    assert is_recent(now + 5, now)


def test_a_look_lists_files_and_folders(tmp_path):
    """Nested keys, and what the reader left out makes the run racy."""
    for path in ("metrics/a", "metrics/z/y", "params/p", "tags/t", "inputs/x/meta.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("1", encoding="utf-8")
    time.sleep(0.08)
    look = Look(str(tmp_path))

    assert {"a", "z/y"} == set(look.files["metrics"])
    assert {"metrics": ["z"], "inputs": ["x"]} == look.nested
    assert 0 == look.stamps[0]
    assert not look.is_racy({"a": 1.0, "z/y": 1.0}, {"p": "1"}, {"t": "1"})
    assert look.is_racy({"a": 1.0}, {"p": "1"}, {"t": "1"})
    seen = {os.path.relpath(path, tmp_path) for path, _ in look.everything()}
    assert {"metrics/a", "metrics/z", "tags/t", "inputs/x/meta.yaml", "params", "."} <= seen
    assert "params/p" not in seen


def test_links_are_no_folders(tmp_path):
    """What may be a run is a folder that is really there."""
    (tmp_path / "run").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "run")

    assert {"run"} == folders_in(str(tmp_path))
    assert set() == folders_in(str(tmp_path / "missing"))
    assert stat_of("a\0b") is None
