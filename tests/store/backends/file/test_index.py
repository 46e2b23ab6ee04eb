"""Searches through the index of runs equal the plain scan of the tree, whatever happens."""

from __future__ import annotations

import glob
import os
import random
import shutil
import sqlite3
import time

import pytest

from mlflow.entities.run import Dataset, DatasetInput, InputTag, Metric, Param, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import Query
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.file.index import RunIndex
from mlflow.store.backends.file.index_file import load, save, snapshot_path
from mlflow.store.backends.file.scan import Searches, every_run, paged

# The changes below leave torn files behind, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:Left out of the store")

FILTERS = [
    None,
    "metrics.a > 0.5",
    "metrics.a != 1",
    "not metrics.a > 0.5",
    "metrics.`z/y` is null and status = 'FINISHED'",
    "metrics.a not between 0 and 0.5 or run_name like 'r_' and metrics.b not in (1)",
    "not (metrics.b between 0 and 1) and params.q != 'x'",
    "params.p ilike 'x' or tags.t in ('u','v')",
    "end_time is null or end_time between 2 and 5",
    "tags.nope is null",
    "tags.`d/e` = 'u' or datasets.name = 'd' and not datasets.context = 'train'",
    "datasets.digest != '1'",
    "start_time > 99999999999999999999999 or params.p not like 'x'",
]
ORDERS = [
    None,
    ["metrics.a"],
    ["metrics.a desc", "params.p"],
    ["end_time desc", "run_name"],
    ["tags.t desc", "metrics.`z/y`"],
    ["params.p desc"],
]
VALUES = [float("nan"), float("inf"), float("-inf"), 1.0, 0.25, 0.75]


def _shown(run):
    """All of a run, keys in order."""
    data = run.data
    values = [sorted(part.items()) for part in (data.metrics, data.params, data.tags)]
    points = sorted(repr(metric) for metric in data._metric_objs)
    return repr((run.info, values, points, run.inputs, run.outputs))


class Finder(Searches):
    """The searches of a store, with the index from so many runs on."""

    def __init__(self, backend, least=0):
        super().__init__(backend.tree, backend.runs)
        self.index = self._index = RunIndex(backend.tree.root, self._recent, least=least)

    def search(self, experiments, view, query):
        return super().runs(experiments, view, query)


