"""Runs as one page: what is in it, what is not, and that nothing in it becomes a program."""

from __future__ import annotations

import base64
import io
import json
import math

import pytest

from mlflow.entities.run import Metric, RunTag
from mlflow.server.roots import ArtifactRoots
from mlflow.server.ui import onefile
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.backends.file import FileBackend
from mlflow.store.local import LocalStore

from ..asking import Client  # noqa: TID252 - tests are no package that could be named

TEMPLATE = "<title>{{title}}</title><script id=data>{{data}}</script><script>end</script>"
HOSTILE = "</script><script>bad()</script><!--"


@pytest.fixture(autouse=True)
def _template(tmp_path, monkeypatch):
    (tmp_path / "onefile.html").write_text(TEMPLATE)
    monkeypatch.setattr(onefile, "BUNDLE", str(tmp_path))


@pytest.fixture
def site(tmp_path):
    """A store of files with one hostile run, and the client of a server over it."""
    store = LocalStore(FileBackend(str(tmp_path / "mlruns")))
    experiment = store.create_experiment(HOSTILE)
    tags = [RunTag("t", HOSTILE)]
    run_id = store.create_run(experiment, "ada", 1000, tags, HOSTILE).info.run_id
    for step in range(3000):
        store.log_metric(run_id, Metric("loss", 0.0 if step == 77 else 1.0, 5, step))
    store.log_metric(run_id, Metric("odd", math.nan, 6, 0))
    roots = ArtifactRoots(str(tmp_path / "kept"), [str(tmp_path / "mlruns")])
    with Client(store, roots=roots) as client:
        client.experiment, client.run_id = experiment, run_id
        yield client


def read(answer):
    """Return (title, data) of a page, which has each of its parts once."""
    text = answer.body.decode()
    title, _, rest = text.removeprefix("<title>").partition("</title><script id=data>")
    data, _, tail = rest.partition("</script>")
    assert tail == "<script>end</script>"
    return title, json.loads(data)


def test_a_page(site):
    """Runs as the API writes them, points that show a course, small texts and pictures."""
    repository = artifact_repository(site.store.get_run(site.run_id).info.artifact_uri)
    files = {
        "notes/a.md": HOSTILE.encode(), "plot.png": b"\x89PNG\0\0", "weights.bin": b"\0\1\2",
        "large.txt": b"x" * (onefile.MAX_FILE + 1),
    }  # fmt: skip
    for path, body in files.items():
        repository.log_stream(io.BytesIO(body), path)
    asked = {"experiments": [site.experiment], "place": "#/experiments"}
    answer = site.post("/ui-api/file", asked)
    title, data = read(answer)

    assert answer.headers["content-disposition"] == "attachment"
    assert "<" not in title
    assert [HOSTILE] == [one["name"] for one in data["experiments"]]
    assert data["place"] == "#/experiments"
    (run,) = data["runs"]
    assert (site.run_id, HOSTILE) == (run["info"]["run_id"], run["info"]["run_name"])
    count, steps, times, values = data["series"][site.run_id]["loss"]
    assert (3000, 3000) == (count, steps[-1] + 1)
    assert len(steps) == len(times) == len(values) <= onefile.MAX_OF_SERIES
    assert 77 == steps[values.index(0.0)]
    assert ["NaN"] == data["series"][site.run_id]["odd"][3]
    names = dict(data["files"][site.run_id])
    assert {*files, "notes"} == set(names)
    assert (None, 3) == (names["notes"], names["weights.bin"])
    contents = data["contents"][site.run_id]
    assert {"notes/a.md", "plot.png"} == set(contents)
    assert files["notes/a.md"] == base64.b64decode(contents["notes/a.md"])


def test_only_what_is_asked_for(site, monkeypatch):
    """The runs that match, the first of them, and no more files than there is room for."""
    other = site.store.create_run(site.experiment, "ada", 2000, [], "other").info.run_id
    for run_id in (site.run_id, other):
        repository = artifact_repository(site.store.get_run(run_id).info.artifact_uri)
        repository.log_stream(io.BytesIO(b"x" * 100), "a.txt")
    monkeypatch.setattr(onefile, "MAX_FILES", 150)
    body = {"experiments": [site.experiment]}
    _, data = read(site.post("/ui-api/file", body))
    assert [other] == [key for key, found in data["contents"].items() if found]
    assert not data["more"]
    _, data = read(site.post("/ui-api/file", {**body, "where": "run_name = 'other'"}))
    assert [other] == [run["info"]["run_id"] for run in data["runs"]]
    monkeypatch.setattr(onefile, "MAX_RUNS", 1)
    _, data = read(site.post("/ui-api/file", body))
    assert (1, True) == (len(data["runs"]), data["more"])


def test_what_cannot_be_saved(site, tmp_path, monkeypatch):
    """A filter that cannot be read, a body that is none, pages that are not built."""
    body = {"experiments": [site.experiment]}
    assert 400 == site.post("/ui-api/file", {**body, "where": "((("}).status
    assert 400 == site.post("/ui-api/file", {"experiments": 3}).status
    monkeypatch.setattr(onefile, "BUNDLE", str(tmp_path / "nothing"))
    assert 404 == site.post("/ui-api/file", body).status
