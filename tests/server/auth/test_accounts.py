"""Users: their names, their passwords, and what a database of MLflow's becomes."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mlflow.exceptions import MlflowException
from mlflow.server.auth.tables import users as table

from .conftest import PASSWORD


def kept(users, name):
    statement = select(table.c.password_hash).where(table.c.username == name)
    return users.accounts.database.run(lambda c: c.execute(statement).scalar())


def test_users_come_and_go(people):
    assert ["admin", "ann", "bob"] == [one.username for one in people.accounts.all()]
    people.accounts.delete("ann")
    assert ["admin", "bob"] == [one.username for one in people.accounts.all()]
    with pytest.raises(MlflowException, match="User with username=ann not found"):
        people.accounts.get("ann")


def test_nothing_is_left_of_who_is_gone(people):
    """The next user has the same number, and nothing else."""
    user = people.accounts.get("bob")
    people.roles.grant("bob", "experiment", "1", "MANAGE")
    token, _ = people.tokens.create(user.id, "t")
    people.accounts.delete("bob")

    made = people.accounts.create("eve", PASSWORD)
    assert made.id == user.id
    assert [] == people.roles.of_user(made.id)
    assert people.tokens.find("token", token) is None


@pytest.mark.parametrize(
    "name", ["", " ann2", "ann2 ", "a:b", "a\nb", "a\x00", "x" * 256, "\u0430dmin", "a\u200bnn", "a\u0301"]
)  # fmt: skip
def test_names_that_will_not_do(people, name):
    with pytest.raises(MlflowException) as refused:
        people.accounts.create(name, PASSWORD)
    assert "INVALID_PARAMETER_VALUE" == refused.value.error_code


@pytest.mark.parametrize("name", ["ann", "Ann", "ANN", "\uff41nn"])
def test_names_that_look_like_another_are_taken(people, name):
    with pytest.raises(MlflowException) as refused:
        people.accounts.create(name, PASSWORD)
    assert "RESOURCE_ALREADY_EXISTS" == refused.value.error_code


@pytest.mark.parametrize("name", ["José", "anna-maria", "a.b@example.org", "Даша", "王芳", "x y"])
def test_names_of_all_countries(people, name):
    assert name == people.accounts.create(name, PASSWORD).username


def test_passwords(people):
    accounts = people.accounts
    assert "ann" == accounts.with_password("ann", PASSWORD).username
    for name, password in (("ann", "wrong"), ("Ann", PASSWORD), ("nobody", PASSWORD), ("ann", "")):
        assert accounts.with_password(name, password) is None
    accounts.set_password("ann", PASSWORD + "2")
    assert accounts.with_password("ann", PASSWORD) is None
    assert accounts.with_password("ann", PASSWORD + "2") is not None


def test_an_old_hash_is_renewed_at_the_next_sign_in(people):
    from .test_passwords import PASSWORD as OLD
    from .test_passwords import STOCK

    change = table.update().where(table.c.username == "ann").values(password_hash=STOCK)
    people.accounts.database.write(lambda c: c.execute(change))

    assert people.accounts.with_password("ann", "wrong one entirely") is None
    assert STOCK == kept(people, "ann")
    assert people.accounts.with_password("ann", OLD) is not None
    assert STOCK != kept(people, "ann")
    assert people.accounts.with_password("ann", OLD) is not None


def test_an_administrator_is_left(people):
    for change in (
        lambda: people.accounts.delete("admin"),
        lambda: people.accounts.set_admin("admin", False),
    ):
        with pytest.raises(MlflowException, match="only administrator"):
            change()
    people.accounts.set_admin("ann", True)
    people.accounts.set_admin("admin", False)
    assert not people.accounts.get("admin").is_admin


def test_a_caller_has_what_all_roles_give(people):
    role = people.roles.create("default", "writers")
    people.roles.add(role.id, "experiment", "*", "EDIT")
    people.roles.assign("ann", role.id)
    people.roles.grant("ann", "experiment", "7", "DENY")
    caller, _ = people.accounts.caller(people.accounts.get("ann").id)

    assert "EDIT" == caller.permission(("experiment", "1"))
    assert "DENY" == caller.permission(("experiment", "7"))
    assert "READ" == caller.permission(("registered_model", "m"))
    assert people.accounts.caller(12345) is None


def test_the_last_active_administrator_stays(people):
    """One that is disabled could not let anybody in again."""
    accounts = people.accounts
    accounts.set_admin("ann", True)
    accounts.set_active("ann", False)
    for change in (
        lambda: accounts.set_active("admin", False), lambda: accounts.set_admin("admin", False),
        lambda: accounts.delete("admin"),
    ):  # fmt: skip
        with pytest.raises(MlflowException, match="only administrator"):
            change()
    accounts.delete("ann")
    assert set() == accounts.disabled()