class Store:
    """A store that is changed by us and by others, and searched on two paths."""

    def __init__(self, root, seed=7, **options):
        self.root = str(root)
        self.chance = random.Random(seed)
        self.backend = FileBackend(self.root)
        self.experiments = ["0", self.backend.insert_experiment("e", None, (), 1)]
        self.finder = Finder(self.backend, **options)
        self.runs = []

    def add(self):
        chance, number = self.chance, len(self.runs)
        run_id = f"{chance.getrandbits(128):032x}"
        experiment = chance.choice(self.experiments)
        info = RunInfo(
            run_id, experiment, "u", "RUNNING", chance.randrange(5), None, "active",
            "", f"r{number % 9}",
        )  # fmt: skip
        self.backend.insert_run(info, [RunTag("t", chance.choice("uvw"))])
        self.runs.append((run_id, f"{self.root}/{experiment}/{run_id}"))
        for key in ("a", "b", "z/y"):
            if chance.random() < 0.8:
                self.backend.append_metric(run_id, key, chance.choice(VALUES), 1, 0)
        params = [Param(key, chance.choice("xyXY")) for key in "pq" if chance.random() < 0.8]
        self.backend.write_batch(run_id, [], params, [])
        if chance.random() < 0.3:
            tags = [InputTag("mlflow.data.context", chance.choice(["train", "eval"]))]
            dataset = Dataset(chance.choice("de"), chance.choice("12"), "s", "{}")
            self.backend.write_inputs(run_id, [DatasetInput(dataset, tags)], [])

    def change(self):
        """One change, by this process or by another program."""
        chance = self.chance
        run_id, place = chance.choice(self.runs)
        kind = chance.randrange(10)
        if kind == 0:
            with open(f"{place}/metrics/a", "a", encoding="utf-8") as file:
                file.write(f"{chance.randrange(9)} {chance.random()} {chance.randrange(9)}\n")
        elif kind == 1:
            with open(f"{place}/tags/t", "w", encoding="utf-8") as file:
                file.write(chance.choice("uvw"))
        elif kind == 2:
            os.makedirs(f"{place}/metrics/z", exist_ok=True)
            with open(f"{place}/metrics/z/y", "a", encoding="utf-8") as file:
                file.write(f"1 {chance.random()} 1\n")
        elif kind == 3:
            with open(f"{place}/params/q", "w", encoding="utf-8") as file:
                file.write("x")
            os.utime(f"{place}/params")
        elif kind == 4:
            self.backend.move_run(run_id, chance.choice(["active", "deleted"]), 5)
        elif kind == 5:
            self.add()
        elif kind == 6 and len(self.runs) > 5:
            shutil.rmtree(place)
            self.runs.remove((run_id, place))
        elif kind == 7:
            other = FileBackend(self.root)
            metric = Metric("b", chance.choice(VALUES), 2, chance.randrange(3))
            if other.get_run_info(run_id).lifecycle_stage == "active":
                other.write_batch(run_id, [metric], [], [RunTag("d/e", chance.choice("uv"))])
        elif kind == 8:
            # Metric files only grow; what is not appended to is replaced.
            with open(f"{place}/new", "w", encoding="utf-8") as file:
                file.write(chance.choice(["", "not a point\n", "1 0.5 1\ntorn", "1 2.0 1\n"]))
            os.replace(f"{place}/new", f"{place}/metrics/a")
        elif kind == 9 and self.backend.get_run_info(run_id).lifecycle_stage == "active":
            self.backend.update_run(
                run_id, status="FINISHED", end_time=chance.randrange(9), run_name="rx"
            )

    def query(self, text=None, order_by=None, size=1000, token=None):
        return Query(parse_filter("runs", text), parse_order_by("runs", order_by), size, token)

    def compare(self, text, order_by, size, view, pages=3):
        """Both paths, page after page: rows, content, tokens."""
        token = None
        for _ in range(pages):
            query = self.query(text, order_by, size, token)
            fresh = FileBackend(self.root)
            rows = every_run(fresh.tree, fresh.runs, self.experiments, view)
            narrowed = (sorted(self.experiments), view)
            plain = paged("runs", rows, query, narrowed, fresh.searches._history)
            found = self.finder.search(self.experiments, view, query)
            for expected, got in zip(plain, found, strict=True):
                assert _shown(expected) == _shown(got), (text, order_by, size, view)
            assert plain.token == found.token
            token = plain.token
            if not token:
                return

    def compare_some(self, times):
        for _ in range(times):
            self.compare(
                self.chance.choice(FILTERS),
                self.chance.choice(ORDERS),
                self.chance.choice([1, 3, 17, 1000]),
                self.chance.choice([1, 1, 2, 3]),
            )


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "mlruns")
    for _ in range(25):
        store.add()
    return store


def _settle():
    """Let the clock of the file system move on, so that what was written counts as old."""
    time.sleep(0.08)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("least", [0, 10**9], ids=["index", "remembered"])
def test_the_fast_paths_equal_the_scan(tmp_path, seed, least):
    """Whatever changes, whoever changes it, every search sees it at once, in the same order."""
    store = Store(tmp_path / "mlruns", seed, least=least)
    for _ in range(15):
        store.add()
    for round_ in range(25):
        for _ in range(store.chance.randrange(5)):
            store.change()
        if round_ % 6 == 0:
            _settle()
        store.compare_some(3)


@pytest.mark.parametrize("text", FILTERS)
@pytest.mark.parametrize("order_by", ORDERS)
def test_every_form_of_search(store, text, order_by):
    """Each filter with each order, in small pages."""
    store.compare(text, order_by, 4, 3, pages=9)


def test_a_settled_store_is_not_read_again(store):
    """A search reads the runs of its page and no others, and the memory spares even those."""
    _settle()
    store.finder.search(store.experiments, 1, store.query())
    before = store.finder.index.reads
    page = store.finder.search(store.experiments, 1, store.query("metrics.a > 0", size=3))

    assert 3 == len(page)
    assert 3 == store.finder.index.reads - before


