"""The database of users: MLflow's tables at their revision, ours beside them, older ones brought up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    inspect,
    select,
)

from mlflow.exceptions import INVALID_STATE, MlflowException
from mlflow.server.auth.append_only import keep_audit
from mlflow.store.backends.sql.schema import LOCK, lock_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from mlflow.store.backends.sql.engine import Database

#: The revision of MLflow 3.17.2's tables.
HEAD = "f1a2b3c4d5e6"
DEFAULT_WORKSPACE = "default"

metadata = MetaData()

alembic_version_auth = Table(
    "alembic_version_auth",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_auth_pkc"),
)
users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(255), unique=True),
    Column("password_hash", String(255)),
    Column("is_admin", Boolean),
)
roles = Table(
    "roles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("workspace", String(63), nullable=False, index=True),
    Column("description", String(1024)),
    UniqueConstraint("workspace", "name", name="unique_workspace_role_name"),
)
role_permissions = Table(
    "role_permissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("role_id", Integer, ForeignKey("roles.id"), nullable=False, index=True),
    Column("resource_type", String(64), nullable=False),
    Column("resource_pattern", String(255), nullable=False),
    Column("permission", String(255), nullable=False),
    UniqueConstraint(
        "role_id", "resource_type", "resource_pattern", name="unique_role_resource_perm"
    ),
    # Where 'a' and 'A' are one key, as by default, users cannot be given both.
    mysql_charset="utf8mb4",
    mysql_collate="utf8mb4_bin",
)
user_role_assignments = Table(
    "user_role_assignments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False, index=True),
    Column("role_id", Integer, ForeignKey("roles.id"), nullable=False, index=True),
    UniqueConstraint("user_id", "role_id", name="unique_user_role"),
)


def _of_one_user(name: str, *keys: Column[str], unique: str, user: str) -> Table:
    """Return a table of permissions on one kind of thing, which roles have taken the place of."""
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        *keys,
        Column("user_id", Integer, ForeignKey("users.id", name=user), nullable=False),
        Column("permission", String(255)),
        UniqueConstraint(*(one.name for one in keys), "user_id", name=unique),
    )


experiment_permissions = _of_one_user(
    "experiment_permissions",
    Column("experiment_id", String(255), nullable=False),
    unique="unique_experiment_user",
    user="fk_user_id",
)
registered_model_permissions = _of_one_user(
    "registered_model_permissions",
    Column("workspace", String(63), nullable=False, server_default=DEFAULT_WORKSPACE),
    Column("name", String(255), nullable=False),
    unique="unique_workspace_name_user",
    user="fk_registered_model_user_id",
)
_of_one_user(
    "scorer_permissions",
    Column("experiment_id", String(255), nullable=False),
    Column("scorer_name", String(256), nullable=False),
    unique="unique_scorer_user",
    user="fk_scorer_perm_user_id",
)
_of_one_user(
    "gateway_secret_permissions",
    Column("secret_id", String(255), nullable=False),
    unique="unique_secret_user",
    user="fk_gateway_secret_perm_user_id",
)
_of_one_user(
    "gateway_endpoint_permissions",
    Column("endpoint_id", String(255), nullable=False),
    unique="unique_endpoint_user",
    user="fk_gateway_endpoint_perm_user_id",
)
_of_one_user(
    "gateway_model_definition_permissions",
    Column("model_definition_id", String(255), nullable=False),
    unique="unique_model_def_user",
    user="fk_gateway_model_def_perm_user_id",
)
Table(
    "workspace_permissions",
    metadata,
    Column("workspace", String(63), nullable=False, index=True),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False, index=True),
    Column("permission", String(32), nullable=False),
    PrimaryKeyConstraint("workspace", "user_id", name="workspace_permissions_pk"),
)

# --- ours: MLflow's server leaves them alone ---------------------------------------------------------

tokens = Table(
    "millstream_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, nullable=False, index=True),
    # `token`, or `session` of a browser.
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scope", String(16), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
)
# Who is listed here cannot sign in; what they are granted waits for them.
disabled = Table(
    "millstream_disabled",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
)
audit = Table(
    "millstream_audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", BigInteger, nullable=False, index=True),
    Column("username", String(255), nullable=False),
    Column("action", String(255), nullable=False),
    Column("resource", String(1000), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("address", String(64), nullable=False),
)
# Who signs in by OpenID Connect. A user who was removed leaves theirs, without a user.
identities = Table(
    "millstream_identities",
    metadata,
    Column("id", Integer, primary_key=True),
    # Of issuer and subject: databases differ in which texts are the same.
    Column("digest", String(64), nullable=False, unique=True),
    Column("issuer", String(1000), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("username", String(255), nullable=False),
    Column("user_id", Integer, index=True),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger),
)
failures = Table(
    "millstream_failures",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    # ms since the epoch: the last one, and until when to wait.
    Column("latest", BigInteger, nullable=False, index=True),
    Column("wait_until", BigInteger, nullable=False),
)


def prepare(database: Database) -> None:
    """Make the tables that are not there, and bring those of an older MLflow up to date.

    Raises:
        MlflowException: INVALID_STATE: the database belongs to another program, or to an MLflow
            that came later.
    """
    database.write(_prepared_alone)


def _prepared_alone(connection: Connection) -> None:
    """Do it while no other process does: several servers may be started at one time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    if connection.dialect.name != "mysql":
        _prepared(connection)
        return
    name = lock_name(connection)
    connection.exec_driver_sql("SELECT GET_LOCK(%s, 120)", (name,)).all()
    try:
        _prepared(connection)
    finally:
        connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (name,)).all()


