"""Programs run in turns and within limits; what they said before they were ended is kept."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import runner
from benchmarks.groups import GROUPS, Group
from benchmarks.sides import Side, find

PROGRAM = """
import json, os, sys, time
with open(os.environ["BENCH_ROWS"], "a") as file:
    file.write(json.dumps({"begin": "one", "unit": "ms"}) + "\\n")
    file.write(json.dumps({"row": "one", "unit": "ms", "samples": [1.0]}) + "\\n")
    with open(os.environ["TURNS"], "a") as turns:
        turns.write(os.environ["NAME"])
    if sys.argv[1] == "slow":
        file.write(json.dumps({"begin": "two", "unit": "ms"}) + "\\n")
        file.flush()
        time.sleep(60)
    if sys.argv[1] == "broken":
        sys.exit("no database answers")
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A program that says a row, and then ends well, not at all, or badly."""
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.setattr(runner, "PROGRAMS", tmp_path)
    monkeypatch.setattr(runner, "BYTECODE", tmp_path / "bytecode")
    turns = tmp_path / "turns"
    return turns, {
        name: Side(name, sys.executable, {"NAME": name, "TURNS": str(turns)}) for name in "AB"
    }


def _group(how, **more):
    return Group("g", "G", ("program.py", how), sides=("A", "B"), **more)


def test_sides_take_turns(programs):
    """A B A B, and the samples of all rounds are gathered."""
    turns, sides = programs

    results = runner.measure(_group("well"), sides, quick=False, say=lambda _: None)

    assert "ABAB" == turns.read_text()
    assert [1.0, 1.0] == results["A"]["rows"]["one"]["samples"]
    assert "" == results["A"]["problem"]


def test_a_side_that_is_missing_says_why(programs):
    """The other is measured all the same."""
    _, sides = programs
    sides["A"] = Side("A", missing="it could not be installed: no wheel")

    results = runner.measure(_group("well", rounds=1), sides, quick=False, say=lambda _: None)

    assert {"rows": {}, "problem": "it could not be installed: no wheel"} == results["A"]
    assert ["one"] == list(results["B"]["rows"])


def test_what_hangs_is_ended_and_named(programs, tmp_path):
    """The row that had begun is told and has no figure, those before it are kept."""
    _, sides = programs
    did = runner.turn(_group("slow", limit=1.0), sides["A"], tmp_path / "home", "", quick=False)

    assert "ended after 1 s, in 'two'" == did.problem
    assert {"one": {"unit": "ms", "samples": [1.0]}} == did.rows


def test_what_is_not_reached_says_so(programs):
    """When the time of the whole run is over, no program is begun."""
    turns, sides = programs

    results = runner.measure(_group("well"), sides, quick=False, say=lambda _: None, until=0.0)

    assert "no time was left" == results["A"]["problem"]
    assert not turns.exists()


def test_a_failure_has_its_last_words(programs, tmp_path):
    """So a reader knows why rows are missing."""
    _, sides = programs
    did = runner.turn(_group("broken"), sides["A"], tmp_path / "home", "", quick=False)

    assert "failed with 1: no database answers" == did.problem
    assert ["one"] == list(did.rows)


def test_what_takes_very_long_is_measured_once():
    """Times are known to be long from their samples, rates from what one call was for."""
    rows = {
        "over": {"unit": "ms", "over": 20.0},
        "long": {"unit": "ms", "samples": [32_000.0]},
        "long rate": {"unit": "points/s", "samples": [100.0], "each": 20_000},
        "quick": {"unit": "µs", "samples": [6.0]},
        "memory": {"unit": "MB", "samples": [32_000.0]},
    }

    assert ["over", "long", "long rate"] == runner.slow(rows)


def test_a_torn_line_is_no_row():
    """A program that is killed while it writes leaves half a line."""
    lines = ['{"row": "a", "unit": "ms", "samples": [1]}', '{"row": "b", "un']

    assert {"a": {"unit": "ms", "samples": [1]}} == runner.read(lines)[0]


def test_groups_are_sound():
    """Every program and side exists, and names are told apart."""
    sides = find({})

    assert len(GROUPS) == len({group.name for group in GROUPS})
    for group in GROUPS:
        assert (runner.PROGRAMS / group.program[0]).is_file()
        assert set(group.sides) <= set(sides)
        assert "millstream" in group.sides


def test_reasons_come_from_the_log_of_an_installation(tmp_path):
    """Its last line is what matters."""
    log = tmp_path / "log"
    log.write_text("Setting up\nERROR: no matching distribution\n\n")
    sides = find({"MILLSTREAM_BENCH_AIM": "", "MILLSTREAM_BENCH_AIM_LOG": str(log)})

    assert "it could not be installed: ERROR: no matching distribution" == sides["aim"].missing
    assert "MILLSTREAM_BENCH_TRACKIO is not set" == sides["trackio"].missing
    assert "" == sides["millstream"].missing


def test_results_are_json_and_groups_not_measured_stay():
    """A run of one group changes that group alone."""
    side = {"title": "Millstream", "problem": "", "rows": {"a": {"unit": "µs", "samples": [1.5]}}}
    before = {"files": {"load": 1.0, "sides": {"millstream": side}},
              "import": {"load": 1.0, "sides": {"millstream": side}}}  # fmt: skip
    after = command.merged(before, {"files": {"load": 2.0, "sides": {"millstream": side}}})

    assert {"import": 1.0, "files": 2.0} == {name: one["load"] for name, one in after.items()}
    assert after == json.loads(command._text(after))


def _measure(monkeypatch, tmp_path, **settings):
    monkeypatch.setenv("BENCH_ROWS", str(tmp_path / "rows"))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    path = Path(runner.__file__).parent / "programs" / "measure.py"
    spec = importlib.util.spec_from_file_location("measure_of_programs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarms")
def test_a_call_that_takes_too_long_is_given_up(monkeypatch, tmp_path):
    """The row says how long was waited, and the next one is measured."""
    measure = _measure(monkeypatch, tmp_path, BENCH_SKIPPED='["known to be slow"]')

    def hang():
        while True:
            pass

    measure.timed("known to be slow", "ms", hang, 1)
    measure.first_and_later("chart", "first look", hang, 5, within=0.05)
    measure.timed("slow", "ms", hang, 3, within=0.05)
    measure.timed("rate", "points/s", lambda: None, 3, each=1000)
    rows, _ = runner.read((tmp_path / "rows").read_text().splitlines())

    assert ["chart, first look", "chart", "slow", "rate"] == list(rows)
    assert {"unit": "ms", "over": 0.05} == rows["chart"]
    assert {"unit": "ms", "over": 0.05} == rows["slow"]
    assert 3 == len(rows["rate"]["samples"])
    assert 1000 == rows["rate"]["each"]