def test_only_the_changed_run_is_read_again(store):
    """A line that another program appends makes one run be read."""
    _settle()
    store.finder.search(store.experiments, 1, store.query("metrics.a > 5", ["metrics.a"]))
    with open(f"{store.runs[0][1]}/metrics/a", "a", encoding="utf-8") as file:
        file.write("9 6.5 9\n")
    before = store.finder.index.reads
    page = store.finder.search(store.experiments, 1, store.query("metrics.a = 6.5", ["metrics.a"]))

    assert [store.runs[0][0]] == [run.info.run_id for run in page]
    assert 1 == store.finder.index.reads - before


def test_a_change_within_the_same_tick_is_seen(store):
    """The same size, the same inode and the same time: what was read too soon is read again."""
    place = store.runs[0][1]
    for text in ("1 0.5 1\n", "1 0.7 1\n", "1 0.6 1\n") * 5:
        with open(f"{place}/tags/c", "w", encoding="utf-8") as file:
            file.write(text)
        page = store.finder.search(store.experiments, 1, store.query("tags.c like '1%'"))

        assert [text] == [run.data.tags["c"] for run in page]


def test_callers_may_change_what_they_get(store):
    """Nothing of a remembered run is shared with the caller."""
    _settle()
    search = lambda: store.finder.search(store.experiments, 1, store.query())  # noqa: E731
    search()
    before = list(map(repr, search()))
    for run in search():
        run.data.metrics.clear()
        run.data.params["new"] = "x"
        run.data.tags.clear()
        run.inputs.dataset_inputs.clear()
        run.info._status = "KILLED"

    assert before == list(map(repr, search()))


def test_aggregates_are_answered_by_the_scan(store):
    """The index has no histories; the answer is the same."""
    store.compare("min(metrics.a) < 0.5", ["max(metrics.b) desc"], 5, 1)
    assert store.finder.index.search([], 1, store.query("min(metrics.a) < 1")) is None


def test_few_runs_are_scanned(tmp_path):
    """Below the threshold no database is made."""
    store = Store(tmp_path / "mlruns", least=1000)
    store.add()
    store.compare(None, None, 10, 1)

    assert store.finder.index._database is None


def test_tokens_of_other_searches_are_refused(store):
    """As on the plain path."""
    token = store.finder.search(store.experiments, 1, store.query(size=2)).token
    with pytest.raises(MlflowException, match="Invalid page token"):
        store.finder.search(store.experiments, 1, store.query("metrics.a > 0", token=token))
    with pytest.raises(MlflowException, match="Invalid page token"):
        store.finder.search(["0"], 1, store.query(token=token))


def test_what_a_database_cannot_hold_is_scanned(store):
    """A start time beyond 64 bits comes from a strange file, and is still found."""
    place = store.runs[0][1]
    with open(f"{place}/meta.yaml", encoding="utf-8") as file:
        lines = file.read().splitlines()
    changed = [f"start_time: {2**70}" if one.startswith("start_time") else one for one in lines]
    with open(f"{place}/meta.yaml", "w", encoding="utf-8") as file:
        file.write("\n".join(changed))

    store.compare(None, None, 5, 1)


def test_a_huge_filter_is_scanned(store):
    """More conditions than a statement may have are answered by the plain path."""
    text = " or ".join(f"metrics.k{i} > 1" for i in range(190)) + " or metrics.a > 0"
    store.compare(text, None, 100, 1)


def test_a_fork_begins_anew(store):
    """The child has its own index, and the parent keeps its."""
    store.compare(None, None, 5, 1)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.add()
            store.compare("metrics.a > 0", ["metrics.a"], 5, 1)
            status = 0
        finally:
            os._exit(status)

    assert 0 == os.waitpid(child, 0)[1]
    store.compare(None, None, 5, 1)


# ── the snapshot ──


def _snapshot(store, monkeypatch):
    """Have the index written; return the path of the snapshot."""
    monkeypatch.setattr("mlflow.store.backends.file.index._WORTH_SAVING", 1)
    _settle()
    store.finder.search(store.experiments, 1, store.query())
    store.finder.index.close()
    return snapshot_path(store.root)


def _again(store):
    return Finder(store.backend)


def test_the_next_process_reads_little(store, monkeypatch):
    """With a snapshot only the runs of the page are read."""
    path = _snapshot(store, monkeypatch)
    assert os.path.isfile(path)
    assert 0o600 == os.stat(path).st_mode & 0o777
    assert store.root not in path

    store.finder = _again(store)
    page = store.finder.search(store.experiments, 1, store.query("metrics.a > 0", size=2))

    assert 2 == len(page) == store.finder.index.reads
    store.compare_some(5)


