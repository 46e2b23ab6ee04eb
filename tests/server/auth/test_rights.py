"""What pages are told that their reader may do, beside what the server then refuses."""

from __future__ import annotations

import pytest

from mlflow.api.table import OPERATIONS

from .conftest import PASSWORD, Team
from .test_endpoints import GRANT, on

RIGHTS = "/ui-api/rights"
OF_EXPERIMENTS = ("experiment", "run", "logged model")


@pytest.fixture
def things(team):
    """An experiment and a registered model of ann's."""
    experiment = team.post("ann", "experiments/create", {"name": "x"}).json["experiment_id"]
    team.post("ann", "registered-models/create", {"name": "m"})
    return experiment


def rights(team, who, experiments=(), models=()):
    body = {"experiments": list(experiments), "models": list(models)}
    return team.post(who, RIGHTS, body).json


def writes(kinds, *actions):
    return {
        op.name
        for op in OPERATIONS
        if op.permission.kind in kinds and op.permission.action in actions
    }


@pytest.mark.parametrize(
    ("level", "refused"),
    [
        ("READ", ("edit", "create", "manage")), ("USE", ("edit", "create", "manage")),
        ("EDIT", ("manage",)), ("MANAGE", ()),
    ],
)  # fmt: skip
def test_what_each_level_does_not_reach(team, things, level, refused):
    """For every operation of the table that changes something."""
    team.post("ann", GRANT, on("bob", level, thing=things))
    team.post("ann", GRANT, on("bob", level, "registered_model", "m"))
    found = rights(team, "bob", [things], ["m"])
    told = found["experiments"][things]
    assert writes(OF_EXPERIMENTS, *refused) == set(told["denied"])
    assert writes(("registered model",), *refused) == set(found["models"]["m"]["denied"])
    assert {level} == {has for has, _ in told["denied"].values()} or level == "MANAGE"
    assert (level == "MANAGE") == told["manages"]
    assert ([] if level == "MANAGE" else ["ann"]) == told["ask"]


def test_what_is_told_is_what_is_refused(team, things):
    """A control that is offered works, and one that is not would not."""
    run = {"experiment_id": things, "start_time": 1}
    run_id = team.post("ann", "runs/create", run).json["run"]["info"]["run_id"]
    calls = {
        "rename_experiment": ("experiments/update", {"experiment_id": things, "new_name": "y"}),
        "set_tag": ("runs/set-tag", {"run_id": run_id, "key": "k", "value": "v"}),
        "delete_run": ("runs/delete", {"run_id": run_id}),
    }
    for level in ("READ", "EDIT"):
        if level == "EDIT":
            team.post("ann", GRANT, on("bob", level, thing=things))
        denied = rights(team, "bob", [things])["experiments"][things]["denied"]
        for name, (path, body) in calls.items():
            assert (403 if name in denied else 200) == team.post("bob", path, body).status, name
    assert {"delete_run"} == set(calls) & set(denied)


def test_grants_on_all_runs_are_about_runs_only(team, things):
    team.post("admin", GRANT, on("bob", "EDIT", "run", "*"))
    denied = rights(team, "bob", [things])["experiments"][things]["denied"]
    assert "set_tag" not in denied
    assert ["READ", "EDIT"] == denied["set_experiment_tag"]
    assert ["EDIT", "MANAGE"] == denied["delete_run"]


def test_what_may_not_be_seen_is_left_out(tmp_path):
    with Team(tmp_path, "NO_PERMISSIONS") as team:
        made = team.post("ann", "experiments/create", {"name": "x"}).json["experiment_id"]
        nothing = {"experiments": {}, "models": {}}
        assert nothing == rights(team, "bob", [made, "404"], ["m", "none"])
        assert [made] == list(rights(team, "ann", [made])["experiments"])


def test_administrators_are_named_where_nobody_manages(team, things):
    team.post("admin", "users/create", {"username": "root", "password": PASSWORD})
    is_admin = {"username": "root", "is_admin": True}
    team.ask("admin", "PATCH", "users/update-admin", is_admin)
    found = rights(team, "bob", ["0", things])["experiments"]
    assert (["admin", "root"], ["ann"]) == (found["0"]["ask"], found[things]["ask"])
    team.ask("admin", "PATCH", "users/update-active", {"username": "root", "is_active": False})
    team.ask("admin", "PATCH", "users/update-active", {"username": "ann", "is_active": False})
    found = rights(team, "bob", ["0", things])["experiments"]
    assert (["admin"], ["admin"]) == (found["0"]["ask"], found[things]["ask"])


def test_who_may_use_a_thing(team, things):
    """Is told to those who manage it, with what each level comes from."""
    make = {"workspace": "default", "name": "readers"}
    role = team.post("admin", "roles/create", make).json["role"]["id"]
    give = {"role_id": role, "resource_type": "experiment", "resource_pattern": "*"}
    team.post("admin", "roles/permissions/add", {**give, "permission": "EDIT"})
    team.post("admin", "roles/assign", {"username": "bob", "role_id": role})
    team.post("ann", GRANT, on("bob", "READ", thing=things))

    asked = {"experiment_id": things}
    assert 403 == team.post("bob", "/ui-api/access/experiment", asked).status
    assert 403 == team.post("bob", "/ui-api/access/model", {"name": "m"}).status
    told = team.post("ann", "/ui-api/access/experiment", asked).json
    people = {one["username"]: one for one in told["people"]}
    assert "READ" == told["default"]
    assert ("MANAGE", "MANAGE", []) == tuple(people["ann"][k] for k in ("level", "own", "through"))
    assert ("EDIT", "READ") == (people["bob"]["level"], people["bob"]["own"])
    through = {"role_id": role, "role": "readers", "is_all": True, "permission": "EDIT"}
    assert [through] == people["bob"]["through"]
    assert ("MANAGE", True) == (people["admin"]["level"], people["admin"]["is_admin"])
    told = team.post("ann", "/ui-api/access/model", {"name": "m"}).json
    assert ["ann"] == [one["username"] for one in told["people"] if one["own"]]


def test_administrators_are_told_what_the_log_has_lines_of(team, things):
    asked = team.post("admin", "/ui-api/audit-actions", {}).json["actions"]
    assert ["create_experiment", "create_registered_model", "create_user"] == asked
    assert 403 == team.post("ann", "/ui-api/audit-actions", {}).status


def test_a_token_for_less_is_offered_less(team, things):
    """What an administrator's token to read shows is no page of an administrator."""
    body = {"name": "t", "scope": "read"}
    token = team.post("admin", "users/tokens/create", body).json["token"]
    asked = {"experiments": [things]}
    header = [("Authorization", f"Bearer {token}")]
    told = team.ask(None, "POST", RIGHTS, asked, headers=header).json["experiments"][things]
    assert "set_tag" in told["denied"]
    assert not told["manages"]
