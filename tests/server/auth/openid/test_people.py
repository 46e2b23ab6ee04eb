"""Who of a provider is which user, on each kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.auth.config import AuthConfig
from mlflow.server.auth.openid.claims import Person
from mlflow.server.auth.openid.config import OpenIdConfig
from mlflow.server.auth.openid.errors import RefusedError
from mlflow.server.auth.tables import users as user_table
from mlflow.server.auth.users import Users
from tests.conftest import FULL
from tests.server.auth.conftest import PASSWORD

CONFIG = OpenIdConfig("https://id.example.org", "mlflow", groups_claim="groups")
ROLES = CONFIG._replace(role_groups=(("ml", "writers"), ("lab", "writers"), ("ops", "readers")))
ADMINS = CONFIG._replace(admin_groups=("root", "boss"))


def person(subject="sub-1", name="eve", *groups, issuer=CONFIG.issuer):
    return Person(issuer, subject, name, frozenset(groups))


def roles(users, name="eve"):
    return sorted(one.name for one in users.roles.of_user(users.accounts.get(name).id))


def test_roles_follow_groups(users):
    """And those that were given by hand stay."""
    extra = users.roles.create("default", "extra")
    user, is_new = users.people.admit(person("sub-1", "eve", "ml"), ROLES)
    assert is_new
    users.roles.assign("eve", extra.id)
    assert ["extra", "writers"] == roles(users)
    for groups, expected in ((("lab", "ml"), ["extra", "writers"]), (("ops",), ["extra", "readers"]),
                             ((), ["extra"]), (("other",), ["extra"]), (("ops", "lab"), ["extra", "readers", "writers"])):  # fmt: skip
        assert (user, False) == users.people.admit(person("sub-1", "eve", *groups), ROLES)
        assert expected == roles(users)


def test_administrators_are_who_the_provider_says(users):
    users.people.admit(person(), CONFIG)
    users.accounts.set_admin("eve", True)
    users.people.admit(person(), CONFIG)  # nothing is said about them
    assert users.accounts.get("eve").is_admin
    assert not users.people.admit(person(), ADMINS)[0].is_admin
    assert not users.accounts.get("eve").is_admin
    assert users.people.admit(person("sub-1", "eve", "boss"), ADMINS)[0].is_admin
    assert users.accounts.get("eve").is_admin
    assert users.accounts.get("admin").is_admin


def test_another_issuer_is_somebody_else(users):
    users.people.admit(person(), CONFIG)
    with pytest.raises(RefusedError, match="another user's"):
        users.people.admit(person(issuer="https://id.example.org/"), CONFIG)
    other = person("sub-1", "fay", issuer="https://other.example")
    assert "fay" == users.people.admit(other, CONFIG)[0].username


def test_where_another_program_removed_the_user(users):
    """It knows of no identities: whoever has the number or the name now is somebody else."""
    eve, _ = users.people.admit(person(), CONFIG)
    table = user_table.c
    users.accounts.database.write(
        lambda c: c.execute(user_table.delete().where(table.id == eve.id))
    )
    with pytest.raises(RefusedError, match="was removed"):
        users.people.admit(person(), CONFIG)
    made = users.accounts.create("fay", PASSWORD)
    assert made.id == eve.id  # SQLite uses it again
    with pytest.raises(RefusedError, match="was removed"):
        users.people.admit(person(), CONFIG)


def test_links(people):
    found = people.people
    found.link("ann", CONFIG.issuer, "sub-9")
    (one,) = found.all()
    assert ("ann", "sub-9", True, None) == (one.username, one.subject, one.is_linked, one.seen)
    assert "ann" == found.admit(person("sub-9", "bob"), CONFIG)[0].username
    assert found.all()[0].seen is not None
    found.link("ann", CONFIG.issuer, "sub-9")
    with pytest.raises(MlflowException, match="signs in as 'ann' already"):
        found.link("bob", CONFIG.issuer, "sub-9")
    session = people.tokens.begin_session(people.accounts.get("ann").id)
    token, _ = people.tokens.create(people.accounts.get("ann").id, "t")
    found.unlink(one.id)
    assert [] == found.all()
    assert people.tokens.find("session", session) is None
    assert people.tokens.find("token", token) is not None
    for wrong in (lambda: found.unlink(one.id), lambda: found.link("nobody", CONFIG.issuer, "x")):
        with pytest.raises(MlflowException, match="not found"):
            wrong()
    for issuer, subject in (
        (CONFIG.issuer, ""),
        (CONFIG.issuer, "x" * 256),
        ("", "x"),
        ("x" * 1001, "x"),
    ):
        with pytest.raises(MlflowException, match="characters"):
            found.link("ann", issuer, subject)


def test_who_is_disabled_stays_out(users):
    """And gets nothing from their groups meanwhile."""
    users.people.admit(person(), ROLES)
    users.accounts.set_active("eve", False)
    with pytest.raises(RefusedError, match="is disabled"):
        users.people.admit(person("sub-1", "eve", "ml"), ROLES)
    assert [] == roles(users)
    users.accounts.set_active("eve", True)
    assert "eve" == users.people.admit(person(), ROLES)[0].username


def test_who_was_removed_is_remembered(people):
    people.people.admit(person(), CONFIG)
    people.accounts.delete("eve")
    (one,) = people.people.all()
    assert ("eve", False) == (one.username, one.is_linked)
    people.people.link("bob", CONFIG.issuer, "sub-1")
    assert "bob" == people.people.admit(person(), CONFIG)[0].username


def many_at_once(uri):
    """Return the names that eight threads of two processes get for one who comes for the first time."""
    both = [Users(AuthConfig(database_uri=uri)) for _ in range(2)]
    both[0].accounts.count()
    with ThreadPoolExecutor(8) as threads:
        given = person("sub-1", "eve", "ml", "ops")
        found = list(threads.map(lambda n: both[n % 2].people.admit(given, ROLES), range(8)))
    assert ["readers", "writers"] == roles(both[1])
    assert 1 == both[0].accounts.count()
    for subject in ("SUB-1", "sub-1 ", "súb-1"):
        with pytest.raises(RefusedError, match="another user's"):
            both[0].people.admit(person(subject), ROLES)
    both[0].accounts.delete("eve")
    with pytest.raises(RefusedError, match="was removed"):
        both[1].people.admit(person(), ROLES)
    for one in both:
        one.close()
    return found


def test_coming_at_one_time_makes_one_user(tmp_path):
    found = many_at_once(f"sqlite:///{tmp_path}/many.db")
    assert [False] * 7 + [True] == sorted(is_new for _, is_new in found)
    assert 1 == len({user for user, _ in found})


@pytest.mark.skipif(not FULL, reason="on servers of databases with MILLSTREAM_FULL=1")
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_coming_at_one_time_on_a_server_of_databases(servers, dialect):
    found = many_at_once(servers[dialect].make())
    assert 1 == len({user for user, _ in found})
    assert 1 == sum(is_new for _, is_new in found)
