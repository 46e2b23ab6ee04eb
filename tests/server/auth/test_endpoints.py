"""The endpoints of users and roles, beside what a stock MLflow 3.17.2 answers."""

from __future__ import annotations

import pytest

from mlflow.server.auth.endpoints import ADMIN, ROWS

from .conftest import PASSWORD

GRANT = "users/permissions/grant"


def on(name, level="EDIT", kind="experiment", thing="0"):
    return {"username": name, "resource_type": kind, "resource_id": thing, "permission": level}


def test_who_is_no_administrator_is_refused_first(team):
    """Before anything that they sent is looked at."""
    for row in ROWS:
        if row.permission is ADMIN:
            answer = team.ask("ann", row.method, f"/api/3.0/mlflow/{row.path}", {})
            assert (403, "PERMISSION_DENIED") == (answer.status, answer.code), row.path


def test_users(team):
    made = team.post("admin", "users/create", {"username": "col", "password": PASSWORD})
    assert {"user": {"id": 4, "username": "col", "is_admin": False}} == made.json
    assert (
        400 == team.post("admin", "users/create", {"username": "col", "password": PASSWORD}).status
    )
    short = team.post("admin", "users/create", {"username": "dan", "password": "short"})
    assert "Password must be at least 12 characters." == short.json["message"]
    assert 404 == team.get("admin", "users/get", username="nobody").status
    assert 403 == team.get("ann", "users/get", username="bob").status
    assert ["admin", "ann", "bob", "col"] == [
        one["username"] for one in team.get("ann", "users/list").json["users"]
    ]
    assert (
        {}
        == team.ask(
            "admin", "PATCH", "users/update-admin", {"username": "col", "is_admin": True}
        ).json
    )
    assert {} == team.ask("admin", "DELETE", "users/delete", {"username": "col"}).json
    own = team.ask("admin", "DELETE", "users/delete", {"username": "admin"})
    assert (400, "BAD_REQUEST") == (own.status, own.code)


def test_nothing_answers_with_a_hash(team):
    bodies = [
        team.get("admin", "users/list").body,
        team.get("admin", "users/current").body,
        team.get("admin", "users/get", username="admin").body,
    ]
    assert b"scrypt" not in b"".join(bodies)


def test_passwords(team):
    path, new = "users/update-password", "another long one"
    assert 400 == team.ask("ann", "PATCH", path, {"username": "ann", "password": new}).status
    wrong = {"username": "ann", "password": new, "current_password": "wrong"}
    assert 400 == team.ask("ann", "PATCH", path, wrong).status
    assert 403 == team.ask("ann", "PATCH", path, {"username": "bob", "password": new}).status
    assert {} == team.ask("ann", "PATCH", path, {**wrong, "current_password": PASSWORD}).json
    assert 401 == team.get("ann", "users/current").status
    assert {} == team.ask("admin", "PATCH", path, {"username": "ann", "password": PASSWORD}).json
    assert 200 == team.get("ann", "users/current").status


def test_grants(team):
    """By who manages the thing, or an administrator; never on everything by anybody else."""
    experiment = team.post("ann", "experiments/create", {"name": "x"}).json["experiment_id"]
    assert {} == team.post("ann", GRANT, on("bob", thing=experiment)).json
    again = team.post("ann", GRANT, on("bob", "READ", thing=experiment))
    assert (400, "RESOURCE_ALREADY_EXISTS") == (again.status, again.code)
    found = team.get("bob", "users/permissions/get", **{k: v for k, v in on("bob", thing=experiment).items() if k != "permission"})  # fmt: skip
    assert {"allowed": True, "permission": "EDIT"} == found.json
    assert 403 == team.post("bob", GRANT, on("bob", "MANAGE", thing=experiment)).status
    assert 403 == team.post("ann", GRANT, on("ann", "MANAGE", thing="*")).status
    assert 403 == team.post("ann", GRANT, on("ann", "EDIT", "run", "*")).status
    assert 403 == team.post("ann", GRANT, on("ann", "MANAGE", "workspace", "*")).status
    for wrong in (on("bob", "NO_PERMISSIONS"), on("bob", "BOGUS"), on("bob", kind="bogus"),
                  on("bob", kind="run", thing="x"), on("bob", "EDIT", "workspace", "*")):  # fmt: skip
        assert 400 == team.post("admin", GRANT, wrong).status
    assert 404 == team.post("admin", GRANT, on("nobody")).status
    given = team.get("bob", "users/current/permissions").json
    assert [(experiment, "EDIT")] == [
        (one["resource_pattern"], one["permission"]) for one in given["permissions"]
    ]
    revoke = {k: v for k, v in on("bob", thing=experiment).items() if k != "permission"}
    assert {} == team.post("ann", "users/permissions/revoke", revoke).json
    assert 404 == team.post("ann", "users/permissions/revoke", revoke).status


