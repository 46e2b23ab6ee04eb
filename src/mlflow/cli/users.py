"""The commands `mlflow auth`, `mlflow token` and `mlflow audit`: users of a server, from a terminal."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mlflow.cli.terminal import table
from mlflow.environment_variables import MLFLOW_TRACKING_URI
from mlflow.exceptions import invalid
from mlflow.server.auth.caller import SCOPES
from mlflow.server.auth.client import AuthServiceClient

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP = (
    "Who asks is said by MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or by "
    "MLFLOW_TRACKING_TOKEN; which server, by MLFLOW_TRACKING_URI."
)
_MOST = 1000


def _client() -> AuthServiceClient:
    uri = MLFLOW_TRACKING_URI.get()
    if not uri or not uri.startswith(("http://", "https://")):
        raise invalid(
            "Set MLFLOW_TRACKING_URI to the address of the server, such as http://host:5000."
        )
    return AuthServiceClient(uri)


def _table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    click.echo(table(rows, headers, sys.stdout), color=True)


def _time(ms: int | None) -> str:
    return (
        "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
    )


def _new_password() -> str:
    # Asked for where nobody sees it, or read from a pipe: everybody on a machine sees arguments.
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given


# ── users ────────────────────────────────────────────────────────────────────────────────────────


@click.group(epilog=_HELP)
def auth() -> None:
    """Look after the users of a server."""


@auth.command("list")
def list_users() -> None:
    """List the users."""
    rows = [(one.username, "yes" if one.is_admin else "") for one in _client().list_users()]
    _table(rows, ("User", "Administrator"))


@auth.command()
@click.argument("username")
@click.option("--admin", is_flag=True, help="Make the user an administrator.")
def create(username: str, admin: bool) -> None:
    """Make a user. The password is asked for, or read from a pipe."""
    client = _client()
    client.create_user(username, _new_password())
    if admin:
        client.update_user_admin(username, True)
    click.echo(f"Made the user {username!r}.")


@auth.command()
@click.argument("username")
def password(username: str) -> None:
    """Give another user a new password; their sessions and tokens end."""
    _client().update_user_password(username, _new_password())
    click.echo(f"{username!r} has a new password.")


@auth.command()
@click.argument("username")
@click.option("--off", is_flag=True, help="No longer.")
def admin(username: str, off: bool) -> None:
    """Make a user an administrator."""
    _client().update_user_admin(username, not off)
    click.echo(f"{username!r} is {'no longer ' if off else ''}an administrator.")


@auth.command()
@click.argument("username")
def delete(username: str) -> None:
    """Remove a user."""
    _client().delete_user(username)
    click.echo(f"Removed the user {username!r}.")


@auth.command()
@click.argument("username")
@click.argument("kind")
@click.argument("name")
@click.argument("permission")
def grant(username: str, kind: str, name: str, permission: str) -> None:
    """Give USERNAME a PERMISSION (READ, EDIT, MANAGE or DENY) on a thing.

    KIND is experiment or registered_model, NAME the id or name of one, or '*' for all.
    """
    _client().grant_user_permission(username, kind, name, permission.upper())
    click.echo(f"{username!r} has {permission.upper()} on {kind} {name}.")


@auth.command()
@click.argument("username")
@click.argument("kind")
@click.argument("name")
def revoke(username: str, kind: str, name: str) -> None:
    """Take from USERNAME what was granted on a thing."""
    _client().revoke_user_permission(username, kind, name)
    click.echo(f"{username!r} has nothing of their own on {kind} {name}.")


@auth.command()
@click.argument("username")
def show(username: str) -> None:
    """Show what a user was granted, and by which roles."""
    rows = [
        (given.resource_type, given.resource_pattern, given.permission, role.name)
        for role in _client().list_user_roles(username)
        for given in role.permissions
    ]
    _table(rows, ("Kind", "Name", "Permission", "Role"))


@auth.command("identities")
def list_identities() -> None:
    """List who signs in by OpenID Connect."""
    rows = [
        (one.id, one.username if one.is_linked else f"({one.username} was removed)", one.subject,
         one.issuer, _time(one.seen))
        for one in _client().list_identities()
    ]  # fmt: skip
    _table(rows, ("Id", "User", "Subject", "Issuer", "Last seen"))


@auth.command()
@click.argument("username")
@click.argument("subject")
@click.option("--issuer", default=None, help="The provider. By default the server's own.")
def link(username: str, subject: str, issuer: str | None) -> None:
    """Let SUBJECT of an OpenID Connect provider sign in as USERNAME.

    SUBJECT is what the provider calls somebody (`sub`); the audit log has it after a first try.
    """
    _client().link_identity(username, subject, issuer)
    click.echo(f"{subject!r} signs in as {username!r}.")


@auth.command()
@click.argument("identity_id", type=int)
def unlink(identity_id: int) -> None:
    """Forget who signs in by OpenID Connect, by the id that `identities` shows."""
    _client().unlink_identity(identity_id)
    click.echo(f"Removed identity {identity_id}.")


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────


@click.group(epilog=_HELP)
def token() -> None:
    """Look after one's own tokens."""


