"""Streams that tell pages of changes: what they say, whom, how many there are, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import time
import urllib.request

import pytest

from mlflow.entities.run import Metric, RunTag
from mlflow.server.ui import changes
from mlflow.server.ui.changes import mark_of

from ..asking import Client, ask  # noqa: TID252 - tests are no package that could be named
from ..running import server  # noqa: TID252


@pytest.fixture
def running(sweep):
    """A run that is not over, in the sweep's experiment."""
    made = sweep.store.create_run(sweep.experiment, "ada", 5000, [], "training")
    sweep.running = made.info.run_id
    return sweep


def test_what_changes_a_mark(running):
    """A new run, a point whose value is the old one, a tag, an end; and nothing else."""
    store, ids = running.store, [running.experiment]
    marks = [mark_of(store, ids)]

    def step(work):
        work()
        marks.append(mark_of(store, ids))

    step(lambda: store.log_metric(running.running, Metric("loss", 1.0, 1, 0)))
    step(lambda: store.log_metric(running.running, Metric("loss", 1.0, 2, 1)))
    step(lambda: store.set_tag(running.running, RunTag("a", "b")))
    step(lambda: store.update_run_info(running.running, 3, 9000, None))
    step(lambda: running.add(99))
    assert len(set(marks)) == len(marks)
    store.create_run(store.create_experiment("other"), "ada", 1, [], "elsewhere")
    assert mark_of(store, ids) == marks[-1]


class Page:
    """What one stream has told; it leaves when asked to."""

    def __init__(self, app, experiment, browser="b1", known=""):
        self.events = []
        self.status = None
        self._left = asyncio.Event()
        self._more = asyncio.Event()
        self._asked = False
        scope = {
            "type": "http", "method": "GET", "path": "/ui-api/changes", "scheme": "http",
            "raw_path": b"/ui-api/changes", "headers": [(b"last-event-id", known.encode())],
            "query_string": f"experiments={experiment}&browser={browser}".encode(),
        }  # fmt: skip
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
        for block in message.get("body", b"").decode().split("\n\n"):
            fields = dict(line.partition(":")[::2] for line in block.split("\n") if line)
            if "event" in fields:
                self.events.append(fields["event"].strip())
        self._more.set()

    async def hears(self, *events):
        async with asyncio.timeout(20):
            while self.events[-len(events) :] != list(events):
                self._more.clear()
                await self._more.wait()

    async def leave(self):
        self._left.set()
        async with asyncio.timeout(20):
            await self.task


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(changes, "_EVERY", 0.01)


@pytest.fixture
def client(running):
    with Client(running.store) as made:
        yield made


def test_a_page_is_told(client, running, quick):
    """Of what changes after it came, once; and at once of what changed while it was away."""

    async def go():
        page = Page(client.app, running.experiment)
        await page.hears("beat", "beat")
        running.store.log_metric(running.running, Metric("loss", 1.0, 1, 0))
        await page.hears("change")
        assert page.events == ["beat", "beat", "change"]
        await page.leave()
        late = Page(client.app, running.experiment, known="an older one")
        await late.hears("beat", "change")
        await late.leave()

    client.run(go())


def test_a_page_is_told_of_an_edit_of_an_old_run(client, running, quick, monkeypatch):
    """The look does not see it; those who watch other experiments hear nothing."""
    monkeypatch.setattr(changes, "_NEWEST", 1)
    old = running.store.search_runs([running.experiment], "", 1)[-1].info.run_id
    other = running.store.create_experiment("other")

    async def go():
        page, away = Page(client.app, running.experiment), Page(client.app, other, "b2")
        await page.hears("beat", "beat")
        await away.hears("beat", "beat")
        tag = {"run_id": old, "key": "k", "value": "v"}
        await ask(client.app, "POST", "/api/2.0/mlflow/runs/set-tag", tag)
        await page.hears("beat", "change")
        await ask(client.app, "POST", "/api/2.0/mlflow/runs/delete", {"run_id": old})
        await page.hears("change", "change")
        assert away.events == ["beat", "beat"]
        await page.leave()
        await away.leave()

    client.run(go())