def test_nothing_is_written_into_the_store(store, monkeypatch):
    """The index lives in the cache folder alone."""
    before = sorted(glob.glob(f"{store.root}/**", recursive=True, include_hidden=True))
    _snapshot(store, monkeypatch)

    assert before == sorted(glob.glob(f"{store.root}/**", recursive=True, include_hidden=True))


def test_changes_while_nobody_looked_are_seen(store, monkeypatch):
    """A snapshot is as good as its stamps."""
    _snapshot(store, monkeypatch)
    for _ in range(20):
        store.change()
    store.finder = _again(store)

    store.compare_some(10)


def test_damaged_snapshots_cost_a_reading_only(store, monkeypatch):
    """Any byte changed, cut off anywhere, emptied: the answers are those of the files."""
    path = _snapshot(store, monkeypatch)
    with open(path, "rb") as file:
        good = file.read()
    damaged = [b"", good[:20], good[: len(good) // 2], good + b"x", b"SQLite format 3\0" * 9]
    for _ in range(25):
        at = store.chance.randrange(len(good))
        damaged.append(
            good[:at] + bytes([good[at] ^ 1 << store.chance.randrange(8)]) + good[at + 1 :]
        )
    for content in damaged:
        with open(path, "wb") as file:
            file.write(content)
        store.finder = Finder(store.backend)
        assert load(store.root) is None
        store.compare("metrics.a > 0", ["metrics.a"], 5, 1, pages=1)


@pytest.mark.parametrize(
    "attack",
    [
        "CREATE TRIGGER t AFTER DELETE ON runs BEGIN DELETE FROM metrics; END",
        "CREATE VIEW v AS SELECT load_extension('x')",
        "DROP TABLE metrics",
        "ALTER TABLE runs ADD COLUMN more TEXT DEFAULT 'x'",
        "UPDATE about SET value = '/elsewhere' WHERE key = 'root'",
        "DELETE FROM about",
        "UPDATE about SET value = '0' WHERE key = 'hash'",
    ],
)
def test_forged_snapshots_are_refused(store, monkeypatch, attack):
    """A database with a right checksum that is not exactly ours is not used."""
    _snapshot(store, monkeypatch)
    database = sqlite3.connect(":memory:")
    database.deserialize(load(store.root))
    database.execute(attack)
    database.commit()
    save(store.root, database.serialize())
    database.close()
    store.finder = _again(store)
    store.finder.search(store.experiments, 1, store.query(size=1))

    assert len(store.runs) <= store.finder.index.reads
    store.compare_some(3)


def test_forged_contents_are_noticed_in_what_is_returned(store, monkeypatch):
    """Rows are checked against their files: an index that lies about one reads it again."""
    _snapshot(store, monkeypatch)
    database = sqlite3.connect(":memory:")
    database.deserialize(load(store.root))
    database.execute("UPDATE metrics SET value = 99.0, nan = 0 WHERE key = 'a'")
    database.execute("UPDATE runs SET lifecycle = 'active', status = 'FINISHED'")
    database.commit()
    save(store.root, database.serialize())
    database.close()
    store.finder = _again(store)

    assert [] == list(store.finder.search(store.experiments, 1, store.query("metrics.a = 99")))


def test_snapshots_of_others_are_not_read(store, monkeypatch, tmp_path):
    """A link, a folder or a pipe in place of the snapshot is passed over."""
    path = _snapshot(store, monkeypatch)
    os.rename(path, tmp_path / "real")
    os.symlink(tmp_path / "real", path)
    assert load(store.root) is None
    os.unlink(path)
    os.mkdir(path)
    assert load(store.root) is None
    os.rmdir(path)
    os.mkfifo(path)
    assert load(store.root) is None
    store.finder = _again(store)
    store.compare_some(2)


def test_a_cache_folder_that_cannot_be_written_is_no_trouble(store, monkeypatch, tmp_path):
    """The index works from memory."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("MILLSTREAM_CACHE_DIR", str(tmp_path / "file" / "below"))
    _snapshot(store, monkeypatch)
    store.compare_some(3)
