"""AWS: which account the environment means, and signed addresses that need none."""

from __future__ import annotations

import hashlib
import hmac
import os
from configparser import ConfigParser
from configparser import Error as ConfigError
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from mlflow.exceptions import MlflowException, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULT_REGION = "us-east-1"
# Shorter than what botocore still hands out.
_GOOD_FOR = timedelta(minutes=5)
# What a profile can have that only botocore makes keys of.
_NEEDS_BOTOCORE = (
    "role_arn", "credential_process", "sso_session", "sso_start_url", "web_identity_token_file",
    "credential_source", "login_session",
)  # fmt: skip
# What obstore finds by itself: tokens of pods and keys of machines.
_OF_MACHINES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_MACHINE = ("169.254.169.254", 80)
_UNSIGNED = "UNSIGNED-PAYLOAD"


class Account(NamedTuple):
    """Who asks S3.

    Attributes:
        region: of its buckets.
        credentials: returns keys, as obstore asks for them; None where obstore finds them itself.
        is_anonymous: requests are not signed.
        place: the URL of a bucket.
    """

    region: str
    credentials: Callable[[], dict[str, Any]] | None
    is_anonymous: bool = False
    place: str = ""

    def signed(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        seconds: int,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Return a URL that lets its holder do one thing for some time.

        Args:
            method: of the request.
            path: the key in the bucket.
            query: parameters, which the holder cannot change.
            seconds: how long it is good.
            headers: the holder has to send them.

        Raises:
            MlflowException: there are no keys to sign with.
        """
        if self.credentials is None or self.is_anonymous:
            raise MlflowException(
                "There are no AWS keys here that could sign an address: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or install millstream[aws]."
            )
        keys = self.credentials()
        address = self.place
        if path or "/" not in address.partition("://")[2]:
            address += f"/{quote(path, safe='/-_.~')}"
        return _signed(keys, self.region, method, address, query, seconds, headers or {})


def aws_account() -> Account:
    """Return the account that the environment means, asked as AWS's own tools ask it.

    Keys in the environment come first, unless `AWS_PROFILE` is set; then botocore is asked, which
    knows profiles, roles, SSO and processes; without it, keys in the file of credentials are read.

    Raises:
        MlflowException: a profile is not there, or needs botocore.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    if os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("true", "1"):
        return Account(region or _DEFAULT_REGION, None, is_anonymous=True)
    keys = _of_environment()
    if keys is not None and not profile:
        return Account(region or _DEFAULT_REGION, lambda: keys)
    try:
        session = import_module("botocore.session").Session(profile=profile)
    except ImportError:
        return _without_botocore(profile, region)
    try:
        region = region or session.get_config_variable("region")
        found = session.get_credentials()
    except Exception as error:
        raise MlflowException(f"AWS: {error}") from error
    if found is None:
        raise _no_keys()
    return Account(region or _DEFAULT_REGION, _Botocore(found))


class _Botocore:
    """Hands out the keys that botocore has at the moment."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def __call__(self) -> dict[str, Any]:
        frozen = self._credentials.get_frozen_credentials()
        return _keys(frozen.access_key, frozen.secret_key, frozen.token, _now() + _GOOD_FOR)


def _keys(
    access: str, secret: str, token: str | None, expires: datetime | None = None
) -> dict[str, Any]:
    return {
        "access_key_id": access,
        "secret_access_key": secret,
        "token": token or None,
        "expires_at": expires,
    }


def _of_environment() -> dict[str, Any] | None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    access, secret, token = (os.environ.get(name) for name in names)
    return _keys(access, secret, token) if access and secret else None


def _without_botocore(profile: str | None, region: str | None) -> Account:
    name = profile or "default"
    kept = _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", name)
    config = _section("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}")
    found = {**config, **kept}
    region = region or found.get("region") or _DEFAULT_REGION
    access, secret = found.get("aws_access_key_id"), found.get("aws_secret_access_key")
    if access and secret:
        keys = _keys(access, secret, found.get("aws_session_token"))
        return Account(region, lambda: keys)
    if profile is None and any(one in os.environ for one in _OF_MACHINES):
        return Account(region, None)
    needs = [one for one in _NEEDS_BOTOCORE if one in found]
    if needs:
        raise MlflowException(
            f"The AWS profile {name!r} has {needs[0]}, which needs the library botocore: "
            "pip install 'millstream[aws]'"
        )
    if profile is not None:
        raise invalid(f"There is no AWS profile {profile!r} with keys (AWS_PROFILE).")
    if not _is_on_aws():
        raise _no_keys()
    return Account(region, None)


def _is_on_aws() -> bool:
    """Tell whether something answers where machines of AWS find their keys."""
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return False
    import socket

    try:
        socket.create_connection(_MACHINE, timeout=1).close()
    except OSError:
        return False
    return True


def _no_keys() -> MlflowException:
    return MlflowException(
        "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "AWS_PROFILE; AWS_SKIP_SIGNATURE=true asks for public buckets without any."
    )


def _section(variable: str, name: str, section: str) -> dict[str, str]:
    path = os.environ.get(variable) or os.path.join("~", ".aws", name)
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(os.path.expanduser(path), encoding="utf-8")
    except (ConfigError, UnicodeDecodeError):
        # Its message would show lines of a file that holds secrets.
        raise invalid(f"The file {path} cannot be read as settings of AWS.") from None
    return dict(parser[section]) if parser.has_section(section) else {}


def _now() -> datetime:
    return datetime.now(UTC)


# --- Signature Version 4, in the query -----------------------------------------------------------


def _signed(
    keys: dict[str, Any],
    region: str,
    method: str,
    address: str,
    query: dict[str, str],
    seconds: int,
    headers: dict[str, str],
) -> str:
    parts = urlsplit(address)
    when = _now().strftime("%Y%m%dT%H%M%SZ")
    scope = f"{when[:8]}/{region}/s3/aws4_request"
    signed = {"host": parts.netloc, **{name.lower(): value for name, value in headers.items()}}
    names = ";".join(sorted(signed))
    query = {
        **query,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{keys['access_key_id']}/{scope}",
        "X-Amz-Date": when,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": names,
    }
    if keys["token"]:
        query["X-Amz-Security-Token"] = keys["token"]
    asked = "&".join(
        f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query)
    )
    lines = [method, parts.path, asked]
    lines += [f"{name}:{signed[name].strip()}" for name in sorted(signed)]
    whole = "\n".join([*lines, "", names, _UNSIGNED])
    text = "\n".join(["AWS4-HMAC-SHA256", when, scope, hashlib.sha256(whole.encode()).hexdigest()])
    key = f"AWS4{keys['secret_access_key']}".encode()
    for part in (when[:8], region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"{address}?{asked}&X-Amz-Signature={signature}"
