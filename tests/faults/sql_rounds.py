"""Processes write one database at once, and are killed at any moment; nothing is lost.

A process of its own: forking a small one is quick, and a test's process is large.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time

from mlflow.entities.registry import ModelVersion, RegisteredModel
from mlflow.entities.run import Metric, Param, RunInfo, RunTag
from mlflow.store.backends.base import Duplicate, Missing
from mlflow.store.backends.sql import SqlBackend

FULL = os.environ.get("MILLSTREAM_FULL") in ("1", "all")
PROCESSES, POINTS = 8, 1000 if FULL else 100
ROUNDS = 200 if FULL else 25
ACK = struct.Struct("<q")
RUN = "a" * 32


def _info(run_id):
    return RunInfo(run_id, "0", "u", "RUNNING", 1, None, "active", f"s3://x/{run_id}", "name")


def in_child(work):
    """Run a function in a forked child that never returns to the test."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def all_at_once(work):
    """Run `work(0)` to `work(PROCESSES - 1)`, each in a process; none may fail."""
    children = [in_child(lambda place=place: work(place)) for place in range(PROCESSES)]
    assert [0] * PROCESSES == [os.waitpid(child, 0)[1] for child in children]


def processes_log_to_one_run(backend):
    """Every point is kept, and the latest is the largest; nobody is told of locks or deadlocks."""

    def work(place):
        for step in range(POINTS):
            backend.append_metric(RUN, "shared", float(place), step, step)
            backend.append_metric(RUN, f"own{place}", float(step), step, step)

    all_at_once(work)
    latest = backend.get_run(RUN).data.metrics

    assert len(backend.metric_history(RUN, "shared")) == PROCESSES * POINTS
    for place in range(PROCESSES):
        assert len(backend.metric_history(RUN, f"own{place}")) == POINTS
        assert latest[f"own{place}"] == POINTS - 1
    assert latest["shared"] == PROCESSES - 1


def processes_log_batches_of_the_same_keys(backend):
    """In different orders, which is how deadlocks are made; all is kept."""
    keys = [f"k{n:02}" for n in range(40)]

    def work(place):
        rng = random.Random(place)
        for turn in range(10):
            mixed = rng.sample(keys, len(keys))
            step = turn * PROCESSES + place
            backend.write_batch(
                RUN,
                [Metric(key, float(step), step, step) for key in mixed],
                [Param(key, "same") for key in rng.sample(keys, 20)],
                [RunTag(key, str(place)) for key in rng.sample(keys, len(keys))],
            )

    all_at_once(work)
    kept = backend.get_run(RUN).data
    last = float(10 * PROCESSES - 1)

    assert kept.metrics == dict.fromkeys(keys, last)
    assert kept.params == dict.fromkeys(keys, "same")
    assert len(set(kept.tags.values())) == 1
    assert len(backend.metric_history(RUN, keys[0])) == 10 * PROCESSES


def processes_make_experiments_and_runs(backend):
    """Of one name there is one experiment; runs are all there."""

    def work(place):
        for turn in range(5):
            try:
                backend.insert_experiment(f"shared {turn}", None, [("by", str(place))], 1)
            except Duplicate:
                pass  # another process was first
            backend.insert_run(_info(f"{place:02x}{turn:030x}"), [RunTag("t", "v")])

    all_at_once(work)
    found = [backend.find_experiment(f"shared {turn}") for turn in range(5)]
    ids = [one.experiment_id for one in found]

    assert len(set(ids)) == 5
    assert all(len(one.tags) == 1 for one in found)
    for place in range(PROCESSES):
        for turn in range(5):
            assert backend.get_run(f"{place:02x}{turn:030x}").data.tags == {"t": "v"}


def version_numbers_have_no_gaps(backend):
    """Processes add versions and move one alias; every number comes once, the alias holds one."""
    backend.insert_registered_model(RegisteredModel("m", 1, 1))

    def work(place):
        for turn in range(10):
            version = ModelVersion(
                "m", "", turn, turn, source=f"s3://{place}", current_stage="None"
            )
            number = backend.insert_model_version(version, None)
            backend.set_alias("m", "best", number, 5)

    all_at_once(work)
    last = 10 * PROCESSES
    found = [backend.get_model_version("m", str(number + 1)) for number in range(last)]

    assert [sorted(one.aliases) for one in found].count(["best"]) == 1
    assert sorted(one.source for one in found) == sorted(
        f"s3://{place}" for place in range(PROCESSES) for _ in range(10)
    )
    version = ModelVersion("m", "", 1, 1, source="s3://x", current_stage="None")
    assert backend.insert_model_version(version, None) == str(last + 1)


