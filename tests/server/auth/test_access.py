"""A whole server with users: nothing of what somebody may not see leaks through any route."""

from __future__ import annotations

import pytest

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.server.auth.access import open_access
from mlflow.server.auth.config import APP_NAME
from mlflow.server.roots import ArtifactRoots
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from tests.conftest import FULL

from .conftest import Team

CANARY = "canary-of-bob"
NUMBER = b"1234.5"


class Secret:
    """What belongs to bob alone, with a canary in every name and value."""

    def __init__(self, team, kept):
        self.team = team
        store = self.store = team.store
        made = team.post("bob", "experiments/create", {"name": CANARY}).json
        self.experiment = made["experiment_id"]
        made = team.post(
            "bob", "runs/create", {"experiment_id": self.experiment, "run_name": CANARY}
        )
        self.run = made.json["run"]["info"]["run_id"]
        store.log_param(self.run, Param(CANARY, CANARY))
        store.log_param(self.run, Param("p", CANARY))
        store.log_metric(self.run, Metric("m", 1234.5, 1, 0))
        store.set_tag(self.run, RunTag(CANARY, CANARY))
        for step in range(3):
            store.log_metric(self.run, Metric(CANARY, 1.5, 1, step))
        self.logged = store.create_logged_model(self.experiment, CANARY, self.run).model_id
        team.post("bob", "registered-models/create", {"name": CANARY})
        source = f"mlflow-artifacts:/{self.experiment}/{self.run}/artifacts"
        made = {"name": CANARY, "source": source, "run_id": self.run}
        assert 200 == team.post("bob", "model-versions/create", made).status
        self.path = f"{self.experiment}/{self.run}/artifacts"
        folder = kept / self.path
        folder.mkdir(parents=True)
        (folder / "page.html").write_text(CANARY)
        models = kept / self.experiment / "models" / self.logged / "artifacts"
        models.mkdir(parents=True)
        (models / "page.html").write_text(CANARY)

    @property
    def fields(self):
        """Everything that a request could name, under every name that endpoints read."""
        return {
            "experiment_id": self.experiment, "experiment_ids": [self.experiment],
            "experiments": [self.experiment], "experiment_name": CANARY, "run_id": self.run,
            "run_uuid": self.run, "run_ids": [self.run], "runs": [self.run], "model_id": self.logged,
            "metric_key": "m", "keys": ["m"], "key": CANARY, "version": "1", "path": "page.html",
            "artifact_file_path": "page.html", "where": "", "columns": ["metrics.m"],
            "by": ["params.p"], "since": 0, "max_results": 100,
        }  # fmt: skip