def test_roles(team):
    make = {"workspace": "default", "name": "writers", "description": "d"}
    role = team.post("admin", "roles/create", make).json["role"]
    assert {"workspace", "name", "description", "permissions", "id"} == set(role)
    assert 400 == team.post("admin", "roles/create", make).status
    assert (
        400
        == team.post("admin", "roles/create", {"workspace": "default", "name": "__user_2__"}).status
    )
    give = {
        "role_id": role["id"],
        "resource_type": "experiment",
        "resource_pattern": "*",
        "permission": "EDIT",
    }
    given = team.post("admin", "roles/permissions/add", give).json["role_permission"]
    assert 400 == team.post("admin", "roles/permissions/add", give).status
    pair = {"username": "ann", "role_id": role["id"]}
    team.post("admin", "roles/assign", pair)
    assert 400 == team.post("admin", "roles/assign", pair).status
    tag = {"experiment_id": "0", "key": "k", "value": "v"}
    assert 200 == team.post("ann", "experiments/set-experiment-tag", tag).status
    change = {"role_permission_id": given["id"], "permission": "READ"}
    assert (
        "READ"
        == team.ask("admin", "PATCH", "roles/permissions/update", change).json["role_permission"][
            "permission"
        ]
    )
    assert 403 == team.post("ann", "experiments/set-experiment-tag", tag).status
    assert ["writers"] == [
        one["name"] for one in team.get("ann", "users/roles/list", username="ann").json["roles"]
    ]
    assert 1 == len(team.get("admin", "roles/users/list", role_id=role["id"]).json["assignments"])
    assert (
        "w2"
        == team.ask("admin", "PATCH", "roles/update", {"role_id": role["id"], "name": "w2"}).json[
            "role"
        ]["name"]
    )
    assert {} == team.ask("admin", "DELETE", "roles/unassign", pair).json
    assert 404 == team.ask("admin", "DELETE", "roles/unassign", pair).status
    assert (
        {}
        == team.ask(
            "admin", "DELETE", "roles/permissions/remove", {"role_permission_id": given["id"]}
        ).json
    )
    assert {} == team.ask("admin", "DELETE", "roles/delete", {"role_id": role["id"]}).json
    assert 404 == team.get("admin", "roles/get", role_id=role["id"]).status


@pytest.mark.parametrize(
    ("noun", "key", "thing"),
    [("experiments", "experiment_id", "0"), ("registered-models", "name", "m")],
)
def test_as_mlflow_2_had_it(team, noun, key, thing):
    team.post("admin", "registered-models/create", {"name": "m"})
    who = {key: thing, "username": "ann"}
    path = f"{noun}/permissions"
    made = team.post("admin", f"{path}/create", {**who, "permission": "NO_PERMISSIONS"}).json
    (one,) = made.values()
    assert {key: thing, "user_id": 2, "permission": "NO_PERMISSIONS"} == one
    get = "experiments/get" if noun == "experiments" else "registered-models/get"
    assert 404 == team.get("ann", get, **{key: thing}).status
    assert {} == team.ask("admin", "PATCH", f"{path}/update", {**who, "permission": "MANAGE"}).json
    assert 200 == team.get("ann", get, **{key: thing}).status
    assert "MANAGE" == next(iter(team.get("ann", f"{path}/get", **who).json.values()))["permission"]
    assert {} == team.ask("ann", "DELETE", f"{path}/delete", who).json
    assert 403 == team.get("ann", f"{path}/get", **who).status
    assert 404 == team.get("admin", f"{path}/get", **who).status


