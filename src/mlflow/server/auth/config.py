"""How users are kept: the file that MLFLOW_AUTH_CONFIG_PATH names, and environment variables."""

from __future__ import annotations

import configparser
from typing import NamedTuple

from mlflow.environment_variables import (
    MLFLOW_AUTH_ADMIN_PASSWORD,
    MLFLOW_AUTH_ADMIN_USERNAME,
    MLFLOW_AUTH_CONFIG_PATH,
)
from mlflow.exceptions import NOT_IMPLEMENTED, MlflowException, invalid
from mlflow.server.auth.openid.config import SECTION as OPENID
from mlflow.server.auth.openid.config import OpenIdConfig, read_openid_config
from mlflow.server.auth.passwords import KNOWN
from mlflow.server.auth.permissions import get_permission

#: The only value of `--app-name`.
APP_NAME = "basic-auth"
_SECTION = "mlflow"
_BASIC = "mlflow.server.auth:authenticate_request_basic_auth"


class AuthConfig(NamedTuple):
    """What is configured."""

    default_permission: str = "READ"
    database_uri: str = "sqlite:///basic_auth.db"
    admin_username: str = "admin"
    admin_password: str | None = None
    #: Who else says who somebody is; None for nobody.
    openid: OpenIdConfig | None = None


def read_auth_config() -> AuthConfig:
    """Return what the file and the environment say; variables win.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the file cannot be read, or says what cannot be;
            NOT_IMPLEMENTED for an authorization function of one's own.
    """
    path = MLFLOW_AUTH_CONFIG_PATH.get()
    config, openid = _read(path) if path else (AuthConfig(), {})
    name, password = MLFLOW_AUTH_ADMIN_USERNAME.get(), MLFLOW_AUTH_ADMIN_PASSWORD.get()
    config = config._replace(
        admin_username=name or config.admin_username,
        admin_password=password or config.admin_password,
        openid=read_openid_config(openid),
    )
    if get_permission(config.default_permission).name == "DENY":
        raise invalid(
            "default_permission cannot be DENY: nothing could be granted. Say NO_PERMISSIONS."
        )
    if config.admin_password in KNOWN:
        raise invalid(
            "admin_password is the one that MLflow shipped for years: everybody knows it. Choose "
            "another, or leave it out to have one made."
        )
    return config


def _read(path: str) -> tuple[AuthConfig, dict[str, str]]:
    """Return what a file says of users, and its lines about OpenID Connect."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
        given = dict(parser[_SECTION])
        openid = dict(parser[OPENID]) if OPENID in parser else {}
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise invalid(f"MLFLOW_AUTH_CONFIG_PATH names '{path}': {error}") from None
    except KeyError:
        raise invalid(f"MLFLOW_AUTH_CONFIG_PATH names '{path}': no section [{_SECTION}].") from None
    function = given.get("authorization_function", _BASIC)
    if function != _BASIC:
        raise MlflowException(
            f"'{path}' has authorization_function = {function}: functions of one's own are not in "
            "this version. Leave the line out.",
            NOT_IMPLEMENTED,
        )
    config = AuthConfig()
    return AuthConfig(
        given.get("default_permission") or config.default_permission,
        given.get("database_uri") or config.database_uri,
        given.get("admin_username") or config.admin_username,
        given.get("admin_password") or None,
    ), openid
