"""Children that write a file store are killed round by round; what they said was written is there.

A process of its own: forking a small one is quick, and a test's process is large.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time

import yaml

from mlflow.entities.run import Metric, Param, RunInfo, RunTag
from mlflow.store.backends.file import FileBackend

RUNS = 10
ACK = struct.Struct("<q")


def new_run(backend, number):
    run_id = f"{number:032x}"
    info = RunInfo(run_id, "0", "u", "RUNNING", 1, None, "active", f"file:///x/{run_id}", "name")
    backend.insert_run(info, [RunTag("t", "v0")])
    return run_id


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


def write_for_ever(backend, run_id, start, pipe):
    """Do one thing after another and acknowledge each once its call has returned."""
    at = start
    while True:
        backend.append_metric(run_id, "loss", at + 0.5, at, at)
        if at % 3 == 0:
            text = str(at) * 700
            backend.write_batch(run_id, [], [Param(f"p{at}", text)], [RunTag("t", f"v{at}")])
        if at % 4 == 0:
            backend.write_batch(run_id, [Metric(f"m{at}", 1.0, at, at)], [], [])
        if at % 5 == 0:
            backend.update_run(run_id, run_name=f"name {at}" * 20, end_time=at)
        os.write(pipe, ACK.pack(at))
        at += 1


def acknowledged(pipe, data=b""):
    while chunk := os.read(pipe, 1 << 16):
        data += chunk
    whole = len(data) // ACK.size
    return [ACK.unpack_from(data, place * ACK.size)[0] for place in range(whole)]


def read_exactly(pipe, size):
    data = b""
    while len(data) < size:
        chunk = os.read(pipe, size - len(data))
        assert chunk, "the writer ended by itself"
        data += chunk
    return data


def check(root, run_id, done):
    """Look at the files themselves, without the backend."""
    place = f"{root}/0/{run_id}"
    with open(f"{place}/meta.yaml", encoding="utf-8") as file:
        record = yaml.safe_load(file)
    assert record["run_id"] == run_id
    name = record["run_name"]
    assert name == "name" or name == name[: len(name) // 20] * 20
    with open(f"{place}/metrics/loss", encoding="utf-8") as file:
        lines = file.read().split("\n")[:-1]
    good = {line for line in lines if len(line.split(" ")) == 3}
    lost = [at for at in done if f"{at} {at + 0.5} {at}" not in good]
    assert not lost
    for at in done:
        if at % 3 == 0:
            with open(f"{place}/params/p{at}", encoding="utf-8") as file:
                assert file.read() == str(at) * 700
        if at % 4 == 0:
            assert os.path.getsize(f"{place}/metrics/m{at}") > 0
    for file_name in os.listdir(f"{place}/params"):
        with open(f"{place}/params/{file_name}", encoding="utf-8") as file:
            assert file.read() == file_name[1:] * 700
    with open(f"{place}/tags/t", encoding="utf-8") as file:
        tag = file.read()
    assert tag[0] == "v" and tag[1:].isdigit()
    if done:
        assert int(tag[1:]) >= max((at for at in done if at % 3 == 0), default=0)


def writers(root, rounds):
    """Each round a child is killed at a random moment; the next goes on in the same run."""
    rng = random.Random(20)
    backend = FileBackend(root)
    backend.get_experiment("0")
    runs = [new_run(backend, number + 1) for number in range(RUNS)]
    done = {run_id: [] for run_id in runs}
    starts = dict.fromkeys(runs, 1)
    total = 0
    for _ in range(rounds):
        run_id = rng.choice(runs)
        reader, writer = os.pipe()
        pid = in_child(lambda: write_for_ever(backend, run_id, starts[run_id], writer))
        os.close(writer)
        # A number of things, which a busy machine does not change, and some of the next one.
        first = read_exactly(reader, ACK.size * rng.randrange(12))
        time.sleep(rng.random() * 0.002)
        os.kill(pid, signal.SIGKILL)
        acks = acknowledged(reader, first)
        os.close(reader)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        done[run_id] += acks
        # The one that was cut off may or may not be there; a param of it must not be met again.
        starts[run_id] = (acks[-1] if acks else starts[run_id]) + 2
        total += len(acks)
    for run_id in runs:
        check(root, run_id, done[run_id])
        run = backend.get_run(run_id)
        assert run.info.run_id == run_id

    assert total > 4 * rounds


def makers(root, rounds):
    """What a listing shows was finished; what was not finished disturbs nobody."""
    rng = random.Random(21)
    backend = FileBackend(root)
    backend.get_experiment("0")
    made = 0
    for turn in range(rounds):
        reader, writer = os.pipe()

        def work(turn=turn, writer=writer):
            for number in range(1 << 20):
                new_run(backend, (turn + 1) << 32 | number)
                os.write(writer, ACK.pack(number))

        pid = in_child(work)
        os.close(writer)
        first = read_exactly(reader, ACK.size * rng.randrange(8))
        time.sleep(rng.random() * 0.002)
        os.kill(pid, signal.SIGKILL)
        made += len(acknowledged(reader, first))
        os.close(reader)
        os.waitpid(pid, 0)
    shown = [run_id for run_id, _ in backend.tree.run_places(f"{root}/0")]
    for run_id in shown:
        run = backend.get_run(run_id)
        assert run.data.tags == {"t": "v0"}
        assert run.info.run_name == "name"

    assert made > 20
    assert made <= len(shown) <= made + rounds


if __name__ == "__main__":
    kind, place, count = sys.argv[1:]
    {"writers": writers, "makers": makers}[kind](place, int(count))