def write_for_ever(backend, start, pipe):
    """Do one thing after another and acknowledge each once its call has returned."""
    at = start
    while True:
        backend.append_metric(RUN, "loss", at + 0.5, at, at)
        if at % 3 == 0:
            backend.write_batch(
                RUN,
                [Metric(f"m{at}", 1.0, at, n) for n in range(20)],
                [Param(f"p{at}", str(at))],
                [RunTag("t", f"v{at}")],
            )
        if at % 5 == 0:
            backend.update_run(RUN, run_name=f"name {at}", tags=[RunTag("name", f"name {at}")])
        os.write(pipe, ACK.pack(at))
        at += 1


def killed_while(work, pause):
    """Let a child do `work(pipe)`, kill it some time after its first acknowledgement; return all."""
    reader, writer = os.pipe()
    pid = in_child(lambda: work(writer))
    os.close(writer)
    data = os.read(reader, ACK.size)
    time.sleep(pause)
    os.kill(pid, signal.SIGKILL)
    while chunk := os.read(reader, 1 << 16):
        data += chunk
    os.close(reader)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    whole = len(data) // ACK.size
    return [ACK.unpack_from(data, place * ACK.size)[0] for place in range(whole)]


def killed_writers_lose_nothing_that_was_acknowledged(backend):
    """Each round a child is killed after a random while; what is there is whole."""
    rng = random.Random(20)
    done, start = [], 1
    for _ in range(ROUNDS):
        acks = killed_while(
            lambda pipe, start=start: write_for_ever(backend, start, pipe), rng.random() * 0.03
        )
        done += acks
        start = acks[-1] + 2
        # The state and the tag of the name were written in one act.
        run = backend.get_run(RUN)
        assert run.info.run_name == run.data.tags.get("name", "name")
    kept = {one.step: one.value for one in backend.metric_history(RUN, "loss")}
    run = backend.get_run(RUN).data

    assert [at for at in done if kept.get(at) != at + 0.5] == []
    for at in {int(key[1:]) for key in run.params} | {at for at in done if at % 3 == 0}:
        assert run.params[f"p{at}"] == str(at)
        assert len(backend.metric_history(RUN, f"m{at}")) == 20
    assert len(done) > ROUNDS
    if "sqlite" in repr(backend):
        check = backend._database.run(
            lambda one: one.exec_driver_sql("PRAGMA integrity_check").all()
        )
        assert [tuple(row) for row in check] == [("ok",)]


def a_killed_maker_leaves_whole_runs_or_none(backend):
    """A run is there with all of its tags, or not at all."""
    tags = [RunTag(f"t{n}", "v") for n in range(20)]
    rng = random.Random(21)
    for turn in range(max(5, ROUNDS // 5)):

        def work(pipe, turn=turn):
            for number in range(10**9):
                backend.insert_run(_info(f"{turn:02x}{number:030x}"), tags)
                os.write(pipe, ACK.pack(number))

        acks = killed_while(work, rng.random() * 0.03)
        for number in acks:
            assert len(backend.get_run(f"{turn:02x}{number:030x}").data.tags) == 20
        # The one that was cut off.
        try:
            run = backend.get_run(f"{turn:02x}{acks[-1] + 1:030x}")
        except Missing:
            continue
        assert len(run.data.tags) == 20


KINDS = {
    one.__name__: one
    for one in (
        processes_log_to_one_run,
        processes_log_batches_of_the_same_keys,
        processes_make_experiments_and_runs,
        version_numbers_have_no_gaps,
        killed_writers_lose_nothing_that_was_acknowledged,
        a_killed_maker_leaves_whole_runs_or_none,
    )
}

if __name__ == "__main__":
    kind, uri = sys.argv[1:]
    opened = SqlBackend(uri)
    opened.insert_run(_info(RUN), [])
    KINDS[kind](opened)
    opened.close()
