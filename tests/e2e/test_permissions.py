"""Pages offer what their reader may do: nothing that is offered is refused, and managers have it all."""

from __future__ import annotations

import base64
import json
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.server.running import server

from .conftest import PATIENCE, SHOTS

PASSWORD = "a long enough one"
API = "/api/2.0/mlflow/"
#: Ways to press everything that a page offers, and all that is behind it.
PRESS = """async start => {
  const rest = ms => new Promise(done => setTimeout(done, ms));
  const settled = async () => { await rest(0); await rest(0); };
  const offered = root => [...root.querySelectorAll('button, summary, input[type=checkbox]')]
    .filter(one => one.checkVisibility() && !one.disabled);
  const label = one => (one.getAttribute('aria-label') || one.textContent).trim();
  const above = () => [...document.querySelectorAll('dialog[open], .popover')].at(-1);
  const close = async () => {
    for (let left = 4; left && above(); left--) {
      const last = above();
      if (last.matches('dialog')) last.dispatchEvent(new Event('cancel', { cancelable: true }));
      else document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
      await settled();
    }
  };
  const fill = root => {
    for (const one of root.querySelectorAll('input[type=text], input[type=password], textarea')) {
      one.value = 'x';
      one.dispatchEvent(new Event('input', { bubbles: true }));
    }
  };
  const back = async () => {
    await close();
    if (location.hash !== start) {
      location.hash = start;
      await rest(150);
    }
  };
  const pressed = [];
  // The menus of all columns are alike: two of each kind are enough.
  const times = {};
  const main = document.getElementById('main');
  for (let at = 0; at < offered(main).length && at < 60; at++) {
    const text = label(offered(main)[at]);
    pressed.push(text);
    offered(main)[at].click();
    await settled();
    for (let inner = 0, many = above() ? offered(above()).length : 0; inner < many; inner++) {
      if (!above()) {
        offered(main)[at]?.click();
        await settled();
      }
      if (!above()) break;
      fill(above());
      await settled();
      const one = offered(above())[inner];
      if (!one) break;
      times[label(one)] = (times[label(one)] ?? 0) + 1;
      if (times[label(one)] > 2) continue;
      pressed.push(`${text} > ${label(one)}`);
      one.click();
      await settled();
      // A question that this asked is answered.
      const question = document.querySelector('dialog[open]');
      if (question) {
        fill(question);
        await settled();
        offered(question).at(-1)?.click();
        await settled();
      }
      await back();
    }
    await back();
  }
  await rest(100);
  return pressed;
}"""
#: What a page offers, menus opened, nothing pressed.
OFFERS = """async () => {
  const rest = ms => new Promise(done => setTimeout(done, ms));
  const settled = async () => { await rest(0); await rest(0); };
  const offered = root => [...root.querySelectorAll('button')].filter(one => one.checkVisibility() && !one.disabled);
  const label = one => (one.getAttribute('aria-label') || one.textContent).trim();
  const found = [];
  for (const one of offered(document.getElementById('main'))) {
    found.push(label(one));
    if (one.getAttribute('aria-haspopup') !== 'true') continue;
    one.click();
    await settled();
    const menu = document.querySelector('.popover');
    if (menu) found.push(...offered(menu).map(item => `${label(one)} > ${label(item)}`));
    document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await settled();
  }
  return found;
}"""


def ask(address, who, method, path, body=None, base=API):
    pair = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {pair}"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + base + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"{}")