@token.command("create")
@click.argument("name")
@click.option(
    "--scope", type=click.Choice(list(SCOPES)), default="manage", show_default=True,
    help="The most that it allows.",
)  # fmt: skip
@click.option("--days", type=int, default=None, help="How long it is good for. By default always.")
def create_token(name: str, scope: str, days: int | None) -> None:
    """Make a token and print it, once."""
    made, kept = _client().create_token(name, scope, days)
    until = f" until {_time(kept.expires)}" if kept.expires else ""
    click.echo(f"The token {name!r} is good{until}; it is not shown again:", err=True)
    click.echo(made)


@token.command("list")
def list_tokens() -> None:
    """List one's tokens, without the tokens themselves."""
    rows = [
        (one.id, one.name, one.scope, _time(one.created), _time(one.expires))
        for one in _client().list_tokens()
    ]
    _table(rows, ("Id", "Name", "Scope", "Made", "Ends"))


@token.command("revoke")
@click.argument("token_id", type=int)
def revoke_token(token_id: int) -> None:
    """Remove a token by its id."""
    _client().revoke_token(token_id)
    click.echo(f"Removed token {token_id}.")


# ── what was done ────────────────────────────────────────────────────────────────────────────────


@click.command(epilog=_HELP)
@click.option("--user", default=None, help="Only what this user did.")
@click.option("--action", default=None, help="Only this operation, such as delete_run.")
@click.option(
    "--since",
    default=None,
    metavar="TIME",
    help="Only from then on: 2026-01-31, or 2026-01-31T12:00.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="How many lines, the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
def audit(
    user: str | None, action: str | None, since: str | None, limit: int, as_json: bool
) -> None:
    """Show who did what on a server, when and from where; the newest first. For administrators."""
    client, start = _client(), _start(since)
    found: list[Any] = []
    while len(found) < limit:
        before = found[-1].id if found else None
        page = client.list_audit(user, action, start, before, min(_MOST, limit - len(found)))
        if not page:
            break
        found += page
    if as_json:
        for one in found:
            click.echo(json.dumps({**one.to_json(), "time": _time(one.time)}))
        return
    rows = [
        (_time(one.time), one.username, one.action, one.resource, one.outcome, one.address)
        for one in found
    ]
    _table(rows, ("Time", "User", "Action", "On", "Outcome", "From"))


def _start(since: str | None) -> int | None:
    if since is None:
        return None
    try:
        given = datetime.fromisoformat(since)
    except ValueError:
        raise invalid(
            f"--since {since!r} is no time: write 2026-01-31 or 2026-01-31T12:00."
        ) from None
    return int((given if given.tzinfo else given.astimezone()).timestamp() * 1000)
