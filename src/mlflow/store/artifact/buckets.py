"""From a URI and the environment to a bucket: endpoints, credentials and settings of each cloud."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from mlflow.environment_variables import (
    MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT,
    MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE,
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_S3_ENDPOINT_URL,
    MLFLOW_S3_EXPECTED_BUCKET_OWNER,
    MLFLOW_S3_IGNORE_TLS,
    MLFLOW_S3_UPLOAD_EXTRA_ARGS,
)
from mlflow.exceptions import PERMISSION_DENIED, MlflowException, invalid, without_password
from mlflow.store.artifact.aws import aws_account
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.uris import scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.store.artifact.aws import Account

#: Scheme → the extra that brings what it needs.
EXTRAS = {
    "s3": "s3", "r2": "s3", "b2": "s3", "gs": "gcs",
    "wasb": "azure", "wasbs": "azure", "abfs": "azure", "abfss": "azure",
}  # fmt: skip
_LONGEST = "1d"  # a transfer has no bound of its own; one that stalls has
_STALLED = "60s"

_OWNER = "x-amz-expected-bucket-owner"

# Extra arguments of S3 uploads: those that describe the file, those that are settings, and those
# that are sent as headers.
_ATTRIBUTES = {
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentLanguage": "Content-Language",
    "ContentType": "Content-Type",
    "StorageClass": "Storage-Class",
}
_SETTINGS = {
    "BucketKeyEnabled": "sse_bucket_key_enabled",
    "ChecksumAlgorithm": "checksum_algorithm",
    "RequestPayer": "request_payer",
    "SSEKMSKeyId": "sse_kms_key_id",
    "ServerSideEncryption": "server_side_encryption",
}
_SETTING_HEADERS = {
    "request_payer": "x-amz-request-payer",
    "server_side_encryption": "x-amz-server-side-encryption",
    "sse_bucket_key_enabled": "x-amz-server-side-encryption-bucket-key-enabled",
    "sse_kms_key_id": "x-amz-server-side-encryption-aws-kms-key-id",
}
_HEADERS = {
    "ACL": "x-amz-acl",
    "ExpectedBucketOwner": _OWNER,
    "GrantFullControl": "x-amz-grant-full-control",
    "GrantRead": "x-amz-grant-read",
    "GrantReadACP": "x-amz-grant-read-acp",
    "GrantWriteACP": "x-amz-grant-write-acp",
    "ObjectLockLegalHoldStatus": "x-amz-object-lock-legal-hold",
    "ObjectLockMode": "x-amz-object-lock-mode",
    "ObjectLockRetainUntilDate": "x-amz-object-lock-retain-until-date",
    "SSEKMSEncryptionContext": "x-amz-server-side-encryption-context",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}


class Bucket(NamedTuple):
    """A bucket or container, open.

    Attributes:
        name: of the bucket, for messages.
        reader: obstore's, for everything but uploads.
        writer: obstore's, for uploads.
        attributes: of uploaded files.
        tags: of uploaded files.
        account: signs requests to S3; None for the others.
        headers: all of that, as headers of requests that begin uploads to S3.
    """

    name: str
    reader: Any
    writer: Any
    attributes: dict[str, str]
    tags: dict[str, str] | None
    account: Account | None = None
    headers: dict[str, str] = {}


class Location(NamedTuple):
    """A URI, taken apart: the scheme, the account or endpoint, the bucket, the path in it."""

    scheme: str
    host: str
    bucket: str
    path: ArtifactPath


_open: dict[tuple[object, ...], Bucket] = {}
# The process that the threads of obstore are in.
_process: int | None = None


def location_of(uri: str) -> Location:
    """Take the URI of a place in an object store apart.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is none.
    """
    shown = without_password(uri)
    scheme = scheme_of(uri)
    rest = uri.partition(":")[2]
    if not rest.startswith("//") or "?" in rest or "#" in rest:
        raise invalid(f"'{shown}' must be written {scheme}://BUCKET/PATH, without ? and #.")
    authority, _, path = rest[2:].partition("/")
    bucket, at, host = authority.partition("@")
    has_host = scheme not in ("s3", "gs")
    if not bucket or has_host != bool(at and host) or ":" in authority:
        form = "BUCKET@HOST" if has_host else "BUCKET"
        raise invalid(f"'{shown}' must be written {scheme}://{form}/PATH.")
    return Location(scheme, host, bucket, ArtifactPath.parse(path))


def bucket_of(location: Location) -> Bucket:
    """Return the bucket of a location; one that was opened with the same environment is used again.

    Raises:
        MlflowException: a library is missing, or the environment says what cannot be.
    """
    global _process
    _process = _process or os.getpid()
    if _process != os.getpid():
        raise MlflowException(
            "This process was forked from one that had used an object store, and would wait for "
            "ever: its threads are not here. Start such processes with the method 'spawn', or use "
            "the store in them only."
        )
    kept = tuple(sorted((name, os.environ[name]) for name in os.environ if _matters(name)))
    key = (location[:3], kept)
    if key not in _open:
        if len(_open) >= 32:
            _open.clear()
        _open[key] = _opened(location)
    return _open[key]


def _matters(name: str) -> bool:
    return name.startswith(("AWS_", "AZURE_", "GOOGLE_", "GCLOUD_", "STORAGE_", "MLFLOW_"))


def _opened(location: Location) -> Bucket:
    try:
        stores = import_module("obstore.store")
    except ImportError:
        extra = EXTRAS[location.scheme]
        raise MlflowException(
            f"Artifacts at {location.scheme}: need the library obstore: "
            f"pip install 'millstream[{extra}]'"
        ) from None
    made = _OPENERS[EXTRAS[location.scheme]]
    try:
        return made(location, stores)
    except MlflowException:
        raise
    except Exception as error:
        text = str(error).partition("\n")[0]
        raise MlflowException(f"{location.bucket} cannot be opened: {text}") from error


def _general() -> dict[str, Any]:
    """Return the settings that all stores have."""
    from datetime import timedelta

    seconds = MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT.get()
    options: dict[str, Any] = {
        "timeout": f"{seconds}s" if seconds else _LONGEST,
        "read_timeout": _STALLED,
        "connect_timeout": "10s",
    }
    retries = {
        "max_retries": MLFLOW_HTTP_REQUEST_MAX_RETRIES.get(),
        "backoff": {"init_backoff": timedelta(milliseconds=100)},
        "retry_timeout": timedelta(minutes=4),  # a signature is good for five
    }
    return {"client_options": options, "retry_config": retries}


# --- S3 ------------------------------------------------------------------------------------------


def _s3(location: Location, stores: Any) -> Bucket:
    account = aws_account()
    given = f"https://{location.host}" if location.host else None
    endpoint = given or s3_endpoint()
    settings = _general()
    options = settings["client_options"]
    config: dict[str, Any] = {"region": account.region}
    config |= _addressed(endpoint, location.bucket)
    options["allow_http"] = bool(endpoint and endpoint.startswith("http://"))
    if MLFLOW_S3_IGNORE_TLS.get():
        _warn_of_tls()
        options["allow_invalid_certificates"] = True
    if certificates := os.environ.get("AWS_CA_BUNDLE"):
        with open(certificates, "rb") as file:
            options["root_certificate"] = file.read()
    if account.is_anonymous:
        config["skip_signature"] = True
    elif account.credentials is not None:
        settings["credential_provider"] = account.credentials
    account = account._replace(place=_place(config, location.bucket, account.region))
    extra = _extra_arguments()
    if owner := MLFLOW_S3_EXPECTED_BUCKET_OWNER.get():
        extra.headers[_OWNER] = owner
        _check_owner(account, location.bucket, owner)
    writer = reader = stores.S3Store(location.bucket, config=config, **settings)
    if extra.headers or extra.settings:
        settings["client_options"] = {**options, "default_headers": extra.headers}
        writer = stores.S3Store(location.bucket, config=config | extra.settings, **settings)
    return Bucket(
        location.bucket, reader, writer, extra.attributes, extra.tags, account, _as_headers(extra)
    )


def _check_owner(account: Account, bucket: str, owner: str) -> None:
    """Check that a bucket belongs to an account, once: obstore does not sign the header in lists.

    Raises:
        MlflowException: PERMISSION_DENIED: it does not, or that cannot be found out.
    """
    import urllib3

    headers = {_OWNER: owner}
    address = account.signed("HEAD", "", {}, 60, headers)
    status = urllib3.request("HEAD", address, headers=headers).status
    if status != 200:
        raise MlflowException(
            f"The bucket '{bucket}' does not answer as one of the account {owner} (status "
            f"{status}); see {MLFLOW_S3_EXPECTED_BUCKET_OWNER.name}.",
            PERMISSION_DENIED,
        )


def s3_endpoint() -> str | None:
    """Return the endpoint of an S3-compatible store; None for that of AWS."""
    found = MLFLOW_S3_ENDPOINT_URL.get()
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        found = found or os.environ.get(name)
    if found and not found.startswith(("http://", "https://")):
        raise invalid(f"The endpoint {found!r} must begin with http:// or https://.")
    return found.rstrip("/") if found else None


def _addressed(endpoint: str | None, bucket: str) -> dict[str, Any]:
    """Return the settings of where requests go: is the bucket a name of the host, or in the path?"""
    style = MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE.get()
    if style not in ("auto", "path", "virtual"):
        name = MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE.name
        raise invalid(f"{name} is {style!r}; it must be auto, path or virtual.")
    if endpoint is None:
        is_virtual = style == "virtual" or (style == "auto" and "." not in bucket)
        return {"virtual_hosted_style_request": is_virtual}
    if style != "virtual":
        return {"endpoint": endpoint, "virtual_hosted_style_request": False}
    scheme, _, host = endpoint.partition("://")
    return {"endpoint": f"{scheme}://{bucket}.{host}", "virtual_hosted_style_request": True}


def _place(config: dict[str, Any], bucket: str, region: str) -> str:
    """Return the URL of a bucket."""
    is_virtual = config["virtual_hosted_style_request"]
    if "endpoint" in config:
        return config["endpoint"] if is_virtual else f"{config['endpoint']}/{bucket}"
    host = f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    return f"https://{bucket}.{host}" if is_virtual else f"https://{host}/{bucket}"


class _Extra(NamedTuple):
    attributes: dict[str, str]
    settings: dict[str, Any]
    headers: dict[str, str]
    tags: dict[str, str] | None


def _extra_arguments() -> _Extra:
    """Return what `MLFLOW_S3_UPLOAD_EXTRA_ARGS` says.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no JSON object, or names what is not known.
    """
    name = MLFLOW_S3_UPLOAD_EXTRA_ARGS.name
    text = MLFLOW_S3_UPLOAD_EXTRA_ARGS.get()
    try:
        given = json.loads(text) if text else {}
    except ValueError as error:
        raise invalid(f"{name} is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise invalid(f"{name} must be a JSON object.")
    found = _Extra({}, {}, {}, dict(parse_qsl(given.pop("Tagging", ""))) or None)
    found.attributes.update(given.pop("Metadata", {}))
    for key, value in given.items():
        if key in _ATTRIBUTES:
            found.attributes[_ATTRIBUTES[key]] = value
        elif key in _SETTINGS:
            found.settings[_SETTINGS[key]] = value
        elif key in _HEADERS:
            found.headers[_HEADERS[key]] = value
        else:
            known = sorted({*_ATTRIBUTES, *_SETTINGS, *_HEADERS, "Metadata", "Tagging"})
            raise invalid(f"{name} has {key!r}; known are {', '.join(known)}.")
    return found


def _as_headers(extra: _Extra) -> dict[str, str]:
    """Return what is said of uploads as the headers of S3."""
    found = dict(extra.headers)
    for name, value in extra.attributes.items():
        if name == "Storage-Class":
            found["x-amz-storage-class"] = value
        else:
            own = name in _ATTRIBUTES.values()
            found[name.lower() if own else f"x-amz-meta-{name.lower()}"] = value
    for name, value in extra.settings.items():
        if name in _SETTING_HEADERS:
            found[_SETTING_HEADERS[name]] = str(value).lower() if value is True else str(value)
    if extra.tags:
        found["x-amz-tagging"] = urlencode(extra.tags)
    return found


def _warn_of_tls() -> None:
    import warnings

    warnings.warn(
        f"{MLFLOW_S3_IGNORE_TLS.name} is on: whoever is on the way to the store can read and "
        "change artifacts.",
        stacklevel=2,
    )


# --- Google and Azure ----------------------------------------------------------------------------


def _gcs(location: Location, stores: Any) -> Bucket:
    settings = _general()
    # `GOOGLE_APPLICATION_CREDENTIALS` and what gcloud and its machines offer are found by obstore.
    if emulator := os.environ.get("STORAGE_EMULATOR_HOST"):
        address = emulator if "://" in emulator else f"http://{emulator}"
        settings["config"] = {"base_url": address}
        # An emulator takes any token; `skip_signature` is for reads, uploads would ask Google for one.
        settings["credential_provider"] = _token_of_emulators
        settings["client_options"]["allow_http"] = True
    store = stores.GCSStore(location.bucket, **settings)
    return Bucket(location.bucket, store, store, {}, None)


def _token_of_emulators() -> dict[str, Any]:
    return {"token": "emulator", "expires_at": None}


def _azure(location: Location, stores: Any) -> Bucket:
    account, _, domain = location.host.partition(".")
    config: dict[str, Any] = {"account_name": account}
    if not domain.endswith("core.windows.net"):
        config["endpoint"] = f"https://{location.host.replace('.dfs.', '.blob.')}"
    settings = _general()
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    if text:
        config |= _connection(text, account)
    elif key := os.environ.get("AZURE_STORAGE_ACCESS_KEY"):
        config["account_key"] = key
    settings["client_options"]["allow_http"] = config.get("endpoint", "").startswith("http://")
    store = stores.AzureStore(location.bucket, config=config, **settings)
    return Bucket(location.bucket, store, store, {}, None)


def _connection(text: str, account: str) -> dict[str, Any]:
    """Return the settings in a connection string of Azure; it holds secrets and is never shown.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is for another account than the URI.
    """
    pairs = (one.partition("=") for one in text.split(";") if one.strip())
    given = {name.strip(): value.strip() for name, _, value in pairs}
    named = given.get("AccountName", account)
    if named != account:
        raise invalid(
            f"AZURE_STORAGE_CONNECTION_STRING is for the account {named!r}, and the URI names "
            f"{account!r}."
        )
    found: dict[str, Any] = {"account_name": named}
    if "AccountKey" in given:
        found["account_key"] = given["AccountKey"]
    if "SharedAccessSignature" in given:
        found["sas_key"] = given["SharedAccessSignature"].lstrip("?")
    if "BlobEndpoint" in given:
        found["endpoint"] = given["BlobEndpoint"].rstrip("/")
        urlsplit(found["endpoint"])
    return found


_OPENERS: dict[str, Callable[[Location, Any], Bucket]] = {"s3": _s3, "gcs": _gcs, "azure": _azure}