def test_tokens_make_no_better_tokens(team):
    made = team.post("ann", "users/tokens/create", {"name": "t", "scope": "edit", "days": 7}).json
    assert made["token"] not in team.get("ann", "users/tokens/list").body.decode()
    bearer = [("Authorization", f"Bearer {made['token']}")]
    assert (
        403 == team.ask(None, "POST", "users/tokens/create", {"name": "u"}, headers=bearer).status
    )
    change = {"username": "ann", "password": "another long one", "current_password": PASSWORD}
    assert 403 == team.ask(None, "PATCH", "users/update-password", change, headers=bearer).status
    assert 200 == team.ask(None, "POST", "experiments/create", {"name": "x"}, headers=bearer).status
    root = team.post("admin", "users/tokens/create", {"name": "t", "scope": "edit"}).json["token"]
    bearer = [("Authorization", f"Bearer {root}")]
    assert (
        403
        == team.ask(
            None, "POST", "users/create", {"username": "x", "password": PASSWORD}, headers=bearer
        ).status
    )
    assert (
        {}
        == team.ask("ann", "DELETE", "users/tokens/revoke", {"token_id": made["info"]["id"]}).json
    )


def test_what_was_done_is_told(team):
    """Who, what, to what, and how it ended; never a password or a token."""
    team.post("admin", "users/create", {"username": "col", "password": PASSWORD})
    team.post("ann", GRANT, on("ann", "MANAGE"))
    team.post("ann", "experiments/create", {"name": "x"})
    team.post("ann", "experiments/delete", {"experiment_id": "0"})
    token = team.post("ann", "users/tokens/create", {"name": "t"}).json["token"]
    told = team.get("admin", "audit/list").json["events"]
    assert [
        ("ann", "create_token", "name=t", "done"),
        ("ann", "delete_experiment", "experiment 0", "denied"),
        ("ann", "create_experiment", "experiment x", "done"),
        (
            "ann",
            "grant_user_permission",
            "username=ann resource_type=experiment resource_id=0 permission=MANAGE",
            "denied",
        ),
        ("admin", "create_user", "username=col", "done"),
    ] == [(one["username"], one["action"], one["resource"], one["outcome"]) for one in told[:5]]
    assert PASSWORD not in repr(told)
    assert token not in repr(told)
    assert 403 == team.get("ann", "audit/list").status
    assert 1 == len(
        team.get(
            "admin", "audit/list", username="admin", action="create_user", max_results="1"
        ).json["events"]
    )


def test_who_is_disabled_is_nobody(team):
    """By password, by token, by session; what they were granted and own waits for them."""
    token = team.post("ann", "users/tokens/create", {"name": "t"}).json["token"]
    bearer = [("Authorization", f"Bearer {token}")]

    def asked():
        by_token = team.ask(None, "GET", "users/current", headers=bearer).status
        return team.get("ann", "users/current").status, by_token

    def change(who, is_active):
        body = {"username": who, "is_active": is_active}
        return team.ask("admin", "PATCH", "users/update-active", body)

    assert (200, 200) == asked()
    assert {} == change("ann", False).json
    assert (401, 401) == asked()
    active = {
        one["username"]: one["is_active"] for one in team.get("bob", "users/list").json["users"]
    }
    assert {"admin": True, "ann": False, "bob": True} == active
    assert {} == change("ann", True).json
    assert (200, 200) == asked()
    assert 400 == change("admin", False).status
    assert 404 == change("nobody", False).status
    assert 403 == team.ask("bob", "PATCH", "users/update-active", {}).status
