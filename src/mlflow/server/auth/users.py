"""The users of a server in one place: who they are, what they may, what they did, and their threads."""

from __future__ import annotations

import contextvars
import secrets
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import UNAUTHENTICATED, MlflowException, invalid
from mlflow.server.auth.accounts import Accounts
from mlflow.server.auth.audit import Audit
from mlflow.server.auth.caller import ASKING
from mlflow.server.auth.config import AuthConfig
from mlflow.server.auth.openid.people import People
from mlflow.server.auth.permitted import PermittedStore
from mlflow.server.auth.policy import Policy, asking
from mlflow.server.auth.roles import Roles
from mlflow.server.auth.sign_in import SignIn
from mlflow.server.auth.tables import prepare
from mlflow.server.auth.throttle import Throttle
from mlflow.server.auth.tokens import Tokens
from mlflow.server.work import Threads
from mlflow.store.backends.sql.engine import Database

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from typing import TypeVar

    from mlflow.api.op import Permission
    from mlflow.server.auth.caller import Caller
    from mlflow.server.auth.openid.login import OpenId
    from mlflow.server.messages import Request
    from mlflow.server.roots import ArtifactRoots
    from mlflow.store.base import AbstractStore

    T = TypeVar("T")
    Submit = Callable[[Callable[[], T]], asyncio.Future[T]]

# Passwords take memory and time: few are looked at at once, and others wait.
_THREADS, _WAITING = 2, 256
# What the extra brings.
_OPENID_NEEDS = ("joserfc", "cryptography")


class _Watched(Database):
    """A database that tells when it is written to."""

    changed: Callable[[], None] | None = None

    def write(self, work: Any, taken: Any = None) -> Any:
        """Run work as one transaction, then tell."""
        result = super().write(work, taken)
        if self.changed is not None:
            self.changed()
        return result


class Users:
    """The users of one server.

    Args:
        config: where and how they are kept.

    Raises:
        MlflowException: the database cannot be used.
    """

    def __init__(self, config: AuthConfig) -> None:
        self.config = config
        self._database = _Watched(config.database_uri, prepare=prepare)
        #: What messages may not tell.
        self.address = self._database.place
        self.accounts = Accounts(self._database, config.default_permission)
        self.roles = Roles(self._database)
        self.tokens = Tokens(self._database)
        self.audit = Audit(self._database)
        self.throttle = Throttle(self._database)
        self.sign_in = SignIn(self.accounts, self.tokens, self.throttle, self.audit)
        self._database.changed = self.sign_in.forget
        self.people = People(self._database)
        #: Who else says who somebody is; None where nobody is configured.
        self.openid = self._provider()
        self._threads = Threads(_THREADS, _WAITING, "users")
        self.policy: Policy | None = None

    def first_admin(self) -> str | None:
        """Make the first administrator, where there are no users.

        Returns:
            The password that was made up for it, to be told once; None when there was no need.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a configured password that will not do.
        """
        if self.accounts.count():
            return None
        made = None if self.config.admin_password else secrets.token_urlsafe(18)
        password = self.config.admin_password or made or ""
        try:
            self.accounts.create(self.config.admin_username, password, is_admin=True)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return None  # by another server, that was started at the same time
        self.audit.add(self.config.admin_username, "create_user", "first administrator")
        return made

    def _provider(self) -> OpenId | None:
        if self.config.openid is None:
            return None
        try:
            module = import_module("mlflow.server.auth.openid.login")
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _OPENID_NEEDS:
                raise
            raise invalid(
                f"OpenID Connect needs {error.name}, which checks signatures: "
                "pip install 'millstream[oidc]'"
            ) from None
        parts = (self.people, self.tokens, self.throttle, self.audit)
        found: OpenId = module.OpenId(self.config.openid, *parts)
        return found

    def close(self) -> None:
        """Give back threads and connections."""
        if self.openid is not None:
            self.openid.close()
        self._threads.close()
        self._database.close()

    # --- what a server asks ----------------------------------------------------------------------

    def protect(
        self, store: AbstractStore, registry: AbstractStore, roots: ArtifactRoots | None = None
    ) -> tuple[AbstractStore, AbstractStore]:
        """Return the stores as callers may use them."""
        self.policy = policy = Policy(store, registry, roots)
        made: dict[int, Any] = {}
        for one in (store, registry):
            if id(one) not in made:
                made[id(one)] = PermittedStore(one, policy, self.roles, self.audit, self._renewed)
        return made[id(store)], made[id(registry)]

    async def permits(
        self, request: Request, permission: Permission, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what a request asks, narrowed to what its caller may see.

        Raises:
            MlflowException: PERMISSION_DENIED; RESOURCE_DOES_NOT_EXIST for what they may not see.
        """
        return await self.work(partial(self._permitted, permission, arguments))

    def _permitted(self, permission: Permission, arguments: dict[str, Any]) -> dict[str, Any]:
        policy = self.policy
        assert policy is not None  # noqa: S101 - `protect` comes first
        caller = asking()
        try:
            return policy.admit(caller, permission, arguments)
        except MlflowException:
            return policy.admit(self._renewed(caller), permission, arguments)

    def _renewed(self, caller: Caller) -> Caller:
        found = self.accounts.caller(caller.user_id, caller.scope)
        if found is None:
            raise MlflowException("You are not authenticated.", UNAUTHENTICATED)
        return found[0]

    def carried(self, submit: Submit[T]) -> Submit[T]:
        """Return a way to have calls made by threads that know who asks."""
        return lambda call: submit(partial(contextvars.copy_context().run, call))

    def work(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Have a call about users made by a thread."""
        return self.carried(self._threads.submit)(call)

    @staticmethod
    def origin() -> str:
        """Return from where the present request comes."""
        found = ASKING.get()
        return found.address if found else ""