def test_one_look_serves_all_and_none_when_nobody_looks(client, running, quick, monkeypatch):
    """However many pages watch the same experiments; the look ends with the last of them."""
    looks = []
    monkeypatch.setattr(changes, "mark_of", lambda *_: looks.append(1) or "same")

    async def go():
        pages = [Page(client.app, running.experiment, f"b{at}") for at in range(20)]
        for page in pages:
            await page.hears("beat", "beat")
        text = await ask(client.app, "GET", "/metrics")
        assert b"mlflow_event_streams 20" in text.body
        many = len(looks)
        await asyncio.sleep(0.2)
        assert len(looks) - many <= 25
        for page in pages:
            await page.leave()
        await asyncio.sleep(0.1)
        many = len(looks)
        await asyncio.sleep(0.1)
        assert len(looks) == many
        assert b"mlflow_event_streams 0" in (await ask(client.app, "GET", "/metrics")).body

    client.run(go())


def test_of_a_browser_one_page_is_told(client, running, quick):
    """The last one that came: the one before is sent away, and asks by itself."""

    async def go():
        first = Page(client.app, running.experiment)
        await first.hears("beat")
        second = Page(client.app, running.experiment)
        await first.hears("over")
        await first.leave()
        await second.hears("beat")
        await second.leave()

    client.run(go())


def test_there_is_an_end_to_them(client, running, quick, monkeypatch):
    """Too many are refused; a long one ends, and may come back."""
    monkeypatch.setattr(changes, "MOST_STREAMS", 1)
    monkeypatch.setattr(changes, "_LONGEST", 0.0)

    async def go():
        page = Page(client.app, running.experiment)
        await page.hears("beat")
        await page.task
        monkeypatch.setattr(changes, "_LONGEST", 900.0)
        page = Page(client.app, running.experiment)
        await page.hears("beat")
        other = Page(client.app, running.experiment, "b2")
        await other.task
        assert other.status == 503
        await page.leave()

    client.run(go())


def test_a_store_that_fails_is_asked_again(client, running, quick, monkeypatch):
    """The stream goes on; what the trouble is, pages learn where they ask for runs."""
    monkeypatch.setattr(changes, "_AFTER_FAILURE", 0.01)
    real, failures = changes.mark_of, [OSError(), RuntimeError()]

    def mark(*given):
        if failures:
            raise failures.pop()
        return real(*given)

    monkeypatch.setattr(changes, "mark_of", mark)

    async def go():
        page = Page(client.app, running.experiment)
        await page.hears("beat", "beat")
        await page.leave()
        assert not failures

    client.run(go())


@pytest.mark.parametrize(
    "query", [{}, {"experiments": "1"}, {"experiments": "1", "browser": "a b"},
              {"experiments": ",".join(map(str, range(101))), "browser": "b"}],
)  # fmt: skip
def test_what_cannot_be_watched(client, query):
    """Is refused with a reason."""
    assert 400 == client.ask("GET", "/ui-api/changes", query=query).status


def test_a_server_with_open_streams_ends_at_once(tmp_path):
    """Within seconds, not when its patience with answers under way is over."""
    with contextlib.ExitStack() as kept:
        process, address = kept.enter_context(server(str(tmp_path)))
        url = f"{address}/ui-api/changes?experiments=0&browser=b"
        streams = [kept.enter_context(urllib.request.urlopen(f"{url}{at}")) for at in range(30)]
        for one in streams:
            assert one.readline() == b"retry: 3000\n"
        # Thirty streams hold no thread: others are answered.
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
            assert 200 == answer.status
        began = time.monotonic()
        process.terminate()
        process.wait(30)
        assert time.monotonic() - began < 8