class Team:
    """A server with users: ann manages what there is, rae may read it."""

    def __init__(self, address):
        self.address = address
        for name in ("ann", "rae"):
            self.ask("admin", "users/create", {"username": name, "password": PASSWORD})
        self.experiment = self.made("wine", "experiment_id")
        self.gone = self.made("gone", "experiment_id")
        self.ask("ann", "experiments/delete", {"experiment_id": self.gone})
        self.run, self.deleted = self.add_run("forest"), self.add_run("old")
        self.ask("ann", "runs/delete", {"run_id": self.deleted})
        given = {"experiment_id": self.experiment, "name": "lm", "source_run_id": self.run}
        model = self.ask("ann", "logged-models", given)["model"]["info"]["model_id"]
        self.model = model
        ready = {"model_id": model, "status": "LOGGED_MODEL_READY"}
        ask(address, "ann", "PATCH", f"logged-models/{model}", ready)
        self.ask("ann", "registered-models/create", {"name": "m"})
        source = {"name": "m", "source": f"models:/{model}", "run_id": self.run}
        self.ask("ann", "model-versions/create", source)

    def ask(self, who, path, body):
        return ask(self.address, who, "POST", path, body)

    def made(self, name, key):
        return self.ask("ann", "experiments/create", {"name": name})[key]

    def add_run(self, name):
        body = {"experiment_id": self.experiment, "run_name": name, "start_time": 1_700_000_000_000}
        run_id = self.ask("ann", "runs/create", body)["run"]["info"]["run_id"]
        metric = {"key": "loss", "value": 0.5, "timestamp": 1, "step": 1}
        tag = {"key": "team", "value": "core"}
        self.ask("ann", "runs/log-batch", {"run_id": run_id, "metrics": [metric], "tags": [tag]})
        self.ask("ann", "runs/update", {"run_id": run_id, "status": "FINISHED"})
        return run_id

    def places(self):
        """Every page, those too that are for others."""
        runs = f"experiments/{self.experiment}"
        return {
            "experiments": "experiments",
            "deleted experiments": "experiments?view=deleted",
            "runs": f"{runs}?about=1&sel={self.run}",
            "deleted runs": f"{runs}?view=deleted&sel={self.deleted}",
            "run": f"{runs}/runs/{self.run}",
            "deleted run": f"{runs}/runs/{self.deleted}",
            "logged model": f"{runs}/models/{self.model}",
            "models": "models",
            "model": "models/m",
            "version": "models/m/versions/1",
            "who may use the experiment": f"{runs}/access",
            "who may use the model": "models/m/access",
            "trash": "trash",
            "people": "users",
            "roles": "roles",
            "audit": "audit",
            "account": "account",
        }


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    folder = tmp_path_factory.mktemp("team")
    with server(
        folder, "--app-name", "basic-auth", environment={"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}
    ) as (_, address):
        yield Team(address)


@pytest.fixture
def signed_in(browser, team):
    """Pages of people who have signed in."""
    contexts = []

    def enter(who, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(team.address)
        page.get_by_label("Name", exact=True).fill(who)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator(f".side-who:has-text('{who}')").wait_for(state="attached")
        return page

    yield enter
    for context in contexts:
        context.close()


def show(page, team, place):
    page.goto(f"{team.address}/#/{place}")
    page.wait_for_function(
        """() => document.querySelector('main .page, main .empty')
            && !document.querySelector('main .skeleton, main [title^="Asking the server"]')"""
    )
    page.wait_for_timeout(100)


def refusals(page):
    found = []
    page.on("response", lambda one: one.status == 403 and found.append(one.url))
    return found


def test_nothing_that_a_reader_is_offered_is_refused(signed_in, team):
    """Every button, menu and question of every page, pressed."""
    page = signed_in("rae")
    refused = refusals(page)
    pressed = {}
    for name, place in team.places().items():
        show(page, team, place)
        pressed[name] = page.evaluate(PRESS, f"#/{place}")
        assert [] == refused, (name, pressed[name])
    assert 80 <= sum(map(len, pressed.values())), pressed
    run = ask(team.address, "ann", "GET", f"runs/get?run_id={team.run}")["run"]
    assert ("forest", "active") == (run["info"]["run_name"], run["info"]["lifecycle_stage"])


def test_what_is_pressed_would_be_refused_if_all_was_offered(signed_in, team):
    """The test above can fail: a page that is told nothing offers what is refused."""
    page = signed_in("rae")
    refused = refusals(page)
    page.route(
        "**/ui-api/rights", lambda route: route.fulfill(json={"experiments": {}, "models": {}})
    )
    show(page, team, "models/m")
    page.evaluate(PRESS, "#/models/m")
    assert {"registered-models/rename", "registered-models/alias"} <= {
        url.partition("mlflow/")[2] for url in refused
    }


def test_a_manager_is_offered_everything(signed_in, team):
    """As much as an administrator; a reader hears whom to ask."""
    reader, manager, admin = signed_in("rae"), signed_in("ann"), signed_in("admin")
    more = {
        "runs": {"Tag", "Delete", "Add a description", "Actions > Rename",
                 "Actions > Delete the experiment", "Actions > Who may use it",
                 "Share > Copy a frozen link"},
        "deleted runs": {"Restore"},
        "run": {"Add a description", "Tag", "Remove the tag team", "Actions > Rename",
                "Actions > Delete"},
        "logged model": {"Tag"},
        "model": {"Add a description", "Tag", "Actions > Rename", "Actions > Delete the model",
                  "Actions > Who may use it", "Aliases of version 1",
                  "Actions for version 1 > Delete"},
        "version": {"Aliases", "Add a description", "Tag", "Actions > Delete the version",
                    "No stage > Production"},
    }  # fmt: skip
    for name, expected in more.items():
        found = []
        for page in (reader, manager, admin):
            show(page, team, team.places()[name])
            found.append(set(page.evaluate(OFFERS)))
        few, many, all_ = found
        assert many == all_, name
        assert expected <= many - few, (name, many - few)
        assert few < many
    show(reader, team, f"experiments/{team.experiment}")
    reader.get_by_role("button", name="Actions", exact=True).click()
    why = "You may read this experiment; ask ann for EDIT."
    expect(reader.get_by_role("menuitem", name="Rename")).to_have_attribute("title", why)
    expect(reader.get_by_text(why)).to_be_visible()


#: How far what stands on a page has moved since the last time this was asked.
SHIFTS = """() => {
  window.moved ??= new PerformanceObserver(list => {
    for (const one of list.getEntries()) window.moved.sum += one.value;
  });
  window.moved.observe({ type: 'layout-shift' });
  const sum = window.moved.sum;
  window.moved.sum = 0;
  return sum;
}"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_pages_about_people_are_accessible_and_still(signed_in, team, scheme, width):
    """WCAG 2.2 AA as far as a program can tell; nothing moves while a page loads, or is too wide."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    size = {"width": width, "height": 844}
    page = signed_in("admin", viewport=size, color_scheme=scheme, bypass_csp=True)
    SHOTS.mkdir(exist_ok=True)
    places = team.places()
    for name in ("people", "roles", "audit", "account", "who may use the experiment"):
        page.evaluate(SHIFTS)
        show(page, team, places[name])
        assert 0.02 >= page.evaluate(SHIFTS), name
        page.screenshot(path=SHOTS / f"{name.replace(' ', '-')}-{scheme}-{width}.png")
        found = Axe().run(page, options=options).response["violations"]
        assert [] == [(one["id"], one["nodes"][0]["html"][:160]) for one in found], name
        assert width >= page.evaluate("document.documentElement.scrollWidth"), name