def _prepared(connection: Connection) -> None:
    present = set(inspect(connection).get_table_names())
    if users.name in present and alembic_version_auth.name not in present:
        raise MlflowException(
            "The database has a table 'users' that is not MLflow's. Name another one as "
            "database_uri.",
            INVALID_STATE,
        )
    is_older = users.name in present and roles.name not in present
    old_models = _columns(connection, registered_model_permissions.name, present)
    if present >= {roles.name} and not old_models >= {"workspace"}:
        raise MlflowException(
            "The database of users was written by an MLflow whose tables are not known here. It "
            "was not touched.",
            INVALID_STATE,
        )
    moved = _old_grants(connection, present) if is_older else []
    if is_older and old_models and "workspace" not in old_models:
        # It has the name of a table with another key: what it says is in `moved`.
        connection.exec_driver_sql(f"DROP TABLE {registered_model_permissions.name}")
    metadata.create_all(connection)
    for user_id, kind, pattern, permission in moved:
        _give(connection, user_id, kind, pattern, permission)
    if is_older or alembic_version_auth.name not in present:
        connection.execute(alembic_version_auth.delete())
        connection.execute(alembic_version_auth.insert().values(version_num=HEAD))
    keep_audit(connection)


def _columns(connection: Connection, table: str, present: set[str]) -> set[str]:
    if table not in present:
        return set()
    return {one["name"] for one in inspect(connection).get_columns(table)}


def _old_grants(connection: Connection, present: set[str]) -> list[tuple[int, str, str, str]]:
    """Return (user, type, name, permission) of the tables that came before roles."""
    found: list[tuple[int, str, str, str]] = []
    for table, kind, key in (
        (experiment_permissions, "experiment", "experiment_id"),
        (registered_model_permissions, "registered_model", "name"),
    ):
        if table.name in present:
            columns = (table.c.user_id, table.c[key], table.c.permission)
            found += [
                (row[0], kind, row[1], row[2]) for row in connection.execute(select(*columns))
            ]
    return found


def _give(connection: Connection, user_id: int, kind: str, pattern: str, permission: str) -> None:
    role_id = own_role(connection, user_id)
    # Roles have another word for it.
    level = "DENY" if permission == "NO_PERMISSIONS" else permission
    connection.execute(
        role_permissions.insert().values(
            role_id=role_id, resource_type=kind, resource_pattern=pattern, permission=level
        )
    )


def own_role_name(user_id: int) -> str:
    """Return the name of the role that holds what one user is given, as MLflow calls it."""
    return f"__user_{user_id}__"


def own_role(connection: Connection, user_id: int) -> int:
    """Return the id of the role that holds what one user is given; it is made when it is not there."""
    name = own_role_name(user_id)
    where = (roles.c.name == name) & (roles.c.workspace == DEFAULT_WORKSPACE)
    found = connection.execute(select(roles.c.id).where(where)).scalar()
    if found is None:
        found = inserted(connection, roles, {"name": name, "workspace": DEFAULT_WORKSPACE})
        inserted(connection, user_role_assignments, {"user_id": user_id, "role_id": found})
    return int(found)


def inserted(connection: Connection, table: Table, values: Mapping[str, object]) -> int:
    """Add a row and return its id."""
    made = connection.execute(table.insert().values(values)).inserted_primary_key
    assert made is not None  # noqa: S101 - every table here has a key
    return int(made[0])
