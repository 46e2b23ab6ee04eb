"""The other pages: experiments, one run, models; what is hostile; what is not there."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from mlflow.entities.logged_models import LoggedModelParameter, LoggedModelStatus
from mlflow.entities.run import Metric
from mlflow.models import ModelSignature
from mlflow.pyfunc import PythonModel
from mlflow.store.artifact.locate import artifact_repository
from mlflow.types.schema import ColSpec, Schema

MODEL = """flavors:
  python_function:
    loader_module: mlflow.sklearn
  sklearn:
    code: null
signature:
  inputs: '[{"type": "double", "name": "fixed acidity", "required": true}, {"type": "double",
    "name": "alcohol", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: null
"""
HOSTILE = "<img src=x onerror='window.__bad=1'>"


def test_experiments(tab, site):
    """Made, found, renamed, deleted and restored."""
    tab.open("experiments")
    tab.see("vision/sweep")
    tab.shot("experiments")
    tab.page.get_by_role("button", name="New experiment").click()
    tab.page.get_by_label("Name", exact=True).fill("made-here")
    tab.page.get_by_role("button", name="Create", exact=True).click()
    tab.see("No runs yet")
    expect(tab.page.locator(".code")).to_contain_text("made-here")
    expect(tab.page.locator(".code")).to_contain_text(site.address)

    tab.page.get_by_role("button", name="Actions").click()
    tab.page.get_by_role("menuitem", name="Rename").click()
    tab.page.get_by_label("Name", exact=True).fill("renamed-here")
    tab.page.get_by_role("button", name="Rename", exact=True).click()
    tab.see("renamed-here")
    tab.page.get_by_role("button", name="Actions").click()
    tab.page.get_by_role("menuitem", name="Delete the experiment").click()
    tab.see("Deleted “renamed-here”")
    tab.page.get_by_role("button", name="Undo").last.click()
    expect(tab.page.get_by_role("row", name=re.compile("renamed-here"))).to_be_visible()


def test_what_an_experiment_is_about(tab, site):
    """Its description and tags are changed where they are read; nothing in them is a program."""
    experiment = site.store.create_experiment("about")
    tab.open("experiments?q=about")
    tab.page.get_by_role("button", name="Actions for about").click()
    tab.page.get_by_role("menuitem", name="Description and tags").click()
    about = tab.page.get_by_role("region", name="About this experiment")
    about.get_by_role("button", name="Add a description").click()
    tab.page.get_by_label("Description in Markdown").fill(f"# Aim\n\n**{HOSTILE}** _less_ error")
    tab.page.keyboard.press("Control+Enter")
    expect(about.locator("h3")).to_have_text("Aim")
    expect(about.locator("strong")).to_have_text(HOSTILE)
    for pair in ("owner=ada", "stage=draft"):
        about.get_by_role("button", name="Tag", exact=True).click()
        about.get_by_label("New tag, as key=value").fill(pair)
        tab.page.keyboard.press("Enter")
        expect(about.locator(".tag").get_by_text(pair.partition("=")[2])).to_be_visible()
    about.get_by_role("button", name="Remove the tag stage").click()
    expect(about.locator(".tag b")).to_have_text(["owner"])
    tab.page.get_by_role("button", name="Undo").click()
    expect(about.locator(".tag b")).to_have_text(["owner", "stage"])
    tab.shot("about")

    tags = site.store.get_experiment(experiment).tags
    assert {"owner": "ada", "stage": "draft"}.items() <= tags.items()
    assert tags["mlflow.note.content"].startswith("# Aim")
    tab.page.get_by_role("button", name="About this experiment").click()
    expect(tab.page.locator(".about-note")).to_contain_text("less error")
    assert "about=1" not in tab.page.url
    assert tab.page.evaluate("window.__bad") is None


def test_a_run(tab, site):
    """What it measured, what it was given; a tag and a description are added."""
    experiment = site.store.create_experiment("described")
    run_id = site.run(
        experiment, "described", params={"alpha": 0.5}, metrics=[Metric("rmse", 0.5, 1, 3)]
    )
    tab.open(f"experiments/{experiment}/runs/{run_id}")
    tab.see("described")
    expect(tab.page.get_by_role("region", name="Metrics")).to_contain_text("0.5")
    tab.page.get_by_role("button", name="Add a description").click()
    tab.page.get_by_label("Description in Markdown").fill(
        "# Why\n\n**bold** and [a](https://x.org)"
    )
    tab.page.get_by_role("button", name="Save").click()
    expect(tab.page.locator(".markdown strong")).to_have_text("bold")
    tab.page.get_by_role("button", name="Tag", exact=True).click()
    tab.page.get_by_label("New tag, as key=value").fill("stage=final")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".tag").get_by_text("final")).to_be_visible()
    tab.shot("run")

    assert "final" == site.store.get_run(run_id).data.tags["stage"]
    tab.page.get_by_role("button", name="Actions").click()
    tab.page.get_by_role("menuitem", name="Delete").click()
    tab.see("deleted", exact=True)
    tab.page.get_by_role("button", name="Restore").click()
    expect(tab.page.locator(".page-head .badge.bad")).to_have_count(0)


def test_models(tab, site):
    """Registered, given an alias, moved to a stage."""
    experiment = site.store.create_experiment("models")
    run_id = site.run(experiment, "to-register", metrics=[Metric("rmse", 0.4, 1, 0)])
    tab.open("models")
    tab.page.get_by_role("button", name="New model").click()
    tab.page.get_by_label("Name", exact=True).fill("wine")
    tab.page.get_by_role("button", name="Create", exact=True).click()
    tab.see("No versions yet")
    root = site.store.get_run(run_id).info.artifact_uri
    site.put(run_id, "model/MLmodel", MODEL)
    site.store.create_model_version("wine", f"{root}/model", run_id)
    tab.see("Version 1")
    tab.page.get_by_role("button", name="Aliases of version 1").click()
    tab.page.get_by_role("textbox", name=re.compile("New alias")).fill("champion")
    tab.page.get_by_role("button", name="Set", exact=True).click()
    tab.page.get_by_role("button", name="Done").click()
    assert "1" == site.store.get_model_version_by_alias("wine", "champion").version
    tab.shot("model")

    tab.page.get_by_role("link", name="Version 1").click()
    tab.see("models:/wine@champion")
    expect(tab.page.get_by_role("region", name="Inputs")).to_contain_text("fixed acidity")
    tab.page.get_by_role("button", name="Stage").click()
    tab.page.get_by_role("menuitemcheckbox", name="Staging").click()
    tab.see("is in Staging")
    tab.shot("version")
    tab.open("models")
    tab.see("@champion → 1")


def test_versions_are_compared(tab, site):
    """What they take, what they need and what their runs measured, differences only."""
    experiment = site.store.create_experiment("versions")
    site.store.create_registered_model("grown")
    for number, (rmse, version) in enumerate(((0.5, "1.2"), (0.4, "1.5"))):
        run_id = site.run(
            experiment, f"run-{number}", params={"depth": number + 3, "same": 1},
            metrics=[Metric("rmse", rmse, 1, 0)],
        )  # fmt: skip
        text = MODEL if number else MODEL.replace('"name": "alcohol"', '"name": "sugar"')
        site.put(run_id, "model/MLmodel", text)
        site.put(run_id, "model/requirements.txt", f"scikit-learn=={version}\nnumpy\n")
        root = site.store.get_run(run_id).info.artifact_uri
        site.store.create_model_version("grown", f"{root}/model", run_id)
    tab.open("models/grown")
    for number in (1, 2):
        tab.page.get_by_label(f"Choose version {number}").check()
    tab.page.get_by_role("button", name="Compare 2 versions").click()

    tab.see("Compare 2 versions")
    rows = tab.page.locator(".grid-row")
    for words in ("rmse", "depth", "sugar", "alcohol", "scikit-learn"):
        expect(rows.filter(has_text=words)).to_have_count(1)
    expect(rows.filter(has_text="numpy")).to_have_count(0)
    expect(rows.filter(has_text="fixed acidity")).to_have_count(0)
    expect(rows.filter(has_text="rmse")).to_contain_text("20.0 %")
    tab.shot("versions")


def test_a_logged_model(tab, site):
    """From its run to its page: signature, files, a tag; then a version that leads back to it."""
    experiment = site.store.create_experiment("logged")
    run_id = site.run(experiment, "trained", metrics=[Metric("rmse", 0.4, 1, 0)])
    params = [LoggedModelParameter("depth", "5")]
    model = site.store.create_logged_model(experiment, "forest", run_id, params=params)
    repository = artifact_repository(model.artifact_location)
    for path, text in (("MLmodel", MODEL), ("code/train.py", "print('trained')\n")):
        repository.log_stream(io.BytesIO(text.encode()), path)
    site.store.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    tab.open(f"experiments/{experiment}/runs/{run_id}")
    tab.page.get_by_role("link", name="forest").click()

    expect(tab.page.get_by_role("region", name="Inputs")).to_contain_text("alcohol")
    expect(tab.page.locator(".code").first).to_contain_text(f"models:/{model.model_id}")
    expect(tab.page.get_by_role("region", name="Params")).to_contain_text("depth")
    tab.page.get_by_role("button", name="code", exact=True).click()
    tab.page.get_by_role("button", name="train.py").click()
    tab.see("print('trained')")
    tab.page.get_by_role("button", name="Tag", exact=True).click()
    tab.page.get_by_label("New tag, as key=value").fill("checked=yes")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".tag").get_by_text("yes")).to_be_visible()
    tab.shot("logged-model")
    tab.page.get_by_role("button", name="Register model").click()
    tab.page.get_by_label(re.compile("Name of the model")).fill("from-logged")
    tab.page.keyboard.press("Enter")
    tab.see("Version 1")
    expect(tab.page.get_by_role("region", name="Inputs")).to_contain_text("alcohol")
    version = site.store.get_model_version("from-logged", "1")
    assert (model.model_id, run_id) == (version.model_id, version.run_id)
    tab.page.get_by_role("link", name=model.model_id).click()
    tab.see("from-logged 1")
    tab.page.get_by_role("button", name="Remove the tag checked").click()
    expect(tab.page.locator(".tag").get_by_text("yes")).to_have_count(0)


@pytest.fixture
def served(tmp_path):
    """A scoring server of a model that says how long each wine will keep."""
    import mlflow

    class Years(PythonModel):
        def predict(self, context, model_input, params=None):
            return [float(one) * 2 for one in model_input["alcohol"]]

    signature = ModelSignature(
        Schema([ColSpec("double", "fixed acidity"), ColSpec("double", "alcohol")])
    )
    path = str(tmp_path / "model")
    mlflow.pyfunc.save_model(path, python_model=Years(), signature=signature, pip_requirements=[])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", path, "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
            break
        assert process.poll() is None
        time.sleep(0.05)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


def test_a_model_is_tried(tab, site, served):
    """A form of its inputs asks a running scoring server; what is wrong is told before and after."""
    experiment = site.store.create_experiment("tried")
    model = site.store.create_logged_model(experiment, "years")
    repository = artifact_repository(model.artifact_location)
    repository.log_stream(io.BytesIO(MODEL.encode()), "MLmodel")
    tab.allowed = ("ERR_CONNECTION_REFUSED", "Failed to load resource")
    tab.open(f"experiments/{experiment}/models/{model.model_id}")
    form = tab.page.get_by_role("region", name="Try it")
    form.get_by_label("Address of the scoring server").fill(served)
    form.get_by_label("fixed acidity").fill("7.4")
    form.get_by_role("button", name="Send").click()
    tab.see("alcohol is missing")
    form.get_by_label("alcohol").fill("9.5")
    form.get_by_role("button", name="Send").click()
    expect(form.locator("pre")).to_contain_text("19.0")
    tab.shot("try-it")
    form.get_by_role("button", name="JSON").click()
    form.get_by_label("Request, as JSON").fill(
        '{"dataframe_split": {"columns": ["no"], "data": [[1]]}}'
    )
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".chip")).to_have_text("400")
    expect(form.locator("pre")).to_contain_text("Model is missing inputs")
    form.get_by_label("Address of the scoring server").fill("127.0.0.1:9")
    form.get_by_role("button", name="Send").click()
    tab.see("does not answer, or does not let pages")
    assert 0 == tab.page.locator("iframe").count()


def test_text_of_users_is_text(tab, site):
    """Names, keys, values, tags and descriptions that would be programs elsewhere."""
    experiment = site.store.create_experiment(f"hostile {HOSTILE}")
    run_id = site.run(
        experiment, HOSTILE, params={"__proto__": HOSTILE, "constructor": "x", "p": "</script>"},
        metrics=[Metric("m/__proto__", 1.0, 1, 0), Metric("toString", float("nan"), 1, 0)],
        tags={"mlflow.note.content": f"{HOSTILE} [x](javascript:window.__bad=1)", "t": HOSTILE},
    )  # fmt: skip
    for place in (
        "experiments",
        f"experiments/{experiment}?cols=params.__proto__,params.constructor,tags.t,metrics.toString",
        f"experiments/{experiment}?layout=charts",
        f"experiments/{experiment}?group=params.constructor",
        f"experiments/{experiment}/runs/{run_id}",
        f"compare?runs={run_id},{run_id}&all=1",
    ):
        tab.open(place)
        tab.see(
            "<img src=x" if place != f"experiments/{experiment}?group=params.constructor" else "x"
        )

    assert tab.page.evaluate("window.__bad") is None
    assert 0 == tab.page.locator("img[src=x]").count()
    assert 0 == tab.page.locator("a[href^='javascript']").count()


@pytest.mark.parametrize(
    "place",
    ["nothing/here", "experiments/999999999", "experiments/0/models/m-" + "0" * 32,
     "models/none/compare", "models/none/compare?versions=1,2", "experiments/0/runs/" + "f" * 32, "models/none",
     "models/none/versions/3", "compare", "compare?runs=" + "f" * 32,
     "experiments/0?q=((((&cols=__proto__,x&sort=__proto__&w=a=b&group=tags.%60",
     "experiments/0?layout=charts&plot=parallel&brush=x%3D9:9&axes=params.none"],
)  # fmt: skip
def test_addresses_that_lead_nowhere(tab, site, place):
    """The page says so, and the way back is there."""
    tab.allowed = ("40",)
    tab.open(place)

    expect(tab.page.locator(".empty, .failure, .filter-error, .grid").first).to_be_visible()
    tab.page.get_by_role("link", name="Experiments").first.click()
    tab.see("vision/sweep")


def test_addresses_of_mlflow(tab, site):
    """Links that people saved elsewhere lead to the same thing here."""
    first = site.store.search_runs([site.wine], "", 1, 2)
    ids = "%5B%22" + "%22,%22".join(run.info.run_id for run in first) + "%22%5D"
    tab.open(f"compare-runs?runs={ids}&experiments=%5B%220%22%5D")
    tab.see("Compare 2 runs")


def test_a_server_that_stops_and_comes_back(tab, site):
    """What was seen stays; when it answers again the page goes on by itself."""
    tab.allowed = ("ERR_CONNECTION", "Failed to fetch")
    tab.open(f"experiments/{site.wine}")
    tab.see("runs")
    site.stop()
    try:
        tab.see("The server does not answer")
        expect(tab.page.locator(".grid-row").first).to_be_visible()
    finally:
        site.start()
    expect(tab.page.get_by_text("The server does not answer")).to_have_count(0, timeout=40_000)


def test_embedding_and_themes(tab, site):
    """Without bars for notebooks; light and dark by choice, kept."""
    tab.page.goto(f"{site.address}/?embed=1#/experiments/{site.wine}")
    tab.see("runs")
    assert 0 == tab.page.locator("nav.side").count()
    tab.open("experiments")
    tab.page.get_by_role("button", name="Dark").click()
    tab.page.reload()
    tab.see("vision/sweep")
    assert "dark" == tab.page.evaluate("document.documentElement.dataset.theme")
