"""Lets others send and fetch files of a bucket themselves: signed addresses, uploads in parts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape

from mlflow.exceptions import (
    NOT_IMPLEMENTED,
    PERMISSION_DENIED,
    TEMPORARILY_UNAVAILABLE,
    MlflowException,
    invalid,
    not_found,
)
from mlflow.store.artifact.buckets import EXTRAS
from mlflow.store.artifact.objects import DIGEST, ObjectTree, kind_of
from mlflow.transport import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.store.artifact.aws import Account
    from mlflow.store.artifact.paths import ArtifactPath
    from mlflow.store.artifact.tree import Tree
    from mlflow.transport.client import Answer

#: S3 takes no more.
MAX_PARTS = 10_000
# Long enough for slow lines; whoever may write here got the address.
_UPLOAD_SECONDS = 6 * 3600
_OWN_SECONDS = 300
_ID = re.compile(r"<UploadId>([^<]+)</UploadId>")
# What addresses write otherwise than names.
_ENCODED = re.compile(r"[^A-Za-z0-9_.~/-]")
_CODE = re.compile(r"<Code>([^<]*)</Code>")


class Begun(NamedTuple):
    """An upload in parts.

    Attributes:
        upload_id: its name.
        addresses: of its parts, in order.
    """

    upload_id: str
    addresses: list[str]


class Part(NamedTuple):
    """A part that was sent.

    Attributes:
        number: from 1.
        etag: what the store said of it.
    """

    number: int
    etag: str


def is_offered(tree: Tree) -> bool:
    """Tell whether files of a place can be sent in parts, by addresses that are signed here."""
    if not isinstance(tree, ObjectTree):
        return False
    account = tree.bucket.account
    return account is not None and account.credentials is not None


def begin(tree: Tree, where: ArtifactPath, count: int, digest: bytes | None = None) -> Begun:
    """Begin an upload in parts.

    Args:
        tree: where the file will be.
        where: its path.
        count: how many parts.
        digest: its SHA-256, where that is known.

    Raises:
        MlflowException: NOT_IMPLEMENTED: the place cannot; the store refuses.
    """
    tree, account = _of_s3(tree)
    if not 1 <= count <= MAX_PARTS:
        raise invalid(f"A file has 1 to {MAX_PARTS} parts, not {count}.")
    bucket, key = tree.bucket, tree.key(where)
    headers = {"content-type": kind_of(where.name), **bucket.headers}
    if digest is not None:
        headers[f"x-amz-meta-{DIGEST}"] = digest.hex()
    address = account.signed("POST", key, {"uploads": ""}, _OWN_SECONDS, headers)
    answer = _checked(signed.send("POST", address, b"", headers), where)
    found = _ID.search(answer.body.decode("utf-8", "replace"))
    if found is None:
        raise MlflowException(f"The store gave no name for the upload of '{where}'.")
    addresses = [
        account.signed(
            "PUT", key, {"partNumber": str(number), "uploadId": found[1]}, _UPLOAD_SECONDS
        )
        for number in range(1, count + 1)
    ]
    return Begun(found[1], addresses)


def complete(tree: Tree, where: ArtifactPath, upload_id: str, parts: Sequence[Part]) -> None:
    """Make a file of the parts that were sent.

    Raises:
        MlflowException: as `begin`; RESOURCE_DOES_NOT_EXIST: there is no such upload.
    """
    tree, account = _of_s3(tree)
    if not parts or len({one.number for one in parts}) != len(parts):
        raise invalid("An upload has parts, each of another number.")
    text = "".join(
        f"<Part><PartNumber>{one.number}</PartNumber><ETag>{escape(one.etag)}</ETag></Part>"
        for one in sorted(parts)
    )
    body = f"<CompleteMultipartUpload>{text}</CompleteMultipartUpload>".encode()
    query = {"uploadId": upload_id}
    headers = {"content-type": "application/xml"}
    address = account.signed("POST", tree.key(where), query, _OWN_SECONDS, headers)
    answer = _checked(signed.send("POST", address, body, headers), where)
    if b"<Error>" in answer.body:  # the status is sent before the store knows
        raise _refusal(answer, where)


def abort(tree: Tree, where: ArtifactPath, upload_id: str) -> None:
    """Forget an upload, with the parts that were sent; one that is not there is forgotten.

    Raises:
        MlflowException: as `begin`.
    """
    tree, account = _of_s3(tree)
    address = account.signed("DELETE", tree.key(where), {"uploadId": upload_id}, _OWN_SECONDS)
    answer = signed.send("DELETE", address)
    if answer.status != 404:
        _checked(answer, where)


class Address(NamedTuple):
    """A signed address.

    Attributes:
        url: the address.
        headers: they have to be sent with it.
        size: bytes of the file; None where there is none yet.
    """

    url: str
    headers: dict[str, str]
    size: int | None = None


def address_to_fetch(tree: Tree, where: ArtifactPath, seconds: int) -> Address:
    """Return an address from which a file can be fetched for some time.

    Raises:
        MlflowException: NOT_IMPLEMENTED: the place has none; RESOURCE_DOES_NOT_EXIST.
    """
    if not isinstance(tree, ObjectTree):
        raise _unsupported()
    size = tree.opened(where).size
    account = tree.bucket.account
    if account is None:
        return Address(_signed(tree, "GET", where, seconds), {}, size)
    # A browser that opens it stores the file, and shows it as no page of the store.
    told = f"attachment; filename*=UTF-8''{quote(where.name, safe='')}"
    query = {"response-content-disposition": told}
    return Address(account.signed("GET", tree.key(where), query, seconds), {}, size)


def address_to_send(tree: Tree, where: ArtifactPath, seconds: int) -> Address:
    """Return an address to which a file can be sent for some time, in one request.

    Raises:
        MlflowException: NOT_IMPLEMENTED: the place has none.
    """
    if not isinstance(tree, ObjectTree):
        raise _unsupported()
    bucket = tree.bucket
    if bucket.account is None:
        headers = {"x-ms-blob-type": "BlockBlob"} if _is_azure(tree) else {}
        return Address(_signed(tree, "PUT", where, seconds), headers)
    url = bucket.account.signed("PUT", tree.key(where), {}, seconds, bucket.headers)
    return Address(url, bucket.headers)


def _signed(tree: ObjectTree, method: str, where: ArtifactPath, seconds: int) -> str:
    import obstore

    key = tree.key(where)
    if _is_azure(tree) and _ENCODED.search(key):
        # Azure signs the name itself, obstore 0.12 the name as an address has it: 403 for all.
        raise MlflowException(
            f"There is no signed address of '{where}': names for that have letters of ASCII, "
            "digits and - _ . ~ alone on Azure.",
            NOT_IMPLEMENTED,
        )
    try:
        duration = timedelta(seconds=seconds)
        made: str = obstore.sign(tree.bucket.writer, method, key, duration)  # type: ignore[call-overload]
    except Exception as error:
        raise MlflowException(
            f"The credentials for '{tree.location.bucket}' cannot sign addresses.", NOT_IMPLEMENTED
        ) from error
    return made


def _is_azure(tree: ObjectTree) -> bool:
    return EXTRAS[tree.location.scheme] == "azure"


def _of_s3(tree: Tree) -> tuple[ObjectTree, Account]:
    if not isinstance(tree, ObjectTree) or tree.bucket.account is None:
        raise _unsupported()
    return tree, tree.bucket.account


def _unsupported() -> MlflowException:
    return MlflowException(
        "Multipart upload is not supported for the current artifact repository", NOT_IMPLEMENTED
    )


def _checked(answer: Answer, where: ArtifactPath) -> Answer:
    if answer.status not in (200, 204):
        raise _refusal(answer, where)
    return answer


def _refusal(answer: Answer, where: ArtifactPath) -> MlflowException:
    found = _CODE.search(answer.body.decode("utf-8", "replace"))
    code = found[1] if found else f"status {answer.status}"
    if code == "NoSuchUpload":
        return not_found(f"There is no such upload of '{where}'.")
    if code in ("InvalidPart", "InvalidPartOrder", "EntityTooSmall"):
        return invalid(f"'{where}' cannot be made of these parts ({code}).")
    message = f"The store refuses the upload of '{where}' ({code})."
    is_denied = answer.status in (401, 403)
    return MlflowException(message, PERMISSION_DENIED if is_denied else TEMPORARILY_UNAVAILABLE)
