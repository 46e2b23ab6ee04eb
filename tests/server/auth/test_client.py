"""The client of a server's users: every method over a connection, and what is refused."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server import get_app_client
from mlflow.server.auth.client import AuthServiceClient
from tests.server.serving import Served

from .conftest import PASSWORD


@pytest.fixture
def uri(team):
    with Served(team.client.app) as served:
        yield served.uri


@pytest.fixture
def sign_in(monkeypatch, uri):
    def as_(name, password=PASSWORD):
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        return get_app_client("basic-auth", tracking_uri=uri)

    return as_


def test_everything_there_and_back(sign_in, monkeypatch):
    client = sign_in("admin")
    assert isinstance(client, AuthServiceClient)
    user = client.create_user("col", PASSWORD)
    assert ("col", False) == (user.username, user.is_admin)
    assert user == client.get_user("col")
    client.update_user_admin("col", True)
    assert client.get_user("col").is_admin
    client.update_user_password("col", "another long one")
    assert "admin" == client.get_current_user().username
    assert ["admin", "ann", "bob", "col"] == [one.username for one in client.list_users()]
    client.delete_user("col")

    role = client.create_role("default", "writers", "who write")
    assert role == client.get_role(role.id)
    assert "w" == client.update_role(role.id, name="w").name
    given = client.add_role_permission(role.id, "experiment", "*", "EDIT")
    assert [given] == client.list_role_permissions(role.id)
    assert "READ" == client.update_role_permission(given.id, "READ").permission
    assigned = client.assign_role("ann", role.id)
    assert [assigned] == client.list_role_users(role.id)
    assert ["w"] == [one.name for one in client.list_user_roles("ann")]
    assert ["w"] == [one.name for one in client.list_roles("default")]
    assert ["w"] == [one.name for one in client.list_all_roles()]
    client.unassign_role("ann", role.id)
    client.remove_role_permission(given.id)
    client.delete_role(role.id)

    client.grant_user_permission("ann", "experiment", "0", "EDIT")
    assert (True, "EDIT") == client.get_user_permission("ann", "experiment", "0")
    client.revoke_user_permission("ann", "experiment", "0")
    made = client.create_experiment_permission("0", "ann", "NO_PERMISSIONS")
    assert made == client.get_experiment_permission("0", "ann")
    client.update_experiment_permission("0", "ann", "READ")
    client.delete_experiment_permission("0", "ann")
    assert (
        client.list_audit(action="delete_experiment_permission", max_results=1)[0].username
        == "admin"
    )

    token, kept = client.create_token("laptop", "read", 1)
    assert [kept] == client.list_tokens()
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
    other = AuthServiceClient(client.tracking_uri)
    assert "admin" == other.get_current_user().username
    with pytest.raises(MlflowException) as refused:
        other.create_user("x", PASSWORD)
    assert "PERMISSION_DENIED" == refused.value.error_code


def test_models(sign_in, team):
    client = sign_in("admin")
    team.store.create_registered_model("m 1 ä")
    made = client.create_registered_model_permission("m 1 ä", "ann", "EDIT")
    assert made == client.get_registered_model_permission("m 1 ä", "ann")
    client.update_registered_model_permission("m 1 ä", "ann", "MANAGE")
    assert "MANAGE" == sign_in("ann").get_registered_model_permission("m 1 ä", "ann").permission
    client.delete_registered_model_permission("m 1 ä", "ann")


def test_refusals_have_their_codes(sign_in, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for client, call, code in (
        (sign_in("ann"), lambda one: one.create_user("x", PASSWORD), "PERMISSION_DENIED"),
        (sign_in("admin"), lambda one: one.get_user("nobody"), "RESOURCE_DOES_NOT_EXIST"),
        (sign_in("admin"), lambda one: one.create_user("ann", PASSWORD), "RESOURCE_ALREADY_EXISTS"),
        (sign_in("admin"), lambda one: one.create_user("x", "short"), "INVALID_PARAMETER_VALUE"),
        (sign_in("ann", "wrong"), lambda one: one.get_current_user(), "UNAUTHENTICATED"),
    ):
        name = "ann" if code in ("PERMISSION_DENIED", "UNAUTHENTICATED") else "admin"
        sign_in(name, "wrong" if code == "UNAUTHENTICATED" else PASSWORD)
        with pytest.raises(MlflowException) as refused:
            call(client)
        assert code == refused.value.error_code


def test_there_is_one_app():
    with pytest.raises(ValueError, match="basic-auth"):
        get_app_client("other")


def test_programs_log_in_their_own_name(sign_in, uri, monkeypatch):
    """With what MLflow's client reads, end to end."""
    import mlflow

    sign_in("ann")
    mlflow.set_tracking_uri(uri)
    experiment = mlflow.create_experiment("anns")
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_metric("m", 1)
    assert 1 == mlflow.get_run(run.info.run_id).data.metrics["m"]
    sign_in("bob")
    with pytest.raises(MlflowException, match="Permission denied"):
        mlflow.MlflowClient().log_param(run.info.run_id, "p", 1)
    mlflow.set_tracking_uri(None)