@pytest.fixture
def secret(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    store = LocalStore(
        SqlBackend(f"sqlite:///{tmp_path}/store.db", artifact_root="mlflow-artifacts:")
    )
    with Team(tmp_path, "NO_PERMISSIONS", store=store, roots=ArtifactRoots(str(kept))) as team:
        yield Secret(team, kept)


def asked(secret, who, method, path):
    """Ask a route for bob's things, in the query and in the body, and all that is in the path."""
    for name, value in (("experiment_id", secret.experiment), ("run_id", secret.run),
                        ("model_id", secret.logged), ("path...", f"{secret.path}/page.html"),
                        ("tag_key", CANARY), ("name", CANARY)):  # fmt: skip
        path = path.replace(f"{{{name}}}", value)
    fields = {**secret.fields, "name": CANARY}
    if method == "GET":
        yield secret.team.ask(who, method, path, query=fields)
        for one in ("path", "name"):
            yield secret.team.ask(who, method, path, query={**fields, one: ""})
    else:
        yield secret.team.ask(who, method, path, fields)
        yield secret.team.ask(who, method, path, {**fields, "name": "new"})


def routes(team):
    found = sorted({(method, path) for method, path, _ in team.client.app.routes.all()})
    # The same handler answers under each base; what users call their own tokens is their own.
    bases = () if FULL else ("/2.0/preview/", "/3.0/", "/ajax-api/2.0/mlflow/")
    skipped = (*bases, "/users/tokens/")
    return [one for one in found if not any(part in one[1] for part in skipped)]


def test_nothing_leaks_through_any_route(secret):
    """Enumerated from the router, so that a new one is asked too."""
    answered = 0
    for method, path in routes(secret.team):
        for answer in asked(secret, "ann", method, path):
            # Names that were asked for come back in what says that they are not there.
            told = answer.body if answer.status == 200 else b""
            assert CANARY.encode() not in told, (method, path, told)
            assert NUMBER not in told, (method, path, told)
            answered += answer.status == 200
    assert answered > 20


def test_the_same_questions_have_answers(secret):
    """Asked by who may see: the test above would see a leak."""
    leaks = set()
    for method, path in routes(secret.team):
        if method == "GET" or path.startswith("/ui-api/"):
            for answer in asked(secret, "bob", method, path):
                is_told = CANARY.encode() in answer.body or NUMBER in answer.body
                if is_told and answer.status == 200:
                    leaks.add(path.rpartition("/")[2])
    assert {"get", "get-by-name", "get-history", "get-history-bulk-interval", "get-artifact",
            "experiments", "runs", "summary", "points", "compare", "series", "page",
            "search"} <= leaks  # fmt: skip


def test_nothing_changes_through_any_route(secret):
    """Nor is anything written to, or removed."""

    def state():
        store = secret.store
        return repr(
            (
                dict(store.get_experiment(secret.experiment)),
                store.get_run(secret.run).to_dictionary(),
                store.get_logged_model(secret.logged).to_dictionary(),
                [(one.name, one.version, one.tags) for one in store.search_model_versions()],
            )
        )

    before = state()
    for method, path in routes(secret.team):
        if method != "GET":
            list(asked(secret, "ann", method, path))
    assert before == state()


@pytest.mark.parametrize("path", ["", ".", "{0}", "{0}/", "0/../{0}", "{0}%2f", "%2e/{0}", "//{0}"])
def test_artifacts_are_their_experiments(secret, path):
    """By whichever path of the proxy."""
    where = "/api/2.0/mlflow-artifacts/artifacts"
    named = path.format(secret.path)
    for answer in (
        secret.team.get("ann", where, path=named),
        secret.team.ask("ann", "GET", f"{where}/{named}/page.html"),
        secret.team.ask("ann", "PUT", f"{where}/{named}/new", body=b"x", kind=None),
        secret.team.ask("ann", "DELETE", f"{where}/{named}/page.html"),
    ):
        assert answer.status in (400, 404), answer
    assert 200 == secret.team.ask("bob", "GET", f"{where}/{secret.path}/page.html").status


def test_who_may_edit_may_not_remove_artifacts(secret):
    secret.team.access.roles.grant("ann", "experiment", secret.experiment, "EDIT")
    where = f"/api/2.0/mlflow-artifacts/artifacts/{secret.path}"
    assert 200 == secret.team.ask("ann", "PUT", f"{where}/new.txt", body=b"x", kind=None).status
    assert 403 == secret.team.ask("ann", "DELETE", f"{where}/new.txt").status
    assert 200 == secret.team.ask("bob", "DELETE", f"{where}/new.txt").status


def test_no_version_or_experiment_is_a_way_to_others_files(secret):
    """Where something says that its files are, is looked at when it is said."""
    team = secret.team
    team.post("ann", "registered-models/create", {"name": "mine"})
    source = f"mlflow-artifacts:/{secret.path}"
    for wanted in (source, f"mlflow-artifacts:/{secret.experiment}", "mlflow-artifacts:/"):
        made = team.post("ann", "model-versions/create", {"name": "mine", "source": wanted})
        assert 404 == made.status, wanted
    for wanted in (source, "mlflow-artifacts:/", "/etc", "file:///etc"):
        made = team.post("ann", "experiments/create", {"name": "x", "artifact_location": wanted})
        assert 403 == made.status, wanted
    runs = f"runs:/{secret.run}/page.html"
    assert (
        200
        == team.post(
            "ann", "model-versions/create", {"name": "mine", "source": "runs:/" + secret.run}
        ).status
    )
    answer = team.get(
        "ann", "/model-versions/get-artifact", name="mine", version="1", path="page.html"
    )
    assert 404 == answer.status, (runs, answer)


def test_buckets_that_the_server_reaches_are_no_way_round(secret, monkeypatch):
    """What it signs or reads with its own credentials is its experiments', and of no others."""
    team = secret.team
    bucket = "s3://bucket/root"
    monkeypatch.setattr(ArtifactRoots, "reaches", lambda _, uri: f"{uri}/".startswith(f"{bucket}/"))
    location = {"artifact_location": f"{bucket}/bobs"}
    assert 403 == team.post("bob", "experiments/create", {"name": "x", **location}).status
    made = team.post("admin", "experiments/create", {"name": "x", **location})
    assert 200 == made.status
    team.access.roles.grant("bob", "experiment", made.json["experiment_id"], "READ")
    elsewhere = {"name": "y", "artifact_location": "s3://anns/own"}
    assert 200 == team.post("ann", "experiments/create", elsewhere).status
    for who in ("ann", "bob"):
        team.post(who, "registered-models/create", {"name": f"of {who}"})
        for source, status in ((f"{bucket}/bobs/1/artifacts/m", 200 if who == "bob" else 404),
                               (f"{bucket}/bobsled/1", 404), (bucket, 404), ("s3://anns/own", 200)):  # fmt: skip
            made = team.post(who, "model-versions/create", {"name": f"of {who}", "source": source})
            assert status == made.status, (who, source)


def test_a_default_that_everybody_reads_is_for_reading(tmp_path):
    with Team(tmp_path) as team:
        assert 200 == team.get("ann", "experiments/get", experiment_id="0").status
        assert 403 == team.post("ann", "runs/create", {"experiment_id": "0"}).status
        assert 200 == team.post("admin", "runs/create", {"experiment_id": "0"}).status


def test_servers_start_with_one_administrator(tmp_path, monkeypatch):
    """Whose password is configured, or made and told once."""
    path = tmp_path / "auth.ini"
    path.write_text(f"[mlflow]\ndatabase_uri = sqlite:///{tmp_path}/u.db\n")
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(path))
    access = open_access("./mlruns")
    password = access.first_admin()
    assert len(password) >= 20
    assert access.accounts.with_password("admin", password).is_admin
    assert access.first_admin() is None
    access.close()
    with pytest.raises(MlflowException, match="backend store itself"):
        open_access(f"sqlite:///{tmp_path}/u.db")
    assert "basic-auth" == APP_NAME
